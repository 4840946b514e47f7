//! A figure, the only way to read it, and its evaluation.

use crate::{Capacity, Every, Scoring, Severity, TableDef, Unit, expr, tables};

/// The part of the system that a metric belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Domain {
    /// The host as a whole.
    System,
    /// Network interfaces.
    Network,
    /// Mounted file systems.
    Mount,
    /// Block devices.
    Disk,
    /// Processes, grouped by name.
    Process,
    /// One process.
    ProcessOne,
    /// The collector itself.
    Collector,
    /// A PostgreSQL server as a whole.
    Db,
    /// One database of a PostgreSQL server.
    Database,
    /// Tables.
    Table,
    /// Indexes.
    Index,
    /// Slots, standbys, subscriptions.
    Replication,
    /// Statements, and pg_stat_statements.
    Statement,
    /// What PostgreSQL reads and writes, by kind of process.
    Io,
    /// APIs.
    Api,
    /// Reverse proxies.
    Proxy,
    /// Scraped targets.
    Target,
    /// Health checks.
    Check,
    /// Visits of web sites.
    Traffic,
    /// Logs.
    Log,
}

impl Domain {
    /// Returns the part of a metric's identifier before the dot.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::System => "system",
            Self::Network => "network",
            Self::Mount => "mount",
            Self::Disk => "disk",
            Self::Process => "process",
            Self::ProcessOne => "process_one",
            Self::Collector => "collector",
            Self::Db => "db",
            Self::Database => "database",
            Self::Table => "table",
            Self::Index => "index",
            Self::Replication => "replication",
            Self::Statement => "statement",
            Self::Io => "io",
            Self::Api => "api",
            Self::Proxy => "proxy",
            Self::Target => "target",
            Self::Check => "check",
            Self::Traffic => "traffic",
            Self::Log => "log",
        }
    }

    /// Returns whether it is about services or logs, which a host may lack. Their metrics are evaluated at the sampling
    /// interval of services.
    #[must_use]
    pub const fn is_of_service(self) -> bool {
        match self {
            Self::System
            | Self::Network
            | Self::Mount
            | Self::Disk
            | Self::Process
            | Self::ProcessOne
            | Self::Collector => false,
            Self::Db
            | Self::Database
            | Self::Table
            | Self::Index
            | Self::Replication
            | Self::Statement
            | Self::Io
            | Self::Api
            | Self::Proxy
            | Self::Target
            | Self::Check
            | Self::Traffic
            | Self::Log => true,
        }
    }
}

/// How the rows of one instant and one key become one value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fold {
    /// Added up.
    Sum,
    /// The greatest.
    Max,
    /// The mean.
    Avg,
}

impl Fold {
    /// Returns the SQL aggregate.
    #[must_use]
    pub const fn sql(self) -> &'static str {
        match self {
            Self::Sum => "sum",
            Self::Max => "max",
            Self::Avg => "avg",
        }
    }
}

/// How a metric is read from its table. Expressions name columns of `table` and nothing else; they
/// come from this catalogue alone and never from a request.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Series {
    /// A level, read as stored.
    Level {
        /// The table.
        table: &'static TableDef,
        /// SQL over its columns giving `float8`.
        expr: &'static str,
        /// How several rows of one key and instant are combined.
        fold: Fold,
    },
    /// A counter, read as its rate: the positive steps between samples divided by the elapsed
    /// time. A step down is a reset and gives no value. Steps are taken per identity of the
    /// source, before keys are folded by adding. In a table of amounts each value is a step:
    /// it is divided by the seconds that the row covers, and a tick with rows of other keys only counts
    /// as 0.
    Steps {
        /// The table.
        table: &'static TableDef,
        /// SQL over its columns giving `float8`, a sum of Counter columns, or of Amount columns.
        expr: &'static str,
        /// Columns that identify a source of the counter, in addition to the key (`""`: none).
        identity: &'static str,
        /// Multiplies the rate, for instance 0.0001 to read microseconds per second as percent.
        scale: f64,
    },
    /// A quotient of two counters, read as the step of one divided by the step of the other: for the
    /// interval, never since the start. Over longer spans the steps are added up
    /// before they are divided, so that busy intervals weigh more. Steps are taken as above; in a
    /// table of amounts the amounts are the steps.
    Share {
        /// The table.
        table: &'static TableDef,
        /// SQL over its columns giving `float8`: the dividend.
        part: &'static str,
        /// SQL over its columns giving `float8`: the divisor. Without a step there is no value.
        whole: &'static str,
        /// Columns that identify a source of the counters, in addition to the key (`""`: none).
        identity: &'static str,
        /// Multiplies the quotient: 100 for percent.
        scale: f64,
        /// Least step of `whole` for an evaluation, so that a handful of events is not enough.
        least: f64,
    },
    /// A level inside a JSON array of objects, one series per element.
    Elements {
        /// The table.
        table: &'static TableDef,
        /// The `jsonb` column.
        column: &'static str,
        /// Columns of an element as a `jsonb_to_recordset` definition list.
        shape: &'static str,
        /// SQL over the element giving `float8`.
        expr: &'static str,
    },
}

