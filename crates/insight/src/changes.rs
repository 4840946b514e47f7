//! Changes as collectors see them: watched processes, servers and targets that were started again, and settings of
//! PostgreSQL.
//!
//! Logs report more, and the time to the second (`logs::changes`); this needs none, and no right to read one. What
//! changed while no collector ran is not seen here. A change is told from the first sample by what was seen before.

use crate::judge::TickFacts;
use crate::memory::fields::{Column, Fields};
use schema::micros::SECOND;
use schema::tables::{ApiSample, ChangeMarker, CheckSample, DbSample, ProxySample};
use schema::{Sample, Timestamp};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// Who reports these.
const SOURCE: &str = "collector";
/// Two start times that differ by no more are one: they are derived from clocks.
const SAME_START: i64 = 5 * SECOND;

/// A process: number and start, in clock ticks since the boot.
type ProcessId = (i64, i64);

/// Finds changes between samples.
#[derive(Debug, Default)]
pub struct ChangeDetector {
    /// Watched processes by name. One that ended keeps its name, so that its next start is told from a first sample.
    processes: BTreeMap<Box<str>, BTreeSet<ProcessId>>,
    processes_at: Timestamp,
    /// When each server was started.
    servers: BTreeMap<Box<str>, Timestamp>,
    /// When each API and proxy was started.
    targets: BTreeMap<Box<str>, Timestamp>,
    /// Settings by server and name.
    settings: BTreeMap<(Box<str>, Box<str>), Box<str>>,
    /// Whether the collector's own configuration was loaded again since the last tick.
    is_reloaded: bool,
}

impl ChangeDetector {
    /// Notes that the configuration was loaded again, and forgets which processes were watched, as others may be now.
    pub(crate) fn reconfigure(&mut self) {
        self.processes.clear();
        self.processes_at = Timestamp::default();
        self.is_reloaded = true;
    }

    /// Takes the tick of `at` and returns what changed, each with its time.
    pub(crate) fn observe(
        &mut self,
        facts: &TickFacts<'_>,
        at: Timestamp,
    ) -> Vec<(Timestamp, ChangeMarker)> {
        let mut found = Vec::new();
        if std::mem::take(&mut self.is_reloaded) {
            found.push((
                at,
                marker("configuration", "pqcrypta-collector", "reloaded"),
            ));
        }
        self.observe_processes(facts, &mut found);
        self.observe_servers(facts, &mut found);
        self.observe_targets(facts, &mut found);
        self.observe_settings(facts, &mut found);
        found
    }

    fn observe_processes(
        &mut self,
        facts: &TickFacts<'_>,
        found: &mut Vec<(Timestamp, ChangeMarker)>,
    ) {
        let (ts, processes) = facts.memory.processes.newest();
        if ts <= self.processes_at {
            return;
        }
        let is_first = self.processes_at == Timestamp::default();
        self.processes_at = ts;
        let mut now: BTreeMap<&str, BTreeSet<ProcessId>> = BTreeMap::new();
        for one in processes.filter(|one| one.watched && one.count <= 1) {
            now.entry(&one.name)
                .or_default()
                .insert((one.pid, one.start));
        }
        for (name, before) in &mut self.processes {
            let after = now.remove(&**name).unwrap_or_default();
            // A program whose processes come and go goes on while one of them does.
            let action = match (before.is_empty(), after.is_empty()) {
                (true, false) => Some("started"),
                (false, true) => Some("stopped"),
                (false, false) if before.is_disjoint(&after) => Some("restarted"),
                _ => None,
            };
            if let Some(action) = action {
                found.push((ts, marker("program", name, action)));
            }
            *before = after;
        }
        for (name, ids) in now {
            if !is_first {
                found.push((ts, marker("program", name, "started")));
            }
            self.processes.insert(name.into(), ids);
        }
    }

    fn observe_servers(
        &mut self,
        facts: &TickFacts<'_>,
        found: &mut Vec<(Timestamp, ChangeMarker)>,
    ) {
        const INSTANCE: Column = Column::of::<DbSample>("instance");
        const STARTED_AT: Column = Column::of::<DbSample>("started_at");
        for row in facts.rows_of(DbSample::TABLE) {
            let fields = Fields(row);
            let Some(started) = fields.time(STARTED_AT) else {
                continue;
            };
            let name = fields.text(INSTANCE);
            if is_new_start(&mut self.servers, name, started) {
                found.push((started, marker("server", name, "restarted")));
            }
        }
    }

    fn observe_targets(
        &mut self,
        facts: &TickFacts<'_>,
        found: &mut Vec<(Timestamp, ChangeMarker)>,
    ) {
        for table in [ApiSample::TABLE, ProxySample::TABLE] {
            for row in facts.rows_of(table) {
                let fields = Fields(row);
                let Some(uptime) = fields.number("uptime_secs") else {
                    continue;
                };
                #[expect(
                    clippy::cast_possible_truncation,
                    reason = "an uptime is far below 2^63 µs"
                )]
                let started = Timestamp(row.ts.as_micros() - (uptime * 1e6) as i64);
                let name = fields.text("target");
                if is_new_start(&mut self.targets, name, started) {
                    found.push((started, marker("server", name, "restarted")));
                }
            }
        }
    }

    fn observe_settings(
        &mut self,
        facts: &TickFacts<'_>,
        found: &mut Vec<(Timestamp, ChangeMarker)>,
    ) {
        const CHECK: Column = Column::of::<CheckSample>("check_name");
        for row in facts.rows_of(CheckSample::TABLE) {
            let fields = Fields(row);
            if fields.text(CHECK) != "settings" {
                continue;
            }
            let detail: Value = serde_json::from_str(fields.json("detail")).unwrap_or_default();
            // One that is set for the collector's role tells nothing of others, and has no value.
            let Some(value) = detail["setting"].as_str() else {
                continue;
            };
            let value = words::cut(value, 120);
            let (instance, name) = (fields.text("instance"), fields.text("object"));
            let known = self.settings.entry((instance.into(), name.into()));
            let known = known.or_insert_with(|| value.as_str().into());
            if **known != *value {
                let change = ChangeMarker {
                    before: Some(known.to_string()),
                    after: Some(value.clone()),
                    source: instance.to_owned(),
                    ..marker("setting", name, "changed")
                };
                found.push((row.ts, change));
                *known = value.into();
            }
        }
    }
}

/// Notes a start; returns whether it is another one than the known one, and later.
fn is_new_start(known: &mut BTreeMap<Box<str>, Timestamp>, name: &str, started: Timestamp) -> bool {
    match known.get_mut(name) {
        None => {
            known.insert(name.into(), started);
            false
        }
        Some(last) if started.as_micros() - last.as_micros() > SAME_START => {
            *last = started;
            true
        }
        Some(_) => false,
    }
}

fn marker(kind: &str, subject: &str, action: &str) -> ChangeMarker {
    ChangeMarker {
        kind: kind.to_owned(),
        subject: words::cut(subject, 120),
        action: action.to_owned(),
        before: None,
        after: None,
        source: SOURCE.to_owned(),
    }
}

#[cfg(test)]
mod tests;
