//! The table of statements: every family of statistics, when and how often it is asked, of whom, and by
//! which file.
//!
//! A family has one file per range of versions, named after the oldest: `wal.15.sql` serves 15 to 17,
//! `wal.18.sql` 18 and whatever is newer. Where releases differ in a few lines alone they share a file,
//! and a line that not all of them understand ends in `-- @since 16` or `-- @before 16`. Those that read
//! an extension go by the version of the extension, 111 for 1.11, which is not that of the server: an
//! upgraded server keeps the old one until somebody runs ALTER EXTENSION. Columns are the same in each
//! range; what a release lacks is NULL.

use schema::tables::{
    CheckSample, DatabaseSample, DbSample, IndexSample, IoSample, ReplicationSample, SessionSample,
    SlruSample, StatementSample, StatementStore, StatementText, SubscriptionSample, TableSample,
};
use schema::{Sample, TableDef};

/// A family of statistics.
#[derive(Debug)]
pub(super) struct Family {
    /// Its name in `db_blind_spots_raw` and, for checks, in `db_check_raw`.
    pub(super) name: &'static str,
    /// When and of whom it is asked.
    pub(super) asked: Asked,
    /// How often a slow tick asks it.
    pub(super) due: Due,
    /// The table it fills.
    pub(super) table: &'static TableDef,
    /// The extension it reads, if any.
    pub(super) extension: Option<&'static str>,
    /// Oldest version and statement, ascending.
    pub(super) files: &'static [(u32, &'static str)],
    /// The statements that give every right it needs, with lines marked as in a file; objects of an
    /// extension are in its schema. Which of them a role lacks is asked of the server (`rights.rs`).
    pub(super) grant: &'static str,
}

/// When and of whom a family is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Asked {
    /// Of the server, every tick.
    Tick,
    /// Of the server, every slow tick.
    Server,
    /// Of each database, every slow tick.
    Database,
    /// By the collector itself, when it needs the answer.
    Inside,
}

/// How often a slow tick asks a family.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Due {
    /// Every time: what may wake somebody, and counters.
    Always,
    /// Once an hour: what scans a catalogue or every file, and changes with the schema.
    Hourly,
    /// Every time, another object each time: `$1` counts the slow ticks.
    Turns,
}

/// Returns the family of this name; names are constants of this module's callers, and a test looks up each.
pub(super) fn family(name: &str) -> Option<&'static Family> {
    FAMILIES.iter().find(|family| family.name == name)
}

impl Family {
    /// Returns the statement for a version; `None` when it is older than all that are known.
    pub(super) fn sql(&self, version: u32) -> Option<String> {
        let mut files = self.files.iter().rev();
        let (_, file) = files.find(|(oldest, _)| *oldest <= version)?;
        Some(rendered(file, version))
    }
}

/// What marks a line that not every version understands.
pub(super) const MARK: &str = "-- @";

/// Renders a text for a version: without the lines of other versions, and without marks.
pub(super) fn rendered(file: &str, version: u32) -> String {
    let mut sql = String::with_capacity(file.len());
    for line in file.lines() {
        let (line, mark) = line.split_once(MARK).unwrap_or((line, ""));
        if understands(version, mark) {
            sql.push_str(line.trim_end());
            sql.push('\n');
        }
    }
    sql
}

/// Returns whether a line with this mark is for this version: `since 17`, `before 18`, or both.
fn understands(version: u32, mark: &str) -> bool {
    let words: Vec<&str> = mark.split_whitespace().collect();
    words.chunks(2).all(|pair| match pair {
        ["since", oldest] => oldest.parse().is_ok_and(|oldest: u32| version >= oldest),
        ["before", newer] => newer.parse().is_ok_and(|newer: u32| version < newer),
        _ => false,
    })
}

