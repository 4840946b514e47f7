//! Finding lines: the slices of a range, and one statement for each.

use std::time::{Duration, Instant as Moment};

use schema::Timestamp;
use schema::micros::HOUR;
use store::series::{Instant, ReadError};
use tokio_postgres::types::{ToSql, Type};
use tokio_postgres::{Client, Row};

use super::{Filter, Key, LogLine};

const SELECT: &str = include_str!("../sql/log_entries.sql");
const NEWEST_FIRST: &str = "ORDER BY ts DESC, source DESC, at DESC, line_id DESC LIMIT $17";
const OLDEST_FIRST: &str = "ORDER BY ts, source, at, line_id LIMIT $17";
/// The same orders by expressions without an index: the planner, which overestimates how many lines contain a
/// text, would otherwise walk an index line by line where a parallel scan takes a third of the time.
const SCAN_NEWEST: &str =
    "ORDER BY ts + interval '0' DESC, source DESC, at DESC, line_id DESC LIMIT $17";
const SCAN_OLDEST: &str = "ORDER BY ts + interval '0', source, at, line_id LIMIT $17";

/// Maximum number of lines of the first slice, which is read in the order of the index, of the second, and of any
/// further one: a million is scanned in some 300 ms on two cores.
const SLICE_LINES: [i64; 3] = [20_000, 200_000, 1_000_000];
/// After this time no further slice is searched.
const SEARCH_TIME: Duration = Duration::from_millis(1_200);

/// A query for lines.
#[derive(Clone, Debug)]
pub(crate) struct LineQuery<'a> {
    pub(crate) host_id: i32,
    pub(crate) from: Timestamp,
    /// Exclusive.
    pub(crate) to: Timestamp,
    pub(crate) filter: &'a Filter,
    /// Lines before this one.
    pub(crate) before: Option<&'a Key>,
    /// Lines after this one.
    pub(crate) after: Option<&'a Key>,
    /// Whether the oldest come first instead of the newest.
    pub(crate) is_rising: bool,
    pub(crate) limit: usize,
}

/// The lines found.
#[derive(Clone, Debug, Default)]
pub(crate) struct LinePage {
    /// In the order of the query.
    pub(crate) lines: Vec<LogLine>,
    /// Where the search stopped; `None`: at the end of the range.
    pub(crate) searched: Option<Timestamp>,
}

/// A part of the range.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Slice {
    from: i64,
    /// Exclusive.
    to: i64,
    /// Whether there are too many lines to walk an index.
    is_scan: bool,
}

/// Returns at most `limit` lines, and where the search stopped.
pub(crate) async fn find(client: &Client, query: &LineQuery<'_>) -> Result<LinePage, ReadError> {
    let mut from = query.from.as_micros();
    let mut to = query.to.as_micros();
    if let Some(key) = query.before {
        to = to.min(key.ts.saturating_add(1));
    }
    if let Some(key) = query.after {
        from = from.max(key.ts);
    }
    let mut found = LinePage::default();
    if from >= to {
        return Ok(found);
    }
    let mut slices = if query.filter.is_empty() {
        let is_scan = false;
        vec![Slice { from, to, is_scan }]
    } else {
        slices(
            &hours(client, query, from, to).await?,
            from,
            to,
            query.is_rising,
        )
    };
    slices.reverse();
    let began = Moment::now();
    while let Some(slice) = slices.pop() {
        let rows = read(client, query, slice, query.limit - found.lines.len()).await?;
        found.lines.extend(rows);
        if found.lines.len() >= query.limit {
            break;
        }
        if began.elapsed() > SEARCH_TIME && !slices.is_empty() {
            let edge = if query.is_rising {
                slice.to
            } else {
                slice.from
            };
            found.searched = Some(Timestamp(edge));
            break;
        }
    }
    Ok(found)
}

