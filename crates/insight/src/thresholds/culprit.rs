//! Who is to blame for a threshold that was reached, by name, with the command to copy.

use super::command;
use crate::memory::fields::Fields;
use crate::memory::{Culprit, Memory};
use crate::quoting::identifier;
use schema::tables::{
    DbSample, HealthCheck, IndexSample, LogSource, SystemSample, TableSample, TargetSample,
};
use schema::{Metric, Row, Sample, TableDef, Unit};

/// Longest cause, characters.
const LONGEST: usize = 400;

/// Where the culprit of a metric is found.
#[derive(Clone, Copy, Debug, PartialEq)]
enum CulpritKind {
    /// The session that most others wait for.
    Blocker,
    /// The session idle in a transaction for longest.
    Idle,
    /// The session with the oldest transaction.
    Transaction,
    /// The session with the longest statement.
    Statement,
    /// The processes that use most CPU.
    Cpu,
    /// The processes that hold most memory.
    Memory,
    /// The processes that ended and held most memory: one of them was killed, and the kernel's log names it.
    Ended,
    /// The processes that read and write most.
    Io,
    /// The error of the newest row of its owner.
    Error(&'static TableDef),
    /// The endpoints that fail most.
    Endpoint,
    /// The packages that ask for a restart.
    Packages,
    /// The command for a table.
    Table,
    /// The command for an index.
    Index,
}

/// Kinds by metric.
const CULPRITS: &[(&str, CulpritKind)] = &[
    ("db.conn_waiting", CulpritKind::Blocker),
    ("db.longest_lock_wait_secs", CulpritKind::Blocker),
    ("db.oldest_idle_in_xact_secs", CulpritKind::Idle),
    ("db.oldest_xact_secs", CulpritKind::Transaction),
    ("db.longest_query_secs", CulpritKind::Statement),
    ("db.slow_queries", CulpritKind::Statement),
    ("system.cpu_busy_pct", CulpritKind::Cpu),
    ("system.load_per_core", CulpritKind::Cpu),
    ("system.pressure_cpu_some_pct", CulpritKind::Cpu),
    ("system.mem_used_pct", CulpritKind::Memory),
    ("system.swap_used_pct", CulpritKind::Memory),
    ("system.oom_kills_per_sec", CulpritKind::Ended),
    ("system.pressure_memory_full_pct", CulpritKind::Memory),
    ("system.reboot_required", CulpritKind::Packages),
    ("system.cpu_iowait_pct", CulpritKind::Io),
    ("system.pressure_io_full_pct", CulpritKind::Io),
    ("disk.busy_pct", CulpritKind::Io),
    ("db.up", CulpritKind::Error(DbSample::TABLE)),
    ("target.up", CulpritKind::Error(TargetSample::TABLE)),
    ("target.bad_values", CulpritKind::Error(TargetSample::TABLE)),
    ("check.up", CulpritKind::Error(HealthCheck::TABLE)),
    ("log.readable", CulpritKind::Error(LogSource::TABLE)),
    ("api.error_pct", CulpritKind::Endpoint),
    ("table.dead_pct", CulpritKind::Table),
    ("index.invalid", CulpritKind::Index),
];

/// The running processes explain a busy CPU if they use at least this share of what is used.
const EXPLAINS: f64 = 0.5;

/// Names the culprit of a metric and key, as of the newest samples; `now` is the newest value and `rows` are those of the tick.
pub(super) fn of(
    metric: &Metric,
    key: Option<&str>,
    now: f64,
    memory: &Memory,
    rows: &[&[Row]],
) -> Culprit {
    let id = metric.id();
    let kind = CULPRITS
        .iter()
        .find(|(of, _)| *of == id)
        .map(|(_, kind)| *kind);
    let found = kind.and_then(|kind| named(kind, key.unwrap_or_default(), metric, memory, rows));
    let mut culprit = found.unwrap_or_default();
    if id == "system.cpu_busy_pct"
        && let Some(short) = short_lived(now, memory, rows)
    {
        culprit = short;
    }
    culprit.cause = words::cut(&culprit.cause, LONGEST);
    if culprit.fix.is_empty() {
        metric.fix.clone_into(&mut culprit.fix);
    }
    if culprit.command.is_empty() {
        culprit.command = command::of(&id, key).unwrap_or_default();
    }
    culprit
}

fn named(
    kind: CulpritKind,
    key: &str,
    metric: &Metric,
    memory: &Memory,
    rows: &[&[Row]],
) -> Option<Culprit> {
    let because = |cause: String| Culprit {
        cause,
        ..Culprit::default()
    };
    match kind {
        CulpritKind::Blocker => memory.sessions.blocker(key),
        CulpritKind::Idle => memory.sessions.idle(key),
        CulpritKind::Transaction => memory.sessions.transaction(key),
        CulpritKind::Statement => memory.sessions.statement(key),
        CulpritKind::Cpu => memory.processes.cpu(),
        CulpritKind::Memory => memory.processes.memory(),
        CulpritKind::Ended => memory.processes.ended().map(because),
        CulpritKind::Io => memory.processes.io(),
        CulpritKind::Error(table) => memory.error(table, key).map(str::to_owned).map(because),
        CulpritKind::Endpoint => memory.endpoints.most(key).map(because),
        CulpritKind::Packages => packages(rows).map(because),
        CulpritKind::Table => relation(TableSample::TABLE, "table_name", key, metric, rows),
        CulpritKind::Index => relation(IndexSample::TABLE, "index_name", key, metric, rows),
    }
}

/// Blames processes that end between two samples, where those that run use too little of what is used: `busy` percent of all
/// cores.
fn short_lived(busy: f64, memory: &Memory, rows: &[&[Row]]) -> Option<Culprit> {
    let mut rows = rows.iter().copied().flatten();
    let row = rows.find(|row| row.table.name == SystemSample::TABLE.name)?;
    let used = busy * Fields(row).number("cpu_count")?;
    let (_, running) = memory.processes.newest();
    let running: f64 = running.map(|one| one.cpu).sum();
    // In the first tick after a start no share is known.
    if running == 0.0 || running >= EXPLAINS * used {
        return None;
    }
    let cores = |percent: f64| words::value(percent.round(), Unit::Percent);
    Some(Culprit {
        cause: format!(
            "Processes that end within seconds, or parts of the kernel, use most of it: those that run account for {} of a core, of {}.",
            cores(running),
            cores(used)
        ),
        fix: "See what starts so many:".to_owned(),
        command: "ps -e -o pid,ppid,user,etimes,args --sort=etimes | head -n 20".to_owned(),
    })
}

/// Returns a sentence about the packages that ask for a restart.
fn packages(rows: &[&[Row]]) -> Option<String> {
    let mut rows = rows.iter().copied().flatten();
    let row = rows.find(|row| row.table.name == SystemSample::TABLE.name)?;
    let packages = Fields(row).text("reboot_packages");
    (!packages.is_empty()).then(|| format!("Asked for by {packages}."))
}

/// Returns the command for a table or an index. Its parts come from its row, as a name in the key may have dots.
fn relation(
    table: &TableDef,
    name: &str,
    key: &str,
    metric: &Metric,
    rows: &[&[Row]],
) -> Option<Culprit> {
    let row = rows
        .iter()
        .copied()
        .flatten()
        .filter(|row| row.table.name == table.name)
        .find(|row| {
            let fields = Fields(row);
            let parts = ["instance", "database", "schema_name", name].map(|part| fields.text(part));
            key.len() == parts.iter().map(|part| part.len()).sum::<usize>() + 3
                && key == parts.join(".")
        })?;
    let fields = Fields(row);
    let of = format!(
        "{}.{}",
        identifier(fields.text("schema_name")),
        identifier(fields.text(name))
    );
    Some(Culprit {
        cause: String::new(),
        fix: format!(
            "{} In database {}:",
            metric.fix,
            words::cut(fields.text("database"), 60)
        ),
        command: if table.name == TableSample::TABLE.name {
            format!("VACUUM (ANALYZE) {of};")
        } else {
            format!("REINDEX INDEX CONCURRENTLY {of};")
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_metric_with_a_culprit_is_evaluated() {
        for (id, _) in CULPRITS {
            let metric = schema::metric(id).unwrap_or_else(|| panic!("{id}"));
            assert!(metric.evaluated_over_secs > 0, "{id}");
        }
    }

    #[test]
    fn names_of_relations_stay_names() {
        let row = TableSample {
            instance: "main".to_owned(),
            database: "shop.old".to_owned(),
            schema_name: "pub\"lic".to_owned(),
            table_name: "a.b; DROP".to_owned(),
            ..TableSample::default()
        };
        let rows = [row.into_row(schema::Timestamp(1))];
        let metric = schema::metric("table.dead_pct").unwrap();
        let key = "main.shop.old.pub\"lic.a.b; DROP";
        let found = relation(TableSample::TABLE, "table_name", key, metric, &[&rows]).unwrap();
        assert_eq!(
            found.command,
            "VACUUM (ANALYZE) \"pub\"\"lic\".\"a.b; DROP\";"
        );
        assert!(found.fix.ends_with("In database shop.old:"));
        assert_eq!(
            relation(TableSample::TABLE, "table_name", "main.x", metric, &[&rows]),
            None
        );
    }
}
