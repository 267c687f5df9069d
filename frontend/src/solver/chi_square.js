// Quantiles of the chi-square law, at any number of degrees of freedom.

const HALF_LOG_PI = Math.log(Math.PI) / 2;
const FEW = 44; // from here on the series in 1/√d is as good as the iteration
const ORDERS = 14;
const ROUNDS = 40;
const SETTLED = 1e-9; // a step after which the next one would be below the rounding

/** ln Γ(a + 1) for a a multiple of ½ */
function logFactorial(a) {
  let log = a % 1 === 0 ? 0 : HALF_LOG_PI;
  for (let factor = a; factor > 0; factor--) log += Math.log(factor);
  return log;
}

/** The series of P(a, x) = x^a e^{−x}/Γ(a+1) · Σ xⁿ/((a+1)…(a+n)), without what stands before the sum. */
function lowerGammaSeries(a, x) {
  let sum = 1;
  let term = 1;
  for (let n = 1; term > 1e-17 * sum; n++) {
    term *= x / (a + n);
    sum += term;
  }
  return sum;
}

/**
 * Newton's iteration for ln P(a, eˢ) = ln share: ln P is concave in s, so from its second step on it climbs from the
 * left and cannot fail.
 * @param {number} [guess] of the quantile
 */
function byIteration(degrees, share, guess = 0) {
  const a = degrees / 2;
  const constant = logFactorial(a);
  const goal = Math.log(share);
  let s = guess > 0 ? Math.log(guess / 2) : (goal + constant) / a;
  for (let round = 0; round < ROUNDS; round++) {
    const x = Math.exp(s);
    const sum = lowerGammaSeries(a, x);
    const logShare = a * s - x - constant + Math.log(sum);
    const step = ((goal - logShare) * sum) / a;
    s += step;
    if (Math.abs(step) < SETTLED) break;
  }
  return 2 * Math.exp(s);
}

const plus = (p, q) => Array.from({ length: Math.max(p.length, q.length) }, (_, i) => (p[i] ?? 0) + (q[i] ?? 0));
const derivative = (p) => p.slice(1).map((c, i) => c * (i + 1));
const scaled = (p, factor) => p.map((c) => c * factor);

function times(p, q) {
  const product = new Array(Math.max(p.length + q.length - 1, 0)).fill(0);
  p.forEach((c, i) => q.forEach((e, j) => (product[i + j] += c * e)));
  return product;
}

/**
 * Polynomials p_k(z) of the expansion of a quantile: with a = d/2, ε = 1/√a and y = Σ εᵏ p_k(z), χ² = d(1 + εy).
 *
 * That the share below χ² is the share below z means y″(1 + εy) = −z y′(1 + εy) + y′²(y + ε), which order by order
 * is p_k″ − z p_k′ − p_k = (what the lower orders give); only one polynomial solves it.
 */
function expansion(orders) {
  const p = [[0, 1]];
  for (let k = 1; k <= orders; k++) {
    let right = [];
    for (let i = 0; i < k; i++) {
      for (let j = 0; i + j <= k; j++) {
        const l = k - i - j;
        if (j < k && l < k) right = plus(right, times(times(derivative(p[i]), derivative(p[j])), p[l]));
      }
      const [first, second] = [p[i], p[k - 1 - i]];
      const slope = derivative(second);
      right = plus(right, scaled(times(first, derivative(slope)), -1));
      right = plus(right, scaled(times([0, ...first], slope), -1));
      right = plus(right, times(derivative(first), slope));
    }
    const solution = new Array(k + 2).fill(0);
    for (let n = k + 1; n >= 0; n--) solution[n] = (n + 2) * (solution[n + 2] ?? 0) - (right[n] ?? 0) / (n + 1);
    p.push(solution);
  }
  return p;
}

const POLYNOMIALS = expansion(ORDERS);

function evaluate(polynomial, z) {
  let value = 0;
  for (let n = polynomial.length - 1; n >= 0; n--) value = value * z + polynomial[n];
  return value;
}

/**
 * The standard normal quantile: z² is chi-square with one degree of freedom.
 * @param {number} share strictly between 0 and 1
 */
export function normalQuantile(share) {
  const middle = 2 * share - 1;
  if (middle === 0) return 0;
  return Math.sign(middle) * Math.sqrt(byIteration(1, Math.abs(middle)));
}

/** One share, for which chi-square quantiles at many degrees of freedom are wanted. */
export class ChiSquareQuantile {
  /** @param {number} share strictly between 0 and 1 */
  constructor(share) {
    this.share = share;
    const z = normalQuantile(share);
    this.orders = Float64Array.from(POLYNOMIALS, (polynomial) => evaluate(polynomial, z));
  }

  /**
   * @param {number} degrees a whole number of at least 0
   * @returns {number} the quantile; relative error below 2e-11 for shares from 1/4096 to 1 − 1/4096
   */
  at(degrees) {
    if (degrees === 0) return 0;
    const guess = this.#bySeries(degrees);
    return degrees < FEW ? byIteration(degrees, this.share, guess) : guess;
  }

  #bySeries(degrees) {
    const epsilon = Math.sqrt(2 / degrees);
    let y = 0;
    for (let k = ORDERS; k >= 0; k--) y = y * epsilon + this.orders[k];
    return degrees * (1 + epsilon * y);
  }
}
