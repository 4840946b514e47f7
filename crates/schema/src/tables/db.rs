use crate::{Timestamp, metric_table};

metric_table! {
    /// One row per watched PostgreSQL server and tick: what concerns the server as a whole. A server
    /// that cannot be reached has a row too, with `up` false and everything else NULL.
    pub struct DbSample => "db_metrics_raw" { class: Core, rollup: true, keep: Raw, every: Tick;
        /// Name of the server in the configuration.
        instance: String [Key None],
        /// Whether it answered.
        up: bool [Gauge Bool],
        /// Time the questions of this tick took, connecting included.
        duration_ms: f64 [Gauge Ms],
        /// Why it did not answer, or what is wrong with the answers.
        error: Option<String> [Detail Text],
        /// `server_version_num`, as 150020.
        version_num: Option<i32> [Detail None],
        /// Whether it is a standby: `pg_is_in_recovery()`.
        in_recovery: Option<bool> [Gauge Bool],
        /// When the postmaster started.
        started_at: Option<Timestamp> [Detail Time],
        /// Changes with every reset of the counters of this row; steps across a change are unknown.
        epoch: String [Detail None],
        /// Client sessions, without ours. pg_stat_activity.
        conn_total: Option<i64> [Gauge Count],
        /// Client sessions that run a statement.
        conn_active: Option<i64> [Gauge Count],
        /// Client sessions that wait for their client, outside a transaction.
        conn_idle: Option<i64> [Gauge Count],
        /// Client sessions that wait for their client inside a transaction.
        conn_idle_in_xact: Option<i64> [Gauge Count],
        /// Client sessions that wait for a lock.
        conn_waiting: Option<i64> [Gauge Count],
        /// `max_connections`.
        conn_max: Option<i64> [Gauge Count],
        /// Connections kept for superusers and, from 16 on, for `pg_use_reserved_connections`.
        conn_reserved: Option<i64> [Gauge Count],
        /// Sessions of which our role may see nothing; above 0 the counts beside are not known.
        conn_hidden: Option<i64> [Gauge Count],
        /// Statements that run for more than five seconds.
        slow_queries: Option<i64> [Gauge Count],
        /// Age of the oldest running statement of a client.
        longest_query_secs: Option<f64> [Gauge Secs],
        /// Age of the oldest open transaction of a client.
        oldest_xact_secs: Option<f64> [Gauge Secs],
        /// Longest time that a session has been idle inside a transaction.
        oldest_idle_in_xact_secs: Option<f64> [Gauge Secs],
        /// Age in transactions of the oldest snapshot: vacuum removes nothing younger.
        oldest_xmin_age: Option<i64> [Gauge Count],
        /// Greatest age of a database's `datfrozenxid` as a share of 2^31. pg_database.
        wraparound_pct: Option<f64> [Gauge Percent],
        /// The same for multixacts.
        multixact_wraparound_pct: Option<f64> [Gauge Percent],
        /// Prepared transactions left open. pg_prepared_xacts.
        prepared_xacts: Option<i64> [Gauge Count],
        /// Checkpoints because `checkpoint_timeout` passed; restartpoints on a standby.
        checkpoints_timed: Option<i64> [Counter Count],
        /// Checkpoints because WAL filled `max_wal_size`, or asked for.
        checkpoints_req: Option<i64> [Counter Count],
        /// Time in the writing phase, pauses included: no measure of the disk.
        checkpoint_write_ms_total: Option<f64> [Counter Ms],
        /// Time in the sync phase.
        checkpoint_sync_ms_total: Option<f64> [Counter Ms],
        /// Buffers written by checkpoints.
        buffers_checkpoint: Option<i64> [Counter Count],
        /// Buffers written by the background writer.
        buffers_clean: Option<i64> [Counter Count],
        /// Rounds that the background writer ended early at its limit (`bgwriter_lru_maxpages`).
        maxwritten_clean: Option<i64> [Counter Count],
        /// Buffers written by every other process: sessions that had to make room themselves.
        buffers_backend: Option<i64> [Counter Count],
        /// Fsyncs by these processes, as the checkpointer's queue was full.
        buffers_backend_fsync: Option<i64> [Counter Count],
        /// Buffers allocated.
        buffers_alloc: Option<i64> [Counter Count],
        /// WAL records. pg_stat_wal.
        wal_records: Option<i64> [Counter Count],
        /// Full-page images in WAL.
        wal_fpi: Option<i64> [Counter Count],
        /// Bytes of WAL.
        wal_bytes: Option<i64> [Counter Bytes],
        /// Times WAL was written because its buffers were full.
        wal_buffers_full: Option<i64> [Counter Count],
        /// Writes of WAL; pg_stat_io from 18 on.
        wal_write: Option<i64> [Counter Count],
        /// Syncs of WAL.
        wal_sync: Option<i64> [Counter Count],
        /// Time in writes of WAL; NULL without track_wal_io_timing.
        wal_write_ms_total: Option<f64> [Counter Ms],
        /// Time in syncs of WAL; NULL without track_wal_io_timing.
        wal_sync_ms_total: Option<f64> [Counter Ms],
        /// Sessions of clients at work whose wait is of type Activity.
        wait_activity: Option<i64> [Gauge Count],
        /// Type BufferPin (Buffer from 19 on).
        wait_bufferpin: Option<i64> [Gauge Count],
        /// Type Client.
        wait_client: Option<i64> [Gauge Count],
        /// Type Extension.
        wait_extension: Option<i64> [Gauge Count],
        /// Type IO.
        wait_io: Option<i64> [Gauge Count],
        /// Type IPC.
        wait_ipc: Option<i64> [Gauge Count],
        /// Type Lock.
        wait_lock: Option<i64> [Gauge Count],
        /// Type LWLock.
        wait_lwlock: Option<i64> [Gauge Count],
        /// Type Timeout.
        wait_timeout: Option<i64> [Gauge Count],
        /// At work and waiting for nothing: on a CPU.
        wait_none: Option<i64> [Gauge Count],
        /// AccessShareLock held or awaited on relations. pg_locks.
        lock_access_share: Option<i64> [Gauge Count],
        /// RowShareLock.
        lock_row_share: Option<i64> [Gauge Count],
        /// RowExclusiveLock.
        lock_row_exclusive: Option<i64> [Gauge Count],
        /// ShareUpdateExclusiveLock.
        lock_share_update_exclusive: Option<i64> [Gauge Count],
        /// ShareLock.
        lock_share: Option<i64> [Gauge Count],
        /// ShareRowExclusiveLock.
        lock_share_row_exclusive: Option<i64> [Gauge Count],
        /// ExclusiveLock.
        lock_exclusive: Option<i64> [Gauge Count],
        /// AccessExclusiveLock.
        lock_access_exclusive: Option<i64> [Gauge Count],
        /// Locks of any type not granted.
        locks_waiting: Option<i64> [Gauge Count],
        /// Longest wait for a lock.
        longest_lock_wait_secs: Option<f64> [Gauge Secs],
        /// Segments archived. pg_stat_archiver.
        archived_total: Option<i64> [Counter Count],
        /// Failures of archive_command or library.
        archive_failed_total: Option<i64> [Counter Count],
        /// Whether the newest attempt to archive failed; NULL when archiving is off.
        archive_failing: Option<bool> [Gauge Bool],
        /// Bytes received by a standby and not replayed yet; NULL on a primary.
        replay_backlog_bytes: Option<i64> [Gauge Bytes],
        /// Age of the newest replayed commit while there is a backlog; NULL on a primary.
        replay_delay_secs: Option<f64> [Gauge Secs],
        /// Whether replay is paused; NULL on a primary.
        replay_paused: Option<bool> [Gauge Bool],
        /// State of the WAL receiver, `no receiver` for none; NULL on a primary.
        receiver_status: Option<String> [Detail Text],
    }
}

