import { presets, specification } from "../base/catalogue.js";
import { formatCount, formatNumber } from "../base/format.js";
import { html } from "../base/html.js";
import { differ } from "../base/parameters.js";
import { ExponentPanel } from "../charts/exponent_panel.js";
import { LinePanel } from "../charts/line_panel.js";
import { clock, clockTime, decades, linear, logarithmic, niceCeiling } from "../charts/scales.js";
import { GradientFlow, KernelFlow, PHASE, Scaling, SPEED } from "../solver/index.js";
import { parametersOf, scalingOf } from "./parametrisation.js";
import { clockGrid, gramOf, networkOf, recipe, remembering, sample, taskOf, timeUnit } from "./setting.js";

const GRID = clockGrid(120);
const REACH = 2;
const NAMED = Object.values(presets).flatMap(({ label, meaning, scaling }) => (scaling ? [{ label, meaning, name: scaling }] : []));
const PHASES = {
  [PHASE.kernel]: {
    name: "Kernel phase",
    tone: "kernel",
    limit: "in the limit of infinite width the kernel does not move",
    atFixedWidth: "the larger κ, the less the kernel moves, for one layer outweighs the other",
  },
  [PHASE.critical]: {
    name: "Feature learning, critical",
    tone: "feature",
    limit: "wide networks all grow their kernels by about the same factor",
    atFixedWidth: "at every κ the kernel changes by the same factor, which the luck of the start decides",
  },
  [PHASE.vanishing]: {
    name: "Feature learning from a vanishing start",
    tone: "feature",
    limit: "the wider the network, the smaller its first kernel beside the one that it needs, and the longer its plateau beside its jump",
    atFixedWidth: "the larger κ, the smaller the first kernel beside the one that it needs, and the longer the plateau beside the jump",
  },
  [PHASE.unlearning]: {
    name: "Feature learning, unlearning a large start",
    tone: "feature",
    atFixedWidth: "the larger κ, the less of the random slope may stay, and the kernel falls to a fraction that the luck of the start decides",
  },
};
const MAPS = { widths: "where a parametrisation lies as the width grows", fixedWidth: "where a limit at a fixed width lies as κ grows" };
const BELOW_THE_DIAGONAL = { [PHASE.kernel]: { word: "kernel", tone: "kernel" }, [PHASE.unlearning]: { word: "unlearning", tone: "feature" } };
const SPEEDS = {
  [SPEED.at]: "Its rate at the end is of order 1",
  [SPEED.below]: "In a time of order 1 nothing happens: larger learning rates are needed",
  [SPEED.above]: "In the limit a step of order 1 diverges: smaller learning rates are needed",
};

/** The named parametrisations in the order of their presets, each with the parameters that it sets. */
function namedPlaces(scalings) {
  return NAMED.map(({ label, meaning, name }) => {
    const scaling = new Scaling(scalings[name]);
    return { label, meaning, scaling, values: parametersOf(scaling) };
  });
}

const placesOf = remembering(namedPlaces);

function train(setting) {
  const scaling = scalingOf(setting);
  const network = networkOf(setting);
  const task = taskOf(setting);
  const gram = gramOf(setting, network);
  const flow = new GradientFlow(network, task, gram);
  const frozen = new KernelFlow(network, task, gram);
  const unit = timeUnit(flow);
  return {
    scaling,
    width: network.width,
    flow,
    unit,
    slope: sample(GRID, (x) => flow.slope(unit * x)),
    predicted: sample(GRID, (x) => frozen.slope(unit * x)),
    goal: sample(GRID, () => task.target),
    kernel: sample(GRID, (x) => flow.kernelRatio(unit * x)),
    recipe: (t) => ({ ...recipe(network, task, gram, t), scaling: { ...scaling } }),
  };
}

const trained = remembering(train);

