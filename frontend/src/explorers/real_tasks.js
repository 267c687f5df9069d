import { formatNumber } from "../base/format.js";
import { html } from "../base/html.js";
import { LinePanel } from "../charts/line_panel.js";
import { resizeInPairs } from "../charts/panel.js";
import { linear, logarithmic } from "../charts/scales.js";
import { remembering } from "./setting.js";
import { along, chosen, COLUMNS, decadesOf, HEADINGS, inPrint, instead, levelAt, lineOf, nearest, noteOf, quantiles, quantities } from "./table.js";

const NAME = "real-tasks";
const ROWS = ["test_accuracy", "linearisation_error", "kernel_change", "kernel_rotation", "output_size", "train_loss"];
const TASKS = { mnist: "MNIST", cifar10: "CIFAR-10" };
const STARTS = { plain: "f", centred: "f\u00a0−\u00a0f₀" };
const MOST_LAYERS = 6;
/** Linearisation errors of the solvable model: where its kernel has grown by 1 %, and at the crossover, by √2. */
const [LAZY, RICH] = [1.01, Math.SQRT2].map((growth) => 1 - Math.sqrt(2 / (1 + growth)));

/** What each choice of a measure draws: a title, and lines by key; those of the layers go on for as many as there are. */
const MEASURES = {
  linearisation_error: {
    title: "linearisation error",
    lines: ({ one, others, starts }) => ({
      shown: { ...one("linearisation_error"), label: starts.shown },
      ...(others.length ? { other: { ...one("linearisation_error", others), label: starts.other } } : {}),
    }),
  },
  kernel: {
    title: "change of the kernel",
    lines: ({ one }) => ({
      shown: { ...one("kernel_change"), label: "size" },
      direction: { ...one("kernel_rotation"), label: "direction" },
    }),
  },
  weight_change: { title: "change of the weights", lines: ({ layers }) => layers("weight_change", "after", (i) => `layer ${i + 1}`) },
  feature_change: {
    title: "change of the hidden features",
    lines: ({ layers }) => layers("feature_change", "after", (i) => `layer ${i + 1}`),
  },
  alignment: {
    title: "alignment of consecutive layers",
    lines: ({ layers }) => ({
      ...layers("alignment_before", "before", () => ""),
      ...layers("alignment_after", "after", (i) => `${i + 1} and ${i + 2}`),
    }),
  },
};

const lines = remembering((/** @type {Record<string, any>} */ { table, task, start, measure }) => {
  const groups = along(NAME, table, { task, start });
  const rest = table.levels.start.find((name) => name !== start);
  const others = rest === undefined ? [] : along(NAME, table, { task, start: rest });
  const starts = { shown: STARTS[start] ?? start, other: STARTS[rest] ?? rest };
  const scales = (some) => some.map(({ at }) => at.scale);
  const one = (column, some = groups) => lineOf(scales(some), some.map((group) => quantiles(group, column)));
  const layer = (column, i) => lineOf(scales(groups), groups.map((group) => group[column].map((each) => each[i] ?? NaN)));
  const layers = (column, key, label) =>
    Object.fromEntries(groups[0][column][0].slice(0, MOST_LAYERS).map((_, i) => [key + i, { ...layer(column, i), label: label(i) }]));
  return {
    groups,
    span: [Math.min(...scales(groups)) / 1.15, Math.max(...scales(groups)) * 1.15],
    accuracy: {
      shown: { ...one("test_accuracy"), label: starts.shown },
      ...(others.length ? { other: { ...one("test_accuracy", others), label: starts.other } } : {}),
    },
    measured: MEASURES[measure].lines({ one, layers, others, starts }),
  };
});

function compute(parameters, { table }) {
  const asked = chosen(table, parameters);
  const { task, start, measure } = asked;
  const drawn = lines({ table, task, start, measure });
  const { group, shown } = nearest(NAME, drawn.groups, asked);
  const at = (line) => line.ys[line.xs.indexOf(shown.scale)];
  const [, error] = quantiles(group, "linearisation_error");
  return {
    ...drawn,
    title: MEASURES[measure].title,
    scale: shown.scale,
    instead: instead(asked.scale, shown.scale),
    now: {
      accuracy: Object.fromEntries(Object.entries(drawn.accuracy).map(([key, line]) => [key, at(line)])),
      measured: Object.fromEntries(Object.entries(drawn.measured).map(([key, line]) => [key, at(line)])),
    },
    mix: richness(error),
    parameters: shown,
    quantities: quantities(ROWS, (column) => quantiles(group, column)),
    headings: { heading: `${STARTS[start] ?? start} from ${inPrint(shown.scale)} times He's scale`, columns: HEADINGS },
    summary: summarise(shown, drawn, at, error),
  };
}

