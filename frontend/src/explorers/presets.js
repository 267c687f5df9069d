// What a preset sets, whichever of the grammars of shared/presets.json it is written in.

import { specification } from "../base/catalogue.js";
import { Scaling } from "../solver/index.js";
import { parametersOf } from "./parametrisation.js";

/**
 * @typedef {object} Setting
 * @property {string} explorer
 * @property {import("./explorer.js").Parameters} now all parameters of the explorer
 * @property {Record<string, import("../solver/scaling.js").Powers>} scalings the named parametrisations
 */

const GRAMMARS = {
  values: (values) => values,
  crossover: atCrossover,
  exponents: (powers, setting) => ofScaling(new Scaling(powers), setting),
  scaling: (name, setting) => ofScaling(new Scaling(setting.scalings[name]), setting),
};

/**
 * The values that a preset sets.
 * @param {object} preset an entry of shared/presets.json
 * @param {Setting} setting
 * @returns {import("./explorer.js").Parameters}
 */
export function presetValues(preset, setting) {
  const grammar = Object.keys(GRAMMARS).find((key) => key in preset);
  return GRAMMARS[grammar](preset[grammar], setting);
}

/** The scale that is `multiple` times the crossover, where the kernel floor 2σ² equals the final signal 2|v*|/√d. */
function atCrossover(multiple, { explorer, now }) {
  const { sigma, target, width } = now;
  if (target === 0) return { sigma };
  const { min, max } = specification(explorer, "sigma");
  const wanted = multiple * Math.sqrt(Math.abs(target) / Math.sqrt(Math.round(width)));
  return { sigma: Math.min(Math.max(wanted, min), max) };
}

/** The scaling itself where it is among the parameters, else what it comes to at the width that is set now. */
function ofScaling(scaling, { now }) {
  const values = "c_gamma" in now ? parametersOf(scaling) : scaling.atWidth(Math.round(now.width));
  return Object.fromEntries(Object.entries(values).filter(([name]) => name in now && name !== "width"));
}
