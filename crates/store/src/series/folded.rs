//! Samples that are folded here instead of by the server: it sends them once, in the order of their instants.
//!
//! The statements sort samples for the steps of their counters, group them by instant and key where several sources have one key, and
//! group them again by bucket; levels and counters of a table are a statement each. 25,000 samples of processes took a server 165 ms so;
//! to send them takes it 60 ms. Hours that are over have slices, which are fewer. Expressions are evaluated by the server in both ways, and a test compares both.

use std::pin::pin;

use futures_util::TryStreamExt as _;
use schema::Timestamp;
use tokio_postgres::Client;
use tokio_postgres::binary_copy::{BinaryCopyOutRow, BinaryCopyOutStream};
use tokio_postgres::types::{FromSql, Type};

use super::buckets::{ALL, Answer, Bucket, Fault, FoundSeries, Pick, RangeQuery, buckets};
use super::fold::{Buckets, Folded, Folding, Rule, Sampled, Whole};
use super::history::{History, is_of_slices};
use super::scan::{Kind, Scan, group};
use super::sliced;
use super::slices::is_sliced_metric;
use super::sql::{Source, Span, Statement, filter, key_sql, margin, secs};
use super::value::Instant;
use super::{ReadError, is_of_hours, merged};

/// Answers a query of all keys whose buckets have few samples, as [`buckets`] does: samples are folded here.
pub async fn of_few_samples(client: &Client, ask: &RangeQuery) -> Answer {
    let is_for_all = ask.limit == ALL && ask.key_prefix.is_none();
    if !is_for_all || ask.picks.iter().any(|pick| pick.key.is_some()) {
        return buckets(client, ask).await;
    }
    if is_of_hours(ask.step) {
        return Box::pin(merged::read(client, ask)).await;
    }
    let only = |picks: Vec<Pick>| RangeQuery {
        picks,
        ..ask.clone()
    };
    // Of hours that are over there are slices of what has most samples; the newest value is that of a sample.
    let (sliced, mut folds): (Vec<_>, Vec<_>) = ask
        .picks
        .iter()
        .cloned()
        .partition(|pick| !ask.last && is_sliced_metric(pick.metric));
    let sliced = only(sliced);
    // Where that cannot be told, the samples tell, or fail as well.
    let slices = sliced_throughout(client, &sliced).await.unwrap_or_default();
    if slices.is_none() {
        folds.extend(sliced.picks.iter().cloned());
    }
    let of_slices = async {
        match &slices {
            Some(history) => sliced::read(client, &sliced, history).await,
            None => Answer::default(),
        }
    };
    // The statements of both are sent at once; the server is never idle between two. Each is on the heap, as they would be
    // much of a thread's stack.
    let ((mut whole, without), of_slices) =
        tokio::join!(Box::pin(fold(client, ask, &folds)), Box::pin(of_slices));
    // Where samples are gone, the last values are kept.
    let of_history = match without.is_empty() {
        true => Answer::default(),
        false => Box::pin(buckets(client, &only(without))).await,
    };
    for mut more in [of_slices, of_history] {
        whole.series.append(&mut more.series);
        whole.faults.append(&mut more.faults);
    }
    let order = |found: &FoundSeries| {
        ask.picks
            .iter()
            .position(|pick| pick.metric == found.metric)
    };
    whole.series.sort_by_cached_key(order);
    whole
}

