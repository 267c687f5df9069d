import { Task } from "../solver/index.js";
import { clockTime } from "../charts/scales.js";

const BELOW_ONE = 1 - 2 ** -51;

/** The task with E[a²] = m, slope v* and what no slope explains; no rounding error is left to pass for noise. */
export function taskOf({ second_moment, target, noise }) {
  const cross = second_moment * target;
  const explained = cross * target;
  return new Task(second_moment, cross, noise > 0 ? explained + noise : explained * BELOW_ONE);
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
 * `f` that remembers its last answer: while only the time moves, curves need not be computed again.
 * @template {(...values: any[]) => any} F
 * @param {F} f a pure function
 * @returns {F}
 */
export function remembering(f) {
  let known = { values: undefined, answer: undefined };
  return (...values) => {
    const same = known.values?.length === values.length && values.every((value, i) => Object.is(value, known.values[i]));
    if (!same) known = { values, answer: f(...values) };
    return known.answer;
  };
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
