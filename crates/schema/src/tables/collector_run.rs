use crate::metric_table;

metric_table! {
    /// One run of one collector: what it was, how long it took, how it ended.
    pub struct CollectorRun => "collector_runs_raw" { class: Core, rollup: true, keep: Raw, every: Tick;
        /// Name of the collector: `host`, `processes`, `mounts`.
        collector: String [Key None],
        /// `ok`, `no_data`, `failed` or `timeout`.
        outcome: String [Detail None],
        /// Time taken.
        duration_ms: f64 [Gauge Ms],
        /// Rows it gave.
        rows: i64 [Gauge Count],
        /// What failed, on what; NULL when nothing did.
        error: Option<String> [Detail None],
    }
}
