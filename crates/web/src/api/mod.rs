//! One file per question; the structs are the shapes of the answers.

pub mod events;
pub mod logs;
pub mod meta;
pub mod now;
mod params;
pub mod series;
pub mod table;
mod unit;

pub use params::Params;
pub use unit::Unit;
