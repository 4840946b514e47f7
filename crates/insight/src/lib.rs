//! Findings: conditions that need attention, since when they hold, and the remedy.
//!
//! From the bottom up:
//!
//! * A [`Rule`] is data: its domain, title and kind, and the times of its life.
//! * [`Lifecycle`] is the only life cycle. It keeps the open findings, takes what a judge found, and returns the
//!   transitions: what is opened, confirmed, refreshed, resolved.
//! * A judge evaluates its rules at a given instant and returns findings ([`schema::Finding`]); [`logs`] reads what
//!   is stored. Evaluation is pure: SQL fetches, Rust decides.
//! * [`causes`] makes one problem of those that began together.
//! * [`rules`] lists the rules of every judge.
//! * [`live`] reads the metrics of the catalogue from the rows of the ticks, before they are stored.
//!
//! A judge that fails changes nothing: findings stay open until its rules are evaluated again.

pub mod baselines;
pub mod capacity;
pub mod causes;
pub mod changes;
pub mod checks;
pub mod connections;
pub mod delivery;
pub mod health;
pub mod io_pressure;
pub mod judge;
mod lifecycle;
pub mod live;
pub mod logs;
pub mod memory;
pub mod mounts;
pub mod normal;
pub mod processes;
mod quoting;
pub mod recommendations;
mod registry;
mod rule;
pub mod slos;
pub mod store_size;
pub mod storing;
pub mod thresholds;
mod tick;
pub mod vacuum;

pub use lifecycle::{Evaluation, Lifecycle};
pub use registry::{rule, rules};
pub use rule::{Life, NoData, Rule};
pub use tick::{Judged, TickJudges};
