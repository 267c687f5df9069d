// What a preset sets, whichever of the grammars of shared/presets.json it is written in.

import { specification } from "../base/catalogue.js";
import { Scaling } from "../solver/index.js";
import { parametersOf } from "./parametrisation.js";

/**
 * @typedef {import("./explorer.js").Parameters} Parameters
 * @typedef {import("../base/catalogue.js").Preset} Preset
 */

/**
 * Where a preset is chosen.
 * @typedef {object} Setting
 * @property {string} explorer
 * @property {Parameters} now all parameters of the explorer
 * @property {Record<string, import("../solver/scaling.js").Powers>} scalings the named parametrisations
 */

/** @type {Record<string, (content: any, setting: Setting) => Parameters>} */
const GRAMMARS = {
  values: (values) => values,
  crossover: atCrossover,
  exponents: (powers, setting) => ofScaling(new Scaling(powers), setting),
  scaling: (name, setting) => ofScaling(new Scaling(setting.scalings[name]), setting),
};

/**
 * The values that a preset sets.
 * @param {Partial<Preset>} preset
 * @param {Setting} setting
 * @returns {Parameters}
 */
export function presetValues(preset, setting) {
  const written = Object.entries(preset).find(([key]) => key in GRAMMARS);
  if (written === undefined) throw new Error(`the preset "${preset.label}" needs one of ${Object.keys(GRAMMARS).join(", ")}`);
  const [grammar, content] = written;
  return GRAMMARS[grammar](content, setting);
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
