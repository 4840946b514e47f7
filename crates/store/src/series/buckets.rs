//! Metrics over a range, reduced to buckets.

use std::collections::HashMap;

use schema::{Metric, Timestamp};
use tokio_postgres::{Client, Row};

use super::history::History;
use super::scan::{Kind, Scan, group};
use super::sql::{Param, Source, Span, Statement, mean, samples, secs};
use super::value::Instant;
use super::{ReadError, partials};

/// One metric, with all keys or one.
#[derive(Clone, Debug, PartialEq)]
pub struct Pick {
    /// The metric.
    pub metric: &'static Metric,
    /// Only this key; `None`: the single series, or the keys with the highest values.
    pub key: Option<String>,
}

/// A query of metrics over a range.
#[derive(Clone, Debug)]
pub struct RangeQuery {
    /// Whose samples.
    pub host_id: i32,
    /// Start of the range; a multiple of `step`, so that the first bucket is whole.
    pub from: Timestamp,
    /// End of the range, not included.
    pub to: Timestamp,
    /// Buckets before this are used for ranking keys, but not returned.
    pub give_from: Timestamp,
    /// Width of a bucket, microseconds.
    pub step: i64,
    /// The sampling interval, microseconds.
    pub interval: i64,
    /// Most keys of a metric without a chosen key; [`ALL`] does without ranking them.
    pub limit: i64,
    /// Restricts these keys to this one and those that begin with it and a dot.
    pub key_prefix: Option<String>,
    /// Whether to read the values at the newest instant, too.
    pub last: bool,
    /// The metrics.
    pub picks: Vec<Pick>,
}

impl RangeQuery {
    /// Asks for all buckets of `from..to` of metrics with every key; `limit` as in [`limit`](Self::limit).
    #[must_use]
    pub fn of_metrics(
        host_id: i32,
        (from, to): (Timestamp, Timestamp),
        step: i64,
        interval: i64,
        limit: i64,
        metrics: impl IntoIterator<Item = &'static Metric>,
    ) -> Self {
        let pick = |metric| Pick { metric, key: None };
        Self {
            host_id,
            from,
            to,
            give_from: from,
            step,
            interval,
            limit,
            key_prefix: None,
            last: false,
            picks: metrics.into_iter().map(pick).collect(),
        }
    }
}

/// As the limit of keys: all of them, in no order.
pub const ALL: i64 = i64::MAX;

/// A bucket with a value.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bucket {
    /// Its start.
    pub at: Timestamp,
    /// The least value.
    pub lo: f64,
    /// The greatest value.
    pub hi: f64,
    /// The mean of the values: of a counter its increase over the time, of a share both parts added up.
    pub avg: f64,
}

/// One series.
#[derive(Clone, Debug, PartialEq)]
pub struct FoundSeries {
    /// The metric.
    pub metric: &'static Metric,
    /// Its key.
    pub key: Option<String>,
    /// Buckets, oldest first.
    pub buckets: Vec<Bucket>,
    /// Its value at the newest instant of the range; `None` when it has none there, or was not asked
    /// for.
    pub last: Option<f64>,
}

/// Metrics that could not be read.
#[derive(Debug)]
pub struct Fault {
    /// The metrics, all of one scan.
    pub metrics: Vec<&'static Metric>,
    /// The error.
    pub error: ReadError,
}

/// The result of a query; a failing scan does not affect the others.
#[derive(Debug, Default)]
pub struct Answer {
    /// In the order of the picks; keys of one pick by highest value.
    pub series: Vec<FoundSeries>,
    /// Metrics that could not be read.
    pub faults: Vec<Fault>,
}

/// Which keys a scan reads.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Choice {
    Single,
    Highest,
    Chosen,
    All,
}

/// Answers a query. A chosen key is always in the answer, without buckets when it has none.
pub async fn buckets(client: &Client, ask: &RangeQuery) -> Answer {
    match History::read(client, ask).await {
        Ok(history) => answer(client, ask, history.as_ref()).await,
        Err(error) => {
            let metrics = ask.picks.iter().map(|pick| pick.metric).collect();
            Answer {
                series: Vec::new(),
                faults: vec![Fault { metrics, error }],
            }
        }
    }
}

