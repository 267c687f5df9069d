import { formatNumber } from "../base/format.js";
import { html } from "../base/html.js";
import { LinePanel } from "../charts/line_panel.js";
import { resizeInPairs } from "../charts/panel.js";
import { logarithmic } from "../charts/scales.js";
import { uncertaintyAt } from "../solver/index.js";
import { remembering } from "./setting.js";
import { along, chosen, decadesOf, inPrint, instead, levelAt, lineOf, nearest, noteOf, quantiles } from "./table.js";

const NAME = "knob";

const lines = remembering((/** @type {Record<string, any>} */ { table, framework, network, boundary_error }) => {
  const groups = along(NAME, table, { framework, network });
  const scales = groups.map(({ at }) => at.scale);
  const errors = groups.map((group) => quantiles(group, "linearisation_error"));
  const side = (rich) => {
    const there = scales.map((_, i) => i).filter((i) => errors[i][1] > boundary_error === rich);
    return lineOf(there.map((i) => scales[i]), there.map((i) => errors[i]));
  };
  return {
    groups,
    scales,
    errors: lineOf(scales, errors),
    rich: side(true),
    lazy: side(false),
    predictions: lineOf(scales, groups.map((group) => quantiles(group, "predicted"))),
  };
});

function compute(parameters, { table }) {
  const asked = chosen(table, parameters);
  const { framework, network, boundary_error } = asked;
  const drawn = lines({ table, framework, network, boundary_error });
  const { group, shown } = nearest(NAME, drawn.groups, asked);
  const [, error] = quantiles(group, "linearisation_error");
  const [low, predicted, high] = quantiles(group, "predicted");
  const uncertainty = uncertaintyAt(error);
  const [, given] = quantiles(group, "found");
  const found = Number.isNaN(given) ? crossing(drawn.scales, drawn.errors.ys, boundary_error) : given;
  return {
    ...drawn,
    alpha: shown.scale,
    instead: instead(asked.scale, shown.scale),
    error,
    predicted,
    found,
    boundary: boundary_error,
    uncertainty,
    parameters: shown,
    quantities: {
      linearisation_error: error,
      predicted,
      found,
      miss: predicted / found,
      "q10.predicted": low,
      "q90.predicted": high,
    },
    headings: { heading: `the run at α = ${inPrint(shown.scale)}` },
    summary: summarise(shown.scale, uncertainty, error, predicted, found, error > boundary_error),
  };
}

/** The largest output scale at which errors fall below the boundary, on a straight line in logarithms. */
function crossing(scales, errors, boundary) {
  for (let i = scales.length - 1; i > 0; i--) {
    const [rich, lazy] = [errors[i - 1], errors[i]];
    if (rich > boundary && boundary >= lazy) {
      return scales[i - 1] * (scales[i] / scales[i - 1]) ** (Math.log(rich / boundary) / Math.log(rich / lazy));
    }
  }
  return NaN;
}

function summarise(scale, uncertainty, error, predicted, found, rich) {
  const miss = Math.max(predicted / found, found / predicted);
  const claim = Number.isNaN(predicted) ? ", and no more: it cannot tell how far the boundary is" : `, and that the boundary is at α = ${formatNumber(predicted, 2)}`;
  const turned = Number.isNaN(found) ? "Turning the knob finds none" : `Turning the knob finds it at ${formatNumber(found, 2)}`;
  const verdict = `: ${formatNumber(miss, 2)} times off, ${miss <= uncertainty ? "within" : "beyond"} the factor of ${inPrint(uncertainty)} that it claims`;
  return [
    `Only the run at α = ${inPrint(scale)} is known. Its linearisation error of ${formatNumber(error, 2)} says `,
    { text: rich ? "rich" : "not rich", tone: rich ? "feature" : "kernel" },
    `${claim}. ${turned}${Number.isNaN(miss) ? "" : verdict}.`,
  ];
}

