//! What is wrong, since when, and what to do.
//!
//! From the bottom up:
//!
//! * A [`Rule`] is data: its domain, title and kind, and when a finding of it resolves.
//! * [`reconcile()`] is the only life cycle. It is given the rules, what is open and what was found: what is
//!   found is opened or refreshed, what has not been found for long enough is resolved.
//! * A judge ([`logs`]) reads what is stored up to an instant that is given, and finds ([`schema::Finding`]).
//!   Evaluating is pure: SQL fetches, Rust decides.
//! * [`rules`] lists the rules of every judge.
//!
//! A judge that fails changes nothing: what was open stays open until a run has looked at everything.

pub mod logs;
mod reconcile;
mod registry;
mod rule;
mod words;

pub use reconcile::reconcile;
pub use registry::{rule, rules};
pub use rule::Rule;
