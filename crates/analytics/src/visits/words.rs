//! Words of the day: stored when they first occur, and limited in number, so that a flood of invented paths makes
//! one row and not a million.

use super::StoredSite;
use super::rows::{Batch, WordRow};
use crate::day::Day;
use crate::word::{WordKind, word_id};
use schema::Timestamp;
use std::collections::{BTreeMap, HashMap};

/// What stands for all words beyond the limit.
const OTHER: &str = "(other)";
/// New pages of a site and day: more than a large site shows in a day.
const MOST_PAGES: usize = 20_000;
/// New sources, referrers and parameters of campaigns, each.
const MOST_SOURCES: usize = 5_000;
/// New names of events.
const MOST_NAMES: usize = 1_000;

const fn limit(kind: WordKind) -> usize {
    match kind {
        WordKind::Page => MOST_PAGES,
        WordKind::Event => MOST_NAMES,
        _ => MOST_SOURCES,
    }
}

/// Words of a site's current day.
#[derive(Debug)]
struct SiteWords {
    day: Day,
    /// Words that are stored, with a hash of the title that a page has.
    stored: HashMap<i64, i64>,
    counts: BTreeMap<WordKind, usize>,
}

/// Words of all sites.
#[derive(Debug, Default)]
pub(super) struct Words {
    by_site: BTreeMap<i32, SiteWords>,
}

impl Words {
    /// Forgets the words of a day that is over.
    pub(super) fn begin_day(&mut self, site: &StoredSite, at: Timestamp) {
        let is_current = self
            .by_site
            .get(&site.id)
            .is_some_and(|words| words.day.contains(at));
        if !is_current {
            let words = SiteWords {
                day: Day::of(at, &site.zone),
                stored: HashMap::new(),
                counts: BTreeMap::new(),
            };
            self.by_site.insert(site.id, words);
        }
    }

    /// Returns the identifier of a word, and adds it to the batch unless it is stored.
    pub(super) fn id(
        &mut self,
        site: i32,
        kind: WordKind,
        text: &str,
        title: Option<&str>,
        ts: i64,
        batch: &mut Batch,
    ) -> i64 {
        let id = word_id(kind, text);
        let Some(words) = self.by_site.get_mut(&site) else {
            return id;
        };
        let titled = title.map_or(0, |title| word_id(WordKind::Page, title));
        match words.stored.get_mut(&id) {
            Some(known) if titled == 0 || *known == titled => return id,
            Some(known) => *known = titled,
            None => {
                let count = words.counts.entry(kind).or_default();
                if *count >= limit(kind) && text != OTHER {
                    return self.id(site, kind, OTHER, None, ts, batch);
                }
                *count += 1;
                words.stored.insert(id, titled);
            }
        }
        batch.words.push(WordRow {
            site,
            kind,
            word: text.to_owned(),
            title: title.map(str::to_owned),
            ts,
        });
        id
    }
}
