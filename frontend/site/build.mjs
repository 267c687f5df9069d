// What the static site serves beside its pages: the widget manager, the explorers' bundle as a plain script, MathJax.
import { cp, rm } from "node:fs/promises";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { common, explorers } from "../options.mjs";

const here = path.dirname(fileURLToPath(import.meta.url));
const mathjax = path.join(here, "..", "node_modules", "mathjax", "es5");
const MATHJAX_PARTS = ["tex-chtml.js", "output/chtml/fonts/woff-v2", "input/tex/extensions", "ui", "a11y", "sre/mathmaps/base.json", "sre/mathmaps/en.json"];

/** Writes the site's assets into `outdir`, afresh. */
export async function buildSite(outdir) {
  await rm(outdir, { recursive: true, force: true });
  await build({
    ...common,
    entryPoints: ["widgets.js", "widgets.css", "site.js", "site.css"].map((name) => path.join(here, name)),
    inject: [path.join(here, "amd.js")],
    format: "iife",
    outdir: path.join(outdir, "flbook"),
  });
  await build({ ...explorers, format: "iife", globalName: "flbookExplorers", outdir: path.join(outdir, "flbook") });
  await Promise.all(
    MATHJAX_PARTS.map((part) => cp(path.join(mathjax, part), path.join(outdir, "mathjax", part), { recursive: true })),
  );
}
