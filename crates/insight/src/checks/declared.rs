//! What makes an object of a check a finding, and in which words.
//!
//! Some checks have no finding of their own. What they list is also a metric of the catalogue with thresholds, or shows
//! what is going on and is not a fault: [`WITHOUT_RULE`] gives the reason for each, and a test compares both lists with
//! the checks that the dashboard knows.

use super::object::Object;
use crate::lifecycle::Lifecycle;
use crate::rule::{Life, Rule};
use schema::finding::{Figures, Kind};
use schema::{Better, Finding, Levels, Severity, Unit};
use serde_json::Value;

const MIB: f64 = 1_048_576.0;
/// Advice about indexes wants two weeks of observation, so that what runs once a week was seen.
const FORTNIGHT: u32 = 14 * 86_400;
/// A value has left a threshold when it is better by this share of it, as with metrics.
const MARGIN: f64 = 0.05;

/// What makes an object a finding.
#[derive(Clone, Copy, Debug)]
enum Fault {
    /// The check lists faults only.
    Each(Severity),
    /// Its value, by these thresholds.
    From(Levels, Better),
}

/// A check whose objects are findings.
#[derive(Debug)]
pub(super) struct Check {
    /// Its name in db_check_raw.
    pub(super) name: &'static str,
    pub(super) rule: Rule,
    fault: Fault,
    /// A further condition on the object and the columns of the check.
    also: fn(&Object<'_>, &Value) -> bool,
    unit: Unit,
    /// The observation; see [`Object::sentence`].
    message: &'static str,
    step: &'static str,
    /// The statement to copy; see [`Object::statement`].
    sql: &'static str,
    /// The shell command to copy, where no statement helps.
    command: &'static str,
}

impl Check {
    /// Returns the finding about an object, if it is one.
    pub(super) fn finding(&self, object: &Object<'_>, open: &Lifecycle) -> Option<Finding> {
        let (severity, threshold) = match self.fault {
            Fault::Each(severity) => (severity, None),
            Fault::From(levels, better) => {
                let held = || open.severity(self.rule.id, &object.target());
                let (severity, threshold) = reached(levels, better, object.value?, held)?;
                (severity, Some(threshold))
            }
        };
        let detail = object.detail();
        if !(self.also)(object, &detail) {
            return None;
        }
        let message = object.sentence(self.message, self.unit, &detail);
        Some(Finding {
            steps: vec![object.sentence(self.step, self.unit, &detail)],
            action_sql: object.statement(self.sql),
            command: (!self.command.is_empty()).then(|| self.command.to_owned()),
            figures: Figures {
                value: object.value.map(words::round),
                threshold,
                ..Figures::default()
            },
            ..self.rule.finding(&object.target(), severity, message)
        })
    }
}

/// Returns the threshold that a value has reached, or has not left since it was `held`.
fn reached(
    levels: Levels,
    better: Better,
    value: f64,
    held: impl Fn() -> Option<Severity>,
) -> Option<(Severity, f64)> {
    // Nearly all values are far from their threshold.
    let eased = match better {
        Better::Higher => value * (1.0 - MARGIN),
        _ => value * (1.0 + MARGIN),
    };
    let near = levels.reached(better, eased)?;
    let reached = levels.reached(better, value);
    match held() {
        Some(held) if near.0 <= held => Some(near),
        _ => reached,
    }
}

/// Returns the check that a rule is about.
pub(super) fn name_of(rule: &Rule) -> &'static str {
    let check = CHECKS.iter().find(|check| check.rule.id == rule.id);
    check.map_or(super::settings::NAME, |check| check.name)
}

/// Checks without a rule of their own, with the rule of the catalogue that covers them, or the reason why nothing they
/// list is a fault.
#[cfg(test)]
pub(super) const WITHOUT_RULE: &[(&str, Result<&str, &str>)] = &[
    ("invalid_indexes", Ok("index.invalid")),
    ("logical_lag", Ok("replication.retained_bytes")),
    ("recovery_conflicts", Ok("database.conflicts_per_sec")),
    ("slot_retention", Ok("replication.retained_bytes")),
    ("wraparound", Ok("db.wraparound_pct")),
    ("wraparound_tables", Ok("db.wraparound_pct")),
    ("temp_dir", Err("a size; a full file system has a rule")),
    ("temp_files", Err("a sum since the reset, which only grows")),
    ("vacuum_progress", Err("vacuums at work")),
];