/// Folds the samples of picks. Returns those whose last values are wanted and of which there are no samples, too.
async fn fold(client: &Client, ask: &RangeQuery, picks: &[Pick]) -> (Answer, Vec<Pick>) {
    let (scans, _) = group(picks.iter().map(|pick| (pick.metric, ())));
    let scans: Vec<Scan> = scans.into_iter().map(|(scan, ())| scan).collect();
    let source = Source {
        host_id: ask.host_id,
        interval: ask.interval,
        keys: None,
    };
    let span = (ask.give_from.max(ask.from), ask.to);
    let cut = Cut {
        length: ask.step,
        of_metrics: true,
    };
    let (mut folded, mut without) = (Answer::default(), Vec::new());
    for table in tables(scans.iter(), |scan| scan) {
        let metrics = || {
            let scans = table.iter().flatten();
            scans.flat_map(|scan| scan.metrics.iter().copied())
        };
        match read_table(client, &table, &source, span, cut).await {
            Ok(found) if ask.last && !found.iter().any(|whole| whole.is_sampled) => {
                without.extend(metrics().map(|metric| Pick { metric, key: None }));
            }
            Ok(found) => {
                for (group, whole) in table.iter().zip(found) {
                    let found = series(group, whole.keys, span.0, ask);
                    folded.series.extend(found);
                }
            }
            Err(error) => folded.faults.push(Fault {
                metrics: metrics().collect(),
                error,
            }),
        }
    }
    (folded, without)
}

/// Returns the roll-ups of a query whose buckets consist of slices from its beginning to its end.
async fn sliced_throughout(
    client: &Client,
    ask: &RangeQuery,
) -> Result<Option<History>, ReadError> {
    if ask.picks.is_empty() || !is_of_slices(ask.step) {
        return Ok(None);
    }
    let history = History::read(client, ask).await?;
    Ok(history.filter(|history| history.is_sliced_throughout(ask)))
}

/// Returns the rule by which rows of a metric become a value.
pub(super) fn rule(scan: &Scan, metric: &'static schema::Metric) -> Rule {
    let scale = Scan::expr(metric).1;
    match scan.kind {
        Kind::Level { folded: true } => Rule::Level(Scan::fold(metric)),
        Kind::Level { folded: false } | Kind::Elements { .. } => Rule::Row,
        Kind::Steps { .. } => Rule::Steps(scale),
        Kind::Share { .. } => Rule::Share(scale),
        Kind::Amounts => Rule::Amount(scale),
        Kind::AmountShare => Rule::AmountShare(scale),
    }
}

/// Returns scans by table: what is read together, in groups that are folded together, of one key, with counters of one identity.
pub(crate) fn tables<T>(
    scans: impl Iterator<Item = T>,
    scan_of: impl Fn(&T) -> &Scan,
) -> Vec<Vec<Vec<T>>> {
    let mut tables: Vec<Vec<Vec<T>>> = Vec::new();
    for one in scans {
        let scan = scan_of(&one);
        let Some(table) = tables
            .iter_mut()
            .find(|groups| have_rows_alike(scan_of(&groups[0][0]), scan))
        else {
            tables.push(vec![vec![one]]);
            continue;
        };
        let joins = |group: &&mut Vec<T>| {
            let mut others = group.iter().filter_map(|known| identity(scan_of(known)));
            scan_of(&group[0]).key == scan.key
                && identity(scan).is_none_or(|own| others.all(|known| known == own))
        };
        match table.iter_mut().find(joins) {
            Some(group) => group.push(one),
            None => table.push(vec![one]),
        }
    }
    tables
}

/// Returns whether two scans read the same rows.
fn have_rows_alike(one: &Scan, other: &Scan) -> bool {
    // Of others, which rows they have depends on their metrics.
    let is_of_table =
        |scan: &Scan| scan.filled().is_empty() && !matches!(scan.kind, Kind::Elements { .. });
    one.table.name == other.table.name
        && one.every == other.every
        && is_of_table(one)
        && is_of_table(other)
}

