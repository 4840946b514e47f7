//! Series that are quotients: amounts by time, and one counter by another.

use super::scan::Scan;
use super::sql::{Param, Source, Span, Statement, each, filter, key_sql, margin, partition, secs};
use super::steps::{elapsed, previous};

/// Returns `ts, k, v0, p0, w0 …`: quotients of two counters' steps, the steps of a source's identities added
/// up before they are divided. A reset of either counter makes both steps unknown.
pub(super) fn of_steps(
    sql: &mut Statement,
    scan: &Scan,
    source: &Source<'_>,
    span: &Span,
    identity: &str,
) -> String {
    let micros = margin(scan, source);
    let margin = sql.bind(Param::Float8(secs(micros)));
    let filter = filter(sql, scan, source, &span.earlier(micros, &margin));
    let key = key_sql(scan);
    let partition = partition(&key, identity);
    let counters = each(&scan.metrics, |part, at, metric| {
        let whole = Scan::whole(metric).0;
        let (part, whole) = (format!("({part})::float8"), format!("({whole})::float8"));
        format!(
            "{part} AS c{at}, {} AS b{at}, {whole} AS d{at}, {} AS e{at}",
            previous(&part),
            previous(&whole)
        )
    });
    let both = each(&scan.metrics, |_, at, metric| {
        let scale = Scan::expr(metric).1;
        let whole = format!("c{at} >= b{at} AND d{at} >= e{at} AND dt > 0 AND dt <= {margin}");
        format!(
            "CASE WHEN {whole} THEN (c{at} - b{at}) * {scale:?}::float8 END AS p{at}, \
             CASE WHEN {whole} THEN d{at} - e{at} END AS w{at}"
        )
    });
    let sums = each(&scan.metrics, |_, at, _| {
        format!(
            "sum(p{at}) / nullif(sum(w{at}), 0) AS v{at}, sum(p{at}) AS p{at}, sum(w{at}) AS w{at}"
        )
    });
    format!(
        "SELECT ts, k{sums}\n  FROM (SELECT ts, k{both}\n  FROM (SELECT ts, {key} AS k{counters}, \
         {} AS dt\n    FROM collector.{}\n    \
         WHERE {filter}\n    WINDOW w AS (PARTITION BY {partition} ORDER BY ts)) c\n  \
         WHERE ts >= {}) i\n  GROUP BY 1, 2",
        elapsed(),
        scan.table.relation(),
        span.from
    )
}

/// Returns `ts, k, v0 …, dt`: amounts per second of the time they cover.
pub(super) fn amounts(
    sql: &mut Statement,
    scan: &Scan,
    source: &Source<'_>,
    span: &Span,
) -> String {
    let filter = filter(sql, scan, source, span);
    let rates = each(&scan.metrics, |expr, at, metric| {
        let scale = Scan::expr(metric).1;
        format!("sum({expr})::float8 / nullif(max(interval_secs), 0) * {scale:?}::float8 AS v{at}")
    });
    format!(
        "SELECT ts, {} AS k{rates}, max(interval_secs) AS dt\n  FROM collector.{}\n  \
         WHERE {filter}\n  GROUP BY 1, 2",
        key_sql(scan),
        scan.table.relation()
    )
}

/// Returns `ts, k, v0, p0, w0 …`: quotients of two amounts.
pub(super) fn of_amounts(
    sql: &mut Statement,
    scan: &Scan,
    source: &Source<'_>,
    span: &Span,
) -> String {
    let filter = filter(sql, scan, source, span);
    let both = each(&scan.metrics, |part, at, metric| {
        let (scale, whole) = (Scan::expr(metric).1, Scan::whole(metric).0);
        let part = format!("sum({part})::float8 * {scale:?}::float8");
        let whole = format!("sum({whole})::float8");
        format!("{part} / nullif({whole}, 0) AS v{at}, {part} AS p{at}, {whole} AS w{at}")
    });
    format!(
        "SELECT ts, {} AS k{both}\n  FROM collector.{}\n  WHERE {filter}\n  GROUP BY 1, 2",
        key_sql(scan),
        scan.table.relation()
    )
}