/** 0 at the error of a lazy network and below, 1 at the crossover and above. */
function richness(error) {
  const share = Math.log(Math.max(error, LAZY) / LAZY) / Math.log(RICH / LAZY);
  return Math.round(10 * Math.min(share, 1)) / 10;
}

function summarise({ task, scale, start }, { accuracy }, at, error) {
  const percent = (share) => `${formatNumber(100 * share, 3)}\u00a0%`;
  const verdict = error <= LAZY ? "lazy" : error <= RICH ? "in between" : "rich";
  const other = accuracy.other && at(accuracy.other);
  const beside = other === undefined || Number.isNaN(other) ? "" : `, beside ${percent(other)} for ${accuracy.other.label}`;
  return [
    `${TASKS[task] ?? task}: started at ${inPrint(scale)} times the usual scale, ${STARTS[start] ?? start} names ${percent(at(accuracy.shown))} of new images rightly${beside}. Its linearisation error of ${formatNumber(error, 2)} says `,
    { text: verdict, tone: "mixed" },
    ".",
  ];
}

function createView(container, { set, constants: { table } }) {
  const x = logarithmic(0.1, 10);
  const xTitle = "initial scale, in units of He's";
  const both = [
    { key: "other", kind: "frozen", tone: "guide", band: true, points: true },
    { key: "shown", kind: "exact", tone: "mixed", band: true, points: true, ghost: true },
  ];
  const each = (key, line) => Array.from({ length: MOST_LAYERS }, (_, i) => ({ key: key + i, ...line }));
  const layout = { x, xTitle, aspect: 0.8, labelRoom: 72 };
  const accuracy = new LinePanel(container, { title: "test accuracy", y: linear(0, 1), ...layout, lines: both });
  const measured = new LinePanel(container, {
    title: "measure",
    y: logarithmic(0.1, 1),
    ...layout,
    lines: [
      ...each("before", { kind: "guide", tone: "guide" }),
      ...each("after", { kind: "exact", tone: "mixed", band: true, points: true }),
      { key: "direction", kind: "frozen", tone: "mixed", band: true, points: true },
      ...both,
    ],
  });
  const panels = [accuracy, measured];
  const note = html("p", { class: "flb-note" });
  container.append(note);
  const { scale: levels } = table.levels;
  for (const panel of panels) {
    panel.onPick((place) => set({ scale: levelAt(levels, panel.x, place) }));
  }
  return {
    resize: (width) => resizeInPairs(panels, width, 230),
    draw(result) {
      const { scale, now, title } = result;
      const every = (lines) => Object.values(lines).flatMap(({ low, ys, high }) => [...low, ...ys, ...high]).filter(Number.isFinite);
      const accuracies = every(result.accuracy);
      for (const panel of panels) panel.setSpan(...result.span, logarithmic);
      accuracy.setScale(Math.floor(20 * Math.min(...accuracies) - 0.2) / 20, Math.ceil(20 * Math.max(...accuracies) + 0.2) / 20);
      measured.name(title);
      measured.setScale(...decadesOf(every(result.measured)));
      accuracy.draw({
        lines: result.accuracy,
        mark: { x: scale, ys: now.accuracy },
        description: `Test accuracy against the initial scale, median and range over the seeds: ${inWords(result.accuracy)}.`,
      });
      measured.draw({
        lines: result.measured,
        mark: { x: scale, ys: now.measured },
        description: `${title} against the initial scale, both on logarithmic axes: ${inWords(result.measured)}.`,
      });
      note.textContent = `${noteOf(table)}${title.startsWith("alignment") ? " Dotted: before training." : ""}${result.instead}`;
    },
    keepGhost: () => accuracy.keepGhost(),
  };
}

/** Lines in words: where each begins and ends. */
function inWords(lines) {
  return Object.entries(lines)
    .map(([key, { label, ys }]) => `${label || key} from ${formatNumber(ys[0], 3)} to ${formatNumber(ys.at(-1), 3)}`)
    .join("; ");
}

/** @type {import("./explorer.js").Explorer} */
export const realTasks = {
  name: NAME,
  constants: ["table"],
  numbers: { columns: COLUMNS, rows: ROWS },
  compute,
  createView,
};
