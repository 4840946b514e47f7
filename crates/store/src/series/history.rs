//! Reading partials: statements over hours and days that are rolled up, and over samples where they are not.
//!
//! The statements differ from those over samples in what is reduced to buckets: `partials` gives `ts, k, lo0, hi0,
//! avg0, w0 …` from each [`Piece`] of the range, and `reduce` of `partials.rs` makes buckets of them.

use std::fmt::Write as _;

use schema::micros::{DAY, HOUR};
use schema::{Metric, Timestamp};
use tokio_postgres::Client;

use super::buckets::{RangeQuery, prefix_sql, ranks, within};
use super::pieces::{Form, Piece, RolledUp, hour_of, reach};
use super::scan::{Kind, Scan};
use super::slices::{self, Kept, SLICE, is_sliced};
use super::sql::{Param, Source, Span, Statement, secs};
use super::{ReadError, partials};

/// The metrics of stored arrays, by layout.
#[derive(Clone, Debug, Default)]
pub(super) struct Layouts(Vec<(i32, Vec<String>)>);

impl Layouts {
    /// Reads the layouts of a host that have any of these metrics.
    pub(super) async fn read(
        client: &Client,
        host_id: i32,
        metrics: Vec<String>,
    ) -> Result<Self, ReadError> {
        const WHAT: &str = "rollup_layouts";
        let mut sql = Statement::default();
        let host = sql.bind(Param::Int4(host_id));
        let metrics = sql.bind(Param::Texts(metrics));
        sql.text = format!(
            "SELECT layout, metrics FROM collector.rollup_layouts WHERE host_id = {host} AND metrics && {metrics}"
        );
        let rows = sql.query(client, WHAT).await?;
        let layouts = rows
            .iter()
            .map(|row| Ok((row.try_get(0)?, row.try_get(1)?)));
        let layouts = layouts.collect::<Result<_, _>>();
        layouts
            .map(Self)
            .map_err(|source| ReadError::new(WHAT, source))
    }

    /// Returns the layouts that have any of these metrics, with the position of each.
    pub(super) fn with<'a>(
        &'a self,
        metrics: &'a [&Metric],
    ) -> impl Iterator<Item = (i32, Vec<Option<usize>>)> + 'a {
        self.0.iter().filter_map(|(layout, names)| {
            let place = |metric: &&Metric| {
                let id = metric.id();
                names.iter().position(|name| *name == id)
            };
            let places: Vec<Option<usize>> = metrics.iter().map(place).collect();
            places
                .iter()
                .any(Option::is_some)
                .then_some((*layout, places))
        })
    }
}

/// Roll-ups that answer a query.
#[derive(Clone, Debug)]
pub(super) struct History {
    rolled_up: RolledUp,
    layouts: Layouts,
    reach: i64,
    grain: Grain,
}

/// Of what buckets consist.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Grain {
    /// Of samples; only the highest values are found in hours.
    Samples,
    Slices,
    Hours,
    Days,
}

/// Returns whether buckets of this width can be read from roll-ups.
#[must_use]
pub const fn is_of_hours(step: i64) -> bool {
    step > 0 && step % HOUR == 0
}

/// Returns whether buckets of this width consist of slices (`slices`).
#[must_use]
pub const fn is_of_slices(step: i64) -> bool {
    step > 0 && step % SLICE == 0
}

impl Grain {
    const fn is_of_hours(self) -> bool {
        matches!(self, Self::Hours | Self::Days)
    }

    /// Returns the grain of buckets of this width that begin at `begins`; `None` where they do not consist of anything stored.
    fn of(step: i64, begins: [i64; 2]) -> Option<Self> {
        let is_at = |length| begins.iter().all(|begin| begin % length == 0);
        if is_of_hours(step) && is_at(HOUR) {
            Some(match step % DAY {
                0 => Self::Days,
                _ => Self::Hours,
            })
        } else {
            (is_of_slices(step) && is_at(SLICE)).then_some(Self::Slices)
        }
    }
}

impl History {
    /// Reads what is rolled up of the range of a query; `None` where its buckets do not consist of anything that is.
    pub(super) async fn read(client: &Client, ask: &RangeQuery) -> Result<Option<Self>, ReadError> {
        let begins = [ask.from, ask.give_from].map(Timestamp::as_micros);
        match Grain::of(ask.step, begins) {
            Some(grain) => Self::of(client, ask, grain).await,
            None => Ok(None),
        }
    }

    /// Reads what is rolled up of the range of a query, to find its highest values.
    pub(super) async fn to_rank(
        client: &Client,
        ask: &RangeQuery,
    ) -> Result<Option<Self>, ReadError> {
        let grain = Grain::of(
            ask.step,
            [ask.from, ask.give_from].map(Timestamp::as_micros),
        );
        let grain = grain.filter(|grain| *grain != Grain::Slices);
        Self::of(client, ask, grain.unwrap_or(Grain::Samples)).await
    }

