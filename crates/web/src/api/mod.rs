//! One file per endpoint; the types of the answers are in [`wire`](crate::wire).

pub mod alerts;
pub mod events;
pub mod logs;
pub mod meta;
pub mod now;
mod params;
pub mod series;
pub mod snapshot;
pub mod table;
pub mod traffic;

pub use params::Params;