function compute(parameters, { scalings }) {
  const { clock: moment, ...setting } = parameters;
  const training = trained(setting);
  const { scaling, width, flow, unit } = training;
  const t = unit * clockTime(moment);
  const powers = scaling.exponents();
  const fixed = scaling.width === 0;
  const { name, tone, limit, atFixedWidth } = PHASES[scaling.phase()];
  const imbalanced = !fixed && scaling.phase() === PHASE.kernel && powers.alignment >= 0;
  const place = fixed ? `width ${formatCount(width)} and κ = ${formatNumber(setting.kappa, 3)}` : `width ${formatCount(width)}`;
  const ratio = flow.kernelRatio(Infinity);
  return {
    ...training,
    x: clockTime(moment),
    powers,
    fixed,
    below: BELOW_THE_DIAGONAL[scaling.largeStart],
    place,
    chosen: placesOf(scalings).map(({ values }) => Object.entries(values).every(([name, value]) => !differ(parameters[name], value))),
    mix: tone === "kernel" ? 0 : 1,
    words: `k ${formatNumber(powers.kernel, 3)}, b ${formatNumber(powers.signal, 3)}: ${name}`,
    now: { slope: flow.slope(t), kernel: flow.kernelRatio(t) },
    target: setting.target,
    parameters: training.recipe(t),
    quantities: {
      "exponent.signal": powers.signal,
      "exponent.kernel": powers.kernel,
      "exponent.alignment": powers.alignment,
      slope: flow.slope(t),
      kernel_ratio: flow.kernelRatio(t),
      alignment: flow.alignment(t),
      "kernel_ratio@inf": ratio,
      "alignment@inf": flow.alignment(Infinity),
      rate: flow.rate,
    },
    headings: { heading: `at ${place}${fixed ? "," : " and"} time t = ${formatNumber(t, 3)}` },
    summary: [
      { text: name, tone },
      `: ${fixed ? atFixedWidth : limit}${imbalanced ? ", though its layers align, for one of them outweighs the other" : ""}. ${SPEEDS[scaling.speed()]}. At ${place} the kernel ends at ${formatNumber(ratio, 4)} times its start.`,
    ],
  };
}

/** The exponents that bring a network to (k, b): both initial scales and both learning rates move by common powers. */
export function movedTo(kernel, signal, exponents) {
  const { kernel: k, signal: b } = scalingOf(exponents).exponents();
  const rates = signal - b;
  const scales = kernel - k - rates;
  const moved = { c_u: scales, c_w: scales, e_u: rates, e_w: rates };
  const bounds = Object.entries(moved).map(([name, by]) => ({ name, by, ...specification("phase-diagram", name) }));
  const allowed = bounds.every(({ name, by, min, max }) => exponents[name] + by >= min && exponents[name] + by <= max);
  return allowed ? Object.fromEntries(bounds.map(({ name, by }) => [name, exponents[name] + by])) : undefined;
}

