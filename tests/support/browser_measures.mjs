// Reads requests from standard input, each {"what": ..., ...}, and writes what the browser's measures say of them.
import { text } from "node:stream/consumers";
import { explorers } from "../../frontend/src/explorers/index.js";
import { movedTo } from "../../frontend/src/explorers/phase_diagram.js";
import { ChiSquareQuantile, normalQuantile } from "../../frontend/src/solver/chi_square.js";
import * as solver from "../../frontend/src/solver/index.js";

const { decompose, Draws, Ensemble, GradientFlow, Gram, locate, Network, Scaling, Task, testError } = solver;

// JSON has no infinity and no NaN: both travel as text.
const pack = (_, value) => (typeof value === "number" && !Number.isFinite(value) ? String(value) : value);
const plain = (array) => Array.from(array);

function flowOf(point) {
  const gram = new Gram(point.uu, point.uw, point.ww);
  return new GradientFlow(new Network(point), new Task(point.second_moment, point.cross_moment, point.label_moment), gram);
}

function draw(width, count) {
  const draws = new Draws(count);
  const starts = draws.at(width);
  return { overlap: plain(draws.overlap), length: plain(starts.length), across: plain(starts.across) };
}

function ensemble(point) {
  const task = new Task(point.second_moment, point.cross_moment, point.label_moment);
  const all = new Ensemble(new Draws(point.count), new Network(point), task);
  return {
    drift: plain(all.kernelDrift()),
    alignment: plain(all.finalAlignment()),
    slope: plain(all.initialSlope()),
  };
}

const ANSWERS = {
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
      const { parameters, quantities } = explorers[explorer].compute(setting, { table });
      return { parameters, quantities };
    }),
};

const requests = JSON.parse(await text(process.stdin));
process.stdout.write(JSON.stringify(requests.map((request) => ANSWERS[request.what](request)), pack));
