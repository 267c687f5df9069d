import { ratio } from "./halves.js";

const FOR_EVER = 1e300; // longer than anything that still moves, and its square root is no infinity times zero

/** e^{−rate·t}, which is 1 for a rate of 0 at infinity too */
const decay = (rate, t) => (rate === 0 ? 1 : Math.exp(-rate * t));

/** ∫₀ᵗ e^{−rate·s} ds */
const elapsed = (rate, t) => ratio(-Math.expm1(-rate * Math.min(t, FOR_EVER)), rate, Math.min(t, FOR_EVER));

const inner = (x, y) => x.reduce((sum, value, i) => sum + value * y[i], 0);

/**
 * One neuron at one time: a, w along the target and what is left of w across it, as a share of what that was; what misses the
 * target along it.
 * @typedef {{t: number, a: number, along: number, kept: number, miss: number}} State
 */

/**
 * Gradient flow of one linear neuron f(x) = a w·x on white inputs, exact: the imbalance δ = η_w a² − η_a|w|² never moves, and
 * that makes the flow linear up to one common factor.
 *
 * The same form as in Python: everything is divided by e^{κt}, κ the fastest growth that there is.
 */
export class NeuronFlow {
  /**
   * @param {number} a the output weight at the start
   * @param {number[]} w the input weights at the start
   * @param {number[]} target the slope that fits best, β
   * @param {number} [eta_a]
   * @param {number} [eta_w]
   */
  constructor(a, w, target, eta_a = 1, eta_w = 1) {
    this.a = a;
    this.w = w;
    this.target = target;
    this.eta_a = eta_a;
    this.eta_w = eta_w;
    this.eta = Math.sqrt(eta_a) * Math.sqrt(eta_w);
    this.distance = Math.hypot(...target);
    this.direction = target.map((value) => ratio(value, this.distance, 0));
    this.along = inner(w, this.direction);
    this.across = this.#acrossOf(w);
    this.side = Math.hypot(...this.across);
    /** δ, the same at every t */
    this.imbalance = eta_w * (a * a) - eta_a * inner(w, w);
    /** 2ρ, the rate of the final approach along the target */
    this.rate = Math.hypot(this.imbalance, 2 * this.eta * this.distance);
    this.shares = this.#shares();
    this.legs = this.#legs();
    const [legA, legW] = this.legs;
    this.rising = eta_a * legW * this.along + eta_w * legA * a;
    this.falling = legA * this.along - legW * a;
    /** |w|, and both parts of the kernel */
    this.length = Math.hypot(...w);
    this.even = eta_w * (a * a);
    this.turning = eta_a * this.length ** 2;
    /** @type {State | undefined} */
    this.memory = undefined;
  }

