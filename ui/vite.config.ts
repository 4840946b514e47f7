/// <reference types="vitest/config" />
import { defineConfig } from "vite";

const LATER = [
  "plot",
  "selection",
  "bars",
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
  oxc: { jsx: { runtime: "automatic", importSource: "preact" } },
  build: {
    target: ["chrome123", "firefox125", "safari17.5"],
    cssTarget: ["chrome123", "firefox125", "safari17.5"],
    cssCodeSplit: false,
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
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
