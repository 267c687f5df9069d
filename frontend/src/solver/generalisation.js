/**
 * The mean test error on inputs with E|x⊥|² = `moment` by where it comes from, as Python's `error_parts`: the line, and off
 * it the random function of the start and what laziness adds to it, which with their interference make `offLine`.
 * @param {import("./gradient_flow.js").GradientFlow} flow
 * @param {number} t
 * @param {number} moment
 * @returns {{onLine: number, offLine: number, randomFunction: number, laziness: number, total: number}}
 */
export function testError(flow, t, moment) {
  const scale = flow.network.gamma * flow.network.sigma_w;
  const half = (square) => (square * scale * scale * moment) / 2;
  const [onLine, offLine] = [flow.loss(t), half(flow.gram(t).uu)];
  const [randomFunction, laziness] = [half(flow.start.uu), half(flow.displacement(t).uu)];
  return { onLine, offLine, randomFunction, laziness, total: onLine + offLine };
}
