//! Whether anything is wrong, what, and since when.
//!
//! The collector judges its host, its services and itself, and writes findings. What remains is what a collector cannot
//! know of itself: that its data are too old, that it is silent or was stopped, that the database does not answer.
//!
//! * `findings` makes problems of open findings, and lists those that ended recently.
//! * `evaluation` reads them with the latest values of all metrics that take part, once per host and tick.
//! * `presence` determines which areas the first page has.
//! * `fleet` sums up all hosts: the verdict on each from the same parts, without the latest values of its metrics.
//! * `data` has the age of the data and the state of the collector; `verdict` adds its problem and sums up in one sentence.
//!   Data that are old, missing or out of reach are unknown, never good.

mod data;
mod evaluation;
mod findings;
mod fleet;
mod presence;
mod verdict;

pub(crate) use data::Context;
pub(crate) use evaluation::Evaluations;
pub(crate) use fleet::{Fleet, Member, fleet};
pub(crate) use verdict::{compose, unreachable, unread};

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
