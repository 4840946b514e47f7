//! Scans: the metrics that are read from the same rows in the same way, with the samples that their window needs.

use schema::expr::{Expr, ExprError, Shape};
use schema::{Cell, Every, Fold, Metric, Row, Series, TableDef};
use store::series::MAX_STEP_INTERVALS;

use super::elements::elements;
use super::history::History;
use super::slots::Slots;
use super::{Intervals, Window};

/// How the samples of a scan become values.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Kind {
    /// Levels; those of one key and instant are folded.
    Level(Fold),
    /// Steps of counters.
    Steps,
    /// Quotients of two counters' steps.
    Share,
    /// Amounts over the time they cover, which is the last value of a sample.
    Amounts,
    /// Quotients of two amounts.
    AmountShare,
    /// Levels of the elements of a JSON array.
    Elements { column: usize, shape: Shape },
}

impl Kind {
    pub(super) const fn is_share(&self) -> bool {
        matches!(self, Self::Share | Self::AmountShare)
    }

    pub(super) const fn has_steps(&self) -> bool {
        matches!(self, Self::Steps | Self::Share)
    }
}

/// A metric of a scan.
#[derive(Debug)]
pub(super) struct Figure {
    pub(super) metric: &'static Metric,
    value: Expr,
    /// The divisor of a quotient.
    whole: Option<Expr>,
    pub(super) scale: f64,
    /// Least step of the divisor for an evaluation.
    pub(super) least: f64,
}

/// What makes metrics read from the same rows in the same way.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Shared {
    table: &'static str,
    kind: Kind,
    every: Every,
    key: Option<&'static str>,
    identity: &'static str,
    window: Window,
}

impl Shared {
    pub(super) fn of(metric: &Metric, window: Window) -> Result<Self, ExprError> {
        let table = metric.series.table();
        let (kind, identity) = match metric.series {
            Series::Level { fold, .. } => (Kind::Level(fold), ""),
            Series::Steps { .. } if table.has_amounts() => (Kind::Amounts, ""),
            Series::Steps { identity, .. } => (Kind::Steps, identity),
            Series::Share { .. } if table.has_amounts() => (Kind::AmountShare, ""),
            Series::Share { identity, .. } => (Kind::Share, identity),
            Series::Elements { column, shape, .. } => {
                let shape = Shape::parse(shape)?;
                let column = position(table, column);
                (Kind::Elements { column, shape }, "")
            }
        };
        Ok(Self {
            table: table.name,
            kind,
            every: metric.every(),
            key: metric.key,
            identity,
            window,
        })
    }
}

impl Shared {
    pub(super) const fn table(&self) -> &'static str {
        self.table
    }

    pub(super) const fn kind(&self) -> &Kind {
        &self.kind
    }
}

/// Returns the position of a column; beyond the cells of a row, and so NULL, for one that is not declared.
fn position(table: &TableDef, name: &str) -> usize {
    let found = table.columns.iter().position(|column| column.name == name);
    found.unwrap_or(table.columns.len())
}

/// Metrics with their samples.
#[derive(Debug)]
pub(super) struct Scan {
    pub(super) shared: Shared,
    pub(super) figures: Vec<Figure>,
    /// Whether rows without any of the figures are not samples: they are filled more rarely than the table.
    pub(super) is_sparse: bool,
    key: Option<Expr>,
    identity: Vec<Expr>,
    /// The position of the seconds that amounts cover.
    covered: Option<usize>,
    /// Over how many microseconds values are averaged.
    pub(super) window: i64,
    /// How far before the window samples are needed, microseconds: the longest interval of a step.
    pub(super) margin: i64,
    /// How much longer samples are kept, because reading is a tick or two behind the newest row.
    slack: i64,
    pub(super) keys: Slots,
    /// Sources of counters, where a key has several, and the key of each.
    sources: Slots,
    owners: Vec<usize>,
    pub(super) history: History,
}

/// Buffers for one row.
#[derive(Debug, Default)]
pub(super) struct Buffers {
    key: String,
    values: Vec<f64>,
}

impl Scan {
    /// Returns the scan of one metric.
    pub(super) fn new(shared: Shared, metric: &'static Metric) -> Result<Self, ExprError> {
        let table = metric.series.table();
        let figure = Figure::new(&shared.kind, metric)?;
        let key = metric.key.map(|key| match &shared.kind {
            Kind::Elements { shape, .. } => Expr::text(key, shape),
            _ => Expr::text(key, table),
        });
        let amounts = shared.kind == Kind::Amounts;
        Ok(Self {
            is_sparse: shared.every != table.every,
            key: key.transpose()?,
            identity: Expr::texts(shared.identity, table)?,
            covered: amounts.then(|| position(table, "interval_secs")),
            window: 0,
            margin: 0,
            slack: 0,
            keys: Slots::default(),
            sources: Slots::default(),
            owners: Vec::new(),
            history: History::new(width(&shared.kind, 1)),
            figures: vec![figure],
            shared,
        })
    }

    /// Adds a metric that shares everything with the others. There are no samples yet.
    pub(super) fn add(&mut self, metric: &'static Metric) -> Result<(), ExprError> {
        let figure = Figure::new(&self.shared.kind, metric)?;
        self.figures.push(figure);
        self.history = History::new(width(&self.shared.kind, self.figures.len()));
        Ok(())
    }

