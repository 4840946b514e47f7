//! What is wrong, since when, and what to do.
//!
//! * A [`Rule`] says of what, how grave and for how long it is said; [`rules`] gives every one.
//! * A judge reads what is stored up to an instant that is given, and finds ([`schema::Finding`]).
//!   Judging itself is pure: SQL fetches, Rust decides. [`logs`] judges what logs tell.
//! * [`reconcile`] is the only life cycle: what is found is opened or seen again, what has not been
//!   found for as long as its rule holds is over.
//!
//! A judge that fails changes nothing: what was open stays open until a pass has really looked.

pub mod logs;
mod reconcile;
mod rule;
mod words;

pub use reconcile::reconcile;
pub use rule::{Rule, rule, rules};
