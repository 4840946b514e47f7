use crate::{Json, metric_table};

metric_table! {
    /// Health of the parts of the system, every five minutes. One row per part of which anything is known.
    pub struct HealthScore => "health_scores" { class: Event, rollup: false, keep: Hourly, every: Tick;
        /// The part: `system`, `process`, `db`, `replication`, `statement`, `io`, `api`, `proxy`, `target`, `logs`, `collector`.
        domain: String [Key None],
        /// 0 to 100; NULL where something is silent and nothing else is known.
        score: Option<f64> [Gauge None],
        /// The weighted mean of the components, before anything capped it.
        mean_score: Option<f64> [Gauge None],
        /// What caps the score; NULL where nothing does.
        capped_by: Option<String> [Detail Text],
        /// How many components there are.
        component_count: i64 [Gauge Count],
        /// The 20 worst components, a JSON array of `part`, `name`, `key`, `score`, `weight`.
        components: Json [Detail None],
    }
}
