/**
 * The canvas engine, which the first paint does without.
 *
 * It is the largest part of the program and is fetched while the first answers are under way; until
 * it is there a chart has its frame, its legend and its height, so nothing moves when it comes.
 */
import { signal } from "@preact/signals";

type Engine = typeof import("./plot");

export const engine = signal<Engine | null>(null);
export const engineFailed = signal(false);

import("./plot").then(
  (loaded) => {
    engine.value = loaded;
  },
  () => {
    engineFailed.value = true;
  },
);
