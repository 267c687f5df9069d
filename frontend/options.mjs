// How esbuild bundles, for the package and for the site.

import path from "node:path";
import { fileURLToPath } from "node:url";
import { palettePlugin } from "./palette.mjs";

const here = path.dirname(fileURLToPath(import.meta.url));

/** @type {import("esbuild").BuildOptions} */
export const common = {
  bundle: true,
  minify: true,
  target: "es2022",
  charset: "utf8",
  legalComments: "eof",
  logLevel: "warning",
};

/** @type {import("esbuild").BuildOptions} */
export const explorers = {
  ...common,
  entryPoints: { explorers: path.join(here, "src", "index.js") },
  plugins: [palettePlugin],
};
