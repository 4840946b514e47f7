/** End-to-end tests; `e2e/run` builds the programs, starts them and calls this. */
import { env } from "node:process";
import { defineConfig } from "@playwright/test";

export default defineConfig({
  testDir: "e2e",
  globalSetup: "./e2e/support/setup.ts",
  workers: 2,
  fullyParallel: true,
  // Nothing succeeds by waiting, so patience costs only where a test fails; real programs on a busy machine need it.
  timeout: 90_000,
  expect: { timeout: 30_000 },
  reporter: [["list"]],
  use: {
    viewport: { width: 1280, height: 900 },
    timezoneId: "Europe/Berlin",
    locale: "en-GB",
    launchOptions: {
      executablePath: env.CHROMIUM ?? "/usr/bin/chromium",
      args: [
        // A container's root has no user namespaces.
        "--no-sandbox",
        "--disable-gpu",
        "--disable-quic",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        "--js-flags=--expose-gc",
      ],
    },
  },
});
