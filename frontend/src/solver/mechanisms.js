// The three mechanisms: log|v| = log γ + log(|u||w|) + log|ζ|, as in Python.

import { LEAST_STRETCH, LEAST_TURN, MECHANISM } from "./terms.js";

class Point {
  constructor({ uw, rootDeterminant }) {
    this.along = uw;
    this.across = rootDeterminant;
    this.radius = Math.hypot(this.along, this.across);
    this.angle = Math.atan2(this.across, this.along);
    this.folded = Math.atan2(this.across, Math.abs(this.along));
  }
}

/** log(next/last) of numbers of at least 0, with log(0/0) = 0 */
function logRatio(next, last) {
  if (next === last) return 0;
  const quotient = next / last;
  if (quotient > 0.5 && quotient < 2) return Math.log1p((next - last) / last);
  if (quotient > 0 && quotient < Infinity) return Math.log(quotient);
  return Math.log(next) - Math.log(last);
}

/** The change of log(|u||w|), with full relative precision where it is small. */
function logRadiusRatio(next, last) {
  const quotient = next.radius / last.radius;
  if (!(quotient > 0.7 && quotient < 1.4)) return logRatio(next.radius, last.radius);
  const part = (key) => ((next[key] - last[key]) / last.radius) * ((next[key] + last[key]) / last.radius);
  return Math.log1p(part("along") + part("across")) / 2;
}

function logCosineRatio(next, last, rescaling) {
  const tangents = [next, last].map(({ along, across }) => across / Math.abs(along));
  if (tangents.every((tangent) => tangent < 1)) return (Math.log1p(tangents[1] ** 2) - Math.log1p(tangents[0] ** 2)) / 2;
  const overlap = logRatio(Math.abs(next.along), Math.abs(last.along));
  return overlap === 0 && next.along === 0 ? 0 : overlap - rescaling;
}

/**
 * Splits what was learned between two states, and names it. A state is a Gram matrix, or its overlap and √D alone.
 * @param {{uw: number, rootDeterminant: number}} before
 * @param {{uw: number, rootDeterminant: number}} after
 * @returns {{rescaling: number, alignment: number, turn: number, crossed: boolean, mechanism: string}}
 */
export function decompose(before, after) {
  const last = new Point(before);
  const next = new Point(after);
  const sized = last.radius > 0 && next.radius > 0;
  const rescaling = logRadiusRatio(next, last);
  const alignment = sized ? logCosineRatio(next, last, rescaling) : 0;
  const turn = sized ? next.angle - last.angle : 0;
  const crossed = Math.sign(next.along) * Math.sign(last.along) < 0;
  const turned = Math.max(Math.abs(next.folded - last.folded), crossed ? Math.PI / 2 - last.folded : 0);
  return { rescaling, alignment, turn, crossed, mechanism: nameOf(rescaling, alignment, sized ? turned : 0) };
}

function nameOf(rescaling, alignment, turned) {
  if (Math.abs(rescaling) <= LEAST_STRETCH && turned <= LEAST_TURN) return MECHANISM.kernel;
  if (Math.abs(rescaling) > Math.abs(alignment)) return MECHANISM.rescaling;
  return alignment >= 0 ? MECHANISM.alignment : MECHANISM.disalignment;
}