/// Answers a query from these roll-ups, where there are any, and from samples.
pub(super) async fn answer(client: &Client, ask: &RangeQuery, history: Option<&History>) -> Answer {
    let choice = |pick: &Pick| match (&pick.key, pick.metric.key) {
        (Some(_), _) => Choice::Chosen,
        (None, Some(_)) if ask.limit == ALL => Choice::All,
        (None, Some(_)) => Choice::Highest,
        (None, None) => Choice::Single,
    };
    let mut answer = Answer::default();
    let apart = |pick: &Pick| (choice(pick), pick.metric.is_rolled_up());
    let (scans, places) = group(ask.picks.iter().map(|pick| (pick.metric, apart(pick))));
    for (at, (scan, (choice, is_rolled_up))) in scans.iter().enumerate() {
        let history = history.filter(|history| *is_rolled_up && history.serves(scan));
        let mine = || {
            let all = ask.picks.iter().zip(&places);
            all.filter(move |(_, (scan_at, _))| *scan_at == at)
                .map(|(pick, (_, place))| (pick, *place))
        };
        let keys: Vec<String> = mine().filter_map(|(pick, _)| pick.key.clone()).collect();
        let keys = (*choice == Choice::Chosen).then_some(keys.as_slice());
        match read(client, ask, scan, keys, *choice, history).await {
            Ok(read) => {
                for (pick, place) in mine() {
                    answer.series.extend(read.series(pick, place, ask.limit));
                }
            }
            Err(error) => answer.faults.push(Fault {
                metrics: mine().map(|(pick, _)| pick.metric).collect(),
                error,
            }),
        }
    }
    let order = |found: &FoundSeries| {
        ask.picks.iter().position(|pick| {
            pick.metric == found.metric && (pick.key.is_none() || pick.key == found.key)
        })
    };
    answer.series.sort_by_cached_key(order);
    answer
}

/// The result of one scan, by metric and key.
#[derive(Default)]
struct Read {
    /// Per key, in the order of keys' appearance: rank and buckets of each metric.
    keys: HashMap<Option<String>, Vec<Column>>,
}

#[derive(Clone, Default)]
struct Column {
    /// 1 for the key with the highest value; `None` when the key has no value of this metric.
    rank: Option<i64>,
    buckets: Vec<Bucket>,
    last: Option<f64>,
}

impl Read {
    fn column(&mut self, key: Option<String>, place: usize, places: usize) -> &mut Column {
        let columns = self
            .keys
            .entry(key)
            .or_insert_with(|| vec![Column::default(); places]);
        &mut columns[place]
    }

    fn series(&self, pick: &Pick, place: usize, limit: i64) -> Vec<FoundSeries> {
        let found = |key: Option<String>, column: Column| FoundSeries {
            metric: pick.metric,
            key,
            buckets: column.buckets,
            last: column.last,
        };
        if pick.key.is_some() || pick.metric.key.is_none() {
            let column = self
                .keys
                .get(&pick.key)
                .map(|columns| columns[place].clone());
            return vec![found(pick.key.clone(), column.unwrap_or_default())];
        }
        if limit == ALL {
            let columns = self
                .keys
                .iter()
                .map(|(key, columns)| (key, &columns[place]));
            let filled = columns.filter(|(_, column)| !column.buckets.is_empty());
            return filled
                .map(|(key, column)| found(key.clone(), column.clone()))
                .collect();
        }
        let mut ranked: Vec<(i64, &Option<String>, &Column)> = self
            .keys
            .iter()
            .filter_map(|(key, columns)| Some((columns[place].rank?, key, &columns[place])))
            .filter(|(rank, ..)| *rank <= limit)
            .collect();
        ranked.sort_by_key(|(rank, ..)| *rank);
        ranked
            .into_iter()
            .map(|(_, key, column)| found(key.clone(), column.clone()))
            .collect()
    }
}

