use crate::metric_table;

metric_table! {
    /// One row per site (`[[analytics.site]]`) and slow tick: what was counted of it in the last five minutes.
    pub struct TrafficSample => "traffic_samples_raw" { class: Core, rollup: true, keep: Raw, every: Slow;
        /// Domain of the site in the configuration.
        site: String [Key None],
        /// Views of pages in the last five minutes, those without consent included; neither of health checks nor suspect.
        views: i64 [Gauge Count],
        /// Visitors that viewed a page in the last five minutes.
        visitors_live: i64 [Gauge Count],
        /// Events that were refused in the last five minutes.
        refused: i64 [Gauge Count],
        /// Time since the last view; NULL where there was none within a week.
        silent_secs: Option<f64> [Gauge Secs],
        /// Views that came in the same time of the week in that of the last four weeks which had the fewest; NULL with less than two
        /// weeks of visits.
        missed_views: Option<f64> [Gauge Count],
    }
}