const fn always(_: &Object<'_>, _: &Value) -> bool {
    true
}

/// Returns whether a column is at least `least`; an unknown one is not.
fn is_least(detail: &Value, column: &str, least: f64) -> bool {
    detail[column].as_f64().is_some_and(|value| value >= least)
}

const fn rule(id: &'static str, domain: &'static str, title: &'static str) -> Rule {
    Rule {
        id,
        kind: Kind::Alert,
        domain,
        title,
        // Slow ticks are five minutes apart: one that does not list an object is enough.
        life: Life {
            clear_evaluations: 1,
            ..Life::sampled(0)
        },
        because: &[],
    }
}

const fn advice(id: &'static str, domain: &'static str, title: &'static str, secs: u32) -> Rule {
    Rule {
        kind: Kind::Recommendation,
        life: Life {
            clear_evaluations: 2,
            ..Life::sampled(secs)
        },
        ..rule(id, domain, title)
    }
}

const fn confirmed_after(rule: Rule, secs: u32) -> Rule {
    Rule {
        life: Life {
            confirm_secs: secs,
            ..rule.life
        },
        ..rule
    }
}

const fn because(rule: Rule, because: &'static [&'static str]) -> Rule {
    Rule { because, ..rule }
}

/// Objects that take turns are looked at anew for a round of twenty slow ticks after each start.
const fn in_turns(rule: Rule) -> Rule {
    Rule {
        life: Life {
            clear_secs: 7200,
            ..rule.life
        },
        ..rule
    }
}

/// The common fields, unless overridden.
const BASE: Check = Check {
    name: "",
    rule: rule("", "db", ""),
    fault: Fault::Each(Severity::Warn),
    also: always,
    unit: Unit::Count,
    message: "",
    step: "",
    sql: "",
    command: "",
};

const fn lower(levels: Levels) -> Fault {
    Fault::From(levels, Better::Lower)
}

