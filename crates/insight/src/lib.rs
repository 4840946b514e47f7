//! Findings: conditions that need attention, since when they hold, and the remedy.
//!
//! From the bottom up:
//!
//! * A [`Rule`] is data: its domain, title and kind, and when a finding of it resolves.
//! * [`reconcile()`] is the only life cycle. It takes the rules, the open findings and those of a run:
//!   these are opened or refreshed, findings that have not been found for long enough are resolved.
//! * A judge ([`logs`]) reads stored data up to a given instant and returns findings ([`schema::Finding`]).
//!   Evaluation is pure: SQL fetches, Rust decides.
//! * [`rules`] lists the rules of every judge.
//! * [`live`] reads the metrics of the catalogue from the rows of the ticks, before they are stored.
//!
//! A judge that fails changes nothing: findings stay open until a run has evaluated everything.

pub mod live;
pub mod logs;
mod reconcile;
mod registry;
mod rule;
mod words;

pub use reconcile::reconcile;
pub use registry::{rule, rules};
pub use rule::Rule;
