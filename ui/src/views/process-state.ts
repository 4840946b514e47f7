/** The letter of a process's state in words, and whether it is something to look at. */
const STATES: Readonly<Record<string, string>> = {
  R: "Running or ready to run.",
  S: "Sleeping: waiting for something to happen. Normal.",
  D: "Waiting for a device and not to be interrupted. For long it means a slow disk or a network file system that does not answer.",
  I: "An idle thread of the kernel. Normal.",
  T: "Stopped by a signal. It does nothing until it is continued (kill -CONT).",
  t: "Stopped by a debugger.",
  Z: "A zombie: it has ended, but its parent has not read its exit status. Restart or repair the parent.",
  X: "Dead; it is about to vanish.",
  P: "Parked: an idle thread of the kernel.",
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
  const said = STATES[letter];
  return said === undefined ? `State ${state.slice(0, 40)}.` : `State ${letter}. ${said}`;
}
