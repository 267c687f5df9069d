import { differenceOfProducts } from "./compensated.js";
import { Descent } from "./descent.js";
import { StepMap } from "./step_map.js";
import { Task } from "./task.js";

const ROUNDING = 1e-15; // labels that miss the best line by no more, relative to the largest, are on it

/**
 * Examples on a line.
 * @typedef {{x: ArrayLike<number>, y: ArrayLike<number>}} Data
 */

/**
 * The examples of each step, counted from 0, and what is added to their labels, `size` of them one after the other.
 * @typedef {{size: number, index: ArrayLike<number>, noise: ArrayLike<number>}} Batches
 */

const mean = (values, count = values.length) => {
  let sum = 0;
  for (let i = 0; i < count; i++) sum += values[i];
  return sum / count;
};

/** The moments of all examples. @param {Data} data */
export function taskFrom({ x, y }) {
  const a = Array.from(x);
  return new Task(mean(a.map((x) => x * x)), mean(a.map((x, i) => x * y[i])), mean(Array.from(y, (y) => y * y)));
}

/** The map of one step on a minibatch, its force measured from the target: m_B(v − v*) − mean a(r + noise), r = y − v*a. */
class StochasticMap extends StepMap {
  /**
   * @param {import("./network.js").Network} network
   * @param {Task} task
   * @param {import("./gram.js").Gram} gram
   * @param {Data} data
   * @param {Batches} batches
   */
  constructor(network, task, gram, { x, y }, { size, index, noise }) {
    super(network, task, gram);
    const beside = Array.from(y, (label, i) => differenceOfProducts(label, 1, task.target, x[i]));
    const largest = (values) => Math.max(...values.map(Math.abs));
    const off = largest(beside) > ROUNDING * largest(Array.from(y)) ? beside : beside.map(() => 0);
    this.steps = index.length / size;
    this.moments = new Float64Array(this.steps);
    this.pulls = new Float64Array(this.steps);
    const [squares, pulls] = [new Float64Array(size), new Float64Array(size)];
    for (let n = 0; n < this.steps; n++) {
      for (let i = 0; i < size; i++) {
        const [example, added] = [index[n * size + i], noise[n * size + i]];
        squares[i] = x[example] * x[example];
        pulls[i] = x[example] * (off[example] + added);
      }
      this.moments[n] = mean(squares);
      this.pulls[n] = mean(pulls);
    }
  }

  moment(n) {
    return this.moments[n - 1];
  }

  force(residual, n) {
    return this.moments[n - 1] * residual - this.pulls[n - 1];
  }

  turned(_, force) {
    return this.turn * force;
  }
}

/** Training by steps on given minibatches with given noise on their labels, exactly, at any width. */
export class StochasticDescent extends Descent {
  /**
   * @param {import("./network.js").Network} network
   * @param {Data} data
   * @param {import("./gram.js").Gram} gram the start
   * @param {Batches} batches
   */
  constructor(network, data, gram, batches) {
    const task = taskFrom(data);
    super(network, task, gram, new StochasticMap(network, task, gram, data, batches));
  }
}
