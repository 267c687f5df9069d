// Reads {"points": [...], "settings": [...]} from standard input and writes what the browser's solver says of them.
import { text } from "node:stream/consumers";
import { explorers } from "../../frontend/src/explorers/index.js";
import { GradientFlow, Gram, KernelFlow, LogisticFlow, Network, Task } from "../../frontend/src/solver/index.js";

const READ = {
  gradient_flow: {
    slope: (flow, t) => flow.slope(t),
    residual: (flow, t) => flow.residual(t),
    loss: (flow, t) => flow.loss(t),
    kernel: (flow, t) => flow.kernel(t),
    alignment: (flow, t) => flow.alignment(t),
    kernel_alignment: (flow, t) => flow.kernelAlignment(t),
    imbalance: (flow, t) => flow.imbalance(t),
    determinant: (flow, t) => flow.determinant(t),
    uu: (flow, t) => flow.gram(t).uu,
    uw: (flow, t) => flow.gram(t).uw,
    ww: (flow, t) => flow.gram(t).ww,
    rate: (flow) => flow.rate,
    kernel_floor: (flow) => flow.kernelFloor,
  },
  kernel_flow: {
    slope: (flow, t) => flow.slope(t),
    residual: (flow, t) => flow.residual(t),
    loss: (flow, t) => flow.loss(t),
    kernel: (flow, t) => flow.kernel(t),
  },
  logistic_flow: {
    slope: (flow, t) => flow.slope(t),
    residual: (flow, t) => flow.residual(t),
    loss: (flow, t) => flow.loss(t),
    kernel: (flow, t) => flow.kernel(t),
  },
};
const KINDS = { gradient_flow: GradientFlow, kernel_flow: KernelFlow, logistic_flow: LogisticFlow };

// JSON has no infinity and no NaN: both travel as text.
const pack = (value) => (Number.isFinite(value) ? value : String(value));
const unpack = (value) => Number(value);
const packed = (numbers) => Object.fromEntries(Object.entries(numbers).map(([key, value]) => [key, pack(value)]));

function answer(point) {
  const network = new Network({ width: 1, gamma: point.gamma, eta_u: point.eta_u, eta_w: point.eta_w });
  const task = new Task(point.second_moment, point.cross_moment, point.label_moment);
  const gram = new Gram(point.uu, point.uw, point.ww);
  const t = unpack(point.t);
  const answers = {};
  for (const kind of point.kinds) {
    const flow = new KINDS[kind](network, task, gram);
    for (const [name, read] of Object.entries(READ[kind])) answers[`${kind}.${name}`] = pack(read(flow, t));
  }
  return answers;
}

function explore({ explorer, parameters, draws }) {
  const { parameters: recipe, quantities } = explorers[explorer].compute(parameters, draws);
  const { reference, ...rest } = recipe;
  return {
    quantities: packed(quantities),
    parameters: { ...packed(rest), ...(reference ? { reference: packed(reference) } : {}) },
  };
}

const { points = [], settings = [] } = JSON.parse(await text(process.stdin));
process.stdout.write(JSON.stringify({ points: points.map(answer), settings: settings.map(explore) }));
