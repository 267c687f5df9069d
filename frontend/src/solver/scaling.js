import { Network } from "./network.js";
import { PHASE, SAME, SPEED } from "./terms.js";

/**
 * A number for each hyperparameter: its exponent, or the constant factor in front of the power.
 * @typedef {{gamma: number, sigma2_u: number, sigma2_w: number, eta_u: number, eta_w: number}} Each
 */

/**
 * A parametrisation in plain numbers: exponents of the width; factors, 1 where none is given; and what the variances
 * count besides the width, 1 for 2/(fan in + fan out).
 * @typedef {Each & {factors?: Partial<Each>, fan_offset?: number}} Powers
 */

/** @type {Each} */
const ONES = { gamma: 1, sigma2_u: 1, sigma2_w: 1, eta_u: 1, eta_w: 1 };

/** A parametrisation: γ = factor·d^gamma and η = factor·d^eta, but σ² = factor·(d + fan_offset)^sigma2. */
export class Scaling {
  /** @param {Powers} powers */
  constructor({ gamma, sigma2_u, sigma2_w, eta_u, eta_w, factors = {}, fan_offset = 0 }) {
    this.gamma = gamma;
    this.sigma2_u = sigma2_u;
    this.sigma2_w = sigma2_w;
    this.eta_u = eta_u;
    this.eta_w = eta_w;
    this.factors = { ...ONES, ...factors };
    this.fan_offset = fan_offset;
  }

  /**
   * The network of width d.
   * @param {number} width
   * @param {number} [sigma] a factor on both initial scales that does not depend on the width
   */
  atWidth(width, sigma = 1) {
    const { factors } = this;
    const fan = width + this.fan_offset;
    return new Network({
      width,
      gamma: factors.gamma * width ** this.gamma,
      sigma_u: sigma * Math.sqrt(factors.sigma2_u) * fan ** (this.sigma2_u / 2),
      sigma_w: sigma * Math.sqrt(factors.sigma2_w) * fan ** (this.sigma2_w / 2),
      eta_u: factors.eta_u * width ** this.eta_u,
      eta_w: factors.eta_w * width ** this.eta_w,
    });
  }

  /** The powers of the width that decide the phase. */
  exponents() {
    const { gamma, sigma2_u, sigma2_w, eta_u, eta_w } = this;
    const scales = (sigma2_u + sigma2_w) / 2;
    const signal = gamma + (eta_u + eta_w) / 2;
    const kernel = 2 * gamma + 1 + Math.max(eta_w + sigma2_u, eta_u + sigma2_w);
    return {
      signal,
      kernel,
      alignment: -gamma - 1 - scales,
      initial_slope: gamma + 0.5 + scales,
      rate: Math.max(signal, kernel),
    };
  }

  /** What infinitely wide networks do, as one of PHASE. */
  phase() {
    const { signal, kernel } = this.exponents();
    if (Math.abs(signal - kernel) < SAME) return PHASE.critical;
    return signal > kernel ? PHASE.vanishing : PHASE.kernel;
  }

  /** What happens in a time of order 1, as one of SPEED. */
  speed() {
    const { rate } = this.exponents();
    if (Math.abs(rate) < SAME) return SPEED.at;
    return rate > 0 ? SPEED.above : SPEED.below;
  }
}
