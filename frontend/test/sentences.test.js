// The one sentence of each explorer, where ends alone, one sign or equal learning rates would mislead it.
import assert from "node:assert/strict";
import { test } from "node:test";
import { explorers } from "../src/explorers/index.js";
import { SCALINGS } from "./support/scalings.js";
import { catalogue, parameterNames, specification } from "../src/base/catalogue.js";

function shown(name, values) {
  const defaults = Object.fromEntries(parameterNames(name).map((key) => [key, specification(name, key).default]));
  const still = Array.from({ length: catalogue[name].neurons }, (_, i) => Math.cos(i));
  const constants = /** @type {any} */ ({ draws_u: still, draws_w: still, scalings: SCALINGS });
  const { summary, quantities, mix = 0 } = explorers[name].compute({ ...defaults, ...values }, constants);
  const phrases = [summary].flat().map((phrase) => (typeof phrase === "string" ? { text: phrase, tone: "" } : phrase));
  return { quantities, mix, phrases, text: phrases.map(({ text }) => text).join("") };
}

const balanced = { width: 4, gamma: 0.5, sigma_u: 1, sigma_w: 1, eta_u: 1, eta_w: 1, second_moment: 1, noise: 0 };

test("a kernel that comes back is not called kept, nor the kernel regime", () => {
  const knob = shown("every-knob", { ...balanced, overlap: 1.5, target: -1.5 });
  assert.ok(Math.abs(knob.quantities["kernel_ratio@inf"] - 1) < 1e-9);
  assert.doesNotMatch(knob.text, /kernel regime/);
  const pair = shown("initial-scale", { width: 10, sigma: 1, overlap: 2, target: -2 });
  assert.ok(Math.abs(pair.quantities["kernel_ratio@inf"] - 1) < 1e-9);
  assert.match(pair.text, /starts at σ = 1 moved its kernel/);
  assert.ok(pair.mix > 0.1);
  for (const [width, tone] of [
    [4, "feature"],
    [1e6, "kernel"],
  ]) {
    const { phrases } = shown("kernel-drift", { width, sigma: 1, overlap: 2, target: -2 });
    assert.deepEqual(phrases[1], { text: "the kernel came back", tone });
  }
});

test("a network that stays in the kernel regime is called so", () => {
  assert.match(shown("every-knob", { ...balanced, width: 1e6, gamma: 1e-3, overlap: 1, target: 1 }).text, /kernel regime/);
  assert.match(shown("initial-scale", { width: 1e6, sigma: 1, overlap: 1, target: 1 }).text, /starts at σ = 1 kept its kernel/);
});

test("one balanced neuron keeps to the logistic curve, from the right side only", () => {
  const neuron = { ...balanced, width: 1, gamma: 1, sigma_u: 0.5, sigma_w: 0.5 };
  assert.match(shown("every-knob", { ...neuron, overlap: 1, target: 1 }).text, /keeps to the logistic limit/);
  assert.match(shown("every-knob", { ...neuron, overlap: 2, target: 1 }).text, /neither/);
  assert.doesNotMatch(shown("every-knob", { ...balanced, overlap: -0.1, target: 1 }).text, /keeps to the logistic limit/);
});

test("what is said of a move in the half plane is true of its mirror image, where layers turn apart to align", () => {
  for (const [uw, target] of [
    [0.1, 2.5],
    [2.5, 0.1],
  ]) {
    const [one, other] = [1, -1].map((sign) => shown("half-plane", { uw: sign * uw, target: sign * target }));
    const meaning = ({ text }) => text.slice(0, text.indexOf(", ζ"));
    assert.equal(meaning(one), meaning(other));
    assert.doesNotMatch(other.text, /each other/);
  }
});

test("layers of one size that learn at different rates are not said to differ in size", () => {
  const { text } = shown("phase-diagram", { c_gamma: -1, c_u: 0, c_w: 0, e_u: 0, e_w: 2 });
  assert.match(text, /Kernel phase.*align.*outweighs/);
});

