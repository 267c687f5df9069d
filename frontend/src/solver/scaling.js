import { Network } from "./network.js";

const SAME = 1e-9; // exponents closer than this are equal, as in Python

/** A parametrisation: γ = d^gamma, σ² = d^sigma2, η = d^eta. */
export class Scaling {
  constructor({ gamma, sigma2_u, sigma2_w, eta_u, eta_w }) {
    Object.assign(this, { gamma, sigma2_u, sigma2_w, eta_u, eta_w });
  }

  /**
   * The network of width d.
   * @param {number} width
   * @param {number} [sigma] a factor on both initial scales that does not depend on the width
   */
  atWidth(width, sigma = 1) {
    return new Network({
      width,
      gamma: width ** this.gamma,
      sigma_u: sigma * width ** (this.sigma2_u / 2),
      sigma_w: sigma * width ** (this.sigma2_w / 2),
      eta_u: width ** this.eta_u,
      eta_w: width ** this.eta_w,
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

  /** @returns {"kernel"|"critical"|"vanishing"} */
  phase() {
    const { signal, kernel } = this.exponents();
    if (Math.abs(signal - kernel) < SAME) return "critical";
    return signal > kernel ? "vanishing" : "kernel";
  }

  /** @returns {"frozen"|"learning"|"unstable"} what happens in a time of order 1 */
  speed() {
    const { rate } = this.exponents();
    if (Math.abs(rate) < SAME) return "learning";
    return rate > 0 ? "unstable" : "frozen";
  }
}
