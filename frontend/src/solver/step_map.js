import { DescentStart } from "./initial.js";

/**
 * Everything that moves: the residual, the slope and the products of the factors of both modes, each as the unevaluated
 * sum of two numbers; and the step at which the residual left the range of doubles, or 0.
 * @typedef {{residual: number, residualLow: number, slope: number, slopeLow: number, ahead: number, aheadLow: number,
 *   behind: number, behindLow: number, blown: number}} StepState
 */

/** How many numbers a state is, in the order in which they lie one after the other. */
export const NUMBERS = 9;

/** The state that lies in `states` after `n` others. @returns {StepState} */
export function stateIn(states, n) {
  const [residual, residualLow, slope, slopeLow, ahead, aheadLow, behind, behindLow, blown] = states.subarray(n * NUMBERS, (n + 1) * NUMBERS);
  return { residual, residualLow, slope, slopeLow, ahead, aheadLow, behind, behindLow, blown };
}

/** What the last `added` left over. */
let rest = 0;

/** (high + low) + (change + lowChange) as such a sum again: the high part, the low one being left in `rest`. */
function added(high, low, change, lowChange) {
  const total = high + change;
  const part = total - high;
  const over = high - (total - part) + (change - part) + (low + lowChange);
  const sum = total + over;
  rest = over - (sum - total);
  return sum;
}

/**
 * The map of one gradient step, operation by operation as in Python: where training never settles it is chaotic, and the
 * two would part within a few dozen steps.
 */
export class StepMap {
  /**
   * @param {import("./network.js").Network} network
   * @param {import("./task.js").Task} task
   * @param {import("./gram.js").Gram} gram
   */
  constructor(network, task, gram) {
    this.initial = new DescentStart(network, task, gram);
    const { halves, eta, slope, residual } = this.initial;
    const [a, b] = halves;
    this.a = a / 2;
    this.b = b / 2;
    this.m = task.secondMoment;
    this.turn = network.gamma * eta;
    this.couple = this.turn * this.m;
    this.hasAhead = a > 0 ? 1 : 0;
    this.hasBehind = b > 0 ? 1 : 0;
    this.first = Float64Array.of(residual, 0, slope, 0, 1, 0, 1, 0, 0);
  }

  /** The second moment of the inputs that step `_` sees. */
  moment(_) {
    return this.m;
  }

  /** h/(γη) in step `_`. */
  force(residual, _) {
    return this.m * residual;
  }

  /** h, of a residual or of the force that it makes. */
  turned(residual, _) {
    return this.couple * residual;
  }

  /** Takes step `n`, from the state in `states` after `from` others to the next place there; a diverged one stays. */
  take(states, from, n) {
    const at = from * NUMBERS;
    const to = at + NUMBERS;
    const [residual, residualLow] = [states[at], states[at + 1]];
    const [ahead, aheadLow, behind, behindLow] = [states[at + 4], states[at + 5], states[at + 6], states[at + 7]];
    if (states[at + 8]) {
      states.copyWithin(to, at, to);
      return;
    }
    const force = this.force(residual, n);
    const turn = this.turned(residual, force);
    // v' − v = −(K − h·γηv) h/(γη), the slope taken from a − b: so the residual and the modes stay consistent to
    // rounding, however long they cycle.
    const give = this.a * ahead * ahead * (1 - turn / 2) + this.b * behind * behind * (1 + turn / 2);
    const onAhead = turn * this.hasAhead;
    const onBehind = turn * this.hasBehind;
    const change = -give * force;
    const low = -give * (this.moment(n) * residualLow);
    states[to] = added(residual, residualLow, change, low);
    states[to + 1] = rest;
    states[to + 2] = added(states[at + 2], states[at + 3], change, low);
    states[to + 3] = rest;
    states[to + 4] = added(ahead, aheadLow, -onAhead * ahead, -onAhead * aheadLow);
    states[to + 5] = rest;
    states[to + 6] = added(behind, behindLow, onBehind * behind, onBehind * behindLow);
    states[to + 7] = rest;
    states[to + 8] = 0;
    if (Number.isFinite(states[to] + states[to + 4] + states[to + 6])) return;
    states.copyWithin(to, at, to);
    states[to] = this.#beyond(residual, ahead, behind, n);
    states[to + 8] = n;
  }

  /** The infinity that the residual of a diverging network jumps to. */
  #beyond(residual, ahead, behind, n) {
    if (!Number.isFinite(residual)) return residual;
    const [turn, moment] = [Math.abs(this.turned(residual, this.force(residual, n))), this.moment(n)];
    const half = Math.hypot(Math.sqrt(moment * this.a) * ahead, Math.sqrt(moment * this.b) * behind);
    return (turn >= half ? 1 : -1) * Math.sign(residual) * Infinity;
  }
}
