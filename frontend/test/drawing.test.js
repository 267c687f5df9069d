// What the drawing relies on: scales, ticks, places of labels, curves in the plane, numbers in print.
import assert from "node:assert/strict";
import { test } from "node:test";
import { spread } from "../src/charts/labels.js";
import { branch, reach } from "../src/charts/plane_panel.js";
import { clock, clockTime, linear, logarithmic, niceCeiling, niceTicks } from "../src/charts/scales.js";
import { formatCount, formatNumber, formatPower, formatShort } from "../src/base/format.js";
import { parseQuantity } from "../src/base/catalogue.js";
import { differ, fromPosition, stepped, toPosition } from "../src/base/parameters.js";

test("a scale and its inverse undo each other", () => {
  for (const scale of [linear(-3, 5), logarithmic(1e-3, 1e4), clock()]) {
    for (const place of [0, 0.25, 0.5, 0.99]) assert.ok(Math.abs(scale.position(scale.value(place)) - place) < 1e-12);
  }
});

test("all of time fits on the clock axis", () => {
  const scale = clock();
  assert.deepEqual([0, 1, Infinity].map(scale.position), [0, 0.5, 1]);
  assert.deepEqual([0, 0.5, 1].map(clockTime), [0, 1, Infinity]);
});

test("ticks are round, in range, and fewer where there is less room", () => {
  assert.deepEqual(niceTicks(0, 1, 4), [0, 0.5, 1]);
  assert.deepEqual(linear(0, 1).ticks(170).map(({ label }) => label), ["0", "0.5", "1"]);
  assert.deepEqual(logarithmic(0.1, 1000).ticks(300).map(({ label }) => label), ["0.1", "1", "10", "100", "10³"]);
  assert.ok(logarithmic(1e-12, 1e12).ticks(120).length <= 5);
  assert.ok(clock().ticks(150).length < clock().ticks(400).length);
});

test("an axis end is the next round number", () => {
  assert.deepEqual([0.3, 1, 1.01, 6, 1e-9].map(niceCeiling), [0.5, 1, 2, 10, 1e-9]);
  assert.equal(niceCeiling(0), 1);
});

test("labels keep their order and their distance and stay inside", () => {
  const placed = spread([{ y: 99, name: "c" }, { y: 98, name: "b" }, { y: 5, name: "a" }], 14, 0, 100);
  assert.deepEqual(placed.map(({ name }) => name), ["a", "b", "c"]);
  assert.deepEqual(placed.map(({ y }) => y), [5, 86, 100]);
});

test("a branch stays on its hyperbola and leaves the square at both ends", () => {
  for (const [u, w, ratio] of [[0.5, -0.2, 1], [-1, 0.9, 3], [0.3, 0.8, 0.2]]) {
    const [from, to] = reach(u, w, ratio, 2);
    const points = branch(u, w, ratio, from, to);
    for (const point of points) {
      const [now, start] = [point, { u, w }].map((at) => at.u ** 2 - (ratio * at.w) ** 2);
      assert.ok(Math.abs(now - start) < 1e-9 * (point.u ** 2 + (ratio * point.w) ** 2) + 1e-12);
    }
    for (const end of [points[0], points.at(-1)]) assert.ok(Math.max(Math.abs(end.u), Math.abs(end.w)) >= 2);
  }
});

test("a neuron that sits on a mode of its own has a straight way out and no way back", () => {
  assert.ok(reach(1, 1, 1, 2).every(Number.isFinite));
  assert.ok(reach(0, 0, 1, 2).every(Number.isFinite));
});

test("numbers are written as a reader writes them", () => {
  assert.equal(formatNumber(0.123456), "0.1235");
  assert.equal(formatNumber(-1234.5), "−1235");
  assert.equal(formatNumber(1.5e-7), "1.50×10⁻⁷");
  assert.equal(formatNumber(0), "0");
  assert.equal(formatNumber(-0), "0");
  assert.equal(formatNumber(Infinity), "∞");
  assert.equal(formatShort(0.30000000000000004), "0.3");
  assert.equal(formatPower(-3), "10⁻³");
  assert.equal(formatCount(1e12), "10¹²");
  assert.equal(formatCount(1000), "1\u202f000");
});

test("a slider's place and its value undo each other", () => {
  const spec = { scale: "log", min: 1e-12, max: 1e12, step: 0.1 };
  for (const value of [1e-12, 0.3, 1, 1e12]) assert.ok(Math.abs(fromPosition(spec, toPosition(spec, value)) / value - 1) < 1e-10);
});

test("keys move along the parameter's own grid and stop at its ends", () => {
  const logarithmicScale = { scale: "log", min: 0.01, max: 10, step: 0.1 };
  assert.ok(!differ(stepped(logarithmicScale, 1, 1), 10 ** 0.1));
  assert.ok(!differ(stepped(logarithmicScale, 0.0123, 0), 10 ** -1.9));
  assert.equal(stepped(logarithmicScale, 10, 5), 10);
  const linearScale = { scale: "linear", min: -3, max: 3, step: 0.1 };
  assert.equal(stepped(linearScale, 0.2, 1), 0.3);
  assert.equal(stepped(linearScale, -3, -1), -3);
});

test("a quantity's name says of what, and when", () => {
  assert.deepEqual(parseQuantity("kernel_flow.slope@inf"), { prefix: "kernel_flow", base: "slope", moment: "inf" });
  assert.deepEqual(parseQuantity("alignment"), { prefix: "", base: "alignment", moment: "" });
});
