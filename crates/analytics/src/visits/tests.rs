use super::*;
use crate::agent::Device;
use crate::hit::HitAgent;
use crate::protocol::EventKind;
use crate::source::Channel;
use proptest::prelude::*;

const NOON: i64 = 1_795_435_200_000_000;
const SECOND: i64 = 1_000_000;

fn site() -> StoredSite {
    StoredSite {
        id: 1,
        zone: TimeZone::UTC,
    }
}

fn hit(visitor: i64, view: i64, page: &str, at: i64, what: Happening) -> Hit {
    Hit {
        site: "a.example".to_owned(),
        at,
        visitor: (visitor != 0).then_some(visitor),
        view,
        page: page.to_owned(),
        title: None,
        source: String::new(),
        channel: Channel::Direct,
        referrer: None,
        utm: Default::default(),
        agent: HitAgent {
            device: Device::Desktop,
            ..HitAgent::default()
        },
        language: None,
        country: None,
        asn: None,
        width: None,
        suspect: false,
        consented: false,
        synthetic: false,
        events: vec![HitEvent { at, what }],
    }
}

fn seen() -> Happening {
    Happening::View { status: None }
}

fn engaged(engaged_ms: i32, scroll_pct: i16) -> Happening {
    Happening::Time {
        engaged_ms,
        scroll_pct: Some(scroll_pct),
    }
}

fn event(name: &str) -> Happening {
    Happening::Event {
        name: name.to_owned(),
        kind: EventKind::Own,
        props: None,
        interactive: true,
    }
}

/// Applies hits as one batch.
fn apply(visits: &mut Visits, hits: &[Hit]) -> Batch {
    let mut batch = Batch::default();
    for hit in hits {
        visits.apply(&site(), hit, &mut batch);
    }
    visits.finish(&mut batch);
    batch
}

#[test]
fn a_visit_has_its_views_and_events() {
    let mut visits = Visits::default();
    let batch = apply(
        &mut visits,
        &[
            hit(7, 1, "/a/", NOON, seen()),
            hit(7, 1, "/a/", NOON + 10 * SECOND, engaged(9_000, 50)),
            hit(7, 2, "/b/", NOON + 20 * SECOND, seen()),
            hit(7, 2, "/b/", NOON + 30 * SECOND, event("signup")),
        ],
    );
    assert_eq!(batch.sessions.len(), 1);
    let row = &batch.sessions[0].1;
    assert_eq!((row.views, row.events, row.engaged_ms), (2, 1, 9_000));
    assert_eq!(
        (row.ts, row.last_seen, row.interactive),
        (NOON, NOON + 30 * SECOND, true)
    );
    let views: Vec<_> = batch
        .views
        .iter()
        .map(|view| (view.nth, view.engaged_ms, view.scroll_pct))
        .collect();
    assert_eq!(views, [(1, 9_000, 50), (2, 0, 0)]);
    // What is stored already is brought up to date.
    let batch = apply(
        &mut visits,
        &[hit(7, 2, "/b/", NOON + 60 * SECOND, engaged(25_000, 90))],
    );
    assert!(batch.views.is_empty());
    assert_eq!(batch.views_touched[0].engaged_ms, 25_000);
    assert_eq!(batch.sessions[0].1.engaged_ms, 34_000);
}

#[test]
fn a_pause_and_midnight_begin_a_visit() {
    let midnight = NOON + 12 * 3600 * SECOND;
    let mut visits = Visits::default();
    let batch = apply(
        &mut visits,
        &[
            hit(7, 1, "/", NOON, seen()),
            hit(7, 2, "/", NOON + IDLE + SECOND, seen()),
            hit(7, 3, "/", midnight - SECOND, seen()),
            hit(7, 4, "/", midnight, seen()),
        ],
    );
    let mut starts: Vec<i64> = batch.sessions.iter().map(|(_, row)| row.ts).collect();
    starts.sort_unstable();
    assert_eq!(
        starts,
        [NOON, NOON + IDLE + SECOND, midnight - SECOND, midnight]
    );
    assert!(batch.views.iter().all(|view| view.nth == 1));
}

const IDLE: i64 = crate::session::IDLE_MICROS;

