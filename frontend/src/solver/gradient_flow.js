import { differenceOfProducts } from "./exact.js";
import { Gram } from "./gram.js";

/**
 * Exact gradient flow of one network, in its slope v and its two frozen numbers Δ and D.
 *
 * Everything is computed from K + s and K − s (s = 2γηv), the residual by itself and never as a
 * difference, so that all numbers keep their relative precision from t = 0 to t = ∞.
 */
export class GradientFlow {
  /**
   * @param {import("./network.js").Network} network
   * @param {import("./task.js").Task} task
   * @param {import("./gram.js").Gram} gram the start
   */
  constructor(network, task, gram) {
    const { gamma, eta_u, eta_w } = network;
    this.network = network;
    this.task = task;
    this.start = gram;
    const eta = Math.sqrt(eta_u) * Math.sqrt(eta_w);
    this.signal = 2 * gamma * eta;
    this.imbalance0 = differenceOfProducts(eta_w, gram.uu, eta_u, gram.ww);
    this.determinant0 = gram.determinant;
    this.kernelFloor = gamma * gamma * Math.hypot(this.imbalance0, 2 * eta * Math.sqrt(this.determinant0));

    // Mirror the problem (v → −v) where needed, so that the target is never negative.
    this.sign = task.target < 0 ? -1 : 1;
    this.target = this.sign * task.target;
    this.slope0 = this.sign * gamma * gram.uw;
    this.residual0 = this.slope0 - this.target;
    const floor = this.kernelFloor;
    const s0 = this.signal * this.slope0;
    this.kernel0 = gamma * gamma * (eta_w * gram.uu + eta_u * gram.ww);
    [this.plus0, this.minus0] = conjugates(s0, this.kernel0, floor);
    this.kernelEnd = Math.hypot(this.signal * this.target, floor);
    [this.plusEnd, this.minusEnd] = conjugates(this.signal * this.target, this.kernelEnd, floor);
    this.rate = task.secondMoment * this.kernelEnd;
    this.still = this.kernel0 === 0;
    this.stuck = floor === 0 && (s0 < 0 || this.target === 0 || this.signal === 0);
    this.memory = { t: NaN, state: undefined };
  }

  /** (residual, slope) of the mirrored problem at time t. */
  solve(t) {
    if (this.memory.t !== t) this.memory = { t, state: this.#solve(t) };
    return this.memory.state;
  }

  #solve(t) {
    if (this.still) return { residual: this.residual0, slope: this.slope0 };
    if (this.stuck) return this.#solveStuck(t);
    const { plus0, minus0, plusEnd, minusEnd, kernel0, kernelEnd, residual0, kernelFloor } = this;
    const exponent = this.rate === 0 ? 0 : this.rate * t;
    const decay = Math.exp(-exponent);
    const done = -Math.expm1(-exponent);
    const lead = (plus0 + plusEnd) / (kernel0 + kernelEnd);
    const both = plusEnd + minusEnd;
    const z0 = (this.signal * residual0 * lead) / (plus0 + minusEnd);
    const z = z0 * decay;
    const oneMinusZ = z0 > 0 ? both / (plus0 + minusEnd) + z0 * done : 1 - z;
    const top = z0 < 0 ? plusEnd * done + ((both * plusEnd) / (plusEnd + minus0)) * decay : plusEnd + z * minusEnd;
    const plus = top / oneMinusZ;
    const residual = ((residual0 * decay * lead * kernelEnd) / top / oneMinusZ) * ((2 * kernelEnd) / (plus0 + minusEnd));
    const drift = (-residual0 * done * lead * (1 + minus0 / plus)) / (2 * oneMinusZ);
    const lopsided = Math.abs(Math.log(plus / kernelFloor)) > 1;
    let slope;
    if (lopsided) slope = (plus - kernelFloor * (kernelFloor / plus)) / (2 * this.signal);
    else if (Math.abs(residual) < Math.abs(drift)) slope = this.target + residual;
    else slope = this.slope0 + drift;
    return { residual, slope };
  }

