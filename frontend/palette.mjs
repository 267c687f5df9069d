// flbook/shared/palette.json as a style sheet: one custom property for each role, light and dark.

import { readFile } from "node:fs/promises";

const PLACES = [".flb", ".flbook-explorer"];
const DARK = ['html[data-theme="dark"]', 'html[theme="dark"]', 'body[data-jp-theme-light="false"]'];
const UNDECIDED = "html:not([data-theme]):not([theme]) body:not([data-jp-theme-light])";

const within = (pages) => pages.flatMap((page) => PLACES.map((place) => `${page} ${place}`)).join(",\n");

/**
 * The style sheet that hands the palette to the explorers, by the theme of the page or else of the system.
 * @param {Record<string, {light: string, dark: string}>} palette
 */
export function paletteStyle(palette) {
  const colours = (theme) =>
    Object.entries(palette)
      .map(([role, colour]) => `  --flb-${role.replaceAll("_", "-")}: ${colour[theme]};`)
      .join("\n");
  return `${PLACES.join(",\n")} {
${colours("light")}
}
${within(DARK)} {
${colours("dark")}
}
@media (prefers-color-scheme: dark) {
${within([UNDECIDED])} {
${colours("dark")}
}
}
`;
}

/** Lets a style sheet `@import` the palette. */
export const palettePlugin = {
  name: "palette",
  setup(build) {
    build.onLoad({ filter: /palette\.json$/ }, async ({ path }) => ({
      contents: paletteStyle(JSON.parse(await readFile(path, "utf8"))),
      loader: "css",
    }));
  },
};
