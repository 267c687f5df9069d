// Results of experiments that nobody ran, as Python hands them to the figure of an explorer that browses a table.
import { catalogue, specification } from "../../src/base/catalogue.js";

/** Columns that hold several numbers where others hold one: one for each of some layers. */
const LAYERS = { weight_change: 4, feature_change: 3, alignment_before: 3, alignment_after: 3 };
const MOMENTS = 7;

/** Columns of one number for a whole curve. */
const SINGLE = ["zeta_solution"];

/** Three growing numbers. */
const three = (draw) => Array.from({ length: 3 }, draw).sort((a, b) => a - b);

/** What `three` numbers, one after the other, are at each of three quantiles. */
const transposed = (threes) => [0, 1, 2].map((i) => threes.map((values) => values[i]));

/** Numbers with commas between, rows with semicolons. */
const text = (values) => values.join(Array.isArray(values[0]) ? ";" : ",");

/** All ways to take one of each list. */
const product = (lists) => lists.reduce((ways, list) => ways.flatMap((way) => list.map((one) => [...way, one])), [[]]);

/**
 * @param {string} explorer
 * @param {() => number} draw
 * @returns {import("../../src/explorers/table.js").Table | undefined} nothing for one that computes
 */
export function tableOf(explorer, draw) {
  const said = catalogue[explorer].table;
  if (!said) return undefined;
  const { by, time, columns, optional, medians = [], offers = {} } = said;
  const levels = Object.fromEntries(by.map((name) => [name, Object.keys(specification(explorer, name).options ?? {})]));
  levels[by[by.length - 1]] = /** @type {any} */ ([0.01, 0.1, 1, 10]);
  const several = (count) => Array.from({ length: count }, () => three(draw));
  const groups = product(Object.values(levels)).map((at) => {
    const group = { at: at.map((level, i) => levels[by[i]].indexOf(level)), ...(time ? { moments: 0 } : {}) };
    for (const name of [...columns, ...optional]) {
      const count = time ? MOMENTS : LAYERS[name];
      const found = count ? transposed(several(count)) : three(draw);
      group[name] = SINGLE.includes(name) ? String(draw()) : text(medians.includes(name) ? found[1] : found);
    }
    return group;
  });
  for (const [name, options] of Object.entries(offers)) levels[name] = Object.keys(options);
  const moments = [Array.from({ length: MOMENTS }, (_, i) => i)];
  return { levels, quantiles: [0.1, 0.5, 0.9], seeds: 5, recorded: MOMENTS, moments, groups };
}
