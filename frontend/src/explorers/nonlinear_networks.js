import { quantityWords } from "../base/catalogue.js";
import { formatCount, formatNumber } from "../base/format.js";
import { html } from "../base/html.js";
import { LinePanel } from "../charts/line_panel.js";
import { resizeInPairs } from "../charts/panel.js";
import { linear, logarithmicFromZero, niceCeiling } from "../charts/scales.js";
import { remembering } from "./setting.js";
import { along, chosen, decadesOf, groupsOf, inPrint, instead, nearest, noteOf } from "./table.js";

const NAME = "nonlinear-networks";
const CURVES = ["alignment", "kernel_ratio", "slope", "loss"];
const ACTIVATIONS = { linear: "linear", relu: "ReLU", leaky_relu: "leaky ReLU", sigmoid: "sigmoid", swish: "swish" };

/**
 * The curves of a group by what they show: medians over its moments, and round the alignment a band.
 * @param {any} group
 */
function curvesOf({ moments: xs, zeta: [low, ys, high], slope, loss, kernel }) {
  return {
    alignment: { xs, ys, low, high },
    kernel_ratio: { xs, ys: kernel.map((size) => size / kernel[0]) },
    slope: { xs, ys: slope },
    loss: { xs, ys: loss },
  };
}

/** The vertical axes, which stay whatever the activation; those of alignment and kernel at every start and scale too. */
const heights = remembering((/** @type {Record<string, any>} */ { table, task, features, start, scale }) => {
  const groups = groupsOf(NAME, table).filter(({ at }) => at.task === task && at.features === features);
  const all = groups.map(curvesOf);
  const here = groups.filter(({ at }) => at.start === start && at.scale === scale).map(curvesOf);
  const ends = (key, some = here) => some.flatMap((curves) => curves[key].ys).reduce(([low, high], y) => [Math.min(low, y), Math.max(high, y)], [0, 0]);
  const below = (key) => (ends(key)[0] < -0.05 * ends(key)[1] ? -niceCeiling(-ends(key)[0]) : 0);
  return {
    alignment: [ends("alignment", all)[0] < -0.05 ? -1.05 : -0.05, 1.05, linear],
    kernel_ratio: decadesOf(all.flatMap((curves) => curves.kernel_ratio.ys)),
    slope: [below("slope"), 1.1 * ends("slope")[1] || 1, linear],
    loss: [0, 1.1 * ends("loss")[1] || 1, linear],
  };
});

const trained = remembering((/** @type {Record<string, any>} */ { table, ...parameters }) => {
  const asked = chosen(table, parameters);
  const { group, shown } = nearest(NAME, along(NAME, table, asked), asked);
  const others = along(NAME, table, { ...shown, activation: "linear" });
  const reference = others.length ? curvesOf(nearest(NAME, others, shown).group) : undefined;
  return { group, shown, reference, curves: curvesOf(group) };
});

/** What has been drawn of a curve by a moment. */
function until(line, moment) {
  const drawn = (values) => values?.slice(0, moment + 1);
  return { xs: drawn(line.xs), ys: drawn(line.ys), low: drawn(line.low), high: drawn(line.high) };
}

function compute(parameters, { table }) {
  const { progress, ...setting } = parameters;
  const { group, shown, curves, reference } = trained({ table, ...setting });
  const moment = Math.round(progress * (group.moments.length - 1));
  const step = group.moments[moment];
  const now = Object.fromEntries(CURVES.map((key) => [key, curves[key].ys[moment]]));
  const [low, high] = [curves.alignment.low, curves.alignment.high].map((edge) => edge[moment]);
  const solution = group.zeta_solution?.[0];
  return {
    activation: ACTIVATIONS[shown.activation] ?? shown.activation,
    step,
    moments: group.moments,
    now,
    curves: Object.fromEntries(CURVES.map((key) => [key, until(curves[key], moment)])),
    reference,
    solution,
    heights: heights({ table, task: shown.task, features: shown.features, start: shown.start, scale: shown.scale }),
    mix: leftKernel(curves.kernel_ratio.ys.at(-1)),
    parameters: { ...shown, progress, steps_recorded: step },
    quantities: { ...now, "low.alignment": low, "high.alignment": high },
    headings: { heading: `after ${formatCount(step)} steps` },
    instead: instead(chosen(table, parameters).scale, shown.scale),
    summary: summarise(shown, now, step, reference),
  };
}

