//! Finding lines: the slices of a range, and one statement for each.

use std::time::{Duration, Instant as Moment};

use schema::Timestamp;
use store::series::{Instant, ReadError};
use tokio_postgres::types::{ToSql, Type};
use tokio_postgres::{Client, Row};

use super::{Filter, Key, LogLine};

const SELECT: &str = include_str!("../sql/log_entries.sql");
const NEWEST_FIRST: &str = "ORDER BY ts DESC, source DESC, at DESC, line_id DESC LIMIT $17";
const OLDEST_FIRST: &str = "ORDER BY ts, source, at, line_id LIMIT $17";
/// The same orders by what no index has: the planner, which overrates how many lines hold a text,
/// would else walk an index line by line where a scan on all cores takes a third of the time.
const SCAN_NEWEST: &str =
    "ORDER BY ts + interval '0' DESC, source DESC, at DESC, line_id DESC LIMIT $17";
const SCAN_OLDEST: &str = "ORDER BY ts + interval '0', source, at, line_id LIMIT $17";

const HOUR: i64 = 3_600_000_000;
/// Lines of the first slice, which is read in the order of the index, of the second, and of any further
/// one: a million is scanned in some 300 ms on two cores.
const ROOM: [i64; 3] = [20_000, 200_000, 1_000_000];
/// After this no further slice is begun.
const ENOUGH: Duration = Duration::from_millis(1_200);

/// Which lines are asked for.
#[derive(Clone, Debug)]
pub(crate) struct Ask<'a> {
    pub(crate) host_id: i32,
    pub(crate) from: Timestamp,
    /// Not included.
    pub(crate) to: Timestamp,
    pub(crate) filter: &'a Filter,
    /// Lines before this one.
    pub(crate) before: Option<&'a Key>,
    /// Lines behind this one.
    pub(crate) behind: Option<&'a Key>,
    /// The oldest first instead of the newest.
    pub(crate) is_rising: bool,
    pub(crate) limit: usize,
}

/// What was found.
#[derive(Clone, Debug, Default)]
pub(crate) struct Found {
    /// In the order asked for.
    pub(crate) lines: Vec<LogLine>,
    /// Up to where the search came; `None`: to the end of the range.
    pub(crate) searched: Option<Timestamp>,
}

/// A part of the range.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Slice {
    from: i64,
    /// Not included.
    to: i64,
    /// Whether there are too many lines to walk an index.
    is_scan: bool,
}

/// At most `limit` lines, and where the search ended.
pub(crate) async fn find(client: &Client, ask: &Ask<'_>) -> Result<Found, ReadError> {
    let mut from = ask.from.as_micros();
    let mut to = ask.to.as_micros();
    if let Some(key) = ask.before {
        to = to.min(key.ts.saturating_add(1));
    }
    if let Some(key) = ask.behind {
        from = from.max(key.ts);
    }
    let mut found = Found::default();
    if from >= to {
        return Ok(found);
    }
    let mut slices = if ask.filter.is_empty() {
        let is_scan = false;
        vec![Slice { from, to, is_scan }]
    } else {
        slices(
            &hours(client, ask, from, to).await?,
            from,
            to,
            ask.is_rising,
        )
    };
    slices.reverse();
    let began = Moment::now();
    while let Some(slice) = slices.pop() {
        let rows = read(client, ask, slice, ask.limit - found.lines.len()).await?;
        found.lines.extend(rows);
        if found.lines.len() >= ask.limit {
            break;
        }
        if began.elapsed() > ENOUGH && !slices.is_empty() {
            let edge = if ask.is_rising { slice.to } else { slice.from };
            found.searched = Some(Timestamp(edge));
            break;
        }
    }
    Ok(found)
}

async fn read(
    client: &Client,
    ask: &Ask<'_>,
    slice: Slice,
    limit: usize,
) -> Result<Vec<LogLine>, ReadError> {
    let order = match (ask.is_rising, slice.is_scan) {
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
    } = Needle::of(&ask.filter.text);
    let before = KeyParams::of(ask.before);
    let behind = KeyParams::of(ask.behind);
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let params = [
        (&ask.host_id as &(dyn ToSql + Sync), Type::INT4),
        (&from, Type::TIMESTAMPTZ),
        (&to, Type::TIMESTAMPTZ),
        (&ask.filter.levels, Type::TEXT_ARRAY),
        (&ask.filter.sources, Type::TEXT_ARRAY),
        (&ask.filter.fingerprints, Type::TEXT_ARRAY),
        (&ascii, Type::TEXT),
        (&beyond, Type::TEXT),
        (&before.ts, Type::TIMESTAMPTZ),
        (&before.source, Type::TEXT),
        (&before.at, Type::INT8),
        (&before.line_id, Type::INT8),
        (&behind.ts, Type::TIMESTAMPTZ),
        (&behind.source, Type::TEXT),
        (&behind.at, Type::INT8),
        (&behind.line_id, Type::INT8),
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

/// A text as it is looked for.
#[derive(Debug, Default, PartialEq)]
struct Needle {
    /// A part that has no case, found without lowering the line, which is half of the work: of an
    /// address or a number all of it.
    plain: Option<String>,
    /// In small letters, where all is ASCII.
    ascii: Option<String>,
    /// For the database to lower, which knows all letters.
    beyond: Option<String>,
}

/// Shorter parts without case are in most lines.
const TELLING: usize = 3;

impl Needle {
    fn of(text: &str) -> Self {
        let runs = text.split(|c: char| !c.is_ascii() || c.is_ascii_alphabetic());
        let longest = runs.max_by_key(|run| run.len()).unwrap_or_default();
        let is_whole = longest.len() == text.len();
        let rest = (!is_whole).then(|| text.to_ascii_lowercase());
        let is_ascii = text.is_ascii();
        Self {
            plain: (!longest.is_empty() && (is_whole || longest.len() >= TELLING))
                .then(|| longest.to_owned()),
            ascii: rest.filter(|_| is_ascii),
            beyond: (!is_ascii).then(|| text.to_owned()),
        }
    }
}

/// Starts of hours that may hold an answer with their numbers of lines, newest first.
async fn hours(
    client: &Client,
    ask: &Ask<'_>,
    from: i64,
    to: i64,
) -> Result<Vec<(i64, i64)>, ReadError> {
    let (from, to) = (Instant(Timestamp(from)), Instant(Timestamp(to)));
    let params = [
        (&ask.host_id as &(dyn ToSql + Sync), Type::INT4),
        (&from, Type::TIMESTAMPTZ),
        (&to, Type::TIMESTAMPTZ),
        (&ask.filter.levels, Type::TEXT_ARRAY),
        (&ask.filter.sources, Type::TEXT_ARRAY),
        (&ask.filter.fingerprints, Type::TEXT_ARRAY),
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

/// Parts of a range in the order in which they are read: a few lines first, then many at a time. An
/// hour that holds more than a slice may is cut, as if its lines lay evenly within it.
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
                room = ROOM[slices.len().min(ROOM.len() - 1)];
                let (from, to) = if is_rising { (low, low) } else { (high, high) };
                let is_scan = !slices.is_empty();
                slices.push(Slice { from, to, is_scan });
            }
            let taken = if lines <= room {
                high - low
            } else {
                // At least a second, so that an end is reached whatever the counts say.
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
            // What lies between two hours holds no answer: reading over it costs nothing.
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
    fn slices_cover_the_hours_once_and_none_holds_too_much() {
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
    fn a_text_is_lowered_by_whoever_knows_its_letters() {
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