/// The right that the role file gives; `%ROLE%` is whoever logs in. What PUBLIC may read needs a grant
/// only where somebody revoked that.
pub(super) const STATS: &str = "GRANT pg_read_all_stats TO %ROLE%";
/// What sessions do.
const ACTIVITY: &str =
    "GRANT pg_read_all_stats TO %ROLE%; GRANT SELECT ON pg_stat_activity TO %ROLE%";
/// Slots, and the standbys at them.
const SLOTS: &str = "GRANT pg_read_all_stats TO %ROLE%; \
                     GRANT SELECT ON pg_replication_slots, pg_stat_replication TO %ROLE%";
/// The view and the function below it, in the schema of the extension.
const STORE: &str = "GRANT SELECT ON pg_stat_statements_info TO %ROLE%; \
                     GRANT EXECUTE ON FUNCTION pg_stat_statements_info() TO %ROLE%";
/// The function that reports statements, in the schema of the extension.
const STATEMENTS: &str = "GRANT EXECUTE ON FUNCTION pg_stat_statements(boolean) TO %ROLE%";
/// What sessions write moved into views of their own.
const WRITERS: &str = "GRANT SELECT ON pg_stat_bgwriter TO %ROLE% -- @before 16
GRANT SELECT ON pg_stat_bgwriter, pg_stat_io TO %ROLE% -- @since 16 before 17
GRANT SELECT ON pg_stat_bgwriter, pg_stat_checkpointer, pg_stat_io TO %ROLE% -- @since 17";
/// And so did writes of WAL.
const WAL: &str = "GRANT SELECT ON pg_stat_wal TO %ROLE% -- @before 18
GRANT SELECT ON pg_stat_wal, pg_stat_io TO %ROLE% -- @since 18";
/// What stands for pg_stat_io before there was one.
const IO: &str = "GRANT SELECT ON pg_stat_bgwriter, pg_stat_database TO %ROLE% -- @before 16
GRANT SELECT ON pg_stat_io TO %ROLE% -- @since 16";
macro_rules! family {
    ($name:literal, $asked:ident $(/ $due:ident)?, $sample:ty, $grant:expr, [$($version:literal $file:literal),+] $(, $extension:literal)?) => {
        Family {
            name: $name,
            asked: Asked::$asked,
            due: family!(@due $($due)?),
            table: <$sample>::TABLE,
            extension: family!(@extension $($extension)?),
            files: &[$(($version, include_str!(concat!("sql/", $file, ".sql")))),+],
            grant: $grant,
        }
    };
    (@due) => { Due::Always };
    (@due $due:ident) => { Due::$due };
    (@extension) => { None };
    (@extension $extension:literal) => { Some($extension) };
}

