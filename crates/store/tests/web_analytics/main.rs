//! Web analytics as stored: rules of the schema, and sums that are what the rows say.
#![allow(clippy::unwrap_used, reason = "a test may fail")]

mod days;
mod present;
#[path = "../visit_support/mod.rs"]
mod visit_support;

use serde_json::Value;
use testkit::{Database, Dice};
use visit_support::{View, Visit, lines, random, register, store};

pub(crate) async fn migrated() -> Database {
    testkit::migrated().await.unwrap()
}

pub(crate) async fn text(database: &Database, sql: &str) -> String {
    lines(database, sql).await.join("\n")
}

#[tokio::test]
async fn a_path_is_written_in_one_way() {
    let database = migrated().await;
    let session = database.connect().await.unwrap();
    let cases: Vec<Value> =
        serde_json::from_str(include_str!("../../../../fixtures/analytics/page_key.json")).unwrap();
    for case in &cases {
        let (path, key) = (
            case["path"].as_str().unwrap(),
            case["key"].as_str().unwrap(),
        );
        let sql = "SELECT collector.page_key($1), collector.page_key(collector.page_key($1))";
        let row = session.client.query_one(sql, &[&path]).await.unwrap();
        assert_eq!(row.get::<_, &str>(0), key, "{path}");
        assert_eq!(row.get::<_, &str>(1), key, "{path}, twice");
    }
    assert!(cases.len() > 40, "{}", cases.len());
}

#[tokio::test]
async fn the_id_of_a_word_is_computed_alone() {
    let database = migrated().await;
    let session = database.connect().await.unwrap();
    for (kind, word) in [
        ("page", "/"),
        ("page", "/straße/"),
        ("source", ""),
        ("event", "a b"),
    ] {
        use sha2::{Digest, Sha256};
        let digest = Sha256::digest([kind.as_bytes(), &[0], word.as_bytes()].concat());
        let id = i64::from_be_bytes(digest[..8].try_into().unwrap());
        let row = session
            .client
            .query_one("SELECT collector.word_id($1, $2)", &[&kind, &word])
            .await
            .unwrap();
        assert_eq!(row.get::<_, i64>(0), id, "{kind} {word}");
    }
}

/// A bounce: one view, nothing interactive, engaged for less than ten seconds. What counts of a duration ends at four hours.
#[tokio::test]
async fn bounces_and_durations_follow_from_the_visit() {
    let database = migrated().await;
    let site = register(&database, "example.org", "UTC").await;
    for (id, views, interactive, engaged_ms, last_seen, wanted) in [
        (1, 1, false, 9_999, "00:00:00", "t 0 0"),
        (2, 1, false, 10_000, "00:00:00", "f 0 0"),
        (3, 2, false, 0, "00:00:30", "f 30 30"),
        (4, 1, true, 0, "00:00:00", "f 0 0"),
        (5, 1, false, 0, "03:59:59", "t 14399 14399"),
        (6, 1, false, 0, "04:00:00", "t 14400 14400"),
        (7, 1, false, 0, "23:00:00", "t 82800 14400"),
    ] {
        let views = vec![
            View {
                engaged_ms: engaged_ms / views,
                ..View::new("2026-03-01 00:00:00Z", "/")
            };
            usize::try_from(views).unwrap()
        ];
        let mut visit = Visit::new(id, id, views);
        visit.interactive = interactive;
        visit.last_seen = format!("2026-03-01 {last_seen}Z");
        database.sql(&visit.touch(site)).await.unwrap();
        let row = format!(
            "SELECT bounce, duration_secs, capped_secs FROM collector.web_analytics_sessions_raw WHERE session_id = {id}"
        );
        assert_eq!(text(&database, &row).await, wanted, "{id}");
    }
    // A clock that was set back.
    let mut visit = Visit::new(8, 8, vec![View::new("2026-03-01 10:00:00Z", "/")]);
    visit.last_seen = "2026-03-01 09:00:00Z".to_owned();
    database.sql(&visit.touch(site)).await.unwrap();
    let row = "SELECT duration_secs, capped_secs FROM collector.web_analytics_sessions_raw WHERE session_id = 8";
    assert_eq!(text(&database, row).await, "0 0");
}

