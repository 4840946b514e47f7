//! The declaration of a stored table and the macro that derives it from a struct.

/// How a stored column is typed in PostgreSQL.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PgType {
    /// `double precision`
    Float8,
    /// `bigint`
    Int8,
    /// `integer`
    Int4,
    /// `boolean`
    Bool,
    /// `text`
    Text,
    /// `jsonb`
    Jsonb,
    /// `timestamp with time zone`
    Timestamptz,
}

impl PgType {
    /// The name as `information_schema.columns.data_type` spells it.
    #[must_use]
    pub const fn sql(self) -> &'static str {
        match self {
            Self::Float8 => "double precision",
            Self::Int8 => "bigint",
            Self::Int4 => "integer",
            Self::Bool => "boolean",
            Self::Text => "text",
            Self::Jsonb => "jsonb",
            Self::Timestamptz => "timestamp with time zone",
        }
    }
}

/// What a column is for; roll-up and series follow from it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Tells series apart: grouped by.
    Key,
    /// A level at the instant: averaged, with its extremes.
    Gauge,
    /// Only ever grows until it is reset: read as the sum of its positive steps.
    Counter,
    /// What happened since the sample before, rows that are 0 left out: added up.
    Amount,
    /// Text or JSON that explains; never rolled up.
    Detail,
}

/// The unit of a column or metric.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// 0 to 100, or beyond where several cores count.
    Percent,
    /// Bytes.
    Bytes,
    /// Bytes per second.
    BytesPerSec,
    /// Events per second.
    PerSec,
    /// A number of things.
    Count,
    /// Milliseconds.
    Ms,
    /// Microseconds; kernel counters of stall time.
    Us,
    /// Seconds.
    Secs,
    /// A quotient around 1.
    Ratio,
    /// Yes or no.
    Bool,
    /// Words.
    Text,
    /// An instant.
    Time,
    /// No unit: identifiers.
    None,
}

impl Unit {
    /// The name used in the dashboard's API.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Percent => "percent",
            Self::Bytes => "bytes",
            Self::BytesPerSec => "bytes_per_sec",
            Self::PerSec => "per_sec",
            Self::Count => "count",
            Self::Ms => "ms",
            Self::Us => "us",
            Self::Secs => "secs",
            Self::Ratio => "ratio",
            Self::Bool => "bool",
            Self::Text | Self::None => "text",
            Self::Time => "time_ms",
        }
    }
}

/// What is given up first when the spool is full: the lowest class, oldest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Class {
    /// Many rows a tick, each of little value alone: processes.
    Bulk,
    /// The host and its services: a few rows a tick.
    Core,
    /// What happened: gaps, events. Given up last.
    Event,
}

impl Class {
    /// Every class, the least valuable first.
    pub const ALL: [Self; 3] = [Self::Bulk, Self::Core, Self::Event];

    /// The name in the spool's folder, in `data_gaps` and in the API.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Bulk => "bulk",
            Self::Core => "core",
            Self::Event => "event",
        }
    }

    /// The class of this name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|class| class.as_str() == name)
    }
}

/// How long the raw rows of a table are kept; the days come from section `[retention]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keep {
    /// As raw samples: `raw_days`.
    Raw,
    /// Proof of the moment only: two days.
    Brief,
    /// As hourly roll-ups: `hourly_days`.
    Hourly,
    /// As daily roll-ups: `daily_days`.
    Long,
    /// Lines of logs: `log_days`.
    Lines,
    /// What lines of logs told: `event_days`.
    Events,
}

/// How often a table is sampled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Every {
    /// With the sampling interval of the host.
    Tick,
    /// At the slow tick of PostgreSQL: every [`SLOW_SECS`] or more often.
    Slow,
}

/// The longest time between two slow ticks, seconds; also their default. What is read there changes
/// slowly and costs the watched server milliseconds.
pub const SLOW_SECS: u32 = 300;

impl Every {
    /// Most microseconds between two samples of a host that samples every `interval` microseconds.
    #[must_use]
    pub fn micros(self, interval: i64) -> i64 {
        match self {
            Self::Tick => interval,
            Self::Slow => interval.max(i64::from(SLOW_SECS) * 1_000_000),
        }
    }
}

/// One column of a stored table. `ts` and `host_id` stand before the declared columns of every
/// table and are not declared.
#[derive(Debug, PartialEq)]
pub struct Column {
    /// Column, field and JSON key.
    pub name: &'static str,
    /// Type in PostgreSQL.
    pub pg: PgType,
    /// Whether NULL is admitted.
    pub nullable: bool,
    /// What it is for.
    pub role: Role,
    /// Its unit.
    pub unit: Unit,
    /// Lines of documentation: source, unit, what NULL means, when it resets.
    pub doc: &'static [&'static str],
}

