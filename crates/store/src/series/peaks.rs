//! The keys with the highest values of a range, without their buckets.

use schema::{Metric, Timestamp};
use tokio_postgres::Client;

use super::buckets::{Pick, RangeQuery, Ranks, answer};
use super::history::History;
use super::scan::group;
use super::sql::Source;
use super::{Answer, Fault, ReadError};

/// The greatest value of a key in a range.
#[derive(Clone, Debug, PartialEq)]
pub struct Peak {
    /// The metric.
    pub metric: &'static Metric,
    /// Its key.
    pub key: String,
    /// The greatest value.
    pub high: f64,
}

/// Reads the keys with the highest values of `from..to`, at least `limit` of each metric, in no order. What is rolled up of the range is read in as long
/// pieces as there are: the greatest value does not depend on buckets.
///
/// # Errors
/// When a scan cannot be read.
pub async fn peaks(client: &Client, ask: &RangeQuery) -> Result<Vec<Peak>, ReadError> {
    let history = History::to_rank(client, ask).await?;
    let mut found = Vec::new();
    let mut sampled: Vec<Pick> = Vec::new();
    let (scans, _) = group(ask.picks.iter().map(|pick| (pick.metric, ())));
    for (scan, ()) in &scans {
        let Some(history) = history.as_ref().filter(|history| history.serves(scan)) else {
            let picks = scan.metrics.iter().map(|metric| Pick { metric, key: None });
            sampled.extend(picks);
            continue;
        };
        let source = Source {
            host_id: ask.host_id,
            interval: ask.interval,
            keys: None,
        };
        let statement = history.rank_statement(scan, &source, ask);
        for (key, highs, _) in Ranks::read(client, &statement, scan).await?.0 {
            let of_key = scan.metrics.iter().zip(highs);
            found.extend(of_key.filter_map(|(metric, high)| {
                let key = key.clone();
                high.map(|high| Peak { metric, key, high })
            }));
        }
    }
    if !sampled.is_empty() {
        found.extend(of_samples(client, ask, sampled).await?);
    }
    Ok(found)
}

/// Reads peaks from samples: as one bucket, or two where it lies across an edge, of which the first begins before the range.
async fn of_samples(
    client: &Client,
    ask: &RangeQuery,
    picks: Vec<Pick>,
) -> Result<Vec<Peak>, ReadError> {
    let step = ask.to.as_micros() - ask.from.as_micros();
    let ask = RangeQuery {
        step,
        give_from: Timestamp(ask.from.as_micros() - step),
        last: false,
        picks,
        ..ask.clone()
    };
    let Answer { series, mut faults } = answer(client, &ask, None).await;
    if let Some(Fault { error, .. }) = faults.pop() {
        return Err(error);
    }
    let peak = |found: super::FoundSeries| {
        let high = found.buckets.iter().map(|one| one.hi).reduce(f64::max)?;
        Some(Peak {
            metric: found.metric,
            key: found.key.unwrap_or_default(),
            high,
        })
    };
    Ok(series.into_iter().filter_map(peak).collect())
}
