/** Hyperparameters of f(x) = γ Σ uᵢ (wᵢ·x); names as in the Python package. */
export class Network {
  constructor({ width, gamma = 1, sigma_u = 1, sigma_w = 1, eta_u = 1, eta_w = 1 }) {
    Object.assign(this, { width, gamma, sigma_u, sigma_w, eta_u, eta_w });
  }
}
