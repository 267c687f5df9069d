import { specification } from "../base/catalogue.js";
import { formatNumber } from "../base/format.js";
import { html } from "../base/html.js";
import { stepped } from "../base/parameters.js";
import { LinePanel } from "../charts/line_panel.js";
import { besideOf } from "../charts/panel.js";
import { linear, logarithmic, niceCeiling } from "../charts/scales.js";
import { StepPanel } from "../charts/step_panel.js";
import { FATE, fateAt, fateOf, GradientDescent, LAZY, RUNAWAY } from "../solver/index.js";
import { gramOf, networkOf, recipe, relative, remembering, taskOf } from "./setting.js";

const NAME = "learning-rate";
const { max: LAST } = specification(NAME, "steps");
const RATE = specification(NAME, "eta");
const STEPS = Float64Array.from({ length: LAST + 1 }, (_, n) => n);
const SETTLED = 1e-9; // the turn of a step that moves the kernel no more
const LONG = 3000; // steps after which an end is taken for one
const RATES = 90;
const SEEN = 1e-6; // the smallest and largest loss that are seen, relative to the start
const TALL = 4.5;

function train(setting) {
  const network = networkOf(setting);
  const task = taskOf(setting);
  const gram = gramOf(setting, network);
  const descent = new GradientDescent(network, task, gram);
  const place = fateOf(descent);
  const { couple } = descent.map;
  const kernelAt = (n) => task.secondMoment * descent.kernel(n);
  let halt = 0;
  while (halt < LAST && kernelAt(halt) <= RUNAWAY) halt++;
  const steps = STEPS.slice(0, halt + 1);
  return {
    descent,
    place,
    halt,
    steps,
    slopes: steps.map((n) => couple * descent.slope(n)),
    kernels: steps.map(kernelAt),
    losses: steps.map((n) => relative(descent.loss(n), descent.loss(0))),
    frozen: Float64Array.from({ length: LAST + 1 }, (_, n) => (1 - place.kernel) ** (2 * n)),
    flowEnd: Math.hypot(2 * place.target, task.secondMoment * descent.initial.floor),
    end: place.fate === FATE.settles ? follow(place) : undefined,
    recipe: (t) => ({ ...recipe(network, task, gram, t), dynamics: "GradientDescent" }),
  };
}

/** The largest kernel and the largest turn on the way, how far the kernel strays, whether a step ever raises the loss, and the last kernel. */
function follow({ slope, kernel, target }) {
  const way = { last: kernel, largest: kernel, strays: 0, leap: Math.abs(slope - target), grows: false };
  walk({ slope, kernel, target }, LONG, (k, turn, before) => {
    way.last = k;
    way.largest = Math.max(way.largest, k);
    way.strays = Math.max(way.strays, Math.abs(k / kernel - 1));
    way.leap = Math.max(way.leap, Math.abs(turn));
    way.grows ||= Math.abs(turn) > Math.abs(before);
  });
  return way;
}

/** Takes up to `count` steps by k + 2r and k − 2r alone, until none moves the kernel; `visit` hears of each. */
function walk({ slope, kernel, target }, count, visit) {
  let [ahead, behind] = [kernel + 2 * slope, kernel - 2 * slope];
  let turn = slope - target;
  for (let n = 1; n <= count && Math.abs(turn) > SETTLED; n++) {
    ahead *= (1 - turn) ** 2;
    behind *= (1 + turn) ** 2;
    const next = (ahead - behind) / 4 - target;
    visit((ahead + behind) / 2, next, turn, n);
    turn = next;
  }
}

/** The last kernel at every learning rate, in segments: where training settles, and between which kernels it bounces. */
function sweep({ top, ...setting }) {
  const rates = Float64Array.from({ length: RATES + 1 }, (_, i) => (top * Math.max(i, 0.01)) / RATES);
  const { slope, kernel, target } = fateOf(descentOf({ ...setting, eta: 1 }));
  const ends = { rates, first: rates.map((eta) => eta * kernel), last: new Float64Array(RATES + 1), low: new Float64Array(RATES + 1), high: new Float64Array(RATES + 1) };
  let [settling, bounded] = [0, 0];
  rates.forEach((eta, i) => {
    const [r, k, goal] = [eta * slope, eta * kernel, eta * target];
    const { fate } = fateAt(r, k, goal);
    if (fate === FATE.diverges) return;
    bounded = i + 1;
    ends.last[i] = ends.low[i] = ends.high[i] = k;
    if (fate === FATE.settles) {
      settling = i + 1;
      walk({ slope: r, kernel: k, target: goal }, LONG / 10, (now) => (ends.last[i] = now));
      return;
    }
    let [low, high] = [Infinity, 0];
    walk({ slope: r, kernel: k, target: goal }, 200, (now, _turn, _before, n) => {
      if (n > 100) [low, high] = [Math.min(low, now), Math.max(high, now)];
    });
    [ends.low[i], ends.high[i]] = [low, high];
  });
  return { ...ends, settling, bounded };
}