#[test]
fn engagement_is_bounded_by_time_and_waits_for_its_view() {
    let mut visits = Visits::default();
    let batch = apply(
        &mut visits,
        &[
            hit(7, 1, "/", NOON, engaged(5_000, 10)),
            hit(7, 1, "/", NOON + SECOND, seen()),
            hit(7, 2, "/", NOON + 2 * SECOND, seen()),
            hit(7, 2, "/", NOON + 3 * SECOND, engaged(14_400_000, 100)),
        ],
    );
    assert_eq!(batch.views[0].engaged_ms, 5_000);
    assert_eq!(batch.views[1].engaged_ms, 61_000);
}

#[test]
fn more_views_than_anybody_reads_are_suspect() {
    let mut visits = Visits::default();
    let hits: Vec<Hit> = (1..=502)
        .map(|view| hit(7, view, "/", NOON + view * 1000, seen()))
        .collect();
    let batch = apply(&mut visits, &hits);
    assert!(batch.sessions[0].1.suspect);
    assert_eq!(batch.views.iter().filter(|view| view.suspect).count(), 2);
}

#[test]
fn words_beyond_the_limit_are_one() {
    let mut visits = Visits::default();
    let hits: Vec<Hit> = (1..=20_100)
        .map(|view| hit(view, view, &format!("/{view}/"), NOON + view, seen()))
        .collect();
    let batch = apply(&mut visits, &hits);
    assert_eq!(batch.words.len(), 20_001);
    let other = crate::word::word_id(WordKind::Page, "(other)");
    let count = batch
        .views
        .iter()
        .filter(|view| view.page_id == other)
        .count();
    assert_eq!(count, 100);
}

#[test]
fn visits_that_are_over_are_forgotten() {
    let mut visits = Visits::default();
    let hits: Vec<Hit> = (1..=100)
        .map(|visitor| hit(visitor, visitor, "/", NOON, seen()))
        .collect();
    apply(&mut visits, &hits);
    assert_eq!(visits.len(), 100);
    apply(
        &mut visits,
        &[hit(500, 500, "/", NOON + 2 * KEPT_MICROS, seen())],
    );
    assert_eq!(visits.len(), 1);
}

#[test]
fn what_is_restored_goes_on() {
    let hits = [
        hit(7, 1, "/a/", NOON, seen()),
        hit(7, 2, "/b/", NOON + SECOND, seen()),
        hit(7, 2, "/b/", NOON + 9 * SECOND, engaged(8_000, 40)),
    ];
    let mut whole = Visits::default();
    let wanted = apply(&mut whole, &hits).sessions;
    let mut before = Visits::default();
    let first = apply(&mut before, &hits[..2]);
    let mut restored = Visits::default();
    for (site, row) in first.sessions {
        restored.restore_visit(site, row);
    }
    for view in first.views {
        restored.restore_view(
            view.site,
            view.view_id,
            RestoredView {
                ts: view.ts,
                page: view.page_id,
                visitor: Some(view.visitor_id),
                session_id: view.session_id,
                engaged_ms: view.engaged_ms,
                scroll_pct: view.scroll_pct,
            },
        );
    }
    assert_eq!(apply(&mut restored, &hits[2..]).sessions, wanted);
}

/// Identifier, engagement and depth of a view.
type StoredView = (i64, i32, i16);
/// Identifier, views and engagement of a visit.
type StoredVisit = (i64, i16, i32);

/// What is stored in the end, whatever the batches were.
fn outcome(hits: &[Hit], batches: usize) -> (Vec<StoredView>, Vec<StoredVisit>) {
    let mut visits = Visits::default();
    let (mut views, mut sessions) = (BTreeMap::new(), BTreeMap::new());
    for part in hits.chunks(hits.len().div_ceil(batches.max(1)).max(1)) {
        let batch = apply(&mut visits, part);
        for view in &batch.views {
            views.insert(view.view_id, (view.engaged_ms, view.scroll_pct));
        }
        for touched in &batch.views_touched {
            views.insert(touched.view_id, (touched.engaged_ms, touched.scroll_pct));
        }
        for (_, row) in batch.sessions {
            sessions.insert(row.session_id, (row.views, row.engaged_ms));
        }
    }
    let views = views.into_iter().map(|(id, (ms, pct))| (id, ms, pct));
    let sessions = sessions
        .into_iter()
        .map(|(id, (count, ms))| (id, count, ms));
    (views.collect(), sessions.collect())
}

