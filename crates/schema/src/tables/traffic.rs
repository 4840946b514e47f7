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

metric_table! {
    /// One row per slow tick of a host with sites and a receiver (`pqcrypta-analytics`): its own figures. Source: GET metrics of
    /// `[analytics] listen`; none while it does not answer.
    pub struct ReceiverSample => "receiver_samples_raw" { class: Core, rollup: true, keep: Raw, every: Slow;
        /// Events that were acknowledged since it began.
        accepted_total: i64 [Counter Count],
        /// Reports that the database has, since it began.
        stored_total: i64 [Counter Count],
        /// Within this, milliseconds, 99 of 100 reports since the sample before were on disk; NULL without any, and in the first sample.
        ack_p99_ms: Option<f64> [Gauge Ms],
        /// Bytes of its queue on disk, preallocated space included; NULL where it cannot be read.
        queue_bytes: Option<i64> [Gauge Bytes],
        /// Most bytes of the queue.
        queue_limit_bytes: Option<i64> [Gauge Bytes],
        /// Age of the oldest report that the database has not; 0 when nothing waits.
        queue_oldest_secs: Option<f64> [Gauge Secs],
        /// Whether the queue takes reports.
        takes_reports: Option<bool> [Gauge Bool],
        /// Whether the database took its last transaction.
        database_up: bool [Gauge Bool],
        /// Configured files of countries, networks and spam that cannot be read.
        unreadable_files: i64 [Gauge Count],
    }
}

metric_table! {
    /// One row per reason and slow tick: what the receiver refused since it began. Source as of `receiver_samples_raw`.
    pub struct ReceiverRefusal => "receiver_refusals_raw" { class: Core, rollup: true, keep: Raw, every: Slow;
        /// The reason, as `refused_raw` has it.
        reason: String [Key None],
        /// Reports and events that were refused for it.
        refused_total: i64 [Counter Count],
    }
}
