// What explorers make of their parameters: a task, a network, grids of times, and all that computes a picture again.

import { clockTime } from "../charts/scales.js";
import { Network, Task } from "../solver/index.js";

/** @typedef {import("./explorer.js").Parameters} Parameters */

const BELOW_ONE = 1 - 2 ** -51;

/**
 * The task with E[a²] = m, slope v* and what no slope explains; no rounding error is left to pass for noise.
 * @param {Parameters} parameters
 */
export function taskOf({ second_moment, target, noise }) {
  const cross = second_moment * target;
  const explained = cross * target;
  return new Task(second_moment, cross, noise > 0 ? explained + noise : explained * BELOW_ONE);
}

/**
 * The network that parameters of its own names describe.
 * @param {Parameters} parameters
 */
export function networkOf({ width, ...rest }) {
  return new Network({ ...rest, width: Math.round(width) });
}

/**
 * The network with γ = 1/√d, learning rates 1 and one scale for both layers.
 * @param {Parameters} parameters
 */
export function ntkNetwork({ width: wide, sigma }) {
  const width = Math.round(wide);
  return new Network({ width, gamma: 1 / Math.sqrt(width), sigma_u: sigma, sigma_w: sigma });
}

/**
 * All that is needed to compute again what a figure shows.
 * @param {Network} network
 * @param {Task} task
 * @param {import("../solver/index.js").Gram} gram
 * @param {number} t
 */
export function recipe({ width, gamma, sigma_u, sigma_w, eta_u, eta_w }, task, { uu, uw, ww }, t) {
  return {
    width,
    gamma,
    sigma_u,
    sigma_w,
    eta_u,
    eta_w,
    second_moment: task.secondMoment,
    cross_moment: task.crossMoment,
    label_moment: task.labelMoment,
    uu,
    uw,
    ww,
    t,
  };
}

/**
 * The flow's own unit of time: until the error has halved, or 1/rate, or 1 where nothing moves.
 * @param {import("../solver/index.js").GradientFlow} flow
 */
export function timeUnit(flow) {
  const half = flow.timeToShrink(0.5);
  if (Number.isFinite(half) && half > 0) return half;
  const rate = Math.max(flow.rate, flow.task.secondMoment * flow.initial.kernel);
  return rate > 0 && Number.isFinite(1 / rate) ? 1 / rate : 1;
}

/**
 * The times (in units) that evenly spaced places on the clock axis stand for.
 * @param {number} count one less than the number of places
 */
export function clockGrid(count) {
  return Float64Array.from({ length: count + 1 }, (_, i) => clockTime(i / count));
}

/**
 * `compute` that remembers its last answer: while only the time moves, curves need not be computed again.
 * @template {object} S
 * @template A
 * @param {(setting: S) => A} compute a pure function of named values
 * @returns {(setting: S) => A}
 */
export function remembering(compute) {
  /** @type {{setting: S, answer: A} | undefined} */
  let known;
  return (setting) => {
    if (known === undefined || !same(known.setting, setting)) known = { setting, answer: compute(setting) };
    return known.answer;
  };
}

function same(one, other) {
  const names = Object.keys(one);
  return names.length === Object.keys(other).length && names.every((name) => Object.is(one[name], other[name]));
}

/**
 * loss/loss0, 0 for a network that starts with nothing left to learn.
 * @param {number} loss
 * @param {number} loss0
 */
export function relative(loss, loss0) {
  return loss0 > 0 ? loss / loss0 : 0;
}

/**
 * Values of `f` over a grid, as a typed array.
 * @template T
 * @param {ArrayLike<T>} grid
 * @param {(place: T) => number} f
 */
export function sample(grid, f) {
  return Float64Array.from(grid, (place) => f(place));
}

/**
 * The standard normal draws of the first `count` neurons, scaled.
 * @param {ArrayLike<number>} draws
 * @param {number} count
 * @param {number} sigma
 */
export function scaled(draws, count, sigma) {
  return Float64Array.from({ length: count }, (_, i) => sigma * draws[i]);
}
