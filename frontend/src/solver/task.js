import { differenceOfProducts } from "./compensated.js";

/** A regression on a line: all that training sees are E[a²], E[a y] and E[y²]. */
export class Task {
  /**
   * @param {number} secondMoment m = E[a²] > 0
   * @param {number} crossMoment c = E[a y]
   * @param {number} labelMoment E[y²] ≥ c²/m
   */
  constructor(secondMoment, crossMoment, labelMoment) {
    this.secondMoment = secondMoment;
    this.crossMoment = crossMoment;
    this.labelMoment = labelMoment;
    this.target = crossMoment / secondMoment;
    const excess = differenceOfProducts(secondMoment, labelMoment, crossMoment, crossMoment);
    this.lossFloor = Math.max(excess, 0) / (2 * secondMoment);
  }

  /** Half the mean squared error of a slope that misses the target by `residual`. */
  loss(residual) {
    return (this.secondMoment * residual * residual) / 2 + this.lossFloor;
  }
}
