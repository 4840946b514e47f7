use crate::{Timestamp, metric_table};

metric_table! {
    /// One row per replication slot and per standby without one, and tick. pg_stat_replication and
    /// pg_replication_slots, joined.
    pub struct ReplicationSample => "replication_metrics_raw" { class: Core, rollup: true, keep: Raw, every: Tick;
        /// Name of the server in the configuration.
        instance: String [Key None],
        /// The slot; empty for a standby that uses none.
        slot_name: String [Key None],
        /// `application_name` of the standby; empty for a slot that is not in use.
        application_name: String [Key None],
        /// `physical` or `logical`.
        slot_type: String [Detail Text],
        /// Database of a logical slot.
        database: String [Detail Text],
        /// Whether a consumer is connected.
        active: bool [Gauge Bool],
        /// Address of the standby.
        client_addr: String [Detail Text],
        /// As `streaming` or `catchup`.
        state: String [Detail Text],
        /// As `sync`, `async` or `quorum`.
        sync_state: String [Detail Text],
        /// As `reserved`, `extended`, `unreserved` or `lost`.
        wal_status: String [Detail Text],
        /// WAL the server keeps for this slot; NULL when it is lost.
        retained_bytes: Option<i64> [Gauge Bytes],
        /// WAL that may still be written before the slot is lost; NULL without a limit.
        safe_wal_bytes: Option<i64> [Gauge Bytes],
        /// WAL not confirmed by a logical consumer.
        unconfirmed_bytes: Option<i64> [Gauge Bytes],
        /// WAL not sent.
        sent_lag_bytes: Option<i64> [Gauge Bytes],
        /// WAL not written by the standby.
        write_lag_bytes: Option<i64> [Gauge Bytes],
        /// WAL not flushed by the standby.
        flush_lag_bytes: Option<i64> [Gauge Bytes],
        /// WAL not replayed by the standby.
        replay_lag_bytes: Option<i64> [Gauge Bytes],
        /// Time to written; 0 when there is nothing to write.
        write_lag_ms: Option<f64> [Gauge Ms],
        /// Time to flushed; 0 when there is nothing to flush.
        flush_lag_ms: Option<f64> [Gauge Ms],
        /// Time to replayed; 0 when there is nothing to replay.
        replay_lag_ms: Option<f64> [Gauge Ms],
        /// Since the standby's last reply.
        reply_age_secs: Option<f64> [Gauge Secs],
        /// Position sent, as `0/3000060`.
        sent_lsn: Option<String> [Detail Text],
        /// Position written.
        write_lsn: Option<String> [Detail Text],
        /// Position flushed.
        flush_lsn: Option<String> [Detail Text],
        /// Position replayed.
        replay_lsn: Option<String> [Detail Text],
        /// Age in transactions of what it keeps from vacuum.
        xmin_age: Option<i64> [Gauge Count],
        /// The same for catalogues.
        catalog_xmin_age: Option<i64> [Gauge Count],
        /// Why the slot is invalid; from 17 on.
        invalidation_reason: Option<String> [Detail Text],
        /// Since when it has been unused; from 17 on.
        inactive_since: Option<Timestamp> [Detail Time],
        /// Changes with every reset of the counters below.
        epoch: String [Detail None],
        /// Bytes that logical decoding spilled to disk.
        spill_bytes: Option<i64> [Counter Bytes],
        /// Bytes that logical decoding sent.
        total_bytes: Option<i64> [Counter Bytes],
    }
}

metric_table! {
    /// One row per subscription and slow tick. pg_subscription, pg_stat_subscription(_stats).
    pub struct SubscriptionSample => "subscription_metrics_raw" { class: Core, rollup: true, keep: Raw, every: Slow;
        /// Name of the server in the configuration.
        instance: String [Key None],
        /// Its database.
        database: String [Key None],
        /// Its name.
        subscription: String [Key None],
        /// Changes with every reset of these counters.
        epoch: String [Detail None],
        /// Whether it is enabled.
        enabled: bool [Gauge Bool],
        /// Whether its apply worker runs.
        running: bool [Gauge Bool],
        /// Since the last message of the publisher.
        last_msg_age_secs: Option<f64> [Gauge Secs],
        /// Tables not in their final state; NULL where our role has no session in the database.
        tables_not_ready: Option<i64> [Gauge Count],
        /// Failures to apply changes.
        apply_errors: Option<i64> [Counter Count],
        /// Failures to copy a table.
        sync_errors: Option<i64> [Counter Count],
        /// Conflicts; from 18 on.
        conflicts: Option<i64> [Counter Count],
    }
}
