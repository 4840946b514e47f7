use crate::metric_table;

metric_table! {
    /// Service level objectives over their window of 30 days, every five minutes and whenever one is missed or met again.
    /// One row per objective and key of its metric; none where the metric has no data.
    pub struct SloTracking => "slo_tracking" { class: Event, rollup: false, keep: Hourly, every: Tick;
        /// Name of the objective: `slo_definitions.slo_name`.
        slo_name: String [Key None],
        /// The key of its metric; empty for a single series.
        metric_key: String [Key None],
        /// Part of the system.
        domain: String [Detail None],
        /// What is counted: `events`, or `minutes` that a gauge is judged by.
        counted: String [Detail None],
        /// The target, in the unit of the metric.
        target: f64 [Detail None],
        /// The metric over the window: the ratio of events, or the mean of the judged minutes; NULL where nothing was counted.
        actual: Option<f64> [Gauge None],
        /// The share that has to be good, percent.
        target_pct: f64 [Detail Percent],
        /// The share that was good, percent; NULL where nothing was counted.
        good_pct: Option<f64> [Gauge Percent],
        /// Whether the objective is met; NULL where nothing was counted.
        met: Option<bool> [Gauge Bool],
        /// Bad events as a share of those the window tolerates, percent; NULL where nothing was counted or nothing is tolerated.
        budget_consumed: Option<f64> [Gauge Percent],
        /// Bad events, or minutes.
        violations: i64 [Gauge Count],
        /// All of them.
        total_periods: i64 [Gauge Count],
        /// Minutes of the window with data.
        covered_minutes: f64 [Gauge None],
        /// Burn rate of the last hour; 1 spends the budget exactly in its window. NULL like `budget_consumed`.
        burn_1h: Option<f64> [Gauge Ratio],
        /// Burn rate of six hours.
        burn_6h: Option<f64> [Gauge Ratio],
        /// Burn rate of three days.
        burn_3d: Option<f64> [Gauge Ratio],
    }
}
