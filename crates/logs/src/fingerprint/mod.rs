//! Like messages get one name.
//!
//! ```text
//! message ─ mask (tokens) ─ form (sequence) ─ miner (family) ─ name
//! ```
//!
//! A **fingerprint** is the first 16 hexadecimal digits of SHA-256 over `source|level|words`, the words
//! of a template with one blank between them. The template is the message with what varies replaced by
//! `<*>`: typed masks first (`mask`, `sequence`), which look at nothing but the message; then the words
//! that turned out to vary among messages (`miner`).
//!
//! **Stable.** A name is a hash of what it names, so the same template has the same name at any time on
//! any machine, and its row never changes. A message is named after its form, whatever came before it.
//! When forms turn out to be one family, it has a name after its template, and theirs become aliases of
//! it, which [`Fingerprints::take_news`] reports for the pattern table; whoever counts follows the
//! aliases. Which forms are one family does not depend on the order in which they came. The one
//! exception is a family of more than 64 forms: what comes then is named after the family.
//! [`Fingerprints::restore`] takes the table back after a restart.
//!
//! **Bounded.** A source has at most 2048 forms in memory (`miner`) and may name a given number of new
//! ones in an hour. What goes beyond gets the overflow name of its source and level and is counted;
//! nothing is learned of it, so it costs no memory.

mod code;
mod mask;
mod miner;
mod sequence;
mod shape;
#[cfg(test)]
mod tests;
mod token;
mod words;

use std::collections::HashMap;
use std::fmt;
use std::num::NonZeroU64;

use schema::Timestamp;
use sha2::{Digest, Sha256};

use crate::by_source::BySource;
use crate::event::Level;
use crate::skeleton::Recent;
use miner::{Message, Miner};
use token::{Kind, Token};

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

/// A pattern that is new: the row of its name is inserted.
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

/// A pattern turned out to be part of another. Rows that were stored under `old` keep that name;
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
    /// New patterns, in the order in which they came to be.
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
    /// Hash of the sequence of messages without their numbers.
    sequences: Recent<u64>,
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
            news: News::default(),
        }
    }

    /// Takes back what the database holds, best in the order of first sight. Rows whose name is not
    /// that of their template, as an older version wrote them, are passed over. Gives no news.
    pub fn restore(&mut self, known: impl Iterator<Item = Known>) {
        let mut by_source: HashMap<String, Vec<(Known, Vec<Token>)>> = HashMap::new();
        for known in known {
            let mut tokens = Vec::new();
            token::split(&known.template, &mut tokens);
            let name = hashed(
                &known.source,
                known.level,
                words_of(&tokens, &known.template),
            );
            if Fingerprint::of(name).as_str() == known.fingerprint && known.template != OVERFLOW {
                let rows = by_source.entry(known.source.clone()).or_default();
                rows.push((known, tokens));
            }
        }
        for (source, rows) in by_source {
            let names: Vec<_> = rows
                .iter()
                .map(|(row, _)| identify(&source, row.level, &row.template))
                .collect();
            let rows: Vec<_> = rows
                .iter()
                .zip(&names)
                .map(|((row, tokens), identify)| {
                    let message = Message {
                        level: seed(row.level),
                        tokens,
                        text: &row.template,
                        hour: 0,
                        identify,
                    };
                    (message, row.alias_of.as_deref().and_then(number))
                })
                .collect();
            self.sources.entry(&source).miner.restore(&rows);
        }
    }

    /// Returns the name of a message. `message` is what is stored of it: redacted, cleaned and cut.
    pub fn name(
        &mut self,
        source_name: &str,
        level: Level,
        message: &str,
        now: Timestamp,
    ) -> Fingerprint {
        self.name_known(source_name, level, (message, None), now)
    }

    /// The same for a message whose skeleton is known.
    pub(crate) fn name_known(
        &mut self,
        source_name: &str,
        level: Level,
        (message, skeleton): (&str, Option<NonZeroU64>),
        now: Timestamp,
    ) -> Fingerprint {
        let source = self.sources.entry(source_name);
        let hour = now.0.div_euclid(HOUR_MICROS);
        if source.hour != hour {
            (source.hour, source.named) = (hour, 0);
        }
        let known = skeleton.and_then(|skeleton| source.sequences.get(skeleton));
        let sum = known.unwrap_or_else(|| {
            let is_regular = mask::scan(message, &mut self.tokens);
            let sum = token::sum(&self.tokens);
            if let Some(skeleton) = skeleton.filter(|_| is_regular) {
                source.sequences.put(skeleton, sum);
            }
            sum
        });
        let sequence = sum.wrapping_add(seed(level));
        if let Some(name) = source.miner.find(sequence, hour as i32) {
            return Fingerprint::of(name);
        }
        if known.is_some() {
            mask::scan(message, &mut self.tokens);
        }
        let learned = source.miner.learn(
            &Message {
                level: seed(level),
                tokens: &self.tokens,
                text: message,
                hour: hour as i32,
                identify: &identify(source_name, level, message),
            },
            source.named < self.budget_per_hour,
        );
        let Some(learned) = learned else {
            source.overflowed += 1;
            return Fingerprint::of(hashed(
                source_name,
                level,
                [OVERFLOW.as_bytes()].into_iter(),
            ));
        };
        source.named += u32::from(learned.is_new);
        let patterns = learned.templates.into_iter();
        self.news
            .patterns
            .extend(patterns.map(|(name, template)| Pattern {
                source: source_name.into(),
                level,
                fingerprint: Fingerprint::of(name),
                template,
            }));
        let merged = learned.aliases.into_iter().map(|(old, into)| Merged {
            source: source_name.into(),
            old: Fingerprint::of(old),
            into: Fingerprint::of(into),
        });
        self.news.merged.extend(merged);
        Fingerprint::of(learned.name)
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
}

/// Returns what a level adds to the hash of a sequence: messages of different levels are not alike.
fn seed(level: Level) -> u64 {
    (level as u64 + 1).wrapping_mul(0xd6e8_feb8_6659_fd93)
}

fn number(fingerprint: &str) -> Option<u64> {
    u64::from_str_radix(fingerprint, 16).ok()
}

/// Returns the words of a template.
fn words_of<'a>(tokens: &'a [Token], text: &'a str) -> impl Iterator<Item = &'a [u8]> {
    tokens.iter().map(|token| match token.kind {
        Kind::Wild => token::WILD.as_bytes(),
        Kind::Word | Kind::Fixed => token.bytes(text),
    })
}

/// Returns how sequences over a text are named.
fn identify<'a>(source: &'a str, level: Level, text: &'a str) -> impl Fn(&[Token]) -> u64 + 'a {
    move |tokens| hashed(source, level, words_of(tokens, text))
}

fn hashed<'a>(source: &str, level: Level, words: impl Iterator<Item = &'a [u8]>) -> u64 {
    let mut sha = Sha256::new();
    for part in [source, "|", level.as_str(), "|"] {
        sha.update(part.as_bytes());
    }
    for (place, word) in words.enumerate() {
        if place > 0 {
            sha.update(b" ");
        }
        sha.update(word);
    }
    let digest = sha.finalize();
    digest
        .iter()
        .take(8)
        .fold(0, |number, byte| number << 8 | u64::from(*byte))
}
