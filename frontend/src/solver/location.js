import { LAZY, REGIME } from "./terms.js";

/** numerator/denominator, where 0/0 is 0 and x/0 is infinite */
function over(numerator, denominator) {
  return numerator === 0 ? 0 : numerator / denominator;
}

/**
 * Places a network on the universal finite-width diagram.
 * @param {import("./gradient_flow.js").GradientFlow} flow
 * @returns {{byDeterminant: number, byImbalance: number, start: number, radius: number, regime: string}}
 *   how far the determinant and the imbalance take it, both in units of |v*|, and the regime as one of REGIME
 */
export function locate(flow) {
  const { gamma } = flow.network;
  const { eta, slope, imbalance, rootDeterminant } = flow.initial;
  const { target } = flow.task;
  const size = Math.abs(target);
  const byDeterminant = over(gamma * rootDeterminant, size);
  const byImbalance = eta > 0 ? over(gamma * Math.abs(imbalance), 2 * eta * size) : Infinity;
  const start = over(target < 0 ? -slope : slope, size);
  const radius = Math.hypot(byDeterminant, byImbalance);
  const lazy = byDeterminant >= byImbalance ? REGIME.by_determinant : REGIME.by_imbalance;
  const moving = radius < Math.max(1, Math.abs(start)) ? REGIME.rich : REGIME.between;
  return { byDeterminant, byImbalance, start, radius, regime: flow.kernelExcursion <= LAZY ? lazy : moving };
}
