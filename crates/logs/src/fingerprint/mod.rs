//! Like messages get one name.
//!
//! ```text
//! message ─ mask (tokens) ─ sequence ─ miner (pattern) ─ name of the pattern and the level
//! ```
//!
//! A **fingerprint** is the first 16 hexadecimal digits of SHA-256 over `source|level|template`. The
//! template is the message with what varies replaced by `<*>`: typed masks first (`mask`), then the
//! words that turned out to vary (`miner`). The patterns of a source know no level; a pattern has
//! one name for each level it was seen with.
//!
//! **Stable.** The same sequence has the same hash at any time on any machine. When several patterns
//! turn out to be one, the oldest keeps its name and the others become aliases, which
//! [`Fingerprints::take_news`] reports for the pattern table; [`Fingerprints::restore`] takes that
//! table back after a restart.
//!
//! **Bounded.** A source has at most 2048 patterns in memory (`miner`) and may name a given number
//! of new ones in an hour. What goes beyond gets the overflow name of its source and level and is
//! counted; nothing is learned of it, so it costs no memory.

mod code;
mod mask;
mod miner;
mod shape;
#[cfg(test)]
mod tests;
mod token;
mod words;

use std::collections::HashMap;
use std::fmt;

use schema::Timestamp;
use sha2::{Digest, Sha256};

use crate::by_source::BySource;
use crate::event::Level;
use miner::{Change, Miner};
use token::Token;

/// New fingerprints that a source may have in an hour, when nothing else is said. A log with more
/// kinds of messages than that in an hour is one whose variables no mask knows.
pub const BUDGET_PER_HOUR: u32 = 1000;

/// Template of what came after a source's budget was used up.
pub const OVERFLOW: &str = "(more kinds of messages than are told apart)";

const HOUR_MICROS: i64 = 3_600_000_000;

/// Name of what is alike: 16 hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Fingerprint([u8; 16]);

impl Fingerprint {
    fn of(number: u64) -> Self {
        let mut digits = [0; 16];
        for (place, digit) in digits.iter_mut().enumerate() {
            *digit = b"0123456789abcdef"[(number >> (60 - 4 * place)) as usize & 15];
        }
        Self(digits)
    }

    /// The sixteen digits.
    #[must_use]
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or_default()
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

/// A pattern as the database holds it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Known {
    /// Name of the source.
    pub source: String,
    /// Level of its events.
    pub level: Level,
    /// Its name, 16 hexadecimal digits.
    pub fingerprint: String,
    /// What its messages have in common.
    pub template: String,
    /// The older pattern that it turned out to be the same as.
    pub alias_of: Option<String>,
}

/// A pattern that is new, or whose template is wider than before: the row of its name is inserted,
/// or its template is replaced.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pattern {
    /// Name of the source.
    pub source: Box<str>,
    /// Level of its events.
    pub level: Level,
    /// Its name.
    pub fingerprint: Fingerprint,
    /// What its messages have in common.
    pub template: String,
}

/// Two patterns of a source turned out to be one. Rows that were stored under `old` keep that name;
/// whoever counts follows the alias.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Merged {
    /// Name of the source.
    pub source: Box<str>,
    /// The name that is an alias from now on.
    pub old: Fingerprint,
    /// What it is an alias of.
    pub into: Fingerprint,
}

/// What the pattern table has to learn.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct News {
    /// New or wider patterns, in the order in which they came to be. A name may come more than once;
    /// the last holds.
    pub patterns: Vec<Pattern>,
    /// New aliases, in order.
    pub merged: Vec<Merged>,
    /// Events that were named by overflow, by source.
    pub overflowed: Vec<(Box<str>, u64)>,
}

impl News {
    /// Whether there is nothing to learn.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.patterns.is_empty() && self.merged.is_empty() && self.overflowed.is_empty()
    }
}

#[derive(Debug, Default)]
struct Source {
    miner: Miner,
    hour: i64,
    /// New names in this hour.
    named: u32,
    /// Events named by overflow since the last news.
    overflowed: u64,
}

/// Names the messages of all sources.
#[derive(Debug)]
pub struct Fingerprints {
    budget_per_hour: u32,
    sources: BySource<Source>,
    tokens: Vec<Token>,
    changes: Vec<Change>,
    news: News,
}

impl Fingerprints {
    /// Knows nothing yet. Each source may have `budget_per_hour` new fingerprints in an hour.
    #[must_use]
    pub fn new(budget_per_hour: u32) -> Self {
        Self {
            budget_per_hour,
            sources: BySource::default(),
            tokens: Vec::new(),
            changes: Vec::new(),
            news: News::default(),
        }
    }

