// The words and thresholds that the solver shares with Python's.

import terms from "../../../flbook/shared/terms.json" with { type: "json" };

/** What wide networks do, what happens in a time of order 1, where a network lies, how it learned: the names of each. */
export const { phases: PHASE, speeds: SPEED, regimes: REGIME, mechanisms: MECHANISM } = terms;

/** Which exponent of a scaling an explorer's parameter is. */
export const POWERS = /** @type {Record<string, keyof import("./scaling.js").Each>} */ (terms.powers);

/** Exponents closer than this are equal. */
export const SAME = terms.same_exponent;

/** A network is lazy where its kernel changes by no more than this share. */
export const LAZY = terms.lazy;

/** A training by steps is stopped where mK is larger. */
export const RUNAWAY = terms.runaway;

/** Within which factor a prediction of the boundary by one linearisation error is to be trusted: near it, or far. */
export function uncertaintyAt(error) {
  const { near, uncertainty, far_uncertainty } = terms.knob;
  return near[0] <= error && error <= near[1] ? uncertainty : far_uncertainty;
}

/** The least change of log(|u||w|), and the least turn in radians, that count among the mechanisms: both 1 % of the kernel. */
export const LEAST_STRETCH = Math.log1p(LAZY);
export const LEAST_TURN = Math.acos(1 / (1 + LAZY));

/** ρ, the root of x³ = x + 1: multiples of 1/ρ and 1/ρ² fill a square more evenly than random points. */
export const PLASTIC = terms.plastic_number;
