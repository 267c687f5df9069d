// A scaling as parameters of an explorer: five powers, their factors, what the fan counts besides, and what grows.

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
  return new Scaling({ ...powers, width: 1 - Math.round(parameters.grows ?? 0), factors, fan_offset: parameters.fan_offset });
}

/**
 * The parameters that describe a scaling.
 * @param {Scaling} scaling
 * @returns {Parameters}
 */
export function parametersOf(scaling) {
  const powers = Object.entries(POWERS).map(([name, power]) => [name, scaling[power]]);
  const factors = Object.values(POWERS).map((power) => [factorOf(power), scaling.factors[power]]);
  return { ...Object.fromEntries([...powers, ...factors]), fan_offset: scaling.fan_offset, grows: 1 - scaling.width };
}
