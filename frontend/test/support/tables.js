// Results of experiments that nobody ran, as Python hands them to the figure of an explorer that browses a table.
import { catalogue, specification } from "../../src/base/catalogue.js";

/** Columns that hold several numbers where others hold one: one for each of some layers. */
const LAYERS = { weight_change: 4, feature_change: 3, alignment_before: 3, alignment_after: 3 };
const MOMENTS = 7;

/** Three growing numbers. */
const three = (draw) => Array.from({ length: 3 }, draw).sort((a, b) => a - b);

/** What `three` numbers, one after the other, are at each of three quantiles. */
const transposed = (threes) => [0, 1, 2].map((i) => threes.map((values) => values[i]));

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
  const { by, time, columns, optional, reference = [], offers = {} } = said;
  const levels = Object.fromEntries(by.map((name) => [name, Object.keys(specification(explorer, name).options ?? {})]));
  levels[by[by.length - 1]] = /** @type {any} */ ([0.01, 0.1, 1, 10]);
  const several = (count) => Array.from({ length: count }, () => three(draw));
  const groups = product(Object.values(levels)).map((at) => {
    const group = { at: Object.fromEntries(by.map((name, i) => [name, at[i]])) };
    for (const name of time ?? []) group[name] = Array.from({ length: MOMENTS }, (_, i) => i);
    for (const name of [...columns, ...optional]) {
      const count = time ? MOMENTS : LAYERS[name];
      const found = count ? transposed(several(count)) : three(draw);
      group[name] = reference.includes(name) ? found[1] : found;
    }
    return group;
  });
  for (const [name, options] of Object.entries(offers)) levels[name] = Object.keys(options);
  return { levels, seeds: 5, recorded: MOMENTS, kept: MOMENTS, groups };
}
