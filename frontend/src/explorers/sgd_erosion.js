import { specification } from "../base/catalogue.js";
import { formatCount, formatNumber, formatPower } from "../base/format.js";
import { html } from "../base/html.js";
import { LinePanel } from "../charts/line_panel.js";
import { besideOf } from "../charts/panel.js";
import { linear, logarithmic } from "../charts/scales.js";
import { LAZY, RUNAWAY, StochasticDescent, stepsToSink } from "../solver/index.js";
import { gramOf, networkOf, recipe, relative, remembering, taskOf } from "./setting.js";
import { stepDraws } from "./step_draws.js";

const NAME = "sgd-erosion";
const { max: LAST } = specification(NAME, "steps");
const PATHS = 4; // besides the one whose numbers are shown
const PER_DECADE = 40;
const RICH = 1; // the distance inside which a network is rich
const FAR = 1 / Math.sqrt((1 + LAZY) ** 2 - 1); // beyond it, it is lazy
const [NEAREST, FARTHEST] = [1e-3, 1e3];
// the steps at which curves are drawn, evenly spaced on the logarithmic axis
const PLACES = Float64Array.from(new Set(Array.from({ length: PER_DECADE * Math.log10(LAST) + 1 }, (_, i) => Math.round(10 ** (i / PER_DECADE)))));

/** @type {{index: Uint8Array, normal: Float64Array}[]} made once: the same draws at every setting */
const drawn = [];
const drawsOf = (path) => (drawn[path] ??= stepDraws(path, LAST));

/** Two examples at one place, on either side of the line by the noise that the task has of its own. */
function dataOf({ second_moment, target, noise }) {
  const [at, off] = [Math.sqrt(second_moment), Math.sqrt(noise)];
  return { x: [at, at], y: [at * target + off, at * target - off] };
}

function train({ label_noise, ...setting }) {
  const network = networkOf(setting);
  const gram = gramOf(setting, network);
  const data = dataOf(/** @type {any} */ (setting));
  const { index, normal } = drawsOf(0);
  const descent = new StochasticDescent(network, data, gram, { size: 1, index, noise: normal.map((draw) => label_noise * draw) });
  const { initial, task, map } = descent;
  const { target, secondMoment: m } = task;
  const unit = initial.signal * Math.abs(target);
  const distance = (t) => Math.abs(initial.floor * descent.shrinkage(t)) / unit;
  let halt = LAST;
  if (!(m * descent.kernel(LAST) <= RUNAWAY)) for (halt = 0; m * descent.kernel(halt) <= RUNAWAY; halt++);
  const places = PLACES.filter((n) => n <= halt);
  const start = distance(0);
  const turn = map.turn;
  const noise = { stirring: turn * turn * m * (setting.noise + label_noise * label_noise), drag: turn * Math.abs(target) * m };
  const ways = places.map(distance);
  const loss0 = descent.loss(0);
  return {
    descent,
    halt,
    places,
    start,
    distance,
    ways,
    others: Array.from({ length: PATHS }, (_, i) => follow(descent, label_noise, Math.sqrt(setting.noise), drawsOf(i + 1), unit, places)),
    losses: places.map((n) => relative(descent.loss(n), loss0)),
    alignments: places.map((n) => descent.alignment(n)),
    noisy: noise.stirring > 0,
    derived: derive(noise, start),
    arrival: arrive(distance, halt),
    restless: map.couple * Math.abs(target) >= 1,
    predicted: noise.stirring > 0 ? stepsToSink(noise, start, RICH) : Infinity,
    recipe: (t) => ({
      ...recipe(network, taskOf(/** @type {any} */ (setting)), gram, t),
      dynamics: "StochasticDescent",
      x: data.x,
      y: data.y,
      label_noise,
      draws: { law: "step_draws", path: 0 },
    }),
  };
}

/** The distances of another path at `places`, in plain arithmetic. */
function follow({ initial, map, task }, label_noise, off, { index, normal }, unit, places) {
  const { turn } = map;
  const { target, secondMoment: m } = task;
  const pull = Math.sqrt(m) * turn;
  let [ahead, behind] = initial.halves;
  let place = 0;
  const ways = new Float64Array(places.length);
  for (let n = 1; place < places.length; n++) {
    const slope = (ahead - behind) / (2 * initial.signal);
    const h = turn * m * (slope - target) - pull * (label_noise * normal[n - 1] + (index[n - 1] ? -off : off));
    ahead = Math.min(ahead * (1 - h) ** 2, Number.MAX_VALUE);
    behind = Math.min(behind * (1 + h) ** 2, Number.MAX_VALUE);
    if (places[place] === n) ways[place++] = (Math.sqrt(ahead) * Math.sqrt(behind)) / unit;
  }
  return ways;
}

