// Losses of one example, by their derivatives with respect to the output f.

/**
 * ∂ℓ/∂f and ∂²ℓ/∂f² of a loss, and where its slope has a kink, as distances of f from y.
 * @typedef {object} Loss
 * @property {(f: number, y: number) => number} first
 * @property {(f: number, y: number) => number} second
 * @property {number[]} [kinks]
 */

const HUGEST = 700; // the exponential of more leaves the doubles

/** @type {Record<string, Loss>} */
export const LOSSES = {
  squared: { first: (f, y) => f - y, second: () => 1 },
  huber: {
    first: (f, y) => Math.max(-1, Math.min(f - y, 1)),
    second: (f, y) => (Math.abs(f - y) <= 1 ? 1 : 0),
    kinks: [-1, 1],
  },
  logistic: {
    first: (f, y) => -y * expit(-y * f),
    second: (f, y) => y * y * expit(y * f) * expit(-y * f),
  },
  exponential: {
    first: (f, y) => -y * Math.exp(Math.min(-y * f, HUGEST)),
    second: (f, y) => y * y * Math.exp(Math.min(-y * f, HUGEST)),
  },
};

/** 1/(1 + e^{−x}), to full relative precision at both ends */
function expit(x) {
  if (x >= 0) return 1 / (1 + Math.exp(-x));
  const small = Math.exp(x);
  return small / (1 + small);
}
