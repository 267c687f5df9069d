import { specification } from "../base/catalogue.js";
import { formatNumber } from "../base/format.js";
import { LinePanel } from "../charts/line_panel.js";
import { linear, logarithmic } from "../charts/scales.js";
import { NeuronFlow, ratio } from "../solver/index.js";
import { remembering } from "./setting.js";

const NAME = "turning-neuron";
const { min: FIRST, max: LAST } = specification(NAME, "t");
const TIME = logarithmic(FIRST, LAST);
const GRID = Float64Array.from({ length: 161 }, (_, i) => TIME.value(i / 160));
const [LEFT, RIGHT, BOTTOM, TOP] = [-0.45, 1.5, -0.65, 0.65]; // of the plane, in units of |v*|
const SIZE = 0.13; // of the kernel's ellipse
const NEAR = 0.35; // how far from its start that plane is seen on all sides
const ROUND = Float64Array.from({ length: 49 }, (_, i) => (i * Math.PI) / 24);
const ARC = 40;
const QUARTERS = [[1, 0], [0, 1], [-1, 0]];
const STILL = 0.1; // how far a kernel may move that is called lazy
const ROUNDING = 1e-12;
const [TURNED, GONE] = [0.01, 0.1]; // of its turn, and of the loss that is gone by then where the turn is called delayed
const STRIDE = 0.03; // of |v*|, the longest between two points of the path
const HALVINGS = 8;

/** The start that parameters describe, its target along the first axis. */
function startOf({ layer_ratio, start_size, angle, target, eta_a, eta_w, dimensions }) {
  const turn = (angle * Math.PI) / 180;
  const [along, across] = QUARTERS[angle / 90] ?? [Math.cos(turn), Math.sin(turn)];
  const length = Math.sqrt(start_size / layer_ratio);
  const rest = new Array(Math.round(dimensions) - 2).fill(0);
  return {
    a: Math.sqrt(start_size * layer_ratio),
    w: [length * along, length * across, ...rest],
    target: [target, 0, ...rest],
    eta_a,
    eta_w,
  };
}

function train(setting) {
  const start = startOf(setting);
  const flow = new NeuronFlow(start.a, start.w, start.target, start.eta_a, start.eta_w);
  const loss0 = flow.loss(0);
  const share = (t) => (loss0 > 0 ? flow.loss(t) / loss0 : 0);
  const [loss, turn] = [new Float64Array(GRID.length), new Float64Array(GRID.length)];
  let moved = 0;
  GRID.forEach((t, i) => {
    loss[i] = share(t);
    turn[i] = flow.kernelRotation(t);
    moved = Math.max(moved, Math.abs(flow.kernelRatio(t) - 1), turn[i]);
  });
  const { times, path } = pathOf(flow, setting.target);
  return {
    start,
    flow,
    share,
    curves: { loss, turn },
    times,
    path,
    limits: limitsOf(setting),
    sentence: summarise(flow, share, turn, moved),
  };
}

const trained = remembering(train);

/** The way in the plane, in units of the target, with no long strides between its times. */
function pathOf(flow, unit) {
  const place = (t) => {
    const { a, along, kept } = flow.at(t);
    return { t, x: (a * along) / unit, y: (a * kept * flow.side) / unit };
  };
  const points = [place(0)];
  const goTo = (next, depth) => {
    const last = points[points.length - 1];
    if (depth > 0 && Math.hypot(next.x - last.x, next.y - last.y) > STRIDE) {
      goTo(place(last.t > 0 ? Math.sqrt(last.t * next.t) : next.t / 2), depth - 1);
      goTo(next, depth - 1);
    } else points.push(next);
  };
  for (let i = 0; i < GRID.length; i += 2) goTo(place(GRID[i]), HALVINGS);
  return { times: points.map(({ t }) => t), path: { xs: points.map(({ x }) => x), ys: points.map(({ y }) => y) } };
}

/**
 * Both limits: straight to the target, and first along w as far as that helps, then, as w turns, on the circle over the
 * target.
 */
function limitsOf({ angle, start_size, target }) {
  const turn = (angle * Math.PI) / 180;
  const size = start_size / target;
  const [x, y] = [size * Math.cos(turn), size * Math.sin(turn)];
  const end = angle > 90 ? Math.PI : 0;

  const left = Math.abs(turn - end);
  const turns = Array.from({ length: ARC + 1 }, (_, i) => turn + ((end - turn) * i) / ARC);
  return {
    // where their names stand, if there is room
    at: { straight: left > 0.35 && Math.hypot(x - 1, y) > 0.5 ? 1 : -1, circle: left > 0.35 ? Math.round(ARC * Math.max(1 - Math.PI / 6 / left, 0.4)) : -1 },
    straight: { xs: [x, (x + 1) / 2, 1], ys: [y, y / 2, 0] },
    circle: { xs: [x, ...turns.map((at) => Math.cos(at) ** 2)], ys: [y, ...turns.map((at) => Math.cos(at) * Math.sin(at))] },
  };
}

