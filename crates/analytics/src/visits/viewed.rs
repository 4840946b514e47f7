//! Views: each begins a visit or goes on with one, and what is under way knows it from then on.

use super::rows::{AnonymousRow, Batch, SessionRow, Traits, ViewRow};
use super::{KEPT_MICROS, Key, MOST_VIEWS, StoredSite, View, Visit, Visits};
use crate::hit::{Hit, HitEvent};
use crate::refusal::Reason;
use crate::session::continues;
use crate::word::{WordKind, first_eight};
use schema::Timestamp;
use sha2::{Digest as _, Sha256};

impl Visits {
    /// Returns the page that is viewed; `None`, counted as refused, where the view is known.
    fn page_of(&mut self, key: Key, hit: &Hit, event: &HitEvent, batch: &mut Batch) -> Option<i64> {
        let (site, _) = key;
        if self.views.contains_key(&key) {
            batch.count(site, event.at, Reason::DuplicateView.into(), 1);
            return None;
        }
        let title = hit.title.as_deref();
        let page = self
            .words
            .id(site, WordKind::Page, &hit.page, title, event.at, batch);
        Some(page)
    }

    pub(super) fn view(
        &mut self,
        site: &StoredSite,
        hit: &Hit,
        event: &HitEvent,
        visitor: i64,
        status: i16,
        batch: &mut Batch,
    ) {
        let view_key = (site.id, hit.view);
        let Some(page) = self.page_of(view_key, hit, event, batch) else {
            return;
        };
        let key = (site.id, visitor);
        let goes_on = self.visits.get(&key).is_some_and(|visit| {
            continues(Timestamp(visit.row.last_seen), Timestamp(event.at), &site.zone)
                // Not before its beginning: it would be a row of another instant.
                && event.at >= visit.row.ts - KEPT_MICROS
        });
        if !goes_on {
            let row = self.new_visit(site.id, hit, event.at, visitor, page, batch);
            if let Some(old) = self.visits.insert(
                key,
                Box::new(Visit {
                    row,
                    exit_at: event.at,
                    is_touched: true,
                }),
            ) && old.is_touched
            {
                batch.sessions.push((site.id, old.row));
            }
            batch.touched_visits.insert(key);
        }
        let Some(visit) = self.visits.get_mut(&key) else {
            return;
        };
        let row = &mut visit.row;
        row.views = row.views.saturating_add(1);
        row.last_seen = row.last_seen.max(event.at);
        // One that waited in a browser may be older than others.
        if event.at >= visit.exit_at {
            row.exit = page;
            visit.exit_at = event.at;
        }
        row.suspect |= hit.suspect || row.views > MOST_VIEWS;
        visit.is_touched = true;
        let view = ViewRow {
            ts: event.at,
            session_ts: row.ts,
            session_id: row.session_id,
            visitor_id: visitor,
            view_id: hit.view,
            page_id: page,
            site: site.id,
            engaged_ms: 0,
            nth: row.views,
            status,
            scroll_pct: 0,
            suspect: row.suspect,
        };
        let session_id = row.session_id;
        batch.touched_visits.insert(key);
        batch.new_views.insert(view_key);
        let at = u32::try_from(batch.views.len()).ok();
        batch.views.push(view);
        self.add_view(
            site,
            view_key,
            View {
                ts: event.at,
                page,
                visitor,
                session_id,
                seen: event.at,
                engaged_ms: 0,
                scroll_pct: 0,
                is_anonymous: false,
                at,
            },
            batch,
        );
    }

    /// Adds a view, with what came before it.
    fn add_view(&mut self, site: &StoredSite, key: Key, view: View, batch: &mut Batch) {
        self.views.insert(key, view);
        let early = self.early.take(key);
        if let Some(engagement) = early.engagement {
            self.engage(site, key.1, engagement, batch);
        }
        for (visitor, event) in &early.events {
            self.event(site, key.1, event, *visitor, batch);
        }
    }

    fn new_visit(
        &mut self,
        site: i32,
        hit: &Hit,
        at: i64,
        visitor: i64,
        page: i64,
        batch: &mut Batch,
    ) -> SessionRow {
        const UTM: [WordKind; 5] = [
            WordKind::UtmSource,
            WordKind::UtmMedium,
            WordKind::UtmCampaign,
            WordKind::UtmTerm,
            WordKind::UtmContent,
        ];
        let mut hash = Sha256::new();
        hash.update(visitor.to_be_bytes());
        hash.update(at.to_be_bytes());
        let [utm_source, utm_medium, utm_campaign, utm_content, utm_term] = &hit.utm;
        let mut utm = [None; 5];
        for ((slot, kind), text) in utm.iter_mut().zip(UTM).zip([
            utm_source,
            utm_medium,
            utm_campaign,
            utm_term,
            utm_content,
        ]) {
            *slot = text
                .as_deref()
                .map(|text| self.words.id(site, kind, text, None, at, batch));
        }
        let source = (!hit.source.is_empty()).then(|| {
            self.words
                .id(site, WordKind::Source, &hit.source, None, at, batch)
        });
        let referrer = hit.referrer.as_deref().map(|text| {
            self.words
                .id(site, WordKind::Referrer, text, None, at, batch)
        });
        let mut known = |text: &str| (!text.is_empty()).then(|| self.shared(text));
        let traits = Traits {
            channel: hit.channel.as_str(),
            browser: known(&hit.agent.browser),
            os: known(&hit.agent.os),
            device: hit.agent.device.as_str(),
            language: known(hit.language.as_deref().unwrap_or_default()),
            country: known(hit.country.as_deref().unwrap_or_default()),
        };
        SessionRow {
            ts: at,
            session_id: first_eight(&hash.finalize()),
            last_seen: at,
            visitor_id: visitor,
            entry: page,
            exit: page,
            source,
            referrer,
            utm: utm.iter().any(Option::is_some).then(|| Box::new(utm)),
            asn: hit.asn,
            engaged_ms: 0,
            width: hit.width,
            views: 0,
            events: 0,
            interactive: false,
            suspect: hit.suspect,
            consented: hit.consented,
            traits: self.in_common(traits),
        }
    }

    pub(super) fn anonymous_view(
        &mut self,
        site: &StoredSite,
        hit: &Hit,
        event: &HitEvent,
        status: i16,
        batch: &mut Batch,
    ) {
        let key = (site.id, hit.view);
        let Some(page) = self.page_of(key, hit, event, batch) else {
            return;
        };
        let source = (!hit.source.is_empty()).then(|| {
            self.words.id(
                site.id,
                WordKind::Source,
                &hit.source,
                None,
                event.at,
                batch,
            )
        });
        let at = u32::try_from(batch.anonymous.len()).ok();
        batch.new_views.insert(key);
        batch.anonymous.push(AnonymousRow {
            ts: event.at,
            view_id: hit.view,
            page_id: page,
            source,
            site: site.id,
            engaged_ms: 0,
            status,
            scroll_pct: 0,
            device: hit.agent.device.as_str(),
            country: hit.country.clone(),
        });
        self.add_view(
            site,
            key,
            View {
                ts: event.at,
                page,
                visitor: 0,
                session_id: 0,
                seen: event.at,
                engaged_ms: 0,
                scroll_pct: 0,
                is_anonymous: true,
                at,
            },
            batch,
        );
    }
}
