use crate::{Timestamp, metric_table};

metric_table! {
    /// Samples that were taken, or should have been, and are not stored: one row per loss, `ts` is when it was noticed.
    pub struct DataGap => "data_gaps" { class: Event, rollup: false, keep: Long, every: Tick;
        /// What was lost: a class of the spool, or `sampling`.
        class: String [Key None],
        /// Start of the span.
        from_ts: Timestamp [Detail Time],
        /// End of the span.
        to_ts: Timestamp [Detail Time],
        /// Records lost.
        count: i64 [Gauge Count],
        /// Rows lost; NULL when damage made them uncountable.
        rows: Option<i64> [Gauge Count],
        /// `overflow`, `damage`, `missing`, `spool_down`.
        reason: String [Detail None],
    }
}