/** The shape of the kernel as an ellipse round (x, y): as long along w as that is the most. */
function ellipse({ w }, { even, turning }, { x, y }, size) {
  const length = Math.hypot(...w) || 1;
  const [along, across] = [w[0] / length, w[1] / length];
  const narrow = ratio(even, even + turning, 1);
  const point = (at) => [size * Math.cos(at), size * narrow * Math.sin(at)];
  const points = Array.from(ROUND, point);
  return {
    xs: points.map(([p, q]) => x + p * along - q * across),
    ys: points.map(([p, q]) => y + p * across + q * along),
  };
}

function compute(parameters) {
  const { t, ...setting } = parameters;
  const { start, flow, share, curves, times, path, limits, sentence } = trained(setting);
  const { target } = setting;
  const place = (time) => {
    const [x, y] = flow.slope(time).map((value) => value / target);
    return { x, y };
  };
  const [begin, now] = [place(0), place(t)];
  const frame = Math.max(Math.hypot(begin.x, begin.y) / NEAR, 1);
  const [growth, rotation] = [flow.kernelRatio(t), flow.kernelRotation(t)];
  const come = times.filter((time) => time <= t).length;
  return {
    t,
    path,
    passed: { xs: [...path.xs.slice(0, come), now.x], ys: [...path.ys.slice(0, come), now.y] },
    limits,
    begin,
    now,
    frame,
    before: ellipse(flow.weights(0), flow.parts(0), begin, frame * SIZE),
    after: ellipse(flow.weights(t), flow.parts(t), now, frame * SIZE),
    curves,
    share: share(t),
    mix: Math.min(Math.abs(Math.log2(growth)) + 2 * rotation, 1),
    parameters: { ...start, t },
    quantities: { loss: flow.loss(t), kernel_ratio: growth, kernel_rotation: rotation },
    headings: { heading: `at time t = ${formatNumber(t, 3)}, imbalance Δ = ${imbalanceOf(flow)}` },
    summary: sentence,
  };
}

/** Δ in print, 0 where it is nothing but rounding. */
function imbalanceOf(flow) {
  return formatNumber(Math.abs(flow.imbalance) < ROUNDING * flow.kernelSize(0) ? 0 : flow.imbalance, 3);
}

function summarise(flow, share, turn, moved) {
  const lead = `Imbalance Δ = ${imbalanceOf(flow)}: `;
  const most = Math.max(...turn);
  const turned = `turns by up to 1 − cos = ${formatNumber(most, 2)}`;
  if (flow.rising === 0 && flow.loss(Infinity) > 0) {
    return [lead, { text: "stuck", tone: "kernel" }, ". The neuron shrinks into the saddle at 0 and never reaches the target."];
  }
  if (moved <= STILL) {
    const way = flow.imbalance > 0 ? "The way is straight, and the" : "The";
    return [lead, { text: "lazy", tone: "kernel" }, `. ${way} kernel changes by ${formatNumber(100 * moved, 2)} % at most.`];
  }
  const gone = 1 - share(timeOfTurn(flow, turn, TURNED * most));
  if (flow.imbalance < -2 * flow.eta * flow.distance && most > STILL && gone > GONE) {
    const early = `${formatNumber(100 * gone, 2)} % of the loss is gone before the kernel turns`;
    return [lead, { text: "first lazy, then rich", tone: "feature" }, `. ${early}; it ${turned}.`];
  }
  const size = formatNumber(flow.kernelRatio(LAST), 3);
  const still = most < TURNED ? "hardly turns" : turned;
  return [lead, { text: "rich", tone: "feature" }, `. While the loss falls, the kernel ${still} and ends at ${size} times its size.`];
}

/** When the kernel has turned so far, to a hair. */
function timeOfTurn(flow, turn, wanted) {
  const later = turn.findIndex((one) => one >= wanted);
  let [low, high] = [later > 0 ? GRID[later - 1] : FIRST, GRID[Math.max(later, 0)]];
  for (let i = 0; i < 20; i++) {
    const middle = Math.sqrt(low * high);
    if (flow.kernelRotation(middle) < wanted) low = middle;
    else high = middle;
  }
  return low;
}