    async fn of(
        client: &Client,
        ask: &RangeQuery,
        grain: Grain,
    ) -> Result<Option<Self>, ReadError> {
        let metrics = ask.picks.iter().map(|pick| pick.metric);
        let served = metrics.filter(|metric| is_served(&Scan::of(metric), grain));
        let metrics: Vec<String> = served.map(Metric::id).collect();
        if metrics.is_empty() {
            return Ok(None);
        }
        let reach = reach(ask.interval);
        let (from, to) = (ask.from.as_micros(), ask.to.as_micros());
        let (rolled_up, layouts) = tokio::try_join!(
            // An hour that begins before the range may have slices in it.
            RolledUp::read(
                client,
                ask.host_id,
                hour_of(from),
                to,
                reach,
                grain.is_of_hours()
            ),
            Layouts::read(client, ask.host_id, metrics),
        )?;
        Ok(Some(Self {
            rolled_up,
            layouts,
            reach,
            grain,
        }))
    }

    /// Returns whether the range of a query has slices from its beginning to its end.
    pub(super) fn is_sliced_throughout(&self, ask: &RangeQuery) -> bool {
        let (from, to) = (ask.from.as_micros(), ask.to.as_micros());
        let pieces = self.rolled_up.fine_pieces(from, to, self.reach, true);
        pieces.iter().all(|piece| piece.form == Form::Slices)
    }

    /// Returns the pieces of `from..to` where its buckets are whole hours, which are the same for all metrics.
    pub(super) fn pieces_of_hours(&self, from: Timestamp, to: Timestamp) -> Option<Vec<Piece>> {
        let days = match self.grain {
            Grain::Samples | Grain::Slices => return None,
            Grain::Hours => false,
            Grain::Days => true,
        };
        let (from, to) = (from.as_micros(), to.as_micros());
        Some(self.rolled_up.pieces(from, to, self.reach, days))
    }

    /// Returns the statement for `bucket, k, lo0, hi0, avg0, w0 …`: what these pieces add up to in each bucket of `step` microseconds.
    pub(super) fn sums_statement(
        &self,
        scan: &Scan,
        source: &Source<'_>,
        pieces: Vec<Piece>,
        step: i64,
    ) -> Statement {
        let mut sql = Statement::default();
        let step = sql.bind(Param::Float8(secs(step)));
        let inner = self.of_pieces(&mut sql, scan, source, pieces, false);
        let sums: String = (0..scan.metrics.len()).map(partials::sums).collect();
        sql.text = format!(
            "SELECT date_bin(make_interval(secs => {step}), ts, 'epoch'::timestamptz), k{sums}\n\
             FROM (\n  {inner}\n) partials\nGROUP BY 1, 2"
        );
        sql
    }

