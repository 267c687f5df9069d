import { formatNumber, formatShort } from "../base/format.js";
import { LinePanel } from "../charts/line_panel.js";
import { resizeInPairs } from "../charts/panel.js";
import { PlanePanel } from "../charts/plane_panel.js";
import { clock as clockScale, clockTime, linear, logarithmic } from "../charts/scales.js";
import { GradientFlow, KernelFlow } from "../solver/index.js";
import { clockGrid, gramOf, largestGrowth, networkOf, recipe, remembering, sample, scaled, taskOf, timeUnit } from "./setting.js";

const GRID = clockGrid(160);

/** One network of the pair: its flow, its curves over its own clock, some of its neurons. */
function train({ draws_u, draws_w, ...setting }) {
  const { sigma } = setting;
  const task = taskOf(setting);
  const network = networkOf(setting);
  const gram = gramOf(setting, network);
  const flow = new GradientFlow(network, task, gram);
  const frozen = new KernelFlow(network, task, gram);
  const unit = timeUnit(flow);
  const error0 = flow.residual(0);
  const share = (error) => (error0 === 0 ? 0 : (error / error0) ** 2);
  const start = { u: scaled(draws_u, draws_u.length, network.sigma_u), w: scaled(draws_w, draws_w.length, network.sigma_w) };
  return {
    sigma,
    flow,
    unit,
    share,
    start,
    end: flow.weights(Infinity, start.u, start.w),
    endRatio: flow.kernelRatio(Infinity),
    verdict: verdict(flow.kernelRatio(Infinity), flow.kernelExcursion),
    loss: sample(GRID, (x) => share(flow.residual(unit * x))),
    frozenLoss: sample(GRID, (x) => share(frozen.residual(unit * x))),
    kernel: sample(GRID, (x) => flow.kernelRatio(unit * x)),
    recipe: (t) => recipe(network, task, gram, t),
  };
}

/** A trained network at one moment of its own clock. */
function look(trained, clock) {
  const { flow, unit, share, start } = trained;
  const t = unit * clockTime(clock);
  return {
    ...trained,
    now: flow.weights(t, start.u, start.w),
    lossNow: share(flow.residual(t)),
    recipe: trained.recipe(t),
    quantities: {
      slope: flow.slope(t),
      loss: flow.loss(t),
      kernel_ratio: flow.kernelRatio(t),
      alignment: flow.alignment(t),
      "kernel_ratio@inf": trained.endRatio,
    },
  };
}

const [trainChosen, trainReference] = [remembering(train), remembering(train)];

/** How far a network left the kernel regime: 0 where its kernel stayed, 1 where it changed by a factor of 3 or more. */
function novelty(flow) {
  return Math.min(largestGrowth(flow) / Math.log2(3), 1);
}

/** What a network did with its kernel; one that comes back has not kept it. */
function verdict(ratio, excursion) {
  if (excursion < 0.05) return "kept its kernel";
  if (ratio < 1.5 && ratio > 0.67) return "moved its kernel";
  return "rebuilt its kernel";
}

function extentOf({ start, end }) {
  let extent = 0;
  for (const values of [start.u, start.w, end.u, end.w]) for (const value of values) extent = Math.max(extent, Math.abs(value));
  return 1.06 * extent || 1;
}

function compute(parameters, { draws_u, draws_w }) {
  const { clock, sigma_reference, ...others } = parameters;
  const setting = { ...others, draws_u, draws_w };
  const chosen = look(trainChosen(setting), clock);
  const reference = look(trainReference({ ...setting, sigma: sigma_reference }), clock);
  const [one, other] = [chosen, reference].map(({ sigma }) => `σ = ${formatShort(Number(sigma.toPrecision(2)))}`);
  return {
    chosen,
    reference,
    parameters: { ...chosen.recipe, reference: reference.recipe },
    quantities: {
      ...chosen.quantities,
      ...Object.fromEntries(Object.entries(reference.quantities).map(([key, value]) => [`reference.${key}`, value])),
    },
    headings: {
      heading: clock >= 1 ? "after training" : clock <= 0 ? "before training" : "during training",
      columns: [one, other],
    },
    summary: [
      "Both networks reach the same loss. The one that starts at ",
      { text: other, tone: "kernel" },
      ` ${reference.verdict} (K(∞)/K₀ = ${formatNumber(reference.endRatio, 4)}); the one that starts at `,
      { text: one, tone: "mixed" },
      ` ${chosen.verdict} (${formatNumber(chosen.endRatio, 3)}).`,
    ],
    mix: novelty(chosen.flow),
    x: clockTime(clock),
    names: { one, other },
  };
}