/// One declaration of a stored table of schema `collector`, partitioned by day on `ts`.
#[derive(Debug, PartialEq)]
pub struct TableDef {
    /// Name within schema `collector`.
    pub name: &'static str,
    /// Declared columns, in the order of a row's cells.
    pub columns: &'static [Column],
    /// What is given up first when the spool is full.
    pub class: Class,
    /// Whether hourly and daily roll-ups are made of it.
    pub rollup: bool,
    /// How long its rows are kept.
    pub keep: Keep,
    /// How often it is sampled.
    pub every: Every,
    /// Set where the declaration is of a view: see [`Samples`].
    pub samples: Option<Samples>,
    /// Lines of documentation.
    pub doc: &'static [&'static str],
}

/// The table behind a view that joins samples with what identifies their subject. The view shows, beside
/// the declared columns, what restricts it to few partitions and to a part of an index:
///
/// * `identity_day`: the start of the day (UTC) that the sample lies in;
/// * `sample_window`: the start of the [`Samples::WINDOW_SECS`] that the sample lies in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Samples {
    /// Name of the table that has one row for each row of the view, with `ts` and `host_id`.
    pub table: &'static str,
}

impl Samples {
    /// Length of a window, seconds.
    pub const WINDOW_SECS: u32 = 900;
}

impl TableDef {
    /// The table from which instants can be read without the columns: its own name, or that of the
    /// samples of a view.
    #[must_use]
    pub fn instants(&self) -> &'static str {
        self.samples.map_or(self.name, |samples| samples.table)
    }

    /// Whether its rows tell what happened since the tick before, over `interval_secs`, rather than
    /// since the source began.
    #[must_use]
    pub fn has_amounts(&self) -> bool {
        let is_amount = |column: &Column| column.role == Role::Amount;
        self.columns.iter().any(is_amount)
    }

    /// The declared column of this name.
    #[must_use]
    pub fn column(&self, name: &str) -> Option<&'static Column> {
        self.columns.iter().find(|column| column.name == name)
    }
}

/// Declares a stored table from the struct a collector fills.
///
/// ```
/// schema::metric_table! {
///     /// One row per probe. Source: nowhere.
///     pub struct ProbeSample => "probe_metrics_raw" { class: Core, rollup: true, keep: Raw, every: Tick;
///         /// Which probe.
///         probe: String [Key None],
///         /// Time taken; `None` when it did not answer.
///         took_ms: Option<f64> [Gauge Ms],
///     }
/// }
/// use schema::Sample;
/// assert_eq!(ProbeSample::TABLE.columns[1].name, "took_ms");
/// ```
#[macro_export]
macro_rules! metric_table {
    (@samples) => { None };
    (@samples $table:literal) => { Some($crate::Samples { table: $table }) };
    (
        $(#[doc = $doc:expr])*
        pub struct $name:ident => $table:literal { class: $class:ident, rollup: $rollup:literal, keep: $keep:ident, every: $every:ident $(, view of: $samples:literal)?;
            $( $(#[doc = $fdoc:expr])* $field:ident : $ty:ty [$role:ident $unit:ident] ),+ $(,)?
        }
    ) => {
        $(#[doc = $doc])*
        #[derive(Clone, Debug, Default, PartialEq)]
        pub struct $name { $( $(#[doc = $fdoc])* pub $field: $ty ),+ }

        impl $crate::Sample for $name {
            const TABLE: &'static $crate::TableDef = &$crate::TableDef {
                name: $table,
                class: $crate::Class::$class,
                rollup: $rollup,
                keep: $crate::Keep::$keep,
                every: $crate::Every::$every,
                samples: $crate::metric_table!(@samples $($samples)?),
                doc: &[$($doc),*],
                columns: &[$( $crate::Column {
                    name: stringify!($field),
                    pg: <$ty as $crate::CellType>::PG,
                    nullable: <$ty as $crate::CellType>::NULLABLE,
                    role: $crate::Role::$role,
                    unit: $crate::Unit::$unit,
                    doc: &[$($fdoc),*],
                } ),+],
            };

            fn into_cells(self) -> Box<[$crate::Cell]> {
                Box::new([$( <$ty as $crate::CellType>::into_cell(self.$field) ),+])
            }
        }
    };
}
