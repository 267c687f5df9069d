/** numerator/denominator, where 0/0 is 0 and x/0 is infinite */
function over(numerator, denominator) {
  return numerator === 0 ? 0 : numerator / denominator;
}

/**
 * Places a network on the universal finite-width diagram.
 * @param {import("./gradient_flow.js").GradientFlow} flow
 * @returns {{determinant: number, imbalance: number, start: number, radius: number, regime: string}}
 *   regime: "rich", "lazy by determinant" or "lazy by imbalance"
 */
export function locate(flow) {
  const { gamma } = flow.network;
  const { eta, slope, imbalance, rootDeterminant } = flow.initial;
  const { target } = flow.task;
  const size = Math.abs(target);
  const across = over(gamma * rootDeterminant, size);
  const up = eta > 0 ? over(gamma * Math.abs(imbalance), 2 * eta * size) : Infinity;
  const start = over(target < 0 ? -slope : slope, size);
  const radius = Math.hypot(across, up);
  const rich = radius < Math.max(1, Math.abs(start));
  const regime = rich ? "rich" : across >= up ? "lazy by determinant" : "lazy by imbalance";
  return { determinant: across, imbalance: up, start, radius, regime };
}
