import { specification } from "../base/catalogue.js";
import { formatNumber } from "../base/format.js";
import { LinePanel } from "../charts/line_panel.js";
import { resizeInPairs } from "../charts/panel.js";
import { linear, niceCeiling } from "../charts/scales.js";
import { GradientFlow, LogisticFlow } from "../solver/index.js";
import { gramOf, networkOf, recipe, remembering, sample, taskOf } from "./setting.js";

const { max: LAST } = specification("plateau-and-jump", "tau");
const POINTS = 500;
const GRID = Float64Array.from({ length: POINTS + 1 }, (_, i) => (LAST * i) / POINTS);

function train(setting) {
  const network = networkOf(setting);
  const { second_moment, target } = setting;
  const task = taskOf(setting);
  const gram = gramOf(setting, network);
  const flow = new GradientFlow(network, task, gram);
  const limit = new LogisticFlow(network, task, gram);
  const { signal, floor, halves } = flow.initial;
  const goal = signal * target;
  const unit = 1 / (second_moment * goal);
  const [rising] = halves;
  const falling = floor ** 2 / (2 * goal);
  return {
    flow,
    unit,
    plateau: Math.log((2 * goal) / (rising + falling)),
    longer: Math.log((rising + falling) / (rising / 100 + falling / 1e4)),
    jump: flow.timeToShrink(0.5),
    exact: sample(GRID, (tau) => flow.slope(unit * tau)),
    logistic: sample(GRID, (tau) => limit.slope(unit * tau)),
    alignment: sample(GRID, (tau) => flow.alignment(unit * tau)),
    goal: sample(GRID, () => target),
    level: sample(GRID, () => 0),
    recipe: (t) => recipe(network, task, gram, t),
  };
}

const trained = remembering(train);

function compute(parameters) {
  const { tau, ...setting } = parameters;
  const training = trained(setting);
  const { flow, unit, plateau, longer, jump } = training;
  const t = unit * tau;
  return {
    ...training,
    tau,
    target: setting.target,
    now: { exact: flow.slope(t), alignment: flow.alignment(t) },
    parameters: training.recipe(t),
    quantities: {
      slope: flow.slope(t),
      kernel_ratio: flow.kernelRatio(t),
      alignment: flow.alignment(t),
      plateau: unit * plateau,
      jump_time: jump,
      kernel_floor: flow.kernelFloor,
      "alignment@0": flow.alignment(0),
    },
    headings: { heading: `at time t = ${formatNumber(t, 3)}` },
    summary: summarise(unit, plateau, longer, jump, flow.alignment(0)),
  };
}

/** In words, with the times t of the tiles; the `plateau` and how much `longer` that of ten times smaller weights is come in units. */
function summarise(unit, plateau, longer, jump, alignment) {
  const side =
    alignment < 0
      ? " It starts on the wrong side of the saddle: the layers first lose the alignment they have, then find the other one."
      : "";
  if (plateau < 1) return [{ text: "No plateau", tone: "kernel" }, `: at this initial scale the slope starts to move at once.${side}`];
  return [
    { text: "A plateau, then a jump", tone: "feature" },
    `: half of the error is gone at t = ${formatNumber(jump, 3)} (${formatNumber(jump / unit, 3)} on the axis), where the formula for small weights predicts ${formatNumber(unit * plateau, 3)}. Ten times smaller weights wait ${formatNumber(unit * longer, 2)} longer.${side}`,
  ];
}

function createView(container, { pickTime }) {
  const x = linear(0, LAST);
  const xTitle = "time, in units of 1/(2mγηv*)";
  const slope = new LinePanel(container, {
    title: "slope over time",
    symbol: "v",
    x,
    y: linear(0, 1),
    xTitle,
    aspect: 0.72,
    lines: [
      { key: "goal", kind: "guide", tone: "guide" },
      { key: "plateau", kind: "guide", tone: "guide" },
      { key: "logistic", kind: "limit", tone: "feature" },
      { key: "exact", kind: "exact", tone: "ink", ghost: true },
    ],
  });
  const alignment = new LinePanel(container, {
    title: "alignment of the layers",
    symbol: "ζ",
    x,
    y: linear(-1.05, 1.05),
    xTitle,
    aspect: 0.72,
    lines: [
      { key: "level", kind: "guide", tone: "guide" },
      { key: "alignment", kind: "exact", tone: "ink", ghost: true },
    ],
  });
  for (const panel of [slope, alignment]) panel.onPick(pickTime);
  return {
    resize: (width) => resizeInPairs([slope, alignment], width, 190),
    draw(result) {
      const { plateau, target, tau, now } = result;
      const low = Math.min(...result.exact);
      const [bottom, top] = [low < -0.05 ? -niceCeiling(-low) : 0, Math.max(niceCeiling(target), Math.max(...result.exact))];
      slope.setScale(bottom, top);
      slope.draw({
        lines: {
          exact: { xs: GRID, ys: result.exact, label: "exact" },
          logistic: { xs: GRID, ys: result.logistic, label: "logistic" },
          goal: { xs: GRID, ys: result.goal },
          ...(plateau > 0
            ? { plateau: { xs: [plateau, plateau], ys: [bottom, 0.55 * top], label: "predicted jump", labelAt: 1 } }
            : {}),
        },
        mark: { x: tau, ys: { exact: now.exact } },
        description: `Slope over time, in units in which the jump takes a few: it starts at ${formatNumber(result.exact[0], 2)}, its target is ${formatNumber(target, 3)}, and half of the error is gone at ${formatNumber(result.jump / result.unit, 3)}; the prediction is ${formatNumber(plateau, 3)}.`,
      });
      alignment.draw({
        lines: {
          alignment: { xs: GRID, ys: result.alignment },
          level: { xs: GRID, ys: result.level },
        },
        mark: { x: tau, ys: { alignment: now.alignment } },
        description: `Alignment of the layers over time, from ${formatNumber(result.alignment[0], 2)} to ${formatNumber(result.alignment.at(-1), 3)}.`,
      });
    },
    keepGhost: () => [slope, alignment].forEach((panel) => panel.keepGhost()),
  };
}

/** @type {import("./explorer.js").Explorer} */
export const plateauAndJump = {
  name: "plateau-and-jump",
  numbers: {
    tiles: [
      { key: "jump_time", tone: "feature" },
      { key: "plateau", tone: "guide" },
      { key: "slope" },
      { key: "kernel_ratio" },
      { key: "alignment" },
      { key: "alignment@0", minor: true },
      { key: "kernel_floor", minor: true },
    ],
  },
  compute,
  createView,
};
