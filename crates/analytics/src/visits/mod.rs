//! Visits that are under way, and the rows that hits make of them.
//!
//! Hits become rows when they are delivered, not when they arrive: in the order of the queue, by one task, against the state
//! that the database has at the watermark. So the state needs no durability of its own. After a crash, or when the outcome of
//! a transaction is unknown, it is read back from the database, the hits after the watermark are applied again, and the
//! same rows result.
//!
//! A visit ends by the rule of [`crate::session`]. Its source, campaign and browser are those of its first view. Its identifier
//! is a hash of visitor and instant, so it is the same when hits are applied again. Engagement is cumulative for each
//! view; the visit has the sum over its views, so a report that comes twice changes nothing. What overtakes its view
//! waits for it (`early`). So the order in which reports of a visit arrive after its first changes nothing but the
//! numbers of its views.
//!
//! A visit is kept for an hour after its last event, at most [`MOST_VISITS`] of them: 300 bytes each, with its views.

mod early;
mod rows;
mod viewed;
mod words;

pub(crate) use rows::{
    AnonymousRow, Batch, EventRow, SessionRow, TouchedView, Traits, ViewRow, minute,
};

use crate::hit::{Hit, HitEvent};
use crate::protocol::Happening;
use crate::refusal::{Reason, Refusal};
use crate::session::continues;
use crate::word::{WordKind, first_eight};
use early::{Early, Engagement};
use jiff::tz::TimeZone;
use schema::Timestamp;
use sha2::{Digest as _, Sha256};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use words::Words;

/// Most visits under way.
pub const MOST_VISITS: usize = 500_000;
/// How long a visit is kept after its last event: late engagement of a long read still finds it.
pub(crate) const KEPT_MICROS: i64 = 60 * 60 * 1_000_000;
/// More views than anybody reads in one visit.
const MOST_VIEWS: i16 = 500;
/// Two events alike within this time are one that was sent twice.
const TWICE_MICROS: i64 = 1_000_000;
/// How long after an event it may be sent again: as long as one may wait in a browser, and a minute.
const RESENT_MICROS: i64 = 11 * 60 * 1_000_000;
/// How often what is over is looked for, by the clock of the hits.
const SWEEP_MICROS: i64 = 60 * 1_000_000;

/// A site as the database has it.
#[derive(Clone, Debug)]
pub struct StoredSite {
    /// Its number.
    pub id: i32,
    /// Its time zone.
    pub zone: TimeZone,
}

/// A visit under way.
#[derive(Clone, Debug)]
struct Visit {
    row: SessionRow,
    /// When its last page was viewed.
    exit_at: i64,
    /// Whether the current batch changed it.
    is_touched: bool,
}

/// A view of a visit under way, or an anonymous one.
#[derive(Clone, Copy, Debug)]
struct View {
    ts: i64,
    page: i64,
    /// 0 where it is anonymous.
    visitor: i64,
    session_id: i64,
    seen: i64,
    engaged_ms: i32,
    scroll_pct: i16,
    is_anonymous: bool,
    /// Its place among the rows of the current batch.
    at: Option<u32>,
}

/// Site and visitor, or site and view.
type Key = (i32, i64);

/// The state.
#[derive(Debug, Default)]
pub struct Visits {
    /// In boxes: a table has room for up to twice what it holds, and twice that while it grows.
    visits: HashMap<Key, Box<Visit>>,
    views: HashMap<Key, View>,
    /// Events of the last minutes: site, hash of view and event, and instant.
    events: BTreeSet<(i32, i64, i64)>,
    early: Early,
    words: Words,
    /// Names of browsers, systems and the like, each once.
    texts: BTreeMap<String, Arc<str>>,
    /// The same of what visits have in common.
    traits: BTreeSet<Arc<Traits>>,
    swept: i64,
}

impl Visits {
    /// Returns the number of visits under way.
    #[must_use]
    pub fn len(&self) -> usize {
        self.visits.len()
    }

