import { differenceOfProducts } from "./compensated.js";
import { halves, ratio } from "./halves.js";

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

const HARMLESS = 0.5; // up to this share of the whole, a difference keeps its digits

/** √(x² + y²) by the operations of Python's `length`. */
function length(x, y) {
  const [less, more] = [Math.min(Math.abs(x), Math.abs(y)), Math.max(Math.abs(x), Math.abs(y))];
  const part = less / Math.max(more, Number.MIN_VALUE);
  return more * Math.sqrt(1 + part * part);
}

/** √(size² − x²), or `otherwise` where that cancels. */
function beside(size, x, otherwise) {
  const part = ratio(Math.abs(x), size, 0);
  return part > HARMLESS ? otherwise() : size * Math.sqrt((1 - part) * (1 + part));
}

/** The start with the floor that Python makes of it, to the last bit. */
export class DescentStart extends Initial {
  constructor(network, task, gram) {
    super(network, task, gram);
    const { gamma } = network;
    const { signal, slope, kernel, eta, imbalance } = this;
    const root = () => beside(gram.normProduct, gram.uw, () => gram.rootDeterminant);
    this.floor = beside(kernel, signal * slope, () => gamma * gamma * length(imbalance, 2 * eta * root()));
    this.halves = halves(signal * slope, kernel, this.floor);
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
