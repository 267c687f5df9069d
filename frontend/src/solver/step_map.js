import { twoSum } from "./compensated.js";
import { DescentStart } from "./initial.js";

/**
 * Everything that moves: the residual, the slope and the products of the factors of both modes, each as the unevaluated
 * sum of two numbers; and the step at which the residual left the range of doubles, or 0.
 * @typedef {{residual: number, residualLow: number, slope: number, slopeLow: number, ahead: number, aheadLow: number,
 *   behind: number, behindLow: number, blown: number}} StepState
 */

/** The start of every product. */
const WHOLE = { ahead: 1, aheadLow: 0, behind: 1, behindLow: 0, blown: 0 };

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
    this.couple = network.gamma * eta * this.m;
    this.hasAhead = a > 0 ? 1 : 0;
    this.hasBehind = b > 0 ? 1 : 0;
    /** @type {StepState} */
    this.first = { residual, residualLow: 0, slope, slopeLow: 0, ...WHOLE };
  }

  /** The state after one more step, which is number `n`; a diverged one stays. @param {StepState} state */
  next(state, n) {
    if (state.blown) return state;
    const after = this.#step(state);
    if (Number.isFinite(after.residual + after.ahead + after.behind)) return after;
    return { ...state, residual: this.#beyond(state), blown: n };
  }

  /** @param {StepState} state @returns {StepState} */
  #step({ residual, residualLow, slope, slopeLow, ahead, aheadLow, behind, behindLow, blown }) {
    const turn = this.couple * residual;
    // v' − v = −(v − v*)·shrink with shrink = mK − (γηm)²(v − v*)v, the slope taken from a − b:
    // so the residual and the modes stay consistent to rounding, however long they cycle.
    const shrink =
      this.m * (this.a * ahead * ahead * (1 - turn / 2) + this.b * behind * behind * (1 + turn / 2));
    const [onAhead, onBehind] = [turn * this.hasAhead, turn * this.hasBehind];
    const [change, low] = [-shrink * residual, -shrink * residualLow];
    const [newResidual, newResidualLow] = add(residual, residualLow, change, low);
    const [newSlope, newSlopeLow] = add(slope, slopeLow, change, low);
    const [newAhead, newAheadLow] = add(ahead, aheadLow, -onAhead * ahead, -onAhead * aheadLow);
    const [newBehind, newBehindLow] = add(behind, behindLow, onBehind * behind, onBehind * behindLow);
    return {
      residual: newResidual,
      residualLow: newResidualLow,
      slope: newSlope,
      slopeLow: newSlopeLow,
      ahead: newAhead,
      aheadLow: newAheadLow,
      behind: newBehind,
      behindLow: newBehindLow,
      blown,
    };
  }

  /** The infinity that the residual of a diverging network jumps to. @param {StepState} state */
  #beyond({ residual, ahead, behind }) {
    if (!Number.isFinite(residual)) return residual;
    const turn = Math.abs(this.couple * residual);
    const half = Math.hypot(Math.sqrt(this.m * this.a) * ahead, Math.sqrt(this.m * this.b) * behind);
    return (turn >= half ? 1 : -1) * Math.sign(residual) * Infinity;
  }
}

/** (high + low) + (change + lowChange), as such a sum again. @returns {[number, number]} */
function add(high, low, change, lowChange) {
  const [total, error] = twoSum(high, change);
  const rest = error + (low + lowChange);
  const sum = total + rest;
  return [sum, rest - (sum - total)];
}
