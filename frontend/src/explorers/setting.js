// What explorers make of their parameters: a task, a network, grids of times, and all that computes a picture again.

import { clockTime } from "../charts/scales.js";
import { Gram, Network, Task } from "../solver/index.js";
import { scalingOf } from "./parametrisation.js";

/** @typedef {import("./explorer.js").Parameters} Parameters */

const BELOW_ONE = 1 - 2 ** -51;

/**
 * The task with E[a²] = m, slope v* and what no slope explains; no rounding error is left to pass for noise.
 * @param {Parameters} parameters
 */
export function taskOf({ second_moment, target, noise, ...rest }) {
  // in the half plane the target is one of the overlap u·w
  const slope = "uw" in rest ? rest.gamma * target : target;
  const cross = second_moment * slope;
  const explained = cross * slope;
  return new Task(second_moment, cross, noise > 0 ? explained + noise : explained * BELOW_ONE);
}

/**
 * The network that parameters describe: by a scaling of the width, by its own hyperparameters, or as γ = factor/√d with
 * one initial scale for both layers, up to their ratio.
 * @param {Parameters} parameters
 */
export function networkOf(parameters) {
  const { sigma = 1, sigma_ratio = 1, sigma_u = sigma, sigma_w = sigma / sigma_ratio, eta_u, eta_w } = parameters;
  const width = Math.round(parameters.width);
  if ("c_gamma" in parameters) {
    const scaling = scalingOf(parameters);
    return scaling.atScale(scaling.width === 1 ? width : parameters.kappa, width, sigma);
  }
  const gamma = parameters.gamma ?? parameters.gamma_factor / Math.sqrt(width);
  return new Network({ width, gamma, sigma_u, sigma_w, eta_u, eta_w });
}

/**
 * The start that parameters describe: by its place in the half plane, or by the three random numbers of a Gaussian one.
 * @param {Parameters} parameters
 * @param {Network} [network]
 */
export function gramOf(parameters, network = networkOf(parameters)) {
  if ("uw" in parameters) {
    const { uw, root_determinant, layer_ratio } = parameters;
    const product = Math.hypot(uw, root_determinant);
    return new Gram(product * layer_ratio, uw, product / layer_ratio);
  }
  return Gram.typical(network, parameters.overlap, parameters.length, parameters.across);
}

/**
 * A network and its start, by the names of the API.
 * @param {Network} network
 * @param {import("../solver/index.js").Gram} gram
 */
export function startOf({ width, gamma, sigma_u, sigma_w, eta_u, eta_w }, { uu, uw, ww }) {
  return { width, gamma, sigma_u, sigma_w, eta_u, eta_w, uu, uw, ww };
}

/**
 * All that is needed to compute again what a figure shows.
 * @param {Network} network
 * @param {Task} task
 * @param {import("../solver/index.js").Gram} gram
 * @param {number} t
 */
export function recipe(network, { secondMoment, crossMoment, labelMoment }, gram, t) {
  const moments = { second_moment: secondMoment, cross_moment: crossMoment, label_moment: labelMoment };
  return { ...startOf(network, gram), ...moments, t };
}

/**
 * The largest |log₂ K/K(0)| of all times: at the end, or on the way, where u·w passes 0 and K is least.
 * @param {import("../solver/index.js").GradientFlow} flow
 */
export function largestGrowth(flow) {
  const end = Math.abs(Math.log2(flow.kernelRatio(Infinity)));
  const { kernel, floor, slope } = flow.initial;
  return slope * flow.task.target < 0 ? Math.max(end, Math.abs(Math.log2(floor / kernel))) : end;
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
