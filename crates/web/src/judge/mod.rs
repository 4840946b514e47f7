//! Whether anything is wrong, what, and since when.
//!
//! * `evaluation` reads the latest values of all metrics that take part, once per host and tick, and
//!   makes facts and problems of them.
//! * `titles` describes a problem in a sentence, `culprit` names its cause and the command to copy.
//! * `presence` determines which areas the first page has.
//! * `visibility` reports statistics of PostgreSQL that cannot be read, `findings` what is unusual in logs.
//! * `verdict` adds problems of the data themselves and sums up in one sentence. Data
//!   that are old, missing or out of reach are unknown, never good.

mod command;
mod culprit;
mod data;
mod evaluation;
mod findings;
mod presence;
mod processes;
mod titles;
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
