//! Partials that are added up here to the buckets of every key.

use std::collections::HashMap;

use schema::{Metric, Timestamp};

use super::buckets::{Bucket, FoundSeries, RangeQuery};
use super::scan::{Kind, Scan};

/// What partials add up to in a bucket.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Sums {
    lo: Option<f64>,
    hi: Option<f64>,
    sum: Option<f64>,
    weight: f64,
}

impl Sums {
    /// Adds the least, greatest and mean value of a partial, and the weight of the mean.
    pub(super) fn add(&mut self, [lo, hi, avg, weight]: [Option<f64>; 4]) {
        let Some(weight) = weight else { return };
        let with =
            |known: Option<f64>, new: Option<f64>, one: fn(f64, f64) -> f64| match (known, new) {
                (Some(known), Some(new)) => Some(one(known, new)),
                (known, new) => known.or(new),
            };
        self.lo = with(self.lo, lo, f64::min);
        self.hi = with(self.hi, hi, f64::max);
        self.sum = with(self.sum, avg.map(|avg| avg * weight), |a, b| a + b);
        self.weight += weight;
    }

    /// Returns the bucket that begins at an instant; `None` where a figure is unknown. The mean of a quotient may lie beyond its values:
    /// it counts what has no divisor.
    fn bucket(&self, at: i64, is_quotient: bool) -> Option<Bucket> {
        let avg = self.sum.filter(|_| self.weight != 0.0)? / self.weight;
        let within = |figure: f64, one: fn(f64, f64) -> f64| match is_quotient {
            true => one(figure, avg),
            false => figure,
        };
        Some(Bucket {
            at: Timestamp(at),
            lo: within(self.lo?, f64::min),
            hi: within(self.hi?, f64::max),
            avg,
        })
    }
}

/// The buckets of a key.
#[derive(Debug)]
struct Line {
    sums: Vec<Sums>,
    last: Option<f64>,
}

/// The buckets of every key of the metrics of a query.
#[derive(Debug)]
pub(super) struct Added {
    metrics: Vec<&'static Metric>,
    from: i64,
    step: i64,
    count: usize,
    lines: HashMap<(usize, Option<String>), Line>,
}

impl Added {
    /// Begins without values. The first bucket begins with the range.
    pub(super) fn new(ask: &RangeQuery) -> Self {
        let from = ask.give_from.max(ask.from).as_micros();
        let span = ask.to.as_micros() - from;
        Self {
            metrics: ask.picks.iter().map(|pick| pick.metric).collect(),
            from,
            step: ask.step,
            count: usize::try_from((span + ask.step - 1) / ask.step).unwrap_or_default(),
            lines: HashMap::new(),
        }
    }

    /// Returns the position of a metric.
    pub(super) fn place(&self, metric: &Metric) -> Option<usize> {
        self.metrics.iter().position(|known| *known == metric)
    }

    /// Returns the buckets of a metric, by its position, and key.
    pub(super) fn buckets(&mut self, metric: usize, key: Option<String>) -> &mut [Sums] {
        &mut self.line(metric, key).sums
    }

    /// Notes the last value of a metric and key.
    pub(super) fn end(&mut self, metric: usize, key: Option<String>, last: Option<f64>) {
        self.line(metric, key).last = last;
    }

    fn line(&mut self, metric: usize, key: Option<String>) -> &mut Line {
        let count = self.count;
        self.lines.entry((metric, key)).or_insert_with(|| Line {
            sums: vec![Sums::default(); count],
            last: None,
        })
    }

    /// Returns the position of the bucket of an instant; one beyond all where there is none.
    pub(super) fn nth(&self, at: i64) -> usize {
        usize::try_from((at - self.from).div_euclid(self.step)).unwrap_or(usize::MAX)
    }

    /// Returns the series that have a value, and those of metrics without a key.
    pub(super) fn series(mut self) -> Vec<FoundSeries> {
        // A single series is in the answer without buckets, too.
        for (at, metric) in self.metrics.clone().into_iter().enumerate() {
            if metric.key.is_none() {
                self.line(at, None);
            }
        }
        let (from, step, metrics) = (self.from, self.step, self.metrics);
        let series = self.lines.into_iter().filter_map(|((at, key), line)| {
            let metric = metrics[at];
            let kind = Scan::of(metric).kind;
            let is_quotient = matches!(kind, Kind::Share { .. } | Kind::AmountShare);
            let buckets: Vec<Bucket> = (0..)
                .zip(&line.sums)
                .filter_map(|(nth, sums)| sums.bucket(from + nth * step, is_quotient))
                .collect();
            (metric.key.is_none() || !buckets.is_empty()).then_some(FoundSeries {
                metric,
                key,
                buckets,
                last: line.last,
            })
        });
        series.collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn partials_add_up_by_their_weight() {
        let mut sums = Sums::default();
        assert_eq!(sums.bucket(7, false), None);
        sums.add([Some(1.0), Some(3.0), Some(2.0), Some(5.0)]);
        sums.add([Some(9.0), Some(9.0), Some(9.0), None]);
        sums.add([Some(2.0), Some(8.0), Some(5.0), Some(10.0)]);
        let bucket = Bucket {
            at: Timestamp(7),
            lo: 1.0,
            hi: 8.0,
            avg: 4.0,
        };
        assert_eq!(sums.bucket(7, false), Some(bucket));
    }

    #[test]
    fn a_quotient_has_its_mean_within() {
        let mut sums = Sums::default();
        sums.add([Some(1.0), Some(3.0), Some(4.0), Some(5.0)]);
        let bucket = sums.bucket(7, true).unwrap();
        assert_eq!((bucket.lo, bucket.hi, bucket.avg), (1.0, 4.0, 4.0));
    }
}