function createView(container, { pickTime, read, set, replay, constants }) {
  container.classList.add("flb-beside");
  const left = html("div", { class: "flb-side" });
  const side = html("div", { class: "flb-side" });
  container.append(left, side);
  const map = new ExponentPanel(left, {
    title: MAPS.widths,
    reach: REACH,
    step: 0.25,
    places: placesOf(constants.scalings).map(({ label, meaning, scaling, values }) => {
      const { signal, kernel } = scaling.exponents();
      return { label, title: meaning, signal, kernel, choose: () => set(values) };
    }),
    read: () => scalingOf(read()).exponents(),
    move: (kernel, signal) => {
      const values = movedTo(kernel, signal, read());
      if (values) set(values);
    },
    play: replay,
  });
  left.append(
    html(
      "p",
      { class: "flb-note" },
      "A click, a drag or the arrow keys change both initial variances by one power of the width and both learning rates by another; the output multiplier and the ratios of the layers stay. A name sets all five powers and what stands in front of them. At a fixed width all powers are those of κ.",
    ),
  );
  const slope = new LinePanel(side, {
    title: "training at this width: slope",
    symbol: "v",
    x: clock(),
    y: linear(0, 1),
    lines: [
      { key: "goal", kind: "guide", tone: "guide" },
      { key: "predicted", kind: "frozen", tone: "kernel" },
      { key: "slope", kind: "exact", tone: "ink", ghost: true },
    ],
  });
  const kernel = new LinePanel(side, {
    title: "kernel, relative to the start",
    symbol: "K/K₀",
    x: clock(),
    y: logarithmic(0.1, 1000),
    xTitle: "training time (1 = error halved)",
    lines: [{ key: "kernel", kind: "exact", tone: "ink", ghost: true }],
  });
  for (const panel of [slope, kernel]) panel.onPick(pickTime);
  return {
    resize(width) {
      const wide = width >= 560;
      const square = wide ? Math.min(width * 0.56, 460) : width;
      left.style.width = `${square}px`;
      map.resize(square);
      const rest = wide ? width - square - 24 : width;
      slope.resize(rest, wide ? Math.round(square * 0.4) : 130);
      kernel.resize(rest, wide ? Math.round(square * 0.44) : 150);
    },
    draw(result) {
      const { powers, place } = result;
      map.name(result.fixed ? MAPS.fixedWidth : MAPS.widths);
      map.draw({
        kernel: powers.kernel,
        signal: powers.signal,
        chosen: result.chosen,
        words: result.words,
        below: result.below,
        named: !result.fixed,
        description: `A map of ${result.fixed ? "limits at a fixed width" : "parametrisations"}: kernel exponent k to the right, signal exponent b upwards. Below the diagonal b = k lies the ${result.below.word} phase, above it feature learning from a vanishing start, on it critical feature learning. Where the larger of the two is 0, networks learn at a rate of order 1. Chosen: k = ${formatNumber(powers.kernel, 3)}, b = ${formatNumber(powers.signal, 3)}.`,
      });
      const ends = [0, result.target, result.slope[0]];
      const [low, high] = [Math.min(...ends), Math.max(...ends)];
      slope.setScale(low < 0 ? -niceCeiling(-low) : 0, high > 0 || low === 0 ? niceCeiling(high) : 0);
      slope.draw({
        lines: {
          slope: { xs: GRID, ys: result.slope, label: "exact" },
          predicted: { xs: GRID, ys: result.predicted, label: "frozen K" },
          goal: { xs: GRID, ys: result.goal },
        },
        mark: { x: result.x, ys: { slope: result.now.slope } },
        description: `Slope over training time at ${place}, from ${formatNumber(result.slope[0], 3)} to ${formatNumber(result.target, 3)}, exact and with a frozen kernel.`,
      });
      kernel.setScale(...decades(result.kernel), logarithmic);
      kernel.draw({
        lines: { kernel: { xs: GRID, ys: result.kernel, label: `×${formatNumber(result.kernel.at(-1), 3)}` } },
        mark: { x: result.x, ys: { kernel: result.now.kernel } },
        description: `Kernel relative to its start over training time at ${place}: it ends at ${formatNumber(result.kernel.at(-1), 4)}.`,
      });
    },
    keepGhost: () => [map, slope, kernel].forEach((panel) => panel.keepGhost()),
  };
}

/** @type {import("./explorer.js").Explorer} */
export const phaseDiagram = {
  name: "phase-diagram",
  constants: ["scalings"],
  numbers: {
    tiles: [
      { key: "exponent.kernel", tone: "mixed" },
      { key: "exponent.signal", tone: "mixed" },
      { key: "exponent.alignment" },
      { key: "slope" },
      { key: "kernel_ratio" },
      { key: "alignment" },
      { key: "kernel_ratio@inf", minor: true },
      { key: "alignment@inf", minor: true },
      { key: "rate", minor: true },
    ],
  },
  compute,
  createView,
};