function descentOf(setting) {
  const network = networkOf(setting);
  return new GradientDescent(network, taskOf(setting), gramOf(setting, network));
}

const trained = remembering(train);
const swept = remembering(sweep);

function compute(parameters) {
  const { steps, ...setting } = parameters;
  const { eta, ...others } = setting;
  const training = trained(setting);
  const { descent, place, halt, end } = training;
  const t = Math.min(Math.round(steps), halt);
  const stopped = halt < LAST && t === halt;
  return {
    ...training,
    eta,
    sweep: swept({ ...others, top: Math.max(RATE.max, niceCeiling(eta)) }),
    now: t,
    runsAway: place.fate === FATE.diverges,
    mix: end ? mixOf(place, end) : 1,
    parameters: training.recipe(t),
    quantities: {
      slope: descent.slope(t),
      kernel_ratio: descent.kernelRatio(t),
      alignment: descent.alignment(t),
    },
    headings: { heading: stopped ? `stopped after ${t} steps: mK is over a million` : `after ${t} of ${LAST} steps` },
    summary: summarise(place, end, training.flowEnd),
  };
}

/** The colour of the way: that of feature learning from the line mK = 2 on, else by how far the kernel strays. */
function mixOf({ kernel }, { largest, strays }) {
  return Math.max(kernel, largest) >= 2 ? 1 : Math.min(Math.log2(1 + strays), 1);
}

function summarise({ slope, kernel, lid, target, fate }, end, flowEnd) {
  const first = formatNumber(kernel, 2);
  if (fate === FATE.diverges) {
    const why =
      Math.abs(target) >= 2
        ? `at mγηv* = ${formatNumber(target, 3)} there is no lid to stay under`
        : `it starts at mK₀ = ${formatNumber(kernel, 3)}, above the lid, which is at ${formatNumber(lid, 3)} there, and no step leads back under it`;
    return [{ text: "Divergence", tone: "ink" }, `: ${why}.`];
  }
  if (fate === FATE.bounces) {
    return [
      { text: "Bouncing for ever", tone: "ink" },
      `: at the target no kernel is below 2 (mγηv* = ${formatNumber(target, 3)} is above 1), so training cannot settle; under the lid it cannot run away either.`,
    ];
  }
  if (slope === target) return [{ text: "Nothing to learn", tone: "kernel" }, ": the network starts at its target, and no step moves it."];
  const ratio = formatNumber(end.last / kernel, 3);
  if (kernel >= 2) {
    const how = end.grows
      ? `above mK = 2 (here ${first}) steps overshoot further and further, until that throws the kernel down`
      : `it starts above mK = 2 (at ${first}), and its first steps throw the kernel down`;
    return [
      { text: "Catapult", tone: "feature" },
      `: ${how}, to ${ratio} of its start. There training settles${end.strays > LAZY ? ", with new features" : ""}.`,
    ];
  }
  if (end.largest > 2) {
    return [
      { text: "Edge of stability", tone: "feature" },
      `: from mK₀ = ${first} the kernel grows past 2; there steps overshoot, and overshooting pushes it back under. It ends at mK = ${formatNumber(end.last, 4)}.`,
    ];
  }
  if (end.strays <= LAZY) {
    return [
      { text: "Lazy", tone: "kernel" },
      `: mK₀ = ${first} is below 2. ${end.grows ? "T" : "Every step comes closer to the target, and t"}he kernel stays what it was, to within 1 %.`,
    ];
  }
  return [
    { text: "A smooth descent", tone: "mixed" },
    `: mK stays below 2 all the way. The kernel ends at ${ratio} of its start; infinitely small steps would take it to ${formatNumber(flowEnd / kernel, 3)}.`,
  ];
}

