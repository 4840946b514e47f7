//! What sessions of a PostgreSQL server wait for, and the locks they hold.

use crate::{Better, Levels, Metric, Scoring, Unit};

use super::db::{BASE, SERVER};

/// Waits by type, locks by mode.
pub(super) const METRICS: &[Metric] = &[
    Metric {
        name: "wait_activity",
        label: "Activity",
        unit: Unit::Count,
        series: SERVER.level("wait_activity"),
        what: "Active sessions whose wait event is of type Activity: waits of background work.",
        how: "pg_stat_activity at the instant of the tick.",
        ..BASE
    },
    Metric {
        name: "wait_bufferpin",
        label: "BufferPin",
        unit: Unit::Count,
        series: SERVER.level("wait_bufferpin"),
        better: Better::Lower,
        what: "Active sessions whose wait event is of type BufferPin: waits for a buffer that another session uses.",
        how: "pg_stat_activity at the instant of the tick.",
        ..BASE
    },
    Metric {
        name: "wait_client",
        label: "Client",
        unit: Unit::Count,
        series: SERVER.level("wait_client"),
        what: "Active sessions whose wait event is of type Client: waits for the client.",
        how: "pg_stat_activity at the instant of the tick.",
        ..BASE
    },
    Metric {
        name: "wait_extension",
        label: "Extension",
        unit: Unit::Count,
        series: SERVER.level("wait_extension"),
        what: "Active sessions whose wait event is of type Extension: waits within an extension.",
        how: "pg_stat_activity at the instant of the tick.",
        ..BASE
    },
    Metric {
        name: "wait_io",
        label: "IO",
        unit: Unit::Count,
        series: SERVER.level("wait_io"),
        better: Better::Lower,
        scoring: Scoring::Scored { least: 2.0 },
        what: "Active sessions whose wait event is of type IO: waits for reading and writing.",
        how: "pg_stat_activity at the instant of the tick.",
        ..BASE
    },
    Metric {
        name: "wait_ipc",
        label: "IPC",
        unit: Unit::Count,
        series: SERVER.level("wait_ipc"),
        what: "Active sessions whose wait event is of type IPC: waits for another process of the server.",
        how: "pg_stat_activity at the instant of the tick.",
        ..BASE
    },
    Metric {
        name: "wait_lock",
        label: "Lock",
        unit: Unit::Count,
        series: SERVER.level("wait_lock"),
        better: Better::Lower,
        scoring: Scoring::Scored { least: 2.0 },
        what: "Active sessions whose wait event is of type Lock: waits for a lock on rows, tables or transactions.",
        how: "pg_stat_activity at the instant of the tick.",
        ..BASE
    },
    Metric {
        name: "wait_lwlock",
        label: "LWLock",
        unit: Unit::Count,
        series: SERVER.level("wait_lwlock"),
        better: Better::Lower,
        scoring: Scoring::Scored { least: 2.0 },
        what: "Active sessions whose wait event is of type LWLock: waits for an internal lock of the server.",
        how: "pg_stat_activity at the instant of the tick.",
        ..BASE
    },
    Metric {
        name: "wait_timeout",
        label: "Timeout",
        unit: Unit::Count,
        series: SERVER.level("wait_timeout"),
        what: "Active sessions whose wait event is of type Timeout: waits for time to pass.",
        how: "pg_stat_activity at the instant of the tick.",
        ..BASE
    },
    Metric {
        name: "wait_none",
        label: "On a CPU",
        unit: Unit::Count,
        series: SERVER.level("wait_none"),
        what: "Active sessions that wait for nothing.",
        how: "pg_stat_activity at the instant of the tick.",
        ..BASE
    },
    Metric {
        name: "lock_access_share",
        label: "AccessShare",
        unit: Unit::Count,
        series: SERVER.level("lock_access_share"),
        what: "AccessShare locks on relations, held or waited for: reading.",
        how: "pg_locks at the instant of the tick, relations alone.",
        ..BASE
    },
    Metric {
        name: "lock_row_share",
        label: "RowShare",
        unit: Unit::Count,
        series: SERVER.level("lock_row_share"),
        what: "RowShare locks on relations, held or waited for: SELECT FOR UPDATE and the like.",
        how: "pg_locks at the instant of the tick, relations alone.",
        ..BASE
    },
    Metric {
        name: "lock_row_exclusive",
        label: "RowExclusive",
        unit: Unit::Count,
        series: SERVER.level("lock_row_exclusive"),
        what: "RowExclusive locks on relations, held or waited for: writing rows.",
        how: "pg_locks at the instant of the tick, relations alone.",
        ..BASE
    },
    Metric {
        name: "lock_share_update_exclusive",
        label: "ShareUpdateExclusive",
        unit: Unit::Count,
        series: SERVER.level("lock_share_update_exclusive"),
        what: "ShareUpdateExclusive locks on relations, held or waited for: VACUUM, ANALYZE, concurrent index builds.",
        how: "pg_locks at the instant of the tick, relations alone.",
        ..BASE
    },
    Metric {
        name: "lock_share",
        label: "Share",
        unit: Unit::Count,
        series: SERVER.level("lock_share"),
        what: "Share locks on relations, held or waited for: CREATE INDEX.",
        how: "pg_locks at the instant of the tick, relations alone.",
        ..BASE
    },
    Metric {
        name: "lock_share_row_exclusive",
        label: "ShareRowExclusive",
        unit: Unit::Count,
        series: SERVER.level("lock_share_row_exclusive"),
        what: "ShareRowExclusive locks on relations, held or waited for: CREATE TRIGGER and foreign keys being added.",
        how: "pg_locks at the instant of the tick, relations alone.",
        ..BASE
    },
    Metric {
        name: "lock_exclusive",
        label: "Exclusive",
        unit: Unit::Count,
        series: SERVER.level("lock_exclusive"),
        what: "Exclusive locks on relations, held or waited for: REFRESH CONCURRENTLY.",
        how: "pg_locks at the instant of the tick, relations alone.",
        ..BASE
    },
    Metric {
        name: "lock_access_exclusive",
        label: "AccessExclusive",
        unit: Unit::Count,
        series: SERVER.level("lock_access_exclusive"),
        what: "AccessExclusive locks on relations, held or waited for: ALTER, DROP, TRUNCATE, VACUUM FULL: it blocks all other access.",
        how: "pg_locks at the instant of the tick, relations alone.",
        ..BASE
    },
    Metric {
        name: "locks_waiting",
        label: "Locks not granted",
        unit: Unit::Count,
        series: SERVER.level("locks_waiting"),
        better: Better::Lower,
        what: "Locks of any kind that are not granted.",
        how: "pg_locks at the instant of the tick.",
        ..BASE
    },
    Metric {
        name: "longest_lock_wait_secs",
        label: "Longest lock wait",
        unit: Unit::Secs,
        series: SERVER.level("longest_lock_wait_secs"),
        better: Better::Lower,
        levels: Some(Levels::new(10.0, 60.0)),
        evaluated_over_secs: 60,
        confirm_secs: 0,
        what: "Longest time a session has been waiting for a lock.",
        how: "pg_locks, averaged over a minute. Ten seconds and a minute are our own choice: users have left by then.",
        fix: "The blocking tree under PostgreSQL shows the session at the root; end it with pg_terminate_backend when its transaction may be rolled back.",
        ..BASE
    },
];
