import { specification } from "../base/catalogue.js";
import { formatNumber, formatShort } from "../base/format.js";
import { LinePanel } from "../charts/line_panel.js";
import { resizeInPairs } from "../charts/panel.js";
import { logarithmic } from "../charts/scales.js";
import { GradientFlow, testError } from "../solver/index.js";
import { gramOf, networkOf, recipe, remembering, sample, taskOf } from "./setting.js";

const SCALE = specification("test-error", "sigma");
const TIME = specification("test-error", "t");
const ERROR = logarithmic(1e-7, 1e5);
const SIGMAS = Float64Array.from({ length: 121 }, (_, i) => SCALE.min * (SCALE.max / SCALE.min) ** (i / 120));
const TIMES = Float64Array.from({ length: 161 }, (_, i) => TIME.min * (TIME.max / TIME.min) ** (i / 160));

function flowAt(setting) {
  const network = networkOf(setting);
  const task = taskOf(setting);
  const gram = gramOf(setting, network);
  return { flow: new GradientFlow(network, task, gram), recipe: (t) => recipe(network, task, gram, t) };
}

/** The errors of every initial scale at one time. */
function across({ t, off_line_moment, ...setting }) {
  return curves(SIGMAS, (sigma) => testError(flowAt({ ...setting, sigma }).flow, t, off_line_moment));
}

/** The errors of one initial scale at all times. */
function along({ off_line_moment, ...setting }) {
  const { flow } = flowAt(setting);
  return curves(TIMES, (t) => testError(flow, t, off_line_moment));
}

function curves(grid, read) {
  const errors = Array.from(grid, read);
  const each = (part) => sample(errors, (error) => error[part]);
  return Object.fromEntries(["onLine", "randomFunction", "laziness", "total"].map((part) => [part, each(part)]));
}

const acrossScales = remembering(across);
const alongTime = remembering(along);

function compute(parameters) {
  const { t, ...atAnyTime } = parameters;
  const { sigma, ...atAnyScale } = parameters;
  const { off_line_moment } = parameters;
  const { flow, recipe: at } = flowAt(parameters);
  const error = testError(flow, t, off_line_moment);
  const untrained = flow.task.loss(flow.task.target);
  return {
    sigma,
    t,
    error,
    scales: acrossScales(atAnyScale),
    times: alongTime(atAnyTime),
    untrained: sample(SIGMAS, () => untrained),
    parameters: { ...at(t), off_line_moment },
    quantities: {
      generalisation_error: error.total,
      random_function_error: error.randomFunction,
      laziness_error: error.laziness,
      loss: error.onLine,
      slope: flow.slope(t),
      kernel_ratio: flow.kernelRatio(t),
      alignment: flow.alignment(t),
    },
    headings: { heading: `at time t = ${formatNumber(t, 3)}` },
    summary: summarise(sigma, error, untrained),
  };
}

const percent = (share) => `${formatShort(Number((100 * share).toPrecision(3)))}\u00a0%`;

function summarise(sigma, { total, onLine, randomFunction, laziness }, untrained) {
  const times = formatShort(Number((total / untrained).toPrecision(2)));
  const verdict = untrained > 0 ? `${times} times what answering 0 costs` : "where answering 0 costs nothing";
  return [
    `Trained on a line, tested beside it: from the initial scale σ = ${formatShort(Number(sigma.toPrecision(2)))} the test error is `,
    { text: formatNumber(total, 3), tone: randomFunction + laziness > onLine ? "feature" : "ink" },
    `, ${verdict}. The random function of the start alone would be ${percent(randomFunction / total)} of it, what training adds there ` +
      `${percent(laziness / total)}; the training loss is ${formatNumber(onLine, 2)}.`,
  ];
}

function createView(container, { pickTime, set }) {
  const sigmas = logarithmic(SCALE.min, SCALE.max);
  const lines = [
    { key: "onLine", kind: "limit", tone: "guide" },
    { key: "randomFunction", kind: "limit", tone: "feature" },
    { key: "laziness", kind: "frozen", tone: "kernel" },
    { key: "total", kind: "exact", tone: "ink", ghost: true },
  ];
  const scales = new LinePanel(container, {
    title: "error against initial scale",
    x: sigmas,
    y: ERROR,
    xTitle: "initial scale σ",
    aspect: 0.76,
    labelRoom: 106,
    lines: [{ key: "untrained", kind: "guide", tone: "guide" }, ...lines],
  });
  const times = new LinePanel(container, {
    title: "error over time, at this scale",
    x: logarithmic(TIME.min, TIME.max),
    y: ERROR,
    xTitle: "time t",
    aspect: 0.76,
    labelRoom: 106,
    lines,
  });
  scales.onPick((place) => set({ sigma: sigmas.value(place) }));
  times.onPick(pickTime);
  const shown = (xs, { onLine, randomFunction, laziness, total }) => ({
    onLine: { xs, ys: onLine, label: onLine.at(-1) > 0 ? "on the line" : "on the line 0" },
    randomFunction: { xs, ys: randomFunction, label: "random start" },
    laziness: { xs, ys: laziness, label: "training adds" },
    total: { xs, ys: total, label: "test error" },
  });
  return {
    resize: (width) => resizeInPairs([scales, times], width, 210),
    draw(result) {
      const { sigma, t, error } = result;
      const { total } = result.scales;
      const best = total.indexOf(Math.min(...total));
      scales.draw({
        lines: { ...shown(SIGMAS, result.scales), untrained: { xs: SIGMAS, ys: result.untrained, label: "answer 0", labelAt: 2, lift: 10 } },
        mark: { x: sigma, ys: error },
        description: `Errors at time ${formatNumber(t, 3)} against the initial scale, both on logarithmic axes. The test error is ${formatNumber(total[0], 2)} at σ = ${formatNumber(SIGMAS[0], 2)}, ${formatNumber(total.at(-1), 3)} at σ = ${formatNumber(SIGMAS.at(-1), 2)} and least, ${formatNumber(total[best], 2)}, at σ = ${formatNumber(SIGMAS[best], 2)}. At the chosen scale it is ${formatNumber(error.total, 3)}, of which the random function of the start would be ${formatNumber(error.randomFunction, 3)} alone, and what training adds to it ${formatNumber(error.laziness, 3)}.`,
      });
      times.draw({
        lines: shown(TIMES, result.times),
        mark: { x: t, ys: error },
        description: `Errors over time at the chosen scale: on the line from ${formatNumber(result.times.onLine[0], 2)} to ${formatNumber(result.times.onLine.at(-1), 2)}, the random function stays at ${formatNumber(result.times.randomFunction[0], 2)}, training adds ${formatNumber(result.times.laziness.at(-1), 2)} in the end.`,
      });
    },
    keepGhost: () => [scales, times].forEach((panel) => panel.keepGhost()),
  };
}

/** @type {import("./explorer.js").Explorer} */
export const testErrorExplorer = {
  name: "test-error",
  numbers: {
    tiles: [
      { key: "generalisation_error" },
      { key: "random_function_error", tone: "feature" },
      { key: "laziness_error", tone: "kernel" },
      { key: "loss", note: "on the line" },
      { key: "slope" },
      { key: "kernel_ratio" },
      { key: "alignment" },
    ],
  },
  compute,
  createView,
};