    /// Returns the layouts that have any of these metrics, with the position of each.
    pub(super) fn layouts<'a>(
        &'a self,
        metrics: &'a [&Metric],
    ) -> impl Iterator<Item = (i32, Vec<Option<usize>>)> + 'a {
        self.layouts.with(metrics)
    }

    /// Returns whether it has what a scan reads.
    pub(super) fn serves(&self, scan: &Scan) -> bool {
        is_served(scan, self.grain)
    }

    /// Returns the pieces of `from..to`; to find the highest values, as long ones as there are. `is_by_key`: of chosen keys.
    fn pieces(
        &self,
        scan: &Scan,
        from: i64,
        to: i64,
        to_rank: bool,
        is_by_key: bool,
    ) -> Vec<Piece> {
        let (rolled_up, reach) = (&self.rolled_up, self.reach);
        let slices = is_sliced(scan) && from % SLICE == 0;
        match self.grain {
            Grain::Samples | Grain::Slices if to_rank => {
                rolled_up.ranked_pieces(from, to, reach, slices)
            }
            Grain::Samples | Grain::Slices => {
                let all_keys = slices::kept(scan) == Kept::Cover && !is_by_key;
                rolled_up.fine_pieces(from, to, reach, !all_keys)
            }
            Grain::Hours => rolled_up.pieces(from, to, reach, to_rank),
            Grain::Days => rolled_up.pieces(from, to, reach, true),
        }
    }

    /// Returns `SELECT ts, k, lo0, hi0, avg0, w0 …` of the partials of which buckets of `from..to` are made.
    pub(super) fn partials(
        &self,
        sql: &mut Statement,
        scan: &Scan,
        source: &Source<'_>,
        from: Timestamp,
        to: Timestamp,
    ) -> String {
        let (from, to) = (from.as_micros(), to.as_micros());
        let pieces = self.pieces(scan, from, to, false, source.keys.is_some());
        self.of_pieces(sql, scan, source, pieces, false)
    }

    /// Returns the statement for `k, hi0, rank0 …`: the keys with the highest values of a range. These are those of its days, which are a
    /// twenty-fourth of its hours, or of its hours, which are a part of its slices.
    pub(super) fn rank_statement(
        &self,
        scan: &Scan,
        source: &Source<'_>,
        ask: &RangeQuery,
    ) -> Statement {
        let mut sql = Statement::default();
        let (from, to) = (ask.from.as_micros(), ask.to.as_micros());
        let pieces = self.pieces(scan, from, to, true, false);
        let partials = self.of_pieces(&mut sql, scan, source, pieces, true);
        let prefix = ask.key_prefix.as_deref();
        let condition = prefix.map_or_else(
            || "\n  WHERE k IS NOT NULL".to_owned(),
            |prefix| prefix_sql(&mut sql, prefix),
        );
        let ranks = ranks(scan.metrics.len());
        let within = within(&mut sql, scan.metrics.len(), ask.limit);
        let highs: String = (0..scan.metrics.len())
            .map(|at| format!(", max(hi{at}) AS hi{at}"))
            .collect();
        sql.text = format!(
            "SELECT * FROM (\n  SELECT k{highs}{ranks}\n  FROM (\n  {partials}\n  ) partials{condition}\n  GROUP BY k\n) ranked\n\
             WHERE {within}"
        );
        sql
    }

    /// Returns the partials of pieces; to find the highest values, of samples in as long spans as may be, and without a cover.
    fn of_pieces(
        &self,
        sql: &mut Statement,
        scan: &Scan,
        source: &Source<'_>,
        pieces: Vec<Piece>,
        to_rank: bool,
    ) -> String {
        // An absent amount is 0 where other keys have rows, so samples of all keys are read.
        let sampled = Source {
            keys: source.keys.filter(|_| scan.kind != Kind::Amounts),
            ..*source
        };
        let mut parts = Vec::new();
        for piece in pieces {
            match piece.form {
                Form::Raw => {
                    let (from, to) = (Timestamp(piece.from), Timestamp(piece.to));
                    let span = Span::between(sql, from, to);
                    let length = match self.grain {
                        Grain::Samples | Grain::Slices => SLICE,
                        Grain::Hours | Grain::Days => HOUR,
                    };
                    let spans = match to_rank {
                        true => partials::own_spans(sql, scan, source, &span, HOUR),
                        false => partials::spans(sql, scan, &sampled, &span, length),
                    };
                    parts.push(format!("SELECT * FROM (\n  {spans}\n  ) spans"));
                }
                Form::Slices if slices::kept(scan) == Kept::Cover => {
                    parts.extend(self.covered(sql, scan, source, &piece));
                }
                Form::Slices => {
                    for (layout, places) in self.layouts.with(&scan.metrics) {
                        let count = places.len();
                        let places = places.into_iter().enumerate();
                        parts.extend(places.filter_map(|(at, place)| {
                            let place = (layout, place?);
                            Some(slices::stored(sql, source, &piece, place, (at, count)))
                        }));
                    }
                }
                Form::Hours | Form::Days => {
                    for (layout, places) in self.layouts.with(&scan.metrics) {
                        parts.push(stored(sql, source, &piece, layout, &places));
                    }
                }
            }
        }
        if parts.is_empty() {
            parts.push(format!("{} WHERE false", nothing(scan)));
        }
        parts.join("\n  UNION ALL\n  ")
    }

    /// Returns the partials of chosen keys of amounts, which are made of their samples, and the cover of these, of which
    /// slices are kept: it needs no samples of other keys.
    fn covered(
        &self,
        sql: &mut Statement,
        scan: &Scan,
        source: &Source<'_>,
        piece: &Piece,
    ) -> Vec<String> {
        let span = Span::between(sql, Timestamp(piece.from), Timestamp(piece.to));
        let own = partials::own_spans(sql, scan, source, &span, SLICE);
        let no_key = [String::new()];
        let cover = Source {
            keys: Some(&no_key),
            ..*source
        };
        let mut parts = vec![own];
        for (layout, places) in self.layouts.with(&scan.metrics) {
            let count = places.len();
            let places = places.into_iter().enumerate();
            parts.extend(places.filter_map(|(at, place)| {
                let place = (layout, place?);
                Some(slices::stored(sql, &cover, piece, place, (at, count)))
            }));
        }
        parts
    }

    /// Returns the statement for `k, v0 …`: the last values of the newest stored hour or day in a range whose samples are gone.
    pub(super) fn last_statement(
        &self,
        scan: &Scan,
        source: &Source<'_>,
        ask: &RangeQuery,
    ) -> Option<Statement> {
        let (from, to) = (ask.from.as_micros(), ask.to.as_micros());
        let mut pieces = self.pieces(scan, from, to, !self.grain.is_of_hours(), true);
        pieces.retain(|piece| matches!(piece.form, Form::Hours | Form::Days));
        let piece = pieces.pop()?;
        let (layout, places) = self.layouts.with(&scan.metrics).last()?;
        let mut sql = Statement::default();
        let values: String = places
            .iter()
            .enumerate()
            .map(|(at, place)| match place {
                Some(place) => format!(", {} AS v{at}", partials::stored(*place, 4)),
                None => format!(", NULL::float8 AS v{at}"),
            })
            .collect();
        let (table, filter) = filter(&mut sql, source, &piece, layout);
        sql.text = format!(
            "SELECT nullif(key, '') AS k{values} FROM collector.{table}\nWHERE {filter} AND bucket = \
             (SELECT max(bucket) FROM collector.{table} WHERE {filter})"
        );
        Some(sql)
    }
}

