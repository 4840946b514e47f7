//! What was learned, as bytes.
//!
//! ```text
//! version u8, then for each series:
//!   length u32, of what follows
//!   metric, key: length u16 and text each
//!   cycle of the last value i64
//!   episode: 0, or 1 and cycle i64, level u8, lead u8, score, deviation, expected, spread, value f64
//!   quiet:   0, or 1 and level u8, cycle i64
//!   the detector's state, to the end
//! ```
//!
//! Numbers are little-endian. A series that cannot be read, because its metric is not scored any more or its detector has
//! another version, is learned anew; a file that is damaged is read as far as it is whole.

use super::episode::{Episode, Lead};
use super::{MOST_KEYS, NormalJudge, PLACES, SCORED, Tracked};
use stats::anomaly::{Detector, Level};

const VERSION: u8 = 1;

impl NormalJudge {
    /// Returns what was learned, for [`NormalJudge::restore`].
    #[must_use]
    pub fn save(&self) -> Vec<u8> {
        let mut bytes = vec![VERSION];
        for (scored, followed) in SCORED.iter().zip(&self.metrics) {
            let id = scored.metric.id();
            let mut series: Vec<_> = followed.series.iter().collect();
            series.sort_by_key(|(key, _)| *key);
            for (key, tracked) in series {
                let series = written(&id, key, tracked);
                let length = u32::try_from(series.len()).unwrap_or(u32::MAX);
                bytes.extend_from_slice(&length.to_le_bytes());
                bytes.extend_from_slice(&series);
            }
        }
        bytes
    }

    /// Continues what was saved. Returns the number of series that were read.
    pub fn restore(&mut self, bytes: &[u8]) -> usize {
        let Some((&VERSION, rest)) = bytes.split_first() else {
            return 0;
        };
        let (mut reader, mut count) = (Reader(rest), 0);
        while let Some(series) = reader.series() {
            let Some((place, key, tracked)) = read(series) else {
                continue;
            };
            let of_metric = &mut self.metrics[place].series;
            if of_metric.len() < MOST_KEYS {
                of_metric.insert(key, Box::new(tracked));
                count += 1;
            }
        }
        count
    }
}

fn written(id: &str, key: &str, tracked: &Tracked) -> Vec<u8> {
    let mut bytes = Vec::new();
    for text in [id, key] {
        // A longer key is not one that anything has.
        let text = text
            .get(..text.len().min(usize::from(u16::MAX)))
            .unwrap_or_default();
        let length = u16::try_from(text.len()).unwrap_or_default();
        bytes.extend_from_slice(&length.to_le_bytes());
        bytes.extend_from_slice(text.as_bytes());
    }
    bytes.extend_from_slice(&tracked.seen.to_le_bytes());
    bytes.push(u8::from(tracked.episode.is_some()));
    if let Some(one) = &tracked.episode {
        bytes.extend_from_slice(&one.begun.to_le_bytes());
        bytes.push(position(&Level::ALL, one.level));
        bytes.push(position(&Lead::ALL, one.lead));
        for number in [
            one.score,
            one.deviation,
            one.expected,
            one.spread,
            one.value,
        ] {
            bytes.extend_from_slice(&number.to_le_bytes());
        }
    }
    bytes.push(u8::from(tracked.quiet.is_some()));
    if let Some((level, until)) = tracked.quiet {
        bytes.push(position(&Level::ALL, level));
        bytes.extend_from_slice(&until.to_le_bytes());
    }
    bytes.extend_from_slice(&tracked.detector.save());
    bytes
}

fn position<T: PartialEq + Copy>(all: &[T], one: T) -> u8 {
    let place = all.iter().position(|other| *other == one);
    u8::try_from(place.unwrap_or_default()).unwrap_or_default()
}

/// Reads a series: the place of its metric, its key and what is known of it.
fn read(bytes: &[u8]) -> Option<(usize, Box<str>, Tracked)> {
    let mut reader = Reader(bytes);
    let metric = schema::metric(reader.text()?)?;
    let place = *PLACES.get(&(metric.domain, metric.name))?;
    let key: Box<str> = reader.text()?.into();
    let seen = i64::from_le_bytes(reader.array()?);
    let episode = match reader.byte()? {
        0 => None,
        _ => Some(reader.episode()?),
    };
    let quiet = match reader.byte()? {
        0 => None,
        _ => {
            let level = *Level::ALL.get(usize::from(reader.byte()?))?;
            Some((level, i64::from_le_bytes(reader.array()?)))
        }
    };
    let detector = Detector::restore(reader.0).ok()?;
    let tracked = Tracked {
        detector,
        seen,
        episode,
        quiet,
    };
    Some((place, key, tracked))
}

/// Bytes that are read from the front; `None` where there are too few.
struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(taken)
    }

    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        self.take(N)?.try_into().ok()
    }

    fn byte(&mut self) -> Option<u8> {
        self.array::<1>().map(|[byte]| byte)
    }

    fn text(&mut self) -> Option<&'a str> {
        let length = u16::from_le_bytes(self.array()?);
        std::str::from_utf8(self.take(usize::from(length))?).ok()
    }

    fn series(&mut self) -> Option<&'a [u8]> {
        let length = u32::from_le_bytes(self.array()?);
        self.take(usize::try_from(length).ok()?)
    }

    fn number(&mut self) -> Option<f64> {
        Some(f64::from_le_bytes(self.array()?)).filter(|number| number.is_finite())
    }

    fn episode(&mut self) -> Option<Episode> {
        Some(Episode {
            begun: i64::from_le_bytes(self.array()?),
            level: *Level::ALL.get(usize::from(self.byte()?))?,
            lead: *Lead::ALL.get(usize::from(self.byte()?))?,
            score: self.number()?,
            deviation: self.number()?,
            expected: self.number()?,
            spread: self.number()?,
            value: self.number()?,
        })
    }
}
