// What flbook/shared, which Python reads too, says of explorers, parameters, presets and quantities.

import catalogueData from "../../../flbook/shared/explorers.json" with { type: "json" };
import parameterData from "../../../flbook/shared/parameters.json" with { type: "json" };
import presetData from "../../../flbook/shared/presets.json" with { type: "json" };
import quantityData from "../../../flbook/shared/quantities.json" with { type: "json" };

/**
 * An explorer: its words, parameters by where their controls stand, which of them Play moves, its presets.
 * @typedef {object} Configuration
 * @property {string} title
 * @property {string[]} controls
 * @property {string[]} more
 * @property {string[]} fixed
 * @property {string} time
 * @property {string} [plays]
 * @property {number} neurons
 * @property {string[]} presets
 * @property {Browsed} [table] the results that it browses
 * @property {{x: number[], y: number[], wrong: number[]}} [data] the examples that it trains on; whose labels may be wrong, in turn
 * @property {Record<string, Partial<Specification>>} parameters what differs from the common specification
 */

/**
 * The columns of results: where a row stands (names, and last a number), its moments, its numbers or curves, those that
 * may be missing, those of which only medians are kept, and what the options of a parameter need. With `seeds` a row holds
 * quantiles over as many as that column says.
 * @typedef {object} Browsed
 * @property {string[]} by
 * @property {string[]} [time]
 * @property {string[]} columns
 * @property {string[]} optional
 * @property {string[]} [medians]
 * @property {string} [seeds]
 * @property {Record<string, unknown>} [absent] what stands for a column that is not there
 * @property {Record<string, unknown>} [where] the rows that are taken
 * @property {Record<string, Record<string, string[]>>} [offers]
 */

/**
 * A parameter: its words, its range, how its slider runs.
 * @typedef {object} Specification
 * @property {string} label
 * @property {string} symbol
 * @property {string} scale log, linear, choice or levels (of a table)
 * @property {boolean} [integer]
 * @property {number} min
 * @property {number} max
 * @property {number} step
 * @property {number} default
 * @property {Record<string, string>} [options]
 */

/**
 * A preset, written in one of four grammars.
 * @typedef {object} Preset
 * @property {string} label
 * @property {string} meaning
 * @property {Record<string, number>} [values] of parameters
 * @property {number} [crossover] the initial scale in units of the crossover
 * @property {Record<string, number>} [exponents] of a scaling
 * @property {string} [scaling] the name of a scaling
 */

/** @type {Record<string, Configuration>} */
export const catalogue = catalogueData;

/** @type {Record<string, Preset>} */
export const presets = presetData;

/** @type {Record<string, Specification>} */
const parameters = parameterData;

/** @type {Record<string, {label: string, symbol: string, meaning: string}>} */
const quantities = quantityData;

/** @type {Record<string, string>} */
const MOMENTS = { 0: "at the start", inf: "in the end" };

/**
 * What is said of one parameter, with what the explorer says otherwise.
 * @param {string} explorer
 * @param {string} name
 * @returns {Specification}
 */
export function specification(explorer, name) {
  return { ...parameters[name], ...catalogue[explorer].parameters[name] };
}

/**
 * All parameters of an explorer, those without a control too.
 * @param {string} explorer
 */
export function parameterNames(explorer) {
  const { controls, more, fixed } = catalogue[explorer];
  return [...controls, ...more, ...fixed];
}

/**
 * "kernel_flow.slope@inf" → its three parts.
 * @param {string} name
 */
export function parseQuantity(name) {
  const [path, moment = ""] = name.split("@");
  const cut = path.lastIndexOf(".");
  return { prefix: path.slice(0, Math.max(cut, 0)), base: path.slice(cut + 1), moment };
}

/**
 * The words for a quantity, by its full name where that has an entry of its own, and for its moment.
 * @param {string} name
 */
export function quantityWords(name) {
  const { prefix, base, moment } = parseQuantity(name);
  return { ...(quantities[`${prefix}.${base}`] ?? quantities[base]), when: MOMENTS[moment] };
}
