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
use super::fold::{Buckets, Folded, Folding, Rule, Sampled};
use super::history::{History, is_of_slices};
use super::scan::{Kind, Scan, group};
use super::sliced;
use super::slices::is_sliced_metric;
use super::sql::{Source, Span, Statement, filter, key_sql, margin, secs};
use super::value::Instant;
use super::{ReadError, is_of_hours};

/// Answers a query of all keys whose buckets have few samples, as [`buckets`] does: what can be is folded here.
pub async fn of_few_samples(client: &Client, ask: &RangeQuery) -> Answer {
    let is_for_all = ask.limit == ALL && ask.key_prefix.is_none() && !ask.last;
    if !is_for_all || is_of_hours(ask.step) || ask.picks.iter().any(|pick| pick.key.is_some()) {
        return buckets(client, ask).await;
    }
    let only = |picks: Vec<Pick>| RangeQuery {
        picks,
        ..ask.clone()
    };
    let (folds, others): (Vec<_>, Vec<_>) = ask
        .picks
        .iter()
        .cloned()
        .partition(|pick| can_fold(&Scan::of(pick.metric)));
    // Of hours that are over there are slices of what has most samples.
    let (sliced, folds): (Vec<_>, Vec<_>) = folds
        .into_iter()
        .partition(|pick| is_sliced_metric(pick.metric));
    let (sliced, mut folds) = (only(sliced), folds);
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
    let others = only(others);
    // The statements of all are sent at once; the server is never idle between two. Each is on the heap, as the three together would be
    // much of a thread's stack.
    let (mut whole, rest, of_slices) = tokio::join!(
        Box::pin(fold(client, ask, &folds)),
        Box::pin(buckets(client, &others)),
        Box::pin(of_slices)
    );
    for mut more in [rest, of_slices] {
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

/// Folds the samples of picks.
async fn fold(client: &Client, ask: &RangeQuery, picks: &[Pick]) -> Answer {
    let (scans, _) = group(picks.iter().map(|pick| (pick.metric, ())));
    let scans: Vec<Scan> = scans.into_iter().map(|(scan, ())| scan).collect();
    let source = Source {
        host_id: ask.host_id,
        interval: ask.interval,
        keys: None,
    };
    let span = (ask.give_from.max(ask.from), ask.to);
    let mut folded = Answer::default();
    for table in tables(&scans) {
        match read_table(client, &table, &source, span, ask.step).await {
            Ok(found) => {
                for (group, found) in table.iter().zip(found) {
                    folded.series.extend(series(group, found, span.0, ask.step));
                }
            }
            Err(error) => {
                let scans = table.iter().flatten();
                folded.faults.push(Fault {
                    metrics: scans.flat_map(|scan| scan.metrics.clone()).collect(),
                    error,
                });
            }
        }
    }
    folded
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

/// Returns whether the rules of folding are those of a scan: all but elements.
fn can_fold(scan: &Scan) -> bool {
    !matches!(scan.kind, Kind::Elements { .. })
}

/// Returns the rule by which rows of a metric become a value.
fn rule(scan: &Scan, metric: &'static schema::Metric) -> Rule {
    let scale = Scan::expr(metric).1;
    match scan.kind {
        Kind::Level { .. } | Kind::Elements { .. } => Rule::Level(Scan::fold(metric)),
        Kind::Steps { .. } => Rule::Steps(scale),
        Kind::Share { .. } => Rule::Share(scale),
        Kind::Amounts => Rule::Amount(scale),
        Kind::AmountShare => Rule::AmountShare(scale),
    }
}

/// Scans that are folded together: of one table and key, with counters of one identity.
type Group<'a> = Vec<&'a Scan>;

/// Returns the scans by table: what is read together, in groups.
fn tables(scans: &[Scan]) -> Vec<Vec<Group<'_>>> {
    let mut tables: Vec<Vec<Group<'_>>> = Vec::new();
    for scan in scans {
        let is_alike =
            |known: &Scan| known.table.name == scan.table.name && known.every == scan.every;
        let Some(table) = tables.iter_mut().find(|groups| is_alike(groups[0][0])) else {
            tables.push(vec![vec![scan]]);
            continue;
        };
        let joins = |group: &&mut Group<'_>| {
            let mut others = group.iter().filter_map(|known| identity(known));
            group[0].key == scan.key
                && identity(scan).is_none_or(|own| others.all(|known| known == own))
        };
        match table.iter_mut().find(joins) {
            Some(group) => group.push(scan),
            None => table.push(vec![scan]),
        }
    }
    tables
}

/// Returns the series of what is folded.
fn series(
    group: &[&Scan],
    found: Vec<Folded>,
    from: Timestamp,
    step: i64,
) -> impl Iterator<Item = FoundSeries> {
    let metrics: Vec<&'static schema::Metric> =
        group.iter().flat_map(|scan| scan.metrics.clone()).collect();
    found.into_iter().flat_map(move |one| {
        let Folded { name, slices, .. } = one;
        let of_metric = metrics.clone().into_iter().zip(slices);
        of_metric.filter_map(move |(metric, slices)| {
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
                last: None,
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

/// Reads the samples of a span of scans of one table and key, and folds them into buckets of `length` microseconds, counted from its
/// beginning.
pub(crate) async fn read(
    client: &Client,
    scans: &[&Scan],
    source: &Source<'_>,
    span: (Timestamp, Timestamp),
    length: i64,
) -> Result<Vec<Folded>, ReadError> {
    if scans.is_empty() {
        return Ok(Vec::new());
    }
    let folded = read_table(client, &[scans.to_vec()], source, span, length).await?;
    Ok(folded.into_iter().next().unwrap_or_default())
}

/// Reads the samples of a span of a table once, and folds those of each group.
async fn read_table(
    client: &Client,
    groups: &[Group<'_>],
    source: &Source<'_>,
    (from, to): (Timestamp, Timestamp),
    length: i64,
) -> Result<Vec<Vec<Folded>>, ReadError> {
    let Some(scan) = groups.iter().flatten().next() else {
        return Ok(Vec::new());
    };
    let longest = secs(margin(scan, source));
    let fault = |source| ReadError::new(scan.table.name, source);
    let span = to.as_micros() - from.as_micros();
    let buckets = Buckets {
        length,
        count: usize::try_from((span + length - 1) / length).unwrap_or(0),
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
    fn new(columns: &mut Columns, group: &Group<'_>, folding: Folding) -> Self {
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
    groups: &[Group<'_>],
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
    sql.text = format!(
        "COPY (SELECT {} FROM collector.{} WHERE {filter} ORDER BY ts) TO STDOUT (FORMAT binary)",
        columns.texts.join(", "),
        scan.table.relation()
    );
    sql.written_out()
}
