import { Gram } from "./gram.js";
import { ratio, smallestTerms } from "./halves.js";
import { layersOf } from "./layers.js";
import { NUMBERS, stateIn } from "./step_map.js";

const BLOCK = 64; // states that there is room for at first
const KEPT = 16384; // states; a question about a later step walks from the last one

/** What every training in whole and finite steps answers. One that diverges ends in infinities, never in NaN. */
export class Descent {
  /**
   * @param {import("./network.js").Network} network
   * @param {import("./task.js").Task} task
   * @param {Gram} gram the start
   * @param {import("./step_map.js").StepMap} map
   */
  constructor(network, task, gram, map) {
    this.network = network;
    this.task = task;
    this.start = gram;
    this.map = map;
    this.initial = map.initial;
    this.states = new Float64Array(BLOCK * NUMBERS);
    this.states.set(map.first);
    this.done = 0;
  }

  /** The state after t steps. @returns {import("./step_map.js").StepState} */
  at(t) {
    this.#reach(t);
    return t <= KEPT ? stateIn(this.states, t) : this.#beyond(t);
  }

  /** The product of all 1 − h² so far, by which Δ and the floor have shrunk. */
  shrinkage(t) {
    if (t > KEPT) return this.#shrunk(1, this.at(t));
    this.#reach(t);
    return this.states[t * NUMBERS + 4] * this.states[t * NUMBERS + 6];
  }

  #reach(t) {
    while (this.done < Math.min(t, KEPT)) {
      if (this.states.length < (this.done + 2) * NUMBERS) this.#grow();
      this.map.take(this.states, this.done, ++this.done);
    }
  }

  #grow() {
    const larger = new Float64Array(4 * this.states.length);
    larger.set(this.states);
    this.states = larger;
  }

  /** A state that is not kept, walked to from the last one that is. */
  #beyond(t) {
    const pair = new Float64Array(2 * NUMBERS);
    pair.set(this.states.subarray(KEPT * NUMBERS, (KEPT + 1) * NUMBERS));
    for (let n = KEPT + 1; n <= t; n++) {
      this.map.take(pair, 0, n);
      pair.copyWithin(0, NUMBERS);
    }
    return stateIn(pair, 0);
  }

  /** K + s and K − s, the last finite ones. */
  #halves({ ahead, behind }) {
    const [a, b] = this.initial.halves;
    return [a * ahead * ahead, b * behind * behind];
  }

  /** The slope, or the last finite one. */
  #lastSlope(state) {
    const { signal, slope } = this.initial;
    const { target } = this.task;
    const [rising, falling] = this.#halves(state);
    const scale = 2 * signal;
    const residual = state.blown ? 0 : state.residual;
    return smallestTerms(
      [target, residual, state.blown ? Infinity : Math.abs(target) + Math.abs(residual)],
      [ratio(rising - falling, scale, 0), 0, ratio(rising + falling, scale, Infinity)],
      [state.slope, 0, Math.abs(slope) + Math.abs(state.slope - slope)],
    );
  }

  #lastKernel(state) {
    const [rising, falling] = this.#halves(state);
    return (rising + falling) / 2;
  }

  /** A frozen number of the flow times all factors 1 − h² so far. */
  #shrunk(value, { ahead, behind }) {
    return value * ahead * behind;
  }

  #lastRoot(state) {
    return Math.abs(this.#shrunk(this.initial.rootDeterminant, state));
  }

  /** v(t) */
  slope(t) {
    const state = this.at(t);
    return state.blown ? state.residual : this.#lastSlope(state);
  }

  /** v(t) − v* */
  residual(t) {
    return this.at(t).residual;
  }

  /** ½E[(f − y)²] */
  loss(t) {
    return this.task.loss(this.at(t).residual);
  }

  /** K(t); a network with a frozen layer diverges in one weight, and its kernel stays */
  kernel(t) {
    const state = this.at(t);
    return state.blown && this.initial.eta > 0 ? Infinity : this.#lastKernel(state);
  }

  /** K(t)/K(0), 1 where there is no kernel */
  kernelRatio(t) {
    return ratio(this.kernel(t), this.initial.kernel, 1);
  }

  /** ζ(t); where the descent diverged, as it was last */
  alignment(t) {
    const state = this.at(t);
    const slope = this.#lastSlope(state);
    const across = this.network.gamma * this.#lastRoot(state);
    return ratio(slope, Math.hypot(slope, across), Math.sign(this.initial.slope));
  }

  /** ζ_K(t) = 2γηv/K; where the descent diverged, as it was last */
  kernelAlignment(t) {
    const state = this.at(t);
    const { signal, floor, slope } = this.initial;
    const along = signal * this.#lastSlope(state);
    return ratio(along, Math.hypot(along, this.#shrunk(floor, state)), Math.sign(signal * slope));
  }

  /** Δ(t); where the descent diverged it changes its sign at every step */
  imbalance(t) {
    const state = this.at(t);
    const last = this.#shrunk(this.initial.imbalance, state);
    if (!state.blown || last === 0 || this.initial.eta === 0) return last;
    const parity = (t - state.blown) % 2 ? -1 : 1;
    return last * parity > 0 ? -Infinity : Infinity;
  }

  /** D(t) */
  determinant(t) {
    const state = this.at(t);
    const last = this.#shrunk(this.#shrunk(this.initial.determinant, state), state);
    return state.blown && this.initial.eta > 0 && last > 0 ? Infinity : last;
  }

  /** The Gram matrix of the layers; infinite where they diverged. */
  gram(t) {
    const state = this.at(t);
    const { eta_u, eta_w } = this.network;
    if (this.initial.kernel === 0) return this.start;
    const now = layersOf(this.network, this.start, {
      kernel: this.#lastKernel(state),
      imbalance: this.#shrunk(this.initial.imbalance, state),
      slope: this.#lastSlope(state),
      rootDeterminant: this.#lastRoot(state),
    });
    if (!state.blown) return now;
    return new Gram(eta_u > 0 ? Infinity : now.uu, state.residual, eta_w > 0 ? Infinity : now.ww);
  }
}
