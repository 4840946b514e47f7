/// <reference types="vitest/config" />
import { defineConfig, type Plugin } from "vite";

/**
 * What uPlot brings and no chart here uses, and what stands in its place: it hangs on the exported function, or
 * on options that are never set, where the bundler cannot see that nothing needs it. These are its ways of
 * drawing lines and points, its scales of logarithms, its legend, and its names for times: charts bring their own
 * paths, steps and labels.
 */
const UNUSED: readonly [code: string, instead: string][] = [
  ["(paths.linear  = linear);", ""],
  ["(paths.stepped = stepped);", ""],
  ["(paths.bars    = bars);", ""],
  ["(paths.spline  = monotoneCubic);", ""],
  ["const linearPath = linear() ;", "const linearPath = null;"],
  ["const pointsPath = points() ;", "const pointsPath = null;"],
  ["uPlot.paths = {\n\t\tpoints,\n\t}", "uPlot.paths = {}"],
  ["uPlot.addGap = addGap;", ""],
  ["uPlot.clipGaps = clipGaps;", ""],
  ["uPlot.join = join;", ""],
  ["uPlot.orient   = orient;", ""],
  ["uPlot.rangeLog = rangeLog;", ""],
  ["uPlot.rangeAsinh = rangeAsinh;", ""],
  ["sc.distr == 3 ? snapLogX : sc.distr == 4 ? snapAsinhX : snapNumX", "snapNumX"],
  ["sc.distr == 3 ? snapLogY : sc.distr == 4 ? snapAsinhY : snapNumY", "snapNumY"],
  ["[_min, _max] = rangeLog(_min, _min, scaleX.log, false);", ";"],
  ["[_min, _max] = rangeAsinh(_min, _min, scaleX.log, false);", ";"],
  [
    "sc.distr >= 3 && sc.log == 10 ? log10AxisValsFilt : sc.distr == 3 && sc.log == 2 ? log2AxisValsFilt : retArg1",
    "retArg1",
  ],
  [
    "isTime && sc.distr == 1 ? _timeAxisSplits : sc.distr == 3 ? logAxisSplits : sc.distr == 4 ? asinhAxisSplits : numAxisSplits",
    "numAxisSplits",
  ],
  ["isTime ? (ms == 1 ? timeIncrsMs : timeIncrsS) : numIncrs", "numIncrs"],
  ["timeAxisVals(_tzDate, timeAxisStamps(av, _fmtDate))", "av"],
  ["timeAxisVal(_tzDate, av)", "av"],
  ["av || _timeAxisVals", "av"],
  [
    "isTime ? (isStr(sv) ? timeSeriesVal(_tzDate, timeSeriesStamp(sv, _fmtDate)) : sv || _timeSeriesVal) : sv || numSeriesVal",
    "sv || numSeriesVal",
  ],
  ["const _tzDate  = (opts.tzDate || (ts => new Date(round(ts / ms))));", ""],
  ["const _fmtDate = (opts.fmtDate || fmtDate);", ""],
  ["const _timeAxisSplits = (ms == 1 ? timeAxisSplitsMs(_tzDate) : timeAxisSplitsS(_tzDate));", ""],
  [
    "const _timeAxisVals   = timeAxisVals(_tzDate, timeAxisStamps((ms == 1 ? _timeAxisStampsMs : _timeAxisStampsS), _fmtDate));",
    "",
  ],
  ["const _timeSeriesVal  = timeSeriesVal(_tzDate, timeSeriesStamp(_timeSeriesStamp, _fmtDate));", ""],
  ["const [ timeIncrsMs, _timeAxisStampsMs, timeAxisSplitsMs ] = genTimeStuffs(1);", ""],
  ["const [ timeIncrsS,  _timeAxisStampsS,  timeAxisSplitsS  ] = genTimeStuffs(1e-3);", ""],
  ["const localTz = new Intl.DateTimeFormat().resolvedOptions().timeZone;", ""],
  ["uPlot.fmtDate = fmtDate;", ""],
  ["uPlot.tzDate  = tzDate;", ""],
  ["const showLegend = legend.show;", "const showLegend = false;"],
];

/** Leaves that out. A release of uPlot in which it is written otherwise fails the build. */
const leanPlot: Plugin = {
  name: "lean-plot",
  transform(code, id) {
    if (!id.endsWith("uPlot.esm.js")) return null;
    let lean = code;
    for (const [unused, instead] of UNUSED) {
      const without = lean.replace(unused, instead);
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
  "behind",
  "ghosts",
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
        chunkFileNames: "assets/[hash:7].js",
        codeSplitting: {
          // What every view needs is one file: it packs better than many, and loads in one go.
          groups: [
            { name: "base", test: isBase },
            // What a chart loads once it is used packs better together, too.
            {
              name: "chart-parts",
              test: /\/src\/charts\/(?:behind|chart-table|chart-tip|ghosts|selection)\.tsx?$/,
            },
            { name: "traffic", test: /\/src\/views\/traffic-(?:filters|question)\.ts$/, priority: 1 },
            // A small table stands in parts that have nothing else in common.
            { name: "simple", test: /\/src\/views\/simple-table\.tsx$/, priority: 1 },
            // So does what compares two times, beside where a metric is shown, which other parts need, too.
            { name: "places", test: /\/src\/views\/(?:contents|finding-place)\.tsx?$/ },
            {
              name: "snapshot",
              test: /\/src\/views\/(?:changed|compare|peak-delta|snapshot[a-z-]*)\.tsx?$/,
            },
            // So do the menus of the bar, and small parts of tables.
            {
              name: "menus",
              test: /\/src\/(?:app\/(?:choice|display-form|help|range-form)|state\/typed-range)\.tsx?$/,
            },
            { name: "cells", test: /\/src\/tables\/(?:columns-form|command|trend)\.tsx?$/ },
            // So is every table, whoever else needs a part of it.
            { name: "table", test: /\/src\/tables\/(?:body|cell|head|look|order|query|table|tools)\.tsx?$/ },
          ],
        },
      },
    },
  },
  test: { include: ["{src,tracker}/**/*.test.ts"], environment: "node" },
});
