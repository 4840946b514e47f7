//! What overtakes its view, and waits for it: requests of one page are answered side by side.
//!
//! It waits in memory: a receiver that is killed within that minute loses it, where the view comes after the restart.

use super::{Key, late_event};
use crate::hit::HitEvent;
use crate::refusal::{Reason, Refusal};
use std::collections::HashMap;

/// How long it waits.
const EARLY_MICROS: i64 = 60 * 1_000_000;
/// Most views that are waited for.
const MOST_EARLY: usize = 10_000;
/// Most events that wait for one view, as many as a page keeps.
const MOST_EVENTS: usize = 20;

/// What engagement has grown to at an instant.
#[derive(Clone, Copy, Debug)]
pub(super) struct Engagement {
    pub(super) at: i64,
    pub(super) engaged_ms: i32,
    pub(super) scroll_pct: i16,
}

/// What waits for one view.
#[derive(Debug, Default)]
pub(super) struct Waiting {
    /// When the last of it arrived; what happened may be older.
    arrived: i64,
    pub(super) engagement: Option<Engagement>,
    /// Events with their visitors.
    pub(super) events: Vec<(i64, HitEvent)>,
}

/// What waits for its view.
#[derive(Debug, Default)]
pub(super) struct Early {
    by_view: HashMap<Key, Waiting>,
}

impl Early {
    /// Lets engagement wait, and returns whether there is room.
    pub(super) fn engage(&mut self, key: Key, report: Engagement, arrived: i64) -> bool {
        let Some(waiting) = self.of(key, arrived) else {
            return false;
        };
        let known = waiting.engagement.get_or_insert(report);
        known.at = known.at.max(report.at);
        known.engaged_ms = known.engaged_ms.max(report.engaged_ms);
        known.scroll_pct = known.scroll_pct.max(report.scroll_pct);
        true
    }

    /// Lets an event wait, and returns whether there is room.
    pub(super) fn event(&mut self, key: Key, visitor: i64, event: &HitEvent, arrived: i64) -> bool {
        let waiting = self.of(key, arrived);
        let Some(waiting) = waiting.filter(|waiting| waiting.events.len() < MOST_EVENTS) else {
            return false;
        };
        waiting.events.push((visitor, event.clone()));
        true
    }

    /// Takes what waits for a view.
    pub(super) fn take(&mut self, key: Key) -> Waiting {
        self.by_view.remove(&key).unwrap_or_default()
    }

    /// Forgets what waits for too long, and tells site, instant and reason of each.
    pub(super) fn sweep(&mut self, now: i64, mut late: impl FnMut(i32, i64, Refusal)) {
        self.by_view.retain(|(site, _), waiting| {
            let waits = now - waiting.arrived < EARLY_MICROS;
            if !waits {
                if let Some(engagement) = waiting.engagement {
                    late(*site, engagement.at, Reason::LateEngagement.into());
                }
                for (_, event) in &waiting.events {
                    late(*site, event.at, late_event());
                }
            }
            waits
        });
    }

    fn of(&mut self, key: Key, arrived: i64) -> Option<&mut Waiting> {
        if self.by_view.len() >= MOST_EARLY && !self.by_view.contains_key(&key) {
            return None;
        }
        let waiting = self.by_view.entry(key).or_default();
        waiting.arrived = arrived;
        Some(waiting)
    }
}
