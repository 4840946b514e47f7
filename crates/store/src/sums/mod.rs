//! Sums: what statements, endpoints and kinds of I/O add up to within a range, of any length and after their samples are gone.
//!
//! # Form
//!
//! A table of the dashboard has a line for each of them, and twice as many columns as there are metrics: whole numbers, by role and
//! version. So they are rows of their own tables, one per subject and hour, and the same of each day and month, because a year of days of
//! 500 statements would be 180,000 rows. What a row of an hour is, is the statement that makes it of samples (`*_samples.sql`); everything
//! else follows from the lists of columns here.
//!
//! A step of a counter belongs to the sample that it ends at, and begins in the hour before at the earliest. So an hour is the same whether it is
//! part of a long range or of a short one, and hours, days, months and samples add up.
//!
//! # When
//!
//! The job that rolls up hours makes their sums afterwards (`fill`), each hour in one transaction of one snapshot, which notes that the
//! version of the hour has them (`rollups.summed_version`). Rolling an hour up again makes another version. Whoever reads takes an hour
//! without it, or one that has changed since, from samples (`read`), so late rows count at once, and the answer is the same before, during
//! and after.

mod fill;
mod read;

pub(crate) use fill::fill;
pub use read::{Origin, Parts, parts};

/// How a column adds up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Add {
    /// The sum of whole numbers.
    Count,
    /// The sum of fractions.
    Real,
    /// The greatest.
    Most,
    /// True if one is.
    Any,
}

impl Add {
    fn sql(self, column: &str) -> String {
        match self {
            Self::Count => format!("sum({column})::int8"),
            Self::Real => format!("sum({column})"),
            Self::Most => format!("max({column})"),
            Self::Any => format!("bool_or({column})"),
        }
    }
}

/// One kind of sums.
#[derive(Debug)]
struct Sums {
    /// Its name, with which its tables begin.
    name: &'static str,
    /// The columns that name what is summed.
    keys: &'static str,
    /// The columns that are summed.
    columns: &'static [(&'static str, Add)],
    /// The statement that makes them of samples.
    samples: &'static str,
}

const ALL: [&Sums; 3] = [
    &Sums {
        name: "statement",
        keys: "instance, database, queryid, role, toplevel, major",
        columns: &[
            ("calls", Add::Count),
            ("rows", Add::Count),
            ("exec_ms", Add::Real),
            ("max_exec_ms", Add::Most),
            ("stddev_exec_ms", Add::Most),
            ("plan_ms", Add::Real),
            ("shared_blks_hit", Add::Count),
            ("shared_blks_read", Add::Count),
            ("temp_blks_read", Add::Count),
            ("temp_blks_written", Add::Count),
            ("blk_read_ms", Add::Real),
            ("blk_write_ms", Add::Real),
            ("wal_records", Add::Count),
            ("wal_bytes", Add::Count),
            ("jit_ms", Add::Real),
            ("last_seen", Add::Most),
            ("evicted", Add::Any),
        ],
        samples: include_str!("statement_samples.sql"),
    },
    &Sums {
        name: "endpoint",
        keys: "target, endpoint, status",
        columns: &[
            ("responses", Add::Count),
            ("last_seen", Add::Most),
            ("last_counted", Add::Most),
        ],
        samples: include_str!("endpoint_samples.sql"),
    },
    &Sums {
        name: "io",
        keys: "instance, backend_type, object, context",
        columns: &[
            ("reads", Add::Count),
            ("read_bytes", Add::Count),
            ("read_ms_total", Add::Real),
            ("writes", Add::Count),
            ("write_bytes", Add::Count),
            ("write_ms_total", Add::Real),
            ("extend_bytes", Add::Count),
            ("hits", Add::Count),
            ("evictions", Add::Count),
            ("reuses", Add::Count),
            ("fsyncs", Add::Count),
            ("fsync_ms_total", Add::Real),
        ],
        samples: include_str!("io_samples.sql"),
    },
];

impl Sums {
    /// Returns the names of what is summed.
    fn names(&self) -> String {
        let names: Vec<&str> = self.columns.iter().map(|(name, _)| *name).collect();
        names.join(", ")
    }

    /// Returns the columns, added up.
    fn added(&self) -> String {
        let sums: Vec<String> = self
            .columns
            .iter()
            .map(|(name, add)| add.sql(name))
            .collect();
        sums.join(", ")
    }

    /// Returns the statement that makes them of samples, between these instants: SQL giving `timestamptz`.
    fn of_samples(
        &self,
        from: &str,
        to: &str,
        hour: &str,
        early: &str,
        early_hour: &str,
    ) -> String {
        let text = crate::series::steps::expand(self.samples);
        [
            ("{from}", from),
            ("{to}", to),
            ("{hour}", hour),
            ("{early}", early),
            ("{early_hour}", early_hour),
        ]
        .iter()
        .fold(text.into_owned(), |text, (name, value)| {
            text.replace(name, value)
        })
    }
}
