//! The settings of every binary.
//!
//! A section of the TOML file is one struct in one file, declared once by a macro: field, type,
//! default, environment variable, accepted values, whether a change is applied while running, and
//! its words. Reading the file, the environment overlay, the checks, [`Loaded::effective`],
//! [`Reload`] and [`reference_markdown`] all follow from these declarations ([`Key`]). A section that
//! is written once for each of several things, as `[[postgres]]`, is a [`List`] of the same
//! declarations; a [`Slot`] is one key of one entry. A list in the file takes the place of the
//! default one as a whole.
//!
//! Order of precedence: default, file, environment. For the password of the database:
//! the systemd credential `db_password` (or `pqcrypta_db_password`), then the environment (`DB_PASS_FILE` or `DB_PASS`, not
//! both), then the file (`password_file` or `password`, not both). An empty variable counts as not
//! set.
//!
//! Invariants: a [`Config`] that was loaded has passed every check; a file is taken whole or not at
//! all; all faults are reported together, each with file, line, key and remedy ([`Fault`]); no fault,
//! warning or display of a setting holds a [`Secret`]. A bad file at start ends the program with
//! [`EXIT_CONFIG`]; at reload the settings in use stay ([`Watch`]).

mod analytics;
mod checks;
mod collector;
mod database;
mod draft;
mod environment;
mod faults;
mod field;
mod file;
mod health;
mod host;
mod intervals;
mod key;
mod load;
mod logs;
mod machine;
pub mod mapping;
mod monitor;
mod origin;
mod password;
mod pg_url;
mod postgres;
mod reference;
mod reload;
mod retention;
mod scrape;
mod secret;
mod section;
mod targets;
mod toml_file;
pub mod url;

pub use analytics::{
    Analytics, AnalyticsConsent, AnalyticsConsentDefault, AnalyticsFunnel, AnalyticsGoal,
    AnalyticsSite, AnalyticsTitle,
};
pub use collector::Collector;
pub use database::{Database, SslMode};
pub use draft::Loaded;
pub use environment::Environment;
pub use faults::{Fault, Faults, Place};
pub use file::Fingerprint;
pub use health::{
    CheckKind, CheckTarget, Health, HealthCheck, HealthRunner, RecordType, resolver_address,
};
pub use host::Host;
pub use intervals::Intervals;
pub use key::{Check, Key, Kind, Problem, Slot, Value};
pub use logs::{LogKind, LogParser, LogSource, Logs};
pub use machine::Machine;
pub use monitor::Monitor;
pub use origin::{Origin, Setting};
pub use pg_url::PgUrl;
pub use postgres::Postgres;
pub use reference::{KeyPage, SectionPage, reference, reference_markdown};
pub use reload::{Change, Polled, Reload, Watch};
pub use retention::Retention;
pub use scrape::{Format, Mapping, Scrape, ScrapeTarget, TargetKind};
pub use secret::Secret;
pub use section::{List, Section};
pub use url::HttpUrl;

/// Where the file is looked for when neither an argument nor `COLLECTOR_CONFIG` names one.
pub const DEFAULT_PATH: &str = "/etc/pqcrypta/collector.toml";

/// Variable that names the file.
pub const PATH_VARIABLE: &str = "COLLECTOR_CONFIG";

/// Exit status of a binary whose configuration is bad (`EX_CONFIG` of sysexits.h).
pub const EXIT_CONFIG: u8 = 78;

/// Every setting, checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// `[database]`.
    pub database: Database,
    /// `[host]`.
    pub host: Host,
    /// `[[postgres]]`; never empty, each with a name of its own.
    pub postgres: Vec<Postgres>,
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
    /// `[health]`.
    pub health: Health,
    /// `[monitor]`.
    pub monitor: Monitor,
    /// `[analytics]`.
    pub analytics: Analytics,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            database: Database::default(),
            host: Host::default(),
            postgres: vec![Postgres::store()],
            intervals: Intervals::default(),
            scrape: Scrape::default(),
            retention: Retention::default(),
            collector: Collector::default(),
            logs: Logs::default(),
            health: Health::default(),
            monitor: Monitor::default(),
            analytics: Analytics::default(),
        }
    }
}

