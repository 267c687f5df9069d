// What explorers read from the results of an experiment; Python has aggregated them over the seeds.

import { catalogue } from "../base/catalogue.js";
import { formatShort } from "../base/format.js";
import { logarithmic } from "../charts/scales.js";

/** @typedef {import("./explorer.js").Parameters} Parameters */

/**
 * What `flbook.explorers.tables.table_of` makes.
 * @typedef {object} Table
 * @property {Record<string, any[]>} levels what there is to choose from, by parameter
 * @property {number[]} quantiles which three
 * @property {number} seeds the least number of seeds behind a quantile
 * @property {number} recorded how many moments the curves have in the results
 * @property {number[][]} moments lists of those that are kept
 * @property {({at: number[], moments?: number} & Record<string, any>)[]} groups
 */

/**
 * One point of the experiment's grid: where it is, its moments, and by column what its text says.
 * @typedef {{at: Record<string, any>, moments: number[]} & Record<string, any>} Group
 */

/** The columns of a table of live numbers. */
export const COLUMNS = [
  { prefix: "q10.", name: "10 per cent of the seeds lie below", tone: "ink" },
  { prefix: "q50.", name: "median", tone: "ink" },
  { prefix: "q90.", name: "90 per cent of the seeds lie below", tone: "ink" },
];

export const HEADINGS = ["10 %", "median", "90 %"];

/** @type {WeakMap<Table, Group[]>} */
const read = new WeakMap();

/**
 * All groups of a table.
 * @param {string} explorer
 * @param {Table} table
 */
export function groupsOf(explorer, table) {
  const known = read.get(table);
  if (known) return known;
  const { by } = browsed(explorer);
  const groups = table.groups.map(({ at, moments, ...columns }) => ({
    at: Object.fromEntries(by.map((name, i) => [name, table.levels[name][at[i]]])),
    moments: moments === undefined ? [] : table.moments[moments],
    ...Object.fromEntries(Object.entries(columns).map(([name, text]) => [name, numbers(text)])),
  }));
  read.set(table, groups);
  return groups;
}

/** "1,2;3,4" → [[1, 2], [3, 4]], "1,2" → [1, 2]; nothing is no number. */
function numbers(text) {
  const rows = text.split(";").map((row) => row.split(",").map((cell) => (cell === "" ? NaN : Number(cell))));
  return rows.length > 1 ? rows : rows[0];
}

function browsed(explorer) {
  return /** @type {import("../base/catalogue.js").Browsed} */ (catalogue[explorer].table);
}

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
export function along(explorer, table, asked) {
  const choices = browsed(explorer).by.slice(0, -1);
  return groupsOf(explorer, table).filter(({ at }) => choices.every((name) => at[name] === asked[name]));
}

/**
 * The one among `groups` whose level is nearest, and the setting that it is at.
 * @param {string} explorer
 * @param {Group[]} groups
 * @param {Record<string, any>} asked
 * @returns {{group: Group, shown: any}}
 */
export function nearest(explorer, groups, asked) {
  const level = browsed(explorer).by.slice(-1)[0];
  const distance = ({ at }) => Math.abs(Math.log(at[level] / asked[level]));
  const group = groups.reduce((best, other) => (distance(other) < distance(best) ? other : best));
  return { group, shown: { ...asked, [level]: group.at[level] } };
}

/**
 * A column of a group at its three quantiles; NaN where it has none.
 * @param {Group} group
 * @param {string} column
 * @returns {number[]}
 */
export function quantiles(group, column) {
  return group[column] ?? [NaN, NaN, NaN];
}

/**
 * The quantiles of several columns, by the names of the page's quantities.
 * @param {string[]} columns
 * @param {(column: string) => number[]} of
 */
export function quantities(columns, of) {
  return Object.fromEntries(columns.flatMap((column) => of(column).map((value, i) => [COLUMNS[i].prefix + column, value])));
}

/**
 * Three numbers, one for each quantile, from every place along an axis: a line and the band round it.
 * @param {ArrayLike<number>} xs
 * @param {number[][]} threes
 */
export function lineOf(xs, threes) {
  const [low, ys, high] = [0, 1, 2].map((i) => threes.map((three) => three[i]));
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

/** A level in print. */
export const inPrint = (level) => formatShort(Number(level.toPrecision(3)));

/**
 * The level that stands nearest to a place on an axis, by its place in the table.
 * @param {number[]} levels
 * @param {import("../charts/scales.js").Scale} scale
 * @param {number} place
 */
export function levelAt(levels, scale, place) {
  const distances = levels.map((level) => Math.abs(scale.position(level) - place));
  return distances.indexOf(Math.min(...distances));
}

/**
 * What must be said where the level that is set is none of those at hand.
 * @param {number} asked
 * @param {number} shown
 */
export function instead(asked, shown) {
  return asked === shown ? "" : ` There is no run at ${inPrint(asked)} here: the nearest, ${inPrint(shown)}, is shown.`;
}

/**
 * How the numbers came about, in a sentence.
 * @param {Table} table
 */
export function noteOf({ seeds, recorded, moments, quantiles: [low, , high] }) {
  const percent = (share) => `${Math.round(100 * share)}\u00a0%`;
  const over = seeds === 1 ? "One seed a point" : `Medians over ${seeds} seeds, in bands from the ${percent(low)} to the ${percent(high)} quantile`;
  const kept = Math.max(0, ...moments.map((list) => list.length));
  return recorded > kept ? `${over}; ${kept} of the ${recorded} recorded moments.` : `${over}.`;
}