/** The mean way by formula, as points on the axes; nothing where nothing stirs. */
function derive(noise, start) {
  const [xs, ys] = [[1], [start]];
  if (!(noise.stirring > 0)) return { xs: [1, LAST], ys: [start, start] };
  for (let i = 1; i <= 120; i++) {
    const to = start * (NEAREST / start / 10) ** (i / 120);
    const n = stepsToSink(noise, start, to);
    if (n > LAST) break;
    if (n >= 1) [xs.push(n), ys.push(to)];
  }
  return { xs, ys };
}

/** The first step at which the network is rich; none if it is not in the end. */
function arrive(distance, halt) {
  if (halt < LAST || !(distance(LAST) < RICH)) return undefined;
  let n = 0;
  while (distance(n) >= RICH) n++;
  return n;
}

const trained = remembering(train);

function compute(parameters) {
  const { steps, ...setting } = parameters;
  const training = trained(setting);
  const { descent, halt, distance } = training;
  const t = Math.min(Math.round(steps), halt);
  const here = distance(t);
  return {
    ...training,
    now: { t, here, loss: relative(descent.loss(t), descent.loss(0)), alignment: descent.alignment(t) },
    runsAway: halt < LAST,
    mix: halt < LAST ? 1 : Math.min(Math.max(1 - Math.log(here) / Math.log(FAR), 0), 1),
    parameters: training.recipe(t),
    quantities: {
      slope: descent.slope(t),
      kernel_ratio: descent.kernelRatio(t),
      alignment: descent.alignment(t),
    },
    headings: { heading: t === halt && halt < LAST ? `stopped after ${formatCount(t)} steps: mK is over a million` : `after ${formatCount(t)} steps` },
    summary: summarise(training),
  };
}

/** What a network at this distance is called. */
const named = (distance) => (distance < RICH ? "rich" : distance < FAR ? "in between" : "lazy");

function summarise({ halt, noisy, restless, start, distance, arrival, predicted }) {
  const from = `ρ = ${formatNumber(start, 3)}`;
  if (halt < LAST) return [{ text: "Divergence", tone: "ink" }, `: steps this large on labels this noisy throw the network out of every bound, after ${formatCount(halt)} of them.`];
  const end = distance(LAST);
  if (!noisy && restless) {
    return [
      { text: "Without noise, and yet no rest", tone: "mixed" },
      `: at the target no kernel is below 2, so steps overshoot for ever, and wear away what noise would: from ${from} the network comes to ${formatNumber(end, 3)} (${named(end)}).`,
    ];
  }
  if (!noisy) {
    return [
      { text: "Without noise", tone: named(end) === "lazy" ? "kernel" : "mixed" },
      ` the way ends where the loss does: from ${from} the steps themselves take the network to ${formatNumber(end, 3)}, and there it stays, ${named(end)}.`,
    ];
  }
  if (start < RICH) return [{ text: "Rich from the start", tone: "feature" }, `: at ${from} there is little left to wear away, and noise wears it away.`];
  if (arrival === undefined) {
    return [
      { text: "Noise never lets training rest", tone: "mixed" },
      `: after ${formatCount(LAST)} steps it has taken the network from ${from} (${named(start)}) to ${formatNumber(end, 3)} (${named(end)}). By the formula the rich side comes at step ${formatNumber(predicted, 2)}.`,
    ];
  }
  return [
    { text: "Noise never lets training rest", tone: "feature" },
    `: the loss soon only trembles, and the layers go on, from ${from} (${named(start)}) to the rich side at step ${formatCount(arrival)}. The formula says ${formatCount(Math.round(predicted))}.`,
  ];
}

