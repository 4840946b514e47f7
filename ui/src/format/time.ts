/**
 * Instants and durations as people read them.
 *
 * Instants are milliseconds since the epoch. They are shown in the browser's zone or in UTC, always
 * with 24 hours, and in one order (22 Nov 14:02:11) whatever the locale, so that two people who
 * compare screens read the same text.
 */
const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

export interface Parts {
  year: number;
  month: string;
  day: number;
  hour: number;
  minute: number;
  second: number;
}

export function parts(ms: number, utc: boolean): Parts {
  const at = new Date(ms);
  return utc
    ? {
        year: at.getUTCFullYear(),
        month: MONTHS[at.getUTCMonth()] ?? "",
        day: at.getUTCDate(),
        hour: at.getUTCHours(),
        minute: at.getUTCMinutes(),
        second: at.getUTCSeconds(),
      }
    : {
        year: at.getFullYear(),
        month: MONTHS[at.getMonth()] ?? "",
        day: at.getDate(),
        hour: at.getHours(),
        minute: at.getMinutes(),
        second: at.getSeconds(),
      };
}

const two = (value: number): string => String(value).padStart(2, "0");

/** `14:02` or `14:02:11`. */
export function formatClock(ms: number, utc: boolean, seconds = true): string {
  if (!Number.isFinite(ms)) return "–";
  const at = parts(ms, utc);
  return `${two(at.hour)}:${two(at.minute)}${seconds ? `:${two(at.second)}` : ""}`;
}

/** `22 Nov`. */
export function formatDay(ms: number, utc: boolean): string {
  if (!Number.isFinite(ms)) return "–";
  const at = parts(ms, utc);
  return `${at.day} ${at.month}`;
}

/** `22 Nov 14:02:11`, with the year when it is not `now`'s. */
export function formatDateTime(ms: number, utc: boolean, now = Date.now()): string {
  if (!Number.isFinite(ms)) return "–";
  const year = parts(ms, utc).year;
  const day = formatDay(ms, utc) + (year === parts(now, utc).year ? "" : ` ${year}`);
  return `${day} ${formatClock(ms, utc)}${utc ? " UTC" : ""}`;
}

const STEPS: readonly [number, string][] = [
  [86_400, "d"],
  [3_600, "h"],
  [60, "min"],
  [1, "s"],
];

/** The two largest parts: `3 d 4 h`, `1 min 15 s`, `17 min`, `42 s`, `0.4 s`. */
export function formatDuration(secs: number): string {
  if (!Number.isFinite(secs)) return "–";
  if (secs < 0) return `-${formatDuration(-secs)}`;
  if (secs > 0 && secs < 9.95) return `${String(Math.round(secs * 10) / 10)}\u00a0s`;
  let rest = Math.round(secs);
  // From ten minutes on seconds are noise.
  if (rest >= 600) rest -= rest % 60;
  const words: string[] = [];
  for (const [size, word] of STEPS) {
    const count = Math.floor(rest / size);
    rest -= count * size;
    if (count > 0) words.push(`${count}\u00a0${word}`);
    if (words.length === 2 || (words.length === 1 && count === 0)) break;
  }
  return words.join(" ") || "0\u00a0s";
}

/** `17 min ago`, `in 3 s`, `just now`. */
export function formatAgo(ms: number, now: number): string {
  const secs = (now - ms) / 1000;
  if (Math.abs(secs) < 1.5) return "just now";
  return secs > 0 ? `${formatDuration(Math.round(secs))} ago` : `in ${formatDuration(Math.round(-secs))}`;
}

/**
 * A sentence of the server without the time at its end, which is in the server's zone; the page states
 * the time itself, in its own.
 */
export function withoutTime(text: string): string {
  return text.replace(/ (?:since|at) [^.:]*\d\d:\d\d[^.]*\.?$/, text.endsWith(".") ? "." : "");
}
