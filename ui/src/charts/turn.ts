/**
 * Work that is done piece by piece.
 *
 * To build a plot takes some milliseconds, and a view has many that could all be built in the same turn, at
 * the end of which the page would have been deaf for too long. One piece is done per task, so that input and
 * painting come in between.
 */
const waiting = new Set<() => void>();
let isRunning = false;

/** Does the work in a task of its own, after what waits already; the answer takes it back. */
export function inTurn(work: () => void): () => void {
  waiting.add(work);
  if (!isRunning) {
    isRunning = true;
    setTimeout(step);
  }
  return () => waiting.delete(work);
}

function step(): void {
  const [work] = waiting;
  isRunning = work !== undefined && waiting.size > 1;
  if (isRunning) setTimeout(step);
  if (!work) return;
  waiting.delete(work);
  work();
}
