/** What led to a snapshot: a finding, or a point of a chart. */

import { metricsById } from "../api/store";
import type { Focus, Snapshot, SnapshotFinding, Unit } from "../api/types.gen";
import { Coded } from "../app/coded";
import { Since } from "../app/panel";
import { Part } from "../app/part";
import { SEVERITY_WORD, SeverityMark } from "../app/shape";
import { formatNumber, formatValue, keepUnits } from "../format/value";
import { place } from "../state/location";
import { param } from "../state/url";

export function Context({ snapshot }: { snapshot: Snapshot }) {
  const { finding, focus } = snapshot;
  if (finding) return <Found finding={finding} />;
  if (focus) return <Point focus={focus} />;
  if (param(place.value, "finding") !== null) {
    return <p class="muted">The finding that led here is not stored any more.</p>;
  }
  return null;
}

function Found({ finding }: { finding: SnapshotFinding }) {
  const known = finding.metric === null ? undefined : metricsById.value.get(finding.metric);
  const unit: Unit = known?.unit ?? "count";
  const value = (one: number | null): string => (one === null ? "" : formatValue(one, unit));
  const facts: readonly [string, string][] = [
    ["Last", value(finding.value)],
    ["Threshold", value(finding.threshold)],
    ["Normal", value(finding.expected)],
    ["Usual deviation", value(finding.stddev)],
    ["Direction", finding.direction ?? ""],
    ["z-score", finding.z_score === null ? "" : formatNumber(finding.z_score)],
    [
      "Drift",
      finding.drift_pct === null
        ? ""
        : `${finding.drift_pct > 0 ? "+" : ""}${formatNumber(finding.drift_pct)} %`,
    ],
  ];
  return (
    <section class={`panel context ${finding.severity}`} aria-label="Finding">
      <p class="state">
        <SeverityMark severity={finding.severity} />
        <span class="muted">
          {finding.kind} · {finding.domain} · <Since ms={finding.opened_ms} words="since " />
          {finding.worst !== finding.severity && ` · at worst ${SEVERITY_WORD[finding.worst].toLowerCase()}`}
          {finding.resolved_ms === null ? (
            ` · ${finding.state}`
          ) : (
            <Since ms={finding.resolved_ms} words=", resolved " />
          )}
        </span>
      </p>
      <strong>
        <bdi>{keepUnits(finding.title)}</bdi>
      </strong>
      <Facts facts={facts} />
      {finding.message !== finding.title && (
        <p>
          <bdi>{keepUnits(finding.message)}</bdi>
        </p>
      )}
      {finding.cause && (
        <p>
          Cause: <bdi>{finding.cause}</bdi>
        </p>
      )}
      {finding.steps[0] && (
        <p>
          Do next: <Coded text={finding.steps[0]} />
        </p>
      )}
      {[finding.command, finding.action_sql].map(
        (text) =>
          text && <Part key={text} load={() => import("../tables/command")} text={text} name="command" />,
      )}
    </section>
  );
}

function Point({ focus }: { focus: Focus }) {
  const value = (one: number | null): string => (one === null ? "unknown" : formatValue(one, focus.unit));
  const usual =
    focus.usual === null
      ? "unknown"
      : `${value(focus.usual)}${focus.usual_spread === null ? "" : ` ± ${value(focus.usual_spread)}`}`;
  return (
    <section class="panel context" aria-label="Chart point">
      <strong>
        <bdi>
          {focus.label}
          {focus.key !== null && `, ${focus.key.slice(0, 120)}`}
        </bdi>
      </strong>
      <Facts
        facts={[
          ["At the instant", value(focus.value)],
          ["The hour before", value(focus.before)],
          ["Usual at this hour", usual],
        ]}
      />
    </section>
  );
}

function Facts({ facts }: { facts: readonly (readonly [string, string])[] }) {
  return (
    <dl class="facts">
      {facts
        .filter(([, value]) => value !== "")
        .map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{keepUnits(value)}</dd>
          </div>
        ))}
    </dl>
  );
}