function createView(container, { pickTime }) {
  const lines = [
    { key: "frozen", kind: "frozen", tone: "mixed" },
    { key: "reference", kind: "exact", tone: "kernel" },
    { key: "chosen", kind: "exact", tone: "mixed", ghost: true },
  ];
  const x = clockScale();
  const xTitle = "training time (1 = error halved)";
  const loss = new LinePanel(container, { title: "loss above its minimum, relative", x, y: linear(0, 1), xTitle, lines });
  const kernel = new LinePanel(container, {
    title: "kernel, relative to the start",
    symbol: "K/K₀",
    x,
    y: logarithmic(0.7, 1000),
    xTitle,
    lines: lines.slice(1),
  });
  const chosenPlane = new PlanePanel(container, { title: "neurons", tone: "mixed", dot: 3 });
  const referencePlane = new PlanePanel(container, { title: "neurons", tone: "kernel", dot: 3 });
  for (const panel of [loss, kernel]) panel.onPick(pickTime);
  const all = [loss, kernel];
  const curve = (ys, label) => ({ xs: GRID, ys, label });
  return {
    resize(width) {
      const half = (width - 24) / 2;
      resizeInPairs([loss, kernel], width, 150);
      for (const panel of [chosenPlane, referencePlane]) {
        panel.figure.style.width = `${half}px`;
        panel.resize(Math.min(half, 260));
      }
    },
    draw(result) {
      const { chosen, reference, names, x: at } = result;
      loss.draw({
        lines: {
          reference: curve(reference.loss, names.other),
          chosen: curve(chosen.loss, names.one),
          frozen: { ...curve(chosen.frozenLoss, "kernel frozen"), labelAt: beside(chosen.frozenLoss, 0.42) },
        },
        mark: { x: at, ys: { reference: reference.lossNow, chosen: chosen.lossNow } },
        description: `Loss above its minimum over training time, relative to the start: both networks fall to the same loss and halve their error at time 1; with its kernel frozen, the network of ${names.one} would be at ${formatNumber(chosen.frozenLoss[80], 2)} of its loss then.`,
      });
      kernel.draw({
        lines: { reference: curve(reference.kernel, names.other), chosen: curve(chosen.kernel, names.one) },
        mark: { x: at, ys: { reference: reference.quantities.kernel_ratio, chosen: chosen.quantities.kernel_ratio } },
        description: `Kernel over training time, relative to its start: it ends at ${formatNumber(chosen.endRatio, 3)} for ${names.one} and at ${formatNumber(reference.endRatio, 5)} for ${names.other}.`,
      });
      drawPlane(chosenPlane, chosen, names.one);
      drawPlane(referencePlane, reference, names.other);
    },
    keepGhost: () => all.forEach((panel) => panel.keepGhost()),
  };
}

/** The first point of a falling line below `level`; the last one where it never gets there. */
function beside(ys, level) {
  const index = ys.findIndex((y) => y < level);
  return index < 0 ? ys.length - 1 : index;
}

function drawPlane(panel, network, name) {
  const { start, now } = network;
  panel.heading.textContent = `neurons, ${name}`;
  panel.draw({
    extent: extentOf(network),
    start,
    now,
    trails: Array.from(start.u, (u, i) => [{ u, w: start.w[i] }, { u: now.u[i], w: now.w[i] }]),
    description: `Sixty neurons of the network of ${name} in the plane of their two weights, where they started and where they are now: the alignment of the two layers is ${formatNumber(network.quantities.alignment, 3)}.`,
  });
}

/** @type {import("./explorer.js").Explorer} */
export const initialScale = {
  name: "initial-scale",
  constants: ["draws_u", "draws_w"],
  numbers: {
    columns: [
      { prefix: "", name: "the network being set", tone: "mixed" },
      { prefix: "reference.", name: "the network it is compared with", tone: "kernel" },
    ],
    rows: ["slope", "loss", "alignment", "kernel_ratio", "kernel_ratio@inf"],
  },
  compute,
  createView,
};
