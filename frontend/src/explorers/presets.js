// What a preset sets, whichever of the grammars of shared/presets.json it is written in.

import { specification } from "../base/catalogue.js";
import { Scaling } from "../solver/index.js";
import { parametersOf } from "./parametrisation.js";
import { networkOf } from "./setting.js";

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

/** The scale that is `multiple` times the crossover, where the kernel of a wide network equals its final signal 2γη|v*|. */
function atCrossover(multiple, { explorer, now }) {
  const { sigma, target } = now;
  if (target === 0) return { sigma };
  const { min, max } = specification(explorer, "sigma");
  const { width, gamma, sigma_u, sigma_w, eta_u, eta_w } = networkOf({ ...now, sigma: 1 });
  const kernel = gamma * gamma * width * (eta_w * sigma_u ** 2 + eta_u * sigma_w ** 2);
  const wanted = multiple * Math.sqrt((2 * gamma * Math.sqrt(eta_u * eta_w) * Math.abs(target)) / kernel);
  return { sigma: Math.min(Math.max(wanted, min), max) };
}

/** The scaling itself where it is among the parameters, else what it comes to at the width that is set now. */
function ofScaling(scaling, { now }) {
  const values = "c_gamma" in now ? parametersOf(scaling) : scaling.atWidth(Math.round(now.width));
  return Object.fromEntries(Object.entries(values).filter(([name]) => name in now && name !== "width"));
}
