//! One file per endpoint; the types of the answers are in [`wire`](crate::wire).

pub mod alerts;
pub mod events;
pub mod logs;
mod marks;
pub mod meta;
pub mod now;
mod params;
pub mod series;
pub mod table;

pub use params::Params;
