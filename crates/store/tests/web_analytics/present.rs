//! What is known of the present: visits under way, and the pulse of a site.

use crate::visit_support::{View, Visit, register, store};
use crate::{migrated, text};

/// What is live is known after a restart: visits that were seen, and views by which later engagement is recognised.
#[tokio::test]
async fn live_visits_are_read_after_a_restart() {
    let database = migrated().await;
    let site = register(&database, "example.org", "UTC").await;
    let minutes = |ago: i64| format!("SELECT now() - {ago} * interval '1 minute'");
    let (old, new) = (
        text(&database, &minutes(90)).await,
        text(&database, &minutes(10)).await,
    );
    store(
        &database,
        site,
        &[
            Visit::new(1, 1, vec![View::new(&old, "/")]),
            Visit::new(2, 2, vec![View::new(&old, "/"), View::new(&new, "/a/")]),
        ],
    )
    .await;
    let live = format!(
        "SELECT session_id, visitor_id, views, engaged_ms, browser FROM collector.web_analytics_live({site}, now() - interval '30 minutes')"
    );
    assert_eq!(text(&database, &live).await, "2 2 2 24000 Firefox");
    let views = format!(
        "SELECT view_id, session_id, nth, is_anonymous FROM collector.web_analytics_live_views({site}, now() - interval '30 minutes')"
    );
    assert_eq!(text(&database, &views).await, "2001 2 2 f");
}

/// What a site has now, and what its silence misses: the fewest views of the same time of the last four weeks.
#[tokio::test]
async fn the_pulse_of_a_site() {
    let database = migrated().await;
    let site = register(&database, "example.org", "Europe/Berlin").await;
    let session = database.connect().await.unwrap();
    // Monday, noon in Berlin.
    let noon = schema::Timestamp(1_795_431_600_000_000);
    let sites = ["example.org".to_owned(), "never.example".to_owned()];
    let pulse = || store::pulse::read(&session.client, &sites, noon);
    let none = pulse().await.unwrap();
    assert_eq!(
        (
            none.len(),
            none[0].views,
            none[0].silent_secs,
            none[0].missed_views
        ),
        (1, 0, None, None)
    );
    let at = |week: i64, minutes: i64| {
        format!("to_timestamp(1795431600) - interval '{week} weeks' - interval '{minutes} minutes'")
    };
    let mut id = 0;
    let mut view = |week: i64, minutes: i64| {
        id += 1;
        format!(
            "INSERT INTO collector.web_analytics_page_views_raw (ts, session_ts, session_id, visitor_id, view_id, page_id, site_id, engaged_ms, nth, status, scroll_pct, suspect, synthetic) \
             VALUES ({at}, {at}, {id}, {}, {id}, 1, {site}, 0, 1, 0, 0, false, {});",
            id % 2,
            week == 9,
            at = at(week.min(4), minutes)
        )
    };
    // An hour ago was the last view. In the same hour there were five, three and four, and none of a health check counts.
    let mut sql = view(0, 60) + &view(9, 30);
    for (week, count) in [(1, 5), (2, 3), (4, 4)] {
        for n in 0..count {
            sql += &view(week, 5 + n);
        }
        sql += &view(week, 90);
    }
    // Counted before the third week ago, which had none within the hour.
    database.sql(&sql).await.unwrap();
    let found = &pulse().await.unwrap()[0];
    assert_eq!(
        (
            found.views,
            found.visitors_live,
            found.silent_secs,
            found.missed_views
        ),
        (0, 0, Some(3600.0), Some(0.0))
    );
    database.sql(&view(3, 20)).await.unwrap();
    let found = &pulse().await.unwrap()[0];
    assert_eq!(found.missed_views, Some(1.0));
    let now = view(0, 4)
        + &view(0, 3)
        + &view(0, 2)
        + &format!(
            "INSERT INTO collector.web_analytics_refused_raw VALUES ({}, {site}, 'bot', '', 7);",
            at(0, 1)
        );
    database.sql(&now).await.unwrap();
    let found = &pulse().await.unwrap()[0];
    assert_eq!(
        (
            found.views,
            found.visitors_live,
            found.refused,
            found.silent_secs
        ),
        (3, 2, 7, Some(120.0))
    );
    // A site that is new has no usual.
    let young = register(&database, "never.example", "UTC").await;
    let first = format!(
        "INSERT INTO collector.web_analytics_page_views_raw (ts, session_ts, session_id, visitor_id, view_id, page_id, site_id, engaged_ms, nth, status, scroll_pct, suspect, synthetic) \
         VALUES ({at}, {at}, 1, 1, 1, 1, {young}, 0, 1, 0, 0, false, false)",
        at = at(0, 9)
    );
    database.sql(&first).await.unwrap();
    let found = pulse().await.unwrap();
    assert_eq!(
        (
            found[1].site.as_str(),
            found[1].silent_secs,
            found[1].missed_views
        ),
        ("never.example", Some(540.0), None)
    );
}
