import { specification } from "../base/catalogue.js";
import { formatNumber, formatShort } from "../base/format.js";
import { LinePanel } from "../charts/line_panel.js";
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
  return { onLine: each("onLine"), offLine: each("offLine"), total: each("total") };
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
      off_line_error: error.offLine,
      loss: error.onLine,
      slope: flow.slope(t),
      kernel_ratio: flow.kernelRatio(t),
      alignment: flow.alignment(t),
    },
    headings: { heading: `at time t = ${formatNumber(t, 3)}` },
    summary: summarise(sigma, error, untrained),
  };
}

function summarise(sigma, { total, onLine, offLine }, untrained) {
  const share = `${formatShort(Number(((100 * offLine) / total).toPrecision(3)))}\u00a0%`;
  const times = formatShort(Number((total / untrained).toPrecision(2)));
  const verdict = untrained > 0 ? `${times} times what answering 0 costs` : "where answering 0 costs nothing";
  return [
    `Trained on a line, tested beside it: from the initial scale σ = ${formatShort(Number(sigma.toPrecision(2)))} the test error is `,
    { text: formatNumber(total, 3), tone: offLine > onLine ? "feature" : "ink" },
    `, ${verdict}; ${share} of it is the random function off the line, which training never visits. The training loss is ${formatNumber(onLine, 2)}.`,
  ];
}

function createView(container, { pickTime, set }) {
  const sigmas = logarithmic(SCALE.min, SCALE.max);
  const lines = [
    { key: "onLine", kind: "frozen", tone: "kernel" },
    { key: "offLine", kind: "limit", tone: "feature" },
    { key: "total", kind: "exact", tone: "ink", ghost: true },
  ];
  const scales = new LinePanel(container, {
    title: "error against initial scale",
    x: sigmas,
    y: ERROR,
    xTitle: "initial scale σ",
    aspect: 0.76,
    labelRoom: 94,
    lines: [{ key: "untrained", kind: "guide", tone: "guide" }, ...lines],
  });
  const times = new LinePanel(container, {
    title: "error over time, at this scale",
    x: logarithmic(TIME.min, TIME.max),
    y: ERROR,
    xTitle: "time t",
    aspect: 0.76,
    labelRoom: 94,
    lines,
  });
  scales.onPick((place) => set({ sigma: sigmas.value(place) }));
  times.onPick(pickTime);
  const shown = (xs, { onLine, offLine, total }) => ({
    onLine: { xs, ys: onLine, label: onLine.at(-1) > 0 ? "on the line" : "on the line 0" },
    offLine: { xs, ys: offLine, label: "off the line" },
    total: { xs, ys: total, label: "test error" },
  });
  return {
    resize(width) {
      const wide = width >= 560;
      for (const panel of [scales, times]) panel.resize(wide ? (width - 24) / 2 : width, wide ? undefined : 210);
    },
    draw(result) {
      const { sigma, t, error } = result;
      const { total } = result.scales;
      const best = total.indexOf(Math.min(...total));
      scales.draw({
        lines: { ...shown(SIGMAS, result.scales), untrained: { xs: SIGMAS, ys: result.untrained, label: "answer 0", labelAt: 2, lift: 10 } },
        mark: { x: sigma, ys: error },
        description: `Errors at time ${formatNumber(t, 3)} against the initial scale, both on logarithmic axes. The test error is ${formatNumber(total[0], 2)} at σ = ${formatNumber(SIGMAS[0], 2)}, ${formatNumber(total.at(-1), 3)} at σ = ${formatNumber(SIGMAS.at(-1), 2)} and least, ${formatNumber(total[best], 2)}, at σ = ${formatNumber(SIGMAS[best], 2)}. At the chosen scale it is ${formatNumber(error.total, 3)}, of which ${formatNumber(error.offLine, 3)} off the line.`,
      });
      times.draw({
        lines: shown(TIMES, result.times),
        mark: { x: t, ys: error },
        description: `Errors over time at the chosen scale: on the line from ${formatNumber(result.times.onLine[0], 2)} to ${formatNumber(result.times.onLine.at(-1), 2)}, off the line from ${formatNumber(result.times.offLine[0], 2)} to ${formatNumber(result.times.offLine.at(-1), 2)}.`,
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
      { key: "off_line_error", tone: "feature" },
      { key: "loss", note: "on the line", tone: "kernel" },
      { key: "slope" },
      { key: "kernel_ratio" },
      { key: "alignment" },
    ],
  },
  compute,
  createView,
};
