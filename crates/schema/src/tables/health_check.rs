use crate::{Timestamp, metric_table};

metric_table! {
    /// One row per health check (`[[health.check]]`) and run: what a visitor or client of the service would have seen.
    pub struct HealthCheck => "health_checks_raw" { class: Core, rollup: true, keep: Raw, every: Slow;
        /// Name of the check in the configuration.
        check_name: String [Key None],
        /// `http`, `tcp`, `tls`, `dns`, `postgres` or `ingest`.
        kind: String [Key None],
        /// What was asked, without user, password and query.
        target: String [Detail Text],
        /// `up`, `slow`, `down`, or `unknown` where nothing was learnt of the service, as when the resolver is silent.
        state: String [Detail Text],
        /// Time of the attempt that counts, its deadline where there was no answer; NULL where the state is unknown.
        answer_ms: Option<f64> [Gauge Ms],
        /// Attempts, of which the last one counts.
        attempts: i64 [Gauge Count],
        /// Status of an HTTP answer; NULL for other kinds and where there was none.
        status: Option<i32> [Detail None],
        /// When the first certificate of the verified chain expires; NULL without TLS.
        expires_at: Option<Timestamp> [Detail Time],
        /// The same in days from the run, so that it is a series; NULL without TLS.
        expires_days: Option<f64> [Gauge None],
        /// Why it is not up, or why an earlier attempt was not; NULL where the first one was.
        error: Option<String> [Detail Text],
    }
}
