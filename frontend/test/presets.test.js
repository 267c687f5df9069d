// What presets set, in each of their grammars, and that all of shared/presets.json can be read.
import assert from "node:assert/strict";
import { test } from "node:test";
import { catalogue, parameterNames, presets, specification } from "../src/base/catalogue.js";
import { explorers } from "../src/explorers/index.js";
import { parametersOf, scalingOf } from "../src/explorers/parametrisation.js";
import { movedTo } from "../src/explorers/phase_diagram.js";
import { presetValues } from "../src/explorers/presets.js";
import { remembering } from "../src/explorers/setting.js";
import { PHASE, Scaling } from "../src/solver/index.js";
import { SCALINGS } from "./support/scalings.js";

function settingOf(explorer, values = {}) {
  const defaults = parameterNames(explorer).map((name) => [name, specification(explorer, name).default]);
  return { explorer, now: { ...Object.fromEntries(defaults), ...values }, scalings: SCALINGS };
}

for (const [explorer, { presets: names }] of Object.entries(catalogue)) {
  test(`${explorer}: its presets set parameters that it has, within their ranges`, () => {
    for (const name of names) {
      const values = presetValues(presets[name], settingOf(explorer));
      assert.ok(Object.keys(values).length > 0, name);
      for (const [key, value] of Object.entries(values)) {
        const { min, max } = specification(explorer, key);
        assert.ok(value >= min - 1e-9 * Math.abs(min) && value <= max + 1e-9 * Math.abs(max), `${name} sets ${key} to ${value}`);
      }
    }
  });
}

test("plain values are set as they stand", () => {
  assert.deepEqual(presetValues({ values: { sigma: 1 } }, settingOf("initial-scale")), { sigma: 1 });
});

test("at the crossover the kernel floor is as large as the final signal", () => {
  const at = (values) => presetValues({ crossover: 1 }, settingOf("initial-scale", values)).sigma;
  const sigma = at({ width: 10000, target: -2 });
  assert.ok(Math.abs(2 * sigma ** 2 - (2 * 2) / 100) < 1e-15);
  assert.equal(at({ sigma: 0.3, target: 0 }), 0.3);
  // γ = 0.06 and σ_w = σ_u/3: γ²d(η_w σ_u² + η_u σ_w²) = 2γη|v*|
  const other = at({ width: 10000, target: -2, gamma_factor: 6, eta_u: 4, eta_w: 9, sigma_ratio: 3 });
  assert.ok(Math.abs(36 * other ** 2 * (9 + 4 / 9) - 2 * 0.06 * 6 * 2) < 1e-14);
  const { min } = specification("initial-scale", "sigma");
  assert.equal(presetValues({ crossover: 1e-9 }, settingOf("initial-scale")).sigma, min);
});

test("a scaling comes to its numbers at the width that is set, where the explorer has no powers", () => {
  const { gamma, sigma_u, eta_w, ...rest } = presetValues(presets.mean_field, settingOf("every-knob", { width: 1000 }));
  assert.ok(Math.abs(gamma - 1e-3) < 1e-15);
  assert.equal(sigma_u, 1);
  assert.ok(Math.abs(eta_w - 1000) < 1e-9);
  assert.ok(!("width" in rest));
});

test("a named scaling brings its factors and its fan; plain exponents put both back", () => {
  const xavier = presetValues(presets.xavier, settingOf("ensemble"));
  assert.deepEqual(
    [xavier.c_u, xavier.sigma2_u_factor, xavier.sigma2_w_factor, xavier.gamma_factor, xavier.fan_offset],
    [-1, 2, 2, 1, 1],
  );
  const plain = presetValues(presets.tiny, settingOf("ensemble", xavier));
  assert.deepEqual([plain.c_u, plain.sigma2_u_factor, plain.fan_offset], [-2, 1, 0]);
});

