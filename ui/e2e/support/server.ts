/**
 * A real server for tests: `pqcrypta up` with a private PostgreSQL, and psql beside it.
 *
 * `E2E_DIR` is a folder that every user can pass through; `ui/e2e/run` makes it, removes it, and ends
 * whatever a test left behind by the `.pid` files in it.
 */
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { randomUUID } from "node:crypto";
import { openSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { env } from "node:process";
import { createInterface } from "node:readline";

function wanted(name: string): string {
  const value = env[name];
  if (!value) throw new Error(`${name} is not set; start the tests with e2e/run`);
  return value;
}

export interface Server {
  /** Where the dashboard is. */
  url: string;
  /** For psql. */
  database: string;
  /** Where the example site is; empty without one. */
  site: string;
  child: ChildProcess;
  state: string;
}

/** A new server each time: a test that is run again finds nothing of the time before. */
export async function startServer(name: string, config = "", isDemo = false): Promise<Server> {
  const folder = wanted("E2E_DIR");
  const state = join(folder, `${name}-${randomUUID().slice(0, 8)}`);
  const log = `${state}.log`;
  const args = ["up", "--state-dir", state, "--listen", "127.0.0.1:0"];
  if (isDemo) args.push("--demo");
  if (config) {
    writeFileSync(`${state}.toml`, config);
    args.push("--config", `${state}.toml`);
  }
  const child = spawn(wanted("PQCRYPTA"), args, { stdio: ["ignore", "pipe", openSync(log, "w")] });
  writeFileSync(`${state}.pid`, String(child.pid));
  const server: Server = { url: "", database: "", site: "", child, state };
  if (child.stdout) {
    for await (const line of createInterface(child.stdout)) {
      const [word, value = ""] = line.split(/: (.*)/);
      if (word === "monitor") server.url = value;
      if (word === "database") server.database = value;
      if (word === "site") server.site = value;
      if (server.url && server.database && (server.site || !isDemo)) return server;
    }
  }
  throw new Error(`pqcrypta up ended early:\n${readFileSync(log, "utf8")}`);
}

export function stopServer(server: Server): Promise<void> {
  return new Promise((resolve) => {
    if (server.child.exitCode !== null || server.child.signalCode !== null) return resolve();
    server.child.once("exit", () => resolve());
    server.child.kill("SIGTERM");
  });
}

/** The process of a server's program, found by its name and by what mentions the state folder. */
export function pidOf(
  server: Server,
  program: "postgres" | "pqcrypta-collector" | "pqcrypta-analytics",
): number {
  for (const entry of readdirSync("/proc")) {
    if (!/^\d+$/.test(entry)) continue;
    try {
      const line = readFileSync(`/proc/${entry}/cmdline`, "utf8");
      const [first = ""] = line.split("\0");
      if (first.endsWith(`/${program}`) && line.includes(`${server.state}/`)) return Number(entry);
    } catch {
      // It ended meanwhile.
    }
  }
  throw new Error(`no ${program} of ${server.state} runs`);
}

/** Runs SQL as the owner; the rows, cells by tabs. */
export function sql(database: string, text: string): string[][] {
  const done = spawnSync("psql", ["-X", "-q", "-A", "-t", "-F", "\t", "-v", "ON_ERROR_STOP=1", database], {
    input: text,
    encoding: "utf8",
  });
  if (done.status !== 0) throw new Error(`psql: ${done.stderr || done.error}`);
  return done.stdout
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => line.split("\t"));
}

/** Waits for something outside of any page. */
export async function until(isTrue: () => boolean | Promise<boolean>, withinMs = 60_000): Promise<void> {
  const end = Date.now() + withinMs;
  while (!(await isTrue())) {
    if (Date.now() > end) throw new Error(`did not happen within ${withinMs} ms: ${isTrue}`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

/** The processes that a process has started and that still run. */
export function childrenOf(parent: number): number[] {
  return readFileSync(`/proc/${parent}/task/${parent}/children`, "utf8")
    .split(" ")
    .filter(Boolean)
    .map(Number);
}

/** Writes a sample of each living host every five seconds until it is killed; says why when it cannot, and goes on. */
export function feed(server: Server): ChildProcess {
  const feeder = spawn("psql", ["-X", "-q", "-o", "/dev/null", server.database], {
    stdio: ["pipe", "ignore", "inherit"],
  });
  // An error ends a watch, and the next begins.
  feeder.stdin?.write("SET client_min_messages = warning;\n");
  feeder.stdin?.write("SELECT e2e.tick() \\watch 5\n".repeat(1_000));
  return feeder;
}