/// Returns the series of what is folded.
fn series(
    group: &[&Scan],
    found: Vec<Folded>,
    from: Timestamp,
    ask: &RangeQuery,
) -> impl Iterator<Item = FoundSeries> {
    let (step, last) = (ask.step, ask.last);
    let metrics: Vec<&'static schema::Metric> =
        group.iter().flat_map(|scan| scan.metrics.clone()).collect();
    found.into_iter().flat_map(move |one| {
        let Folded {
            name,
            figures,
            slices,
        } = one;
        let of_metric = metrics
            .clone()
            .into_iter()
            .zip(figures.into_iter().zip(slices));
        of_metric.filter_map(move |(metric, (figures, slices))| {
            let bucket = |(at, four): (i64, [Option<f64>; 4])| match four {
                [Some(lo), Some(hi), Some(avg), Some(_)] => Some(Bucket {
                    at: Timestamp(from.as_micros() + at * step),
                    lo,
                    hi,
                    avg,
                }),
                _ => None,
            };
            let buckets: Vec<Bucket> = (0..).zip(slices).filter_map(bucket).collect();
            // A single series is in the answer without buckets, too.
            (metric.key.is_none() || !buckets.is_empty()).then(|| FoundSeries {
                metric,
                key: name.clone(),
                buckets,
                last: figures[4].filter(|_| last),
            })
        })
    })
}

/// Returns the columns that identify a source of counters; `None` of what has no counters.
pub(crate) fn identity(scan: &Scan) -> Option<&'static str> {
    match scan.kind {
        Kind::Steps { identity } | Kind::Share { identity } => Some(identity),
        _ => None,
    }
}

/// A value as it is sent.
struct Sent<'a>(&'a [u8]);

impl<'a> FromSql<'a> for Sent<'a> {
    fn from_sql(_: &Type, raw: &'a [u8]) -> Result<Self, Box<dyn std::error::Error + Sync + Send>> {
        Ok(Self(raw))
    }

    fn accepts(_: &Type) -> bool {
        true
    }
}

/// How a span is cut into buckets.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cut {
    /// Length of a bucket, microseconds; the first begins with the span.
    pub(crate) length: i64,
    /// Whether the metrics are known in each of them, or the seconds that amounts cover alone.
    pub(crate) of_metrics: bool,
}

/// Reads the samples of a span of a table once, and folds those of each group.
pub(crate) async fn read_table(
    client: &Client,
    groups: &[Vec<&Scan>],
    source: &Source<'_>,
    (from, to): (Timestamp, Timestamp),
    Cut { length, of_metrics }: Cut,
) -> Result<Vec<Whole>, ReadError> {
    let Some(scan) = groups.iter().flatten().next() else {
        return Ok(Vec::new());
    };
    let longest = secs(margin(scan, source));
    let fault = |source| ReadError::new(scan.table.name, source);
    let span = to.as_micros() - from.as_micros();
    let buckets = Buckets {
        length,
        count: usize::try_from((span + length - 1) / length).unwrap_or(0),
        of_metrics,
    };
    let mut columns = Columns::default();
    let ts = columns.place("ts".to_owned(), Type::TIMESTAMPTZ);
    let mut readers: Vec<Reader> = Vec::new();
    for group in groups {
        let rules: Vec<Rule> = group.iter().flat_map(|scan| rules(scan)).collect();
        let folding = Folding::new(rules, from.as_micros(), longest, buckets);
        readers.push(Reader::new(&mut columns, group, folding));
    }
    let sql = statement(&columns, groups, source, (from, to));
    let rows = client.copy_out(&sql).await.map_err(fault)?;
    let mut rows = pin!(BinaryCopyOutStream::new(rows, &columns.types));
    while let Some(row) = rows.try_next().await.map_err(fault)? {
        let at: Instant = row.try_get(ts).map_err(fault)?;
        for reader in &mut readers {
            reader.add(at.0.as_micros(), &row).map_err(fault)?;
        }
    }
    Ok(readers
        .into_iter()
        .map(|reader| reader.folding.end())
        .collect())
}

/// The columns of a statement, each once.
#[derive(Debug, Default)]
struct Columns {
    texts: Vec<String>,
    types: Vec<Type>,
}

impl Columns {
    /// Returns the position of a column, which is added when new.
    fn place(&mut self, text: String, of: Type) -> usize {
        let known = self.texts.iter().position(|known| *known == text);
        known.unwrap_or_else(|| {
            self.texts.push(text);
            self.types.push(of);
            self.texts.len() - 1
        })
    }
}

