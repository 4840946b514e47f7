/**
 * Work that is done piece by piece.
 *
 * Building a plot takes some milliseconds, and a view has many: in one turn they would block input for too
 * long. One piece is done per task, so that input and painting come in between.
 */
const waiting = new Set<() => void>();
let isRunning = false;

/** Runs the work in a separate task, after the work that is waiting; returns a function that cancels it. */
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