async fn read(
    client: &Client,
    ask: &RangeQuery,
    scan: &Scan,
    keys: Option<&[String]>,
    choice: Choice,
    history: Option<&History>,
) -> Result<Read, ReadError> {
    let all = Source {
        host_id: ask.host_id,
        interval: ask.interval,
        keys,
    };
    // Of roll-ups the highest keys are found first, unless all are wanted: there are many more hours than days.
    let is_ranked = choice == Choice::Highest && ask.limit < i64::MAX;
    let highest = match history.filter(|_| is_ranked) {
        Some(history) => {
            Some(Ranks::read(client, &history.rank_statement(scan, &all, ask), scan).await?)
        }
        None => None,
    };
    let chosen: Option<Vec<String>> = highest.as_ref().map(Ranks::keys);
    let (source, choice) = match &chosen {
        Some(keys) => (
            Source {
                keys: Some(keys),
                ..all
            },
            Choice::Chosen,
        ),
        None => (all, choice),
    };
    let reduced = bucket_statement(scan, &source, ask, choice == Choice::Highest, history);
    let newest = last_statement(scan, &source, ask);
    let what = scan.table.name;
    let newest = async {
        if ask.last {
            newest.query(client, what).await
        } else {
            Ok(Vec::new())
        }
    };
    let (reduced, newest) = tokio::join!(reduced.query(client, what), newest);
    let (reduced, mut newest) = (reduced?, newest?);
    // Where samples are gone, their last values are kept. A key without a row at the newest instant has none.
    if let Some(history) = history.filter(|_| ask.last && newest.is_empty())
        && let Some(kept) = history.last_statement(scan, &source, ask)
        && !has_samples(client, scan, &source, ask).await?
    {
        newest = kept.query(client, what).await?;
    }
    let fault = |source| ReadError::new(what, source);
    let mut read = Read::default();
    let places = scan.metrics.len();
    for row in reduced {
        bucket_row(&mut read, &row, places, choice).map_err(fault)?;
    }
    for row in newest {
        let key: Option<String> = row.try_get("k").map_err(fault)?;
        for place in 0..places {
            let value = row.try_get::<_, Option<f64>>(place + 1).map_err(fault)?;
            let last = &mut read.column(key.clone(), place, places).last;
            // Rows newer than the newest value may have none.
            *last = value.or(*last);
        }
    }
    for (key, _, ranks) in highest.into_iter().flat_map(|ranks| ranks.0) {
        for (place, rank) in ranks.into_iter().enumerate() {
            read.column(Some(key.clone()), place, places).rank = rank;
        }
    }
    Ok(read)
}

/// Returns whether there are samples of any key in the range.
async fn has_samples(
    client: &Client,
    scan: &Scan,
    source: &Source<'_>,
    ask: &RangeQuery,
) -> Result<bool, ReadError> {
    let what = scan.table.name;
    let mut sql = Statement::default();
    let newest = Span::newest(
        &mut sql,
        scan.table,
        &scan.filled(),
        source.host_id,
        ask.from,
        ask.to,
    );
    sql.text = format!("SELECT {} IS NOT NULL", newest.from);
    let rows = sql.query(client, what).await?;
    let found = rows.first().map_or(Ok(false), |row| row.try_get(0));
    found.map_err(|source| ReadError::new(what, source))
}

/// A key with its greatest value of each metric of a scan, and its ranks by these.
type Ranked = (String, Vec<Option<f64>>, Vec<Option<i64>>);

/// The highest keys of a scan.
pub(super) struct Ranks(pub(super) Vec<Ranked>);

impl Ranks {
    pub(super) async fn read(
        client: &Client,
        sql: &Statement,
        scan: &Scan,
    ) -> Result<Self, ReadError> {
        let what = scan.table.name;
        let fault = |source| ReadError::new(what, source);
        let mut found = Vec::new();
        for row in sql.query(client, what).await? {
            let key = row.try_get(0).map_err(fault)?;
            let count = scan.metrics.len();
            let highs: Result<_, _> = (1..=count).map(|at| row.try_get(at)).collect();
            let ranks: Result<_, _> = (count + 1..=2 * count).map(|at| row.try_get(at)).collect();
            found.push((key, highs.map_err(fault)?, ranks.map_err(fault)?));
        }
        Ok(Self(found))
    }

    fn keys(&self) -> Vec<String> {
        self.0.iter().map(|(key, ..)| key.clone()).collect()
    }
}