    /// Takes back what the database holds, best in the order of first sight. Rows with a name that
    /// is none are passed over. Gives no news.
    pub fn restore(&mut self, known: impl Iterator<Item = Known>) {
        let mut rows: Vec<(Known, u16)> = Vec::new();
        for known in known {
            let Some(name) = number(&known.fingerprint) else {
                continue;
            };
            if known.template == OVERFLOW {
                continue;
            }
            let source = self.sources.entry(&known.source);
            token::split(&known.template, &mut self.tokens);
            let sequence = token::sum(&self.tokens);
            let pattern = match source.miner.known(sequence) {
                Some(pattern) => pattern,
                None => source.miner.add(sequence, 0),
            };
            let level = known.level as usize;
            if source.miner.name(pattern, level) == 0 {
                source.miner.set_name(pattern, level, name);
            }
            rows.push((known, pattern));
        }
        self.restore_aliases(&rows);
    }

    fn restore_aliases(&mut self, rows: &[(Known, u16)]) {
        let by_name: HashMap<(&str, &str), usize> = rows
            .iter()
            .enumerate()
            .map(|(at, (row, _))| ((row.source.as_str(), row.fingerprint.as_str()), at))
            .collect();
        let mut roots = vec![false; rows.len()];
        for (row, pattern) in rows {
            let alias = row.alias_of.as_deref();
            let Some(at) = alias.and_then(|alias| by_name.get(&(row.source.as_str(), alias)))
            else {
                continue;
            };
            roots[*at] = true;
            let source = self.sources.entry(&row.source);
            source.miner.join(*pattern, rows[*at].1);
        }
        for ((row, pattern), is_root) in rows.iter().zip(roots) {
            let source = self.sources.entry(&row.source);
            token::split(&row.template, &mut self.tokens);
            if is_root {
                source.miner.restore_open(&self.tokens, *pattern);
            }
            source
                .miner
                .register(&mut self.tokens, &row.template, *pattern, &mut self.changes);
        }
        self.changes.clear();
    }

    /// The name of a message. `message` is what is stored of it: redacted, cleaned and cut.
    pub fn name(
        &mut self,
        source_name: &str,
        level: Level,
        message: &str,
        now: Timestamp,
    ) -> Fingerprint {
        let source = self.sources.entry(source_name);
        let hour = now.0.div_euclid(HOUR_MICROS);
        if source.hour != hour {
            (source.hour, source.named) = (hour, 0);
        }
        mask::scan(message, &mut self.tokens);
        let sequence = token::sum(&self.tokens);
        let place = level as usize;
        let found = source
            .miner
            .find(&self.tokens, message, sequence, hour as i32);
        if let Some(pattern) = found {
            let name = source.miner.name(pattern, place);
            if name != 0 {
                return Fingerprint::of(name);
            }
        }
        if source.named >= self.budget_per_hour {
            source.overflowed += 1;
            return Fingerprint::of(hashed(source_name, level, OVERFLOW));
        }
        source.named += 1;
        let pattern = match found {
            Some(pattern) => {
                source.miner.widen(&mut self.tokens, message);
                pattern
            }
            None => source.miner.add(sequence, hour as i32),
        };
        let template = token::render(&self.tokens, message);
        let name = hashed(source_name, level, &template);
        source.miner.set_name(pattern, place, name);
        self.news.patterns.push(Pattern {
            source: source_name.into(),
            level,
            fingerprint: Fingerprint::of(name),
            template,
        });
        if found.is_none() {
            source
                .miner
                .register(&mut self.tokens, message, pattern, &mut self.changes);
            let name = source.miner.name(source.miner.root(pattern), place);
            self.tell(source_name);
            return Fingerprint::of(name);
        }
        Fingerprint::of(name)
    }

    /// What the pattern table has to learn since the last time.
    pub fn take_news(&mut self) -> News {
        let mut news = std::mem::take(&mut self.news);
        for (name, source) in self.sources.iter_mut() {
            if source.overflowed > 0 {
                let overflowed = std::mem::take(&mut source.overflowed);
                news.overflowed.push((name.into(), overflowed));
            }
        }
        news
    }

    fn tell(&mut self, source: &str) {
        for change in self.changes.drain(..) {
            match change {
                Change::Merged(old, into) => self.news.merged.push(Merged {
                    source: source.into(),
                    old: Fingerprint::of(old),
                    into: Fingerprint::of(into),
                }),
                Change::Wider(level, name, template) => self.news.patterns.push(Pattern {
                    source: source.into(),
                    level: Level::ALL[level],
                    fingerprint: Fingerprint::of(name),
                    template,
                }),
            }
        }
    }
}

fn number(fingerprint: &str) -> Option<u64> {
    if fingerprint.len() != 16 {
        return None;
    }
    u64::from_str_radix(fingerprint, 16)
        .ok()
        .filter(|number| *number != 0)
}

fn hashed(source: &str, level: Level, template: &str) -> u64 {
    let mut sha = Sha256::new();
    for part in [source, "|", level.as_str(), "|", template] {
        sha.update(part.as_bytes());
    }
    let digest = sha.finalize();
    digest
        .iter()
        .take(8)
        .fold(0, |number, byte| number << 8 | u64::from(*byte))
}
