//! Samples that are folded here instead of by the server: it sends them once, in the order of their instants.
//!
//! The statements sort samples for the steps of their counters, group them by instant and key where several sources have one key, and
//! group them again by bucket; levels and counters of a table are a statement each. 25,000 samples of processes took a server 165 ms so;
//! to send them takes it 60 ms. Hours that are over have slices, which are fewer. Expressions are evaluated by the server in both ways, and a test compares both.

use std::pin::pin;

use futures_util::TryStreamExt as _;
use schema::{Fold, Timestamp};
use tokio_postgres::Client;
use tokio_postgres::binary_copy::BinaryCopyOutStream;
use tokio_postgres::types::{FromSql, Type};

use super::buckets::{ALL, Answer, Bucket, Fault, FoundSeries, Pick, RangeQuery, answer, buckets};
use super::fold::{Buckets, Folded, Folding, Rule, Sampled};
use super::history::{History, is_of_slices};
use super::scan::{Kind, Scan, group};
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
            Some(history) => answer(client, &sliced, Some(history)).await,
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
    whole.series.sort_by_key(order);
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
    for group in groups(&scans) {
        match read(client, &group, &source, span, ask.step).await {
            Ok(found) => folded
                .series
                .extend(series(&group, found, span.0, ask.step)),
            Err(error) => folded.faults.push(Fault {
                metrics: group.iter().flat_map(|scan| scan.metrics.clone()).collect(),
                error,
            }),
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

/// Returns whether the rules of folding are those of a scan: all but the greatest or mean of several levels, and elements.
fn can_fold(scan: &Scan) -> bool {
    match scan.kind {
        Kind::Level { folded } => {
            let is_sum = |metric: &&schema::Metric| Scan::fold(metric) == Fold::Sum;
            !folded || scan.metrics.iter().all(is_sum)
        }
        Kind::Steps { .. } | Kind::Share { .. } | Kind::Amounts | Kind::AmountShare => true,
        Kind::Elements { .. } => false,
    }
}

/// Returns the rule by which rows of a metric become a value.
fn rule(scan: &Scan, metric: &'static schema::Metric) -> Rule {
    let scale = Scan::expr(metric).1;
    match scan.kind {
        Kind::Level { .. } | Kind::Elements { .. } => Rule::Level,
        Kind::Steps { .. } => Rule::Steps(scale),
        Kind::Share { .. } => Rule::Share(scale),
        Kind::Amounts => Rule::Amount(scale),
        Kind::AmountShare => Rule::AmountShare(scale),
    }
}

/// Returns the scans that are read together: of one table and key, with counters of one identity.
fn groups(scans: &[Scan]) -> Vec<Vec<&Scan>> {
    let mut groups: Vec<Vec<&Scan>> = Vec::new();
    for scan in scans {
        let found = groups.iter_mut().find(|group| {
            let known = group[0];
            let is_alike = known.table.name == scan.table.name
                && known.key == scan.key
                && known.every == scan.every;
            let others = group.iter().filter_map(|known| identity(known));
            is_alike
                && identity(scan).is_none_or(|own| others.into_iter().all(|known| known == own))
        });
        match found {
            Some(group) => group.push(scan),
            None => groups.push(vec![scan]),
        }
    }
    groups
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
    (from, to): (Timestamp, Timestamp),
    length: i64,
) -> Result<Vec<Folded>, ReadError> {
    let Some(scan) = scans.first() else {
        return Ok(Vec::new());
    };
    let longest = margin(scan, source);
    let fault = |source| ReadError::new(scan.table.name, source);
    let (sql, types) = statement(scans, source, (from, to));
    let rows = client.copy_out(&sql).await.map_err(fault)?;
    let mut rows = pin!(BinaryCopyOutStream::new(rows, &types));

    let each = scans.iter().flat_map(|scan| {
        let metrics = scan.metrics.iter();
        metrics.map(|metric| rule(scan, metric))
    });
    let rules: Vec<Rule> = each.collect();
    let first_value = types.len() - rules.iter().map(|rule| rule.columns()).sum::<usize>();
    let first_part = usize::from(has_amounts(scans)) + 1;
    let span = to.as_micros() - from.as_micros();
    let buckets = Buckets {
        length,
        count: usize::try_from((span + length - 1) / length).unwrap_or(0),
    };
    let mut folding = Folding::new(rules, from.as_micros(), secs(longest), buckets);
    let (mut name, mut values) = (Vec::new(), Vec::new());
    while let Some(row) = rows.try_next().await.map_err(fault)? {
        let at: Instant = row.try_get(0).map_err(fault)?;
        let covered: Option<f64> = match first_part {
            1 => None,
            _ => row.try_get(1).map_err(fault)?,
        };
        let key: Option<&str> = row.try_get(first_part).map_err(fault)?;
        name.clear();
        for column in first_part..first_value {
            let part: Option<Sent<'_>> = row.try_get(column).map_err(fault)?;
            let part = part.map(|part| part.0);
            // A length before each, so that different parts never make the same bytes.
            let length = part.map_or(u32::MAX, |part| part.len() as u32);
            name.extend_from_slice(&length.to_be_bytes());
            name.extend_from_slice(part.unwrap_or_default());
        }
        values.clear();
        for column in first_value..types.len() {
            values.push(row.try_get::<Option<f64>>(column).map_err(fault)?);
        }
        folding.add(Sampled {
            at: at.0.as_micros(),
            source: &name,
            key,
            secs: covered,
            values: &values,
        });
    }
    Ok(folding.end())
}

/// Returns whether the rows state how long their amounts cover.
fn has_amounts(scans: &[&Scan]) -> bool {
    scans.iter().any(|scan| scan.kind == Kind::Amounts)
}

/// Returns the statement for `ts, [interval,] k, identity …, values …` in the order of instants, and the types of its columns.
fn statement(
    scans: &[&Scan],
    source: &Source<'_>,
    (from, to): (Timestamp, Timestamp),
) -> (String, Vec<Type>) {
    let scan = scans[0];
    let mut sql = Statement::default();
    let identity = scans.iter().find_map(|scan| identity(scan));
    // Levels need no sample before the span.
    let early = match identity {
        Some(_) => Timestamp(from.as_micros() - margin(scan, source)),
        None => from,
    };
    let span = Span::between(&mut sql, early, to);
    let filter = filter(&mut sql, scan, source, &span);
    let (mut columns, mut types) = (vec!["ts".to_owned()], vec![Type::TIMESTAMPTZ]);
    if has_amounts(scans) {
        columns.push("interval_secs::float8".to_owned());
        types.push(Type::FLOAT8);
    }
    columns.push(key_sql(scan));
    types.push(Type::TEXT);
    for column in identity
        .unwrap_or_default()
        .split(", ")
        .filter(|name| !name.is_empty())
    {
        columns.push(column.to_owned());
        types.push(Type::UNKNOWN);
    }
    for (scan, metric) in scans
        .iter()
        .flat_map(|scan| scan.metrics.iter().map(move |metric| (scan, *metric)))
    {
        columns.push(format!("({})::float8", Scan::expr(metric).0));
        types.push(Type::FLOAT8);
        if rule(scan, metric).columns() == 2 {
            columns.push(format!("({})::float8", Scan::whole(metric).0));
            types.push(Type::FLOAT8);
        }
    }
    sql.text = format!(
        "COPY (SELECT {} FROM collector.{} WHERE {filter} ORDER BY ts) TO STDOUT (FORMAT binary)",
        columns.join(", "),
        scan.table.relation()
    );
    (sql.written_out(), types)
}
