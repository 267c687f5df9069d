/** Training with the kernel frozen at its initial value: the residual decays as e^{−mK₀t}. */
export class KernelFlow {
  constructor(network, task, gram) {
    const { gamma, eta_u, eta_w } = network;
    this.task = task;
    this.slope0 = gamma * gram.uw;
    this.residual0 = this.slope0 - task.target;
    this.kernel0 = gamma * gamma * (eta_w * gram.uu + eta_u * gram.ww);
    this.rate = task.secondMoment * this.kernel0;
  }

  #exponent(t) {
    return this.rate === 0 ? 0 : this.rate * t;
  }

  slope(t) {
    const exponent = this.#exponent(t);
    const residual = this.residual0 * Math.exp(-exponent);
    const drift = this.residual0 * Math.expm1(-exponent);
    return Math.abs(residual) < Math.abs(drift) ? this.task.target + residual : this.slope0 + drift;
  }

  residual(t) {
    return this.residual0 * Math.exp(-this.#exponent(t));
  }

  loss(t) {
    return this.task.loss(this.residual(t));
  }

  kernel() {
    return this.kernel0;
  }
}