test("chosen on the map, Xavier ends where it does in Python, and says all that it takes to compute it again", () => {
  const { now, scalings } = settingOf("phase-diagram", { width: 1e9, overlap: 0, clock: 1 });
  const chosen = { ...now, ...parametersOf(new Scaling(scalings.xavier)) };
  const { parameters, quantities } = explorers["phase-diagram"].compute(chosen, /** @type {any} */ ({ scalings }));
  assert.ok(Math.abs(quantities["kernel_ratio@inf"] - Math.sqrt(5) / 2) < 1e-8);
  assert.deepEqual(new Scaling(/** @type {any} */ (parameters.scaling)), new Scaling(scalings.xavier));
  const moved = { ...chosen, ...movedTo(1, 0.5, chosen) };
  assert.deepEqual([moved.sigma2_u_factor, moved.fan_offset], [2, 1]);
});

test("a kernel that comes back has strayed: the drift explorer leads with the whole way, the end is beside it", () => {
  const { now, scalings } = settingOf("kernel-drift", presets.drift_back.values);
  const drift = (values) => /** @type {any} */ (explorers["kernel-drift"].compute({ ...now, ...values }, /** @type {any} */ ({ draws_u: [], draws_w: [], scalings })));
  const back = drift({});
  assert.ok(back.quantities.kernel_excursion > 0.1 && Math.abs(back.quantities["kernel_drift@inf"]) < 1e-12);
  assert.ok(back.over.way.every((strays, i) => strays > 1e6 * back.over.end[i]));
  assert.match(JSON.stringify(back.summary), /came back/);
  const straight = drift({ target: 3, overlap: 0.5 });
  assert.equal(straight.over.end, undefined);
  assert.equal(straight.quantities.kernel_excursion, Math.abs(straight.quantities["kernel_drift@inf"]));
});

test("at a fixed width the map is below its diagonal what every place there is: to be unlearned, or kept by one large layer", () => {
  for (const [preset, phase, word] of [["unlearning", PHASE.unlearning, "unlearning"], ["one_layer", PHASE.kernel, "kernel"]]) {
    const { now, scalings } = settingOf("phase-diagram", presets[preset].values);
    const at = (values) => /** @type {any} */ (explorers["phase-diagram"].compute({ ...now, ...values }, /** @type {any} */ ({ draws_u: [], draws_w: [], scalings })));
    let below = 0;
    for (let kernel = -2; kernel <= 2; kernel += 0.5) {
      for (let signal = -2; signal < kernel; signal += 0.5) {
        const moved = movedTo(kernel, signal, now);
        if (moved === undefined) continue;
        below++;
        assert.equal(at(moved).scaling.phase(), phase);
        assert.equal(at(moved).below.word, word);
      }
    }
    assert.ok(below > 10);
    const { quantities, fixed } = at({ kappa: 1e9 });
    assert.ok(fixed && (preset === "one_layer") === Math.abs(quantities["kernel_ratio@inf"] - 1) < 0.01);
    // a named parametrisation leads back to the limit of wide networks
    assert.equal(at(parametersOf(new Scaling(scalings.ntk))).fixed, false);
  }
});

test("a scaling and the parameters that describe it undo each other", () => {
  for (const scaling of Object.values(SCALINGS).map((powers) => new Scaling(powers))) {
    assert.deepEqual(scalingOf(parametersOf(scaling)), scaling);
  }
});

test("what is remembered is found by names, in any order, and one answer only", () => {
  let count = 0;
  const sum = remembering((/** @type {{a: number, b: number}} */ { a, b }) => (count++, a + b));
  assert.deepEqual([sum({ a: 1, b: 2 }), sum({ b: 2, a: 1 }), count], [3, 3, 1]);
  assert.deepEqual([sum({ a: 2, b: 1 }), count], [3, 2]);
  assert.deepEqual([sum({ a: 1, b: 2 }), count], [3, 3]);
  assert.deepEqual([sum({ a: NaN, b: 0 }), sum({ a: NaN, b: 0 }), count], [NaN, NaN, 4]);
});
