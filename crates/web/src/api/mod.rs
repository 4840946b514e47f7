//! One file per question; the structs are the shapes of the answers.

pub mod events;
pub mod logs;
pub mod meta;
pub mod now;
mod params;
pub mod series;
mod severity;
pub mod table;

pub use params::Params;
pub use severity::{Severity, Unit};
