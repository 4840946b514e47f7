//! Collectors: from the kernel's files to rows.
//!
//! * [`Collector`] is one source of rows; [`run_one`] is the only way to run one. It holds the
//!   deadline, measures, and adds a `collector_runs_raw` row saying how the run ended. A collector
//!   never logs its own failure.
//! * [`Host`] reads the machine as a whole, its interfaces and disks; [`Mounts`] its file systems;
//!   [`Processes`] every process. [`SelfUsage`] reads what this process uses, [`host_identity`]
//!   which machine this is.
//! * [`postgres`] asks database servers.
//! * [`Roots`] holds where `/proc` and `/sys` are, and [`Moment`] what time it is. Nothing here
//!   reads a wall clock or an absolute path of its own, so that a test gives a fixture tree and
//!   an instant and gets the same rows every time.
//!
//! Three rules hold everywhere. A figure the kernel does not give is `None`, never 0. Text from
//! the kernel is bytes: parsers are pure functions from bytes to a struct, they skip what they do
//! not understand and cannot panic. Elapsed time is measured with the monotonic clock, never
//! assumed to be the interval.

pub mod application;
mod error;
mod fields;
mod fnv;
mod host;
mod identity;
mod mounts;
pub mod postgres;
mod process;
mod read;
pub mod receiver;
mod roots;
mod run;
mod self_usage;

pub use error::CollectError;
pub use host::Host;
pub use identity::{HostIdentity, IdentityFiles, MachineIdSource, NoMachineId, host_identity};
pub use mounts::Mounts;
pub use process::Processes;
pub use roots::{Moment, Roots};
pub use run::{Collector, Outcome, RunReport, run_one};
pub use schema::RunOutcome;
pub use self_usage::{SelfReading, SelfUsage};

#[cfg(test)]
mod fixture_tests;