/// Whatever the order in which the states of a visit arrive, and how often, its row is the same.
#[tokio::test]
async fn states_of_a_visit_merge_in_any_order() {
    let mut rows = Vec::new();
    for seed in 0..6 {
        let database = migrated().await;
        let site = register(&database, "example.org", "UTC").await;
        let mut dice = Dice::new(seed);
        let page =
            |minute: u32, page: &str| View::new(&format!("2026-03-01 10:{minute:02}:00Z"), page);
        let views = [page(0, "/"), page(5, "/a/"), page(9, "/b/")];
        let mut states: Vec<Visit> = (1..=3)
            .map(|n| {
                let mut visit = Visit::new(7, 7, views[..n].to_vec());
                visit.interactive = n == 2;
                visit.consented = n == 3;
                visit
            })
            .collect();
        states.extend(states.clone());
        for _ in 0..states.len() {
            let (a, b) = (dice.index(states.len()), dice.index(states.len()));
            states.swap(a, b);
        }
        // The first state began the visit.
        let mut sql = Visit::new(7, 7, views[..1].to_vec()).touch(site);
        for state in &states {
            sql += &state.touch(site);
        }
        database.sql(&sql).await.unwrap();
        let row = "SELECT last_seen, entry = collector.word_id('page', '/'), exit = collector.word_id('page', '/b/'), views, engaged_ms, interactive, consented \
                   FROM collector.web_analytics_sessions_raw";
        rows.push(text(&database, row).await);
    }
    assert_eq!(rows[0], "2026-03-01 10:09:00+00 t t 3 36000 t t");
    assert!(rows.iter().all(|row| *row == rows[0]), "{rows:?}");
}

#[tokio::test]
async fn engagement_takes_the_greater_value() {
    let database = migrated().await;
    let site = register(&database, "example.org", "UTC").await;
    store(
        &database,
        site,
        &[Visit::new(
            1,
            1,
            vec![View::new("2026-03-01 10:00:00Z", "/")],
        )],
    )
    .await;
    for (engaged_ms, scroll_pct, changed, wanted) in [
        (20_000, 50, 1, "20000 60"),
        (20_000, 60, 0, "20000 60"),
        (1, 90, 1, "20000 90"),
        (2, 3, 0, "20000 90"),
    ] {
        let touch = format!(
            "SELECT collector.web_analytics_touch_views('{{{site}}}', ARRAY['2026-03-01 10:00:00Z'::timestamptz], '{{1000}}', '{{{engaged_ms}}}', '{{{scroll_pct}}}')"
        );
        assert_eq!(
            database.number(&touch).await.unwrap(),
            changed,
            "{engaged_ms}"
        );
        let row = "SELECT engaged_ms, scroll_pct FROM collector.web_analytics_page_views_raw";
        assert_eq!(text(&database, row).await, wanted, "{engaged_ms}");
    }
}

#[tokio::test]
async fn a_watermark_moves_from_what_was_read() {
    let database = migrated().await;
    let spool = "'00000000-0000-0000-0000-000000000001'";
    for (was, seq, wanted) in [
        (0, 10, "t"),
        (0, 10, "f"),
        (5, 11, "f"),
        (10, 20, "t"),
        (10, 20, "f"),
    ] {
        let advance = format!("SELECT collector.web_analytics_advance({spool}, {was}, {seq})");
        assert_eq!(text(&database, &advance).await, wanted, "{was} {seq}");
    }
    let read = format!("SELECT collector.web_analytics_delivered({spool})");
    assert_eq!(database.number(&read).await.unwrap(), 20);
}

