//! What a batch adds to the counts: lines by hour, source and level, and by hour and pattern.

use std::collections::HashMap;
use std::sync::Arc;

use foldhash::quality::RandomState;
use schema::Timestamp;
use schema::logs::{HourCount, Pattern, PatternAlias, PatternCount};
use schema::micros::HOUR;

use crate::event::{Event, Level};
use crate::fingerprint::{Fingerprint, News};
use crate::topic::Topics;

/// Messages of a pattern that are searched for a topic in a batch: a flood of messages without one costs
/// no more than that.
const TOPIC_SAMPLES: i64 = 16;

/// The counts of a batch.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Lines by hour, source and level.
    pub hours: Vec<HourCount>,
    /// Lines by hour and pattern.
    pub patterns: Vec<PatternCount>,
    /// Patterns that were merged into others.
    pub merged: Vec<PatternAlias>,
    /// Events counted under the overflow fingerprint, by source.
    pub overflowed: Vec<(Box<str>, u64)>,
    /// Events that the parser did not recognise and that have no time of their own, by source.
    pub unread: Vec<(Arc<str>, i64)>,
}

/// Counts the events of a batch.
#[derive(Debug, Default)]
pub(super) struct Counter {
    hours: HashMap<(Timestamp, Arc<str>, Level), i64, RandomState>,
    patterns: HashMap<(Timestamp, Fingerprint), PatternCount, RandomState>,
    unread: HashMap<Arc<str>, i64, RandomState>,
    /// Lines of each level of the latest hour and source, not in `hours` yet: consecutive lines usually
    /// share both.
    recent: Option<(Timestamp, Arc<str>, [i64; Level::ALL.len()])>,
}

impl Counter {
    /// Adds an event of `source`.
    pub(super) fn add(
        &mut self,
        source: &Arc<str>,
        fingerprint: Fingerprint,
        event: &Event,
        topics: &mut Topics,
    ) {
        if event.is_unread {
            *self.unread.entry(Arc::clone(source)).or_default() += 1;
        }
        let hour = Timestamp(event.ts.as_micros().div_euclid(HOUR) * HOUR);
        match &mut self.recent {
            Some((known, name, counts)) if *known == hour && name == source => {
                counts[event.level as usize] += 1;
            }
            _ => {
                self.flush();
                let mut counts = [0; Level::ALL.len()];
                counts[event.level as usize] = 1;
                self.recent = Some((hour, Arc::clone(source), counts));
            }
        }
        let pattern = self
            .patterns
            .entry((hour, fingerprint))
            .or_insert_with(|| PatternCount {
                hour,
                fingerprint,
                source: Arc::clone(source),
                level: event.level,
                count: 0,
                first: event.ts,
                last: event.ts,
                template: String::new(),
                sample: event.message.clone(),
                topic: None,
            });
        if pattern.topic.is_none()
            && pattern.count < TOPIC_SAMPLES
            && let Some(topic) = topics.of(event)
        {
            pattern.topic = Some(topic);
            event.message.clone_into(&mut pattern.sample);
        }
        pattern.count += 1;
        pattern.first = pattern.first.min(event.ts);
        pattern.last = pattern.last.max(event.ts);
    }

    /// Adds the latest lines to `hours`.
    fn flush(&mut self) {
        if let Some((hour, source, counts)) = self.recent.take() {
            for (level, count) in Level::ALL.into_iter().zip(counts) {
                if count > 0 {
                    let key = (hour, Arc::clone(&source), level);
                    *self.hours.entry(key).or_default() += count;
                }
            }
        }
    }

    /// Returns the counts, with the templates of patterns that are new.
    pub(super) fn finish(&mut self, news: News) -> Counts {
        self.flush();
        let hours = std::mem::take(&mut self.hours).into_iter();
        let hours = hours.map(|((hour, source, level), count)| HourCount {
            hour,
            source,
            level,
            count,
        });
        let patterns = std::mem::take(&mut self.patterns);
        let mut patterns: Vec<PatternCount> = patterns.into_values().collect();
        add_templates(&mut patterns, &news.patterns, &news.merged);
        Counts {
            hours: hours.collect(),
            patterns,
            merged: news.merged,
            overflowed: news.overflowed,
            unread: std::mem::take(&mut self.unread).into_iter().collect(),
        }
    }
}

/// Fills in the templates of new patterns. A new family has no line yet: its entry has the count
/// zero, and times and sample of one of its members.
fn add_templates(patterns: &mut Vec<PatternCount>, new: &[Pattern], merged: &[PatternAlias]) {
    if new.is_empty() {
        return;
    }
    let mut templates: HashMap<Fingerprint, &str> = new
        .iter()
        .map(|pattern| (pattern.fingerprint, pattern.template.as_str()))
        .collect();
    for pattern in &mut *patterns {
        if let Some(template) = templates.get(&pattern.fingerprint) {
            (*template).clone_into(&mut pattern.template);
        }
    }
    for pattern in &*patterns {
        templates.remove(&pattern.fingerprint);
    }
    for (family, template) in templates {
        let members = merged.iter().filter(|alias| alias.into == family);
        let member = members
            .filter_map(|alias| {
                let mut counted = patterns.iter();
                counted.find(|pattern| pattern.fingerprint == alias.old)
            })
            .next();
        if let Some(member) = member {
            let entry = PatternCount {
                fingerprint: family,
                template: template.to_owned(),
                count: 0,
                ..member.clone()
            };
            patterns.push(entry);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn count(hour: i64, fingerprint: u64) -> PatternCount {
        PatternCount {
            hour: Timestamp(hour * HOUR),
            fingerprint: Fingerprint::from_hash(fingerprint),
            source: Arc::from("app"),
            level: Level::Info,
            count: 3,
            first: Timestamp(hour * HOUR),
            last: Timestamp(hour * HOUR + 1),
            template: String::new(),
            sample: format!("message {fingerprint}"),
            topic: None,
        }
    }

    fn pattern(fingerprint: u64, template: &str) -> Pattern {
        Pattern {
            source: Arc::from("app"),
            level: Level::Info,
            fingerprint: Fingerprint::from_hash(fingerprint),
            template: template.to_owned(),
            alias_of: None,
        }
    }

    #[test]
    fn new_patterns_and_families_have_their_templates() {
        let mut patterns = vec![count(1, 1), count(2, 1), count(1, 2)];
        let merged = [1, 2].map(|old| PatternAlias {
            source: Arc::from("app"),
            old: Fingerprint::from_hash(old),
            into: Fingerprint::from_hash(9),
        });
        let new = [pattern(1, "message one"), pattern(9, "message <*>")];
        add_templates(&mut patterns, &new, &merged);
        let templates: Vec<_> = patterns
            .iter()
            .map(|entry| {
                (
                    entry.fingerprint.hash(),
                    entry.template.as_str(),
                    entry.count,
                )
            })
            .collect();
        let wanted = [
            (1, "message one", 3),
            (1, "message one", 3),
            (2, "", 3),
            (9, "message <*>", 0),
        ];
        assert_eq!(templates, wanted);
        assert_eq!(patterns[3].sample, "message 1");
    }
}
