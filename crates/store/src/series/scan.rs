//! Scans: the metrics that one pass over a table reads.

use schema::{Every, Fold, Metric, Role, Series, TableDef};

/// How the rows of a scan become one value per instant and key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A level; `folded` when several rows can share instant and key.
    Level { folded: bool },
    /// Steps of a counter per `identity`.
    Steps { identity: &'static str },
    /// Quotients of two counters' steps per `identity`.
    Share { identity: &'static str },
    /// Amounts over the time they cover.
    Amounts,
    /// Quotients of two amounts.
    AmountShare,
    /// Elements of a JSON column.
    Elements {
        column: &'static str,
        shape: &'static str,
    },
}

/// Metrics that one scan answers.
#[derive(Clone, Debug)]
pub(crate) struct Scan {
    pub(crate) table: &'static TableDef,
    pub(crate) kind: Kind,
    /// How often the metrics get a value.
    pub(crate) every: Every,
    pub(crate) key: Option<&'static str>,
    pub(crate) metrics: Vec<&'static Metric>,
}

impl Scan {
    /// Returns the scan of one metric.
    pub(crate) fn of(metric: &'static Metric) -> Self {
        let table = metric.series.table();
        let kind = match metric.series {
            Series::Level { .. } => Kind::Level {
                folded: !identifies_row(table, metric.key),
            },
            Series::Steps { .. } if table.has_amounts() => Kind::Amounts,
            Series::Steps { identity, .. } => Kind::Steps { identity },
            Series::Share { .. } if table.has_amounts() => Kind::AmountShare,
            Series::Share { identity, .. } => Kind::Share { identity },
            Series::Elements { column, shape, .. } => Kind::Elements { column, shape },
        };
        Self {
            table,
            kind,
            every: metric.every(),
            key: metric.key,
            metrics: vec![metric],
        }
    }

    /// Returns whether a metric of `other` can be read by this scan.
    pub(crate) fn serves(&self, other: &Self) -> bool {
        self.table.name == other.table.name
            && self.kind == other.kind
            && self.every == other.every
            && self.key == other.key
    }

    /// Returns the position of a metric in this scan, which is added when new.
    pub(crate) fn add(&mut self, metric: &'static Metric) -> usize {
        let found = self.metrics.iter().position(|known| *known == metric);
        found.unwrap_or_else(|| {
            self.metrics.push(metric);
            self.metrics.len() - 1
        })
    }

    /// Returns the expression of a metric and its factor; for a quotient the dividend.
    pub(crate) fn expr(metric: &Metric) -> (&'static str, f64) {
        match metric.series {
            Series::Level { expr, .. } | Series::Elements { expr, .. } => (expr, 1.0),
            Series::Steps { expr, scale, .. } => (expr, scale),
            Series::Share { part, scale, .. } => (part, scale),
        }
    }

    /// Returns the divisor of a quotient, and its least step for an evaluation.
    pub(crate) fn whole(metric: &Metric) -> (&'static str, f64) {
        match metric.series {
            Series::Share { whole, least, .. } => (whole, least),
            Series::Level { .. } | Series::Steps { .. } | Series::Elements { .. } => ("1", 0.0),
        }
    }

    /// Returns SQL that holds for rows in which the metrics have a value, where not every tick gives one.
    pub(crate) fn filled(&self) -> String {
        if self.every == self.table.every {
            return String::new();
        }
        let exprs: Vec<&str> = self.metrics.iter().map(|one| Self::expr(one).0).collect();
        format!(" AND num_nonnulls({}) > 0", exprs.join(", "))
    }

    /// Returns the aggregate that combines several rows.
    pub(crate) fn fold(metric: &Metric) -> Fold {
        match metric.series {
            Series::Level { fold, .. } => fold,
            Series::Steps { .. } | Series::Share { .. } | Series::Elements { .. } => Fold::Sum,
        }
    }

    /// Returns the integer column that a key like `a || '.' || b` ends in: comparing it costs less than making the key.
    pub(crate) fn last_number(&self) -> Option<&'static str> {
        let (_, last) = self.key?.rsplit_once(" || '.' || ")?;
        let column = self.table.column(last)?;
        let is_integer = matches!(column.pg, schema::PgType::Int4 | schema::PgType::Int8);
        is_integer.then_some(last)
    }

    /// Returns the integer columns of a key like `a || '.' || b` is made of, so that an index on them serves.
    pub(crate) fn key_columns(&self) -> Option<Vec<&'static str>> {
        let parts: Vec<&'static str> = self.key?.split(" || '.' || ").collect();
        let integers = parts.iter().all(|name| {
            self.table.column(name).is_some_and(|column| {
                matches!(column.pg, schema::PgType::Int4 | schema::PgType::Int8)
            })
        });
        (parts.len() > 1 && integers).then_some(parts)
    }
}

/// Returns whether instant and key identify at most one row: the key contains every key column.
fn identifies_row(table: &TableDef, key: Option<&str>) -> bool {
    let words: Vec<&str> = key
        .unwrap_or_default()
        .split(|c: char| !c.is_ascii_alphanumeric() && c != '_')
        .collect();
    table
        .columns
        .iter()
        .filter(|column| column.role == Role::Key)
        .all(|column| words.contains(&column.name))
}

/// The location of each metric: the scan, and the position in it.
type Places = Vec<(usize, usize)>;

/// Groups metrics that can share a scan. Returns the scans, and for each metric its scan and its
/// position in it. Metrics with different `apart` do not share one.
pub(crate) fn group<K: PartialEq>(
    metrics: impl IntoIterator<Item = (&'static Metric, K)>,
) -> (Vec<(Scan, K)>, Places) {
    let mut scans: Vec<(Scan, K)> = Vec::new();
    let mut places = Vec::new();
    for (metric, apart) in metrics {
        let wanted = Scan::of(metric);
        let at = scans
            .iter()
            .position(|(scan, known)| scan.serves(&wanted) && *known == apart)
            .unwrap_or_else(|| {
                scans.push((wanted, apart));
                scans.len() - 1
            });
        let place = scans[at].0.add(metric);
        places.push((at, place));
    }
    (scans, places)
}
