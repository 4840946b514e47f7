/// <reference types="vitest/config" />
import { defineConfig, type Plugin } from "vite";

/**
 * Leaves out the ways of drawing that uPlot brings and no chart here uses: they hang on the exported
 * function, where the bundler cannot see that nobody asks for them. A release that names them otherwise
 * fails the build.
 */
const leanPlot: Plugin = {
  name: "lean-plot",
  transform(code, id) {
    if (!id.endsWith("uPlot.esm.js")) return null;
    let lean = code;
    for (const unused of [
      "(paths.stepped = stepped);",
      "(paths.bars    = bars);",
      "(paths.spline  = monotoneCubic);",
      "uPlot.join = join;",
      "uPlot.tzDate  = tzDate;",
    ]) {
      const without = lean.replace(unused, "");
      if (without === lean) this.error(`uPlot has no "${unused}" any more: see leanPlot in vite.config.ts`);
      lean = without;
    }
    return { code: lean, map: null };
  },
};

const LATER = [
  "plot",
  "labels",
  "ticks",
  "time-axis",
  "selection",
  "bars",
  "spark",
  "title",
  "tip-text",
  "counts",
  "typed-range",
  "help",
  "palette",
  "range-form",
  "display-form",
  "choice",
  "heat",
  "chart-table",
  "chart-tip",
  "palette-entries",
  "palette-rows",
  "span",
  "fold",
];

function isBase(module: string): boolean {
  if (/node_modules\/(preact|@preact)\//.test(module)) return true;
  const own = /\/src\/(?:state|format|api|charts|app)\/([^/.]+)\.tsx?$/.exec(module);
  return own !== null && !LATER.includes(own[1] ?? "");
}

// Asset addresses are relative to the page's <base href>, which the server sets on start; lazy
// chunks resolve against the module that asks for them. So one bundle works under any base path.
export default defineConfig({
  base: "./",
  plugins: [leanPlot],
  oxc: { jsx: { runtime: "automatic", importSource: "preact" } },
  build: {
    target: ["chrome123", "firefox125", "safari17.5"],
    cssTarget: ["chrome123", "firefox125", "safari17.5"],
    cssCodeSplit: false,
    assetsInlineLimit: 0,
    // What a lazy part imports is in the files above or comes with it; the helper costs more than it saves.
    modulePreload: false,
    reportCompressedSize: false,
    rolldownOptions: {
      output: {
        // Every name stands in the list that the first file carries.
        chunkFileNames: "assets/[hash:6].js",
        codeSplitting: {
          // What every view needs is one file: it packs better than many, and loads in one go.
          groups: [
            { name: "base", test: isBase },
            // So is every table, whoever else needs a part of it.
            { name: "table", test: /\/src\/tables\/(?:body|cell|head|look|order|query|table|tools)\.tsx?$/ },
          ],
        },
      },
    },
  },
  test: { include: ["src/**/*.test.ts"], environment: "node" },
});
