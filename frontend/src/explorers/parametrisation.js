// A scaling as parameters of an explorer: five powers of the width, their factors, and what the fan counts besides.

import { POWERS, Scaling } from "../solver/index.js";

const factorOf = (power) => `${power}_factor`;

/** The scaling that parameters describe. */
export function scalingOf(parameters) {
  const pairs = Object.entries(POWERS);
  const powers = Object.fromEntries(pairs.map(([name, power]) => [power, parameters[name]]));
  const factors = Object.fromEntries(pairs.map(([, power]) => [power, parameters[factorOf(power)]]));
  return new Scaling({ ...powers, factors, fan_offset: parameters.fan_offset });
}

/** The parameters that describe a scaling. */
export function parametersOf(scaling) {
  const powers = Object.entries(POWERS).map(([name, power]) => [name, scaling[power]]);
  const factors = Object.values(POWERS).map((power) => [factorOf(power), scaling.factors[power]]);
  return { ...Object.fromEntries([...powers, ...factors]), fan_offset: scaling.fan_offset };
}
