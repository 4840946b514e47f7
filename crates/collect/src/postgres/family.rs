//! The table of statements: every family of statistics, when it is asked, of whom, and by which file.
//!
//! A family has one file per range of versions, named after the oldest: `wal.15.sql` serves 15 to 17,
//! `wal.18.sql` 18 and whatever is newer. Those that read an extension go by the version of the
//! extension, which is not that of the server: an upgraded server keeps the old one until somebody
//! runs ALTER EXTENSION. Columns are the same in each range; what a release lacks is NULL.

use schema::tables::{DatabaseSample, DbSample, ReplicationSample, SessionSample};
use schema::{Sample, TableDef};

/// A family of statistics.
#[derive(Debug)]
pub(super) struct Family {
    /// Its name in `db_blind_spots_raw` and, for checks, in `db_check_raw`.
    pub(super) name: &'static str,
    /// When and of whom it is asked.
    pub(super) asked: Asked,
    /// The table it fills.
    pub(super) table: &'static TableDef,
    /// The extension it reads, if any.
    pub(super) extension: Option<&'static str>,
    /// Oldest version and statement, ascending.
    pub(super) files: &'static [(u32, &'static str)],
    /// The statement that mends a missing right.
    pub(super) grant: &'static str,
}

/// When and of whom a family is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Asked {
    /// Of the server, every tick.
    Tick,
    /// By the collector itself, when it needs the answer.
    Inside,
}

impl Family {
    /// The statement for a version; `None` when it is older than all that are known.
    pub(super) fn sql(&self, version: u32) -> Option<&'static str> {
        self.files
            .iter()
            .rev()
            .find(|(oldest, _)| *oldest <= version)
            .map(|(_, sql)| *sql)
    }
}

/// The right that the role file gives; `%ROLE%` is whoever logs in. What PUBLIC may read needs a grant
/// only where somebody revoked that.
const STATS: &str = "GRANT pg_read_all_stats TO %ROLE%";
macro_rules! family {
    ($name:literal, $asked:ident, $sample:ty, $grant:expr, [$($version:literal $file:literal),+] $(, $extension:literal)?) => {
        Family {
            name: $name,
            asked: Asked::$asked,
            table: <$sample>::TABLE,
            extension: family!(@extension $($extension)?),
            files: &[$(($version, include_str!(concat!("sql/", $file, ".sql")))),+],
            grant: $grant,
        }
    };
    (@extension) => { None };
    (@extension $extension:literal) => { Some($extension) };
}

/// Every family. Those of [`Asked::Tick`] travel together.
pub(super) const FAMILIES: &[Family] = &[
    family!("server", Tick, DbSample, "GRANT SELECT ON pg_stat_bgwriter, pg_stat_wal, pg_stat_archiver, pg_prepared_xacts TO %ROLE%", [15 "server.15", 16 "server.16", 17 "server.17"]),
    family!("activity", Tick, DbSample, STATS, [15 "activity.15"]),
    family!("checkpointer", Tick, DbSample, "GRANT SELECT ON pg_stat_bgwriter TO %ROLE%", [15 "checkpointer.15", 16 "checkpointer.16", 17 "checkpointer.17", 18 "checkpointer.18"]),
    family!("wal", Tick, DbSample, "GRANT SELECT ON pg_stat_wal TO %ROLE%", [15 "wal.15", 18 "wal.18"]),
    family!("locks", Tick, DbSample, "GRANT SELECT ON pg_locks TO %ROLE%", [15 "locks.15"]),
    family!("archiver", Tick, DbSample, "GRANT SELECT ON pg_stat_archiver TO %ROLE%", [15 "archiver.15"]),
    family!("receiver", Tick, DbSample, STATS, [15 "receiver.15"]),
    family!("databases", Tick, DatabaseSample, "GRANT SELECT ON pg_stat_database TO %ROLE%", [15 "databases.15"]),
    family!("replication", Tick, ReplicationSample, STATS, [15 "replication.15", 17 "replication.17"]),
    family!("sessions", Tick, SessionSample, STATS, [15 "sessions.15"]),
    family!("epoch", Inside, DbSample, "GRANT SELECT ON pg_stat_bgwriter, pg_stat_database TO %ROLE%", [15 "epoch.15"]),
];
