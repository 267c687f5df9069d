// What the explorers of steps say in words, against long runs of the steps themselves.
import assert from "node:assert/strict";
import { test } from "node:test";
import { parameterNames, presets, specification } from "../src/base/catalogue.js";
import { explorers } from "../src/explorers/index.js";
import { FATE, fateOf, GradientDescent, Gram, Network, Task } from "../src/solver/index.js";

let state = 11;

/** A random number in [0, 1), the same ones in every run. */
function draw() {
  state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
  return state / 2 ** 32;
}

const between = (low, high) => low + (high - low) * draw();

/** A descent anywhere round the triangle of those that do not diverge. */
function randomDescent() {
  const network = new Network({ width: 2, gamma: 10 ** between(-1, 1), eta_u: 10 ** between(-1, 1), eta_w: 10 ** between(-1, 1) });
  const [uu, ww] = [between(0.01, 3), between(0.01, 3)];
  const gram = new Gram(uu, between(-1, 1) * Math.sqrt(uu * ww), ww);
  const kernel = network.gamma ** 2 * (network.eta_w * uu + network.eta_u * ww);
  const m = between(0.1, 6) / kernel;
  const target = between(-2.5, 2.5) / (m * network.gamma * Math.sqrt(network.eta_u * network.eta_w));
  return new GradientDescent(network, new Task(m, m * target, m * target * target), gram);
}

test("training ends as its start says: under the lid for ever, and settled where the target is near enough", () => {
  const seen = {};
  for (let i = 0; i < 2000; i++) {
    const descent = randomDescent();
    const { fate, target, kernel, lid } = fateOf(descent);
    if (Math.abs(kernel - lid) < 0.02 || Math.abs(Math.abs(target) - 1) < 0.02) continue; // slow on the borders
    seen[fate] = (seen[fate] ?? 0) + 1;
    const after = descent.residual(4000);
    const scale = 1 / descent.map.couple;
    if (fate === FATE.diverges) assert.equal(Math.abs(after), Infinity);
    else assert.ok(Math.abs(after) < 2 * scale, `${after}`);
    if (fate === FATE.settles) assert.ok(Math.abs(after) < 1e-6 * scale && descent.task.secondMoment * descent.kernel(4000) < 2, `${after / scale}`);
    if (fate === FATE.bounces) assert.ok(Math.max(...[0, 1, 2, 3].map((n) => Math.abs(descent.residual(3996 + n)))) > 1e-3 * scale);
  }
  assert.deepEqual(Object.keys(seen).sort(), Object.values(FATE).sort());
  assert.ok(Object.values(seen).every((count) => count > 100), JSON.stringify(seen));
});

const textOf = (summary) => summary.map((phrase) => phrase.text ?? phrase).join("");
const defaults = (name) => Object.fromEntries(parameterNames(name).map((key) => [key, specification(name, key).default]));

/** @param {Record<string, number | undefined>} values */
const shown = (values, name = "learning-rate") =>
  /** @type {any} */ (explorers[name].compute(/** @type {any} */ ({ ...defaults(name), ...values }), /** @type {any} */ ({})));
const noisy = (values) => shown(values, "sgd-erosion");

test("each preset is what it is called, and the opening is the catapult", () => {
  const words = { rate_small: /^Lazy/, rate_catapult: /^Catapult/, rate_divergence: /^Divergence/, rate_edge: /^Edge of stability/ };
  for (const [name, word] of Object.entries(words)) assert.match(textOf(shown(presets[name].values ?? {}).summary), word);
  assert.deepEqual(shown({}).summary, shown(presets.rate_catapult.values ?? {}).summary);
});

test("the words are true of the steps, wherever a reader can go", () => {
  const seen = new Set();
  for (let i = 0; i < 3000; i++) {
    const [eta, target, width] = [between(0.1, 4.5), between(0, 5) ** 1.5 / 2.3, Math.round(10 ** between(1, 6))];
    const values = { eta, target, width, sigma: 10 ** between(-1.5, 0.3), overlap: between(-3, 3) };
    const { descent, place, kernels, losses, summary, flowEnd } = shown(values);
    const [word] = summary.map(({ text }) => text);
    seen.add(word);
    const text = textOf(summary);
    const k = (n) => descent.kernel(n) * descent.task.secondMoment;
    const path = Array.from({ length: 400 }, (_, n) => k(n));
    if (word === "Catapult") assert.ok(place.kernel >= 2);
    if (word === "Edge of stability") assert.ok(place.kernel < 2 && Math.max(...path) > 2);
    if (["Lazy", "A smooth descent"].includes(word)) assert.ok(Math.max(...path) <= 2);
    if (word === "Lazy") assert.ok(path.every((now) => Math.abs(now / place.kernel - 1) < 0.0101));
    if (/closer/.test(text)) for (let n = 1; n < losses.length; n++) assert.ok(losses[n] <= losses[n - 1]);
    if (/further and further/.test(text)) assert.ok(path.some((_, n) => Math.abs(descent.residual(n + 1)) > Math.abs(descent.residual(n))));
    if (word === "Divergence") assert.ok(!Number.isFinite(descent.residual(5000)) || Math.abs(place.kernel - place.lid) < 0.01);
    if (word === "A smooth descent") assert.ok(place.kernel <= flowEnd * (1 + 1e-9) || place.slope * place.target < 0 || place.slope > place.target);
    assert.ok(kernels.slice(0, -1).every((now) => now <= 1e6));
  }
  assert.deepEqual([...seen].sort(), ["A smooth descent", "Bouncing for ever", "Catapult", "Divergence", "Edge of stability", "Lazy"]);
});

