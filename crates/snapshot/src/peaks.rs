//! The worst values of the window of what matters most.

use schema::Better;
use store::series::Bucket;
use words::round;

use crate::model::Peak;
use crate::readings::{Reading, Readings};

/// The metrics with a card, in their order: those of the reference's summary row.
const PEAKS: [&str; 16] = [
    "system.cpu_busy_pct",
    "system.mem_used_pct",
    "system.load_1",
    "system.pressure_io_some_pct",
    "disk.busy_pct",
    "api.requests_per_sec",
    "api.error_pct",
    "api.p95_ms",
    "proxy.latency_p95_ms",
    "db.conn_used_pct",
    "db.cache_hit_pct",
    "db.deadlocks_per_sec",
    "db.slow_queries",
    "process.cpu_pct",
    "log.all_error_per_sec",
    "log.all_warn_per_sec",
];

/// Returns the peaks; a metric without a sample in the window has none.
pub(crate) fn peaks(readings: &Readings) -> Vec<Peak> {
    PEAKS.iter().filter_map(|id| peak(readings, id)).collect()
}

fn peak(readings: &Readings, id: &'static str) -> Option<Peak> {
    let metric = schema::metric(id)?;
    let is_least = metric.better == Better::Higher;
    let worst = |buckets: &[Bucket]| {
        let ends = buckets.iter().map(|bucket| match is_least {
            true => bucket.lo,
            false => bucket.hi,
        });
        match is_least {
            true => ends.min_by(f64::total_cmp),
            false => ends.max_by(f64::total_cmp),
        }
    };
    let found = readings
        .of(id)
        .filter_map(|one| Some((worst(&one.within)?, one)));
    let is_worse = |a: &(f64, &Reading), b: &(f64, &Reading)| match is_least {
        true => b.0.total_cmp(&a.0),
        false => a.0.total_cmp(&b.0),
    };
    let (value, reading) = found.max_by(is_worse)?;
    Some(Peak {
        metric: id.to_owned(),
        key: reading.key.clone(),
        label: metric.label,
        unit: metric.unit.as_str(),
        is_least,
        worst: round(value),
        before: worst(&reading.before).map(round),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_peak_is_a_metric_of_the_catalogue() {
        for id in PEAKS {
            assert!(
                schema::metric(id).is_some_and(schema::Metric::is_rolled_up),
                "{id}"
            );
        }
    }
}
