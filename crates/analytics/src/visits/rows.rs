//! Rows of one transaction.

use crate::refusal::Refusal;
use crate::word::WordKind;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// A row of `web_analytics_sessions_raw`.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct SessionRow {
    pub(crate) ts: i64,
    pub(crate) session_id: i64,
    pub(crate) last_seen: i64,
    pub(crate) visitor_id: i64,
    pub(crate) entry: i64,
    pub(crate) exit: i64,
    pub(crate) source: Option<i64>,
    pub(crate) referrer: Option<i64>,
    /// Source, medium, campaign, term, content; most visits have none of them.
    pub(crate) utm: Option<Box<[Option<i64>; 5]>>,
    pub(crate) asn: Option<i32>,
    pub(crate) engaged_ms: i32,
    pub(crate) width: Option<i16>,
    pub(crate) views: i16,
    pub(crate) events: i16,
    pub(crate) interactive: bool,
    pub(crate) suspect: bool,
    pub(crate) consented: bool,
    pub(crate) traits: Arc<Traits>,
}

/// What a visit has in common with many others.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Traits {
    pub(crate) channel: &'static str,
    pub(crate) browser: Option<Arc<str>>,
    pub(crate) os: Option<Arc<str>>,
    pub(crate) device: &'static str,
    pub(crate) language: Option<Arc<str>>,
    pub(crate) country: Option<Arc<str>>,
}

/// A row of `web_analytics_page_views_raw`.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct ViewRow {
    pub(crate) ts: i64,
    pub(crate) session_ts: i64,
    pub(crate) session_id: i64,
    pub(crate) visitor_id: i64,
    pub(crate) view_id: i64,
    pub(crate) page_id: i64,
    pub(crate) site: i32,
    pub(crate) engaged_ms: i32,
    pub(crate) nth: i16,
    /// 0: not reported.
    pub(crate) status: i16,
    /// 0: not measured.
    pub(crate) scroll_pct: i16,
    pub(crate) suspect: bool,
}

/// A row of `web_analytics_events_raw`.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct EventRow {
    pub(crate) ts: i64,
    pub(crate) session_ts: i64,
    pub(crate) session_id: i64,
    pub(crate) visitor_id: i64,
    pub(crate) view_id: i64,
    pub(crate) page_id: i64,
    pub(crate) name_id: i64,
    pub(crate) site: i32,
    pub(crate) kind: i16,
    pub(crate) suspect: bool,
    pub(crate) props: Option<String>,
}

/// A row of `web_analytics_anonymous_views_raw`.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct AnonymousRow {
    pub(crate) ts: i64,
    pub(crate) view_id: i64,
    pub(crate) page_id: i64,
    pub(crate) source: Option<i64>,
    pub(crate) site: i32,
    pub(crate) engaged_ms: i32,
    /// 0: not reported.
    pub(crate) status: i16,
    /// 0: not measured.
    pub(crate) scroll_pct: i16,
    pub(crate) device: &'static str,
    pub(crate) country: Option<String>,
}

/// What a stored view has grown to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TouchedView {
    pub(crate) site: i32,
    pub(crate) ts: i64,
    pub(crate) view_id: i64,
    pub(crate) engaged_ms: i32,
    /// 0: not measured.
    pub(crate) scroll_pct: i16,
}

/// A word, and a page's title.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct WordRow {
    pub(crate) site: i32,
    pub(crate) kind: WordKind,
    pub(crate) word: String,
    pub(crate) title: Option<String>,
    pub(crate) ts: i64,
}

/// Site, minute, and refusal.
pub(crate) type RefusalKey = (i32, i64, Refusal);

/// One transaction's worth.
#[derive(Debug, Default)]
pub(crate) struct Batch {
    pub(crate) sessions: Vec<(i32, SessionRow)>,
    pub(crate) views: Vec<ViewRow>,
    pub(crate) events: Vec<EventRow>,
    pub(crate) anonymous: Vec<AnonymousRow>,
    pub(crate) views_touched: Vec<TouchedView>,
    pub(crate) anonymous_touched: Vec<TouchedView>,
    pub(crate) words: Vec<WordRow>,
    pub(crate) refused: BTreeMap<RefusalKey, i64>,
    /// Sites of which a health check arrived.
    pub(crate) synthetic: BTreeSet<i32>,
    /// Keys of visits and views that changed.
    pub(super) touched_visits: BTreeSet<(i32, i64)>,
    pub(super) touched_views: BTreeSet<(i32, i64)>,
    pub(super) new_views: BTreeSet<(i32, i64)>,
}

impl Batch {
    /// Counts a refusal in its minute.
    pub(crate) fn count(&mut self, site: i32, at: i64, refusal: Refusal, count: i64) {
        *self.refused.entry((site, minute(at), refusal)).or_default() += count;
    }
}

/// Returns the beginning of the minute of an instant.
pub(crate) const fn minute(at: i64) -> i64 {
    at - at.rem_euclid(60_000_000)
}
