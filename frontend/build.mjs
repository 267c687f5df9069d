// `node build.mjs package OUTDIR` bundles what the Python package ships: explorers.js and explorers.css.
// `node build.mjs site OUTDIR` writes what the static site serves beside its pages.
import path from "node:path";
import { build } from "esbuild";
import { explorers } from "./options.mjs";

const targets = {
  package: (outdir) => build({ ...explorers, format: "esm", outdir }),
  site: async (outdir) => (await import("./site/build.mjs")).buildSite(outdir),
};

const [target, outdir] = process.argv.slice(2);
if (!(target in targets) || outdir === undefined) {
  console.error(`usage: node build.mjs ${Object.keys(targets).join("|")} OUTDIR`);
  process.exit(2);
}
await targets[target](path.resolve(outdir));