    /// Returns whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.visits.is_empty()
    }

    /// Adds a visit as the database has it.
    pub(crate) fn restore_visit(&mut self, site: i32, row: SessionRow) {
        let key = (site, row.visitor_id);
        if self
            .visits
            .get(&key)
            .is_none_or(|known| known.row.ts < row.ts)
        {
            let exit_at = row.ts;
            self.visits.insert(
                key,
                Box::new(Visit {
                    row,
                    exit_at,
                    is_touched: false,
                }),
            );
        }
    }

    /// Adds a view as the database has it, after its visit.
    pub(crate) fn restore_view(&mut self, site: i32, view_id: i64, view: RestoredView) {
        let visit = view.visitor.map(|visitor| (site, visitor));
        let visit = visit.and_then(|key| self.visits.get_mut(&key));
        if let Some(visit) = visit.filter(|visit| visit.row.session_id == view.session_id) {
            visit.exit_at = visit.exit_at.max(view.ts);
        }
        self.views.insert(
            (site, view_id),
            View {
                ts: view.ts,
                page: view.page,
                visitor: view.visitor.unwrap_or_default(),
                session_id: view.session_id,
                seen: view.ts,
                engaged_ms: view.engaged_ms,
                scroll_pct: view.scroll_pct,
                is_anonymous: view.visitor.is_none(),
                at: None,
            },
        );
    }

    /// Returns a text that many rows share.
    pub(crate) fn shared(&mut self, text: &str) -> Arc<str> {
        /// Browsers, systems, languages and countries are some hundred; what is more is not shared.
        const MOST_TEXTS: usize = 4096;
        if let Some(known) = self.texts.get(text) {
            return Arc::clone(known);
        }
        let shared: Arc<str> = Arc::from(text);
        if self.texts.len() < MOST_TEXTS {
            self.texts.insert(text.to_owned(), Arc::clone(&shared));
        }
        shared
    }

    /// Returns what many visits have in common.
    pub(crate) fn in_common(&mut self, traits: Traits) -> Arc<Traits> {
        /// Combinations of them are some thousands; what is more is not shared.
        const MOST_TRAITS: usize = 16_384;
        if let Some(known) = self.traits.get(&traits) {
            return Arc::clone(known);
        }
        let shared = Arc::new(traits);
        if self.traits.len() < MOST_TRAITS {
            self.traits.insert(Arc::clone(&shared));
        }
        shared
    }

    /// Applies a hit and adds what follows to the batch.
    pub(crate) fn apply(&mut self, site: &StoredSite, hit: &Hit, batch: &mut Batch) {
        if hit.synthetic {
            batch.synthetic.insert(site.id);
            return;
        }
        self.words.begin_day(site, Timestamp(hit.at));
        for event in &hit.events {
            match (&event.what, hit.visitor) {
                (Happening::View { status }, Some(visitor)) => {
                    self.view(site, hit, event, visitor, status.unwrap_or(0), batch)
                }
                (Happening::View { status }, None) => {
                    self.anonymous_view(site, hit, event, status.unwrap_or(0), batch)
                }
                (
                    Happening::Time {
                        engaged_ms,
                        scroll_pct,
                    },
                    _,
                ) => {
                    let report = Engagement {
                        at: event.at,
                        engaged_ms: *engaged_ms,
                        scroll_pct: scroll_pct.unwrap_or(0),
                    };
                    let key = (site.id, hit.view);
                    if self.views.contains_key(&key) {
                        self.engage(site, hit.view, report, batch);
                    } else if !self.early.engage(key, report, hit.at) {
                        batch.count(site.id, event.at, Reason::LateEngagement.into(), 1);
                    }
                }
                (Happening::Event { .. }, Some(visitor)) => {
                    let key = (site.id, hit.view);
                    if self.views.contains_key(&key) {
                        self.event(site, hit.view, event, visitor, batch);
                    } else if !self.early.event(key, visitor, event, hit.at) {
                        batch.count(site.id, event.at, late_event(), 1);
                    }
                }
                (Happening::Event { .. }, None) => {
                    batch.count(site.id, event.at, Reason::AnonymousEvent.into(), 1)
                }
            }
        }
        self.sweep(hit.at, batch);
    }

    /// Ends a batch: adds the visits and views that it changed.
    pub(crate) fn finish(&mut self, batch: &mut Batch) {
        for key in std::mem::take(&mut batch.touched_visits) {
            if let Some(visit) = self.visits.get_mut(&key)
                && visit.is_touched
            {
                visit.is_touched = false;
                batch.sessions.push((key.0, visit.row.clone()));
            }
        }
        for (site, view_id) in std::mem::take(&mut batch.touched_views) {
            if let Some(view) = self.views.get_mut(&(site, view_id)) {
                let touched = TouchedView {
                    site,
                    ts: view.ts,
                    view_id,
                    engaged_ms: view.engaged_ms,
                    scroll_pct: view.scroll_pct,
                };
                let list = if view.is_anonymous {
                    &mut batch.anonymous_touched
                } else {
                    &mut batch.views_touched
                };
                list.push(touched);
            }
        }
        for (site, view_id) in std::mem::take(&mut batch.new_views) {
            if let Some(view) = self.views.get_mut(&(site, view_id)) {
                view.at = None;
            }
        }
    }

    /// Adds what engagement with a view, which is known, has grown to.
    fn engage(&mut self, site: &StoredSite, view_id: i64, report: Engagement, batch: &mut Batch) {
        let key = (site.id, view_id);
        let Some(view) = self.views.get_mut(&key) else {
            return;
        };
        // It cannot have been engaged for longer than it is there.
        let longest = i32::try_from((report.at - view.ts) / 1000 + 60_000)
            .unwrap_or(i32::MAX)
            .max(0);
        let engaged_ms = view.engaged_ms.max(report.engaged_ms.min(longest));
        let scroll_pct = view.scroll_pct.max(report.scroll_pct);
        let grown = engaged_ms - view.engaged_ms;
        let is_changed = grown > 0 || scroll_pct != view.scroll_pct;
        view.engaged_ms = engaged_ms;
        view.scroll_pct = scroll_pct;
        view.seen = view.seen.max(report.at);
        if let (Some(at), true) = (view.at, is_changed) {
            let at = at as usize;
            let slots = if view.is_anonymous {
                batch
                    .anonymous
                    .get_mut(at)
                    .map(|row| (&mut row.engaged_ms, &mut row.scroll_pct))
            } else {
                batch
                    .views
                    .get_mut(at)
                    .map(|row| (&mut row.engaged_ms, &mut row.scroll_pct))
            };
            if let Some((engaged, scroll)) = slots {
                (*engaged, *scroll) = (engaged_ms, scroll_pct);
            }
        } else if is_changed {
            batch.touched_views.insert(key);
        }
        if view.is_anonymous {
            return;
        }
        let session_id = view.session_id;
        let visit_key = (site.id, view.visitor);
        let Some(visit) = self
            .visits
            .get_mut(&visit_key)
            .filter(|visit| visit.row.session_id == session_id)
        else {
            return;
        };
        let row = &mut visit.row;
        row.engaged_ms = row.engaged_ms.saturating_add(grown);
        // A report after the idle time still adds engagement but prolongs nothing.
        if continues(Timestamp(row.last_seen), Timestamp(report.at), &site.zone) && is_changed {
            row.last_seen = row.last_seen.max(report.at);
        }
        visit.is_touched = true;
        batch.touched_visits.insert(visit_key);
    }

    /// Adds an event of a view, which is known.
    fn event(
        &mut self,
        site: &StoredSite,
        view_id: i64,
        event: &HitEvent,
        visitor: i64,
        batch: &mut Batch,
    ) {
        let Happening::Event {
            name,
            kind,
            props,
            interactive,
        } = &event.what
        else {
            return;
        };
        let key = (site.id, visitor);
        let Some(view) = self.views.get_mut(&(site.id, view_id)) else {
            return;
        };
        let Some(visit) = self
            .visits
            .get_mut(&key)
            .filter(|visit| visit.row.session_id == view.session_id)
        else {
            return batch.count(site.id, event.at, late_event(), 1);
        };
        let alike = first_eight(&Sha256::digest(format!(
            "{view_id}\0{name}\0{}",
            props.as_deref().unwrap_or_default()
        )));
        // Others may have come between the two: what waits in a browser is sent again as a whole.
        let (from, to) = (event.at - TWICE_MICROS + 1, event.at + TWICE_MICROS);
        let alike_then = (site.id, alike, from)..(site.id, alike, to);
        if self.events.range(alike_then).next().is_some() {
            return batch.count(
                site.id,
                event.at,
                Refusal::new(Reason::DuplicateView, "event"),
                1,
            );
        }
        self.events.insert((site.id, alike, event.at));
        view.seen = view.seen.max(event.at);
        let row = &mut visit.row;
        row.events = row.events.saturating_add(1);
        row.interactive |= *interactive;
        if continues(Timestamp(row.last_seen), Timestamp(event.at), &site.zone) {
            row.last_seen = row.last_seen.max(event.at);
        }
        visit.is_touched = true;
        let (session_ts, session_id, suspect, page_id) =
            (row.ts, row.session_id, row.suspect, view.page);
        batch.touched_visits.insert(key);
        let name_id = self
            .words
            .id(site.id, WordKind::Event, name, None, event.at, batch);
        batch.events.push(EventRow {
            ts: event.at,
            session_ts,
            session_id,
            visitor_id: visitor,
            view_id,
            page_id,
            name_id,
            site: site.id,
            kind: kind.code(),
            suspect,
            props: props.clone(),
        });
    }

    /// Forgets what is over.
    fn sweep(&mut self, now: i64, batch: &mut Batch) {
        let is_full = self.visits.len() > MOST_VISITS || self.views.len() > 2 * MOST_VISITS;
        if now - self.swept < SWEEP_MICROS && !is_full {
            return;
        }
        self.swept = now;
        self.early.sweep(now, |site, at, refusal| {
            batch.count(site, at, refusal, 1);
        });
        self.events.retain(|(_, _, at)| now - at < RESENT_MICROS);
        self.traits.retain(|known| Arc::strong_count(known) > 1);
        let mut kept = KEPT_MICROS;
        loop {
            let oldest = now - kept;
            // What the batch holds rows of is needed until its end.
            self.visits
                .retain(|_, visit| visit.is_touched || visit.row.last_seen > oldest);
            self.views
                .retain(|_, view| view.at.is_some() || view.seen > oldest);
            if self.visits.len() <= MOST_VISITS && self.views.len() <= 2 * MOST_VISITS
                || kept < SWEEP_MICROS
            {
                return;
            }
            kept /= 2;
        }
    }
}

/// Returns why an event whose view is not known is not counted.
const fn late_event() -> Refusal {
    Refusal::new(Reason::LateEngagement, "event")
}

/// A view as read back from the database.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RestoredView {
    pub(crate) ts: i64,
    pub(crate) page: i64,
    pub(crate) visitor: Option<i64>,
    pub(crate) session_id: i64,
    pub(crate) engaged_ms: i32,
    pub(crate) scroll_pct: i16,
}

#[cfg(test)]
mod tests;