  // On the wrong side of the saddle with nothing to turn the layers: v decays to 0 and stays there.
  #solveStuck(t) {
    const size0 = Math.abs(this.signal * this.slope0);
    const pull = this.signal * this.target;
    const m = this.task.secondMoment;
    const exponent = pull === 0 ? 0 : m * pull * t;
    const run = pull === 0 ? m * t : -Math.expm1(-exponent) / pull;
    const slope = (this.slope0 * Math.exp(-exponent)) / (1 + size0 * run);
    return { residual: slope - this.target, slope };
  }

  /** v(t) */
  slope(t) {
    return this.sign * this.solve(t).slope;
  }

  /** v(t) − v*, with its own relative precision */
  residual(t) {
    return this.sign * this.solve(t).residual;
  }

  /** ½E[(f − y)²] */
  loss(t) {
    return this.task.loss(this.solve(t).residual);
  }

  /** K(t) */
  kernel(t) {
    return Math.hypot(this.signal * this.solve(t).slope, this.kernelFloor);
  }

  /** K(t)/K(0), 1 where no kernel was there to begin with */
  kernelRatio(t) {
    return this.still ? 1 : this.kernel(t) / this.kernel(0);
  }

  /** The Gram matrix at time t */
  gram(t) {
    const { gamma, eta_u, eta_w } = this.network;
    const uw = this.slope(t) / gamma;
    const sum = this.kernel(t) / gamma / gamma;
    const product = uw * uw + this.determinant0;
    if (this.still) return this.start;
    if (this.imbalance0 >= 0) {
      const uu = (sum + this.imbalance0) / (2 * eta_w);
      return new Gram(uu, uw, product / uu);
    }
    const ww = (sum - this.imbalance0) / (2 * eta_u);
    return new Gram(product / ww, uw, ww);
  }

  /** ζ(t) = u·w/(|u||w|) */
  alignment(t) {
    const overlap = this.slope(t) / this.network.gamma;
    const norms = Math.hypot(overlap, Math.sqrt(this.determinant0));
    return norms === 0 ? 0 : overlap / norms;
  }

  /** ζ_K(t) = 2γηv/K */
  kernelAlignment(t) {
    const kernel = this.kernel(t);
    return kernel === 0 ? 0 : (this.signal * this.slope(t)) / kernel;
  }

  /** Δ, the same at every t */
  imbalance() {
    return this.imbalance0;
  }

  /** D, the same at every t */
  determinant() {
    return this.determinant0;
  }

  /**
   * Half the logarithm of ξ(t): the hyperbolic angle by which every neuron has turned.
   * u = u₀ cosh θ + r w₀ sinh θ, w = w₀ cosh θ + (u₀/r) sinh θ with r = √(η_u/η_w).
   */
  angle(t) {
    if (this.still) return 0;
    const s = this.signal * this.solve(t).slope;
    const kernel = Math.hypot(s, this.kernelFloor);
    const larger = kernel + Math.abs(s);
    const [now, start] =
      s >= 0 ? [larger, this.plus0] : [this.minus0, larger];
    if (now > 0 && start > 0) return this.sign * 0.5 * Math.log(now / start);
    const s0 = this.signal * this.slope0;
    return this.sign * 0.5 * Math.sign(s0) * Math.log(larger / (this.kernel0 + Math.abs(s0)));
  }

  /** The weights at time t of neurons that started at u0, w0 (any number of them) */
  weights(t, u0, w0) {
    const angle = this.angle(t);
    const cosh = Math.cosh(angle);
    const sinh = Math.sinh(angle);
    const ratio = Math.sqrt(this.network.eta_u / this.network.eta_w);
    return {
      u: u0.map((u, i) => u * cosh + ratio * w0[i] * sinh),
      w: w0.map((w, i) => w * cosh + (u0[i] / ratio) * sinh),
    };
  }

  /**
   * The time at which the error is `fraction` of what it was.
   * @returns {number} positive and finite, or NaN where that never happens
   */
  timeToShrink(fraction) {
    if (this.still) return NaN;
    const { plus0, plusEnd, minusEnd, kernel0, kernelEnd, kernelFloor } = this;
    const slope = this.target + fraction * this.residual0;
    const s = this.signal * slope;
    if (this.stuck) {
      if (s * this.slope0 <= 0) return NaN;
      const pull = this.signal * this.target;
      const ratio = this.slope0 / slope;
      const run = (ratio - 1) / (Math.abs(this.signal * this.slope0) + pull);
      return (pull === 0 ? run : Math.log1p(pull * run)) / (pull === 0 ? this.task.secondMoment : pull * this.task.secondMoment);
    }
    const kernel = Math.hypot(s, kernelFloor);
    const [plus] = conjugates(s, kernel, kernelFloor);
    const shrink =
      fraction *
      ((plus + plusEnd) / (plus0 + plusEnd)) *
      ((plus0 + minusEnd) / (plus + minusEnd)) *
      ((kernel0 + kernelEnd) / (kernel + kernelEnd));
    return -Math.log(shrink) / this.rate;
  }
}

/** K + s and K − s, the smaller from their product K_min². */
function conjugates(s, kernel, floor) {
  const larger = kernel + Math.abs(s);
  const smaller = larger === 0 ? 0 : floor * (floor / larger);
  return s < 0 ? [smaller, larger] : [larger, smaller];
}
