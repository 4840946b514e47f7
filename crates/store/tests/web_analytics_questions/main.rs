//! Questions about visits: a figure is what a plain query finds, from sums and from rows, with filters and without.
#![allow(clippy::unwrap_used, reason = "a test may fail")]

mod asking;
mod figures;
#[path = "../visit_support/mod.rs"]
mod visit_support;
mod visits;
