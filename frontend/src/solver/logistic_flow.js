/**
 * The limit of vanishing initialisation, K_min = 0: the kernel is 2γη|v| and v follows a logistic curve
 * (or decays to the saddle, where it starts on the wrong side of it).
 */
export class LogisticFlow {
  constructor(network, task, gram) {
    const { gamma, eta_u, eta_w } = network;
    this.task = task;
    this.network = network;
    this.signal = 2 * gamma * Math.sqrt(eta_u) * Math.sqrt(eta_w);
    this.slope0 = gamma * gram.uw;
    this.residual0 = this.slope0 - task.target;
    this.rate = task.secondMoment * this.signal * Math.abs(task.target);
  }

  #decay(t) {
    const exponent = this.rate === 0 ? 0 : this.rate * t;
    return [Math.exp(-exponent), -Math.expm1(-exponent)];
  }

  get #stuck() {
    return this.slope0 * this.task.target <= 0;
  }

  #stuckSlope(t) {
    const pull = this.signal * Math.abs(this.task.target);
    const [decay, done] = this.#decay(t);
    const run = pull === 0 ? this.task.secondMoment * t : done / pull;
    if (this.slope0 === 0 || this.signal === 0) return this.slope0;
    return (this.slope0 * decay) / (1 + Math.abs(this.signal * this.slope0) * run);
  }

  slope(t) {
    if (this.#stuck) return this.#stuckSlope(t);
    const [decay, done] = this.#decay(t);
    return (this.task.target * this.slope0) / (this.slope0 * done + this.task.target * decay);
  }

  residual(t) {
    if (this.#stuck) return this.#stuckSlope(t) - this.task.target;
    const [decay, done] = this.#decay(t);
    return (this.residual0 * this.task.target * decay) / (this.slope0 * done + this.task.target * decay);
  }

  loss(t) {
    return this.task.loss(this.residual(t));
  }

  kernel(t) {
    return this.signal * Math.abs(this.slope(t));
  }

  /** ±1: in this limit the layers are aligned from the start; at the saddle, as they were just before */
  alignment(t) {
    return Math.sign(this.slope(t)) || Math.sign(this.slope0);
  }
}
