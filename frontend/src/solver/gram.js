import { differenceOfProducts, dot } from "./exact.js";

/** The Gram matrix of the two layers: uu = |u|², uw = u·w, ww = |w|². */
export class Gram {
  constructor(uu, uw, ww) {
    this.uu = uu;
    this.uw = uw;
    this.ww = ww;
  }

  /** Of weights given neuron by neuron. */
  static fromWeights(u, w) {
    return new Gram(dot(u, u), dot(u, w), dot(w, w));
  }

  /**
   * Of a Gaussian start whose chi-squares sit at their means.
   * @param {import("./network.js").Network} network
   * @param {number} overlap the standard normal draw that correlates the two layers
   */
  static typical({ width, sigma_u, sigma_w }, overlap = 1) {
    return new Gram(
      width * sigma_u * sigma_u,
      overlap * sigma_u * sigma_w * Math.sqrt(width),
      sigma_w * sigma_w * (overlap * overlap + width - 1),
    );
  }

  /** D = uu·ww − uw² ≥ 0. */
  get determinant() {
    return Math.max(differenceOfProducts(this.uu, this.ww, this.uw, this.uw), 0);
  }

  /** ζ = u·w / (|u||w|), 0 where a layer is zero. */
  get alignment() {
    const norms = Math.sqrt(this.uu) * Math.sqrt(this.ww);
    return norms === 0 ? 0 : Math.max(-1, Math.min(1, this.uw / norms));
  }

  /** |u||w| */
  get normProduct() {
    return Math.sqrt(this.uu) * Math.sqrt(this.ww);
  }
}
