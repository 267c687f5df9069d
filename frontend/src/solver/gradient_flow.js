import { Gram } from "./gram.js";
import { halves, ratio, smallestTerms } from "./halves.js";
import { Initial } from "./initial.js";
import { layersOf } from "./layers.js";

const LONG_PAST = 1500; // from here on exp(−κ) is below every residual that a double can hold
const LINEAR = 1e-17; // below this log(1 + x) is x
const PAST = 700; // from here on exp(−κ) leaves the normal range

/**
 * The flow at one time; `angle` is the hyperbolic one by which every neuron has turned, `both` and `push` are how far a
 * layer has moved along itself and along the other.
 * @typedef {{t: number, kernel: number, residual: number, slope: number, angle: number, both: number, push: number}} State
 */

/**
 * Gradient flow of one network, solved exactly: dv/dt = −m K(v)(v − v*), with Δ and D frozen.
 *
 * The same form as in Python: with A = exp(−mK(∞)t) and φ = (1 − A)/K(∞), r² = behind/ahead, where
 * ahead = 2A + [(K + s)(0) + (K − s)(∞)]φ and behind = 2A + [(K − s)(0) + (K + s)(∞)]φ.
 */
export class GradientFlow {
  /**
   * @param {import("./network.js").Network} network
   * @param {import("./task.js").Task} task
   * @param {import("./gram.js").Gram} gram the start
   * @param {Initial} [initial] its numbers
   */
  constructor(network, task, gram, initial = new Initial(network, task, gram)) {
    this.network = network;
    this.task = task;
    this.start = gram;
    this.initial = initial;
    const { signal, floor, kernel, slope } = this.initial;
    const signalEnd = signal * task.target;
    this.kernelEnd = Math.hypot(signalEnd, floor);
    const [risingEnd, fallingEnd] = halves(signalEnd, this.kernelEnd, floor);
    const [rising, falling] = this.initial.halves;
    this.risingEnd = risingEnd;
    this.fallingEnd = fallingEnd;
    this.toAhead = rising + fallingEnd;
    this.toBehind = falling + risingEnd;
    this.stuck = this.toAhead === 0 || this.toBehind === 0;
    this.stuckSlope = kernel === 0 ? slope : 0;
    /** @type {State | undefined} */
    this.memory = undefined;
  }

  /** The flow at time t, from which every quantity is made. @returns {State} */
  at(t) {
    if (this.memory === undefined || this.memory.t !== t) this.memory = this.#at(t);
    return this.memory;
  }

  #at(t) {
    const { initial, task, kernelEnd, stuck } = this;
    const clock = task.secondMoment * t;
    const kappa = kernelEnd === 0 ? 0 : kernelEnd * clock;
    const over = clock === Infinity || kappa > LONG_PAST || (stuck && kappa > PAST);
    if (over) return this.#end(t);
    const [rising0, falling0] = initial.halves;
    const rootDecay = Math.exp(-kappa / 2);
    const phi = ratio(-Math.expm1(-kappa), kernelEnd, clock);
    const decay = rootDecay * rootDecay;
    const ahead = 2 * decay + this.toAhead * phi;
    const behind = 2 * decay + this.toBehind * phi;
    const rising = faded(rising0, behind / ahead);
    const falling = faded(falling0, ahead / behind);
    const residual =
      initial.residual * ((2 * rootDecay) / Math.max(ahead, behind)) * ((2 * rootDecay) / Math.min(ahead, behind));
    const change = -initial.residual * phi * (rising0 / ahead + falling0 / behind);
    const state = this.#state(t, rising, falling, residual, change, Math.log(behind / ahead) / 2);
    return { ...state, ...this.#moves(ahead, behind, phi) };
  }