/// Returns whether what a scan reads is stored in this grain.
fn is_served(scan: &Scan, grain: Grain) -> bool {
    let is_rolled_up = scan.metrics.iter().all(|metric| metric.is_rolled_up());
    is_rolled_up && (grain != Grain::Slices || slices::kept(scan) != Kept::Nothing)
}

/// A span, `from..to`.
type Interval = (Timestamp, Timestamp);

/// Reads the spans of `from..to` in which the host was not sampled, as far as that is known from roll-ups, and the spans
/// of which only the samples tell.
pub(super) async fn unsampled(
    client: &Client,
    host_id: i32,
    from: Timestamp,
    to: Timestamp,
    interval: i64,
    step: i64,
) -> Result<(Vec<Interval>, Vec<Interval>), ReadError> {
    let reach = reach(interval);
    let (from, to) = (from.as_micros(), to.as_micros());
    let by_day = step % DAY == 0;
    let rolled_up = RolledUp::read(client, host_id, from, to, reach, by_day).await?;
    let (mut missing, mut unknown) = (Vec::new(), Vec::new());
    let span = |(from, to): (i64, i64)| (Timestamp(from), Timestamp(to));
    for piece in rolled_up.pieces(from, to, reach, by_day) {
        match piece.form {
            Form::Raw => unknown.push(span((piece.from, piece.to))),
            Form::Slices | Form::Hours | Form::Days => {
                missing.extend(rolled_up.unsampled(&piece).into_iter().map(span));
            }
        }
    }
    Ok((missing, unknown))
}

/// Returns the table of a stored piece, and the condition for its rows of a layout.
fn filter(
    sql: &mut Statement,
    source: &Source<'_>,
    piece: &Piece,
    layout: i32,
) -> (&'static str, String) {
    let host = sql.bind(Param::Int4(source.host_id));
    let layout = sql.bind(Param::Int4(layout));
    let from = sql.bind(Param::Time(Timestamp(piece.from)));
    let to = sql.bind(Param::Time(Timestamp(piece.to)));
    let mut text =
        format!("host_id = {host} AND layout = {layout} AND bucket >= {from} AND bucket < {to}");
    if let Some(keys) = source.keys {
        // The cover of amounts has no key.
        let keys = keys.iter().cloned().chain([String::new()]).collect();
        let keys = sql.bind(Param::Texts(keys));
        let _infallible = write!(text, " AND key = ANY({keys})");
    }
    let table = match piece.form {
        Form::Days => "metric_days",
        Form::Hours | Form::Slices | Form::Raw => "metric_hours",
    };
    (table, text)
}

pub(super) fn stored(
    sql: &mut Statement,
    source: &Source<'_>,
    piece: &Piece,
    layout: i32,
    places: &[Option<usize>],
) -> String {
    let (table, filter) = filter(sql, source, piece, layout);
    let mut figures = String::new();
    for (at, place) in places.iter().enumerate() {
        for (figure, name) in partials::FIGURES.iter().take(4).enumerate() {
            let value = place.map_or_else(
                || "NULL::float8".to_owned(),
                |place| partials::stored(place, figure),
            );
            let _infallible = write!(figures, ", {value} AS {name}{at}");
        }
    }
    format!(
        "SELECT bucket AS ts, nullif(key, '') AS k{figures} FROM collector.{table} WHERE {filter}"
    )
}

/// Returns a row of partials without a figure.
fn nothing(scan: &Scan) -> String {
    let figures: String = (0..scan.metrics.len())
        .flat_map(|at| {
            let names = partials::FIGURES.iter().take(4);
            names.map(move |name| format!(", NULL::float8 AS {name}{at}"))
        })
        .collect();
    format!("SELECT NULL::timestamptz AS ts, NULL::text AS k{figures}")
}