function createView(container, { set, constants: { table } }) {
  const x = logarithmic(0.01, 100);
  const layout = { x, aspect: 0.85, labelRoom: 78 };
  const errors = new LinePanel(container, {
    title: "linearisation error at each output scale",
    y: logarithmic(1e-4, 1),
    xTitle: "output scale α",
    ...layout,
    lines: [
      { key: "claim", kind: "none", tone: "ink", band: true },
      { key: "boundary", kind: "guide", tone: "guide" },
      { key: "found", kind: "guide", tone: "guide" },
      { key: "predicted", kind: "frozen", tone: "ink" },
      { key: "rich", kind: "none", tone: "feature", band: true, points: true },
      { key: "lazy", kind: "none", tone: "kernel", band: true, points: true },
      { key: "here", kind: "none", tone: "ink", points: false },
    ],
  });
  const predictions = new LinePanel(container, {
    title: "boundary that each run predicts",
    symbol: "α",
    y: logarithmic(0.01, 100),
    xTitle: "output scale α of the run",
    ...layout,
    lines: [
      { key: "found", kind: "guide", tone: "guide", band: true },
      { key: "predicted", kind: "none", tone: "ink", band: true, points: true, ghost: true },
    ],
  });
  const panels = [errors, predictions];
  const note = html("p", { class: "flb-note" });
  container.append(note);
  const { scale: levels } = table.levels;
  for (const panel of panels) {
    panel.onPick((place) => set({ scale: levelAt(levels, panel.x, place) }));
  }
  return {
    resize: (width) => resizeInPairs(panels, width, 230),
    draw(result) {
      const { scales, alpha, error, predicted, found, boundary, uncertainty } = result;
      const [first, last] = [scales[0] / 1.6, scales.at(-1) * 1.6];
      const [bottom, top, make] = decadesOf([...result.errors.low, ...result.errors.high, boundary], 1e-9);
      for (const panel of panels) panel.setSpan(first, last, logarithmic);
      errors.setScale(bottom, top, make);
      const upright = (value) => ({ xs: [value, value], ys: [bottom, top] });
      const claim = [Math.max(predicted / uncertainty, first), Math.min(predicted * uncertainty, last)];
      const known = Number.isFinite(predicted) && claim[0] < claim[1];
      errors.draw({
        lines: {
          rich: result.rich,
          lazy: result.lazy,
          boundary: { xs: [first, last], ys: [boundary, boundary], label: "boundary" },
          ...(Number.isFinite(found) ? { found: { ...upright(found), label: "found", labelAt: 0, lift: 10 } } : {}),
          ...(known
            ? {
                claim: { xs: claim, ys: [NaN, NaN], low: [bottom, bottom], high: [top, top] },
                predicted: { ...upright(predicted), label: "predicted", labelAt: 1, lift: -10 },
              }
            : {}),
        },
        mark: { x: alpha, ys: { rich: error > boundary ? error : NaN, lazy: error > boundary ? NaN : error } },
        description: `Linearisation error against the output scale, both on logarithmic axes: from ${formatNumber(result.errors.ys[0], 3)} at ${formatNumber(scales[0], 2)} to ${formatNumber(result.errors.ys.at(-1), 3)} at ${formatNumber(scales.at(-1), 3)}. The boundary, at an error of ${formatNumber(boundary, 2)}, is crossed at ${formatNumber(found, 3)}; the chosen run predicts ${formatNumber(predicted, 3)}, within a factor of ${formatNumber(uncertainty, 2)}.`,
      });
      const { low, ys, high } = result.predictions;
      predictions.setScale(...decadesOf([...low, ...high, found, found / uncertainty, found * uncertainty]));
      const level = (value) => [value, value];
      predictions.draw({
        lines: {
          ...(Number.isFinite(found)
            ? { found: { xs: [first, last], ys: level(found), low: level(found / uncertainty), high: level(found * uncertainty), label: "found" } }
            : {}),
          predicted: result.predictions,
        },
        mark: { x: alpha, ys: { predicted } },
        description: `The boundary that each run predicts, from ${formatNumber(ys[0], 3)} to ${formatNumber(ys.at(-1), 3)}, beside the one that was found, ${formatNumber(found, 3)}, and a band of a factor of ${formatNumber(uncertainty, 2)} round it.`,
      });
      note.textContent = `${noteOf(table)} Shaded: the factor of ${inPrint(uncertainty)} within which a prediction is taken to be right.${result.instead}`;
    },
    keepGhost: () => {},
  };
}

/** @type {import("./explorer.js").Explorer} */
export const knob = {
  name: NAME,
  constants: ["table"],
  numbers: {
    tiles: [
      { key: "linearisation_error" },
      { key: "predicted" },
      { key: "found", tone: "guide" },
      { key: "miss" },
      { key: "q10.predicted", note: "a tenth of the seeds is below", minor: true },
      { key: "q90.predicted", note: "a tenth of the seeds is above", minor: true },
    ],
  },
  compute,
  createView,
};