test("what the sweep over learning rates shows at one of them is where that training ends", () => {
  for (const values of [{}, { target: 3, width: 100, sigma: 0.3 }, { overlap: -2, width: 20 }]) {
    const { sweep } = shown(values);
    for (let i = 4; i < sweep.rates.length; i += 4) {
      const { end, place } = shown({ ...values, eta: sweep.rates[i] });
      assert.equal(place.fate !== FATE.diverges, i < sweep.bounded);
      assert.equal(place.fate === FATE.settles, i < sweep.settling);
      if (end && i < sweep.settling) assert.ok(Math.abs(end.last - sweep.last[i]) < 0.02, `at η = ${sweep.rates[i]}`);
    }
    const settled = sweep.last.slice(0, sweep.settling);
    assert.ok(settled.every((kernel) => kernel < 2.02));
    // a network that is not lazy does not end as it starts, below 2 either
    if (values.width) assert.ok(settled.some((kernel, i) => sweep.first[i] < 1.9 && Math.abs(kernel / sweep.first[i] - 1) > 0.1));
  }
});

test("noise, and no noise, do what the presets say, and the opening is the noisy one", () => {
  const of = (name) => noisy(presets[name].values);
  assert.match(textOf(of("noise_none").summary), /^Without noise .* lazy\.$/);
  assert.match(textOf(of("noise_some").summary), /^Noise never lets training rest: .*\(lazy\) to the rich side/);
  assert.match(textOf(of("noise_wide").summary), /^Noise never lets training rest: .*\(lazy\) to .*\(lazy\)\. By the formula/);
  assert.deepEqual(noisy({}).summary, of("noise_some").summary);
  assert.ok(of("noise_wide").predicted > 100 * of("noise_some").predicted);
});

test("the formula meets the way where steps are small, and other draws come the same way", () => {
  for (const values of [{}, { label_noise: 1, eta: 0.5, width: 500 }, { label_noise: 0.3, eta: 1.2, width: 200, target: 0.5 }]) {
    const { arrival, predicted, ways, others } = noisy(values);
    assert.ok(Math.abs(predicted / arrival - 1) < 0.15, `${predicted} ${arrival}`);
    const half = ways.findIndex((distance) => distance < ways[0] / 3);
    for (const other of others) assert.ok(Math.abs(Math.log(other[half] / ways[half])) < 0.4);
  }
});

test("what is said of noise is true of the steps, wherever a reader can go", () => {
  const seen = new Set();
  for (let i = 0; i < 400; i++) {
    const strength = i % 4 ? between(0, 2) : 0;
    const far = i % 40 === 0 ? { eta: between(1.2, 1.5), width: 10, target: between(2.7, 3), overlap: 0, sigma: 0.5 } : {};
    const values = { label_noise: strength, eta: between(0.1, 1.5), width: Math.round(10 ** between(1, 5)), target: between(0.1, 3), overlap: between(-3, 3), sigma: 10 ** between(-1, 0.2), ...far };
    const { descent, distance, arrival, halt, summary, start, places, ways } = noisy(values);
    seen.add(summary[0].text);
    places.forEach((n, at) => assert.equal(ways[at], distance(n)));
    const { gamma } = descent.network;
    const now = descent.gram(places[0]);
    const floor = gamma * Math.hypot(now.rootDeterminant, descent.imbalance(places[0]) / (2 * descent.initial.eta)) / descent.task.target;
    assert.ok(Math.abs(floor / ways[0] - 1) < 1e-6, `${floor} ${ways[0]}`);
    if (summary[0].text === "Divergence") assert.ok(halt < 10000 && descent.task.secondMoment * descent.kernel(halt) > 1e6);
    if (summary[0].text === "Without noise") {
      assert.ok(Math.abs(distance(10000) / distance(9000) - 1) < 1e-6);
      assert.ok(Math.abs(descent.residual(10000)) < 1e-6 * descent.task.target);
    }
    if (/yet no rest/.test(summary[0].text)) assert.ok(distance(10000) < distance(1000) && Math.abs(descent.residual(9999) + descent.residual(10000)) > 1e-9);
    if (/rich side at step/.test(textOf(summary))) assert.ok(start >= 1 && distance(arrival) < 1 && distance(arrival - 1) >= 1 && distance(10000) < 1);
  }
  assert.ok(seen.size >= 5, [...seen].join());
});
