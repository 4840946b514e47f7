//! Whether anything is wrong, what, and since when.
//!
//! * `judged` reads the latest values of all metrics that take part, once per host and tick, and
//!   makes facts and problems of them.
//! * `areas` sorts metrics into the areas of the first page, `presence` tells which of them there are.
//! * `blind` tells what of a PostgreSQL server is hidden from us, `findings` what stands out in logs.
//! * `verdict` adds what is wrong with the data themselves and says it in one sentence. Data
//!   that are old, missing or out of reach are unknown, never good.

mod areas;
pub(crate) mod blind;
mod data;
mod findings;
mod judged;
mod presence;
mod processes;
mod verdict;

pub use areas::{AREAS, AreaDef, Impact, Kinds, area_of, impact_of, of_service, view_of};
pub(crate) use judged::{Judgements, judged};
pub(crate) use processes::{LASTING_TICKS, lasting_states, state_severity};
pub(crate) use verdict::{compose, unreachable};

/// The one judged figure that is no series.
pub const HEARTBEAT_AGE: &str = "collector.heartbeat_age_secs";
/// An agent without a sign of life for this long is silent.
pub const SILENT_SECS: f64 = 30.0;
/// … and for this long, gone.
pub const DEAD_SECS: f64 = 60.0;
/// What to do about a silent agent.
pub const SILENT_FIX: &str = "On the host: systemctl status pqcrypta-collector, then its log.";
