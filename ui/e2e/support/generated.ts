/** A generated host that is judged as a collector judges one: `cargo xtask month`, which lives on until it is stopped. */
import { type ChildProcess, spawn } from "node:child_process";
import { dirname, join } from "node:path";
import { env } from "node:process";
import { createInterface } from "node:readline";

export interface Generated {
  id: number;
  stop(): void;
}

/** Stores it and waits until it has reached the present. */
export async function startGenerated(name: string): Promise<Generated> {
  const xtask = join(dirname(env.PQCRYPTA ?? ""), "xtask");
  const args = ["month", "--database", env.DATABASE_URL ?? "", "--name", name, "--follow"];
  const child: ChildProcess = spawn(xtask, args, { stdio: ["ignore", "pipe", "inherit"] });
  if (child.stdout) {
    for await (const line of createInterface(child.stdout)) {
      const id = /^host: (\d+)$/.exec(line)?.[1];
      if (id) return { id: Number(id), stop: () => void child.kill("SIGTERM") };
    }
  }
  throw new Error(`${xtask} month ended early`);
}