/** 0 where the kernel stayed, 1 where it changed by a factor of √2 or more. */
function leftKernel(ratio) {
  return Math.round(10 * Math.min(2 * Math.abs(Math.log2(Math.max(ratio, 1e-300))), 1)) / 10;
}

function summarise({ activation, scale, start }, now, step, reference) {
  const name = { text: ACTIVATIONS[activation] ?? activation, tone: "mixed" };
  const scaled = `at the initial scale ${inPrint(scale)}`;
  if (step > 0) {
    return [
      name,
      ` ${scaled}, after ${formatCount(step)} steps: the alignment has gone to ζ = ${formatNumber(now.alignment, 3)}, the loss to ${formatNumber(now.loss, 3)}, and the kernel is ${formatNumber(now.kernel_ratio, 3)} times as large as at the start.`,
    ];
  }
  const from = start === "align" ? "random layers" : "layers in line with the task";
  return [name, ` ${scaled}, from ${from}: ${reference && activation !== "linear" ? "does it go where the linear network (dashed) goes?" : "where does it go?"} Play.`];
}

function createView(container, { pickTime, constants: { table } }) {
  const panels = CURVES.map((key) => {
    const { label, symbol } = quantityWords(key);
    return new LinePanel(container, {
      title: label,
      symbol,
      x: linear(0, 1),
      y: linear(0, 1),
      xTitle: "steps of training",
      aspect: 0.66,
      labelRoom: 74,
      lines: [
        { key: "solution", kind: "guide", tone: "guide" },
        { key: "reference", kind: "frozen", tone: "guide" },
        { key: "now", kind: "exact", tone: "mixed", ghost: true, band: true },
      ],
    });
  });
  const note = html("p", { class: "flb-note" });
  container.append(note);
  let moments = [0, 1];
  for (const panel of panels) panel.onPick((place) => pickTime(progressAt(place, panel, moments)));
  return {
    resize: (width) => resizeInPairs(panels, width, 180),
    draw(result) {
      const { activation, step, now, curves, reference, solution } = result;
      moments = result.moments;
      const last = moments[moments.length - 1];
      note.textContent = `${noteOf(table)} Dotted: where the solvable model, started at the same weights, takes the alignment.${result.instead}`;
      panels.forEach((panel, i) => {
        const key = CURVES[i];
        const line = curves[key];
        panel.setSpan(moments[1], last, logarithmicFromZero);
        panel.setScale(...result.heights[key]);
        const dashed = reference && { xs: reference[key].xs, ys: reference[key].ys };
        const arrived = line.ys.length === moments.length;
        panel.draw({
          lines: {
            ...(dashed ? { reference: { ...dashed, label: activation === "linear" && arrived ? "" : "linear" } } : {}),
            ...(key === "alignment" && solution !== undefined ? { solution: { xs: [0, last], ys: [solution, solution] } } : {}),
            now: { ...line, label: activation, ...(arrived ? {} : { labelAt: line.ys.length - 1, lift: 12 }) },
          },
          mark: { x: step, ys: { now: now[key] } },
          description: `${quantityWords(key).label} over the steps of training, from ${formatNumber(line.ys[0], 3)} to ${formatNumber(now[key], 3)} after ${formatCount(step)}${dashed ? `; the dashed curve of the linear network ends at ${formatNumber(dashed.ys.at(-1) ?? NaN, 3)}` : ""}.`,
        });
      });
    },
    keepGhost: () => panels.forEach((panel) => panel.keepGhost()),
  };
}

/** How far along the recorded moments the one is that stands nearest to a place on the axis. */
function progressAt(place, panel, moments) {
  const distances = moments.map((moment) => Math.abs(panel.x.position(moment) - place));
  return distances.indexOf(Math.min(...distances)) / (moments.length - 1);
}

/** @type {import("./explorer.js").Explorer} */
export const nonlinearNetworks = {
  name: NAME,
  constants: ["table"],
  numbers: {
    tiles: [
      { key: "alignment" },
      { key: "kernel_ratio" },
      { key: "slope", minor: true },
      { key: "loss", minor: true },
      { key: "low.alignment", note: "a quarter of the seeds is below", minor: true },
      { key: "high.alignment", note: "a quarter of the seeds is above", minor: true },
    ],
  },
  compute,
  createView,
};
