/** The number of critical problems in the tab's title and icon. */
import { effect } from "@preact/signals";
import { now, trusted, verdict } from "../api/store";
import type { Severity } from "../api/types.gen";
import { place } from "../state/location";
import { viewById } from "../views/registry";

const FILL: Record<Severity, string> = {
  ok: "#0a6b4b",
  info: "#0b5cad",
  warn: "#b26a00",
  critical: "#b3152b",
  unknown: "#556270",
};

export function showInTitle(): () => void {
  return effect(() => {
    const criticals = trusted.value
      ? (now.value?.problems.filter((problem) => problem.severity === "critical").length ?? 0)
      : 0;
    const view = viewById(place.value.view)?.title ?? "No such view";
    const host = now.value?.host.name;
    document.title = `${criticals > 0 ? `(${criticals}) ` : ""}${view}${host ? ` · ${host.slice(0, 60)}` : ""} · pqcrypta`;
    const icon = document.querySelector<HTMLLinkElement>('link[rel="icon"]');
    if (icon) icon.href = drawIcon(verdict.value.severity, criticals);
  });
}

function drawIcon(severity: Severity, criticals: number): string {
  const mark =
    criticals > 0
      ? `<text x="16" y="24" text-anchor="middle" font-family="sans-serif" font-weight="700" font-size="${criticals > 9 ? 18 : 22}" fill="#fff">${Math.min(criticals, 99)}</text>`
      : severity === "ok"
        ? '<path d="M8 17l6 6 11-14" fill="none" stroke="#fff" stroke-width="4"/>'
        : severity === "unknown"
          ? '<text x="16" y="24" text-anchor="middle" font-family="sans-serif" font-weight="700" font-size="22" fill="#fff">?</text>'
          : '<path d="M16 7l10 18H6z" fill="#fff"/>';
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><rect width="32" height="32" rx="6" fill="${FILL[severity]}"/>${mark}</svg>`;
  return `data:image/svg+xml,${encodeURIComponent(svg)}`;
}