impl Series {
    /// Returns the table this is read from.
    #[must_use]
    pub const fn table(&self) -> &'static TableDef {
        match self {
            Self::Level { table, .. }
            | Self::Steps { table, .. }
            | Self::Share { table, .. }
            | Self::Elements { table, .. } => table,
        }
    }
}

/// A table as metrics read it, with constructors for [`Series`]; each file of the catalogue has one.
#[derive(Clone, Copy, Debug)]
pub struct Source {
    table: &'static TableDef,
    identity: &'static str,
    fold: Fold,
}

impl Source {
    /// Returns a table whose key identifies its counters and whose levels are averaged.
    #[must_use]
    pub const fn new(table: &'static TableDef) -> Self {
        Self {
            table,
            identity: "",
            fold: Fold::Avg,
        }
    }

    /// Sets the columns that identify a source of a counter, in addition to the key.
    #[must_use]
    pub const fn identity(self, identity: &'static str) -> Self {
        Self { identity, ..self }
    }

    /// Sets how several levels of one key and instant are combined.
    #[must_use]
    pub const fn fold(self, fold: Fold) -> Self {
        Self { fold, ..self }
    }

    /// Reads a level.
    #[must_use]
    pub const fn level(self, expr: &'static str) -> Series {
        Series::Level {
            table: self.table,
            expr,
            fold: self.fold,
        }
    }

    /// Reads a counter as its rate per second.
    #[must_use]
    pub const fn rate(self, expr: &'static str) -> Series {
        self.rate_times(expr, 1.0)
    }

    /// Reads a counter as its rate in another unit: 3600 for per hour.
    #[must_use]
    pub const fn rate_times(self, expr: &'static str, scale: f64) -> Series {
        Series::Steps {
            table: self.table,
            expr,
            identity: self.identity,
            scale,
        }
    }

    /// Reads two counters as a share in percent; evaluated if the whole is at least `least`.
    #[must_use]
    pub const fn percent(self, part: &'static str, whole: &'static str, least: f64) -> Series {
        self.quotient(part, whole, 100.0, least)
    }

    /// Reads two counters as the mean of `part` per `whole`; evaluated if the whole is at least `least`.
    #[must_use]
    pub const fn mean(self, part: &'static str, whole: &'static str, least: f64) -> Series {
        self.quotient(part, whole, 1.0, least)
    }

    const fn quotient(
        self,
        part: &'static str,
        whole: &'static str,
        scale: f64,
        least: f64,
    ) -> Series {
        Series::Share {
            table: self.table,
            part,
            whole,
            identity: self.identity,
            scale,
            least,
        }
    }
}

/// Which direction is better.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Better {
    /// Less is better; thresholds are reached from below.
    Lower,
    /// More is better; thresholds are reached from above.
    Higher,
    /// Neither.
    Neither,
}

impl Better {
    /// Returns the name in the dashboard's API.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Lower => "lower",
            Self::Higher => "higher",
            Self::Neither => "neither",
        }
    }
}

/// The thresholds of a metric, in its unit. A value that equals a threshold has reached it.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Levels {
    /// Informational.
    pub info: Option<f64>,
    /// Degraded.
    pub warn: Option<f64>,
    /// Act now.
    pub critical: Option<f64>,
}

impl Levels {
    /// Returns a warning and a critical threshold.
    #[must_use]
    pub const fn new(warn: f64, critical: f64) -> Self {
        Self {
            info: None,
            warn: Some(warn),
            critical: Some(critical),
        }
    }

    /// Returns only a warning threshold.
    #[must_use]
    pub const fn warn(warn: f64) -> Self {
        Self {
            info: None,
            warn: Some(warn),
            critical: None,
        }
    }

    /// Returns only a critical threshold.
    #[must_use]
    pub const fn critical(critical: f64) -> Self {
        Self {
            info: None,
            warn: None,
            critical: Some(critical),
        }
    }

    /// Returns only an informational threshold.
    #[must_use]
    pub const fn info(info: f64) -> Self {
        Self {
            info: Some(info),
            warn: None,
            critical: None,
        }
    }

    /// Returns all three thresholds.
    #[must_use]
    pub const fn with_info(info: f64, warn: f64, critical: f64) -> Self {
        Self {
            info: Some(info),
            warn: Some(warn),
            critical: Some(critical),
        }
    }

