//! The declaration of a stored table and the macro that derives it from a struct.

/// The PostgreSQL type of a stored column.
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
    /// Returns the name as in `information_schema.columns.data_type`.
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

/// The role of a column, which determines roll-up and series.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Identifies series: grouped by.
    Key,
    /// A level at the instant: averaged, with minimum and maximum.
    Gauge,
    /// A counter: read as the sum of its positive steps.
    Counter,
    /// The amount since the previous sample, without rows that are 0: added up.
    Amount,
    /// Descriptive text or JSON; never rolled up.
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
    /// A count.
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
    /// Text.
    Text,
    /// An instant.
    Time,
    /// No unit: identifiers.
    None,
}

impl Unit {
    /// Returns the name in the dashboard's API.
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

/// The class of a table: a full spool drops the lowest class first, oldest records first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Class {
    /// Many rows a tick, each of little value: processes.
    Bulk,
    /// The host and its services: a few rows a tick.
    Core,
    /// Events and gaps. Dropped last.
    Event,
}

impl Class {
    /// Every class, the least valuable first.
    pub const ALL: [Self; 3] = [Self::Bulk, Self::Core, Self::Event];

    /// Returns the name in the spool's folder, in `data_gaps` and in the API.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Bulk => "bulk",
            Self::Core => "core",
            Self::Event => "event",
        }
    }

    /// Parses what [`Class::as_str`] returns.
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
    /// Useful only at the moment: a day.
    Brief,
    /// As hourly roll-ups: `hourly_days`.
    Hourly,
    /// As daily roll-ups: `daily_days`.
    Long,
    /// Lines of logs: `log_days`.
    Lines,
    /// Events derived from lines of logs: `event_days`.
    Events,
    /// Views of pages of a web site: `raw_days` of the site.
    Views,
    /// Visits of a web site: `session_days` of the site.
    Visits,
    /// Sums of visits and views: `sum_days` of the site.
    VisitSums,
}

impl Keep {
    /// Every one.
    pub const ALL: [Self; 9] = [
        Self::Raw,
        Self::Brief,
        Self::Hourly,
        Self::Long,
        Self::Lines,
        Self::Events,
        Self::Views,
        Self::Visits,
        Self::VisitSums,
    ];

    /// Returns the name in the database: `collector.kept.keep`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Raw => "raw",
            Self::Brief => "brief",
            Self::Hourly => "hourly",
            Self::Long => "long",
            Self::Lines => "lines",
            Self::Events => "events",
            Self::Views => "views",
            Self::Visits => "visits",
            Self::VisitSums => "visit_sums",
        }
    }

    /// Parses what [`Keep::as_str`] returns.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|keep| keep.as_str() == name)
    }
}

/// How often a table is sampled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Every {
    /// With the sampling interval of the host.
    Tick,
    /// At the slow tick of PostgreSQL: every [`SLOW_SECS`] or more often.
    Slow,
}

/// The longest time between two slow ticks, seconds; also their default. Statistics read there change
/// slowly and cost the watched server milliseconds.
pub const SLOW_SECS: u32 = 300;

impl Every {
    /// Returns the greatest interval between two samples, microseconds, of a host that samples every `interval` microseconds.
    #[must_use]
    pub fn micros(self, interval: i64) -> i64 {
        match self {
            Self::Tick => interval,
            Self::Slow => interval.max(i64::from(SLOW_SECS) * 1_000_000),
        }
    }
}

/// One column of a stored table. `ts` and `host_id` precede the declared columns of every table
/// and are not declared.
#[derive(Debug, PartialEq)]
pub struct Column {
    /// Column, field and JSON key.
    pub name: &'static str,
    /// Type in PostgreSQL.
    pub pg: PgType,
    /// Whether NULL is admitted.
    pub nullable: bool,
    /// Its role.
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
    /// What a full spool drops first.
    pub class: Class,
    /// Whether it has hourly and daily roll-ups.
    pub rollup: bool,
    /// How long its rows are kept.
    pub keep: Keep,
    /// How often it is sampled.
    pub every: Every,
    /// Set where the declaration is of a view: see [`Samples`].
    pub samples: Option<Samples>,
    /// Set where closed days are stored as arrays: see [`Sealed`].
    pub sealed: Option<Sealed>,
    /// Lines of documentation.
    pub doc: &'static [&'static str],
}

/// The table of samples of a view that joins samples with what identifies their subject. In addition to the
/// declared columns, the view has columns that restrict it to few partitions and a part of an index:
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
    pub const WINDOW_SECS: u32 = 120;
}

/// Where the rows of closed days of a table are stored as arrays, one row for each series (host and key columns) and hour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sealed {
    /// Name of the table of arrays.
    pub table: &'static str,
    /// Name of the view of all rows, sealed or not. In addition to the declared columns it has `sample_hour`, which restricts
    /// it to few partitions: the start of the hour (UTC) of a row that is sealed, the instant of one that is not.
    pub all: &'static str,
}

impl TableDef {
    /// Returns the relation that rows are read from: another than that they are stored in where some of them are sealed.
    #[must_use]
    pub fn relation(&self) -> &'static str {
        self.sealed.map_or(self.name, |sealed| sealed.all)
    }

    /// Returns the table from which instants can be read without the columns: its own name, or that of the
    /// samples of a view.
    #[must_use]
    pub fn instants(&self) -> &'static str {
        self.samples.map_or(self.name, |samples| samples.table)
    }

    /// Returns whether its rows are amounts since the previous tick, over `interval_secs`, rather than
    /// totals.
    #[must_use]
    pub fn has_amounts(&self) -> bool {
        let is_amount = |column: &Column| column.role == Role::Amount;
        self.columns.iter().any(is_amount)
    }

    /// Returns the declared column of this name.
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
    (@sealed $table:literal) => { None };
    (@sealed $table:literal $is_sealed:literal) => {
        if $is_sealed {
            Some($crate::Sealed { table: concat!($table, "_sealed"), all: concat!($table, "_all") })
        } else {
            None
        }
    };
    (
        $(#[doc = $doc:expr])*
        pub struct $name:ident => $table:literal { class: $class:ident, rollup: $rollup:literal, keep: $keep:ident, every: $every:ident $(, view of: $samples:literal)? $(, sealed: $sealed:literal)?;
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
                sealed: $crate::metric_table!(@sealed $table $($sealed)?),
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