    /// Sets how long samples are kept, for a sampling interval.
    pub(super) fn pace(&mut self, intervals: Intervals) {
        let interval = intervals.of(self.shared.window.is_of_service);
        let every = self.shared.every.micros(interval);
        self.window = self.shared.window.micros(intervals);
        self.margin = if self.shared.kind.has_steps() {
            every.saturating_mul(MAX_STEP_INTERVALS)
        } else {
            0
        };
        self.slack = every.saturating_mul(2);
    }

    /// Adds the samples of a row.
    pub(super) fn ingest(&mut self, row: &Row, buffers: &mut Buffers) {
        let at = row.ts.as_micros();
        if self.history.newest().is_none_or(|newest| newest < at) {
            // Samples that no window needs are removed even when nothing is read.
            self.expire(at, i64::MAX);
        }
        match self.elements(&row.cells) {
            Some(elements) => {
                for cells in elements {
                    self.sample(at, &cells, buffers);
                }
            }
            None => self.sample(at, &row.cells, buffers),
        }
    }

    /// Returns the elements of a row as rows; `None` where the row itself is the sample.
    fn elements(&self, cells: &[Cell]) -> Option<Vec<Vec<Cell>>> {
        let Kind::Elements { column, shape } = &self.shared.kind else {
            return None;
        };
        Some(match cells.get(*column) {
            Some(Cell::Json(document)) => elements(document, shape),
            _ => Vec::new(),
        })
    }

    fn sample(&mut self, at: i64, cells: &[Cell], buffers: &mut Buffers) {
        let Buffers { key, values } = buffers;
        key.clear();
        values.clear();
        for figure in &self.figures {
            let exprs = std::iter::once(&figure.value).chain(&figure.whole);
            values.extend(exprs.map(|expr| expr.float8(cells).unwrap_or(f64::NAN)));
        }
        if let Some(covered) = self.covered {
            let secs = match cells.get(covered) {
                Some(Cell::Float(secs)) => *secs,
                _ => f64::NAN,
            };
            values.push(secs);
        }
        let is_known = self.key.as_ref().is_some_and(|expr| expr.write(cells, key));
        let slot = self.keys.add(is_known.then_some(key.as_str()));
        let slot = if self.identity.is_empty() {
            slot
        } else {
            self.source(slot, cells, key)
        };
        self.history.add(at, slot, values);
    }

    /// Returns the number of a source. Its name begins with the key; no part contains NUL, as no cell does.
    fn source(&mut self, owner: usize, cells: &[Cell], name: &mut String) -> usize {
        for expr in &self.identity {
            let end = name.len();
            name.push_str("\0=");
            if !expr.write(cells, name) {
                name.truncate(end + 1);
            }
        }
        let source = self.sources.add(Some(name));
        if self.owners.len() <= source {
            self.owners.resize(source + 1, owner);
        }
        self.owners[source] = owner;
        source
    }

    /// Returns the key of whose sample it is.
    pub(super) fn owner(&self, slot: usize) -> usize {
        if self.identity.is_empty() {
            slot
        } else {
            self.owners[slot]
        }
    }

    /// Returns whether it has a single series.
    pub(super) const fn is_single(&self) -> bool {
        self.key.is_none()
    }

    /// Returns a number greater than that of every source.
    pub(super) fn sources_end(&self) -> usize {
        if self.identity.is_empty() {
            self.keys.end()
        } else {
            self.sources.end()
        }
    }

    /// Removes the samples that reading at `at` or a little earlier does not need, and those from `end` on.
    pub(super) fn expire(&mut self, at: i64, end: i64) {
        let kept = at.saturating_sub(self.reach())..end;
        let (keys, sources, owners) = (&mut self.keys, &mut self.sources, &self.owners);
        let has_sources = !self.identity.is_empty();
        self.history.expire(kept, |slot| {
            if has_sources {
                sources.remove(slot);
                keys.remove(owners[slot]);
            } else {
                keys.remove(slot);
            }
        });
        self.keys.sweep();
        self.sources.sweep();
    }

    /// Returns how long samples are kept, microseconds.
    pub(super) fn reach(&self) -> i64 {
        self.window
            .saturating_add(self.margin)
            .saturating_add(self.slack)
    }
}

/// Returns how many values a sample has.
fn width(kind: &Kind, figures: usize) -> usize {
    match kind {
        Kind::Level(_) | Kind::Steps | Kind::Elements { .. } => figures,
        Kind::Share | Kind::AmountShare => 2 * figures,
        Kind::Amounts => figures + 1,
    }
}

impl Figure {
    fn new(kind: &Kind, metric: &'static Metric) -> Result<Self, ExprError> {
        let table = metric.series.table();
        let number = |sql| match kind {
            Kind::Elements { shape, .. } => Expr::number(sql, shape),
            _ => Expr::number(sql, table),
        };
        let (value, whole, scale, least) = match metric.series {
            Series::Level { expr, .. } | Series::Elements { expr, .. } => (expr, None, 1.0, 0.0),
            Series::Steps { expr, scale, .. } => (expr, None, scale, 0.0),
            Series::Share {
                part,
                whole,
                scale,
                least,
                ..
            } => (part, Some(whole), scale, least),
        };
        Ok(Self {
            metric,
            value: number(value)?,
            whole: whole.map(number).transpose()?,
            scale,
            least,
        })
    }
}
