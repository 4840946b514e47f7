//! The types of the answers: every module may use them, and they use nothing of this crate but `number`.
//!
//! `tests/types.rs` generates the dashboard's types from these structs; `docs/API.md` describes them.

pub mod alerts;
mod cell;
pub mod error;
pub mod logs;
pub mod meta;
pub mod now;
pub mod series;
pub mod snapshot;
pub mod table;
pub mod traffic;
mod unit;

pub use cell::Cell;
pub use unit::Unit;
