//! Numbers of lines, and families of patterns.

use std::collections::BTreeMap;

use schema::Timestamp;
use schema::micros::HOUR;
use store::series::{Instant, ReadError};
use tokio_postgres::Client;
use tokio_postgres::types::{ToSql, Type};

use super::Filter;
use crate::range::Range;

/// Numbers of lines of a range.
pub(crate) struct Counts {
    /// Lines that match the filters.
    pub(crate) matched: i64,
    /// `level` and `source` → value → lines that match the other filter.
    pub(crate) facets: BTreeMap<&'static str, BTreeMap<String, i64>>,
}

/// Returns since when lines are kept, if the range reaches further back and older lines were counted.
pub(crate) async fn kept_from(
    client: &Client,
    host_id: i32,
    range: Range,
) -> Result<Option<Timestamp>, ReadError> {
    let (from, to) = (Instant(range.from), Instant(range.to));
    let params = [
        (&host_id as &(dyn ToSql + Sync), Type::INT4),
        (&from, Type::TIMESTAMPTZ),
        (&to, Type::TIMESTAMPTZ),
    ];
    let fault = |source| ReadError::new("kept", source);
    let sql = include_str!("../sql/log_kept.sql");
    let rows = client.query_typed(sql, &params).await.map_err(fault)?;
    let kept = rows.first().map(|row| row.try_get::<_, Instant>(0));
    Ok(kept.transpose().map_err(fault)?.map(|at| at.0))
}

/// Counts the lines of a range by level and source; the text filter is ignored. Where lines are no longer kept, those of
/// the hours that the range touches are counted.
pub(crate) async fn counts(
    client: &Client,
    host_id: i32,
    range: Range,
    filter: &Filter,
    kept_from: Option<Timestamp>,
) -> Result<Counts, ReadError> {
    let Range { from, to } = range;
    let (whole_from, whole_to) = whole_hours(from, to, kept_from);
    let (from, to) = (Instant(from), Instant(to));
    let params = [
        (&host_id as &(dyn ToSql + Sync), Type::INT4),
        (&from, Type::TIMESTAMPTZ),
        (&to, Type::TIMESTAMPTZ),
        (&Instant(whole_from), Type::TIMESTAMPTZ),
        (&Instant(whole_to), Type::TIMESTAMPTZ),
    ];
    let fault = |source| ReadError::new("log_counts", source);
    let sql = include_str!("../sql/log_counts.sql");
    let rows = client.query_typed(sql, &params).await.map_err(fault)?;
    let mut matched = 0;
    let mut facets: BTreeMap<&'static str, BTreeMap<String, i64>> = BTreeMap::new();
    let passes = |chosen: &Option<Vec<String>>, value: &String| {
        chosen.as_ref().is_none_or(|chosen| chosen.contains(value))
    };
    for row in rows {
        let source: String = row.try_get("source").map_err(fault)?;
        let level: String = row.try_get("level").map_err(fault)?;
        let lines: i64 = row.try_get("lines").map_err(fault)?;
        let by_level = passes(&filter.levels, &level);
        let by_source = passes(&filter.sources, &source);
        if by_level && by_source {
            matched += lines;
        }
        if by_source {
            *facets.entry("level").or_default().entry(level).or_default() += lines;
        }
        if by_level {
            *facets
                .entry("source")
                .or_default()
                .entry(source)
                .or_default() += lines;
        }
    }
    Ok(Counts { matched, facets })
}

/// Returns the hours whose sums count: the whole ones within a range, and before `kept_from` all that it touches; if there
/// are none, both are its end.
fn whole_hours(
    from: Timestamp,
    to: Timestamp,
    kept_from: Option<Timestamp>,
) -> (Timestamp, Timestamp) {
    let down = |at: Timestamp| at.as_micros().div_euclid(HOUR) * HOUR;
    let up = |at: Timestamp| -(-at.as_micros()).div_euclid(HOUR) * HOUR;
    let is_gone = |at: Timestamp| kept_from.is_some_and(|kept| at < kept);
    let first = if is_gone(from) { down(from) } else { up(from) };
    let last = if is_gone(to) { up(to) } else { down(to) };
    if first < last {
        (Timestamp(first), Timestamp(last))
    } else {
        (to, to)
    }
}

/// Returns a pattern and those that were merged into it, whose fingerprints older lines have.
pub(crate) async fn family(
    client: &Client,
    host_id: i32,
    pattern: &str,
) -> Result<Vec<String>, ReadError> {
    let params = [
        (&host_id as &(dyn ToSql + Sync), Type::INT4),
        (&pattern, Type::TEXT),
    ];
    let fault = |source| ReadError::new("log_patterns", source);
    let sql = include_str!("../sql/log_family.sql");
    let rows = client.query_typed(sql, &params).await.map_err(fault)?;
    let names = rows.iter().map(|row| row.try_get(0));
    names.collect::<Result<_, _>>().map_err(fault)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_hours_lie_within_the_range() {
        let of = |from, to| {
            let (first, last) = whole_hours(Timestamp(from), Timestamp(to), None);
            (first.as_micros(), last.as_micros())
        };
        let older = |from, to| {
            let kept = Some(Timestamp(5 * HOUR));
            let (first, last) = whole_hours(Timestamp(from), Timestamp(to), kept);
            (first.as_micros(), last.as_micros())
        };
        assert_eq!(older(1, HOUR - 1), (0, HOUR), "the hour that it touches");
        assert_eq!(older(HOUR + 1, 7 * HOUR + 7), (HOUR, 7 * HOUR));
        assert_eq!(older(5 * HOUR + 1, 7 * HOUR + 7), (6 * HOUR, 7 * HOUR));
        assert_eq!(of(0, 2 * HOUR), (0, 2 * HOUR));
        assert_eq!(of(1, 3 * HOUR + 7), (HOUR, 3 * HOUR));
        assert_eq!(of(1, HOUR + 7), (HOUR + 7, HOUR + 7));
        assert_eq!(of(1, 2 * HOUR - 1), (2 * HOUR - 1, 2 * HOUR - 1));
    }
}