proptest! {
    #[test]
    fn batches_and_repetitions_change_nothing(
        steps in proptest::collection::vec((1_i64..4, 0_i32..60_000, 0_i16..100, 0_usize..3), 1..30),
        batches in 1_usize..6,
    ) {
        let mut hits = Vec::new();
        let mut repeated = Vec::new();
        for (n, (view, ms, pct, times)) in steps.into_iter().enumerate() {
            let at = NOON + n as i64 * 20 * SECOND;
            for what in [seen(), engaged(ms, pct)] {
                let hit = hit(7, view, "/", at, what);
                hits.push(hit.clone());
                repeated.extend(std::iter::repeat_n(hit, times + 1));
            }
        }
        let wanted = outcome(&hits, 1);
        prop_assert_eq!(outcome(&hits, batches), wanted.clone());
        prop_assert_eq!(outcome(&repeated, batches), wanted);
    }
}

/// What is stored of views, by identifier: visit, instant, page, status, engagement and depth.
type ViewsStored = BTreeMap<i64, (i64, i64, i64, i16, i32, i16)>;

/// Everything that is stored in the end: views, visits, and events by instant, view and name. The number of a view within its visit is that of
/// its arrival.
fn stored(hits: &[Hit], batches: usize) -> (ViewsStored, Vec<SessionRow>, Vec<[i64; 4]>) {
    let mut visits = Visits::default();
    let (mut views, mut sessions) = (ViewsStored::new(), BTreeMap::new());
    let mut events = Vec::new();
    for part in hits.chunks(hits.len().div_ceil(batches).max(1)) {
        let batch = apply(&mut visits, part);
        for view in &batch.views {
            let row = (
                view.session_id,
                view.ts,
                view.page_id,
                view.status,
                view.engaged_ms,
                view.scroll_pct,
            );
            views.insert(view.view_id, row);
        }
        for touched in &batch.views_touched {
            let view = views.get_mut(&touched.view_id).unwrap();
            (view.4, view.5) = (touched.engaged_ms, touched.scroll_pct);
        }
        for (_, row) in batch.sessions {
            sessions.insert(row.session_id, row);
        }
        let rows = batch.events.iter();
        events.extend(rows.map(|row| [row.ts, row.view_id, row.name_id, row.session_id]));
    }
    events.sort_unstable();
    (views, sessions.into_values().collect(), events)
}

/// A view of a visit: seconds after the view before; reports, each with the seconds since the one before, the share of the time that
/// was engaged and the depth; seconds from the view to its events.
type Viewed = (i64, Vec<(i64, i32, i16)>, Vec<i64>);

/// Returns what one visit reports, in the order in which it happens, within the ten minutes that a report may wait in a browser.
fn visit_of(seen_views: &[Viewed]) -> Vec<Hit> {
    let mut hits = Vec::new();
    let mut at = NOON;
    for (place, (gap, reports, events)) in seen_views.iter().enumerate() {
        at += gap * SECOND;
        let view = place as i64 + 1;
        let mut add = |at, what| hits.push(hit(7, view, &format!("/{view}/"), at, what));
        add(at, seen());
        let (mut then, mut ms, mut depth) = (at, 0, 0);
        for (secs, share, pct) in reports {
            then += secs * SECOND;
            // The tracker reports what has grown.
            if *share == 0 && *pct <= depth {
                continue;
            }
            ms += *secs as i32 * 10 * share;
            depth = depth.max(*pct);
            add(then, engaged(ms, depth));
        }
        for (nth, secs) in events.iter().enumerate() {
            add(at + secs * SECOND, event(&format!("{view}-{nth}")));
        }
    }
    hits.sort_by_key(|hit| hit.events[0].at);
    hits
}

fn any_visit() -> impl Strategy<Value = Vec<Viewed>> {
    let report = (1_i64..60, 0_i32..=100, 0_i16..=100);
    let view = (
        1_i64..60,
        proptest::collection::vec(report, 0..4),
        proptest::collection::vec(0_i64..60, 0..4),
    );
    proptest::collection::vec(view, 1..6)
}

