// What explorers read from the results of an experiment; Python has aggregated them over the seeds.

import { catalogue } from "../base/catalogue.js";
import { linear, logarithmic } from "../charts/scales.js";

/** @typedef {import("./explorer.js").Parameters} Parameters */

/**
 * One point of the experiment's grid: where it is, and the three quantiles of each column.
 * @typedef {{at: Record<string, any>} & Record<string, any>} Group
 */

/**
 * What `flbook.explorers.tables.table_of` makes.
 * @typedef {object} Table
 * @property {Record<string, any[]>} levels what there is to choose from, by parameter
 * @property {number} seeds the least number of seeds behind a quantile
 * @property {number} recorded how many moments the curves have in the results
 * @property {number} kept and how many here
 * @property {Group[]} groups
 */

export const QUANTILES = ["q10", "q50", "q90"];

/** The columns of a table of live numbers. */
export const COLUMNS = [
  { prefix: "q10.", name: "10 per cent of the seeds lie below", tone: "ink" },
  { prefix: "q50.", name: "median", tone: "ink" },
  { prefix: "q90.", name: "90 per cent of the seeds lie below", tone: "ink" },
];

export const HEADINGS = ["10 %", "median", "90 %"];

/** A gap is no number. */
const number = (value) => (value === null || value === undefined ? NaN : value);

/**
 * What is chosen, by its name in the table or as the number that it is.
 * @param {Table} table
 * @param {Parameters} parameters
 * @returns {Record<string, any>}
 */
export function chosen({ levels }, parameters) {
  const named = ([name, value]) => [name, name in levels ? levels[name][Math.round(value)] : value];
  return Object.fromEntries(Object.entries(parameters).map(named));
}

/**
 * The groups that agree in all choices, by growing level.
 * @param {string} explorer
 * @param {Table} table
 * @param {Record<string, any>} asked
 */
export function along(explorer, { groups }, asked) {
  const names = columnsOf(explorer).choices;
  return groups.filter(({ at }) => names.every((name) => at[name] === asked[name]));
}

/**
 * The one among `groups` whose level is nearest, and the setting that it is at.
 * @param {string} explorer
 * @param {Group[]} groups
 * @param {Record<string, any>} asked
 * @returns {{group: Group, shown: any}}
 */
export function nearest(explorer, groups, asked) {
  const { level } = columnsOf(explorer);
  const distance = ({ at }) => Math.abs(Math.log(at[level] / asked[level]));
  const group = groups.reduce((best, other) => (distance(other) < distance(best) ? other : best));
  return { group, shown: { ...asked, [level]: group.at[level] } };
}

/** The columns that say where a group is: those with names in them, and the one with a number. */
function columnsOf(explorer) {
  const { by } = /** @type {{by: string[]}} */ (catalogue[explorer].table);
  return { choices: by.slice(0, -1), level: by[by.length - 1] };
}

/**
 * A column of a group at its three quantiles; NaN where it has none.
 * @param {Group} group
 * @param {string} column
 * @returns {number[]}
 */
export function quantiles(group, column) {
  return QUANTILES.map((_, i) => number(group[column]?.[i]));
}

/**
 * The quantiles of several columns, by the names of the page's quantities.
 * @param {string[]} columns
 * @param {(column: string) => number[]} read
 */
export function quantities(columns, read) {
  return Object.fromEntries(columns.flatMap((column) => read(column).map((value, i) => [`${QUANTILES[i]}.${column}`, value])));
}

/**
 * Three numbers, one for each quantile, from every place along an axis: a line and the band round it.
 * @param {ArrayLike<number>} xs
 * @param {number[][]} threes
 */
export function lineOf(xs, threes) {
  const [low, ys, high] = QUANTILES.map((_, i) => threes.map((three) => three[i]));
  return { xs, ys, low, high };
}

/**
 * A curve of a group over its moments: a line and the band round it, or nothing.
 * @param {Group | undefined} group
 * @param {string} time the column of the moments
 * @param {string} column
 */
export function curve(group, time, column) {
  if (!group?.[column]) return undefined;
  const xs = /** @type {number[]} */ (group[time]);
  const [first] = group[column];
  if (!Array.isArray(first)) return { xs, ys: /** @type {number[]} */ (group[column].map(number)) };
  const [low, ys, high] = /** @type {number[][]} */ (group[column].map((values) => values.map(number)));
  return { xs, ys, low, high };
}

/**
 * The ends and the kind of a logarithmic axis that holds all of some numbers that are above 0, in whole decades.
 * @param {number[]} values
 * @param {number} [least] the bottom goes no lower
 * @returns {[number, number, typeof logarithmic]}
 */
export function decadesOf(values, least = 0) {
  const known = values.filter((value) => value > least && Number.isFinite(value));
  if (!known.length) return [0.1, 1, logarithmic];
  const low = 10 ** Math.floor(Math.log10(Math.min(...known)) + 1e-9);
  const high = 10 ** Math.ceil(Math.log10(Math.max(...known)) - 1e-9);
  return [low, high > low ? high : 10 * low, logarithmic];
}

/**
 * The axis on which moments stand most evenly: their own, or that of their logarithms.
 * @param {ArrayLike<number>} moments
 * @returns {[number, number, typeof linear | typeof logarithmic]}
 */
export function spanOf(moments) {
  const last = moments[moments.length - 1];
  const middle = moments[Math.floor(moments.length / 2)];
  if (middle >= last / 5) return [0, last, linear];
  const first = Array.from(moments).find((moment) => moment > 0) ?? last / 10;
  return [first, last, logarithmic];
}

/**
 * How the numbers came about, in a sentence.
 * @param {Table} table
 */
export function noteOf({ seeds, recorded, kept }) {
  const over = seeds === 1 ? "One seed a point" : `Medians over ${seeds} seeds; bands from the 10 % to the 90 % quantile`;
  return recorded > kept ? `${over}; ${kept} of ${recorded} recorded moments.` : `${over}.`;
}
