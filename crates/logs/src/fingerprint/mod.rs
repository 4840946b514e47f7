//! Identifiers of similar messages.
//!
//! ```text
//! message ─ mask (tokens) ─ form (sequence) ─ miner (family) ─ name
//! ```
//!
//! A **fingerprint** is the first 16 hexadecimal digits of SHA-256 over `source|level|words`, the words
//! of a template separated by single blanks. The template is the message with its variable parts replaced by
//! `<*>`: first by typed masks (`mask`, `sequence`), which depend on the message alone; then the words
//! that prove to vary among messages (`miner`).
//!
//! **Stable.** A fingerprint is a hash of the template, so the same template has the same fingerprint at any time
//! on any machine, and its row never changes. The fingerprint of a message is that of its form, whatever preceded it.
//! When forms prove to be one family, the family has the fingerprint of its template, and those of the forms become
//! aliases, which [`Fingerprints::take_news`] reports for the pattern table; queries follow the
//! aliases. Which forms are one family does not depend on their order. The only
//! exception is a family of more than 64 forms: further messages have the fingerprint of the family.
//! [`Fingerprints::restore`] restores the table after a restart.
//!
//! **Bounded.** A source has at most 2048 forms in memory (`miner`) and a budget of new
//! fingerprints per hour. Messages beyond it have the overflow fingerprint of their source and level and are counted;
//! they are not learned, so they need no memory.

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
use std::num::NonZeroU64;
use std::sync::Arc;

use schema::Timestamp;
pub use schema::logs::{Fingerprint, Pattern, PatternAlias};
use schema::micros::HOUR;
use sha2::{Digest, Sha256};

use crate::by_source::BySource;
use crate::event::Level;
use crate::skeleton::Recent;
use miner::{Message, Miner};
use token::{Kind, Token};

/// Default budget of new fingerprints per source and hour. A log with more
/// kinds of messages per hour has variables without a mask.
pub const BUDGET_PER_HOUR: u32 = 1000;

/// Template of messages after a source's budget was used up.
pub const OVERFLOW: &str = "(more kinds of messages than are told apart)";

/// Changes of the pattern table.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct News {
    /// New patterns, in order of creation.
    pub patterns: Vec<Pattern>,
    /// New aliases, in order.
    pub merged: Vec<PatternAlias>,
    /// Events with the overflow fingerprint, by source.
    pub overflowed: Vec<(Box<str>, u64)>,
}

impl News {
    /// Returns whether there is no change.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.patterns.is_empty() && self.merged.is_empty() && self.overflowed.is_empty()
    }
}

#[derive(Debug, Default)]
struct Source {
    miner: Miner,
    /// Hash of the sequence by skeleton.
    sequences: Recent<u64>,
    hour: i64,
    /// New fingerprints in this hour.
    named: u32,
    /// Events with the overflow fingerprint since the last report.
    overflowed: u64,
}

/// Determines the fingerprints of the messages of all sources.
#[derive(Debug)]
pub struct Fingerprints {
    budget_per_hour: u32,
    sources: BySource<Source>,
    tokens: Vec<Token>,
    news: News,
}

impl Fingerprints {
    /// Creates an empty state. Each source may have `budget_per_hour` new fingerprints per hour.
    #[must_use]
    pub fn new(budget_per_hour: u32) -> Self {
        Self {
            budget_per_hour,
            sources: BySource::default(),
            tokens: Vec::new(),
            news: News::default(),
        }
    }

    /// Restores the patterns in the database, preferably in the order in which they were first seen. Rows whose
    /// fingerprint is not that of their template, written by an older version, are ignored. Reports no changes.
    pub fn restore(&mut self, known: impl Iterator<Item = Pattern>) {
        let mut by_source: HashMap<Arc<str>, Vec<(Pattern, Vec<Token>)>> = HashMap::new();
        for known in known {
            let mut tokens = Vec::new();
            token::split(&known.template, &mut tokens);
            let name = hashed(
                &known.source,
                known.level,
                words_of(&tokens, &known.template),
            );
            if Fingerprint::from_hash(name) == known.fingerprint && known.template != OVERFLOW {
                let rows = by_source.entry(Arc::clone(&known.source)).or_default();
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
                    (message, row.alias_of.map(|alias| alias.hash()))
                })
                .collect();
            self.sources.entry(&source).miner.restore(&rows);
        }
    }

    /// Returns the fingerprint of a message as it is stored: redacted, cleaned and truncated.
    pub fn name(
        &mut self,
        source_name: &str,
        level: Level,
        message: &str,
        now: Timestamp,
    ) -> Fingerprint {
        self.name_known(source_name, level, (message, None), now)
    }

    /// Returns the same for a message whose skeleton is known.
    pub(crate) fn name_known(
        &mut self,
        source_name: &str,
        level: Level,
        (message, skeleton): (&str, Option<NonZeroU64>),
        now: Timestamp,
    ) -> Fingerprint {
        let source = self.sources.entry(source_name);
        let hour = now.0.div_euclid(HOUR);
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
            return Fingerprint::from_hash(name);
        }
        if known.is_some() {
            mask::scan(message, &mut self.tokens);
        }
        self.learn(source_name, level, message, hour as i32)
    }

    /// Learns the message whose tokens were scanned. Returns its fingerprint.
    fn learn(&mut self, source_name: &str, level: Level, message: &str, hour: i32) -> Fingerprint {
        let source = self.sources.entry(source_name);
        let learned = source.miner.learn(
            &Message {
                level: seed(level),
                tokens: &self.tokens,
                text: message,
                hour,
                identify: &identify(source_name, level, message),
            },
            source.named < self.budget_per_hour,
        );
        let Some(learned) = learned else {
            source.overflowed += 1;
            return Fingerprint::from_hash(hashed(
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
                fingerprint: Fingerprint::from_hash(name),
                template,
                alias_of: None,
            }));
        let merged = learned.aliases.into_iter().map(|(old, into)| PatternAlias {
            source: source_name.into(),
            old: Fingerprint::from_hash(old),
            into: Fingerprint::from_hash(into),
        });
        self.news.merged.extend(merged);
        Fingerprint::from_hash(learned.name)
    }

    /// Returns the changes of the pattern table since the last call.
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

/// Returns the part of the level in the hash of a sequence: messages of different levels have different patterns.
fn seed(level: Level) -> u64 {
    (level as u64 + 1).wrapping_mul(0xd6e8_feb8_6659_fd93)
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