proptest! {
    /// The first report begins the visit; the others may come in any order, as often as a browser sends them, in any batches.
    #[test]
    fn order_and_repetition_of_a_visit_change_nothing(
        (hits, order, batches) in any_visit().prop_map(|views| visit_of(&views)).prop_flat_map(|hits| {
            let count = hits.len();
            let again = proptest::collection::vec(0..count, 0..count + 1);
            let order = again.prop_flat_map(move |again| {
                let all: Vec<usize> = (1..count).chain(again).collect();
                Just(all).prop_shuffle()
            });
            (Just(hits), order, 1_usize..5)
        }),
    ) {
        let arrived = |(nth, mut hit): (usize, Hit)| {
            hit.at = NOON + 600 * SECOND + nth as i64 * 1000;
            hit
        };
        let in_order: Vec<Hit> = hits.iter().cloned().enumerate().map(arrived).collect();
        let others = order.iter().map(|place| hits[*place].clone());
        let shuffled: Vec<Hit> = std::iter::once(hits[0].clone()).chain(others).enumerate().map(arrived).collect();
        prop_assert_eq!(stored(&shuffled, batches), stored(&in_order, 1));
    }
}

/// Two events wait in a browser and are sent again, although they had arrived: each counts once.
#[test]
fn events_that_are_sent_again_count_once() {
    let mut visits = Visits::default();
    let mut hits = vec![hit(7, 1, "/", NOON, seen())];
    for at in [NOON + SECOND, NOON + SECOND + 300_000] {
        for name in ["play", "pause"] {
            hits.push(hit(7, 1, "/", at, event(name)));
        }
    }
    let batch = apply(&mut visits, &hits);
    assert_eq!(batch.events.len(), 2);
    assert_eq!(batch.sessions[0].1.events, 2);
    let again = hit(7, 1, "/", NOON + 9 * SECOND, event("play"));
    assert_eq!(apply(&mut visits, &[again]).events.len(), 1);
}

/// What overtakes its view waits for it, for a minute from its arrival on, however long it waited in the browser.
#[test]
fn what_overtakes_its_view_waits() {
    let mut visits = Visits::default();
    let late = |hit: Hit, arrived: i64| Hit { at: arrived, ..hit };
    let begins = hit(7, 1, "/", NOON, seen());
    let then = NOON + 600 * SECOND;
    let batch = apply(
        &mut visits,
        &[
            begins,
            late(hit(7, 2, "/a/", NOON + 9 * SECOND, event("play")), then),
            late(hit(7, 3, "/b/", NOON + 30 * SECOND, seen()), then + SECOND),
            late(
                hit(7, 2, "/a/", NOON + 8 * SECOND, seen()),
                then + 2 * SECOND,
            ),
            // Nobody sees the page of this one.
            late(hit(7, 4, "/c/", NOON + 9 * SECOND, event("play")), then),
            late(hit(7, 5, "/d/", then, seen()), then + 61 * SECOND),
        ],
    );
    assert_eq!(batch.events.len(), 1);
    assert_eq!(batch.events[0].view_id, 2);
    let late_events: i64 = batch
        .refused
        .iter()
        .filter(|((_, _, refusal), _)| *refusal == late_event())
        .map(|(_, count)| count)
        .sum();
    assert_eq!(late_events, 1);
    // The last page is the one that was seen last.
    let exit = crate::word::word_id(WordKind::Page, "/d/");
    assert_eq!(batch.sessions[0].1.exit, exit);
}

/// The server's clock is set back: what follows lies before what was, and nothing is negative.
#[test]
fn a_clock_that_goes_back() {
    let mut visits = Visits::default();
    let batch = apply(
        &mut visits,
        &[
            hit(7, 1, "/a/", NOON, seen()),
            hit(7, 2, "/b/", NOON - 3600 * SECOND, seen()),
            hit(7, 2, "/b/", NOON - 3599 * SECOND, engaged(30_000, 50)),
            hit(7, 3, "/c/", NOON - 3500 * SECOND, event("signup")),
            hit(7, 2, "/b/", NOON - 3400 * SECOND, event("signup")),
            hit(7, 1, "/a/", NOON - 1800 * SECOND, engaged(5_000, 10)),
        ],
    );
    assert_eq!(batch.views.len(), 2);
    assert!(batch.views.iter().all(|view| view.engaged_ms >= 0));
    for (_, session) in &batch.sessions {
        assert!(session.last_seen >= session.ts, "{session:?}");
        assert!(session.engaged_ms >= 0 && session.views > 0);
    }
    let views: i16 = batch
        .sessions
        .iter()
        .map(|(_, session)| session.views)
        .sum();
    assert_eq!(views, 2);
}
