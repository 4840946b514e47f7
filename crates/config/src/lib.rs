//! The settings of every binary.
//!
//! A section of the TOML file is one struct in one file, declared once by a macro: field, type,
//! default, environment variable, accepted values, whether a change is applied while running, and
//! its words. Reading the file, the environment overlay, the checks, [`Loaded::effective`],
//! [`Reload`] and [`reference_markdown`] all follow from these declarations ([`Key`]).
//!
//! Order of precedence: default, file, environment. For the password of the database:
//! `$CREDENTIALS_DIRECTORY/db_password`, then the environment (`DB_PASS_FILE` or `DB_PASS`, not
//! both), then the file (`password_file` or `password`, not both). An empty variable counts as not
//! set.
//!
//! Invariants: a [`Config`] that was loaded has passed every check; a file is taken whole or not at
//! all; all faults are reported together, each with file, line, key and remedy ([`Fault`]); no fault,
//! warning or display of a setting holds a [`Secret`]. A bad file at start ends the program with
//! [`EXIT_CONFIG`]; at reload the settings in use stay ([`Watch`]).

mod checks;
mod collector;
mod database;
mod environment;
mod faults;
mod field;
mod file;
mod intervals;
mod key;
mod load;
mod logs;
mod machine;
mod monitor;
mod password;
mod reference;
mod reload;
mod retention;
mod scrape;
mod secret;
mod section;
mod toml_file;
pub mod url;

pub use collector::Collector;
pub use database::{Database, SslMode};
pub use environment::Environment;
pub use faults::{Fault, Faults, Place};
pub use file::Fingerprint;
pub use intervals::Intervals;
pub use key::{Check, Key, Kind, Problem, Value};
pub use load::{Loaded, Origin, Setting};
pub use logs::Logs;
pub use machine::Machine;
pub use monitor::Monitor;
pub use reference::reference_markdown;
pub use reload::{Change, Polled, Reload, Watch};
pub use retention::Retention;
pub use scrape::Scrape;
pub use secret::Secret;
pub use section::Section;
pub use url::HttpUrl;

/// Where the file is looked for when neither an argument nor `COLLECTOR_CONFIG` names one.
pub const DEFAULT_PATH: &str = "/etc/pqcrypta/collector.toml";

/// Variable that names the file.
pub const PATH_VARIABLE: &str = "COLLECTOR_CONFIG";

/// Exit status of a binary whose configuration is bad (`EX_CONFIG` of sysexits.h).
pub const EXIT_CONFIG: u8 = 78;

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

impl Config {
    /// Every section, in the order of the reference.
    #[must_use]
    pub fn sections(&self) -> [&dyn Section; 7] {
        [
            &self.database,
            &self.intervals,
            &self.scrape,
            &self.retention,
            &self.collector,
            &self.logs,
            &self.monitor,
        ]
    }

    fn sections_mut(&mut self) -> [&mut dyn Section; 7] {
        [
            &mut self.database,
            &mut self.intervals,
            &mut self.scrape,
            &mut self.retention,
            &mut self.collector,
            &mut self.logs,
            &mut self.monitor,
        ]
    }

    /// Every key of every section.
    pub fn keys() -> impl Iterator<Item = &'static Key> {
        Self::default()
            .sections()
            .map(Section::keys)
            .into_iter()
            .flatten()
    }

    /// The value of `key`.
    #[must_use]
    pub fn get(&self, key: &Key) -> Option<Value> {
        self.sections()
            .into_iter()
            .find(|section| section.name() == key.section)?
            .get(key.name)
    }

    /// Sets the value of `key`; a value that is refused changes nothing.
    ///
    /// # Errors
    /// What is wrong with the value.
    pub fn set(&mut self, key: &Key, value: Value) -> Result<(), Problem> {
        match self
            .sections_mut()
            .into_iter()
            .find(|section| section.name() == key.section)
        {
            Some(section) => section.set(key.name, value),
            None => Err(Problem::new("is in no section", "remove it")),
        }
    }
}
