//! The settings of every binary.

mod collector;
mod database;
mod field;
mod intervals;
mod key;
mod logs;
mod machine;
mod monitor;
mod retention;
mod scrape;
mod secret;
mod section;
pub mod url;

pub use collector::Collector;
pub use database::{Database, SslMode};
pub use intervals::Intervals;
pub use key::{Check, Key, Kind, Problem, Value};
pub use logs::Logs;
pub use monitor::Monitor;
pub use retention::Retention;
pub use scrape::Scrape;
pub use secret::Secret;
pub use section::Section;

/// Every setting, checked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Config {
    /// `[database]`.
    pub database: Database,
    /// `[intervals]`.
    pub intervals: Intervals,
    /// `[scrape]`.
    pub scrape: Scrape,
    /// `[retention]`.
    pub retention: Retention,
    /// `[collector]`.
    pub collector: Collector,
    /// `[logs]`.
    pub logs: Logs,
    /// `[monitor]`.
    pub monitor: Monitor,
}
