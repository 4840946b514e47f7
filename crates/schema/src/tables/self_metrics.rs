use crate::{Json, metric_table};

metric_table! {
    /// The collector's own figures, one row per tick.
    pub struct SelfSample => "collector_self_metrics" { class: Core, rollup: true, keep: Raw, every: Tick;
        /// Process id of the collector.
        pid: i32 [Detail None],
        /// Time since the collector started.
        uptime_secs: f64 [Gauge Secs],
        /// Its version.
        version: String [Detail None],
        /// Rows that wait in the spool, by table: `{"process_metrics_raw": 448}`. Taken before the tick's own rows.
        buffer_depths: Json [Detail Count],
        /// Rows that wait in the spool, in all.
        buffer_total: i64 [Gauge Count],
        /// Records (one per class and tick) that wait in the spool.
        pending_records: i64 [Gauge Count],
        /// Bytes the spool takes on disk, preallocated space included.
        disk_queue_bytes: i64 [Gauge Bytes],
        /// The budget of the spool, bytes.
        disk_queue_max_bytes: i64 [Gauge Bytes],
        /// Transactions committed since the collector started.
        flush_count: i64 [Counter Count],
        /// Ticks after which rows remained in the queue because the database did not accept them, since the start.
        spill_count: i64 [Counter Count],
        /// Rows committed since the start.
        total_rows_written: i64 [Counter Count],
        /// Records dropped, each of them in `data_gaps`, since the start.
        lost_records_total: i64 [Counter Count],
        /// Rows dead-lettered since the start.
        dead_letters_total: i64 [Counter Count],
        /// Whether the last transaction was committed.
        db_healthy: bool [Gauge Bool],
        /// State of the link: connected, connecting, waiting, refused.
        db_state: String [Detail None],
        /// Why the link is down or rows wait; NULL when all is well. Never holds a secret.
        db_error: Option<String> [Detail None],
        /// How long the previous tick took, spool included.
        tick_duration_ms: Option<f64> [Gauge Ms],
        /// How much later than planned this tick began.
        tick_late_ms: f64 [Gauge Ms],
        /// CPU time of the collector, percent of one core since the last sample.
        cpu_pct: Option<f64> [Gauge Percent],
        /// Resident memory of the collector, bytes.
        rss_bytes: Option<i64> [Gauge Bytes],
        /// Virtual memory of the collector, bytes.
        vsz_bytes: Option<i64> [Gauge Bytes],
        /// Open file descriptors of the collector.
        fd_count: Option<i64> [Gauge Count],
        /// Threads of the collector.
        thread_count: Option<i64> [Gauge Count],
        /// State letter of the collector's process.
        state: Option<String> [Detail None],
        /// State of the spool: ok, degraded (memory only), full.
        spool_state: String [Detail None],
        /// By how much the host's clock is ahead of the database server's; NULL while there is no link.
        clock_ahead_secs: Option<f64> [Gauge Secs],
    }
}