  /** The part of w across the target; what rounding leaves along it is gone after the second time. */
  #acrossOf(w) {
    if (w.length === 1 && this.distance > 0) return [0];
    let rest = w;
    for (let i = 0; i < 2; i++) {
      const part = inner(rest, this.direction);
      rest = rest.map((value, k) => value - part * this.direction[k]);
    }
    return rest;
  }

  /** η_w a² and η_a|w|² at the end */
  #shares() {
    const larger = (this.rate + Math.abs(this.imbalance)) / 2;
    const pull = this.eta * this.distance;
    const smaller = pull * ratio(pull, larger, 0);
    return this.imbalance >= 0 ? [larger, smaller] : [smaller, larger];
  }

  /** |a| and |w| at the end, both over √(2ρ) */
  #legs() {
    const { rate, eta_a, eta_w } = this;
    const [shareA, shareW] = this.shares;
    const [partA, partW] = [Math.sqrt(ratio(shareA, rate, 1)), Math.sqrt(ratio(shareW, rate, 0))];
    const [rootA, rootW] = [Math.sqrt(eta_a), Math.sqrt(eta_w)];
    const pull = this.distance * ratio(1, Math.max(partA, partW) * rate, 0);
    return [ratio(partA, rootW, rootA * pull), ratio(partW, rootA, rootW * pull)];
  }

  /** The neuron at time t, from which every quantity is made. @returns {State} */
  at(t) {
    if (this.memory === undefined || this.memory.t !== t) this.memory = this.#at(t);
    return this.memory;
  }

  #at(t) {
    const { eta_a, eta, rate, imbalance, rising, falling, distance, side } = this;
    const [shareA, shareW] = this.shares;
    const stuck = rising === 0;
    const kappa = stuck ? (side > 0 ? Math.max(-imbalance, 0) / 2 : 0) : rate / 2;
    const spent = stuck ? Math.max(imbalance, 0) / 2 : shareA;
    const [unit, left, phi] = [decay(kappa, t), decay(rate, t), elapsed(rate, t)];
    const wait = Math.sqrt(elapsed(Math.abs(imbalance), t));
    const aside = Math.sqrt(eta_a) * side * wait * (imbalance >= 0 ? unit : decay(spent, t));
    const rise = Math.abs(rising) * Math.sqrt(phi);
    const fall = eta * Math.abs(falling) * Math.sqrt(phi) * unit;
    const whole = Math.hypot(unit, rise, fall, aside);
    const scale = t === Infinity && rate === 0 && whole > 1 ? 0 : 1 / whole;
    const first = this.a * this.along - distance;
    const [a, along] = left < 0.5 ? this.#late(kappa, t) : this.#early(kappa, t, left, phi, [shareA, shareW]);
    return {
      t,
      a: a * scale,
      along: along * scale,
      kept: decay(spent, t) * scale,
      miss: first * (unit * scale) ** 2 - distance * (aside * scale) ** 2,
    };
  }

  /** Both parts of Q in the plane of target and a, where they have hardly begun to move. */
  #early(kappa, t, left, phi, [shareA, shareW]) {
    const { eta_a, eta_w, rate, distance, along } = this;
    const early = Math.exp(Math.min((rate / 2 - kappa) * Math.min(t, FOR_EVER), 1));
    const [partA, partW] = [ratio(shareA, rate, 1), ratio(shareW, rate, 0)];
    const pull = distance * phi;
    return [
      early * (this.a * (partA + left * partW) + eta_a * pull * along),
      early * (along * (partW + left * partA) + eta_w * pull * this.a),
    ];
  }

  /** The same by what grows and what decays. */
  #late(kappa, t) {
    const { eta_a, eta_w, rate, rising, falling } = this;
    const [legA, legW] = this.legs;
    const last = decay(rate / 2 + kappa, t);
    return [legA * rising - last * eta_a * legW * falling, legW * rising + last * eta_w * legA * falling];
  }

  #vector(along, kept) {
    return this.direction.map((value, i) => along * value + kept * this.across[i]);
  }

  /** The layers */
  weights(t) {
    const { a, along, kept } = this.at(t);
    return { a, w: this.#vector(along, kept) };
  }

  /** a w, a vector */
  slope(t) {
    const { a, along, kept } = this.at(t);
    return this.#vector(a * along, a * kept);
  }

  /** ½|a w − β|² */
  loss(t) {
    const { a, kept, miss } = this.at(t);
    return (miss * miss + (a * kept * this.side) ** 2) / 2;
  }

  /** η_w a², the kernel across w, and η_a|w|², what it has more along w */
  parts(t) {
    const { a, along, kept } = this.at(t);
    return { even: this.eta_w * (a * a), turning: this.eta_a * Math.hypot(along, kept * this.side) ** 2 };
  }

  /** η_w a² + η_a|w|², the kernel along w */
  kernelSize(t) {
    const { even, turning } = this.parts(t);
    return even + turning;
  }

  /** K(t)/K(0) along w, 1 where there is no kernel */
  kernelRatio(t) {
    return ratio(this.kernelSize(t), this.even + this.turning, 1);
  }

  /** 1 − ⟨K(t), K(0)⟩/(‖K(t)‖‖K(0)‖) */
  kernelRotation(t) {
    const { side, imbalance, even: x0, turning: y0 } = this;
    const { along, kept } = this.at(t);
    const { even: x, turning: y } = this.parts(t);
    const size = this.w.length;
    const sine2 = Math.min(ratio((along - kept * this.along) * side, this.length * Math.hypot(along, kept * side), 0) ** 2, 1);
    const level = size * x * x0 + x * y0 + x0 * y;
    const squares = (size * x * x + 2 * x * y + y * y) * (size * x0 * x0 + 2 * x0 * y0 + y0 * y0);
    const both = y * y0;
    const apart = (size - 1) * (imbalance * (x - x0)) ** 2 + both * sine2 * (2 * level + both * (2 - sine2));
    const root = Math.sqrt(squares);
    return Math.min(ratio(apart, root * (root + level + both * (1 - sine2)), 0), 1);
  }

  /** The cosine between w and the target, 0 where one of them is 0 */
  alignment(t) {
    const { along, kept } = this.at(t);
    return ratio(along, Math.hypot(along, kept * this.side), 0);
  }
}