/// The sums of each day are what a plain query finds in the rows of that day, with days of 23 and 25 hours and zones of half hours.
#[tokio::test]
async fn sums_are_what_the_rows_say() {
    for (seed, zone, from) in [
        (1, "Europe/Berlin", "2026-03-28Z"),
        (2, "Europe/Berlin", "2026-10-24Z"),
        (3, "America/St_Johns", "2026-03-07Z"),
        (4, "Australia/Lord_Howe", "2026-04-04Z"),
        (5, "Asia/Kathmandu", "2026-06-10Z"),
    ] {
        let database = migrated().await;
        let site = register(&database, "example.org", zone).await;
        let other = register(&database, "other.example", "UTC").await;
        let mut dice = Dice::new(seed);
        store(&database, site, &random(&mut dice, from, 72, 300)).await;
        store(&database, other, &random(&mut dice, from, 72, 50)).await;
        let settled = "SELECT count(*) FROM collector.web_analytics_due() d WHERE collector.web_analytics_settle(d.site_id, d.day)";
        assert!(database.number(settled).await.unwrap() >= 4, "{zone}");

        let day = format!("(s.ts AT TIME ZONE '{zone}')::date");
        let real = format!("s.site_id = {site} AND NOT s.synthetic AND NOT s.suspect");
        let sums = |dimension: &str, columns: &str| {
            format!(
                "SELECT d.bucket, {columns} FROM collector.web_analytics_days d LEFT JOIN collector.web_analytics_words w USING (site_id, word_id) \
                 WHERE d.site_id = {site} AND d.dimension = (SELECT dimension FROM collector.web_analytics_dimensions WHERE name = '{dimension}') ORDER BY 1, 2, 3"
            )
        };
        let visits = |key: &str| {
            format!(
                "SELECT {day}, {key}, count(DISTINCT s.visitor_id), count(*), sum(s.views), sum(s.bounce::int), sum(s.engaged_ms), \
                 sum(least(s.duration_secs, 14400)) FROM collector.web_analytics_sessions_raw s \
                 LEFT JOIN collector.web_analytics_words f ON f.site_id = s.site_id AND f.word_id = s.source WHERE {real} GROUP BY 1, 2 ORDER BY 1, 2, 3"
            )
        };
        let columns = "visitors, visits, views, bounces, engaged_ms, capped_secs";
        for (dimension, key, columns) in [
            ("visit", "''", format!("'', {columns}")),
            (
                "source",
                "coalesce(f.word, '')",
                format!("w.word, {columns}"),
            ),
            ("country", "s.country", format!("w.word, {columns}")),
            (
                "browser_os",
                "s.browser || ' ' || s.os",
                format!("w.word || ' ' || w.title, {columns}"),
            ),
            (
                "consent",
                "CASE WHEN s.consented THEN 'consented' ELSE 'cookieless' END",
                format!("w.word, {columns}"),
            ),
        ] {
            let (found, wanted) = (
                lines(&database, &sums(dimension, &columns)).await,
                lines(&database, &visits(key)).await,
            );
            assert_eq!(found, wanted, "{zone} {dimension}");
            assert!(found.len() >= 3, "{zone} {dimension}");
        }
        let words = "JOIN collector.web_analytics_words w ON w.site_id = s.site_id AND w.word_id";
        // A visit that lasts beyond midnight ends on a page without a view on its day, and the other way round.
        let some = |lines: Vec<String>| -> Vec<String> {
            lines
                .into_iter()
                .filter(|line| !line.ends_with(" 0"))
                .collect()
        };
        for (key, what, columns, plain) in [
            (
                "page_id",
                "page_views",
                "visitors, engaged_ms, visits, views",
                "count(DISTINCT s.visitor_id), sum(s.engaged_ms), count(DISTINCT s.session_id), count(*)",
            ),
            (
                "entry",
                "sessions",
                "bounces, entries",
                "sum(s.bounce::int), count(*)",
            ),
            ("exit", "sessions", "exits", "count(*)"),
        ] {
            let plain = format!(
                "SELECT {day}, w.word, {plain} FROM collector.web_analytics_{what}_raw s {words} = s.{key} WHERE {real} GROUP BY 1, 2 ORDER BY 1, 2"
            );
            let found = lines(&database, &sums("page", &format!("w.word, {columns}"))).await;
            assert_eq!(some(found), lines(&database, &plain).await, "{zone} {key}");
        }
        let depth = format!(
            "SELECT {day}, w.word, count(*), count(*) FILTER (WHERE scroll_pct > 0), sum(scroll_pct), count(*) FILTER (WHERE scroll_pct >= 75) \
             FROM collector.web_analytics_page_views_raw s JOIN collector.web_analytics_words w ON w.site_id = s.site_id AND w.word_id = s.page_id \
             WHERE {real} GROUP BY 1, 2 ORDER BY 1, 2"
        );
        assert_eq!(
            lines(
                &database,
                &sums(
                    "page_time",
                    "w.word, views, scrolls[1], scrolls[2], scrolls[5]"
                )
            )
            .await,
            lines(&database, &depth).await,
            "{zone} depths"
        );
        for (dimension, secs) in [
            ("visit", "least(s.duration_secs, 14400)"),
            ("engagement", "s.engaged_ms / 1000"),
        ] {
            let kept = format!(
                "SELECT d.bucket, u.at, u.n FROM collector.web_analytics_days d CROSS JOIN LATERAL unnest(d.durations) WITH ORDINALITY u (n, at) \
                 WHERE d.site_id = {site} AND d.dimension = (SELECT dimension FROM collector.web_analytics_dimensions WHERE name = '{dimension}') AND u.n > 0 ORDER BY 1, 2"
            );
            let plain = format!(
                "SELECT {day}, collector.duration_bucket(({secs})::float8), count(*) FROM collector.web_analytics_sessions_raw s WHERE {real} GROUP BY 1, 2 ORDER BY 1, 2"
            );
            assert_eq!(
                lines(&database, &kept).await,
                lines(&database, &plain).await,
                "{zone} {dimension}, a histogram"
            );
        }
        let hours = format!(
            "SELECT bucket, visitors, visits, bounces FROM collector.web_analytics_hours WHERE site_id = {site} AND visits > 0 ORDER BY 1"
        );
        let plain = format!(
            "SELECT date_bin('1 hour', s.ts, (timestamp '2026-01-01' AT TIME ZONE '{zone}')), count(DISTINCT visitor_id), count(*), sum(bounce::int) \
             FROM collector.web_analytics_sessions_raw s WHERE {real} GROUP BY 1 ORDER BY 1"
        );
        // Where a change of clocks is of half an hour, hours before and after it do not begin at the same minutes.
        if zone != "Australia/Lord_Howe" {
            assert_eq!(
                lines(&database, &hours).await,
                lines(&database, &plain).await,
                "{zone} hours"
            );
            let views = plain.replace("sessions_raw", "page_views_raw").replace(
                "count(DISTINCT visitor_id), count(*), sum(bounce::int)",
                "count(*)",
            );
            let kept = format!(
                "SELECT bucket, views FROM collector.web_analytics_hours WHERE site_id = {site} AND views > 0 ORDER BY 1"
            );
            assert_eq!(
                lines(&database, &kept).await,
                lines(&database, &views).await,
                "{zone} views of hours"
            );
        }
    }
}

