/** Starts the shared server, seeds it, and keeps its made-up hosts alive while the tests run. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { env } from "node:process";
import { feed, sql, startServer, stopServer, until } from "./server";

export default async function setup(): Promise<() => Promise<void>> {
  const server = await startServer("main");
  env.MONITOR_URL = server.url;
  env.DATABASE_URL = server.database;
  // The collector makes partitions when it starts; two that make the same one would collide.
  await until(() => sql(server.database, "SELECT 1 FROM collector.system_metrics_raw LIMIT 1").length > 0);
  for (const file of ["seed", "services", "logs", "alerts", "traffic"]) {
    sql(server.database, readFileSync(join(import.meta.dirname, `../${file}.sql`), "utf8"));
  }
  const feeder = feed(server);
  return async () => {
    feeder.kill();
    await stopServer(server);
  };
}
