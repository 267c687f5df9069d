/**
 * γ² uu(t) σ_w²: the variance of the prediction per squared distance from the training line.
 * @param {import("./gradient_flow.js").GradientFlow} flow
 */
export function offLineVariance(flow, t) {
  const scale = flow.network.gamma * flow.network.sigma_w;
  return flow.gram(t).uu * scale * scale;
}

/**
 * The mean test error on inputs with E|x⊥|² = `moment`, as the sum of its two parts.
 * @returns {{onLine: number, offLine: number, total: number}}
 */
export function testError(flow, t, moment) {
  const onLine = flow.loss(t);
  const offLine = (offLineVariance(flow, t) * moment) / 2;
  return { onLine, offLine, total: onLine + offLine };
}