    /// Returns the worst severity whose threshold `value` has reached, with that threshold.
    #[must_use]
    pub fn reached(&self, better: Better, value: f64) -> Option<(Severity, f64)> {
        let at = |level: Option<f64>| {
            level.filter(|level| match better {
                Better::Lower => value >= *level,
                Better::Higher => value <= *level,
                Better::Neither => false,
            })
        };
        at(self.critical)
            .map(|level| (Severity::Critical, level))
            .or_else(|| at(self.warn).map(|level| (Severity::Warn, level)))
            .or_else(|| at(self.info).map(|level| (Severity::Info, level)))
    }
}

/// One entry of the catalogue. Cards, tables, charts, tooltips, verdict and alerts derive from it.
#[derive(Clone, Copy, Debug)]
pub struct Metric {
    /// Its domain; with `name` its identifier `domain.name`.
    pub domain: Domain,
    /// Its name within the domain.
    pub name: &'static str,
    /// Label for users.
    pub label: &'static str,
    /// Its unit.
    pub unit: Unit,
    /// How it is read.
    pub series: Series,
    /// SQL for the key of a series; `None` for a single series.
    pub key: Option<&'static str>,
    /// Which direction is better.
    pub better: Better,
    /// Its thresholds, defined only here.
    pub levels: Option<Levels>,
    /// Seconds over which the latest value is averaged before it is evaluated, so that one sample
    /// does not raise a problem. 0: it is not part of the verdict.
    pub evaluated_over_secs: u32,
    /// For so many seconds a threshold must be reached before it is a problem; 0 for what is a mean over a
    /// window or grows by itself, as an age does.
    pub confirm_secs: u32,
    /// Whether it counts events that are a problem each: it stays one for as long as they are within the window.
    pub counts_events: bool,
    /// Whether its hours and days are kept where those of its table are. Not so where a key ends with what it names, as
    /// that of one process does.
    pub has_history: bool,
    /// Whether unusual values are looked for.
    pub scoring: Scoring,
    /// Its limit, where it has one.
    pub capacity: Capacity,
    /// Its description.
    pub what: &'static str,
    /// How it is computed, and the source of its thresholds.
    pub how: &'static str,
    /// The first step when it is bad.
    pub fix: &'static str,
}

/// Seconds to confirm unless a metric states others: three samples in a row at the default interval.
const CONFIRM_SECS: u32 = 20;
/// A value has left a threshold when it is better by this share of it; a value that wavers by less changes nothing.
const MARGIN: f64 = 0.05;

/// Metrics are equal if their identifiers are: thousands of series are told apart by it.
impl PartialEq for Metric {
    fn eq(&self, other: &Self) -> bool {
        std::ptr::eq(self, other) || (self.domain == other.domain && self.name == other.name)
    }
}

impl Metric {
    /// Returns the common part of the metrics of one file: no thresholds, neither direction better, and
    /// empty texts.
    #[must_use]
    pub const fn base(domain: Domain, source: Source, key: Option<&'static str>) -> Self {
        Self {
            domain,
            name: "",
            label: "",
            unit: Unit::None,
            series: source.level(""),
            key,
            better: Better::Neither,
            levels: None,
            evaluated_over_secs: 0,
            confirm_secs: CONFIRM_SECS,
            counts_events: false,
            has_history: true,
            scoring: Scoring::Unscored(Scoring::COMPANION),
            capacity: Capacity::Unbounded,
            what: "",
            how: "",
            fix: "",
        }
    }

    /// Returns `domain.name`.
    #[must_use]
    pub fn id(&self) -> String {
        format!("{}.{}", self.domain.as_str(), self.name)
    }

    /// Returns how often it gets a value: with the table, or more rarely when it reads columns that are
    /// filled only at slow ticks.
    #[must_use]
    pub fn every(&self) -> Every {
        let table = self.series.table();
        let read = match self.series {
            Series::Level { expr, .. } | Series::Steps { expr, .. } => expr,
            Series::Share { whole, .. } => whole,
            Series::Elements { column, .. } => column,
        };
        let is_slow = |column| tables::SLOW_COLUMNS.contains(&(table.name, column));
        if expr::columns(read).any(is_slow) {
            return Every::Slow;
        }
        table.every
    }

    /// Returns whether its hours and days are kept.
    #[must_use]
    pub const fn is_rolled_up(&self) -> bool {
        self.has_history && self.series.table().rollup
    }

    /// Returns whether its value is a mean over a window; others are evaluated by their newest sample.
    #[must_use]
    pub const fn is_windowed(&self) -> bool {
        matches!(self.series, Series::Steps { .. } | Series::Share { .. })
    }

