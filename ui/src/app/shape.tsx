/**
 * A severity as shape, colour and word.
 *
 * Each severity has its own outline, so it can be distinguished without colour; the word is always in
 * the accessibility tree and, unless there is no room, on the screen.
 */
import type { Severity } from "../api/types.gen";

export const SEVERITY_WORD: Record<Severity, string> = {
  ok: "OK",
  info: "Info",
  warn: "Warning",
  critical: "Critical",
  unknown: "Unknown",
};

const OUTLINE: Record<Severity, string> = {
  ok: "M2 6.5 5 9.5 10 3",
  info: "M6 2a4 4 0 1 0 0 8 4 4 0 0 0 0-8z",
  warn: "M6 1.2 11.2 10.4H.8z",
  critical: "M1.8 1.8h8.4v8.4H1.8z",
  unknown: "M4 4.2a2 2 0 1 1 3 1.7c-.7.4-1 .8-1 1.5M6 9.4v.4",
};

export function Shape({ severity }: { severity: Severity }) {
  const drawn = severity === "ok" || severity === "unknown";
  return (
    <svg class={`shape ${severity}${drawn ? " drawn" : ""}`} viewBox="0 0 12 12" aria-hidden="true">
      <path d={OUTLINE[severity]} />
    </svg>
  );
}

/** `short` keeps the word for assistive technology only. */
export function SeverityMark({
  severity,
  text,
  short = false,
}: {
  severity: Severity;
  text?: string;
  short?: boolean;
}) {
  return (
    <span class={`severity ${severity}`}>
      <Shape severity={severity} />
      <span class={short ? "unseen" : undefined}>{text ?? SEVERITY_WORD[severity]}</span>
    </span>
  );
}
