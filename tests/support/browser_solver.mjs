// Reads {"kind": ..., "names": [...], "points": [...]} and writes what the browser's dynamics of that class say of each
// point; for {"kind": null} it writes which dynamics there are and what they answer.
import { text } from "node:stream/consumers";
import * as solver from "../../frontend/src/solver/index.js";

const { Gram, Network, Task } = solver;
const SKIPPED = new Set(["constructor", "at", "weights"]);

// JSON has no infinity and no NaN: both travel as text.
const pack = (value) => (Number.isFinite(value) ? value : String(value));
const camel = (name) => name.replace(/_(\w)/g, (_, letter) => letter.toUpperCase());
const snake = (name) => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);

/** Every class that takes a network, a task and a start, with the names of what it answers. */
function dynamics() {
  const classes = Object.entries(solver).filter(([, thing]) => typeof thing === "function" && "slope" in (thing.prototype ?? {}));
  return Object.fromEntries(
    classes.map(([name, { prototype }]) => [name, Object.getOwnPropertyNames(prototype).filter((key) => !SKIPPED.has(key)).map(snake)]),
  );
}

function read(flow, name, t) {
  const [quantity, entry] = name.split(".");
  const key = camel(quantity);
  const value = typeof flow[key] === "function" ? flow[key](t) : flow[key];
  return entry ? value[entry] : value;
}

function answer(kind, names, point) {
  const network = new Network({ width: 1, gamma: point.gamma, eta_u: point.eta_u, eta_w: point.eta_w });
  const task = new Task(point.second_moment, point.cross_moment, point.label_moment);
  const flow = new solver[kind](network, task, new Gram(point.uu, point.uw, point.ww));
  return Object.fromEntries(names.map((name) => [name, pack(read(flow, name, Number(point.t)))]));
}

const { kind, names, points } = JSON.parse(await text(process.stdin));
process.stdout.write(JSON.stringify(kind === null ? dynamics() : points.map((point) => answer(kind, names, point))));