/// Every check with a rule.
pub(super) const CHECKS: &[Check] = &[
    Check {
        name: "archive_pending",
        rule: because(
            rule("check.archive_pending", "db", "WAL waits for the archive"),
            &["db.up", "db.archive_failing"],
        ),
        // Own choice: 64 segments are 1 GiB by default; an archive that keeps up has a handful.
        fault: lower(Levels::warn(64.0)),
        message: "{value} WAL files of {place} wait for the archive, the oldest for {oldest_secs}",
        step: "They stay in pg_wal until archive_command or archive_library takes them; see whether it is slow or fails:",
        sql: "SELECT * FROM pg_stat_archiver;",
        ..BASE
    },
    Check {
        name: "autovacuum_queue",
        rule: because(
            confirmed_after(
                rule(
                    "check.autovacuum_queue",
                    "table",
                    "Autovacuum does not keep up with a table",
                ),
                600,
            ),
            &["db.up", "check.autovacuum_workers", "check.xmin_horizon"],
        ),
        // Own choice: autovacuum looks each minute and comes at 100 percent, so three times as much is late.
        fault: lower(Levels::warn(300.0)),
        unit: Unit::Percent,
        message: "{object} in {place} has {n_dead_tup} dead rows; autovacuum is due at {vacuum_threshold}",
        step: "Autovacuum is switched off for it, held back by an old snapshot, or too slow: lower autovacuum_vacuum_cost_delay. Now:",
        sql: "VACUUM (ANALYZE) {relation};",
        ..BASE
    },
    Check {
        name: "autovacuum_workers",
        // Own choice: half an hour, as a burst of work is normal after a bulk load.
        rule: because(
            confirmed_after(
                rule(
                    "check.autovacuum_workers",
                    "db",
                    "All autovacuum workers are busy",
                ),
                1800,
            ),
            &["db.up"],
        ),
        also: |object, detail| {
            let all = detail["max_workers"].as_f64();
            object
                .value
                .zip(all)
                .is_some_and(|(busy, all)| all > 0.0 && busy >= all)
        },
        message: "All {value} autovacuum workers of {place} are busy, one for {longest_secs}",
        step: "Other tables wait meanwhile. Raise autovacuum_max_workers, or autovacuum_vacuum_cost_limit:",
        sql: "SELECT pid, query, now() - xact_start AS running FROM pg_stat_activity WHERE backend_type = 'autovacuum worker';",
        ..BASE
    },
    Check {
        name: "checkpoint_pressure",
        rule: because(
            rule(
                "check.checkpoint_pressure",
                "db",
                "Checkpoints do not finish in time",
            ),
            &["db.up", "io_pressure"],
        ),
        // A checkpoint begins at half of max_wal_size or so, and is to end before all of it is written.
        fault: lower(Levels::warn(100.0)),
        unit: Unit::Percent,
        message: "WAL since the last checkpoint of {place} is {value} of max_wal_size",
        step: "Raise max_wal_size, and see whether the disk keeps up:",
        sql: "SHOW max_wal_size;",
        ..BASE
    },
    Check {
        name: "collation_mismatch",
        rule: because(
            rule(
                "check.collation_mismatch",
                "db",
                "Collation of another version",
            ),
            &["db.up"],
        ),
        message: "Database {object} of {place} sorts text by version {recorded} of its collation; the system has {actual}",
        step: "Its indexes on text may be in the wrong order and miss rows. In that database:",
        sql: "REINDEX DATABASE CONCURRENTLY {name}; ALTER DATABASE {name} REFRESH COLLATION VERSION;",
        ..BASE
    },
    Check {
        name: "connection_saturation",
        rule: because(
            rule(
                "check.connection_saturation",
                "db",
                "A limit of connections is nearly reached",
            ),
            &["db.up", "connection_leak"],
        ),
        // As for the server as a whole, which db.conn_used_pct covers.
        fault: lower(Levels::new(80.0, 95.0)),
        also: |object, _| object.object != "server",
        unit: Unit::Percent,
        message: "{used} of the {allowed} connections of {object} on {place} are in use",
        step: "Raise its CONNECTION LIMIT, or use a pool; see who holds them:",
        sql: "SELECT datname, usename, application_name, state, count(*) FROM pg_stat_activity GROUP BY 1, 2, 3, 4 ORDER BY 5 DESC;",
        ..BASE
    },
    Check {
        name: "duplicate_indexes",
        rule: advice(
            "check.duplicate_indexes",
            "index",
            "Duplicate index",
            FORTNIGHT,
        ),
        fault: Fault::Each(Severity::Info),
        unit: Unit::Bytes,
        message: "Index {object} in {place} does the work of {covered_by} again",
        step: "Every write maintains both:",
        sql: "DROP INDEX CONCURRENTLY {relation};",
        ..BASE
    },
    Check {
        name: "fk_without_index",
        rule: advice(
            "check.fk_without_index",
            "table",
            "Foreign key without index",
            3600,
        ),
        // Own choice: a smaller table is read in an instant.
        fault: lower(Levels::info(10.0 * MIB)),
        unit: Unit::Bytes,
        message: "Foreign key {object} in {place} has no index",
        step: "Each delete of a row of {refers_to} reads the whole table of {value}: create an index that begins with its columns.",
        ..BASE
    },
    Check {
        name: "index_bloat_exact",
        rule: in_turns(advice(
            "check.index_bloat_exact",
            "index",
            "Bloated index",
            0,
        )),
        // A new index is filled to 90 percent; below half of that a rebuild halves it.
        fault: Fault::From(Levels::info(45.0), Better::Higher),
        also: |_, detail| is_least(detail, "index_size", 10.0 * MIB),
        unit: Unit::Percent,
        message: "The pages of index {object} in {place} are filled to {value}",
        step: "Rebuild it:",
        sql: "REINDEX INDEX CONCURRENTLY {relation};",
        ..BASE
    },
    Check {
        name: "missing_replica_identity",
        rule: because(
            rule(
                "check.missing_replica_identity",
                "replication",
                "Published table without replica identity",
            ),
            &["db.up"],
        ),
        message: "Table {object} in {place} is published by {publication} and has no replica identity",
        step: "Updates and deletes of its rows fail: add a primary key, or:",
        sql: "ALTER TABLE {relation} REPLICA IDENTITY FULL;",
        ..BASE
    },
    Check {
        name: "prepared_xacts",
        rule: because(
            rule(
                "check.prepared_xacts",
                "db",
                "Prepared transaction left open",
            ),
            &["db.up"],
        ),
        // As for sessions idle in a transaction, whose locks and snapshots it holds as well.
        fault: lower(Levels::new(300.0, 1800.0)),
        unit: Unit::Secs,
        message: "Prepared transaction {object} in database {database} of {place} has been open for {value}",
        step: "It holds locks and keeps dead rows, through restarts, too. COMMIT PREPARED, or in that database:",
        sql: "ROLLBACK PREPARED {literal};",
        ..BASE
    },
    Check {
        name: "sequences",
        rule: because(
            rule("check.sequences", "db", "A sequence runs out"),
            &["db.up"],
        ),
        // At 75 percent there is time to alter the column, at 90 little.
        fault: lower(Levels::new(75.0, 90.0)),
        unit: Unit::Percent,
        message: "Sequence {object} in {place} has used {value} of its numbers",
        step: "At the end inserts fail. ALTER its column and the sequence to bigint before.",
        ..BASE
    },
    Check {
        name: "table_bloat",
        rule: Rule {
            because: &["check.table_bloat_exact"],
            ..advice("check.table_bloat", "table", "Bloated table", 3600)
        },
        // The estimate means something above 100 MB only; half is own choice.
        fault: lower(Levels::info(100.0 * MIB)),
        also: |object, detail| {
            let heap = detail["heap_bytes"].as_f64();
            object
                .value
                .zip(heap)
                .is_some_and(|(empty, heap)| empty >= heap / 2.0)
        },
        unit: Unit::Bytes,
        message: "About {value} of the {heap_bytes} of {object} in {place} hold no rows",
        step: "VACUUM FULL in a quiet hour, as it locks the table, or pg_repack.",
        ..BASE
    },
    Check {
        name: "table_bloat_exact",
        rule: in_turns(advice(
            "check.table_bloat_exact",
            "table",
            "Bloated table",
            0,
        )),
        fault: lower(Levels::info(50.0)),
        also: |_, detail| is_least(detail, "table_len", 100.0 * MIB),
        unit: Unit::Percent,
        message: "{value} of the {table_len} of {object} in {place} hold no rows",
        step: "VACUUM FULL in a quiet hour, as it locks the table, or pg_repack.",
        ..BASE
    },
    Check {
        name: "unused_indexes",
        rule: advice("check.unused_indexes", "index", "Unused index", FORTNIGHT),
        // The reference's figure, and from where on the table of unused indexes marks one: every write maintains it, whatever its
        // size.
        fault: lower(Levels::info(MIB)),
        unit: Unit::Bytes,
        message: "Index {object} in {place} has not been scanned for two weeks and takes {value}",
        step: "Every write maintains it. If no standby uses it:",
        sql: "DROP INDEX CONCURRENTLY {relation};",
        ..BASE
    },
    Check {
        name: "wal_dir",
        rule: because(
            rule("check.wal_dir", "db", "pg_wal is large"),
            &["db.up", "db.archive_failing"],
        ),
        // max_wal_size is what checkpoints leave; three times as much is held by a slot, the archive, or wal_keep_size.
        also: |object, detail| {
            let most = detail["max_wal_size_bytes"].as_f64();
            object
                .value
                .zip(most)
                .is_some_and(|(size, most)| size >= 3.0 * most)
        },
        unit: Unit::Bytes,
        message: "pg_wal of {place} takes {value}; max_wal_size is {max_wal_size_bytes}",
        step: "A slot, a failing archive or wal_keep_size holds it:",
        sql: "SELECT slot_name, active, wal_status, pg_wal_lsn_diff(pg_current_wal_lsn(), restart_lsn) FROM pg_replication_slots ORDER BY 4 DESC;",
        ..BASE
    },
    Check {
        name: "xmin_horizon",
        rule: because(
            rule("check.xmin_horizon", "db", "Vacuum is held back"),
            &["db.up", "db.oldest_xact_secs"],
        ),
        // Half of autovacuum_freeze_max_age, and five times as much, which is half of all transaction IDs.
        fault: lower(Levels::new(100e6, 1000e6)),
        message: "The {object} keeps the dead rows of {value} transactions on {place} from vacuum",
        step: "End the session, finish the prepared transaction, or drop the slot.",
        ..BASE
    },
];