fn bucket_row(
    read: &mut Read,
    row: &Row,
    places: usize,
    choice: Choice,
) -> Result<(), tokio_postgres::Error> {
    let at: Option<Instant> = row.try_get(0)?;
    let key: Option<String> = row.try_get(1)?;
    for place in 0..places {
        let column = 2 + 3 * place;
        let rank = match choice {
            Choice::Highest => row.try_get(2 + 3 * places + place)?,
            Choice::Single | Choice::Chosen | Choice::All => None,
        };
        let values = (
            row.try_get::<_, Option<f64>>(column)?,
            row.try_get::<_, Option<f64>>(column + 1)?,
            row.try_get::<_, Option<f64>>(column + 2)?,
        );
        let slot = read.column(key.clone(), place, places);
        slot.rank = rank;
        if let (Some(at), (Some(lo), Some(hi), Some(avg))) = (at, values) {
            slot.buckets.push(Bucket {
                at: at.0,
                lo,
                hi,
                avg,
            });
        }
    }
    Ok(())
}

/// Returns the statement for `bucket, k, lo0, hi0, avg0 …`, oldest first; with `ranked` also `rank0 …`, for
/// keys whose rank is within the limit for any metric. A ranked key without a bucket from `give_from` on has one
/// row with no bucket, so that the choice of keys does not depend on `give_from`.
pub(super) fn bucket_statement(
    scan: &Scan,
    source: &Source<'_>,
    ask: &RangeQuery,
    ranked: bool,
    history: Option<&History>,
) -> Statement {
    let mut sql = Statement::default();
    // A query of peaks gives buckets that begin before its range, but nothing of before it.
    let from = match ranked {
        true => ask.from,
        false => ask.give_from.max(ask.from),
    };
    let span = Span::between(&mut sql, from, ask.to);
    let step = sql.bind(Param::Float8(secs(ask.step)));
    // An absent amount is 0 where other keys have rows, so chosen keys are picked afterwards.
    let chosen = match (scan.kind, source.keys) {
        (Kind::Amounts, Some(keys)) => Some(sql.bind(Param::Texts(keys.to_vec()))),
        _ => None,
    };
    let keys = source.keys.filter(|_| chosen.is_none());
    let (inner, reduce): (String, Reduce) = match history {
        None => {
            let source = Source { keys, ..*source };
            (samples(&mut sql, scan, &source, &span), reduce)
        }
        Some(history) => {
            let inner = history.partials(&mut sql, scan, source, from, ask.to);
            (inner, partials::reduce)
        }
    };
    let numbers = 0..scan.metrics.len();
    let prefix = ask.key_prefix.as_deref().filter(|_| ranked);
    let prefix = prefix.map(|prefix| prefix_sql(&mut sql, prefix));
    // Rows of other servers make an absent amount 0, too.
    let (early, late) = match prefix {
        Some(prefix) if scan.kind == Kind::Amounts => (String::new(), prefix),
        Some(prefix) => (prefix, String::new()),
        None => Default::default(),
    };
    let bucket = format!("date_bin(make_interval(secs => {step}), ts, 'epoch'::timestamptz)");
    let cover = format!("OVER (PARTITION BY {bucket})");
    let reduced: String = numbers.map(|at| reduce(scan.kind, at, &cover)).collect();
    let mut by_bucket = format!(
        "SELECT {bucket} AS bucket, k{reduced}\n\
         FROM (\n  {inner}\n) samples{early}\nGROUP BY 1, 2"
    );
    // The time that amounts of any key cover has been applied.
    if history.is_some() && scan.kind == Kind::Amounts {
        by_bucket = format!("SELECT * FROM (\n{by_bucket}\n) reduced\nWHERE k IS NOT NULL");
    }
    if !ranked {
        sql.text = match chosen {
            Some(keys) => format!(
                "SELECT * FROM (\n{by_bucket}\n) reduced\nWHERE k = ANY({keys})\nORDER BY 1"
            ),
            None => format!("{by_bucket}\nORDER BY 1"),
        };
        return sql;
    }
    rank(&mut sql, scan.metrics.len(), ask, &by_bucket, &late);
    sql
}

