// Reads requests from standard input, each {"what": ..., ...}, and writes what the front end's solver, its measures and
// its explorers say of them.
import { text } from "node:stream/consumers";
import { explorers } from "../../frontend/src/explorers/index.js";
import { movedTo } from "../../frontend/src/explorers/phase_diagram.js";
import { ChiSquareQuantile, normalQuantile } from "../../frontend/src/solver/chi_square.js";
import * as solver from "../../frontend/src/solver/index.js";

const { decompose, Draws, Ensemble, GradientFlow, Gram, locate, LossFlow, Network, NeuronFlow, Scaling, Task, testError } = solver;

// JSON has no infinity and no NaN: both travel as text.
const pack = (_, value) => (typeof value === "number" && !Number.isFinite(value) ? String(value) : value);
const plain = (array) => Array.from(array);

const taskOf = (point) => new Task(point.second_moment, point.cross_moment, point.label_moment);
const flowOf = (point, kind = GradientFlow) => new kind(new Network(point), taskOf(point), new Gram(point.uu, point.uw, point.ww));

const SKIPPED = new Set(["constructor", "at", "weights"]);
const camel = (name) => name.replace(/_(\w)/g, (_, letter) => letter.toUpperCase());
const snake = (name) => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);

/** The names of what a class answers, its own and those it inherits. */
function answersOf(prototype) {
  if (prototype === Object.prototype) return [];
  return [...Object.getOwnPropertyNames(prototype), ...answersOf(Object.getPrototypeOf(prototype))];
}

/** Every class that takes a network, a task and a start, with the names of what it answers; it knows a residual. */
function dynamics() {
  const classes = Object.entries(solver).filter(([, thing]) => typeof thing === "function" && "residual" in (thing.prototype ?? {}));
  const names = (prototype) => [...new Set(answersOf(prototype))].filter((key) => !SKIPPED.has(key)).map(snake);
  return Object.fromEntries(classes.map(([name, { prototype }]) => [name, names(prototype)]));
}

function read(flow, name, t) {
  const [quantity, entry] = name.split(".");
  const key = camel(quantity);
  const value = typeof flow[key] === "function" ? flow[key](t) : flow[key];
  return entry ? value[entry] : value;
}

function run(kind, names, point) {
  const flow = flowOf(point, solver[kind]);
  return Object.fromEntries(names.map((name) => [name, read(flow, name, Number(point.t))]));
}

function lossAt({ loss, x, y, ...point }, times) {
  const flow = new LossFlow(new Network(point), loss, x, y, new Gram(point.uu, point.uw, point.ww));
  return times.map((t) => ({ slope: flow.slope(t), kernel: flow.kernel(t), alignment: flow.alignment(t) }));
}

function neuronAt({ a, w, target, eta_a, eta_w }, times) {
  const flow = new NeuronFlow(a, w, target, eta_a, eta_w);
  const names = { loss: "loss", slope: "slope", kernel_size: "kernelSize", kernel_rotation: "kernelRotation", alignment: "alignment" };
  const at = (t) => Object.entries(names).map(([name, method]) => [name, flow[method](t)]);
  return times.map((t) => ({ ...Object.fromEntries(at(Number(t))), ...flow.weights(Number(t)) }));
}

function draw(width, count) {
  const draws = new Draws(count);
  const starts = draws.at(width);
  return { overlap: plain(draws.overlap), length: plain(starts.length), across: plain(starts.across) };
}

function ensemble(point) {
  const all = new Ensemble(new Draws(point.count), new Network(point), taskOf(point));
  return {
    drift: plain(all.kernelDrift()),
    excursion: plain(all.kernelExcursion()),
    alignment: plain(all.finalAlignment()),
    slope: plain(all.initialSlope()),
  };
}

const ANSWERS = {
  dynamics,
  run: ({ kind, names, point }) => run(kind, names, point),
  loss: ({ point, times }) => lossAt(point, times),
  neuron: ({ point, times }) => neuronAt(point, times),
  quantile: ({ degrees, share }) => ({ chi_square: new ChiSquareQuantile(share).at(degrees), normal: normalQuantile(share) }),
  decompose: ({ before, after }) => decompose(new Gram(...before), new Gram(...after)),
  scaling: ({ powers }) => {
    const scaling = new Scaling(powers);
    return { ...scaling.exponents(), phase: scaling.phase(), speed: scaling.speed() };
  },
  locate: ({ point }) => ({ ...locate(flowOf(point)), drift: flowOf(point).kernelDrift }),
  error: ({ point, moment }) => testError(flowOf(point), Number(point.t), moment),
  draws: ({ width, count }) => draw(width, count),
  ensemble: ({ point }) => ensemble(point),
  move: ({ kernel, signal, exponents }) => movedTo(kernel, signal, exponents) ?? null,
  explorer: ({ explorer, values, constants }) => {
    const { parameters, quantities } = explorers[explorer].compute(values, constants);
    return { parameters, quantities };
  },
  browse: ({ explorer, values, table }) =>
    values.map((setting) => {
      const { parameters, quantities, summary } = explorers[explorer].compute(setting, { table });
      const phrases = [summary].flat().map((phrase) => (typeof phrase === "string" ? phrase : phrase.text));
      return { parameters, quantities, summary: phrases.join("") };
    }),
};

const requests = JSON.parse(await text(process.stdin));
process.stdout.write(JSON.stringify(requests.map((request) => ANSWERS[request.what](request)), pack));