/// Where the parts of a group's samples are in a row, and what becomes of them.
struct Reader {
    covered: Option<usize>,
    key: usize,
    /// What tells its sources apart, the key included.
    identity: Vec<usize>,
    values: Vec<usize>,
    folding: Folding,
    /// Buffers of a row.
    source: Vec<u8>,
    read: Vec<Option<f64>>,
}

impl Reader {
    fn new(columns: &mut Columns, group: &[&Scan], folding: Folding) -> Self {
        let number = |columns: &mut Columns, expr: &str| {
            columns.place(format!("({expr})::float8"), Type::FLOAT8)
        };
        let has_amounts = group.iter().any(|scan| scan.kind == Kind::Amounts);
        let covered = has_amounts.then(|| number(columns, "interval_secs"));
        let key = columns.place(key_sql(group[0]), Type::TEXT);
        let names = group.iter().find_map(|scan| identity(scan));
        let names = names.unwrap_or_default().split(", ");
        let names = names.filter(|name| !name.is_empty());
        let parts = names.map(|name| columns.place(name.to_owned(), Type::UNKNOWN));
        let identity = std::iter::once(key).chain(parts).collect();
        let mut values = Vec::new();
        for scan in group {
            for metric in &scan.metrics {
                values.push(number(columns, Scan::expr(metric).0));
                if rule(scan, metric).columns() == 2 {
                    values.push(number(columns, Scan::whole(metric).0));
                }
            }
        }
        Self {
            covered,
            key,
            identity,
            values,
            folding,
            source: Vec::new(),
            read: Vec::new(),
        }
    }

    fn add(&mut self, at: i64, row: &BinaryCopyOutRow) -> Result<(), tokio_postgres::Error> {
        let covered: Option<f64> = match self.covered {
            Some(column) => row.try_get(column)?,
            None => None,
        };
        let key: Option<&str> = row.try_get(self.key)?;
        self.source.clear();
        for column in &self.identity {
            let part: Option<Sent<'_>> = row.try_get(*column)?;
            let part = part.map(|part| part.0);
            // A length before each, so that different parts never make the same bytes.
            let length = part.map_or(u32::MAX, |part| part.len() as u32);
            self.source.extend_from_slice(&length.to_be_bytes());
            self.source.extend_from_slice(part.unwrap_or_default());
        }
        self.read.clear();
        for column in &self.values {
            self.read.push(row.try_get(*column)?);
        }
        self.folding.add(Sampled {
            at,
            source: &self.source,
            key,
            secs: covered,
            values: &self.read,
        });
        Ok(())
    }
}

fn rules(scan: &Scan) -> impl Iterator<Item = Rule> + '_ {
    scan.metrics.iter().map(|metric| rule(scan, metric))
}

/// Returns the statement for columns of the samples of a table, in the order of instants.
fn statement(
    columns: &Columns,
    groups: &[Vec<&Scan>],
    source: &Source<'_>,
    (from, to): (Timestamp, Timestamp),
) -> String {
    let mut sql = Statement::default();
    let scan = groups[0][0];
    // Levels need no sample before the span.
    let has_counters = groups.iter().flatten().any(|scan| identity(scan).is_some());
    let early = match has_counters {
        true => Timestamp(from.as_micros() - margin(scan, source)),
        false => from,
    };
    let span = Span::between(&mut sql, early, to);
    let filter = filter(&mut sql, scan, source, &span);
    let (relation, filled) = (scan.table.relation(), scan.filled());
    let rows = match scan.kind {
        // An instant without an element is one, too.
        Kind::Elements { column, shape } => format!(
            "(SELECT ts, {column} AS document FROM collector.{relation} WHERE {filter}) d \
             LEFT JOIN LATERAL jsonb_to_recordset(CASE WHEN jsonb_typeof(document) = 'array' THEN document END) \
             AS e({shape}) ON true"
        ),
        _ => format!("collector.{relation} WHERE {filter}{filled}"),
    };
    sql.text = format!(
        "COPY (SELECT {} FROM {rows} ORDER BY ts) TO STDOUT (FORMAT binary)",
        columns.texts.join(", "),
    );
    sql.written_out()
}
