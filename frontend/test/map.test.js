// What the explorers of the map rely on: quantiles, ensembles, mechanisms, moves on the map, axes for ratios.
import assert from "node:assert/strict";
import { test } from "node:test";
import { decades, logarithmic } from "../src/charts/scales.js";
import { movedTo } from "../src/explorers/phase_diagram.js";
import { ChiSquareQuantile, normalQuantile } from "../src/solver/chi_square.js";
import { decompose, Draws, Ensemble, GradientFlow, Gram, Network, quantile, Scaling, Task } from "../src/solver/index.js";
import { powersOf, SCALINGS } from "./support/scalings.js";

const close = (a, b, relative = 1e-12, absolute = 0) =>
  assert.ok(Math.abs(a - b) <= relative * Math.abs(b) + absolute, `${a} is not ${b}`);

test("chi-square quantiles where they have a closed form", () => {
  for (const share of [0.001, 0.2, 0.5, 0.9, 0.999]) {
    close(new ChiSquareQuantile(share).at(2), -2 * Math.log1p(-share), 1e-12);
    close(new ChiSquareQuantile(share).at(1), normalQuantile((1 + share) / 2) ** 2, 1e-10);
    assert.equal(new ChiSquareQuantile(share).at(0), 0);
  }
  assert.equal(normalQuantile(0.5), 0);
  close(normalQuantile(0.25), -normalQuantile(0.75), 1e-13);
});

test("the share below a quantile is the one that was asked for", () => {
  for (let degrees = 2; degrees <= 80; degrees += 2) {
    for (const share of [0.001, 0.3, 0.7, 0.999]) {
      const half = new ChiSquareQuantile(share).at(degrees) / 2;
      let [term, beyond] = [Math.exp(-half), 0];
      for (let k = 0; k < degrees / 2; k++) {
        beyond += term;
        term *= half / (k + 1);
      }
      close(beyond, 1 - share, 1e-9);
    }
  }
});

test("an ensemble is its networks, one by one", () => {
  const draws = new Draws(40);
  const task = new Task(1.3, -0.7, 2);
  for (const width of [1, 2, 7, 1000, 1e9]) {
    const network = new Network({ width, gamma: width ** -0.5, sigma_u: 0.3, sigma_w: 2, eta_u: 0.5, eta_w: 3 });
    const ensemble = new Ensemble(draws, network, task);
    const [drift, slope] = [ensemble.kernelDrift(), ensemble.initialSlope()];
    for (let i = 0; i < draws.count; i++) {
      const flow = new GradientFlow(network, task, ensemble.gram(i));
      close(1 + drift[i], flow.kernelRatio(Infinity), 1e-10);
      close(slope[i], flow.slope(0), 1e-12);
    }
  }
});

test("a quantile is one of the values", () => {
  const values = [1, 2, 3, 4];
  assert.deepEqual([0, 0.25, 0.26, 0.5, 1].map((q) => quantile(values, q)), [1, 1, 2, 2, 4]);
});

test("the half plane looks the same from both sides and in any unit", () => {
  const [before, after] = [new Gram(2, -0.5, 1), new Gram(3, 1.2, 2)];
  const learned = decompose(before, after);
  const mirrored = decompose(new Gram(2, 0.5, 1), new Gram(3, -1.2, 2));
  const scaled = decompose(new Gram(8, -2, 4), new Gram(12, 4.8, 8));
  for (const part of ["rescaling", "alignment"]) {
    close(mirrored[part], learned[part]);
    close(scaled[part], learned[part]);
  }
  close(mirrored.turn, -learned.turn);
  close(learned.rescaling + learned.alignment, Math.log(1.2 / 0.5));
  const back = decompose(after, before);
  close(back.rescaling, -learned.rescaling);
  close(back.alignment, -learned.alignment);
});

test("small shares keep their digits", () => {
  const state = (uw) => ({ uw, rootDeterminant: 1 });
  close(decompose(state(1e-9), state(2e-9)).rescaling, 1.5e-18);
  close(decompose(state(1e9), state(2e9)).alignment, (1e-18 - 0.25e-18) / 2);
});

test("a place on the map that no slider reaches is not gone to", () => {
  const exponents = { c_gamma: -1, c_u: 0, c_w: 0, e_u: 1, e_w: 1 };
  assert.deepEqual(movedTo(1, 0, exponents), { c_u: 1, c_w: 1, e_u: 1, e_w: 1 });
  assert.deepEqual(movedTo(0.5, 0.5, exponents), { c_u: 0, c_w: 0, e_u: 1.5, e_w: 1.5 });
  assert.equal(movedTo(0, 0, { ...exponents, c_u: 6, c_w: -6 }), undefined);
});

test("phases and speeds of the named parametrisations", () => {
  const named = { ntk: [-0.5, 0, 0, 0, 0], mean_field: [-1, 0, 0, 1, 1], standard: [0, -1, 0, 0, 0], tiny: [0, -2, -2, 0, 0] };
  const phases = Object.entries(named).map(([name, powers]) => {
    const scaling = new Scaling(powersOf(powers));
    return `${name}: ${scaling.phase()}, ${scaling.speed()}`;
  });
  assert.deepEqual(phases, [
    "ntk: kernel, learning",
    "mean_field: feature learning, critical, learning",
    "standard: kernel, unstable",
    "tiny: feature learning, vanishing initialisation, learning",
  ]);
});

test("factors and the fan are part of a parametrisation: Xavier's variances are 2/(d + 1)", () => {
  const xavier = new Scaling(SCALINGS.xavier);
  for (const width of [1, 10, 1e6]) {
    const { gamma, sigma_u, sigma_w, eta_u } = xavier.atWidth(width, 0.5);
    for (const sigma of [sigma_u, sigma_w]) close(sigma, 0.5 * Math.sqrt(2 / (width + 1)));
    assert.deepEqual([gamma, eta_u], [1, 1]);
  }
  const network = xavier.atWidth(1e12);
  const flow = new GradientFlow(network, new Task(1, 1, 1), Gram.typical(network, 0));
  close(flow.kernelRatio(Infinity), Math.sqrt(5) / 2, 1e-9);
});

test("an axis for ratios holds them all and grows by factors of 1000", () => {
  assert.deepEqual(decades([1, 1.4]), [0.1, 1000]);
  assert.deepEqual(decades([1, 2e5]), [0.1, 1e6]);
  const [low, high] = decades([2e-5, 0, 3]);
  close(low, 1e-6);
  assert.equal(high, 1000);
});

test("a short logarithmic axis names 1, 2 and 5", () => {
  assert.deepEqual(logarithmic(0.5, 2.5).ticks(300).map(({ label }) => label), ["0.5", "1", "2"]);
});
