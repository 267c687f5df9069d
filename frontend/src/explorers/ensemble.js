import { specification } from "../base/catalogue.js";
import { formatCount, formatNumber } from "../base/format.js";
import { html } from "../base/html.js";
import { decades, linear, logarithmic, niceCeiling } from "../charts/scales.js";
import { SpreadPanel } from "../charts/spread_panel.js";
import { Draws, Ensemble, GradientFlow, LAZY, quantile } from "../solver/index.js";
import { gramOf, networkOf, recipe, remembering, taskOf } from "./setting.js";

const COUNT = 512;
const SHARES = { q05: 0.05, q25: 0.25, q50: 0.5, q75: 0.75, q95: 0.95 };
const TABLE = ["q05", "q50", "q95"];
const { min: NARROWEST, max: WIDEST } = specification("ensemble", "width");
const DECADES = Math.log10(WIDEST / NARROWEST);
// six widths a decade while the curves bend, two where they are straight
const PLACES = [...Array.from({ length: 18 }, (_, i) => i / 6), ...Array.from({ length: 2 * (DECADES - 3) + 1 }, (_, i) => 3 + i / 2)];
const WIDTHS = Float64Array.from(new Set(PLACES.map((place) => Math.round(NARROWEST * 10 ** place))));
const QUANTITIES = [
  { key: "kernel_ratio@inf", title: "growth of the kernel by training", symbol: "K(∞)/K₀", all: (ensemble) => ensemble.kernelDrift().map((drift) => 1 + drift) },
  { key: "alignment@inf", title: "alignment after training", symbol: "ζ(∞)", all: (ensemble) => ensemble.finalAlignment() },
  { key: "slope@0", title: "slope at the start", symbol: "v₀", all: (ensemble) => ensemble.initialSlope() },
];

let draws; // made once: the networks are the same ones at every setting
const networks = () => (draws ??= new Draws(COUNT, WIDTHS));

function setUp(setting) {
  return { task: taskOf(setting), at: (width) => networkOf({ ...setting, width }) };
}

/** The quantiles of one quantity at all widths, whatever the width that is looked at. */
function spread({ which, ...setting }) {
  const { task, at } = setUp(setting);
  const bands = Object.fromEntries(Object.keys(SHARES).map((name) => [name, new Float64Array(WIDTHS.length)]));
  WIDTHS.forEach((width, i) => {
    const sorted = QUANTITIES[which].all(new Ensemble(networks(), at(width), task)).sort();
    for (const [name, share] of Object.entries(SHARES)) bands[name][i] = quantile(sorted, share);
  });
  return bands;
}

/** All three quantities of every network at one width. */
function draw({ width, ...setting }) {
  const { task, at } = setUp(setting);
  const ensemble = new Ensemble(networks(), at(width), task);
  const lazy = ensemble.kernelExcursion().filter((largest) => largest <= LAZY).length / COUNT;
  return { lazy, sorted: QUANTITIES.map(({ all }) => all(ensemble).sort()) };
}

const spreads = remembering(spread);
const drawn = remembering(draw);

function compute(parameters) {
  const { width: wide, quantity, overlap, length, across, ...setting } = parameters;
  const [which, width] = [Math.round(quantity), Math.round(wide)];
  const { lazy, sorted } = drawn({ ...setting, width });
  const { task, at } = setUp(setting);
  const network = at(width);
  const gram = gramOf({ overlap, length, across }, network);
  const flow = new GradientFlow(network, task, gram);
  const one = {
    "kernel_ratio@inf": flow.kernelRatio(Infinity),
    "alignment@inf": flow.alignment(Infinity),
    "slope@0": flow.slope(0),
  };
  const table = TABLE.flatMap((name) => QUANTITIES.map(({ key }, i) => [`${name}.${key}`, quantile(sorted[i], SHARES[name])]));
  return {
    which,
    width,
    bands: spreads({ ...setting, which }),
    values: sorted[which],
    one: one[QUANTITIES[which].key],
    mix: leftKernel(quantile(sorted[0], 0.5)),
    parameters: { ...recipe(network, task, gram, Infinity), draws: { law: "even_starts", count: COUNT } },
    quantities: { ...Object.fromEntries(table), ...one, lazy_share: lazy },
    headings: { heading: `${COUNT} random networks`, columns: ["5 %", "median", "95 %"] },
    summary: summarise(which, width, sorted[which], lazy),
  };
}

