//! The severity of process states, by which the table of processes is coloured.
//!
//! Stopped (T, t) is a warning. Uninterruptible sleep (D) and zombies (Z) are normal for an instant; in
//! each of the last three ticks they are critical: a process blocked on I/O, or a parent that does not
//! reap its children.

use std::collections::{HashMap, HashSet};

use schema::tables::ProcessSample;
use schema::{Cell, Sample, Severity, Timestamp};
use store::series::{self, ReadError};
use tokio_postgres::Client;

/// Number of consecutive ticks in which D and Z must be seen.
pub(super) const LASTING_TICKS: usize = 3;

/// Returns the severity of a state letter; `lasting`: it was seen in each of the last ticks.
pub(super) fn state_severity(state: &str, lasting: bool) -> Severity {
    match state {
        "T" | "t" => Severity::Warn,
        "D" | "Z" if lasting => Severity::Critical,
        _ => Severity::Ok,
    }
}

/// Returns the processes (`pid`, `start_ticks`) that were in the same state, D or Z, in each of the last
/// three ticks up to `at`.
pub(super) async fn lasting_states(
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
