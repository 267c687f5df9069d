import { ratio } from "./halves.js";
import { Initial } from "./initial.js";
import { LOSSES } from "./losses.js";

// Gauss–Legendre nodes on [0, 1] with their weights
const SIX = onUnit([0.2386191860831969, 0.6612093864662645, 0.932469514203152], [0.467913934572691, 0.3607615730481386, 0.1713244923791704]);
const THREE = [{ at: 0.5, weight: 4 / 9 }, ...onUnit([Math.sqrt(0.6)], [5 / 9])];

const PANEL = 0.25; // of the way on which the speed changes by its own size
const AGREEMENT = 3e-7; // of three points with six, which are right to its square
const MOST_PANELS = 20_000;
const HALVINGS = 60;
const STEPS = 60; // of Newton's method, which needs three or four
const ROUNDING = 1e-15;
const CANCELLED = 1e-9; // of the force, where the rest of the way is an exponential

/**
 * Gradient flow with any convex loss ℓ(f, y): dv/dt = −K(v) E[a ∂ℓ/∂f(va, y)] on K² = (2γηv)² + K_min², whatever the loss.
 *
 * Time is the integral t = −∫dv/(K E[aℓ']), by Gauss–Legendre quadrature over panels on which the integrand hardly
 * changes: they halve their distance to a minimum in a few, and where there is none they go on as far as they are asked.
 */
export class LossFlow {
  /**
   * @param {import("./network.js").Network} network
   * @param {string} loss its name
   * @param {ArrayLike<number>} x positions on the line
   * @param {ArrayLike<number>} y labels
   * @param {import("./gram.js").Gram} gram the start
   */
  constructor(network, loss, x, y, gram) {
    this.network = network;
    this.loss = LOSSES[loss];
    this.x = x;
    this.y = y;
    this.start = gram;
    this.initial = new Initial(network, { target: 0 }, gram);
    const { kernel, slope } = this.initial;
    this.direction = kernel > 0 ? -Math.sign(this.#force(slope)) : 0;
    this.kinks = this.#kinks();
    /** The panels' ends: slopes, and the times at which they are passed. */
    this.slopes = [slope];
    this.times = [0];
    /** What is left to the minimum, and how fast it shrinks, once that is all there is. @type {{way: number, rate: number} | undefined} */
    this.tail = this.direction === 0 ? { way: 0, rate: 0 } : undefined;
    this.#skipTheInstant();
  }

  /** Slopes at which a kink of the loss lies on an example, in the order in which they are passed. */
  #kinks() {
    const { x, y, direction, initial } = this;
    const all = (this.loss.kinks ?? []).flatMap((kink) => Array.from(x, (a, i) => (a === 0 ? NaN : (y[i] + kink) / a)));
    return all.filter((v) => direction * (v - initial.slope) > 0).sort((a, b) => direction * (a - b));
  }

