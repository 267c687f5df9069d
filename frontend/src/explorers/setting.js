// What explorers make of their parameters: a task, a network, grids of times, and all that computes a picture again.

import { clockTime } from "../charts/scales.js";
import { Network, Task } from "../solver/index.js";

const BELOW_ONE = 1 - 2 ** -51;

/** The task with E[a²] = m, slope v* and what no slope explains; no rounding error is left to pass for noise. */
export function taskOf({ second_moment, target, noise }) {
  const cross = second_moment * target;
  const explained = cross * target;
  return new Task(second_moment, cross, noise > 0 ? explained + noise : explained * BELOW_ONE);
}

/** The network that parameters of its own names describe. */
export function networkOf({ width, ...rest }) {
  return new Network({ ...rest, width: Math.round(width) });
}

/** The network with γ = 1/√d, learning rates 1 and one scale for both layers. */
export function ntkNetwork({ width: wide, sigma }) {
  const width = Math.round(wide);
  return new Network({ width, gamma: 1 / Math.sqrt(width), sigma_u: sigma, sigma_w: sigma });
}

/** All that is needed to compute again what a figure shows. */
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

/** The flow's own unit of time: until the error has halved, or 1/rate, or 1 where nothing moves. */
export function timeUnit(flow) {
  const half = flow.timeToShrink(0.5);
  if (Number.isFinite(half) && half > 0) return half;
  const rate = Math.max(flow.rate, flow.task.secondMoment * flow.initial.kernel);
  return rate > 0 && Number.isFinite(1 / rate) ? 1 / rate : 1;
}

/** Evenly spaced places on the clock axis and the times (in units) that they stand for. */
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

/** loss/loss0, 0 for a network that starts with nothing left to learn. */
export function relative(loss, loss0) {
  return loss0 > 0 ? loss / loss0 : 0;
}

/** Values of `f` over a grid, as a typed array. */
export function sample(grid, f) {
  return Float64Array.from(grid, f);
}

/** The standard normal draws of the first `count` neurons, scaled. */
export function scaled(draws, count, sigma) {
  return Float64Array.from({ length: count }, (_, i) => sigma * draws[i]);
}
