use crate::{Json, Severity, Timestamp, metric_table};

metric_table! {
    /// The history of findings: one row per transition, `ts` is the evaluation that led to it. Each row has the whole
    /// state of the finding after it, so that the table `findings` follows from it.
    pub struct FindingTransition => "finding_transitions_raw" { class: Event, rollup: false, keep: Events, every: Tick;
        /// Identifier of the rule.
        rule: String [Key None],
        /// What it is about: a source, a table, a process. Rule and target identify the finding while it is open.
        target: String [Key None],
        /// `opened`, `confirmed`, `worse`, `better`, `refreshed`, `unknown` or `resolved`.
        transition: String [Detail None],
        /// `alert`, `insight` or `recommendation`.
        kind: String [Detail None],
        /// Part of the system.
        domain: String [Detail None],
        /// The metric it is about, `domain.name`; NULL where it is about none.
        metric: Option<String> [Detail None],
        /// The key of the metric.
        metric_key: Option<String> [Detail None],
        /// `info`, `warn` or `critical`.
        severity: Severity [Detail None],
        /// The worst severity since it was opened.
        worst: Severity [Detail None],
        /// The condition, without figures.
        title: String [Detail Text],
        /// The observation, with figures.
        message: String [Detail Text],
        /// Steps to take, a JSON array of texts.
        steps: Json [Detail None],
        /// A shell command that helps.
        command: Option<String> [Detail Text],
        /// SQL that helps.
        action_sql: Option<String> [Detail Text],
        /// The value that was evaluated, in the unit of the metric.
        value: Option<f64> [Detail None],
        /// The value of the newest sample, where another one was evaluated.
        current_value: Option<f64> [Detail None],
        /// The threshold that was reached.
        threshold: Option<f64> [Detail None],
        /// The expected value.
        baseline_mean: Option<f64> [Detail None],
        /// The standard deviation of what is expected.
        baseline_stddev: Option<f64> [Detail None],
        /// Distance from what is expected in standard deviations.
        z_score: Option<f64> [Detail None],
        /// Distance from what is expected in percent.
        drift_pct: Option<f64> [Detail None],
        /// How unlikely the value is: -log10 of the probability.
        score: Option<f64> [Detail None],
        /// Further details, a JSON object.
        details: Option<Json> [Detail None],
        /// Rule of the finding that this one follows from; NULL where it stands for itself.
        cause_rule: Option<String> [Detail None],
        /// Target of the finding that this one follows from.
        cause_target: Option<String> [Detail None],
        /// Since when the condition holds.
        opened_at: Timestamp [Detail Time],
        /// Since when it has held for as long as its rule asks for; NULL before that.
        confirmed_at: Option<Timestamp> [Detail Time],
        /// When the condition held last.
        seen_at: Timestamp [Detail Time],
        /// Since when there are no data to tell; NULL while there are.
        unknown_since: Option<Timestamp> [Detail Time],
        /// When the condition ended; NULL while it holds.
        resolved_at: Option<Timestamp> [Detail Time],
        /// How often it began, continued or returned before it was resolved.
        occurrences: i64 [Detail Count],
    }
}
