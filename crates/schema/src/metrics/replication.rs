//! Slots, standbys and subscriptions.

use crate::tables::{DbSample, ReplicationSample, SubscriptionSample};
use crate::{Better, Capacity, Domain, Levels, Limit, Metric, Sample, Scoring, Source, Unit};

const SLOTS: Source = Source::new(ReplicationSample::TABLE).identity("epoch");
/// What a standby reports of itself.
const STANDBY: Source = Source::new(DbSample::TABLE);
const SUBSCRIPTIONS: Source = Source::new(SubscriptionSample::TABLE).identity("epoch");

const GIB: f64 = 1024.0 * 1024.0 * 1024.0;
/// Retained WAL from which a slot is a problem, whatever its limit is. Own choice.
const RETAINED_BYTES: f64 = 10.0 * GIB;

/// By slot, or by what a standby without one calls itself: a slot keeps its series when its
/// consumer comes and goes.
const SLOT: &str =
    "instance || '.' || CASE WHEN slot_name = '' THEN application_name ELSE slot_name END";

/// The common fields of the metrics here, unless overridden.
const BASE: Metric = Metric::base(Domain::Replication, SLOTS, Some(SLOT));

/// Of the primary, of standbys and of subscribers.
pub(super) const METRICS: &[Metric] = &[
    Metric {
        name: "replay_lag_ms",
        label: "Replay lag",
        unit: Unit::Ms,
        series: SLOTS.level("replay_lag_ms"),
        better: Better::Lower,
        levels: Some(Levels::with_info(100.0, 1000.0, 30000.0)),
        evaluated_over_secs: 60,
        confirm_secs: 30,
        scoring: Scoring::Scored { least: 100.0 },
        capacity: Capacity::critical("a failover loses half a minute of work, and reads of the standby are as old"),
        what: "Time until a standby has replayed what was written; 0 when there is nothing to replay.",
        how: "pg_stat_replication, averaged over a minute. From 100 ms on it is notable; 1 s and 30 s are the usual warnings.",
        fix: "Compare with flush and write lag: equal is the network, only replay is load or a conflict on the standby.",
        ..BASE
    },
    Metric {
        name: "flush_lag_ms",
        label: "Flush lag",
        unit: Unit::Ms,
        series: SLOTS.level("flush_lag_ms"),
        better: Better::Lower,
        levels: Some(Levels::with_info(100.0, 1000.0, 30000.0)),
        capacity: Capacity::critical("a failover loses half a minute of work"),
        what: "Time until a standby has flushed what was written.",
        how: "pg_stat_replication; thresholds as for replay.",
        fix: "See the standby's disk.",
        ..BASE
    },
    Metric {
        name: "write_lag_ms",
        label: "Write lag",
        unit: Unit::Ms,
        series: SLOTS.level("write_lag_ms"),
        better: Better::Lower,
        levels: Some(Levels::with_info(100.0, 1000.0, 30000.0)),
        what: "Time until a standby has written what was sent.",
        how: "pg_stat_replication; thresholds as for replay.",
        fix: "See the network to the standby.",
        ..BASE
    },
    Metric {
        name: "replay_lag_bytes",
        label: "Replay lag in bytes",
        unit: Unit::Bytes,
        series: SLOTS.level("replay_lag_bytes"),
        better: Better::Lower,
        what: "WAL a standby has not replayed.",
        how: "pg_stat_replication.",
        ..BASE
    },
    Metric {
        name: "sent_lag_bytes",
        label: "WAL not sent",
        unit: Unit::Bytes,
        series: SLOTS.level("sent_lag_bytes"),
        better: Better::Lower,
        what: "WAL not sent to a standby.",
        how: "pg_stat_replication.",
        ..BASE
    },
    Metric {
        name: "retained_bytes",
        label: "WAL retained",
        unit: Unit::Bytes,
        series: SLOTS.level("retained_bytes"),
        better: Better::Lower,
        levels: Some(Levels::warn(RETAINED_BYTES)),
        evaluated_over_secs: 300,
        confirm_secs: 0,
        scoring: Scoring::Scored { least: 67_108_864.0 },
        capacity: Capacity::Bounded {
            limit: Limit::Metric("replication.wal_limit_bytes", Some(RETAINED_BYTES)),
            from: None,
            then: "a slot with a limit is lost, and one without goes on to fill the disk",
        },
        what: "WAL the server keeps for a slot.",
        how: "pg_replication_slots, over five minutes. Without a limit it grows until the disk is full; 10 GiB is our own choice.",
        fix: "Restart the consumer, or drop the slot; max_slot_wal_keep_size sets a limit.",
        ..BASE
    },
    Metric {
        name: "wal_limit_bytes",
        label: "WAL limit",
        unit: Unit::Bytes,
        series: SLOTS.level("retained_bytes + safe_wal_bytes"),
        scoring: Scoring::Unscored(Scoring::SETTING),
        what: "WAL that may be kept for a slot. No value without a limit.",
        how: "Retained WAL and what may still be written by pg_replication_slots; max_slot_wal_keep_size sets it.",
        ..BASE
    },
    Metric {
        name: "unconfirmed_bytes",
        label: "WAL not confirmed",
        unit: Unit::Bytes,
        series: SLOTS.level("unconfirmed_bytes"),
        better: Better::Lower,
        what: "WAL a logical consumer has not confirmed.",
        how: "pg_replication_slots.",
        ..BASE
    },
    Metric {
        name: "slot_lost",
        label: "Slot lost",
        unit: Unit::Bool,
        series: SLOTS.level("CASE WHEN wal_status = 'lost' THEN 1.0 ELSE 0.0 END"),
        better: Better::Lower,
        levels: Some(Levels::critical(1.0)),
        evaluated_over_secs: 60,
        confirm_secs: 0,
        scoring: Scoring::Unscored(Scoring::TWO_STATES),
        what: "Whether the WAL a slot needs is gone: 1 yes, 0 no.",
        how: "wal_status of pg_replication_slots. Its consumer has to be built anew.",
        fix: "Drop the slot, then rebuild standby or subscription; raise max_slot_wal_keep_size.",
        ..BASE
    },
    Metric {
        name: "slot_inactive",
        label: "Slot without consumer",
        unit: Unit::Bool,
        series: SLOTS.level("CASE WHEN active THEN 0.0 ELSE 1.0 END"),
        better: Better::Lower,
        levels: Some(Levels::warn(1.0)),
        evaluated_over_secs: 300,
        confirm_secs: 300,
        scoring: Scoring::Unscored(Scoring::TWO_STATES),
        what: "Whether a slot has no consumer: 1 yes, 0 no. WAL accumulates for it.",
        how: "pg_replication_slots, over five minutes, so that a restart of the consumer raises no problem.",
        fix: "Restart the consumer, or drop the slot if it is not needed any more.",
        ..BASE
    },
    Metric {
        name: "reply_age_secs",
        label: "Last reply",
        unit: Unit::Secs,
        series: SLOTS.level("reply_age_secs"),
        better: Better::Lower,
        levels: Some(Levels::warn(60.0)),
        evaluated_over_secs: 300,
        confirm_secs: 0,
        what: "Time since a standby last replied.",
        how: "pg_stat_replication, over five minutes. Standbys reply every ten seconds by default; six missed replies are a warning.",
        fix: "See the network, and the standby's log.",
        ..BASE
    },
    Metric {
        name: "xmin_age",
        label: "Oldest xmin age",
        unit: Unit::Count,
        series: SLOTS.level("greatest(xmin_age, catalog_xmin_age)"),
        better: Better::Lower,
        scoring: Scoring::Unscored(Scoring::GROWS),
        what: "Transactions whose dead rows a slot or standby keeps from vacuum.",
        how: "pg_replication_slots, pg_stat_replication.",
        ..BASE
    },
    Metric {
        name: "spill_bytes_per_sec",
        label: "Logical decoding spilled",
        unit: Unit::BytesPerSec,
        series: SLOTS.rate("spill_bytes"),
        better: Better::Lower,
        what: "Bytes per second that logical decoding spilled to disk.",
        how: "Change in pg_stat_replication_slots counters.",
        ..BASE
    },
    Metric {
        name: "decoded_bytes_per_sec",
        label: "Logical decoding sent",
        unit: Unit::BytesPerSec,
        series: SLOTS.rate("total_bytes"),
        what: "Bytes per second that logical decoding sent.",
        how: "Change in pg_stat_replication_slots counters.",
        ..BASE
    },
    Metric {
        name: "standby_delay_secs",
        label: "Standby replay delay",
        unit: Unit::Secs,
        series: STANDBY.level("replay_delay_secs"),
        key: Some("instance"),
        better: Better::Lower,
        levels: Some(Levels::new(1.0, 30.0)),
        evaluated_over_secs: 60,
        confirm_secs: 30,
        scoring: Scoring::Scored { least: 10.0 },
        what: "Age of the newest change a standby has replayed, while there is more to replay.",
        how: "Queried on the standby itself, over a minute. 1 s and 30 s are the usual warnings.",
        fix: "See load and conflicts of the standby, and whether replay is paused.",
        ..BASE
    },
    Metric {
        name: "standby_backlog_bytes",
        label: "Standby replay backlog",
        unit: Unit::Bytes,
        series: STANDBY.level("replay_backlog_bytes"),
        key: Some("instance"),
        better: Better::Lower,
        what: "WAL a standby has received and not replayed.",
        how: "Queried on the standby itself.",
        ..BASE
    },
    Metric {
        name: "standby_paused",
        label: "Replay paused",
        unit: Unit::Bool,
        series: STANDBY.level("replay_paused::int::float8"),
        key: Some("instance"),
        better: Better::Lower,
        levels: Some(Levels::warn(1.0)),
        evaluated_over_secs: 300,
        confirm_secs: 300,
        scoring: Scoring::Unscored(Scoring::TWO_STATES),
        what: "Whether replay is paused on a standby: 1 yes, 0 no.",
        how: "pg_is_wal_replay_paused(), over five minutes.",
        fix: "SELECT pg_wal_replay_resume() on the standby.",
        ..BASE
    },
    Metric {
        name: "receiver_down",
        label: "WAL receiver down",
        unit: Unit::Bool,
        series: STANDBY.level("CASE WHEN receiver_status = 'streaming' THEN 0.0 WHEN receiver_status IS NOT NULL THEN 1.0 END"),
        key: Some("instance"),
        better: Better::Lower,
        levels: Some(Levels::warn(1.0)),
        evaluated_over_secs: 300,
        confirm_secs: 60,
        scoring: Scoring::Unscored(Scoring::TWO_STATES),
        what: "Whether a standby receives no WAL: 1 yes, 0 no.",
        how: "pg_stat_wal_receiver over five minutes. A standby that restores from an archive alone has none.",
        fix: "See the standby's log: primary_conninfo, slot, password.",
        ..BASE
    },
    Metric {
        name: "subscription_running",
        label: "Subscription running",
        unit: Unit::Bool,
        series: SUBSCRIPTIONS.level("CASE WHEN enabled THEN running::int::float8 END"),
        key: Some("instance || '.' || database || '.' || subscription"),
        better: Better::Higher,
        levels: Some(Levels::critical(0.0)),
        evaluated_over_secs: 600,
        confirm_secs: 0,
        scoring: Scoring::Unscored(Scoring::TWO_STATES),
        what: "Whether the worker of an enabled subscription runs: 1 yes, 0 no.",
        how: "pg_stat_subscription over ten minutes.",
        fix: "The subscriber's log shows why it stops: a conflict has to be resolved by hand.",
        ..BASE
    },
    Metric {
        name: "subscription_silent_secs",
        label: "Time since last publisher message",
        unit: Unit::Secs,
        series: SUBSCRIPTIONS.level("last_msg_age_secs"),
        key: Some("instance || '.' || database || '.' || subscription"),
        better: Better::Lower,
        levels: Some(Levels::warn(300.0)),
        evaluated_over_secs: 600,
        confirm_secs: 0,
        what: "Time since the last message of the publisher.",
        how: "pg_stat_subscription over ten minutes. Publishers send a message at least every half minute; five minutes are our own choice.",
        fix: "See the publisher and the network between.",
        ..BASE
    },
    Metric {
        name: "subscription_errors_per_sec",
        label: "Subscription errors",
        unit: Unit::PerSec,
        series: SUBSCRIPTIONS.rate("apply_errors + sync_errors"),
        key: Some("instance || '.' || database || '.' || subscription"),
        better: Better::Lower,
        levels: Some(Levels::warn(0.000001)),
        evaluated_over_secs: 1800,
        confirm_secs: 0,
        counts_events: true,
        scoring: Scoring::Unscored(Scoring::EVENTS),
        what: "Failures per second to apply changes or to copy tables.",
        how: "Change in pg_stat_subscription_stats counters over half an hour.",
        fix: "The subscriber's log names row and conflict.",
        ..BASE
    },
    Metric {
        name: "tables_not_ready",
        label: "Tables not ready",
        unit: Unit::Count,
        series: SUBSCRIPTIONS.level("tables_not_ready"),
        key: Some("instance || '.' || database || '.' || subscription"),
        better: Better::Lower,
        what: "Tables of a subscription that are still being copied.",
        how: "pg_subscription_rel.",
        ..BASE
    },
];
