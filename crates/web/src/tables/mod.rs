//! Tables of the pages: one file declares one.
//!
//! A [`View`] declares the columns, their meaning and the filters, and names the reader of its rows. Search, filters, sorting, pages and CSV are the same for all
//! (`api::table`), as rows of one host at one instant are few enough to be handled here.
//!
//! Most tables of PostgreSQL and of applications are a statement whose columns are matched by
//! name ([`stored`]).

mod applications;
mod baselines;
mod buffers;
mod capacity;
mod changes;
mod checks;
mod collectors;
mod dead_letters;
mod disks;
mod finding_history;
mod findings;
pub(crate) mod fleet;
mod gaps;
mod health;
mod health_checks;
mod interfaces;
mod keyed;
mod logs;
mod mounts;
mod place;
mod postgres;
mod process_state;
mod processes;
mod recommendations;
mod relations;
mod replication;
mod rollups;
mod runs;
mod sessions;
mod settings;
mod slos;
mod statements;
mod store_sizes;
pub mod stored;
pub mod traffic;
mod visibility;

use futures_util::future::BoxFuture;
use schema::micros::HOUR;
use schema::{Severity, Timestamp};
use store::series::ReadError;
use tokio_postgres::Client;

use crate::hosts::Host;
use crate::wire::meta::{ColumnMeta, FilterMeta, FilterValue, TableMeta};
use crate::wire::{Cell, Unit};
use stored::Stored;

/// Every table.
pub const VIEWS: &[&View] = &[
    &fleet::VIEW,
    &processes::VIEW,
    &mounts::VIEW,
    &disks::VIEW,
    &interfaces::VIEW,
    &collectors::VIEW,
    &buffers::VIEW,
    &gaps::VIEW,
    &runs::VIEW,
    &dead_letters::VIEW,
    &rollups::VIEW,
    &store_sizes::VIEW,
    &settings::VIEW,
    &postgres::SERVERS,
    &postgres::DATABASES,
    &sessions::SESSIONS,
    &sessions::BLOCKING,
    &postgres::SETTINGS,
    &postgres::BLIND_SPOTS,
    &relations::TABLES,
    &relations::VACUUM_NEEDED,
    &relations::INDEXES,
    &relations::UNUSED_INDEXES,
    &statements::STATEMENTS,
    &statements::DETAIL,
    &statements::IO,
    &replication::REPLICATION,
    &replication::SUBSCRIPTIONS,
    &checks::VIEW,
    &applications::ENDPOINTS,
    &applications::FAILURES,
    &applications::TARGETS,
    &health_checks::VIEW,
    &findings::VIEW,
    &finding_history::VIEW,
    &slos::VIEW,
    &baselines::VIEW,
    &baselines::TRENDS,
    &health::VIEW,
    &capacity::VIEW,
    &recommendations::VIEW,
    &logs::SOURCES,
    &logs::PATTERNS,
    &logs::SECURITY,
    &changes::CHANGES,
    &traffic::PAGES,
    &traffic::ENTRIES,
    &traffic::EXITS,
    &traffic::ENGAGED,
    &traffic::SCROLL,
    &traffic::SOURCES,
    &traffic::CHANNELS,
    &traffic::REFERRERS,
    &traffic::CAMPAIGNS,
    &traffic::CAMPAIGN_SOURCES,
    &traffic::CAMPAIGN_MEDIUMS,
    &traffic::COUNTRIES,
    &traffic::ISPS,
    &traffic::LANGUAGES,
    &traffic::DEVICES,
    &traffic::WIDTHS,
    &traffic::BROWSERS,
    &traffic::CONSENT,
    &traffic::MISSING,
    &traffic::FLOW,
    &traffic::EVENTS,
    &traffic::PROPS,
    &traffic::GOALS,
    &traffic::FUNNELS,
];

/// Returns the table of this name.
#[must_use]
pub fn view(name: &str) -> Option<&'static View> {
    VIEWS.iter().find(|view| view.name == name).copied()
}

/// A column of a table.
#[derive(Clone, Copy, Debug)]
pub struct Col {
    /// As in `sort`; for stored columns also their name.
    pub id: &'static str,
    /// Its heading.
    pub label: &'static str,
    /// Its unit.
    pub unit: Unit,
    /// The metric its values belong to.
    pub metric: Option<&'static str>,
    /// What it is.
    pub what: &'static str,
    /// Whether it stays visible on a phone.
    pub primary: bool,
    /// Whether its values add up over rows.
    pub summed: bool,
}

