import { smallestTerms } from "./halves.js";
import { Initial } from "./initial.js";

/** Training with the kernel frozen at its initial value: the residual decays as e^{−mK₀t}. */
export class KernelFlow {
  constructor(network, task, gram) {
    this.task = task;
    this.initial = new Initial(network, task, gram);
    this.rate = task.secondMoment * this.initial.kernel;
  }

  #kappa(t) {
    return this.rate > 0 ? this.rate * t : 0;
  }

  slope(t) {
    const { slope, residual } = this.initial;
    const { target } = this.task;
    const kappa = this.#kappa(t);
    const left = residual * Math.exp(-kappa);
    const change = residual * Math.expm1(-kappa);
    return smallestTerms(
      [target, left, Math.abs(target) + Math.abs(left)],
      [slope, change, Math.abs(slope) + Math.abs(change)],
    );
  }

  residual(t) {
    const rootDecay = Math.exp(-this.#kappa(t) / 2);
    return this.initial.residual * rootDecay * rootDecay;
  }

  loss(t) {
    return this.task.loss(this.residual(t));
  }

  kernel() {
    return this.initial.kernel;
  }
}
