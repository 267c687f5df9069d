import { quantityWords } from "../base/catalogue.js";
import { formatNumber } from "../base/format.js";
import { html } from "../base/html.js";
import { LinePanel } from "../charts/line_panel.js";
import { linear, niceCeiling } from "../charts/scales.js";
import { remembering } from "./setting.js";
import { along, chosen, COLUMNS, curve, decadesOf, HEADINGS, nearest, noteOf, quantities, spanOf } from "./table.js";

const NAME = "nonlinear-networks";
const CURVES = ["alignment", "kernel_ratio", "loss", "slope"];
const ACTIVATIONS = { linear: "linear", relu: "ReLU", leaky_relu: "leaky ReLU", sigmoid: "sigmoid", swish: "swish" };

/** The dashed curves: of the exact linear network where the table has them, else of the linear one that was trained. */
function dashed(table, asked, group) {
  const { group: other } = nearestLinear(table, asked) ?? {};
  const candidates = [group, other].map((source) => ({ source, prefix: "exact_" }));
  if (other !== group) candidates.push({ source: other, prefix: "" });
  const { source, prefix } = candidates.find((one) => one.source?.[`${one.prefix}alignment`]) ?? { source: undefined, prefix: "" };
  return Object.fromEntries(CURVES.map((key) => [key, only(curve(source, "time", prefix + key))]));
}

/** A curve without its band. */
const only = (line) => line && { xs: line.xs, ys: line.ys };

function nearestLinear(table, asked) {
  const groups = along(NAME, table, { ...asked, activation: "linear" });
  return groups.length ? nearest(NAME, groups, asked) : undefined;
}

/** Whatever stays on the vertical axes while one kind of task is looked at. */
const heights = remembering((/** @type {Record<string, any>} */ { table, kind }) => {
  const groups = table.groups.filter(({ at }) => at.kind === kind);
  const all = (key) => groups.flatMap((group) => curve(group, "time", key)?.ys ?? []).filter(Number.isFinite);
  const ends = (key) => [Math.min(...all(key), 0), Math.max(...all(key), 0)].map((end) => Math.sign(end) * niceCeiling(Math.abs(end)));
  return {
    alignment: [Math.min(...all("alignment")) < -0.02 ? -1.05 : 0, 1.05, linear],
    kernel_ratio: decadesOf(all("kernel_ratio")),
    loss: [0, Math.max(...all("loss"), 1e-300), linear],
    slope: [Math.min(...all("slope"), 0) < 0 ? ends("slope")[0] : 0, ends("slope")[1] || 1, linear],
  };
});

const chosenCurves = remembering((/** @type {Record<string, any>} */ { table, ...parameters }) => {
  const asked = chosen(table, parameters);
  const { group, shown } = nearest(NAME, along(NAME, table, asked), asked);
  return {
    group,
    shown,
    curves: Object.fromEntries(CURVES.map((key) => [key, curve(group, "time", key)])),
    exact: dashed(table, asked, group),
  };
});

/** What has been drawn of a curve by a moment. */
function until(line, moment) {
  const drawn = (values) => values?.slice(0, moment + 1);
  return line && { xs: drawn(line.xs), ys: drawn(line.ys), low: drawn(line.low), high: drawn(line.high) };
}

function compute(parameters, { table }) {
  const { progress, ...setting } = parameters;
  const { group, shown, curves, exact } = chosenCurves({ table, ...setting });
  const moment = Math.round(progress * (group.time.length - 1));
  const time = group.time[moment];
  const at = (key) => ["low", "ys", "high"].map((edge) => curves[key]?.[edge][moment] ?? NaN);
  const now = Object.fromEntries(CURVES.map((key) => [key, at(key)[1]]));
  const growth = curves.kernel_ratio?.ys.at(-1) ?? 1;
  return {
    activation: ACTIVATIONS[shown.activation] ?? shown.activation,
    time,
    times: group.time,
    now,
    curves: Object.fromEntries(CURVES.map((key) => [key, until(curves[key], moment)])),
    exact,
    heights: heights({ table, kind: shown.kind }),
    mix: leftKernel(growth),
    parameters: { ...shown, progress, time },
    quantities: quantities(CURVES, at),
    headings: { heading: `at time t = ${formatNumber(time, 3)}`, columns: HEADINGS },
    summary: summarise(shown, now, moment, exact),
  };
}