impl Col {
    /// Returns a column.
    #[must_use]
    pub const fn new(
        id: &'static str,
        label: &'static str,
        unit: Unit,
        what: &'static str,
    ) -> Self {
        Self {
            id,
            label,
            unit,
            metric: None,
            what,
            primary: false,
            summed: false,
        }
    }

    /// Keeps the column visible on a phone.
    #[must_use]
    pub const fn primary(self) -> Self {
        Self {
            primary: true,
            ..self
        }
    }

    /// Sums the column over rows.
    #[must_use]
    pub const fn summed(self) -> Self {
        Self {
            summed: true,
            ..self
        }
    }

    /// Evaluates the column by the thresholds of a metric.
    #[must_use]
    pub const fn metric(self, metric: &'static str) -> Self {
        Self {
            metric: Some(metric),
            ..self
        }
    }

    /// Returns the severity of a value; `None` where it is not evaluated.
    #[must_use]
    pub fn severity_of(&self, cell: &Cell) -> Option<Severity> {
        let metric = schema::metric(self.metric?)?;
        metric.levels?;
        #[expect(clippy::cast_precision_loss, reason = "thresholds are far below 2^53")]
        let value = match cell {
            Cell::Int(value) => Some(*value as f64),
            Cell::Float(value) => Some(*value),
            Cell::Bool(value) => Some(f64::from(u8::from(*value))),
            Cell::Null | Cell::Text(_) => None,
        };
        value.map(|value| metric.severity(Some(value)))
    }
}

/// A filter of a table.
#[derive(Clone, Copy, Debug)]
pub struct Filter {
    /// As in `f.<id>`.
    pub id: &'static str,
    /// Its heading.
    pub label: &'static str,
    /// The values with their labels; empty: the values of the rows.
    pub values: &'static [(&'static str, &'static str)],
}

/// The value of a line for a filter, with its severity.
#[derive(Clone, Debug, PartialEq)]
pub struct Tag {
    /// The filter.
    pub filter: &'static str,
    /// The value.
    pub value: String,
    /// The severity.
    pub severity: Severity,
}

/// One row of a table.
#[derive(Clone, Debug, PartialEq)]
pub struct Line {
    /// Identifier, stable between answers.
    pub id: String,
    /// In the order of the columns.
    pub cells: Vec<Cell>,
    /// Of each cell.
    pub severities: Vec<Option<Severity>>,
    /// Its values for the filters.
    pub tags: Vec<Tag>,
}

impl Line {
    /// Returns a line whose cells are evaluated by the metrics of their columns.
    #[must_use]
    pub fn new(id: String, cells: Vec<Cell>, columns: &[Col]) -> Self {
        let severities = columns
            .iter()
            .zip(&cells)
            .map(|(column, cell)| column.severity_of(cell));
        Self {
            id,
            severities: severities.collect(),
            cells,
            tags: Vec::new(),
        }
    }

    /// Returns the worst severity of the cells.
    #[must_use]
    pub fn severity(&self) -> Severity {
        self.severities
            .iter()
            .flatten()
            .fold(Severity::Ok, |worst, severity| worst.max(*severity))
    }
}

/// The word for rows that are read from samples alone.
pub const RAW: &str = "raw";

/// The rows of a table.
#[derive(Clone, Debug, PartialEq)]
pub struct Lines {
    /// The sample they are of.
    pub at: Option<Timestamp>,
    /// The rows.
    pub lines: Vec<Line>,
    /// The coarsest of what they were read from, as the API has it.
    pub source: &'static str,
    /// Why rows are missing.
    pub note: String,
}

impl Default for Lines {
    fn default() -> Self {
        Self {
            at: None,
            lines: Vec::new(),
            source: RAW,
            note: String::new(),
        }
    }
}

/// Reads the rows of a table.
pub type Reader = for<'a> fn(&'a Reading<'a>) -> BoxFuture<'a, Result<Lines, ReadError>>;

/// Where the rows come from.
#[derive(Clone, Copy, Debug)]
pub enum Source {
    /// The newest sample before the instant.
    Sampled(Reader),
    /// The state at the instant, sampled or not.
    Current(Reader),
    /// A statement, of the newest sample.
    Stored(Stored),
    /// A question about the visits of a site, whatever the host.
    Traffic(traffic::Traffic),
    /// The state of all hosts, which is shared.
    Fleet,
}

/// A table.
#[derive(Debug)]
pub struct View {
    /// As in its address.
    pub name: &'static str,
    /// Its heading.
    pub title: &'static str,
    /// Columns, in the order of a row's cells.
    pub columns: &'static [Col],
    /// Filters.
    pub filters: &'static [Filter],
    /// `-rss_bytes`: descending.
    pub default_sort: &'static str,
    /// Whether it is of a range (`from`, `to`) rather than of an instant (`at`).
    pub ranged: bool,
    /// The sentence for an empty table.
    pub empty: &'static str,
    /// Prefixes of the families of statistics without which rows are missing.
    pub families: &'static [&'static str],
    /// Where the rows come from.
    pub source: Source,
}

