import { catalogue, specification } from "../base/catalogue.js";
import { formatNumber } from "../base/format.js";
import { LinePanel } from "../charts/line_panel.js";
import { NamedPointsPanel } from "../charts/named_points_panel.js";
import { resizeInPairs } from "../charts/panel.js";
import { linear, logarithmic, niceCeiling } from "../charts/scales.js";
import { LossFlow } from "../solver/index.js";
import { gramOf, networkOf, remembering, sample, startOf } from "./setting.js";

const NAME = "any-loss";
const { min: FIRST, max: LAST } = specification(NAME, "t");
const LOSSES = specification(NAME, "loss").options ?? {};
const [ALL, NAMES] = [Object.keys(LOSSES), Object.values(LOSSES)];
const ENDLESS = ["logistic", "exponential"]; // where all examples are on their side of 0
const [LEFT, RIGHT, TOP] = [-4, 16, 12]; // of the plane, as far as the sliders reach
const ALONG = Float64Array.from({ length: 161 }, (_, i) => LEFT + ((RIGHT - LEFT) * i) / 160);
const OTHERS = ALL.slice(1).map((_, i) => `other${i}`);

/** The examples, the first of those that may be wrong with the wrong label. */
function dataOf(wrong) {
  const { x, y, wrong: doubtful } = /** @type {NonNullable<typeof catalogue[string]["data"]>} */ (catalogue[NAME].data);
  const flipped = doubtful.slice(0, wrong);
  return { x, y: y.map((label, i) => (flipped.includes(i) ? -label : label)) };
}

function train({ wrong_labels, ...setting }) {
  const network = networkOf(setting);
  const gram = gramOf(setting, network);
  const { x, y } = dataOf(wrong_labels);
  const flows = ALL.map((loss) => new LossFlow(network, loss, x, y, gram));
  return {
    flows,
    data: { x, y },
    separable: x.every((a, i) => a * y[i] > 0),
    curves: flows.map((flow) => flow.curve(FIRST, LAST)),
    path: sample(ALONG, (v) => flows[0].kernelAt(v)),
    start: startOf(network, gram),
  };
}

const trained = remembering(train);

function compute(parameters) {
  const { t, loss, ...setting } = parameters;
  const { flows, data, separable, curves, path, start } = trained(setting);
  const chosen = Math.round(loss);
  const flow = flows[chosen];
  const { slope, kernel } = flow.initial;
  const ratio = flow.kernelRatio(t);
  return {
    t,
    chosen,
    curves,
    path,
    kernelAt: (v) => flow.kernelAt(v),
    begin: { v: slope, K: kernel },
    now: flows.map((each) => ({ v: each.slope(t), K: each.kernel(t) })),
    mix: Math.min(Math.abs(Math.log2(ratio)), 1),
    parameters: { ...start, loss: ALL[chosen], ...data, t },
    quantities: { slope: flow.slope(t), kernel_ratio: ratio, alignment: flow.alignment(t) },
    headings: { heading: `${NAMES[chosen]} loss, at time t = ${formatNumber(t, 3)}` },
    summary: summarise(chosen, flow, ratio, separable),
  };
}

function summarise(chosen, flow, ratio, separable) {
  const endless = separable && ENDLESS.includes(ALL[chosen]) && flow.direction !== 0;
  const end = endless ? "never stops" : `stops at v = ${formatNumber(flow.slope(Number.MAX_VALUE), 3)}`;
  return [
    `One path, and a clock for each loss. The ${NAMES[chosen]} one ${end}: by now `,
    { text: `the kernel is ${formatNumber(ratio, 3)} times its start`, tone: "mixed" },
    ".",
  ];
}

function createView(container, { pickTime }) {
  const plane = new NamedPointsPanel(container, {
    title: "one path: kernel K against slope v",
    x: linear(LEFT, RIGHT),
    y: linear(0, TOP),
    xTitle: "slope v",
    aspect: 0.72,
    labelRoom: 30,
    lines: [
      { key: "frozen", kind: "frozen", tone: "kernel" },
      { key: "path", kind: "plain", tone: "guide", ghost: true },
      { key: "passed", kind: "exact", tone: "mixed" },
    ],
    points: [{ key: "chosen", tone: "mixed" }, ...OTHERS.map((key) => ({ key, tone: "ink" }))],
  });
  const clock = new LinePanel(container, {
    title: "a clock for each loss: slope over time",
    symbol: "v",
    x: logarithmic(FIRST, LAST),
    y: linear(LEFT, RIGHT),
    xTitle: "time t",
    aspect: 0.72,
    labelRoom: 90,
    lines: [...OTHERS.map((key) => ({ key, kind: "plain", tone: "guide" })), { key: "chosen", kind: "exact", tone: "mixed", ghost: true }],
  });
  clock.onPick(pickTime);
  return {
    resize: (width) => resizeInPairs([plane, clock], width, 156),
    draw(result) {
      const { chosen, begin, now, path, kernelAt, curves, t } = result;
      const keys = keysBy(chosen);
      const byLoss = (/** @type {(i: number) => any} */ read) => Object.fromEntries(ALL.map((_, i) => [keys[i], read(i)]));
      const highest = Math.max(begin.K, path[path.length - 1]);
      plane.setScale(0, begin.K > TOP || highest < TOP / 12 ? niceCeiling(highest) : TOP);
      const [low, high] = [begin.v, now[chosen].v].sort((a, b) => a - b);
      const passed = [low, ...ALONG.filter((v) => v > low && v < high), high];
      plane.draw({
        lines: {
          frozen: { xs: [LEFT, RIGHT], ys: [begin.K, begin.K], label: "K₀" },
          path: { xs: ALONG, ys: path },
          passed: { xs: passed, ys: passed.map(kernelAt) },
        },
        description: `The kernel against the slope: one curve, which all losses follow from K = ${formatNumber(begin.K, 3)} at v = ${formatNumber(begin.v, 3)}. At t = ${formatNumber(t, 3)} they are at ${inWords(now, ({ v, K }) => `v = ${formatNumber(v, 3)}, K = ${formatNumber(K, 3)}`)}.`,
      });
      plane.place(byLoss((i) => ({ x: now[i].v, y: now[i].K, name: NAMES[i] })));
      clock.draw({
        lines: byLoss((i) => ({ xs: curves[i].times, ys: curves[i].slopes, label: NAMES[i] })),
        mark: { x: t, ys: byLoss((i) => now[i].v) },
        description: `The slope over time on a logarithmic axis, from ${formatNumber(begin.v, 3)} to ${inWords(curves, ({ slopes }) => formatNumber(slopes[slopes.length - 1], 3))} at t = ${formatNumber(LAST, 2)}.`,
      });
    },
    keepGhost: () => [plane, clock].forEach((panel) => panel.keepGhost()),
  };
}

/** The key by which each loss is drawn. */
function keysBy(chosen) {
  const others = [...OTHERS];
  return ALL.map((_, i) => (i === chosen ? "chosen" : others.shift() ?? ""));
}

/** Something of each loss, in words. */
function inWords(each, say) {
  return each.map((one, i) => `${NAMES[i]} ${say(one)}`).join("; ");
}

/** @type {import("./explorer.js").Explorer} */
export const anyLoss = {
  name: NAME,
  numbers: { tiles: [{ key: "slope" }, { key: "kernel_ratio", tone: "mixed" }, { key: "alignment" }] },
  compute,
  createView,
};
