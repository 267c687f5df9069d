// Sums and products without cancellation: Veltkamp's split, Dekker's product, Kahan's difference of products.

const SPLITTER = 134217729; // 2²⁷ + 1

/**
 * Splits a·b into its rounded value and the exact rounding error.
 * @param {number} a
 * @param {number} b
 * @returns {[number, number]} rounded product and error, whose exact sum is a·b (barring over- and underflow)
 */
export function twoProduct(a, b) {
  const product = a * b;
  const aBig = SPLITTER * a;
  const aHigh = aBig - (aBig - a);
  const aLow = a - aHigh;
  const bBig = SPLITTER * b;
  const bHigh = bBig - (bBig - b);
  const bLow = b - bHigh;
  return [product, aLow * bLow - (product - aHigh * bHigh - aLow * bHigh - aHigh * bLow)];
}

/**
 * a·b − c·d, accurate even where the two products nearly cancel.
 * @param {number} a
 * @param {number} b
 * @param {number} c
 * @param {number} d
 * @returns {number}
 */
export function differenceOfProducts(a, b, c, d) {
  const [ab, abError] = twoProduct(a, b);
  const [cd, cdError] = twoProduct(c, d);
  return ab - cd + (abError - cdError);
}

/**
 * Σ aᵢ bᵢ as if computed in twice the working precision.
 * @param {ArrayLike<number>} a
 * @param {ArrayLike<number>} b
 * @returns {number}
 */
export function dot(a, b) {
  let sum = 0;
  let correction = 0;
  for (let i = 0; i < a.length; i++) {
    const [product, error] = twoProduct(a[i], b[i]);
    const next = sum + product;
    const part = next - sum;
    correction += sum - (next - part) + (product - part) + error;
    sum = next;
  }
  return sum + correction;
}
