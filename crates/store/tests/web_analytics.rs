//! Web analytics as stored: rules of the schema, and sums that are what the rows say.
#![allow(clippy::unwrap_used, reason = "a test may fail")]

mod visit_support;

use serde_json::Value;
use testkit::{Database, Dice};
use visit_support::{View, Visit, lines, random, register, store};

async fn migrated() -> Database {
    testkit::migrated().await.unwrap()
}

/// The last days that are over, as a date in SQL.
fn ago(days: i64) -> String {
    format!("((now() AT TIME ZONE 'UTC')::date - {days})")
}

async fn text(database: &Database, sql: &str) -> String {
    lines(database, sql).await.join("\n")
}

#[tokio::test]
async fn a_path_is_written_in_one_way() {
    let database = migrated().await;
    let session = database.connect().await.unwrap();
    let cases: Vec<Value> =
        serde_json::from_str(include_str!("../../../fixtures/analytics/page_key.json")).unwrap();
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
        let counted = format!(
            "SELECT (SELECT sum(n) FROM unnest(d.durations) n) = d.visits FROM collector.web_analytics_days d WHERE d.site_id = {site} AND d.dimension = 0"
        );
        assert!(
            lines(&database, &counted)
                .await
                .iter()
                .all(|line| line == "t"),
            "{zone}"
        );
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

/// Rows that come after a day was added up are added, also when they are stored while that happens.
#[tokio::test]
async fn late_rows_are_added_up_again() {
    let database = migrated().await;
    let site = register(&database, "example.org", "UTC").await;
    let at = text(
        &database,
        &format!(
            "SELECT {}::timestamp AT TIME ZONE 'UTC' + interval '10 hours'",
            ago(3)
        ),
    )
    .await;
    let visit = |id: i64| Visit::new(id, id, vec![View::new(&at, "/")]);
    let settle = format!("SELECT collector.web_analytics_settle({site}, {})", ago(3));
    let visits = "SELECT visits FROM collector.web_analytics_days WHERE dimension = 0";
    assert_eq!(text(&database, &settle).await, "f", "nothing came");
    store(&database, site, &[visit(1)]).await;
    assert_eq!(text(&database, &settle).await, "t");
    assert_eq!(text(&database, &settle).await, "f", "nothing came since");
    assert_eq!(database.number(visits).await.unwrap(), 1);
    store(&database, site, &[visit(2)]).await;
    assert_eq!(
        text(&database, "SELECT day FROM collector.web_analytics_due()").await,
        text(&database, &format!("SELECT {}", ago(3))).await
    );
    assert_eq!(text(&database, &settle).await, "t");
    assert_eq!(database.number(visits).await.unwrap(), 2);

    // Rows that are not committed yet are waited for; they are in the sums, or the day is due again.
    let holder = testkit::hold(&database.target(), &visit(3).sql(site))
        .await
        .unwrap();
    let settling = tokio::spawn({
        let (target, settle) = (database.target(), settle.clone());
        async move {
            let session = testkit::connect(&target).await.unwrap();
            testkit::texts(&session.client, &settle).await.unwrap()
        }
    });
    let waits = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE '%settle%'";
    while database.number(waits).await.unwrap() == 0 {
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    holder.client.batch_execute("COMMIT").await.unwrap();
    assert_eq!(settling.await.unwrap(), ["t"]);
    assert_eq!(database.number(visits).await.unwrap(), 3);
    assert_eq!(
        database
            .number("SELECT count(*) FROM collector.web_analytics_due()")
            .await
            .unwrap(),
        0
    );
}

#[tokio::test]
async fn a_day_is_added_up_when_it_is_over() {
    let database = migrated().await;
    // It is yesterday in one of them, and tomorrow in another.
    for zone in ["Pacific/Kiritimati", "UTC", "Pacific/Pago_Pago"] {
        let site = register(&database, zone, zone).await;
        let today = text(
            &database,
            &format!("SELECT collector.web_analytics_day({site}, now())"),
        )
        .await;
        let now = text(&database, "SELECT now()").await;
        store(
            &database,
            site,
            &[Visit::new(1, 1, vec![View::new(&now, "/")])],
        )
        .await;
        let settle = format!("SELECT collector.web_analytics_settle({site}, '{today}')");
        assert_eq!(text(&database, &settle).await, "f", "{zone}");
    }
    assert_eq!(
        database
            .number("SELECT count(*) FROM collector.web_analytics_due()")
            .await
            .unwrap(),
        0
    );
    assert_eq!(
        text(
            &database,
            "SELECT collector.web_analytics_settle(4711, '2026-01-01')"
        )
        .await,
        "f"
    );
}

/// A day of which the rows are expired keeps the sums it has.
#[tokio::test]
async fn sums_outlive_their_rows() {
    let database = migrated().await;
    let site = register(&database, "example.org", "UTC").await;
    let at = text(
        &database,
        &format!(
            "SELECT {}::timestamp AT TIME ZONE 'UTC' + interval '10 hours'",
            ago(300)
        ),
    )
    .await;
    store(
        &database,
        site,
        &[Visit::new(1, 1, vec![View::new(&at, "/")])],
    )
    .await;
    let settle = format!(
        "SELECT collector.web_analytics_settle({site}, {})",
        ago(300)
    );
    assert_eq!(text(&database, &settle).await, "t");
    database
        .sql("DELETE FROM collector.web_analytics_page_views_raw; DELETE FROM collector.web_analytics_sessions_raw; UPDATE collector.web_analytics_settled SET dirty = true")
        .await
        .unwrap();
    assert_eq!(text(&database, &settle).await, "f");
    assert_eq!(
        text(
            &database,
            "SELECT sum(visits) FROM collector.web_analytics_days WHERE dimension = 0"
        )
        .await,
        "1"
    );
    assert_eq!(
        text(
            &database,
            "SELECT dirty FROM collector.web_analytics_settled"
        )
        .await,
        "f"
    );
}

#[tokio::test]
async fn words_beyond_a_thousand_are_one() {
    let database = migrated().await;
    let site = register(&database, "example.org", "UTC").await;
    database
        .sql(&format!(
            "INSERT INTO collector.web_analytics_sessions_raw (ts, session_id, last_seen, visitor_id, source, site_id, engaged_ms, views, events, interactive, suspect, consented, synthetic, channel) \
             SELECT '2026-05-01 10:00Z', n, '2026-05-01 10:00Z', n, collector.word_id('source', 's' || (n % 1200)), {site}, 0, 1, 0, false, false, false, false, 'referral' FROM generate_series(1, 5000) n; \
             SELECT collector.web_analytics_note('{{{site}}}', '{{2026-05-01}}'); SELECT collector.web_analytics_settle({site}, '2026-05-01')"
        ))
        .await
        .unwrap();
    let sums = "SELECT count(*), sum(d.visits), sum(d.visits) FILTER (WHERE w.word = '(other)') FROM collector.web_analytics_days d \
                LEFT JOIN collector.web_analytics_words w USING (site_id, word_id) WHERE d.dimension = 4";
    assert_eq!(text(&database, sums).await, "1001 5000 800");
}

/// Rows that came before their partition move into it, although some of their columns are computed.
#[tokio::test]
async fn rows_move_into_a_partition_that_is_made_later() {
    let database = migrated().await;
    let site = register(&database, "example.org", "UTC").await;
    let visit = Visit::new(1, 1, vec![View::new("2026-05-01 10:00:00Z", "/")]);
    store(&database, site, &[visit]).await;
    let made = "SELECT collector.web_analytics_partitions('2026-05-01')";
    assert_eq!(database.number(made).await.unwrap(), 7);
    assert_eq!(database.number(made).await.unwrap(), 0);
    for table in ["sessions", "page_views"] {
        let moved = format!("SELECT count(*) FROM collector.web_analytics_{table}_raw_20260501");
        assert_eq!(database.number(&moved).await.unwrap(), 1, "{table}");
    }
    // Sums have a partition for each month.
    let months = "SELECT count(*) FROM pg_class WHERE relname IN ('web_analytics_days_20260501', 'web_analytics_hours_20260501')";
    database
        .sql("SELECT collector.web_analytics_partitions('2026-05-20')")
        .await
        .unwrap();
    assert_eq!(database.number(months).await.unwrap(), 2);
    // A day that is over is rewritten once, without the room for updates.
    let fill = "SELECT reloptions::text FROM pg_class WHERE relname = 'web_analytics_page_views_raw_20260501'";
    assert!(text(&database, fill).await.contains("fillfactor=50"));
    let pack = "SELECT collector.web_analytics_pack('2026-05-01')";
    assert_eq!(text(&database, pack).await, "t");
    assert_eq!(text(&database, pack).await, "f");
    assert!(text(&database, fill).await.contains("fillfactor=100"));
    assert_eq!(
        database
            .number("SELECT count(*) FROM collector.web_analytics_page_views_real")
            .await
            .unwrap(),
        1
    );
    let young = "SELECT collector.web_analytics_pack((now() AT TIME ZONE 'UTC')::date - 1)";
    assert_eq!(text(&database, young).await, "f");
}

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
