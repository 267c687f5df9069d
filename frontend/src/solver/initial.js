import { differenceOfProducts } from "./compensated.js";
import { halves } from "./halves.js";

/** The numbers at t = 0 and the frozen ones. */
export class Initial {
  constructor(network, task, gram) {
    const { gamma, eta_u, eta_w } = network;
    this.eta = Math.sqrt(eta_u) * Math.sqrt(eta_w);
    this.signal = 2 * gamma * this.eta;
    this.slope = gamma * gram.uw;
    this.residual = this.slope - task.target;
    this.imbalance = differenceOfProducts(eta_w, gram.uu, eta_u, gram.ww);
    this.determinant = gram.determinant;
    this.rootDeterminant = gram.rootDeterminant;
    this.kernel = gamma * gamma * (eta_w * gram.uu + eta_u * gram.ww);
    this.floor = gamma * gamma * Math.hypot(this.imbalance, 2 * this.eta * this.rootDeterminant);
    this.halves = halves(this.signal * this.slope, this.kernel, this.floor);
  }
}

/** The same slope without a floor: layers that are balanced and aligned. */
export class Vanishing extends Initial {
  constructor(network, task, gram) {
    super(network, task, gram);
    this.imbalance = this.determinant = this.rootDeterminant = this.floor = 0;
    const signal = this.signal * this.slope;
    this.kernel = Math.abs(signal);
    this.halves = halves(signal, this.kernel, 0);
  }
}
