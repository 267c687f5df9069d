// Who may import whom: base, solver, charts, explorers, frame, each only from its left.
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

const SRC = fileURLToPath(new URL("../src", import.meta.url));
const SHARED = fileURLToPath(new URL("../../flbook/shared", import.meta.url));

const MAY_IMPORT = {
  base: ["shared"],
  solver: ["shared"],
  charts: ["base"],
  explorers: ["base", "solver", "charts"],
  frame: ["base", "explorers"],
};

const files = Object.keys(MAY_IMPORT).flatMap((room) =>
  readdirSync(path.join(SRC, room)).map((name) => path.join(SRC, room, name)),
);

/** The files that a module imports or exports from, as absolute paths. */
function importsOf(file) {
  const statements = readFileSync(file, "utf8").matchAll(/^(?:import|export)\b[^;]*?\bfrom "([^"]+)"|^import "([^"]+)"/gm);
  return [...statements].map(([, from, bare]) => path.resolve(path.dirname(file), from ?? bare));
}

function roomOf(file) {
  if (file.startsWith(SHARED + path.sep)) return "shared";
  const [room, ...rest] = path.relative(SRC, file).split(path.sep);
  return rest.length === 1 ? room : `outside the rooms: ${file}`;
}

test("every room but the entry has a rule", () => {
  const folders = readdirSync(SRC, { withFileTypes: true }).filter((entry) => entry.isDirectory());
  assert.deepEqual(folders.map(({ name }) => name).sort(), Object.keys(MAY_IMPORT).sort());
});

test("each room imports only what its rule names", () => {
  for (const file of files) {
    for (const target of importsOf(file)) {
      const [from, to] = [file, target].map(roomOf);
      assert.ok(from === to || MAY_IMPORT[from].includes(to), `${path.relative(SRC, file)} imports from ${to}`);
    }
  }
});

test("each rule is used: none allows what nobody needs", () => {
  for (const [room, allowed] of Object.entries(MAY_IMPORT)) {
    const used = new Set(files.filter((file) => roomOf(file) === room).flatMap((file) => importsOf(file).map(roomOf)));
    for (const other of allowed) assert.ok(used.has(other), `${room} needs nothing from ${other}`);
  }
});

test("no module imports itself by a detour", () => {
  const done = new Set();
  const visit = (file, way) => {
    assert.ok(!way.includes(file), [...way, file].map((step) => path.relative(SRC, step)).join(" → "));
    if (done.has(file) || !file.endsWith(".js")) return;
    for (const target of importsOf(file)) visit(target, [...way, file]);
    done.add(file);
  };
  for (const file of files) visit(file, []);
});

test("the solver knows no page", () => {
  const page = /\b(document|window|requestAnimationFrame)\b/;
  for (const file of files.filter((file) => roomOf(file) === "solver")) {
    assert.ok(!page.test(readFileSync(file, "utf8")), path.relative(SRC, file));
  }
});
