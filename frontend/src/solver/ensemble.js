import { ChiSquareQuantile, normalQuantile } from "./chi_square.js";
import { Gram } from "./gram.js";
import { PLASTIC } from "./terms.js";

/** √(a² + b²), by the square root alone where the squares neither over- nor underflow. */
function hypot(a, b) {
  const size = Math.sqrt(a * a + b * b);
  return size > 1e-140 && size < 1e150 ? size : Math.hypot(a, b);
}

/**
 * χ²_d and χ²_{d−1} of every network at one width.
 * @typedef {{width: number, length: Float64Array, across: Float64Array}} Starts
 */

const fraction = (x) => x - Math.floor(x);

/**
 * Random starts by the exact Wishart law, from points that fill the cube evenly instead of randomly: network i of N has
 * z at the share (i + ½)/N, χ²_d at {½ + i/ρ} and χ²_{d−1} at {½ + i/ρ²}, each through its quantile function.
 */
export class Draws {
  /**
   * @param {number} count
   * @param {Iterable<number>} [widths] whose starts are kept once they have been asked for; of others, only the last
   */
  constructor(count, widths = []) {
    const index = Array.from({ length: count }, (_, i) => i);
    this.count = count;
    this.overlap = Float64Array.from(index, (i) => normalQuantile((i + 0.5) / count));
    this.lengths = index.map((i) => new ChiSquareQuantile(fraction(0.5 + i * (1 / PLASTIC))));
    this.others = index.map((i) => new ChiSquareQuantile(fraction(0.5 + i * (1 / PLASTIC ** 2))));
    /** @type {Map<number, Starts | undefined>} */
    this.kept = new Map(Array.from(widths, (width) => [width, undefined]));
    /** @type {Starts | undefined} */
    this.last = undefined;
  }

  /** @returns {Starts} */
  at(width) {
    const known = this.kept.get(width) ?? (this.last?.width === width ? this.last : undefined);
    if (known) return known;
    const starts = {
      width,
      length: Float64Array.from(this.lengths, (quantile) => quantile.at(width)),
      across: Float64Array.from(this.others, (quantile) => quantile.at(width - 1)),
    };
    if (this.kept.has(width)) this.kept.set(width, starts);
    else this.last = starts;
    return starts;
  }
}

/** Many networks of one width, trained to the end. */
export class Ensemble {
  /**
   * @param {Draws} draws
   * @param {import("./network.js").Network} network
   * @param {import("./task.js").Task} task
   */
  constructor(draws, network, task) {
    this.draws = draws;
    this.network = network;
    this.task = task;
  }

  /** The start of network i. */
  gram(i) {
    const { sigma_u, sigma_w, width } = this.network;
    const { length, across } = this.draws.at(width);
    const z = this.draws.overlap[i];
    return new Gram(
      sigma_u ** 2 * length[i],
      sigma_u * sigma_w * Math.sqrt(length[i]) * z,
      sigma_w ** 2 * (z * z + across[i]),
    );
  }

  /** @param {(along: number, height: number, i: number) => number} read what is wanted of u·w, √D and the number of a network */
  #each(read) {
    const { sigma_u, sigma_w, width } = this.network;
    const { length, across } = this.draws.at(width);
    const { overlap, count } = this.draws;
    const values = new Float64Array(count);
    const scale = sigma_u * sigma_w;
    for (let i = 0; i < count; i++) {
      const size = scale * Math.sqrt(length[i]);
      values[i] = read(size * overlap[i], size * Math.sqrt(across[i]), i);
    }
    return values;
  }

  /** v(0) */
  initialSlope() {
    const { gamma } = this.network;
    return this.#each((along) => gamma * along);
  }

  /** ζ(∞) */
  finalAlignment() {
    const end = this.task.target / this.network.gamma;
    return this.#each((_, height) => (end === 0 ? 0 : end / hypot(end, height)));
  }

  /** @param {(signal: number, start: number, floor: number, slope: number) => number} read what is wanted of 2γη, K(0), K_min and v(0) */
  #eachKernel(read) {
    const { gamma, eta_u, eta_w, sigma_u, sigma_w, width } = this.network;
    const { length, across } = this.draws.at(width);
    const { overlap } = this.draws;
    const signal = 2 * gamma * Math.sqrt(eta_u) * Math.sqrt(eta_w);
    return this.#each((along, height, i) => {
      const first = eta_w * sigma_u ** 2 * length[i];
      const second = eta_u * sigma_w ** 2 * (overlap[i] ** 2 + across[i]);
      const start = gamma * gamma * (first + second);
      const floor = hypot(gamma * gamma * (first - second), signal * gamma * height);
      return read(signal, start, floor, gamma * along);
    });
  }

  /** K(∞)/K(0) − 1, to full relative precision however small */
  kernelDrift() {
    const { target } = this.task;
    return this.#eachKernel((signal, start, floor, slope) => drift(signal, start, floor, slope, target));
  }

  /** The largest |K/K(0) − 1| along the whole path, which may lead through v = 0, where the kernel is least. */
  kernelExcursion() {
    const { target } = this.task;
    return this.#eachKernel((signal, start, floor, slope) => {
      const end = Math.abs(drift(signal, start, floor, slope, target));
      if (!(slope * target < 0)) return end;
      return Math.max(end, ((signal * slope) / start) * ((signal * slope) / (start + floor)));
    });
  }
}

function drift(signal, start, floor, slope, target) {
  const end = hypot(signal * target, floor);
  return ((signal * (target - slope)) / start) * ((signal * (target + slope)) / (start + end));
}

/** The smallest number that at least a share q of the sorted values do not exceed. */
export function quantile(sorted, q) {
  return sorted[Math.max(Math.ceil(q * sorted.length), 1) - 1];
}
