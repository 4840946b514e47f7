/** Columns of table `findings` that the opened row shows in its own way, or that only order the rows. */
export const FINDING_DETAILS: readonly string[] = [
  "position",
  "message",
  "steps",
  "command",
  "action_sql",
  "culprit",
  "hypotheses",
  "because",
  "current",
  "threshold",
  "rule",
  "metric",
  "metric_key",
  "pattern",
];
/** Those of what is unusual, which other findings have not. */
export const DEVIATION: readonly string[] = ["direction", "z_score", "drift_pct"];