metric_table! {
    /// One row per database and tick. pg_stat_database, sizes and ages only at the slow tick; counters
    /// since the reset named by `epoch`.
    pub struct DatabaseSample => "database_metrics_raw" { class: Core, rollup: true, keep: Raw, every: Tick;
        /// Name of the server in the configuration.
        instance: String [Key None],
        /// Name of the database; `<shared>` for what belongs to none.
        database: String [Key None],
        /// Changes with every reset of these counters; steps across a change are unknown.
        epoch: String [Detail None],
        /// Sessions, of any kind.
        numbackends: Option<i64> [Gauge Count],
        /// Transactions committed.
        xact_commit: Option<i64> [Counter Count],
        /// Transactions rolled back.
        xact_rollback: Option<i64> [Counter Count],
        /// Blocks asked of the kernel, which may hold them in its cache.
        blks_read: Option<i64> [Counter Count],
        /// Blocks found in shared buffers.
        blks_hit: Option<i64> [Counter Count],
        /// Rows read by scans.
        tup_returned: Option<i64> [Counter Count],
        /// Rows fetched through indexes.
        tup_fetched: Option<i64> [Counter Count],
        /// Rows inserted.
        tup_inserted: Option<i64> [Counter Count],
        /// Rows updated.
        tup_updated: Option<i64> [Counter Count],
        /// Rows deleted.
        tup_deleted: Option<i64> [Counter Count],
        /// Statements cancelled by recovery conflicts; standby only.
        conflicts: Option<i64> [Counter Count],
        /// Temporary files written.
        temp_files: Option<i64> [Counter Count],
        /// Bytes of temporary files.
        temp_bytes: Option<i64> [Counter Bytes],
        /// Deadlocks.
        deadlocks: Option<i64> [Counter Count],
        /// Blocks whose checksum did not hold.
        checksum_failures: Option<i64> [Counter Count],
        /// Time reading blocks; NULL without track_io_timing.
        blk_read_ms_total: Option<f64> [Counter Ms],
        /// Time writing blocks; NULL without track_io_timing.
        blk_write_ms_total: Option<f64> [Counter Ms],
        /// Time sessions spent running statements.
        active_ms_total: Option<f64> [Counter Ms],
        /// Time sessions stood idle inside a transaction.
        idle_in_xact_ms_total: Option<f64> [Counter Ms],
        /// Sessions begun.
        sessions: Option<i64> [Counter Count],
        /// Sessions whose client disappeared.
        sessions_abandoned: Option<i64> [Counter Count],
        /// Sessions ended by a fatal error.
        sessions_fatal: Option<i64> [Counter Count],
        /// Sessions ended by an operator.
        sessions_killed: Option<i64> [Counter Count],
        /// Size on disk, read once an hour and stored at each slow tick; NULL between them and where
        /// CONNECT is not granted.
        size_bytes: Option<i64> [Gauge Bytes],
        /// Age of `datfrozenxid` in transactions, at each slow tick.
        xid_age: Option<i64> [Gauge Count],
        /// Age of `datminmxid` in multixacts; with the size.
        mxid_age: Option<i64> [Gauge Count],
    }
}