  #end(t) {
    const { initial, task, stuck, stuckSlope } = this;
    if (stuck) {
      const state = this.#state(t, 0, 0, stuckSlope - task.target, stuckSlope - initial.slope, this.#stuckAngle());
      return { ...state, both: initial.kernel === 0 ? 0 : -1, push: 0 };
    }
    const angle = Math.log(this.toBehind / this.toAhead) / 2;
    const state = this.#state(t, this.risingEnd, this.fallingEnd, 0, -initial.residual, angle);
    return { ...state, ...this.#moves(this.toAhead, this.toBehind, 1) };
  }

  /** How far a layer has moved along itself, and along the other in units of its rate: u − u(0) = both·u(0) + η_u push·w(0). */
  #moves(ahead, behind, phi) {
    const { eta, residual, kernel } = this.initial;
    if (kernel === 0) return { both: 0, push: 0 };
    if (this.stuck) {
      const [shrunk, whole] = [Math.min(ahead, behind), Math.max(ahead, behind)];
      return { both: -((Math.max(this.toAhead, this.toBehind) * phi) / whole) / (1 + Math.sqrt(shrunk / whole)), push: 0 };
    }
    const push = -2 * this.network.gamma * residual * (phi / ahead) * Math.sqrt(ahead / behind);
    const sinh = eta * push;
    return { both: (sinh * sinh) / (1 + Math.sqrt(1 + sinh * sinh)), push };
  }

  #stuckAngle() {
    if (this.initial.kernel === 0) return 0;
    return this.toAhead === 0 ? Infinity : -Infinity;
  }

  #state(t, rising, falling, residual, change, angle) {
    const { initial, task } = this;
    const scale = 2 * initial.signal;
    const kernel = (rising + falling) / 2;
    const slope = smallestTerms(
      [ratio(rising, scale, 0), -ratio(falling, scale, 0), ratio(kernel, initial.signal, Infinity)],
      [task.target, residual, Math.abs(task.target) + Math.abs(residual)],
      [initial.slope, change, Math.abs(initial.slope) + Math.abs(change)],
    );
    return { t, kernel, residual, slope, angle };
  }

  /** v(t) */
  slope(t) {
    return this.at(t).slope;
  }

  /** v(t) − v*, to full relative precision however small */
  residual(t) {
    return this.at(t).residual;
  }

  /** ½E[(f − y)²] */
  loss(t) {
    return this.task.loss(this.at(t).residual);
  }

  /** K(t) */
  kernel(t) {
    return this.at(t).kernel;
  }

  /** K(t)/K(0), 1 where there is no kernel */
  kernelRatio(t) {
    return ratio(this.at(t).kernel, this.initial.kernel, 1);
  }

  /** K(∞)/K(0) − 1, to full relative precision however small; −1 if the kernel dies */
  get kernelDrift() {
    const { signal, kernel, slope, residual } = this.initial;
    if (kernel === 0) return 0;
    if (this.stuck) return -1;
    return ((signal * -residual) / kernel) * ((signal * (this.task.target + slope)) / (kernel + this.kernelEnd));
  }

  /** The largest |K/K(0) − 1| along the whole path, which may lead through v = 0, where the kernel is least. */
  get kernelExcursion() {
    const { signal, kernel, slope, floor } = this.initial;
    const end = Math.abs(this.kernelDrift);
    if (!(slope * this.task.target < 0) || kernel === 0) return end;
    const start = signal * slope;
    return Math.max(end, (start / kernel) * (start / (kernel + floor)));
  }

  /** The Gram matrix at time t */
  gram(t) {
    if (this.initial.kernel === 0) return this.start;
    const { imbalance, rootDeterminant } = this.initial;
    const { slope, kernel } = this.at(t);
    return layersOf(this.network, this.start, { kernel, imbalance, slope, rootDeterminant });
  }

  /** The Gram matrix of the moves u − u(0), w − w(0) */
  displacement(t) {
    const { both, push } = this.at(t);
    const { uu, uw, ww } = this.start;
    const [u, w] = [this.network.eta_u * push, this.network.eta_w * push];
    return new Gram(
      Math.max(both * both * uu + u * (2 * both * uw + u * ww), 0),
      both * (both * uw + w * uu + u * ww) + u * w * uw,
      Math.max(both * both * ww + w * (2 * both * uw + w * uu), 0),
    );
  }

  /** ζ(t) = u·w/(|u||w|); where a layer is zero the cosine just before */
  alignment(t) {
    const overlap = this.at(t).slope / this.network.gamma;
    return ratio(overlap, Math.hypot(overlap, this.initial.rootDeterminant), Math.sign(this.initial.slope));
  }

  /** ζ_K(t) = 2γηv/K */
  kernelAlignment(t) {
    const signal = this.initial.signal * this.at(t).slope;
    return ratio(signal, Math.hypot(signal, this.initial.floor), Math.sign(this.initial.signal * this.initial.slope));
  }

  /** Δ, the same at every t */
  imbalance() {
    return this.initial.imbalance;
  }

  /** D, the same at every t */
  determinant() {
    return this.initial.determinant;
  }

  /** mK(∞), the rate of the final approach */
  get rate() {
    return this.task.secondMoment * this.kernelEnd;
  }

  /** K_min, the least kernel that the frozen numbers allow */
  get kernelFloor() {
    return this.initial.floor;
  }

  /**
   * The hyperbolic angle ln r by which every neuron has turned:
   * u = ½(r + 1/r) u₀ + ½(r − 1/r)√(η_u/η_w) w₀, and the same for w with u and w, η_u and η_w exchanged.
   */
  angle(t) {
    return this.at(t).angle;
  }

  /**
   * The weights at time t of neurons that started at u0, w0 (any number of them), for η_u, η_w > 0.
   * @param {number} t
   * @param {Float64Array} u0
   * @param {Float64Array} w0
   */
  weights(t, u0, w0) {
    const angle = this.at(t).angle;
    const grow = Math.exp(angle);
    const shrink = Math.exp(-angle);
    const r = Math.sqrt(this.network.eta_u / this.network.eta_w);
    const along = u0.map((u, i) => faded((u + r * w0[i]) / 2, grow));
    const against = u0.map((u, i) => faded((u - r * w0[i]) / 2, shrink));
    return {
      u: along.map((p, i) => p + against[i]),
      w: along.map((p, i) => (p - against[i]) / r),
    };
  }

  /**
   * The time at which the error is `fraction` of what it was at the start, as in Python's Outcome: a quadratic equation
   * for y = (exp(mK(∞)t) − 1)/K(∞).
   * @param {number} fraction between 0 and 1
   * @returns {number} ∞ where that never happens
   */
  timeToShrink(fraction) {
    const { initial, task, kernelEnd } = this;
    if (initial.kernel === 0) return Infinity;
    const total = initial.kernel + kernelEnd;
    const share = kernelEnd / total;
    const lead = fraction - share;
    const product = this.#product(total);
    const size = Math.abs(lead) + Math.sqrt(lead * lead + 4 * fraction * (1 - fraction) * product);
    const y = lead < 0 ? size / (2 * fraction * product) : (2 * (1 - fraction)) / size;
    const growth = share * y;
    if (growth < LINEAR) return y / (task.secondMoment * total);
    return Math.log1p(growth) / (task.secondMoment * kernelEnd);
  }

  /** ½(K_min² + K(0)K(∞) + s(0)s(∞)) in units of `total`², by the halves of the kernels where the sum cancels */
  #product(total) {
    const { signal, slope, kernel, floor } = this.initial;
    const [first, last] = [signal * slope, signal * this.task.target];
    const kernels = (kernel / total) * (this.kernelEnd / total);
    const signals = (first / total) * (last / total);
    if (signals >= -kernels / 2) return ((floor / total) ** 2 + (kernels + signals)) / 2;
    const halves = [kernel + Math.abs(first), this.kernelEnd + Math.abs(last)];
    return ((floor / halves[0]) * (floor / halves[1]) * ((halves[0] + halves[1]) / total) ** 2) / 4;
  }
}

/** value·factor, where a vanished mode stays so whatever the factor */
function faded(value, factor) {
  return value === 0 ? 0 : value * factor;
}
