//! Processes beyond a threshold, and the severity of process states.
//!
//! Stopped (T, t) is a warning. Uninterruptible sleep (D) and zombies (Z) are normal for an instant; in
//! each of the last three ticks they are critical: a process blocked on I/O, or a parent that does not
//! reap its children.

use std::collections::{HashMap, HashSet};

use schema::tables::ProcessSample;
use schema::{Cell, Metric, Sample, Severity, Timestamp};
use store::series::{self, ReadError};
use tokio_postgres::Client;

use crate::hosts::Host;
use crate::wire::now::Badge;
use words::round;

/// Number of consecutive ticks in which D and Z must be seen.
pub(crate) const LASTING_TICKS: usize = 3;

/// Returns the severity of a state letter; `lasting`: it was seen in each of the last ticks.
pub(crate) fn state_severity(state: &str, lasting: bool) -> Severity {
    match state {
        "T" | "t" => Severity::Warn,
        "D" | "Z" if lasting => Severity::Critical,
        _ => Severity::Ok,
    }
}

/// Returns the processes (`pid`, `start_ticks`) that were in the same state, D or Z, in each of the last
/// three ticks up to `at`.
pub(crate) async fn lasting_states(
    client: &Client,
    host_id: i32,
    at: Timestamp,
    interval: i64,
) -> Result<HashSet<(i64, i64)>, ReadError> {
    // Three ticks span two intervals; the additional half allows for late ticks.
    let from = Timestamp(at.as_micros() - interval * 5 / 2);
    let to = Timestamp(at.as_micros() + 1);
    let columns = ["pid", "start_ticks", "state"];
    let rows = series::rows(client, ProcessSample::TABLE, host_id, from, to, &columns).await?;
    let mut seen: HashMap<(i64, i64), [usize; 2]> = HashMap::new();
    for (_, cells) in rows {
        let [Cell::Int(pid), Cell::Int(start), Cell::Text(state)] = cells.as_slice() else {
            continue;
        };
        let which = match &**state {
            "D" => 0,
            "Z" => 1,
            _ => continue,
        };
        seen.entry((*pid, *start)).or_default()[which] += 1;
    }
    let lasting = |counts: &[usize; 2]| counts.iter().any(|count| *count >= LASTING_TICKS);
    Ok(seen
        .into_iter()
        .filter(|(_, counts)| lasting(counts))
        .map(|(process, _)| process)
        .collect())
}

/// The metrics by which processes are evaluated; each reads the column of its name.
const EVALUATED: [&str; 4] = [
    "process_one.cpu_pct",
    "process_one.rss_bytes",
    "process_one.fd_count",
    "process_one.thread_count",
];

/// Counts the processes of the newest sample that are at a warning or worse, as in the table of processes.
pub(super) async fn badge(client: &Client, host: &Host, at: Timestamp) -> Result<Badge, ReadError> {
    let evaluated: Vec<&'static Metric> = EVALUATED
        .iter()
        .filter_map(|id| schema::metric(id))
        .collect();
    let mut columns = vec!["pid", "start_ticks", "process_count", "state"];
    columns.extend(evaluated.iter().map(|metric| metric.name));
    let end = Timestamp(at.as_micros() + 1);
    let tick = series::tick(client, ProcessSample::TABLE, host.id, at, end, &columns).await?;
    let may_last = |row: &Vec<Cell>| matches!(row.get(3), Some(Cell::Text(state)) if matches!(&**state, "D" | "Z"));
    let lasting = if tick.rows.iter().any(may_last) {
        lasting_states(client, host.id, at, host.interval).await?
    } else {
        HashSet::new()
    };
    let mut badge = Badge::new(Severity::Ok, 0);
    for row in tick.rows {
        let [Cell::Int(pid), Cell::Int(start), count, state, values @ ..] = row.as_slice() else {
            continue;
        };
        // Thresholds apply to single processes, not to sums.
        if matches!(count, Cell::Int(count) if *count > 1) {
            continue;
        }
        let by_state = match state {
            Cell::Text(state) => state_severity(state, lasting.contains(&(*pid, *start))),
            _ => Severity::Ok,
        };
        let by_value = evaluated
            .iter()
            .zip(values)
            .map(|(metric, cell)| match number(cell) {
                Some(value) => metric.severity(Some(value)),
                None => Severity::Ok,
            });
        let severity = by_value.fold(by_state, Severity::max);
        if severity.is_problem() {
            badge.count += 1;
            badge.severity = badge.severity.max(severity);
        }
    }
    Ok(badge)
}

/// Returns a cell as the number that the table shows.
#[expect(clippy::cast_precision_loss, reason = "thresholds are far below 2^53")]
fn number(cell: &Cell) -> Option<f64> {
    match cell {
        Cell::Int(value) => Some(*value as f64),
        Cell::Float(value) => Some(round(*value)),
        _ => None,
    }
}