#[tokio::test]
async fn a_quantile_of_a_histogram_is_within_a_tenth() {
    let database = migrated().await;
    let far = "SELECT max(abs(collector.bucket_secs(collector.duration_bucket(s)) / s - 1)) FROM generate_series(1, 14400) s";
    let far: f64 = text(&database, far).await.parse().unwrap();
    assert!(far < 0.1, "{far}");
    let ends = "SELECT collector.duration_bucket(0), collector.duration_bucket(0.9), collector.duration_bucket(1), collector.duration_bucket(14399.9), \
                collector.duration_bucket(14400), collector.duration_bucket(1e9)";
    assert_eq!(text(&database, ends).await, "1 1 2 59 60 60");
    let median = "SELECT collector.tally_quantile('{4,0,0}', 0.5), collector.tally_quantile('{0,0}', 0.5), collector.tally_quantile(NULL, 0.5)";
    assert_eq!(text(&database, median).await, "0 - -");
}

/// Three days of health checks, every five minutes, and a visit that is suspect.
#[tokio::test]
async fn health_checks_leave_averages_unmoved() {
    let database = migrated().await;
    let site = register(&database, "example.org", "Europe/Berlin").await;
    let mut dice = Dice::new(9);
    let mut visits = random(&mut dice, "2026-05-01Z", 72, 60);
    visits
        .iter_mut()
        .for_each(|visit| (visit.suspect, visit.synthetic) = (false, false));
    store(&database, site, &visits).await;
    let averages = format!(
        "SELECT dimension, word_id, sum(visitors), sum(visits), sum(views), sum(bounces), sum(capped_secs), collector.sum_counts(durations) \
         FROM collector.web_analytics_sums({site}, '2026-04-30Z', '2026-05-06Z', ARRAY(SELECT dimension FROM collector.web_analytics_dimensions)) GROUP BY 1, 2 ORDER BY 1, 2"
    );
    let before = lines(&database, &averages).await;
    let mut checks = Visit::new(-1, -1, vec![View::new("2026-05-01 00:00:00Z", "/"); 800]);
    checks.synthetic = true;
    checks.last_seen = "2026-05-04 00:00:00Z".to_owned();
    database.sql(&checks.touch(site)).await.unwrap();
    let mut program = Visit::new(-2, -2, vec![View::new("2026-05-02 00:00:00Z", "/")]);
    program.suspect = true;
    store(&database, site, &[program]).await;
    database.sql(&format!("SELECT collector.web_analytics_synthetic({site}); SELECT collector.web_analytics_synthetic({site})")).await.unwrap();
    assert_eq!(lines(&database, &averages).await, before);
    let settle =
        "SELECT collector.web_analytics_settle(site_id, day) FROM collector.web_analytics_due()";
    database.sql(settle).await.unwrap();
    assert_eq!(lines(&database, &averages).await, before, "of closed days");
    // One row a day of the site, under the name that was known before.
    let known = "SELECT page_views, site FROM collector.web_analytics_sessions WHERE session_id = 'health-check-session' AND created_at > now() - interval '2 days'";
    assert_eq!(text(&database, known).await, "2 example.org");
}