/// The parameters of a source.
#[derive(Clone, Copy, Debug)]
pub struct Reading<'a> {
    /// A session.
    pub client: &'a Client,
    /// Whose rows.
    pub host: &'a Host,
    /// The rows of this instant, or of the newest sample before it.
    pub at: Timestamp,
    /// The rows of this range, where a table is of one: from, to (not included).
    pub range: (Timestamp, Timestamp),
    /// The line a table of details is about.
    pub row: Option<&'a str>,
}

/// The parameters of a table.
#[derive(Clone, Copy, Debug)]
pub struct Asked<'a> {
    /// The instant; by default that of the newest sample.
    pub at: Option<Timestamp>,
    /// The range.
    pub range: (Timestamp, Timestamp),
    /// The line.
    pub row: Option<&'a str>,
}

/// Greatest age of a sample that still represents an instant, microseconds.
const REACH: i64 = HOUR;

impl Reading<'_> {
    /// Returns the earliest instant of a sample that represents `at`.
    #[must_use]
    pub fn reach(&self) -> Timestamp {
        Timestamp(self.at.as_micros().saturating_sub(REACH))
    }

    /// Returns the end of the range up to `at`, not included.
    #[must_use]
    pub fn end(&self) -> Timestamp {
        Timestamp(self.at.as_micros().saturating_add(1))
    }
}

impl View {
    /// Reads the rows at `at`, by default at the newest sample.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn read(
        &self,
        client: &Client,
        host: &Host,
        asked: Asked<'_>,
        now: Timestamp,
    ) -> Result<Lines, ReadError> {
        let sampled = Reading {
            client,
            host,
            at: asked.at.or(host.newest).unwrap_or(now),
            range: asked.range,
            row: asked.row,
        };
        // Rows that are not samples are as of now.
        let current = Reading {
            at: asked.at.unwrap_or(now.max(sampled.at)),
            ..sampled
        };
        let (read, note) = tokio::join!(
            self.lines(&sampled, &current),
            visibility::note(client, host, sampled.at, self.families),
        );
        let mut lines = read?;
        if lines.note.is_empty() {
            lines.note = note?;
        }
        Ok(lines)
    }

    async fn lines(
        &self,
        sampled: &Reading<'_>,
        current: &Reading<'_>,
    ) -> Result<Lines, ReadError> {
        match self.source {
            Source::Sampled(read) => read(sampled).await,
            Source::Current(read) => read(current).await,
            Source::Stored(stored) => {
                stored::read(sampled, stored, self.columns, self.filters).await
            }
            // Read without a host: `api::table`.
            Source::Traffic(_) | Source::Fleet => Ok(Lines::default()),
        }
    }

    /// Returns the declaration as the API has it.
    #[must_use]
    pub fn meta(&self) -> TableMeta {
        TableMeta {
            name: self.name,
            title: self.title,
            columns: self
                .columns
                .iter()
                .map(|column| ColumnMeta {
                    id: column.id,
                    label: column.label,
                    unit: column.unit,
                    metric: column.metric,
                    primary: column.primary,
                })
                .collect(),
            filters: self
                .filters
                .iter()
                .map(|filter| FilterMeta {
                    id: filter.id,
                    label: filter.label,
                    values: filter
                        .values
                        .iter()
                        .map(|(id, label)| FilterValue { id, label })
                        .collect(),
                })
                .collect(),
            default_sort: self.default_sort,
            ranged: self.ranged,
            empty: self.empty,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn declarations_are_consistent() {
        let mut names = HashSet::new();
        for view in VIEWS {
            assert!(names.insert(view.name), "{} twice", view.name);
            let mut ids = HashSet::new();
            for column in view.columns {
                assert!(ids.insert(column.id), "{}.{} twice", view.name, column.id);
                assert!(!column.what.is_empty(), "{}.{}", view.name, column.id);
                if let Some(metric) = column.metric {
                    assert!(schema::metric(metric).is_some(), "{}: {metric}", view.name);
                }
            }
            let sort = view.default_sort.trim_start_matches('-');
            assert!(ids.contains(sort), "{}: {sort}", view.name);
            assert!(
                view.columns.iter().any(|column| column.primary),
                "{}",
                view.name
            );
            assert!(!view.empty.is_empty(), "{}", view.name);
        }
    }
}
