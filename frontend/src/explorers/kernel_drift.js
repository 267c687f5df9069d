import { specification } from "../base/catalogue.js";
import { formatCount, formatNumber } from "../base/format.js";
import { LinePanel } from "../charts/line_panel.js";
import { resizeInPairs } from "../charts/panel.js";
import { clock, clockTime, linear, logarithmic, niceCeiling } from "../charts/scales.js";
import { GradientFlow, KernelFlow, LAZY } from "../solver/index.js";
import { clockGrid, gramOf, networkOf, recipe, remembering, sample, taskOf, timeUnit } from "./setting.js";

const GRID = clockGrid(160);
const { min: NARROWEST, max: WIDEST } = specification("kernel-drift", "width");
const WIDTHS = Float64Array.from(
  new Set(Array.from({ length: 97 }, (_, i) => Math.round(NARROWEST * (WIDEST / NARROWEST) ** (i / 96)))),
);
const LEAST_DRIFT = 1e-13;

function train(setting) {
  const network = networkOf(setting);
  const gram = gramOf(setting, network);
  const task = taskOf(setting);
  const flow = new GradientFlow(network, task, gram);
  const frozen = new KernelFlow(network, task, gram);
  const unit = timeUnit(flow);
  return {
    width: network.width,
    flow,
    frozen,
    unit,
    exact: sample(GRID, (x) => flow.slope(unit * x)),
    predicted: sample(GRID, (x) => frozen.slope(unit * x)),
    goal: sample(GRID, () => task.target),
    recipe: (t) => recipe(network, task, gram, t),
  };
}

/** How far the kernel strays at all widths, whatever the width that is looked at, and how far it is off in the end. */
function compare(setting) {
  const task = taskOf(setting);
  const flows = Array.from(WIDTHS, (width) => {
    const network = networkOf({ ...setting, width });
    return new GradientFlow(network, task, gramOf(setting, network));
  });
  const way = Float64Array.from(flows, (flow) => flow.kernelExcursion);
  const end = Float64Array.from(flows, (flow) => Math.abs(flow.kernelDrift));
  const last = WIDTHS.length - 1;
  const law = sample(WIDTHS, (width) => (way[last] * WIDTHS[last]) / width);
  return { way, end: end.some((y, i) => way[i] > y * 1.001) ? end : undefined, law };
}

const trained = remembering(train);
const compared = remembering(compare);

function compute(parameters) {
  const { clock: place, width: wide, ...setting } = parameters;
  const training = trained({ ...setting, width: wide });
  const { width, flow, frozen, unit } = training;
  const { target } = setting;
  const t = unit * clockTime(place);
  const drift = flow.kernelDrift;
  return {
    ...training,
    over: compared(setting),
    x: clockTime(place),
    drift,
    largest: flow.kernelExcursion,
    now: { exact: flow.slope(t), predicted: frozen.slope(t) },
    target,
    parameters: training.recipe(t),
    quantities: {
      slope: flow.slope(t),
      "kernel_flow.slope": frozen.slope(t),
      kernel_ratio: flow.kernelRatio(t),
      alignment: flow.alignment(t),
      kernel_excursion: flow.kernelExcursion,
      "kernel_drift@inf": drift,
    },
    headings: { heading: `at time t = ${formatNumber(t, 3)}` },
    summary: summarise(width, drift, flow.kernelExcursion, flow.initial.slope, target),
  };
}

const percent = (share) => `${formatNumber(100 * Math.abs(share), 3)}\u00a0%`;

function summarise(width, drift, largest, slope, target) {
  const at = `At width ${formatCount(width)}`;
  if (largest === 0) return `${at} this network starts at its target: nothing is learned and nothing moves.`;
  const tone = largest <= LAZY ? "kernel" : "feature";
  if (Math.abs(drift) < 1e-6 * largest) {
    return [
      `${at} `,
      { text: "the kernel came back", tone },
      `: it ends where it started, for the slope went from ${formatNumber(slope, 3)} to ${formatNumber(target, 3)}. On the way it was off by ${percent(largest)}.`,
    ];
  }
  const side = drift > 0 ? "above" : "below";
  const further = largest > Math.abs(drift) * 1.001;
  return [
    `${at} `,
    { text: `the kernel strays by ${percent(largest)}`, tone },
    further ? ` on the way, and ends ${percent(drift)} ${side} its start` : `: it ends that far ${side} its start`,
    ". In wide networks ten times the width makes a tenth of the change: in the NTK scaling they keep their kernel.",
  ];
}

