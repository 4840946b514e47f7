use crate::metric_table;

metric_table! {
    /// One row per kind of process, object and context, and slow tick. pg_stat_io, from 16 on; on 15
    /// from pg_stat_bgwriter and pg_stat_database. Times are NULL without track_io_timing.
    pub struct IoSample => "io_metrics_raw" { class: Core, rollup: true, keep: Raw, every: Slow;
        /// Name of the server in the configuration.
        instance: String [Key None],
        /// Kind of process, as `client backend`.
        backend_type: String [Key None],
        /// `relation`, `temp relation`, or `wal` from 18 on.
        object: String [Key None],
        /// As `normal`, `vacuum`, `bulkread`.
        context: String [Key None],
        /// Changes with every reset of these counters.
        epoch: String [Detail None],
        /// Reads; blocks up to 17, calls from 18 on.
        reads: Option<i64> [Counter Count],
        /// Bytes read.
        read_bytes: Option<i64> [Counter Bytes],
        /// Time reading.
        read_ms_total: Option<f64> [Counter Ms],
        /// Writes; blocks up to 17, calls from 18 on.
        writes: Option<i64> [Counter Count],
        /// Bytes written.
        write_bytes: Option<i64> [Counter Bytes],
        /// Time writing.
        write_ms_total: Option<f64> [Counter Ms],
        /// Extensions of files.
        extends: Option<i64> [Counter Count],
        /// Bytes of them.
        extend_bytes: Option<i64> [Counter Bytes],
        /// Blocks found in buffers.
        hits: Option<i64> [Counter Count],
        /// Blocks evicted.
        evictions: Option<i64> [Counter Count],
        /// Blocks of a ring buffer reused.
        reuses: Option<i64> [Counter Count],
        /// Fsyncs.
        fsyncs: Option<i64> [Counter Count],
        /// Time in fsyncs.
        fsync_ms_total: Option<f64> [Counter Ms],
    }
}

metric_table! {
    /// One row per SLRU cache and slow tick. pg_stat_slru, names as from 17 on.
    pub struct SlruSample => "slru_metrics_raw" { class: Core, rollup: true, keep: Raw, every: Slow;
        /// Name of the server in the configuration.
        instance: String [Key None],
        /// The cache, as `transaction` or `multixact_member`.
        slru: String [Key None],
        /// Changes with every reset of these counters.
        epoch: String [Detail None],
        /// Blocks found in the cache.
        blks_hit: i64 [Counter Count],
        /// Blocks read.
        blks_read: i64 [Counter Count],
        /// Blocks written.
        blks_written: i64 [Counter Count],
        /// Blocks set to zero.
        blks_zeroed: i64 [Counter Count],
        /// Flushes.
        flushes: i64 [Counter Count],
        /// Truncations.
        truncates: i64 [Counter Count],
    }
}

metric_table! {
    /// Objects reported by a check of a PostgreSQL server: one row per object and slow tick.
    /// A check that runs once an hour has its findings stored again with each slow tick until it ran again.
    pub struct CheckSample => "db_check_raw" { class: Core, rollup: true, keep: Raw, every: Slow;
        /// Name of the server in the configuration.
        instance: String [Key None],
        /// The database; empty for the server as a whole.
        database: String [Key None],
        /// Which check, as `unused_indexes` or `settings`.
        check_name: String [Key None],
        /// What it is about, as `public.orders_idx`.
        object: String [Key None],
        /// The number that the check is about, in its own unit; NULL when it is not known.
        value: Option<f64> [Gauge None],
        /// The other columns of the check, as a JSON object.
        detail: crate::Json [Detail None],
    }
}
