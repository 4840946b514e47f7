use crate::metric_table;

metric_table! {
    /// Cost of a statement since the previous slow tick: one row per statement that ran.
    /// pg_stat_statements; amounts, no totals. A statement whose entry was evicted meanwhile counts
    /// from its return.
    pub struct StatementSample => "statement_metrics_raw" { class: Bulk, rollup: true, keep: Raw, every: Slow, sealed: true;
        /// Name of the server in the configuration.
        instance: String [Key None],
        /// Its database.
        database: String [Key None],
        /// Its role.
        role: String [Key None],
        /// Identifier of the normalised statement; other ones in another major version.
        queryid: i64 [Key None],
        /// Major version of the server, which the identifier depends on.
        major: i32 [Key None],
        /// Whether a client sent it; false for statements within functions.
        toplevel: bool [Key None],
        /// Time the amounts cover.
        interval_secs: f64 [Detail Secs],
        /// Whether the entry was evicted since the previous tick, so that a part is missing.
        evicted: bool [Detail Bool],
        /// Executions.
        calls: i64 [Amount Count],
        /// Rows returned or changed.
        rows: i64 [Amount Count],
        /// Time executing.
        exec_ms: f64 [Amount Ms],
        /// Longest execution since the entry exists.
        max_exec_ms: f64 [Gauge Ms],
        /// Standard deviation of an execution since the entry exists.
        stddev_exec_ms: f64 [Gauge Ms],
        /// Time planning; NULL without pg_stat_statements.track_planning.
        plan_ms: Option<f64> [Amount Ms],
        /// Blocks found in shared buffers.
        shared_blks_hit: i64 [Amount Count],
        /// Blocks asked of the kernel.
        shared_blks_read: i64 [Amount Count],
        /// Blocks made dirty.
        shared_blks_dirtied: i64 [Amount Count],
        /// Blocks written to make room.
        shared_blks_written: i64 [Amount Count],
        /// Blocks of temporary files read.
        temp_blks_read: i64 [Amount Count],
        /// Blocks of temporary files written: work_mem was too small.
        temp_blks_written: i64 [Amount Count],
        /// Time reading blocks; NULL without track_io_timing.
        blk_read_ms: Option<f64> [Amount Ms],
        /// Time writing blocks; NULL without track_io_timing.
        blk_write_ms: Option<f64> [Amount Ms],
        /// WAL records.
        wal_records: i64 [Amount Count],
        /// Bytes of WAL.
        wal_bytes: i64 [Amount Bytes],
        /// Time compiling (JIT).
        jit_ms: f64 [Amount Ms],
    }
}

metric_table! {
    /// The text of a statement, stored when the agent first sees it. Literals that can hold secrets are
    /// removed before it leaves the server's session.
    pub struct StatementText => "statement_texts" { class: Core, rollup: false, keep: Long, every: Slow;
        /// Name of the server in the configuration.
        instance: String [Key None],
        /// Identifier of the normalised statement.
        queryid: i64 [Key None],
        /// Major version of the server.
        major: i32 [Key None],
        /// The text, cut to 4096 characters.
        query: String [Detail Text],
    }
}

metric_table! {
    /// How full pg_stat_statements is: one row per server and slow tick.
    pub struct StatementStore => "statement_store_raw" { class: Core, rollup: true, keep: Raw, every: Slow;
        /// Name of the server in the configuration.
        instance: String [Key None],
        /// Changes with every reset of these counters.
        epoch: String [Detail None],
        /// Entries held.
        entries: i64 [Gauge Count],
        /// `pg_stat_statements.max`.
        max_entries: i64 [Gauge Count],
        /// Evictions, each of the least used twentieth.
        dealloc: i64 [Counter Count],
        /// Version of the extension, as `1.11`.
        extension: String [Detail Text],
    }
}
