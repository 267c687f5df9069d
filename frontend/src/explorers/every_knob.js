import { specification } from "../base/catalogue.js";
import { formatCount, formatNumber } from "../base/format.js";
import { LinePanel } from "../charts/line_panel.js";
import { resizeInPairs } from "../charts/panel.js";
import { linear, logarithmic } from "../charts/scales.js";
import { GradientFlow, KernelFlow, LAZY, LogisticFlow } from "../solver/index.js";
import { gramOf, networkOf, recipe, relative, remembering, sample, taskOf } from "./setting.js";

const { min: FIRST, max: LAST } = specification("every-knob", "t");
const TIME = logarithmic(FIRST, LAST);
const GRID = Float64Array.from({ length: 241 }, (_, i) => TIME.value(i / 240));

/** The three flows of one setting, and their curves over all times. */
function solve(setting) {
  const network = networkOf(setting);
  const task = taskOf(setting);
  const gram = gramOf(setting, network);
  const exact = new GradientFlow(network, task, gram);
  const frozen = new KernelFlow(network, task, gram);
  const limit = new LogisticFlow(network, task, gram);
  const loss0 = exact.loss(0);
  const all = (read) => ({
    exact: sample(GRID, (time) => read(exact, time)),
    frozen: sample(GRID, (time) => read(frozen, time)),
    limit: sample(GRID, (time) => read(limit, time)),
  });
  return {
    exact,
    frozen,
    loss0,
    curves: {
      loss: all((flow, time) => relative(flow.loss(time), loss0)),
      slope: all((flow, time) => flow.slope(time)),
      kernel: all((flow, time) => flow.kernel(time) / (exact.initial.kernel || 1)),
      alignment: { exact: sample(GRID, (time) => exact.alignment(time)), limit: sample(GRID, (time) => limit.alignment(time)) },
    },
    recipe: (t) => recipe(network, task, gram, t),
  };
}

const solved = remembering(solve);

function compute(parameters) {
  const { t, ...setting } = parameters;
  const { exact, frozen, loss0, curves, recipe: at } = solved(setting);
  const ratio = exact.kernelRatio(Infinity);
  return {
    t,
    curves,
    now: {
      loss: relative(exact.loss(t), loss0),
      slope: exact.slope(t),
      kernel: exact.kernelRatio(t),
      alignment: exact.alignment(t),
    },
    parameters: at(t),
    quantities: {
      slope: exact.slope(t),
      loss: exact.loss(t),
      kernel_ratio: exact.kernelRatio(t),
      alignment: exact.alignment(t),
      "kernel_ratio@inf": ratio,
      "alignment@inf": exact.alignment(Infinity),
      rate: exact.rate,
      kernel_floor: exact.kernelFloor,
      "kernel_flow.slope": frozen.slope(t),
    },
    headings: { heading: `at time t = ${formatNumber(t, 3)}` },
    summary: [
      ...verdict(exact),
      ` At width ${formatCount(Math.round(parameters.width))} the kernel ends at ${formatNumber(ratio, 4)} times its start, ` +
        `the layers at alignment ${formatNumber(exact.alignment(Infinity), 3)}.`,
    ],
  };
}

const FROZEN = { text: "frozen kernel", tone: "kernel" };
const LOGISTIC = { text: "logistic limit", tone: "feature" };
const SHAPE = { text: "a curve of logistic shape", tone: "feature" }; // seldom the one drawn, which knows no floor

/**
 * By how much K exceeds 2γη|v|, its size without a floor, at the lower end of the way; ∞ from the wrong side.
 *
 * @param {GradientFlow} flow
 */
function aboveLogistic({ initial, task, kernelFloor }) {
  if (initial.slope * task.target <= 0) return Infinity;
  return Math.hypot(1, kernelFloor / (initial.signal * Math.min(Math.abs(initial.slope), Math.abs(task.target)))) - 1;
}

/**
 * Which of the two limits the exact curve keeps to, if any, or the shape of which.
 *
 * @param {GradientFlow} exact
 */
function verdict(exact) {
  const ratio = exact.kernelRatio(Infinity);
  if (exact.kernelExcursion <= LAZY) return ["The exact curve keeps to the ", FROZEN, ": the kernel regime."];
  if (aboveLogistic(exact) <= LAZY) return ["The exact curve keeps to the ", LOGISTIC, ": its kernel has next to no floor."];
  if (ratio > 20) return ["The exact curve has left the ", FROZEN, " for ", SHAPE, ": features are learned."];
  return ["The exact curve keeps to neither the ", FROZEN, " nor the ", LOGISTIC, "."];
}

const PANELS = [
  { key: "loss", title: "loss, relative to the start", symbol: "L/L₀", y: linear(0, 1.05) },
  { key: "slope", title: "slope", symbol: "v", y: linear(-1.5, 1.5) },
  { key: "kernel", title: "kernel, relative to the start", symbol: "K/K₀", y: logarithmic(0.1, 1000) },
  { key: "alignment", title: "alignment", symbol: "ζ", y: linear(-1.1, 1.1) },
];

const LINES = [
  { key: "exact", kind: "exact", tone: "ink", ghost: true },
  { key: "frozen", kind: "frozen", tone: "kernel" },
  { key: "limit", kind: "limit", tone: "feature" },
];

function createView(container, { pickTime }) {
  const panels = PANELS.map(({ key, ...options }) => {
    const panel = new LinePanel(container, { ...options, x: TIME, xTitle: "time t", lines: LINES, aspect: 0.6, labelRoom: 76 });
    panel.onPick(pickTime);
    return { key, panel };
  });
  return {
    resize: (width) => resizeInPairs(panels.map(({ panel }) => panel), width, 160),
    draw(result) {
      for (const { key, panel } of panels) {
        const { exact, frozen, limit } = result.curves[key];
        panel.draw({
          lines: {
            exact: { xs: GRID, ys: exact, label: "exact" },
            ...(frozen ? { frozen: { xs: GRID, ys: frozen, label: "frozen K" } } : {}),
            limit: { xs: GRID, ys: limit, label: "logistic" },
          },
          mark: { x: result.t, ys: { exact: result.now[key] } },
          description: describe(key, result),
        });
      }
    },
    keepGhost: () => panels.forEach(({ panel }) => panel.keepGhost()),
  };
}

function describe(key, { curves, now, t }) {
  const { exact, frozen, limit } = curves[key];
  const from = formatNumber(exact[0], 3);
  const to = formatNumber(exact.at(-1), 3);
  const middle = Math.floor(GRID.length / 2);
  const others = [frozen && `frozen kernel ${formatNumber(frozen[middle], 3)}`, `logistic limit ${formatNumber(limit[middle], 3)}`];
  return `The ${key} over time on a logarithmic axis, exact: from ${from} to ${to}, at t = ${formatNumber(t, 3)} it is ${formatNumber(now[key], 3)}. At t = 1 exact ${formatNumber(exact[middle], 3)}, ${others.filter(Boolean).join(", ")}.`;
}

/** @type {import("./explorer.js").Explorer} */
export const everyKnob = {
  name: "every-knob",
  numbers: {
    tiles: [
      { key: "slope" },
      { key: "loss" },
      { key: "kernel_ratio" },
      { key: "alignment" },
      { key: "kernel_flow.slope", note: "frozen kernel", tone: "kernel", minor: true },
      { key: "kernel_ratio@inf", minor: true },
      { key: "alignment@inf", minor: true },
      { key: "rate", minor: true },
      { key: "kernel_floor", minor: true },
    ],
  },
  compute,
  createView,
};