function createView(container, { pickTime }) {
  container.classList.add("flb-beside");
  const x = logarithmic(1, LAST);
  const path = new LinePanel(container, {
    title: "distance from the rich corner of the map",
    symbol: "ρ",
    className: "flb-steps",
    x,
    y: logarithmic(NEAREST, FARTHEST),
    xTitle: "steps",
    labelRoom: 66,
    lines: [
      { key: "lazy", kind: "none", tone: "kernel", band: true },
      { key: "rich", kind: "none", tone: "feature", band: true },
      { key: "still", kind: "guide", tone: "guide" },
      ...Array.from({ length: PATHS }, (_, i) => ({ key: `other${i}`, kind: "thin", tone: "mixed" })),
      { key: "derived", kind: "frozen", tone: "ink" },
      { key: "way", kind: "exact", tone: "mixed", ghost: true },
    ],
  });
  const side = html("div", { class: "flb-side" });
  container.append(side);
  const layout = { x, xTitle: "steps", labelRoom: 16 };
  const loss = new LinePanel(side, {
    ...layout,
    title: "loss on clean labels",
    symbol: "L/L₀",
    xTitle: "",
    y: logarithmic(1e-5, 1e3),
    lines: [
      { key: "level", kind: "guide", tone: "guide" },
      { key: "loss", kind: "exact", tone: "ink", ghost: true },
    ],
  });
  const alignment = new LinePanel(side, {
    ...layout,
    title: "alignment of the layers",
    symbol: "ζ",
    y: linear(-1.05, 1.05),
    lines: [
      { key: "level", kind: "guide", tone: "guide" },
      { key: "alignment", kind: "exact", tone: "mixed", ghost: true },
    ],
  });
  const panels = [path, loss, alignment];
  for (const panel of panels) panel.onPick(pickTime);
  const across = [1, LAST];
  const band = (low, high, label, at) => ({ xs: across, ys: [at, NaN], low: [low, low], high: [high, high], label, labelAt: 0 });
  return {
    resize(width) {
      const { wide, main, rest } = besideOf(width, 0.56);
      const tall = wide ? 306 : 176;
      side.style.width = `${rest}px`;
      path.resize(main, tall);
      loss.resize(rest, wide ? Math.round((tall - 27) / 2) - 7 : 72);
      alignment.resize(rest, wide ? Math.round((tall - 27) / 2) + 7 : 86);
    },
    draw(result) {
      const { places, ways, others, derived, start, now, noisy, losses, alignments } = result;
      container.classList.toggle("flb-runaway", result.runsAway);
      const last = ways[ways.length - 1];
      path.draw({
        lines: {
          lazy: band(FAR, FARTHEST, "lazy", 0.4 * FARTHEST),
          rich: band(NEAREST, RICH, "rich", 3 * NEAREST),
          still: { xs: across, ys: [start, start], label: noisy ? "flow" : "" },
          ...Object.fromEntries(others.map((ys, i) => [`other${i}`, { xs: places, ys }])),
          ...(noisy ? { derived: { ...derived, label: derived.xs.length > 1 ? "formula" : "" } } : {}),
          way: { xs: places, ys: ways, label: last < NEAREST ? `↓ ${last > 0 ? formatPower(Math.round(Math.log10(last))) : 0}` : "" },
        },
        mark: { x: now.t, ys: { way: now.here } },
        description: `Distance ρ from the rich corner of the map over steps, both on logarithmic axes: from ${formatNumber(start, 3)} to ${formatNumber(last, 3)}, with ${PATHS} other draws of the noise beside it. Below ${RICH} a network is rich, above ${formatNumber(FAR, 2)} lazy. Under gradient flow it would stay at ${formatNumber(start, 3)}.`,
      });
      loss.draw({
        lines: { level: { xs: across, ys: [1, 1] }, loss: { xs: places, ys: losses } },
        mark: { x: now.t, ys: { loss: now.loss } },
        description: `Loss on labels without noise, relative to its start: ${formatNumber(losses[0], 2)} after one step, ${formatNumber(losses[losses.length - 1], 2)} in the end.`,
      });
      alignment.draw({
        lines: { level: { xs: across, ys: [0, 0] }, alignment: { xs: places, ys: alignments } },
        mark: { x: now.t, ys: { alignment: now.alignment } },
        description: `Alignment of the layers over steps, from ${formatNumber(alignments[0], 2)} to ${formatNumber(alignments[alignments.length - 1], 3)}.`,
      });
    },
    keepGhost: () => panels.forEach((panel) => panel.keepGhost()),
  };
}

/** @type {import("./explorer.js").Explorer} */
export const sgdErosion = {
  name: NAME,
  numbers: { tiles: [{ key: "slope" }, { key: "kernel_ratio", tone: "mixed" }, { key: "alignment" }] },
  compute,
  createView,
};
