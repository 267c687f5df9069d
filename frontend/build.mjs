// `node build.mjs package OUTDIR` bundles what the Python package ships: explorers.js and explorers.css.
// `node build.mjs site OUTDIR` writes what the static site serves beside its pages.
import path from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const here = path.dirname(fileURLToPath(import.meta.url));

async function buildPackage(outdir) {
  await build({
    entryPoints: { explorers: path.join(here, "src", "index.js") },
    bundle: true,
    minify: true,
    format: "esm",
    target: "es2022",
    charset: "utf8",
    legalComments: "eof",
    logLevel: "warning",
    outdir,
  });
}

const targets = {
  package: buildPackage,
  site: async (outdir) => (await import("./site/build.mjs")).buildSite(outdir),
};

const [target, outdir] = process.argv.slice(2);
if (!(target in targets) || outdir === undefined) {
  console.error(`usage: node build.mjs ${Object.keys(targets).join("|")} OUTDIR`);
  process.exit(2);
}
await targets[target](path.resolve(outdir));