function createView(container, { pickTime }) {
  const plane = new LinePanel(container, {
    title: "what it computes; its kernel as an ellipse",
    x: linear(LEFT, RIGHT),
    y: linear(BOTTOM, TOP),
    xTitle: "along the target, in units of |v*|",
    labelRoom: 12,
    lines: [
      { key: "straight", kind: "guide", tone: "kernel" },
      { key: "circle", kind: "guide", tone: "feature" },
      { key: "before", kind: "plain", tone: "guide" },
      { key: "path", kind: "plain", tone: "guide", ghost: true },
      { key: "passed", kind: "exact", tone: "mixed" },
      { key: "after", kind: "plain", tone: "mixed" },
      { key: "target", kind: "none", tone: "ink" },
      { key: "begin", kind: "none", tone: "guide" },
      { key: "now", kind: "none", tone: "mixed" },
    ],
  });
  const curves = new LinePanel(container, {
    title: "the loss falls, the kernel turns",
    x: TIME,
    y: linear(0, 1.02),
    xTitle: "time t",
    labelRoom: 74,
    lines: [
      { key: "loss", kind: "exact", tone: "ink", ghost: true },
      { key: "turn", kind: "exact", tone: "mixed", ghost: true },
    ],
  });
  curves.onPick(pickTime);
  return {
    resize(width) {
      const wide = width >= 560;
      const each = wide ? (width - 24) / 2 : width;
      // the same unit on both axes
      const height = Math.round(((each - 52) * (TOP - BOTTOM)) / (RIGHT - LEFT)) + 44;
      plane.resize(each, height);
      curves.resize(each, wide ? height : 112);
    },
    draw(result) {
      const { t, frame, path, passed, limits, begin, now, before, after, share, quantities } = result;
      plane.setSpan(frame * LEFT, frame * RIGHT);
      plane.setScale(frame * BOTTOM, frame * TOP);
      const { straight, circle, at } = limits;
      const named = (line, label, labelAt, lift) => (labelAt < 0 ? line : { ...line, label, labelAt, lift });
      plane.draw({
        lines: {
          straight: named(straight, "Δ → ∞", at.straight, -11),
          circle: named(circle, "Δ → −∞", at.circle, 5),
          before,
          path,
          passed,
          after,
          target: { xs: [1], ys: [0], label: "v*", labelAt: 0, lift: -1 },
          begin: { xs: [begin.x], ys: [begin.y], label: "start", labelAt: 0, lift: begin.x < 0 ? 13 : -13 },
          now: { xs: [now.x], ys: [now.y] },
        },
        places: { target: { x: 1, y: 0 }, begin, now },
        description: describe(result),
      });
      curves.draw({
        lines: {
          loss: { xs: GRID, ys: result.curves.loss, label: "loss" },
          turn: { xs: GRID, ys: result.curves.turn, label: "turn of K" },
        },
        mark: { x: t, ys: { loss: share, turn: quantities.kernel_rotation } },
        description: describeCurves(result),
      });
    },
    keepGhost: () => [plane, curves].forEach((panel) => panel.keepGhost()),
  };
}

function describe({ begin, now, path, t }) {
  const at = ({ x, y }) => `${formatNumber(x, 3)} along the target and ${formatNumber(y, 3)} across it`;
  const last = path.xs.length - 1;
  return `What the neuron computes, in units of the target: it starts ${at(begin)}, at t = ${formatNumber(t, 3)} it is ${at(now)}, and it ends ${at({ x: path.xs[last], y: path.ys[last] })}. An infinite imbalance would lead straight to the target or, if negative, first along the input weights and then round on a circle.`;
}

function describeCurves({ curves, t, share, quantities }) {
  const end = (ys) => formatNumber(ys[ys.length - 1], 3);
  return `Loss, relative to its start, and turn of the kernel, over time on a logarithmic axis: at t = ${formatNumber(t, 3)} the loss is ${formatNumber(share, 3)} and the turn 1 − cos ${formatNumber(quantities.kernel_rotation, 3)}; they end at ${end(curves.loss)} and ${end(curves.turn)}.`;
}

/** @type {import("./explorer.js").Explorer} */
export const turningNeuron = {
  name: NAME,
  numbers: { tiles: [{ key: "loss" }, { key: "kernel_ratio", tone: "mixed" }, { key: "kernel_rotation", tone: "mixed" }] },
  compute,
  createView,
};
