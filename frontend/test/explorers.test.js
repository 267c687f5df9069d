// What every explorer computes, with no browser: at every corner of its ranges and at random places in them.
import assert from "node:assert/strict";
import { test } from "node:test";
import { explorers } from "../src/explorers/index.js";
import { catalogue, fromPosition, parameterNames, specification } from "../src/base/parameters.js";

const RECIPE = ["width", "gamma", "sigma_u", "sigma_w", "eta_u", "eta_w"].concat(
  ["second_moment", "cross_moment", "label_moment", "uu", "uw", "ww", "t"],
);

/** What Python hands over besides parameters: exponents of γ, σ_u², σ_w², η_u, η_w for every named scaling. */
const SCALINGS = Object.fromEntries(
  Object.entries({
    ntk: [-0.5, 0, 0, 0, 0],
    mean_field: [-1, 0, 0, 1, 1],
    mup: [0, -2, 0, -1, 1],
    kaiming: [0, -1, 0, -1, -1],
    xavier: [0, -1, -1, 0, 0],
    standard: [0, -1, 0, 0, 0],
  }).map(([name, [gamma, sigma2_u, sigma2_w, eta_u, eta_w]]) => [name, { gamma, sigma2_u, sigma2_w, eta_u, eta_w }]),
);

function* generator(seed) {
  for (let state = seed; ; ) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    yield state / 2 ** 32;
  }
}

const random = generator(7);
const draw = () => random.next().value;

function extras(count) {
  const normal = () => Math.sqrt(-2 * Math.log(1 - draw())) * Math.cos(2 * Math.PI * draw());
  const draws = () => Array.from({ length: count }, normal);
  return { draws_u: draws(), draws_w: draws(), scalings: SCALINGS };
}

function setting(name, place) {
  return Object.fromEntries(
    parameterNames(name).map((key) => {
      const parameter = specification(name, key);
      const value = fromPosition(parameter, place(key));
      return [key, parameter.integer ? Math.round(value) : value];
    }),
  );
}

/** All numbers in a tree of objects and arrays, with where they are. */
function* numbersIn(tree, path = "") {
  if (typeof tree === "number") yield [path, tree];
  else if (tree !== null && typeof tree === "object") {
    for (const [key, branch] of Object.entries(tree)) yield* numbersIn(branch, `${path}.${key}`);
  }
}

function assertSound(name, parameters, result) {
  for (const [path, value] of numbersIn(result)) {
    assert.ok(!Number.isNaN(value), `${name}${path} is not a number at ${JSON.stringify(parameters)}`);
  }
  for (const key of RECIPE) assert.equal(typeof result.parameters[key], "number", key);
  for (const [key, value] of Object.entries(result.quantities)) {
    assert.ok(Number.isFinite(value), `${name} ${key} is ${value} at ${JSON.stringify(parameters)}`);
  }
}

for (const [name, explorer] of Object.entries(explorers)) {
  const handed = extras(catalogue[name].neurons);
  const share = name === "ensemble" ? 16 : 1; // each of its settings trains 512 networks at 37 widths

  test(`${name}: every corner of its ranges`, () => {
    const names = parameterNames(name);
    for (let corner = 0; corner < 2 ** names.length; corner += share === 1 ? 1 : share - 1) {
      const parameters = setting(name, (key) => (corner >> names.indexOf(key)) & 1);
      assertSound(name, parameters, explorer.compute(parameters, handed));
    }
  });

  test(`${name}: random settings`, () => {
    for (let i = 0; i < 2000 / share; i++) {
      const parameters = setting(name, () => draw());
      assertSound(name, parameters, explorer.compute(parameters, handed));
    }
  });

  test(`${name}: a network with nothing left to learn`, () => {
    const at = { second_moment: 1, noise: 0, target: 0, overlap: 0 };
    const usual = setting(name, () => 0.5);
    const legal = (key) => key in at && at[key] >= specification(name, key).min && at[key] <= specification(name, key).max;
    const parameters = Object.fromEntries(Object.entries(usual).map(([key, value]) => [key, legal(key) ? at[key] : value]));
    assertSound(name, parameters, explorer.compute(parameters, handed));
  });

  test(`${name}: shows what it says it shows`, () => {
    const { numbers } = explorer;
    const { tiles = [], columns = [], rows = [] } = numbers;
    const shown = [...tiles.map(({ key }) => key), ...columns.flatMap(({ prefix }) => rows.map((row) => prefix + row))];
    const { quantities } = explorer.compute(setting(name, () => 0.5), handed);
    assert.deepEqual([...shown].sort(), Object.keys(quantities).sort());
  });
}