function createView(container, { pickTime, set }) {
  container.classList.add("flb-beside");
  const plane = new StepPanel(container, { title: "every step, in the plane of slope and kernel" });
  const side = html("div", { class: "flb-side" });
  container.append(side);
  const loss = new LinePanel(side, {
    title: "loss, relative to the start",
    symbol: "L/L₀",
    x: linear(0, LAST),
    y: logarithmic(SEEN, 1 / SEEN),
    xTitle: "gradient steps",
    labelRoom: 66,
    lines: [
      { key: "level", kind: "guide", tone: "guide" },
      { key: "frozen", kind: "frozen", tone: "kernel" },
      { key: "loss", kind: "exact", tone: "mixed", points: true, ghost: true },
    ],
  });
  const ends = new LinePanel(side, {
    title: "kernel, start and end",
    symbol: "mK",
    x: linear(0, RATE.max),
    y: linear(0, TALL),
    xTitle: "learning rate η",
    labelRoom: 66,
    lines: [
      { key: "lost", kind: "none", tone: "guide", band: true },
      { key: "bouncing", kind: "none", tone: "ink", band: true },
      { key: "two", kind: "guide", tone: "guide" },
      { key: "first", kind: "frozen", tone: "kernel" },
      { key: "last", kind: "exact", tone: "mixed" },
    ],
  });
  loss.onPick(pickTime);
  ends.onPick((place) => {
    const rate = Math.min(Math.max(ends.x.value(place), RATE.min), RATE.max);
    set({ eta: stepped(RATE, rate, 0) });
  });
  return {
    resize(width) {
      const { wide, main: square, rest } = besideOf(width, 0.53);
      const tall = wide ? Math.min(Math.round(square * 0.85), 306) : 172;
      side.style.width = `${rest}px`;
      plane.resize(square, tall);
      for (const panel of [loss, ends]) panel.resize(rest, wide ? Math.round((tall - 27) / 2) : 86);
    },
    draw(result) {
      const { place, steps, losses, now, kernels, halt } = result;
      container.classList.toggle("flb-runaway", result.runsAway);
      plane.draw({
        slopes: result.slopes,
        kernels,
        now,
        target: place.target,
        description: `The plane of the slope mγηv and the kernel mK. Training starts at mK = ${formatNumber(place.kernel, 3)} and is after ${now} steps at mK = ${formatNumber(kernels[now], 3)}. Above the line mK = 2 steps overshoot more than they correct; above a lid at about mK = ${formatNumber(place.lid, 3)} training diverges.`,
      });
      const left = losses[halt];
      loss.draw({
        lines: {
          level: { xs: [0, LAST], ys: [1, 1] },
          frozen: { xs: STEPS, ys: result.frozen, label: "frozen K" },
          loss: { xs: steps, ys: losses, label: left < SEEN ? "↓ to 0" : halt < LAST ? "↑" : "" },
        },
        mark: { x: now, ys: { loss: losses[now] } },
        description: `Loss relative to its start, over ${halt} steps, on a logarithmic axis: the largest is ${formatNumber(Math.max(...losses), 2)}, the last ${formatNumber(left, 2)}. With a frozen kernel every step would multiply it by ${formatNumber(result.frozen[1], 3)}.`,
      });
      drawEnds(result);
    },
    keepGhost: () => [plane, loss].forEach((panel) => panel.keepGhost()),
  };

  function drawEnds({ sweep: found, eta, end }) {
    const { rates, settling, bounded } = found;
    const top = rates[rates.length - 1];
    ends.setSpan(0, top);
    const part = (array, from, to) => array.slice(from, Math.min(to, array.length));
    const lost = bounded < rates.length ? rates[Math.max(bounded - 1, 0)] : top;
    ends.draw({
      lines: {
        two: { xs: [0, top], ys: [2, 2] },
        first: { xs: rates, ys: found.first, label: "start" },
        last: { xs: part(rates, 0, settling), ys: part(found.last, 0, settling), label: settling ? "end" : "" },
        bouncing: { xs: part(rates, settling, bounded), ys: [], low: part(found.low, settling, bounded), high: part(found.high, settling, bounded) },
        ...(lost < top ? { lost: { xs: [lost, top], ys: [3, 3], low: [0, 0], high: [TALL, TALL], label: "diverges" } } : {}),
      },
      mark: { x: eta, ys: end ? { last: end.last } : {} },
      description: `The kernel mK at the start and in the end, against the learning rate: where training comes to rest, it is at 2 or below. Training diverges ${lost < top ? `from η = ${formatNumber(lost, 2)} on` : "nowhere on this axis"}.`,
    });
  }
}

/** @type {import("./explorer.js").Explorer} */
export const learningRate = {
  name: NAME,
  numbers: { tiles: [{ key: "slope" }, { key: "kernel_ratio", tone: "mixed" }, { key: "alignment" }] },
  compute,
  createView,
};