test("a vanishing start may begin with a kernel that grows with the width, and wait less in absolute time", () => {
  const powers = { c_gamma: 1, c_u: -2.5, c_w: -2.5, e_u: 0, e_w: 0, overlap: 0 };
  const [narrow, wide] = [100, 10_000].map((width) => shown("phase-diagram", { ...powers, width }));
  assert.ok(narrow.quantities["exponent.kernel"] > 0 && wide.quantities["exponent.signal"] > wide.quantities["exponent.kernel"]);
  assert.ok(wide.quantities["kernel_ratio@inf"] > 3 * narrow.quantities["kernel_ratio@inf"]);
  assert.match(wide.text, /kernel beside the one that it needs/);
});

test("a move that passes the perpendicular and ends far out is rescaling by its ends, and says what it passed", () => {
  const { text, quantities } = shown("half-plane", { uw: -0.5, root_determinant: 0.05, target: 2.5 });
  assert.ok(quantities["alignment@0"] < -0.9 && quantities["alignment@inf"] > 0.9);
  assert.match(text, /^Rescaling, by way of disalignment/);
  assert.doesNotMatch(text, /more than their angle/);
});

test("a loss that has an end is not said to go on, and the other way round", () => {
  const losses = ["squared", "huber", "logistic", "exponential"];
  for (const [loss, name] of losses.entries()) {
    const [right, wrong] = [0, 1].map((wrong_labels) => shown("any-loss", { loss, wrong_labels }).text);
    assert.match(right, ["logistic", "exponential"].includes(name) ? /never stops/ : /stops at v = 0\.555/);
    assert.match(wrong, /stops at v = [0-9.]+:/);
  }
});

test("where a loss is said to stop, the slope is there in the end", () => {
  for (const [loss, wrong_labels] of [[0, 0], [1, 2], [2, 1], [3, 2]]) {
    const { text, quantities } = shown("any-loss", { loss, wrong_labels, sigma: 1, t: 1e6 });
    assert.ok(Math.abs(Number(/v = ([0-9.]+):/.exec(text)?.[1]) / quantities.slope - 1) < 5e-3, text);
  }
});

test("a neuron is called lazy, rich or delayed by what its kernel does, on either side of its target", () => {
  for (const angle of [30, 60, 120, 150]) {
    assert.match(shown("turning-neuron", { layer_ratio: 1000, angle }).text, /: lazy\. The way is straight/);
    assert.match(shown("turning-neuron", { layer_ratio: 1, angle }).text, /Δ = 0: rich/);
    assert.match(shown("turning-neuron", { layer_ratio: 0.001, angle }).text, /first lazy, then rich/);
  }
});

test("a lazy neuron that goes round the circle is not said to go straight", () => {
  const { text } = shown("turning-neuron", { layer_ratio: 0.001, angle: 15, start_size: 0.1 });
  assert.match(text, /: lazy\. The kernel changes/);
});

test("a neuron that need not turn, or cannot be early, is not said to be delayed", () => {
  assert.doesNotMatch(shown("turning-neuron", { layer_ratio: 0.001, angle: 0 }).text, /then rich/);
  assert.doesNotMatch(shown("turning-neuron", { layer_ratio: 0.001, angle: 90 }).text, /then rich/);
  assert.match(shown("turning-neuron", { layer_ratio: 1, angle: 0 }).text, /hardly turns/);
});

test("a neuron on its way into the saddle is called stuck, and its neighbours are not", () => {
  assert.match(shown("turning-neuron", { layer_ratio: 1, angle: 180 }).text, /stuck/);
  assert.doesNotMatch(shown("turning-neuron", { layer_ratio: 1, angle: 175 }).text, /stuck/);
  assert.doesNotMatch(shown("turning-neuron", { layer_ratio: 10, angle: 180 }).text, /stuck/);
});

test("what is said to be gone before the kernel turns is what goes along the input weights", () => {
  for (const angle of [30, 50, 150]) {
    const { text } = shown("turning-neuron", { layer_ratio: 0.001, start_size: 0.1, angle });
    const gone = Number(/([0-9.]+) %/.exec(text)?.[1]) / 100;
    // on the circle over the target, where sin² of the turn is 1 % of what it will be
    const turn = (angle * Math.PI) / 180;
    const acute = Math.min(turn, Math.PI - turn);
    const left = Math.sin(acute - Math.asin(0.1 * Math.sin(acute))) ** 2;
    assert.ok(Math.abs(gone - (1 - left / (1 - 0.2 * Math.cos(turn) + 0.01))) < 0.01, text);
  }
});