/// Every family. Those of [`Asked::Tick`] travel together, first what identifies the counters of the others.
pub(super) const FAMILIES: &[Family] = &[
    family!("cluster", Tick, DbSample, "GRANT EXECUTE ON FUNCTION pg_control_system(), pg_control_checkpoint() TO %ROLE%", [15 "cluster.15"]),
    family!("crash_mark", Tick, DbSample, "GRANT EXECUTE ON FUNCTION pg_stat_get_bgwriter_stat_reset_time() TO %ROLE%", [15 "crash_mark.15"]),
    family!("server", Tick, DbSample, "GRANT SELECT ON pg_database TO %ROLE%", [15 "server.15"]),
    family!("activity", Tick, DbSample, ACTIVITY, [15 "activity.15"]),
    family!("checkpointer", Tick, DbSample, WRITERS, [15 "checkpointer.15", 16 "checkpointer.16", 17 "checkpointer.17", 18 "checkpointer.18"]),
    family!("wal", Tick, DbSample, WAL, [15 "wal.15", 18 "wal.18"]),
    family!("locks", Tick, DbSample, "GRANT SELECT ON pg_locks TO %ROLE%", [15 "locks.15"]),
    family!("archiver", Tick, DbSample, "GRANT SELECT ON pg_stat_archiver TO %ROLE%", [15 "archiver.15"]),
    family!("receiver", Tick, DbSample, "GRANT pg_read_all_stats TO %ROLE%; GRANT SELECT ON pg_stat_wal_receiver TO %ROLE%", [15 "receiver.15"]),
    family!("databases", Tick, DatabaseSample, "GRANT SELECT ON pg_stat_database TO %ROLE%", [15 "databases.15"]),
    family!("replication", Tick, ReplicationSample, SLOTS, [15 "replication.15"]),
    family!("sessions", Tick, SessionSample, ACTIVITY, [15 "sessions.15"]),
    family!("catalogue", Inside, DatabaseSample, "GRANT SELECT ON pg_database TO %ROLE%", [15 "catalogue.15"]),
    family!("sizes", Inside / Hourly, DatabaseSample, "GRANT pg_read_all_stats TO %ROLE%; GRANT SELECT ON pg_database TO %ROLE%", [15 "sizes.15"]),
    family!("extensions", Inside, CheckSample, "GRANT SELECT ON pg_extension TO %ROLE%", [15 "extensions.15"]),
    family!("surroundings", Inside, CheckSample, "GRANT SELECT ON pg_class, pg_namespace TO %ROLE%", [15 "surroundings.15"]),
    family!("setting_sources", Inside, CheckSample, "GRANT EXECUTE ON FUNCTION pg_show_all_settings() TO %ROLE%", [15 "setting_sources.15"]),
    family!("epoch", Inside, DbSample, "GRANT EXECUTE ON FUNCTION pg_stat_get_db_stat_reset_time(oid) TO %ROLE%", [15 "epoch.15"]),
    family!("statement_store", Inside, StatementStore, STORE, [110 "statement_store.110"], "pg_stat_statements"),
    family!("statements", Inside, StatementSample, STATEMENTS, [110 "statements.110"], "pg_stat_statements"),
    family!("statement_texts", Inside, StatementText, STATEMENTS, [110 "statement_texts.110"], "pg_stat_statements"),
    family!("statement_sightings", Inside, StatementText, ACTIVITY, [15 "statement_sightings.15"]),
    family!("foreign_texts", Inside, CheckSample, "GRANT SELECT ON pg_database TO %ROLE%", [15 "foreign_texts.15"]),
    family!("io", Server, IoSample, IO, [15 "io.15", 16 "io.16", 18 "io.18"]),
    family!("slru", Server, SlruSample, "GRANT SELECT ON pg_stat_slru TO %ROLE%", [15 "slru.15"]),
    family!("archive_pending", Server, CheckSample, "GRANT EXECUTE ON FUNCTION pg_ls_archive_statusdir() TO %ROLE%", [15 "archive_pending.15"]),
    family!("autovacuum_workers", Server, CheckSample, ACTIVITY, [15 "autovacuum_workers.15"]),
    family!("checkpoint_pressure", Server, CheckSample, "GRANT EXECUTE ON FUNCTION pg_control_checkpoint() TO %ROLE%", [15 "checkpoint_pressure.15"]),
    family!("collation_mismatch", Server / Hourly, CheckSample, "GRANT SELECT ON pg_database TO %ROLE%", [15 "collation_mismatch.15"]),
    family!("connection_saturation", Server, CheckSample, ACTIVITY, [15 "connection_saturation.15"]),
    family!("logical_lag", Server, CheckSample, SLOTS, [15 "logical_lag.15"]),
    family!("prepared_xacts", Server, CheckSample, "GRANT SELECT ON pg_prepared_xacts TO %ROLE%", [15 "prepared_xacts.15"]),
    family!("recovery_conflicts", Server, CheckSample, "GRANT SELECT ON pg_stat_database_conflicts TO %ROLE%", [15 "recovery_conflicts.15"]),
    family!("settings", Server / Hourly, CheckSample, "GRANT SELECT ON pg_settings TO %ROLE%", [15 "settings.15"]),
    family!("slot_retention", Server, CheckSample, "GRANT SELECT ON pg_replication_slots TO %ROLE%", [15 "slot_retention.15"]),
    family!("temp_dir", Server, CheckSample, "GRANT EXECUTE ON FUNCTION pg_ls_tmpdir() TO %ROLE%", [15 "temp_dir.15"]),
    family!("temp_files", Server / Hourly, CheckSample, "GRANT SELECT ON pg_stat_database TO %ROLE%", [15 "temp_files.15"]),
    family!("wal_dir", Server, CheckSample, "GRANT EXECUTE ON FUNCTION pg_ls_waldir() TO %ROLE%", [15 "wal_dir.15"]),
    family!("wraparound", Server, CheckSample, "GRANT SELECT ON pg_database TO %ROLE%", [15 "wraparound.15"]),
    family!("xmin_horizon", Server, CheckSample, "GRANT pg_read_all_stats TO %ROLE%; GRANT SELECT ON pg_stat_activity, pg_replication_slots, pg_prepared_xacts, pg_stat_replication TO %ROLE%", [15 "xmin_horizon.15"]),
    family!("tables", Database, TableSample, "GRANT SELECT ON pg_class, pg_index TO %ROLE%", [15 "tables.15"]),
    family!("indexes", Database, IndexSample, "GRANT SELECT ON pg_class, pg_index, pg_constraint, pg_locks TO %ROLE%", [15 "indexes.15"]),
    family!("subscriptions", Database, SubscriptionSample, "GRANT SELECT ON pg_stat_subscription, pg_stat_subscription_stats TO %ROLE%", [15 "subscriptions.15"]),
    family!("autovacuum_queue", Database, CheckSample, "GRANT SELECT ON pg_class TO %ROLE%", [15 "autovacuum_queue.15"]),
    family!("duplicate_indexes", Database / Hourly, CheckSample, "GRANT SELECT ON pg_class, pg_index TO %ROLE%", [15 "duplicate_indexes.15"]),
    family!("fk_without_index", Database / Hourly, CheckSample, "GRANT SELECT ON pg_class, pg_index TO %ROLE%", [15 "fk_without_index.15"]),
    family!("invalid_indexes", Database / Hourly, CheckSample, "GRANT SELECT ON pg_class, pg_index TO %ROLE%", [15 "invalid_indexes.15"]),
    family!("missing_replica_identity", Database / Hourly, CheckSample, "GRANT SELECT ON pg_publication_tables TO %ROLE%", [15 "missing_replica_identity.15"]),
    family!("sequences", Database / Hourly, CheckSample, "GRANT SELECT ON pg_class, pg_sequence TO %ROLE%", [15 "sequences.15"]),
    family!("table_bloat", Database / Hourly, CheckSample, "GRANT SELECT ON pg_class, pg_stats TO %ROLE%", [15 "table_bloat.15"]),
    family!("unused_indexes", Database / Hourly, CheckSample, "GRANT SELECT ON pg_class, pg_index, pg_constraint TO %ROLE%", [15 "unused_indexes.15"]),
    family!("vacuum_progress", Database, CheckSample, "GRANT pg_read_all_stats TO %ROLE%; GRANT SELECT ON pg_stat_progress_vacuum, pg_stat_activity TO %ROLE%", [15 "vacuum_progress.15"]),
    family!("wraparound_tables", Database / Hourly, CheckSample, "GRANT SELECT ON pg_class, pg_index TO %ROLE%", [15 "wraparound_tables.15"]),
    family!("table_bloat_exact", Database / Turns, CheckSample, "GRANT EXECUTE ON FUNCTION pgstattuple_approx(regclass) TO %ROLE%", [105 "table_bloat_exact.105"], "pgstattuple"),
    family!("index_bloat_exact", Database / Turns, CheckSample, "GRANT EXECUTE ON FUNCTION pgstatindex(regclass) TO %ROLE%", [105 "index_bloat_exact.105"], "pgstattuple"),
];