async fn read(
    client: &Client,
    query: &LineQuery<'_>,
    slice: Slice,
    limit: usize,
) -> Result<Vec<LogLine>, ReadError> {
    let order = match (query.is_rising, slice.is_scan) {
        (false, false) => NEWEST_FIRST,
        (false, true) => SCAN_NEWEST,
        (true, false) => OLDEST_FIRST,
        (true, true) => SCAN_OLDEST,
    };
    let sql = format!("{SELECT}\n{order}");
    let (from, to) = (Instant(Timestamp(slice.from)), Instant(Timestamp(slice.to)));
    let Needle {
        plain,
        ascii,
        beyond,
    } = Needle::of(&query.filter.text);
    let before = KeyParams::of(query.before);
    let after = KeyParams::of(query.after);
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let params = [
        (&query.host_id as &(dyn ToSql + Sync), Type::INT4),
        (&from, Type::TIMESTAMPTZ),
        (&to, Type::TIMESTAMPTZ),
        (&query.filter.levels, Type::TEXT_ARRAY),
        (&query.filter.sources, Type::TEXT_ARRAY),
        (&query.filter.fingerprints, Type::TEXT_ARRAY),
        (&ascii, Type::TEXT),
        (&beyond, Type::TEXT),
        (&before.ts, Type::TIMESTAMPTZ),
        (&before.source, Type::TEXT),
        (&before.at, Type::INT8),
        (&before.line_id, Type::INT8),
        (&after.ts, Type::TIMESTAMPTZ),
        (&after.source, Type::TEXT),
        (&after.at, Type::INT8),
        (&after.line_id, Type::INT8),
        (&limit, Type::INT8),
        (&plain, Type::TEXT),
    ];
    let fault = |source| ReadError::new("log_entries", source);
    let rows = client.query_typed(&sql, &params).await.map_err(fault)?;
    rows.iter()
        .map(LogLine::of)
        .collect::<Result<_, _>>()
        .map_err(fault)
}

struct KeyParams {
    ts: Option<Instant>,
    source: Option<String>,
    at: Option<i64>,
    line_id: Option<i64>,
}

impl KeyParams {
    fn of(key: Option<&Key>) -> Self {
        Self {
            ts: key.map(|key| Instant(Timestamp(key.ts))),
            source: key.map(|key| key.source.clone()),
            at: key.map(|key| key.at),
            line_id: key.map(|key| key.line_id),
        }
    }
}

/// A text to search for.
#[derive(Debug, Default, PartialEq)]
struct Needle {
    /// A part without letters, found without lowering the line, which saves half of the work; the whole
    /// text of an address or a number.
    plain: Option<String>,
    /// The text in lower case, if all of it is ASCII.
    ascii: Option<String>,
    /// The text otherwise; the database lowers it, which knows all letters.
    beyond: Option<String>,
}

/// Minimum length of a part without letters: shorter ones are in most lines.
const MIN_PLAIN: usize = 3;

impl Needle {
    fn of(text: &str) -> Self {
        let runs = text.split(|c: char| !c.is_ascii() || c.is_ascii_alphabetic());
        let longest = runs.max_by_key(|run| run.len()).unwrap_or_default();
        let is_whole = longest.len() == text.len();
        let rest = (!is_whole).then(|| text.to_ascii_lowercase());
        let is_ascii = text.is_ascii();
        Self {
            plain: (!longest.is_empty() && (is_whole || longest.len() >= MIN_PLAIN))
                .then(|| longest.to_owned()),
            ascii: rest.filter(|_| is_ascii),
            beyond: (!is_ascii).then(|| text.to_owned()),
        }
    }
}

/// Returns the hours that may contain matching lines, with their numbers of lines, newest first.
async fn hours(
    client: &Client,
    query: &LineQuery<'_>,
    from: i64,
    to: i64,
) -> Result<Vec<(i64, i64)>, ReadError> {
    let (from, to) = (Instant(Timestamp(from)), Instant(Timestamp(to)));
    let params = [
        (&query.host_id as &(dyn ToSql + Sync), Type::INT4),
        (&from, Type::TIMESTAMPTZ),
        (&to, Type::TIMESTAMPTZ),
        (&query.filter.levels, Type::TEXT_ARRAY),
        (&query.filter.sources, Type::TEXT_ARRAY),
        (&query.filter.fingerprints, Type::TEXT_ARRAY),
    ];
    let fault = |source| ReadError::new("log_metrics_hourly", source);
    let sql = include_str!("../sql/log_hours.sql");
    let rows = client.query_typed(sql, &params).await.map_err(fault)?;
    let hour = |row: &Row| -> Result<(i64, i64), tokio_postgres::Error> {
        let start: Instant = row.try_get("bucket")?;
        Ok((start.0.as_micros(), row.try_get("lines")?))
    };
    rows.iter()
        .map(hour)
        .collect::<Result<_, _>>()
        .map_err(fault)
}

