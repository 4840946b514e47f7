import { createHash } from "node:crypto";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { defineConfig, type Plugin } from "vite";

/** Prints what a page needs to load the script: its size, and the hash of its contents for `integrity=`. */
const report: Plugin = {
  name: "report",
  writeBundle(_options, bundle) {
    for (const part of Object.values(bundle)) {
      if (part.type !== "chunk") continue;
      const hash = createHash("sha384").update(part.code).digest("base64");
      const packed = gzipSync(part.code, { level: 9 }).length;
      process.stdout.write(`${part.fileName}: ${packed} bytes gz, integrity="sha384-${hash}"\n`);
    }
  },
};

// One classic script: a page loads it with `defer`, also under a Content-Security-Policy without inline code.
export default defineConfig({
  root: import.meta.dirname,
  publicDir: false,
  plugins: [report],
  build: {
    // What browsers of the last four years run.
    target: ["chrome100", "firefox100", "safari15.4"],
    outDir: join(import.meta.dirname, "../dist-tracker"),
    emptyOutDir: true,
    reportCompressedSize: false,
    lib: {
      entry: "main.ts",
      formats: ["iife"],
      name: "_",
      fileName: () => "pqcrypta-analytics.js",
    },
  },
});
