//! The severity of process states, by which the table of processes is coloured.
//!
//! Stopped (T, t) is a warning. Uninterruptible sleep (D) and zombies (Z) are normal for an instant; in
//! each of the last three ticks they are critical: a process blocked on I/O, or a parent that does not
//! reap its children.

use std::collections::{HashMap, HashSet};

use schema::{Cell, Severity};

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

/// Returns how long the last three ticks take, microseconds: they span two intervals; the additional half allows for late ticks.
pub(super) const fn lasting_span(interval: i64) -> i64 {
    interval * 5 / 2
}

/// Returns the processes (`pid`, `start_ticks`) that were in the same state, D or Z, in each of the last
/// three ticks. Of each process and tick: `pid`, `start_ticks`, `state`.
pub(super) fn lasting_states<'a>(rows: impl Iterator<Item = [&'a Cell; 3]>) -> HashSet<(i64, i64)> {
    let mut seen: HashMap<(i64, i64), [usize; 2]> = HashMap::new();
    for cells in rows {
        let [Cell::Int(pid), Cell::Int(start), Cell::Text(state)] = cells else {
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
    seen.into_iter()
        .filter(|(_, counts)| lasting(counts))
        .map(|(process, _)| process)
        .collect()
}
