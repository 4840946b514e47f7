//! One file per question; [`wire`](crate::wire) has the shapes of the answers.

pub mod events;
pub mod logs;
pub mod meta;
pub mod now;
mod params;
pub mod series;
pub mod table;

pub use params::Params;