impl Config {
    /// Returns every section that is there once, in the order of the reference.
    #[must_use]
    pub fn sections(&self) -> [&dyn Section; 10] {
        [
            &self.database,
            &self.host,
            &self.intervals,
            &self.scrape,
            &self.retention,
            &self.collector,
            &self.logs,
            &self.health,
            &self.monitor,
            &self.analytics,
        ]
    }

    fn sections_mut(&mut self) -> [&mut dyn Section; 10] {
        [
            &mut self.database,
            &mut self.host,
            &mut self.intervals,
            &mut self.scrape,
            &mut self.retention,
            &mut self.collector,
            &mut self.logs,
            &mut self.health,
            &mut self.monitor,
            &mut self.analytics,
        ]
    }

    /// Returns every list, in the order of the reference, where they follow the sections.
    #[must_use]
    pub fn lists(&self) -> [&dyn List; 8] {
        [
            &self.postgres,
            &self.scrape.target,
            &self.logs.source,
            &self.health.check,
            &self.analytics.site,
            &self.analytics.title,
            &self.analytics.goal,
            &self.analytics.funnel,
        ]
    }

    /// Returns the list of this name.
    pub(crate) fn list_mut(&mut self, name: &str) -> Option<&mut dyn List> {
        let lists: [&mut dyn List; 8] = [
            &mut self.postgres,
            &mut self.scrape.target,
            &mut self.logs.source,
            &mut self.health.check,
            &mut self.analytics.site,
            &mut self.analytics.title,
            &mut self.analytics.goal,
            &mut self.analytics.funnel,
        ];
        lists.into_iter().find(|list| list.blank().name() == name)
    }

    /// Returns every key of every section, then those of an entry of every list.
    pub fn keys() -> impl Iterator<Item = &'static Key> {
        let defaults = Self::default();
        let sections = defaults.sections().map(Section::keys);
        let lists = defaults.lists().map(|list| list.blank().keys());
        sections.into_iter().chain(lists).flatten()
    }

    /// Returns every key of every section and of every entry that there is.
    pub fn slots(&self) -> Vec<Slot> {
        let once = self.sections().into_iter().map(|section| (None, section));
        let listed = self
            .lists()
            .into_iter()
            .flat_map(|list| list.entries().into_iter().enumerate())
            .map(|(entry, section)| (Some(entry), section));
        once.chain(listed)
            .flat_map(|(entry, section)| section.keys().iter().map(move |key| Slot { key, entry }))
            .collect()
    }

    /// Returns the value in `slot`; nothing for an entry that is not there.
    #[must_use]
    pub fn get(&self, slot: impl Into<Slot>) -> Option<Value> {
        let Slot { key, entry } = slot.into();
        match entry {
            None => self
                .sections()
                .into_iter()
                .find(|section| section.name() == key.section)?
                .get(key.name),
            Some(entry) => self
                .lists()
                .into_iter()
                .find(|list| list.blank().name() == key.section)?
                .entries()
                .get(entry)?
                .get(key.name),
        }
    }

    /// Sets the value in `slot`; a value that is refused changes nothing.
    ///
    /// # Errors
    /// What is wrong with the value.
    pub fn set(&mut self, slot: impl Into<Slot>, value: Value) -> Result<(), Problem> {
        let Slot { key, entry } = slot.into();
        let section = match entry {
            None => self
                .sections_mut()
                .into_iter()
                .find(|section| section.name() == key.section),
            Some(entry) => self
                .list_mut(key.section)
                .and_then(|list| list.entry_mut(entry)),
        };
        match section {
            Some(section) => section.set(key.name, value),
            None => Err(Problem::new("is in no section", "remove it")),
        }
    }
}
