import { formatNumber } from "../base/format.js";
import { LinePanel } from "../charts/line_panel.js";
import { branch, PlanePanel, reach } from "../charts/plane_panel.js";
import { clock, clockTime, linear, niceCeiling } from "../charts/scales.js";
import { GradientFlow, Gram } from "../solver/index.js";
import { clockGrid, networkOf, recipe, remembering, sample, scaled, taskOf, timeUnit } from "./setting.js";

const GRID = clockGrid(120);

/** The network and its whole training, whatever the moment that is looked at. */
function train({ draws_u, draws_w, ...setting }) {
  const network = networkOf(setting);
  const { width, sigma_u, sigma_w, eta_u, eta_w } = network;
  const task = taskOf(setting);
  const start = { u: scaled(draws_u, width, sigma_u), w: scaled(draws_w, width, sigma_w) };
  const gram = Gram.fromWeights(start.u, start.w);
  const flow = new GradientFlow(network, task, gram);
  const unit = timeUnit(flow);
  const end = flow.weights(Infinity, start.u, start.w);
  const [extent, extentW] = extents(largest(start.u, end.u), largest(start.w, end.w));
  const ratio = Math.sqrt(eta_u / eta_w);
  return {
    width,
    flow,
    unit,
    start,
    extent,
    extentW,
    ratio,
    target: task.target,
    rails: Array.from(start.u, (u, i) => branch(u, start.w[i], ratio, ...reach(u, start.w[i], ratio, extent, extentW))),
    slope: sample(GRID, (x) => flow.slope(unit * x)),
    imbalance: sample(GRID, () => flow.imbalance()),
    determinant: sample(GRID, () => flow.determinant()),
    goal: sample(GRID, () => task.target),
    recipe: (t) => recipe(network, task, gram, t),
  };
}

const trained = remembering(train);

function compute(parameters, { draws_u, draws_w }) {
  const { clock: place, ...setting } = parameters;
  const training = trained({ ...setting, draws_u, draws_w });
  const { width, flow, unit, start } = training;
  const x = clockTime(place);
  const t = unit * x;
  return {
    ...training,
    x,
    now: flow.weights(t, start.u, start.w),
    angle: flow.angle(t),
    parameters: training.recipe(t),
    quantities: {
      slope: flow.slope(t),
      imbalance: flow.imbalance(),
      determinant: flow.determinant(),
      kernel_ratio: flow.kernelRatio(t),
      alignment: flow.alignment(t),
      loss: flow.loss(t),
    },
    headings: { heading: `at time t = ${formatNumber(t, 3)}` },
    summary:
      `${width} neurons, one moving number: the slope goes from ${formatNumber(flow.slope(0), 2)} to ` +
      `${formatNumber(flow.slope(Infinity), 3)}, while no neuron leaves its hyperbola and Δ and D stay what they were.`,
  };
}

/** What is seen of the two axes: the same of both, as long as neither layer is dwarfed by the other. */
function extents(u, w) {
  const [seenU, seenW] = Math.max(u, w) < 6 * Math.min(u, w) ? [Math.max(u, w), Math.max(u, w)] : [u, w];
  return [niceCeiling(1.02 * seenU), niceCeiling(1.02 * seenW)];
}

function largest(...arrays) {
  let size = 0;
  for (const array of arrays) for (const value of array) size = Math.max(size, Math.abs(value));
  return size || 1;
}

function createView(container, { pickTime }) {
  container.classList.add("flb-beside");
  const plane = new PlanePanel(container, { title: "every neuron", symbol: "(uᵢ, wᵢ)", tone: "feature", dot: 4 });
  const side = document.createElement("div");
  side.className = "flb-side";
  container.append(side);
  const strip = (title, symbol, key, tone, extra = {}) =>
    new LinePanel(side, {
      title,
      symbol,
      x: clock(),
      y: linear(-1, 1),
      labelRoom: 70,
      lines: [{ key, kind: "exact", tone, ghost: true }, ...(extra.lines ?? [])],
      ...(extra.xTitle ? { xTitle: extra.xTitle } : {}),
    });
  const moving = strip("the slope moves", "v", "slope", "feature", { lines: [{ key: "target", kind: "guide", tone: "guide" }] });
  const imbalance = strip("the imbalance is frozen", "Δ", "imbalance", "kernel");
  const determinant = strip("the determinant is frozen", "D", "determinant", "kernel", { xTitle: "training time (1 = error halved)" });
  const strips = [moving, imbalance, determinant];
  for (const panel of strips) panel.onPick(pickTime);
  const drawFrozen = (panel, key, ys, x, words) => {
    const value = ys[0];
    panel.setScale(value < 0 ? -niceCeiling(-value) : 0, value > 0 ? niceCeiling(value) : value < 0 ? 0 : 1);
    panel.draw({
      lines: { [key]: { xs: GRID, ys, label: formatNumber(value, 3) } },
      mark: { x, ys: { [key]: value } },
      description: `${words} over training time: a level line at ${formatNumber(value)}.`,
    });
  };
  return {
    resize(width) {
      const wide = width >= 560;
      const square = wide ? Math.min(width * 0.54, 440) : Math.min(width, 440);
      plane.resize(square);
      const rest = wide ? width - square - 24 : width;
      const height = wide ? Math.round((square - 74) / 3) : 104;
      strips.forEach((panel, i) => panel.resize(rest, height + (i === 2 ? 14 : 0)));
    },
    draw(result) {
      const { start, now, ratio, angle, extent, extentW, rails, x } = result;
      plane.draw({
        extent,
        extentW,
        start,
        now,
        rails,
        trails: Array.from(start.u, (u, i) => branch(u, start.w[i], ratio, 0, angle, 12)),
        description: `${start.u.length} neurons in the plane of their output weight and their input weight, each on its own hyperbola; alignment of the two layers now ${formatNumber(result.quantities.alignment, 3)}.`,
      });
      const low = Math.min(0, ...result.slope, result.target);
      const high = Math.max(0, ...result.slope, result.target);
      moving.setScale(low < 0 ? -niceCeiling(-low) : 0, high > 0 ? niceCeiling(high) : low < 0 ? 0 : 1);
      moving.draw({
        lines: {
          slope: { xs: GRID, ys: result.slope, label: formatNumber(result.quantities.slope, 3) },
          target: { xs: GRID, ys: result.goal },
        },
        mark: { x, ys: { slope: result.quantities.slope } },
        description: `Slope over training time, from ${formatNumber(result.slope[0], 3)} to ${formatNumber(result.slope.at(-1), 3)}; the target is ${formatNumber(result.target, 3)}.`,
      });
      drawFrozen(imbalance, "imbalance", result.imbalance, x, "The imbalance");
      drawFrozen(determinant, "determinant", result.determinant, x, "The determinant");
    },
    keepGhost: () => strips.forEach((panel) => panel.keepGhost()),
  };
}

/** @type {import("./explorer.js").Explorer} */
export const neuronPlane = {
  name: "neuron-plane",
  constants: ["draws_u", "draws_w"],
  numbers: {
    tiles: [
      { key: "slope", tone: "feature", note: "moves" },
      { key: "imbalance", tone: "kernel", note: "frozen" },
      { key: "determinant", tone: "kernel", note: "frozen" },
      { key: "kernel_ratio" },
      { key: "alignment" },
      { key: "loss" },
    ],
  },
  compute,
  createView,
};