/// Splits a range into slices in the order in which they are read: a few lines first, then many at a time. An
/// hour with more lines than a slice may have is split as if its lines were spread evenly.
fn slices(hours: &[(i64, i64)], from: i64, to: i64, is_rising: bool) -> Vec<Slice> {
    let mut hours: Vec<(i64, i64, i64)> = hours
        .iter()
        .map(|&(start, lines)| (start.max(from), start.saturating_add(HOUR).min(to), lines))
        .filter(|(start, end, _)| start < end)
        .collect();
    if is_rising {
        hours.reverse();
    }
    let mut slices: Vec<Slice> = Vec::new();
    let mut room = 0;
    for (mut low, mut high, mut lines) in hours {
        while low < high {
            if room <= 0 || slices.is_empty() {
                room = SLICE_LINES[slices.len().min(SLICE_LINES.len() - 1)];
                let (from, to) = if is_rising { (low, low) } else { (high, high) };
                let is_scan = !slices.is_empty();
                slices.push(Slice { from, to, is_scan });
            }
            let taken = if lines <= room {
                high - low
            } else {
                // At least a second, so that the search ends whatever the counts are.
                let share = i128::from(high - low) * i128::from(room) / i128::from(lines);
                i64::try_from(share)
                    .unwrap_or(HOUR)
                    .max(1_000_000)
                    .min(high - low)
            };
            let is_whole = taken == high - low;
            let Some(slice) = slices.last_mut() else {
                break;
            };
            // Nothing between two hours matches: reading it costs nothing.
            if is_rising {
                low += taken;
                slice.to = low;
            } else {
                high -= taken;
                slice.from = high;
            }
            let read = if is_whole { lines } else { room };
            lines -= read;
            room -= read;
        }
    }
    slices
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slices_cover_the_hours_once_and_none_is_too_large() {
        let cases: [(&[(i64, i64)], usize); 6] = [
            (&[], 0),
            (&[(3, 10), (2, 10), (0, 10)], 1),
            (&[(3, 20_000), (2, 10)], 2),
            (&[(3, 19_000), (2, 600_000), (1, 500_000), (0, 10)], 3),
            (&[(3, 50_000), (2, 10)], 2),
            (&[(1, 3_500_000)], 6),
        ];
        for (hours, expected) in cases {
            let hours: Vec<_> = hours.iter().map(|&(at, n)| (at * HOUR, n)).collect();
            for is_rising in [false, true] {
                let mut found = slices(&hours, 5, 4 * HOUR - 5, is_rising);
                assert_eq!(found.iter().position(|slice| slice.is_scan).unwrap_or(1), 1);
                if is_rising {
                    found.reverse();
                } else {
                    assert_eq!(found.len(), expected, "{found:?}");
                }
                assert!(
                    found.windows(2).all(|pair| pair[0].from >= pair[1].to),
                    "{found:?}"
                );
                for (start, _) in &hours {
                    for at in [start + 5, start + HOUR / 2, start + HOUR - 6] {
                        let holds = |slice: &&Slice| slice.from <= at && at < slice.to;
                        assert_eq!(found.iter().filter(holds).count(), 1, "{at} {found:?}");
                    }
                }
            }
        }
        let first = slices(&[(0, 40_000)], 0, HOUR, false)[0];
        assert_eq!(
            (first.from, first.to),
            (HOUR / 2, HOUR),
            "half of its lines"
        );
    }

    #[test]
    fn ascii_is_lowered_here_and_other_text_by_the_database() {
        let some = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        for (text, plain, ascii, beyond) in [
            ("", "", "", ""),
            ("A%_\\b", "%_\\", "a%_\\b", ""),
            ("Session 17 ", " 17 ", "session 17 ", ""),
            ("a b", "", "a b", ""),
            ("10.0.0.7", "10.0.0.7", "", ""),
            ("5", "5", "", ""),
            ("\u{c4}rger", "", "", "\u{c4}rger"),
            ("\u{c4}rger 4711", " 4711", "", "\u{c4}rger 4711"),
        ] {
            let (plain, ascii, beyond) = (some(plain), some(ascii), some(beyond));
            let expected = Needle {
                plain,
                ascii,
                beyond,
            };
            assert_eq!(Needle::of(text), expected, "{text}");
        }
    }
}
