// What flbook/shared, which Python reads too, says of explorers, parameters, presets and quantities.

import catalogue from "../../../flbook/shared/explorers.json" with { type: "json" };
import parameters from "../../../flbook/shared/parameters.json" with { type: "json" };
import presets from "../../../flbook/shared/presets.json" with { type: "json" };
import quantities from "../../../flbook/shared/quantities.json" with { type: "json" };

const MOMENTS = { 0: "at the start", inf: "in the end" };

/** What is said of one parameter in shared/parameters.json, with what the explorer says otherwise. */
export function specification(explorer, name) {
  return { ...parameters[name], ...catalogue[explorer].parameters[name] };
}

/** All parameters of an explorer, those without a control too. */
export function parameterNames(explorer) {
  const { controls, more, fixed } = catalogue[explorer];
  return [...controls, ...more, ...fixed];
}

/** "kernel_flow.slope@inf" → its three parts. */
export function parseQuantity(name) {
  const [path, moment = ""] = name.split("@");
  const cut = path.lastIndexOf(".");
  return { prefix: path.slice(0, Math.max(cut, 0)), base: path.slice(cut + 1), moment };
}

/** The words for a quantity, by its full name where that has an entry of its own, and for its moment. */
export function quantityWords(name) {
  const { prefix, base, moment } = parseQuantity(name);
  return { ...(quantities[`${prefix}.${base}`] ?? quantities[base]), when: MOMENTS[moment] };
}

export { catalogue, presets };