/// Completes a statement that ranks the keys of `by_bucket`; `condition` restricts the ranked keys.
fn rank(sql: &mut Statement, metrics: usize, ask: &RangeQuery, by_bucket: &str, condition: &str) {
    let numbers = 0..metrics;
    let give = sql.bind(Param::Time(ask.give_from));
    let ranks = ranks(metrics);
    let given: String = numbers
        .clone()
        .map(|at| format!(", lo{at}, hi{at}, avg{at}"))
        .collect();
    let order: String = numbers.map(|at| format!(", rank{at}")).collect();
    let within = within(sql, metrics, ask.limit);
    sql.text = format!(
        "WITH reduced AS MATERIALIZED (\n{by_bucket}\n), ranked AS (\n  SELECT k{ranks}\n  FROM reduced{condition}\n  GROUP BY k\n)\n\
         SELECT bucket, ranked.k{given}{order}\nFROM ranked\nLEFT JOIN reduced ON reduced.k = ranked.k AND bucket >= {give}\n\
         WHERE {within}\nORDER BY bucket"
    );
}

/// Returns SQL for `rank0 …` of a key by its greatest values; NULL for one without a value of the metric.
pub(super) fn ranks(metrics: usize) -> String {
    let rank = |at: usize| {
        format!(
            ",\n    CASE WHEN max(hi{at}) IS NOT NULL THEN \
             row_number() OVER (ORDER BY max(hi{at}) DESC NULLS LAST, k COLLATE \"C\") END AS rank{at}"
        )
    };
    (0..metrics).map(rank).collect()
}

/// Returns the condition that a key is among the first `limit` of any metric.
pub(super) fn within(sql: &mut Statement, metrics: usize, limit: i64) -> String {
    let limit = sql.bind(Param::Int8(limit));
    let within: Vec<String> = (0..metrics)
        .map(|at| format!("rank{at} <= {limit}"))
        .collect();
    within.join(" OR ")
}

/// Returns the condition that a key is `prefix`, or begins with it and a dot.
pub(super) fn prefix_sql(sql: &mut Statement, prefix: &str) -> String {
    let name = sql.bind(Param::Text(prefix.to_owned()));
    format!("\n  WHERE k = {name} OR starts_with(k, {name} || '.')")
}

/// SQL for the least, greatest and mean value of a bucket, of a metric at a position, with the window of all keys of the
/// bucket.
type Reduce = fn(Kind, usize, &str) -> String;

/// Returns SQL for the least, greatest and mean value of a bucket of samples.
fn reduce(kind: Kind, at: usize, cover: &str) -> String {
    match kind {
        Kind::Level { .. } | Kind::Steps { .. } | Kind::Elements { .. } => {
            let mean = mean(kind, at, cover);
            format!(", min(v{at}) AS lo{at}, max(v{at}) AS hi{at}, {mean} AS avg{at}")
        }
        Kind::Share { .. } | Kind::AmountShare => {
            let mean = mean(kind, at, cover);
            format!(
                ", least(min(v{at}), {mean}) AS lo{at}, greatest(max(v{at}), {mean}) AS hi{at}, \
                 {mean} AS avg{at}"
            )
        }
        Kind::Amounts => {
            let mean = mean(kind, at, cover);
            format!(
                ", CASE WHEN sum(dt) < max(sum(dt)) {cover} THEN 0 ELSE min(v{at}) END AS lo{at}, \
                 max(v{at}) AS hi{at}, {mean} AS avg{at}"
            )
        }
    }
}

/// Returns the statement for `k, v0 …` at the newest instant of the range.
pub(super) fn last_statement(scan: &Scan, source: &Source<'_>, ask: &RangeQuery) -> Statement {
    let mut sql = Statement::default();
    let span = Span::newest(
        &mut sql,
        scan.table,
        &scan.filled(),
        source.host_id,
        ask.from,
        ask.to,
    );
    let inner = samples(&mut sql, scan, source, &span);
    let values: String = (0..scan.metrics.len())
        .map(|at| format!(", v{at}"))
        .collect();
    sql.text = format!("SELECT k{values}\nFROM (\n  {inner}\n) samples");
    sql
}
