/** The letter of a process's state in words, and whether it is something to look at. */
const STATES: Readonly<Record<string, string>> = {
  R: "Running or ready to run.",
  S: "Sleeping: waiting for an event. Normal.",
  D: "Uninterruptible sleep, usually waiting for I/O. If it lasts, a disk is slow or a network file system does not respond.",
  I: "An idle kernel thread. Normal.",
  T: "Stopped by a signal. It does nothing until it is continued (kill -CONT).",
  t: "Stopped by a debugger.",
  Z: "A zombie: it has ended, but its parent has not read its exit status. Restart or fix the parent.",
  X: "Dead: about to be removed.",
  P: "Parked: an idle kernel thread.",
};

const WORDS: Readonly<Record<string, string>> = {
  running: "R",
  sleeping: "S",
  disk: "D",
  idle: "I",
  stopped: "T",
  traced: "t",
  zombie: "Z",
  dead: "X",
  parked: "P",
};

export function explainState(state: string): string {
  const letter = WORDS[state.split(/[\s_-]/)[0]?.toLowerCase() ?? ""] ?? state.charAt(0);
  const meaning = STATES[letter];
  return meaning === undefined ? `State ${state.slice(0, 40)}.` : `State ${letter}. ${meaning}`;
}
