// The style sheet made of the palette: every role, light and dark, and no colour besides.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { paletteStyle } from "../palette.mjs";

const read = (name) => readFileSync(new URL(name, import.meta.url), "utf8");
const palette = JSON.parse(read("../../flbook/shared/palette.json"));
const style = read("../src/style.css");
const property = (role) => `--flb-${role.replaceAll("_", "-")}`;

test("every role is a property, once light and twice dark", () => {
  const sheet = paletteStyle(palette);
  const count = (text) => sheet.split(text).length - 1;
  for (const [role, { light, dark }] of Object.entries(palette)) {
    assert.deepEqual([count(`${property(role)}: ${light};`), count(`${property(role)}: ${dark};`)], [1, 2], role);
  }
});

test("a new role needs nothing but the palette", () => {
  assert.match(paletteStyle({ new_role: { light: "#123456", dark: "#654321" } }), /--flb-new-role: #123456;/);
});

test("the style sheet uses roles of the palette and no colour of its own", () => {
  const roles = Object.keys(palette).map(property);
  for (const [, used] of style.matchAll(/var\((--flb-[a-z-]+)\)/g)) assert.ok(roles.includes(used), used);
  assert.deepEqual([...style.matchAll(/#[0-9a-f]{3,8}\b|\brgba?\(/gi)].map(([colour]) => colour), []);
});
