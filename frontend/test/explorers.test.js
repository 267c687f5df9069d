// What every explorer computes, with no browser: at every corner of its ranges and at random places in them.
import assert from "node:assert/strict";
import { test } from "node:test";
import { explorers } from "../src/explorers/index.js";
import { SCALINGS } from "./support/scalings.js";
import { tableOf } from "./support/tables.js";
import { catalogue, parameterNames, specification } from "../src/base/catalogue.js";
import { fromPosition, levelled } from "../src/base/parameters.js";

const START = ["width", "gamma", "sigma_u", "sigma_w", "eta_u", "eta_w", "uu", "uw", "ww", "t"];
const MOMENTS = ["second_moment", "cross_moment", "label_moment"];

/**
 * The numbers without which nobody could compute again what an explorer shows.
 * @param {import("../src/base/catalogue.js").Configuration} configuration
 */
function recipeOf({ table, data, fixed }) {
  if (table) return [];
  if (fixed.includes("dimensions")) return ["a", "eta_a", "eta_w", "t"];
  return data ? START : [...START, ...MOMENTS];
}

const MOST_CORNERS = 1024;

let state = 7;

/** A random number in [0, 1), the same ones in every run. */
function draw() {
  state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
  return state / 2 ** 32;
}

function constants(name) {
  const normal = () => Math.sqrt(-2 * Math.log(1 - draw())) * Math.cos(2 * Math.PI * draw());
  const draws = () => Array.from({ length: catalogue[name].neurons }, normal);
  return { draws_u: draws(), draws_w: draws(), scalings: SCALINGS, table: /** @type {any} */ (tables[name]) };
}

const tables = Object.fromEntries(Object.keys(catalogue).map((name) => [name, tableOf(name, draw)]));

function setting(name, place) {
  return Object.fromEntries(
    parameterNames(name).map((key) => {
      const parameter = levelled(specification(name, key), tables[name]?.levels[key]);
      const value = fromPosition(parameter, place(key));
      return [key, parameter.integer ? Math.round(value) : value];
    }),
  );
}

/** Where in a tree of objects and arrays the first number stands that is none, or nothing. */
function notANumber(tree) {
  if (typeof tree === "number") return Number.isNaN(tree) ? "" : undefined;
  if (tree === null || typeof tree !== "object") return undefined;
  if (ArrayBuffer.isView(tree)) tree = Array.from(/** @type {any} */ (tree));
  for (const key in tree) {
    const inside = notANumber(tree[key]);
    if (inside !== undefined) return `.${key}${inside}`;
  }
  return undefined;
}

function assertSound(name, parameters, result) {
  const path = notANumber(result);
  assert.equal(path, undefined, `${name}${path} is not a number at ${JSON.stringify(parameters)}`);
  const browsed = catalogue[name].table?.by ?? [];
  for (const key of browsed) assert.ok(tables[name]?.levels[key].includes(result.parameters[key]), key);
  for (const key of recipeOf(catalogue[name])) assert.equal(typeof result.parameters[key], "number", key);
  for (const [key, value] of Object.entries(result.quantities)) {
    assert.ok(Number.isFinite(value), `${name} ${key} is ${value} at ${JSON.stringify(parameters)}`);
  }
}

test("the explorers are those of the catalogue", () => {
  assert.deepEqual(Object.keys(explorers).sort(), Object.keys(catalogue).sort());
  for (const [name, explorer] of Object.entries(explorers)) assert.equal(explorer.name, name);
});

for (const [name, explorer] of Object.entries(explorers)) {
  const handed = constants(name);
  const share = name === "ensemble" ? 16 : 1; // each of its settings trains 512 networks at 37 widths

  test(`${name}: corners of its ranges, all of them where they are not too many`, () => {
    const names = parameterNames(name);
    const all = 2 ** names.length;
    const count = Math.min(all, MOST_CORNERS / share);
    for (let i = 0; i < count; i++) {
      const corner = Math.floor(((i + (count < all ? draw() : 0)) * all) / count);
      const parameters = setting(name, (key) => (corner >> names.indexOf(key)) & 1);
      assertSound(name, parameters, explorer.compute(parameters, handed));
    }
  });

  test(`${name}: random settings`, () => {
    for (let i = 0; i < 1000 / share; i++) {
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
