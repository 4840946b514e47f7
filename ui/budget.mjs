/**
 * Weighs the built dashboard against its budgets and fails above them.
 *
 * It builds into a temporary folder, so it always weighs the sources as they are. The first paint is
 * the entry, the chunk of "Now" and all they import; the first view has the canvas engine besides. A
 * lazy chunk is what it alone adds to that; one with a table counts the 4.9 KB that all tables share, which load once. The
 * whole is that of seventeen views, which nobody loads at once. The tracker is the whole file that other sites' pages load.
 */
import { readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { build } from "vite";

const KB = 1000;
const LIMITS = {
  paint: 36.4 * KB,
  view: 55 * KB,
  css: 10 * KB,
  html: 2 * KB,
  lazy: 8.5 * KB,
  total: 134.5 * KB,
  tracker: 2.2 * KB,
};
const FIRST_VIEW = "src/views/now.tsx";
const ENGINE = "src/charts/plot.ts";

const out = await mkdtemp(join(tmpdir(), "dashboard-budget-"));
const { output } = await build({ logLevel: "warn", build: { outDir: out, emptyOutDir: true } });
const html = readFileSync(join(out, "index.html"));
await rm(out, { recursive: true });
const [tracker] = await build({
  configFile: "tracker/vite.config.ts",
  logLevel: "warn",
  build: { write: false },
});

const weigh = (text) => gzipSync(text, { level: 9 }).length;
const chunks = new Map(
  output.filter((part) => part.type === "chunk").map((chunk) => [chunk.fileName, chunk]),
);
const sizes = new Map([...chunks].map(([name, chunk]) => [name, weigh(chunk.code)]));

/** A chunk and everything it imports outright. */
function closure(name, found = new Set()) {
  if (found.has(name)) return found;
  found.add(name);
  for (const next of chunks.get(name).imports) closure(next, found);
  return found;
}
const sum = (names) => [...names].reduce((total, name) => total + sizes.get(name), 0);

const entry = [...chunks.values()].find((chunk) => chunk.isEntry);
const lazy = [...chunks.values()].filter((chunk) => chunk.isDynamicEntry);
const first = lazy.find((chunk) => chunk.facadeModuleId?.endsWith(FIRST_VIEW));
if (!entry || !first) throw new Error("the build has no entry or no first view");
const paintChunks = closure(first.fileName, closure(entry.fileName));
const engine = lazy.find((chunk) => chunk.facadeModuleId?.endsWith(ENGINE));
const firstChunks = engine ? closure(engine.fileName, new Set(paintChunks)) : paintChunks;
const css = output
  .filter((part) => part.type === "asset" && part.fileName.endsWith(".css"))
  .reduce((total, part) => total + weigh(part.source), 0);

const rows = [
  ["first paint JS", sum(paintChunks), LIMITS.paint],
  ["first view JS", sum(firstChunks), LIMITS.view],
  ["CSS", css, LIMITS.css],
  ["HTML", weigh(html), LIMITS.html],
  ["all JS and CSS", sum(chunks.keys()) + css, LIMITS.total],
  ["tracker", weigh(tracker.output[0].code), LIMITS.tracker],
];
for (const chunk of lazy) {
  if (chunk === first || chunk === engine) continue;
  const added = [...closure(chunk.fileName)].filter((name) => !firstChunks.has(name));
  rows.push([`lazy ${chunk.name}`, sum(added), LIMITS.lazy]);
}

let failed = false;
for (const [name, size, limit] of rows) {
  const isOver = size > limit;
  failed ||= isOver;
  const line = `${name.padEnd(18)} ${(size / KB).toFixed(1).padStart(6)} of ${(limit / KB).toFixed(1).padStart(5)} KB gz`;
  process.stdout.write(`${line}${isOver ? "  OVER" : ""}\n`);
}
process.exitCode = failed ? 1 : 0;
