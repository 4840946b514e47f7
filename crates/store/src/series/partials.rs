//! Partials: what is kept of the samples of an hour or a day, and of longer spans while they are computed.
//!
//! A partial of a metric and key is five figures, of which any number add up to that of a longer span:
//!
//! * `lo`, `hi`: the least and the greatest sample;
//! * `avg`: the mean of the samples, weighted, and `w`: the weight of that mean;
//! * `last`: the sample at the newest instant of the scan, NULL for a key that has none there.
//!
//! | kind | weight | so that |
//! |---|---|---|
//! | level | number of samples | `avg * w` is their sum |
//! | counter | seconds with a known step | `avg * w` is the increase, times the metric's factor |
//! | share | step of the divisor | `avg * w` is the step of the dividend, times the factor |
//! | amount | seconds that rows of this key cover | `avg * w` is the amount, times the factor |
//!
//! Nothing else is needed: a mean of means is weighted, a share is divided after both parts are added up, and the
//! greatest rate is that of one step, not of an hour. The samples are those of the reader (`samples`), so that
//! folding keys, resets and gaps follow the same rules, and a metric that is not linear in its columns is exact.
//!
//! Of amounts, a tick with rows of other keys only is 0. How long rows of any key cover a span is a partial without a key
//! ("the cover"), whose weight is that time. Its figures are not applied to the other partials before these are reduced to
//! buckets.

use std::fmt::Write as _;

use schema::micros::SECOND;

use super::scan::{Kind, Scan};
use super::sql::{Source, Span, Statement, mean, samples};

/// Figures of a partial in the array that stores it.
pub(super) const FIGURES: [&str; 5] = ["lo", "hi", "avg", "w", "last"];

/// A share of the cover less than 1, so that sums of the same times in another order do not differ.
const WHOLE: &str = "0.999999";

/// Returns `SELECT ts, k, lo0, hi0, avg0, w0 …` with one partial per span of `length` microseconds and key, `ts` being the start
/// of the span. Spans are counted from the epoch.
pub(super) fn spans(
    sql: &mut Statement,
    scan: &Scan,
    source: &Source<'_>,
    span: &Span,
    length: i64,
) -> String {
    let own = own_spans(sql, scan, source, span, length);
    with_cover(scan, &own)
}

/// Returns the same, of amounts without their cover.
pub(super) fn own_spans(
    sql: &mut Statement,
    scan: &Scan,
    source: &Source<'_>,
    span: &Span,
    length: i64,
) -> String {
    let start = start(length);
    let inner = samples(sql, scan, source, span);
    let figures = figures(scan);
    format!("SELECT {start} AS ts, k{figures}\n  FROM (\n  {inner}\n  ) samples\n  GROUP BY 1, 2")
}

/// Returns SQL for the start of the span of `ts`, counted from the epoch, whatever the session's time zone.
fn start(length: i64) -> String {
    format!(
        "date_bin('{} s', ts, 'epoch'::timestamptz)",
        length / SECOND
    )
}

fn figures(scan: &Scan) -> String {
    let mut text = String::new();
    for at in 0..scan.metrics.len() {
        let (mean, weight) = mean_and_weight(scan.kind, at);
        // Writing to a String cannot fail.
        let _infallible = write!(
            text,
            ", min(v{at}) AS lo{at}, max(v{at}) AS hi{at}, {mean} AS avg{at}, {weight} AS w{at}"
        );
    }
    text
}

/// Returns SQL for the mean of the samples of one group and its weight; both are NULL without a sample.
fn mean_and_weight(kind: Kind, at: usize) -> (String, String) {
    let weight = match kind {
        Kind::Level { .. } | Kind::Elements { .. } => format!("nullif(count(v{at}), 0)::float8"),
        Kind::Steps { .. } => format!("sum(dt) FILTER (WHERE v{at} IS NOT NULL)"),
        Kind::Share { .. } | Kind::AmountShare => format!("nullif(sum(w{at}), 0)"),
        Kind::Amounts => {
            let mean = format!("sum(v{at} * dt) / nullif(sum(dt), 0)");
            return (mean, "sum(dt)".to_owned());
        }
    };
    (mean(kind, at, ""), weight)
}

/// Adds the cover of each hour to partials of amounts.
fn with_cover(scan: &Scan, own: &str) -> String {
    if scan.kind != Kind::Amounts {
        return own.to_owned();
    }
    let none = ", NULL::float8, NULL::float8, NULL::float8";
    let cover: String = (0..scan.metrics.len())
        .map(|at| format!("{none}, max(w{at})"))
        .collect();
    format!(
        "WITH own AS MATERIALIZED (\n  {own}\n  )\n  SELECT * FROM own UNION ALL\n  \
         SELECT ts, NULL{cover} FROM own GROUP BY 1"
    )
}

/// Returns SQL for the least, greatest and mean value of a bucket, from the partials in it (`lo0, hi0, avg0, w0 …`).
/// `cover` is the window of all keys of the bucket.
pub(super) fn reduce(kind: Kind, at: usize, cover: &str) -> String {
    let mean = format!("sum(avg{at} * w{at}) / nullif(sum(w{at}), 0)");
    match kind {
        Kind::Level { .. } | Kind::Steps { .. } | Kind::Elements { .. } => {
            format!(", min(lo{at}) AS lo{at}, max(hi{at}) AS hi{at}, {mean} AS avg{at}")
        }
        Kind::Share { .. } | Kind::AmountShare => format!(
            ", least(min(lo{at}), {mean}) AS lo{at}, greatest(max(hi{at}), {mean}) AS hi{at}, {mean} AS avg{at}"
        ),
        Kind::Amounts => {
            let whole = format!("max(sum(w{at})) FILTER (WHERE k IS NULL) {cover}");
            format!(
                ", CASE WHEN sum(w{at}) < {WHOLE} * {whole} THEN 0 ELSE min(lo{at}) END AS lo{at}, \
                 max(hi{at}) AS hi{at}, sum(avg{at} * w{at}) / nullif({whole}, 0) AS avg{at}"
            )
        }
    }
}

/// Returns SQL for the partial that partials add up to, of the metric at this position.
pub(super) fn sums(at: usize) -> String {
    format!(
        ", min(lo{at}) AS lo{at}, max(hi{at}) AS hi{at}, sum(avg{at} * w{at}) / nullif(sum(w{at}), 0) AS avg{at}, sum(w{at}) AS w{at}"
    )
}

/// Returns the array that stores the partials of a row of so many metrics; `figure` gives SQL for a figure of a metric.
pub(crate) fn array(metrics: usize, figure: impl Fn(usize, &str) -> String) -> String {
    let five = |at: usize| {
        let figures: Vec<String> = FIGURES.iter().map(|name| figure(at, name)).collect();
        format!("ARRAY[{}]", figures.join(", "))
    };
    let fives: Vec<String> = (0..metrics).map(five).collect();
    format!("ARRAY[{}]::float8[]", fives.join(", "))
}

/// Returns SQL for a figure of the metric at this position, from 0, of a stored array.
pub(crate) fn stored(position: usize, figure: usize) -> String {
    format!("stats[{}][{}]", position + 1, figure + 1)
}
