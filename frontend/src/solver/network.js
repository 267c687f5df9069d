/** Hyperparameters of f(x) = γ Σ uᵢ (wᵢ·x); names as in the Python package. */
export class Network {
  /**
   * @param {object} parameters
   * @param {number} parameters.width
   * @param {number} [parameters.gamma]
   * @param {number} [parameters.sigma_u]
   * @param {number} [parameters.sigma_w]
   * @param {number} [parameters.eta_u]
   * @param {number} [parameters.eta_w]
   */
  constructor({ width, gamma = 1, sigma_u = 1, sigma_w = 1, eta_u = 1, eta_w = 1 }) {
    this.width = width;
    this.gamma = gamma;
    this.sigma_u = sigma_u;
    this.sigma_w = sigma_w;
    this.eta_u = eta_u;
    this.eta_w = eta_w;
  }
}
