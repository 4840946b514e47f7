//! Whether anything is wrong, what, and since when.
//!
//! * `judged` reads the latest values of all metrics that take part, once per host and tick, and
//!   makes facts and problems of them.
//! * `titles` says a problem in a sentence, `culprit` names who is behind it and the command to copy.
//! * `presence` reports which areas of the first page there are.
//! * `blind` tells what of a PostgreSQL server is hidden from us, `findings` what stands out in logs.
//! * `verdict` adds what is wrong with the data themselves and says it in one sentence. Data
//!   that are old, missing or out of reach are unknown, never good.

pub(crate) mod blind;
mod command;
mod culprit;
mod data;
mod findings;
mod judged;
mod presence;
mod processes;
mod titles;
mod verdict;

pub(crate) use data::Context;
pub(crate) use judged::Judgements;
pub(crate) use processes::{LASTING_TICKS, lasting_states, state_severity};
pub(crate) use verdict::{compose, unreachable};

/// The one judged figure that is no series.
pub const HEARTBEAT_AGE: &str = "collector.heartbeat_age_secs";
/// An agent without a sign of life for this long is silent.
pub const SILENT_SECS: f64 = 30.0;
/// … and for this long, gone.
pub const DEAD_SECS: f64 = 60.0;
/// What to do about a silent agent.
pub const SILENT_FIX: &str = "See on the host whether it runs, and read its log.";
/// … and the command for it.
pub const SILENT_COMMAND: &str = "systemctl status pqcrypta-collector";