function summarise(which, width, sorted, lazy) {
  const [low, high] = [0.05, 0.95].map((share) => formatNumber(quantile(sorted, share), 3));
  const start = `At width ${formatCount(width)}, nine of ten random networks `;
  if (which === 1) return [start, { text: `end with an alignment between ${low} and ${high}`, tone: "mixed" }, "."];
  if (which === 2) return [start, { text: `start at a slope between ${low} and ${high}`, tone: "mixed" }, "."];
  const share = formatNumber(100 * lazy, 3);
  return [
    start,
    { text: `multiply their kernel by ${low} to ${high}`, tone: "mixed" },
    `; ${share}\u00a0% keep it to within 1\u00a0%.`,
  ];
}

/** How far the median network left the kernel regime: 0 where its kernel stayed, 1 where it changed by a factor of √2 or more. */
function leftKernel(ratio) {
  const octaves = Math.abs(Math.log2(Math.max(ratio, 1e-300)));
  return Math.round(10 * Math.min(2 * octaves, 1)) / 10;
}

/** The vertical axis on which a quantity is seen at all widths; for the kernel, at those where its spread is no accident. */
function axisOf(which, { q05, q95 }) {
  if (which === 0) {
    const wide = [...q05, ...q95].filter((_, i) => WIDTHS[i % WIDTHS.length] >= 10);
    return [...(Math.min(...wide) > 0.5 && Math.max(...wide) < 2.5 ? [0.5, 2.5] : decades(wide)), logarithmic];
  }
  if (which === 1) return [-1.05, 1.05, linear];
  const size = Math.max(3, niceCeiling(Math.max(...q95.map(Math.abs), ...q05.map(Math.abs)) / 0.95));
  return [-size, size, linear];
}

function createView(container, { pickTime }) {
  const panel = new SpreadPanel(container, {
    title: QUANTITIES[0].title,
    x: logarithmic(NARROWEST, WIDEST),
    y: logarithmic(0.1, 1000),
    xTitle: "width d",
  });
  panel.onPick(pickTime);
  container.append(
    html(
      "p",
      { class: "flb-note" },
      `The networks follow the exact law of random Gaussian starts. The ${COUNT} of them are spread over it evenly instead of drawn, so that their quantiles are close to its own; the shades hold half of them and nine out of ten, the dot is one network.`,
    ),
  );
  return {
    resize: (width) => panel.resize(width, width >= 560 ? 330 : 240),
    draw(result) {
      const { which, bands, values, width } = result;
      const { title, symbol } = QUANTITIES[which];
      panel.name(title, symbol);
      panel.setScale(...axisOf(which, bands));
      const [low, middle, high] = [0.05, 0.5, 0.95].map((share) => formatNumber(quantile(values, share), 3));
      panel.draw({
        xs: WIDTHS,
        bands,
        at: width,
        values,
        one: result.one,
        level: which === 0 ? 1 : 0,
        description: `${title} of ${values.length} random networks: the range of nine out of ten against the width, and a histogram at width ${formatCount(width)}, with its median at ${middle} and nine of ten between ${low} and ${high}. At width ${formatCount(WIDTHS.at(-1))} they lie between ${formatNumber(bands.q05.at(-1), 3)} and ${formatNumber(bands.q95.at(-1), 3)}.`,
      });
    },
    keepGhost: () => panel.keepGhost(),
  };
}

/** @type {import("./explorer.js").Explorer} */
export const ensemble = {
  name: "ensemble",
  numbers: {
    columns: [
      { prefix: "q05.", name: "5 per cent lie below", tone: "mixed" },
      { prefix: "q50.", name: "median", tone: "mixed" },
      { prefix: "q95.", name: "95 per cent lie below", tone: "mixed" },
    ],
    rows: QUANTITIES.map(({ key }) => key),
    tiles: [
      { key: "lazy_share" },
      { key: "slope@0", note: "at the start, the dot", minor: true },
      { key: "kernel_ratio@inf", note: "in the end, the dot", minor: true },
      { key: "alignment@inf", note: "in the end, the dot", minor: true },
    ],
  },
  compute,
  createView,
};