  /** Where the force leaves the doubles, the slope passes in no time. */
  #skipTheInstant() {
    const slope = this.slopes[0];
    if (this.loss !== LOSSES.exponential || this.tail) return;
    const exponent = Math.max(...Array.from(this.x, (a, i) => -this.y[i] * a * slope));
    if (exponent <= 690) return;
    this.slopes.push((slope * 690) / exponent);
    this.times.push(0);
  }

  /** E[a ∂ℓ/∂f] */
  #force(v) {
    const { x, y, loss } = this;
    let sum = 0;
    for (let i = 0; i < x.length; i++) sum += x[i] * loss.first(v * x[i], y[i]);
    return sum / x.length;
  }

  /** E[a ∂ℓ/∂f], how fast that changes with v, and the size of what may cancel in it. */
  #pull(v) {
    const { x, y, loss } = this;
    let [force, stiffness, size] = [0, 0, 0];
    for (let i = 0; i < x.length; i++) {
      const term = x[i] * loss.first(v * x[i], y[i]);
      force += term;
      size += Math.abs(term);
      stiffness += x[i] * x[i] * loss.second(v * x[i], y[i]);
    }
    return { force: force / x.length, stiffness: stiffness / x.length, size: size / x.length };
  }

  /** K at any slope: the path that all losses share. */
  kernelAt(v) {
    return Math.hypot(this.initial.signal * v, this.initial.floor);
  }

  /** dt/|dv| */
  #slowness(v) {
    return 1 / (this.kernelAt(v) * Math.abs(this.#force(v)));
  }

  /** How long the slope takes from v on to `way` further. */
  #duration(v, way, nodes = SIX) {
    let sum = 0;
    for (const { at, weight } of nodes) sum += weight * this.#slowness(v + this.direction * way * at);
    return way * sum;
  }

  /** How far the next panel may reach, to the next kink at most. */
  #reach(v, { force, stiffness }) {
    const way = PANEL / (stiffness / Math.abs(force) + ratio(this.initial.signal, this.kernelAt(v), 0));
    const kink = this.kinks.find((at) => this.direction * (at - v) > ROUNDING * Math.abs(at));
    return kink === undefined ? way : Math.min(way, Math.abs(kink - v));
  }

  /** The next panel: the slope at its end and how long it takes, where quadrature can be trusted with it. */
  #panel(v, pull) {
    let way = this.#reach(v, pull);
    for (let i = 0; i < HALVINGS; i++) {
      const next = v + this.direction * way;
      const change = this.#force(next) / pull.force;
      const [three, six] = [THREE, SIX].map((nodes) => this.#duration(v, way, nodes));
      if (change > 0.5 && change < 2 && Math.abs(three - six) <= AGREEMENT * six) return { next, six };
      way /= 2;
    }
    return { next: v, six: 0 };
  }

  #extendTo(t) {
    const { slopes, times } = this;
    while (!this.tail && times[times.length - 1] <= t && times.length < MOST_PANELS) {
      const v = slopes[slopes.length - 1];
      const pull = this.#pull(v);
      if (-Math.sign(pull.force) !== this.direction || Math.abs(pull.force) < CANCELLED * pull.size) {
        this.tail = { way: ratio(-pull.force, pull.stiffness, 0), rate: this.kernelAt(v) * pull.stiffness };
        return;
      }
      const { next, six } = this.#panel(v, pull);
      if (next === v || !Number.isFinite(next)) {
        this.tail = { way: 0, rate: 0 };
        return;
      }
      times.push(times[times.length - 1] + six);
      slopes.push(next);
    }
  }

  /** v(t) */
  slope(t) {
    if (t <= 0) return this.initial.slope;
    this.#extendTo(t);
    const { slopes, times } = this;
    const panel = lastBefore(times, t);
    if (panel === times.length - 1) {
      const { way, rate } = this.tail ?? { way: 0, rate: 0 };
      return slopes[panel] - way * Math.expm1(-rate * (t - times[panel]));
    }
    const v = slopes[panel];
    const whole = Math.abs(slopes[panel + 1] - v);
    const left = t - times[panel];
    let [low, high] = [0, whole];
    let way = (whole * left) / (times[panel + 1] - times[panel]);
    for (let i = 0; i < STEPS; i++) {
      const excess = this.#duration(v, way) - left;
      if (excess > 0) high = way;
      else low = way;
      const next = way - excess / this.#slowness(v + this.direction * way);
      const kept = next > low && next < high ? next : (low + high) / 2;
      const moved = Math.abs(kept - way);
      way = kept;
      if (moved <= ROUNDING * (way + Math.abs(v))) break;
    }
    return v + this.direction * way;
  }

  /** K(t) */
  kernel(t) {
    return this.kernelAt(this.slope(t));
  }

  /** K(t)/K(0), 1 where there is no kernel */
  kernelRatio(t) {
    return ratio(this.kernel(t), this.initial.kernel, 1);
  }

  /** ζ(t) */
  alignment(t) {
    const overlap = this.slope(t) / this.network.gamma;
    return ratio(overlap, Math.hypot(overlap, this.initial.rootDeterminant), Math.sign(this.initial.slope));
  }

  /**
   * The curve from one time to another: the ends of the panels between, and both of its own.
   * @param {number} from
   * @param {number} to
   */
  curve(from, to) {
    const [first, last] = [this.slope(from), this.slope(to)];
    const between = this.times.map((t, i) => [t, this.slopes[i]]).filter(([t]) => t > from && t < to);
    const points = [[from, first], ...between, [to, last]];
    return { times: points.map(([t]) => t), slopes: points.map(([, v]) => v) };
  }
}

/** Symmetric nodes and their weights, from [−1, 1] to [0, 1]. */
function onUnit(roots, weights) {
  return roots.flatMap((root, i) => [-root, root].map((at) => ({ at: (1 + at) / 2, weight: weights[i] / 2 })));
}

/** The last place in growing numbers whose value is at most x. */
function lastBefore(numbers, x) {
  let [low, high] = [0, numbers.length];
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (numbers[middle] <= x) low = middle;
    else high = middle;
  }
  return low;
}
