import { Network } from "./network.js";
import { PHASE, SAME, SPEED } from "./terms.js";

/**
 * A number for each hyperparameter: its exponent, or the constant factor in front of the power.
 * @typedef {{gamma: number, sigma2_u: number, sigma2_w: number, eta_u: number, eta_w: number}} Each
 */

/**
 * A joint limit in plain numbers: exponents of κ, that of the width 1 where none is given; factors, 1 where none is given;
 * and what the variances count besides the width, 1 for 2/(fan in + fan out).
 * @typedef {Each & {width?: number, factors?: Partial<Each>, fan_offset?: number}} Powers
 */

/** @type {Each} */
const ONES = { gamma: 1, sigma2_u: 1, sigma2_w: 1, eta_u: 1, eta_w: 1 };

/**
 * A joint limit: d ∝ κ^width, γ = factor·κ^gamma and η = factor·κ^eta, but σ² = factor·(κ(d + fan_offset)/d)^sigma2.
 * With width = 1 it is a parametrisation, κ the width itself; with width = 0 the width stays.
 */
export class Scaling {
  /** @param {Powers} powers */
  constructor({ gamma, sigma2_u, sigma2_w, eta_u, eta_w, width = 1, factors = {}, fan_offset = 0 }) {
    this.gamma = gamma;
    this.sigma2_u = sigma2_u;
    this.sigma2_w = sigma2_w;
    this.eta_u = eta_u;
    this.eta_w = eta_w;
    this.width = width;
    this.factors = { ...ONES, ...factors };
    this.fan_offset = fan_offset;
  }

  /**
   * The network of width d, of a parametrisation.
   * @param {number} width
   * @param {number} [sigma] a factor on both initial scales that does not depend on the width
   */
  atWidth(width, sigma = 1) {
    return this.atScale(width, width, sigma);
  }

  /**
   * The network at κ that is d wide.
   * @param {number} kappa
   * @param {number} width
   * @param {number} [sigma] a factor on both initial scales
   */
  atScale(kappa, width, sigma = 1) {
    const { factors } = this;
    const fan = kappa * (1 + this.fan_offset / width);
    return new Network({
      width,
      gamma: factors.gamma * kappa ** this.gamma,
      sigma_u: sigma * Math.sqrt(factors.sigma2_u) * fan ** (this.sigma2_u / 2),
      sigma_w: sigma * Math.sqrt(factors.sigma2_w) * fan ** (this.sigma2_w / 2),
      eta_u: factors.eta_u * kappa ** this.eta_u,
      eta_w: factors.eta_w * kappa ** this.eta_w,
    });
  }

  /** The powers of η_w σ_u² and η_u σ_w², which make up the kernel. */
  get #layers() {
    return [this.eta_w + this.sigma2_u, this.eta_u + this.sigma2_w];
  }

  /** The powers of κ that decide the phase. */
  exponents() {
    const { gamma, sigma2_u, sigma2_w, eta_u, eta_w, width } = this;
    const scales = (sigma2_u + sigma2_w) / 2;
    const signal = gamma + (eta_u + eta_w) / 2;
    const kernel = 2 * gamma + width + Math.max(...this.#layers);
    return {
      signal,
      kernel,
      alignment: -gamma - width - scales,
      initial_slope: gamma + width / 2 + scales,
      rate: Math.max(signal, kernel),
    };
  }

  /** What networks do in the limit, as one of PHASE. */
  phase() {
    const { signal, kernel } = this.exponents();
    if (Math.abs(signal - kernel) < SAME) return PHASE.critical;
    return signal > kernel ? PHASE.vanishing : this.largeStart;
  }

  /** The phase of all limits with b < k whose layers weigh as these do: at a fixed width neither may outweigh the other to unlearn. */
  get largeStart() {
    const [one, other] = this.#layers;
    return this.width < SAME && Math.abs(one - other) < SAME ? PHASE.unlearning : PHASE.kernel;
  }

  /** What happens in a time of order 1, as one of SPEED. */
  speed() {
    const { rate } = this.exponents();
    if (Math.abs(rate) < SAME) return SPEED.at;
    return rate > 0 ? SPEED.above : SPEED.below;
  }
}
