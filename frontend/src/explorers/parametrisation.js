// A scaling as parameters of an explorer: five powers, their factors, what the fan counts besides, and the scale κ. A κ of 1
// stands for the width itself, any other for a limit at a fixed width.

import { POWERS, Scaling } from "../solver/index.js";

/**
 * @typedef {import("./explorer.js").Parameters} Parameters
 * @typedef {import("../solver/scaling.js").Each} Each
 */

/** @param {keyof Each} power */
const factorOf = (power) => `${power}_factor`;

/**
 * The scaling that parameters describe.
 * @param {Parameters} parameters
 */
export function scalingOf(parameters) {
  /** @param {(name: string, power: keyof Each) => number} read */
  const each = (read) => /** @type {Each} */ (
    Object.fromEntries(Object.entries(POWERS).map(([name, power]) => [power, read(name, power)]))
  );
  const powers = each((name) => parameters[name]);
  const factors = each((_, power) => parameters[factorOf(power)]);
  return new Scaling({ ...powers, width: (parameters.kappa ?? 1) === 1 ? 1 : 0, factors, fan_offset: parameters.fan_offset });
}

/**
 * The parameters that describe a scaling of the width.
 * @param {Scaling} scaling
 * @returns {Parameters}
 */
export function parametersOf(scaling) {
  const powers = Object.entries(POWERS).map(([name, power]) => [name, scaling[power]]);
  const factors = Object.values(POWERS).map((power) => [factorOf(power), scaling.factors[power]]);
  return { ...Object.fromEntries([...powers, ...factors]), fan_offset: scaling.fan_offset, kappa: 1 };
}