    /// Returns whether a value that had reached a threshold is still too near to it to have left it.
    #[must_use]
    pub fn clings(&self, threshold: f64, value: f64) -> bool {
        let margin = MARGIN * threshold.abs();
        match self.better {
            Better::Lower => value > threshold - margin,
            // Of a share at most half of the way to 100 is left.
            Better::Higher if self.unit == Unit::Percent => {
                value < threshold + margin.min((100.0 - threshold) / 2.0)
            }
            Better::Higher => value < threshold + margin,
            Better::Neither => false,
        }
    }

    /// Returns the severity of a value and the threshold that makes it one, where it was `held` before: a threshold
    /// that was reached is left only by a margin. `None`: it reaches no threshold.
    #[must_use]
    pub fn reached_from(&self, value: f64, held: Option<Severity>) -> Option<(Severity, f64)> {
        let levels = self.levels?;
        let reached = levels.reached(self.better, value);
        let worse = [
            (Severity::Critical, levels.critical),
            (Severity::Warn, levels.warn),
            (Severity::Info, levels.info),
        ];
        let clung = worse.into_iter().find_map(|(severity, threshold)| {
            let threshold = threshold?;
            let is_held = held.is_some_and(|held| held >= severity);
            (is_held && self.clings(threshold, value)).then_some((severity, threshold))
        });
        match (reached, clung) {
            (Some(reached), Some(clung)) if clung.0 > reached.0 => Some(clung),
            (Some(reached), _) => Some(reached),
            (None, clung) => clung,
        }
    }

    /// Returns the severity of a value, `Unknown` for none. A metric without thresholds is always `Ok`.
    #[must_use]
    pub fn severity(&self, value: Option<f64>) -> Severity {
        let Some(value) = value else {
            return Severity::Unknown;
        };
        self.levels
            .and_then(|levels| levels.reached(self.better, value))
            .map_or(Severity::Ok, |(severity, _)| severity)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn metric(better: Better, unit: Unit, levels: Levels) -> Metric {
        Metric {
            unit,
            better,
            levels: Some(levels),
            ..Metric::base(Domain::System, Source::new(crate::tables::TABLES[0]), None)
        }
    }

    #[test]
    fn a_threshold_is_left_only_by_a_margin() {
        use Severity::{Critical, Warn};
        let used = metric(Better::Lower, Unit::Percent, Levels::new(70.0, 80.0));
        let hits = metric(Better::Higher, Unit::Percent, Levels::new(99.0, 95.0));
        let is_up = metric(Better::Higher, Unit::Bool, Levels::critical(0.0));
        let waiting = metric(Better::Lower, Unit::Count, Levels::new(1.0, 5.0));
        for (metric, held, value, expected) in [
            (&used, None, 69.0, None),
            (&used, None, 70.0, Some((Warn, 70.0))),
            (&used, Some(Warn), 67.0, Some((Warn, 70.0))),
            (&used, Some(Warn), 66.5, None),
            (&used, Some(Critical), 77.0, Some((Critical, 80.0))),
            (&used, Some(Critical), 75.0, Some((Warn, 70.0))),
            (&used, Some(Warn), 81.0, Some((Critical, 80.0))),
            (&hits, None, 99.2, None),
            (&hits, Some(Warn), 99.2, Some((Warn, 99.0))),
            (&hits, Some(Warn), 99.5, None),
            (&hits, Some(Critical), 96.0, Some((Critical, 95.0))),
            (&is_up, Some(Critical), 1.0, None),
            (&is_up, Some(Critical), 0.0, Some((Critical, 0.0))),
            (&waiting, Some(Warn), 0.0, None),
            (&waiting, Some(Critical), 4.0, Some((Warn, 1.0))),
        ] {
            assert_eq!(
                metric.reached_from(value, held),
                expected,
                "{held:?} {value}"
            );
        }
    }

    #[test]
    fn a_value_at_a_threshold_has_reached_it() {
        let levels = Levels::with_info(20.0, 50.0, 80.0);
        for (value, expected) in [
            (19.9, None),
            (20.0, Some((Severity::Info, 20.0))),
            (49.9, Some((Severity::Info, 20.0))),
            (50.0, Some((Severity::Warn, 50.0))),
            (80.0, Some((Severity::Critical, 80.0))),
        ] {
            assert_eq!(levels.reached(Better::Lower, value), expected, "{value}");
        }
        let higher = Levels::new(99.0, 95.0);
        assert_eq!(higher.reached(Better::Higher, 99.1), None);
        assert_eq!(
            higher.reached(Better::Higher, 99.0),
            Some((Severity::Warn, 99.0))
        );
        assert_eq!(
            higher.reached(Better::Higher, 95.0),
            Some((Severity::Critical, 95.0))
        );
    }
}
