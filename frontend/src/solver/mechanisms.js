// The three mechanisms: log|v| = log γ + log(|u||w|) + log|ζ|, as in Python.

/** The least change of the angle (radians) or of the log radius that counts. */
export const NOTICEABLE = 0.1;

class Point {
  constructor(gram) {
    this.along = gram.uw;
    this.across = gram.rootDeterminant;
    this.radius = Math.hypot(this.along, this.across);
    this.angle = Math.atan2(this.across, this.along);
    this.folded = Math.atan2(this.across, Math.abs(this.along));
  }
}

/** log(next/last) of numbers of at least 0, with log(0/0) = 0 */
function logRatio(next, last) {
  if (next === last) return 0;
  const quotient = next / last;
  if (quotient > 0 && quotient < Infinity) return Math.log(quotient);
  return Math.log(next) - Math.log(last);
}

function logCosineRatio(next, last) {
  const tangents = [next, last].map(({ along, across }) => across / Math.abs(along));
  if (tangents.every((tangent) => tangent < 1)) return (Math.log1p(tangents[1] ** 2) - Math.log1p(tangents[0] ** 2)) / 2;
  return logRatio(Math.abs(next.along) / next.radius, Math.abs(last.along) / last.radius);
}

/**
 * Splits what was learned between two Gram matrices, and names it.
 * @param {import("./gram.js").Gram} before
 * @param {import("./gram.js").Gram} after
 * @returns {{rescaling: number, alignment: number, turn: number, crossed: boolean, mechanism: string}}
 */
export function decompose(before, after) {
  const last = new Point(before);
  const next = new Point(after);
  const sized = last.radius > 0 && next.radius > 0;
  const rescaling = logRatio(next.radius, last.radius);
  const alignment = sized ? logCosineRatio(next, last) : 0;
  const turn = sized ? next.angle - last.angle : 0;
  const crossed = Math.sign(next.along) * Math.sign(last.along) < 0;
  const folding = sized ? next.folded - last.folded : 0;
  return { rescaling, alignment, turn, crossed, mechanism: nameOf(folding, crossed, turn, rescaling) };
}

function nameOf(folding, crossed, turn, rescaling) {
  if (folding < -NOTICEABLE) return "alignment";
  if (folding > NOTICEABLE) return "disalignment";
  if (crossed && Math.abs(turn) > NOTICEABLE) return "alignment";
  return Math.abs(rescaling) > NOTICEABLE ? "rescaling" : "kernel";
}
