//! Whether anything is wrong, what, and since when.
//!
//! Thresholds and logs are judged by the collector, which writes findings. What remains is what a collector cannot
//! know of itself: that its data are too old, that it is silent or was stopped, that the database does not answer.
//!
//! * `findings` makes problems of open findings, and lists those that ended recently.
//! * `evaluation` reads them with the latest values of all metrics that take part, once per host and tick.
//! * `presence` determines which areas the first page has.
//! * `visibility` reports statistics of PostgreSQL that cannot be read.
//! * `processes` has the severity of process states.
//! * `data` has the problems of the data themselves; `verdict` adds them and sums up in one sentence. Data
//!   that are old, missing or out of reach are unknown, never good.

mod data;
mod evaluation;
mod findings;
mod presence;
mod processes;
mod verdict;
pub(crate) mod visibility;

pub(crate) use data::Context;
pub(crate) use evaluation::Evaluations;
pub(crate) use processes::{LASTING_TICKS, lasting_states, state_severity};
pub(crate) use verdict::{compose, unreachable};

/// The only evaluated figure that is not a series.
pub const HEARTBEAT_AGE: &str = "collector.heartbeat_age_secs";
/// Without a heartbeat for this long, an agent is silent …
pub const SILENT_SECS: f64 = 30.0;
/// … and for this long, critical.
pub const DEAD_SECS: f64 = 60.0;
/// What to do about a silent agent.
pub const SILENT_FIX: &str = "See on the host whether it runs, and read its log.";
/// … and the command for it.
pub const SILENT_COMMAND: &str = "systemctl status pqcrypta-collector";