metric_table! {
    /// One row per notable session and tick: it runs for more than five seconds, blocks, is
    /// blocked, or is idle inside a transaction for more than a minute.
    pub struct SessionSample => "session_samples_raw" { class: Bulk, rollup: false, keep: Raw, every: Tick;
        /// Name of the server in the configuration.
        instance: String [Key None],
        /// Process of the session; 0 for a prepared transaction.
        pid: i32 [Key None],
        /// Its database.
        database: String [Detail Text],
        /// Its role.
        role: String [Detail Text],
        /// `application_name` of the client.
        application: String [Detail Text],
        /// As in pg_stat_activity.
        state: String [Detail Text],
        /// Type and name of what it waits for, as `Lock:transactionid`; empty when it runs.
        wait: String [Detail Text],
        /// Age of the statement, or since when the state holds.
        query_secs: Option<f64> [Gauge Secs],
        /// Age of the transaction.
        xact_secs: Option<f64> [Gauge Secs],
        /// The session at the root of what it waits for; NULL when it is not blocked.
        root_pid: Option<i32> [Detail None],
        /// The session it waits for directly; NULL when it is not blocked.
        blocked_by: Option<i32> [Detail None],
        /// Steps below the root; 0 for a root and for what is not blocked.
        depth: i32 [Detail None],
        /// Sessions that wait for this one, directly or not.
        victims: i64 [Gauge Count],
        /// The statement, secrets removed, cut to 1000 characters.
        query: String [Detail Text],
    }
}

metric_table! {
    /// Statistics of a PostgreSQL server that could not be read, with the fix: one row per gap
    /// and tick. No row: nothing is missing.
    pub struct VisibilityGap => "db_blind_spots_raw" { class: Core, rollup: false, keep: Raw, every: Tick;
        /// Name of the server in the configuration.
        instance: String [Key None],
        /// The database, or empty for the server as a whole.
        database: String [Key None],
        /// The family of statistics, as `statements` or `connections`.
        family: String [Key None],
        /// `denied`, `missing`, `off`, `capped`, `timeout`, `locked`, `failed` or `unreachable`.
        state: String [Detail Text],
        /// What is missing, in a sentence.
        message: String [Detail Text],
        /// The fix: a statement where there is one.
        remedy: String [Detail Text],
    }
}