/** 0 where the kernel stayed, 1 where it changed by a factor of √2 or more. */
function leftKernel(ratio) {
  return Math.round(10 * Math.min(2 * Math.abs(Math.log2(Math.max(ratio, 1e-300))), 1)) / 10;
}

function summarise({ activation, scale, start }, now, moment, exact) {
  const name = ACTIVATIONS[activation] ?? activation;
  const from = `from the initial scale σ = ${formatNumber(scale, 2)}`;
  if (moment === 0) {
    const question = exact.alignment ? ": does it follow the dashed curves, those of a linear network? Play." : " before training. Play.";
    return [{ text: name, tone: "mixed" }, ` ${from}, ${WORDS[start] ?? start}${question}`];
  }
  return [
    { text: name, tone: "mixed" },
    ` ${from}: the alignment is now ζ = ${formatNumber(now.alignment, 3)}, the loss ${formatNumber(now.loss, 3)}, and the kernel is ${formatNumber(now.kernel_ratio, 3)} times as large as at the start.`,
  ];
}

/** How far along the recorded moments the one nearest to a time is. */
function progressAt(time, moments) {
  const distances = moments.map((moment) => Math.abs(moment - time));
  return distances.indexOf(Math.min(...distances)) / (moments.length - 1);
}

const WORDS = { aligned: "its layers aligned with the task", opposed: "its layers opposed to the task" };

function createView(container, { pickTime, constants: { table } }) {
  const shown = CURVES.filter((key) => table.groups.some((group) => group[key]));
  const panels = shown.map((key) => {
    const { label, symbol } = quantityWords(key);
    return new LinePanel(container, {
      title: label,
      symbol,
      x: linear(0, 1),
      y: linear(0, 1),
      xTitle: "time t",
      aspect: 0.7,
      labelRoom: 74,
      lines: [
        { key: "exact", kind: "frozen", tone: "guide" },
        { key: "now", kind: "exact", tone: "mixed", ghost: true, band: true },
      ],
    });
  });
  const note = html("p", { class: "flb-note" }, noteOf(table));
  container.append(note);
  let moments = [0, 1];
  for (const panel of panels) panel.onPick((place) => pickTime(progressAt(panel.x.value(place), moments)));
  return {
    resize(width) {
      const wide = width >= 560;
      for (const panel of panels) panel.resize(wide ? (width - 24) / 2 : width, wide ? undefined : 180);
    },
    draw(result) {
      const { activation, time, times, now, curves, exact } = result;
      moments = times;
      const span = spanOf(times);
      panels.forEach((panel, i) => {
        const key = shown[i];
        const line = curves[key];
        panel.setSpan(...span);
        panel.setScale(...result.heights[key]);
        const end = line && line.ys.length - 1;
        panel.draw({
          lines: {
            ...(exact[key] ? { exact: { ...exact[key], label: "linear" } } : {}),
            ...(line ? { now: { ...line, label: activation, labelAt: end, lift: 9 } } : {}),
          },
          mark: { x: time, ys: { now: now[key] } },
          description: `${quantityWords(key).label} over time, from ${formatNumber(line?.ys[0] ?? NaN, 3)} to ${formatNumber(now[key], 3)} at time ${formatNumber(time, 3)}${exact[key] ? `; the dashed curve of the linear network ends at ${formatNumber(exact[key].ys.at(-1), 3)}` : ""}.`,
        });
      });
    },
    keepGhost: () => panels.forEach((panel) => panel.keepGhost()),
  };
}

/** @type {import("./explorer.js").Explorer} */
export const nonlinearNetworks = {
  name: NAME,
  constants: ["table"],
  numbers: { columns: COLUMNS, rows: CURVES },
  compute,
  createView,
};