function createView(container, { pickTime, set }) {
  const slope = new LinePanel(container, {
    title: "slope over time",
    symbol: "v",
    x: clock(),
    y: linear(0, 2),
    xTitle: "training time (1 = error halved)",
    aspect: 0.72,
    lines: [
      { key: "goal", kind: "guide", tone: "guide" },
      { key: "predicted", kind: "frozen", tone: "kernel" },
      { key: "exact", kind: "exact", tone: "ink", ghost: true },
    ],
  });
  const widths = logarithmic(NARROWEST, WIDEST);
  const drift = new LinePanel(container, {
    title: "largest change of the kernel on the way",
    symbol: "max |K/K₀ − 1|",
    x: widths,
    y: logarithmic(LEAST_DRIFT, 100),
    xTitle: "width d",
    aspect: 0.72,
    lines: [
      { key: "law", kind: "guide", tone: "guide" },
      { key: "end", kind: "limit", tone: "guide" },
      { key: "way", kind: "exact", tone: "ink", ghost: true },
    ],
  });
  slope.onPick(pickTime);
  drift.onPick((place) => set({ width: widths.value(place) }));
  return {
    resize: (width) => resizeInPairs([slope, drift], width, 190),
    draw(result) {
      const { over, now } = result;
      const ends = [0, result.target, result.flow.initial.slope];
      const [low, high] = [Math.min(...ends), Math.max(...ends)];
      slope.setScale(low < 0 ? -roomFor(-low) : 0, high > 0 || low === 0 ? roomFor(high) : 0);
      slope.draw({
        lines: {
          exact: { xs: GRID, ys: result.exact, label: "exact" },
          predicted: { xs: GRID, ys: result.predicted, label: "frozen K" },
          goal: { xs: GRID, ys: result.goal },
        },
        mark: { x: result.x, ys: now },
        description: `Slope over training time, from ${formatNumber(result.exact[0], 3)} to ${formatNumber(result.target, 3)}. When the exact network has halved its error, the one with a frozen kernel is at ${formatNumber(result.predicted[80], 3)} instead of ${formatNumber(result.exact[80], 3)}.`,
      });
      const { way, end, law } = over;
      const endLabel = end && end.at(-1) >= LEAST_DRIFT ? "in the end" : "";
      drift.draw({
        lines: {
          way: { xs: WIDTHS, ys: way, label: end ? "on the way" : "" },
          ...(end ? { end: { xs: WIDTHS, ys: end, label: endLabel } } : {}),
          law: { xs: WIDTHS, ys: law, label: "∝ 1/d", labelAt: Math.round(WIDTHS.length * 0.55) },
        },
        mark: { x: result.width, ys: { way: result.largest, ...(end ? { end: Math.abs(result.drift) } : {}) } },
        description: `Largest change of the kernel on the way against width, both on logarithmic axes: ${percent(way[0])} at width 1, ${percent(result.largest)} at width ${formatCount(result.width)}, where the kernel is off by ${percent(result.drift)} in the end; falling as one over the width for wide networks.`,
      });
    },
    keepGhost: () => [slope, drift].forEach((panel) => panel.keepGhost()),
  };
}

/** The end of the axis: fixed while the target and the start are of order 1. */
function roomFor(size) {
  return size <= 3 ? 3.2 : niceCeiling(size);
}

/** @type {import("./explorer.js").Explorer} */
export const kernelDrift = {
  name: "kernel-drift",
  numbers: {
    tiles: [
      { key: "slope", note: "exact" },
      { key: "kernel_flow.slope", note: "frozen kernel", tone: "kernel" },
      { key: "kernel_ratio" },
      { key: "alignment" },
      { key: "kernel_excursion" },
      { key: "kernel_drift@inf", minor: true },
    ],
  },
  compute,
  createView,
};
