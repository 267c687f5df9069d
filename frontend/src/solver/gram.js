import { differenceOfProducts, dot } from "./compensated.js";

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
   * Of a Gaussian start whose chi-squares sit at their means, or at given multiples of these.
   * @param {import("./network.js").Network} network
   * @param {number} overlap the standard normal draw that correlates the two layers
   * @param {number} length χ²_d/d
   * @param {number} across χ²_{d−1}/(d − 1)
   */
  static typical({ width, sigma_u, sigma_w }, overlap = 1, length = 1, across = 1) {
    return new Gram(
      width * length * sigma_u * sigma_u,
      overlap * sigma_u * sigma_w * Math.sqrt(width * length),
      sigma_w * sigma_w * (overlap * overlap + (width - 1) * across),
    );
  }

  /** D = uu·ww − uw²; a negative difference can only be rounding and counts as 0. */
  get determinant() {
    return this.rootDeterminant ** 2;
  }

  /** √D, which neither over- nor underflows where D would. */
  get rootDeterminant() {
    const unit = powerOfTwoNear(Math.sqrt(this.uu) * Math.sqrt(this.ww));
    if (unit === 0) return 0;
    const share = powerOfTwoNear(this.uu);
    const scaled = differenceOfProducts(
      this.uu / share,
      this.ww / unit / (unit / share),
      this.uw / unit,
      this.uw / unit,
    );
    return unit * Math.sqrt(Math.max(scaled, 0));
  }

  /** ζ = u·w/(|u||w|), 0 where a layer is zero. */
  get alignment() {
    const size = Math.hypot(this.uw, this.rootDeterminant);
    return size === 0 ? 0 : this.uw / size;
  }

  /** |u||w| */
  get normProduct() {
    return Math.sqrt(this.uu) * Math.sqrt(this.ww);
  }
}

/** A power of two within a factor of 2 of `size`, by which dividing is exact; 0 for 0. */
function powerOfTwoNear(size) {
  return size === 0 ? 0 : 2 ** Math.round(Math.log2(size));
}
