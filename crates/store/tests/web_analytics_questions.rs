//! Questions about visits: a figure is what a plain query finds, from sums and from rows, with filters and without.
#![allow(clippy::unwrap_used, reason = "a test may fail")]

mod visit_support;

use store::traffic::{Extra, LIVE, QUESTIONS, Question};
use testkit::{Database, Dice};
use visit_support::{View, Visit, lines, random, register, store as keep};

const ZONE: &str = "Europe/Berlin";
/// Days of the site that have visits, whole ones; the last has the change of clocks to winter.
const FIRST: &str = "2026-10-23";
const LAST: &str = "2026-10-25";
const NO_FILTER: &str = "NULL";

/// A site with three days of visits that are not added up, and the three days before with fewer.
async fn site() -> (Database, i64) {
    let database = testkit::migrated().await.unwrap();
    let site = register(&database, "example.org", ZONE).await;
    let mut dice = Dice::new(11);
    let mut visits = random(&mut dice, "2026-10-22Z", 96, 250);
    let before = random(&mut dice, "2026-10-19Z", 70, 60);
    visits.extend(before.into_iter().map(|visit| Visit {
        id: visit.id + 1000,
        ..visit
    }));
    keep(&database, site, &visits).await;
    // A visitor and a visit live one day of the site.
    database
        .sql(&format!(
            "UPDATE collector.web_analytics_page_views_raw SET ts = least(ts, collector.web_analytics_midnight({site}, collector.web_analytics_day({site}, session_ts) + 1) - interval '1 second'); \
             UPDATE collector.web_analytics_sessions_raw SET last_seen = least(last_seen, collector.web_analytics_midnight({site}, collector.web_analytics_day({site}, ts) + 1) - interval '1 second'); \
             UPDATE collector.web_analytics_sessions_raw SET visitor_id = visitor_id + 1000 * extract(day FROM ts AT TIME ZONE '{ZONE}')::int; \
             UPDATE collector.web_analytics_page_views_raw v SET visitor_id = s.visitor_id FROM collector.web_analytics_sessions_raw s WHERE s.session_id = v.session_id"
        ))
        .await
        .unwrap();
    database
        .sql(
            "INSERT INTO collector.web_analytics_events_raw (ts, session_ts, session_id, visitor_id, view_id, page_id, name_id, site_id, kind, suspect, synthetic, props) \
             SELECT ts + interval '1 second', ts, session_id, visitor_id, 0, entry, collector.word_id('event', 'signup'), site_id, 0, suspect, synthetic, \
                    jsonb_build_object('plan', CASE WHEN session_id % 3 = 0 THEN 'pro' ELSE 'free' END) \
             FROM collector.web_analytics_sessions_raw WHERE session_id % 5 = 0; \
             INSERT INTO collector.web_analytics_anonymous_views_raw (ts, view_id, page_id, site_id, engaged_ms, status, scroll_pct) \
             SELECT timestamptz '2026-10-24 08:00Z' + n * interval '1 hour', n, collector.word_id('page', '/'), 1, 0, 200, 0 FROM generate_series(1, 7) n",
        )
        .await
        .unwrap();
    let word = visit_support::word(site, "event", "signup", "2026-10-24 08:00Z");
    database.sql(&word).await.unwrap();
    (database, site)
}

async fn settle(database: &Database) {
    let settle =
        "SELECT collector.web_analytics_settle(site_id, day) FROM collector.web_analytics_due()";
    database.sql(settle).await.unwrap();
}

/// Returns the statement of who is there, without the instants.
fn live(site: &str) -> String {
    let sql = LIVE.sql.replace("$1", site);
    format!("SELECT kind, word, title, count FROM ({sql}) live")
}

fn question(name: &str) -> Question {
    let mut all = QUESTIONS.iter().chain([&LIVE]);
    *all.find(|question| question.name == name).unwrap()
}

/// Returns an example of the sixth parameter, and its type.
fn example(extra: Extra) -> (&'static str, &'static str) {
    match extra {
        Extra::Grain => ("text", "'day'"),
        Extra::Campaign => ("text", "'utm_source'"),
        Extra::Event => ("text", "'signup'"),
        Extra::Page => ("text", "'/a/'"),
        Extra::Goals => (
            "jsonb",
            r#"'[{"name": "signs up", "event": "signup"}, {"name": "reads b", "page": "/b*"}]'"#,
        ),
        Extra::Steps => (
            "jsonb",
            r#"'[{"page": "/"}, {"page": "/a/"}, {"event": "signup"}]'"#,
        ),
    }
}

/// Asks a question about days of the site, with a value for the sixth parameter, and returns the given columns.
async fn ask_with(
    database: &Database,
    name: &str,
    columns: &str,
    (compare, filters): (&str, &str),
    sixth: Option<&str>,
) -> Vec<String> {
    let question = question(name);
    let (kind, value) = question
        .extra
        .map_or((String::new(), String::new()), |extra| {
            let (kind, example) = example(extra);
            (
                format!(", {kind}"),
                format!(", {}", sixth.unwrap_or(example)),
            )
        });
    let session = database.connect().await.unwrap();
    let prepare = format!(
        "PREPARE question (int4, date, date, text, jsonb{kind}) AS {}",
        question.sql
    );
    session.client.batch_execute(&prepare).await.unwrap();
    // The columns by their names, whatever their order.
    let sql = format!(
        "CREATE TEMP TABLE answer AS EXECUTE question (1, '{FIRST}', '{LAST}', '{compare}', {filters}{value}); SELECT {columns} FROM answer"
    );
    let found = testkit::texts(&session.client, &sql).await.unwrap();
    session.close(std::time::Duration::from_secs(5)).await;
    found
}

async fn ask(database: &Database, name: &str, columns: &str, filters: &str) -> Vec<String> {
    ask_with(database, name, columns, ("none", filters), None).await
}

/// The visits of the days, as rows `s` of a plain query.
fn plain(columns: &str, condition: &str, rest: &str) -> String {
    format!(
        "SELECT {columns} FROM collector.web_analytics_sessions_raw s \
         LEFT JOIN collector.web_analytics_words f ON f.site_id = s.site_id AND f.word_id = s.source \
         WHERE s.site_id = 1 AND NOT s.synthetic AND NOT s.suspect AND (s.ts AT TIME ZONE '{ZONE}')::date BETWEEN '{FIRST}' AND '{LAST}' \
         AND {condition} {rest}"
    )
}

/// The same of views `v`.
fn plain_views(columns: &str, rest: &str) -> String {
    format!(
        "SELECT {columns} FROM collector.web_analytics_page_views_raw v JOIN collector.web_analytics_words w ON w.site_id = v.site_id AND w.word_id = v.page_id \
         WHERE v.site_id = 1 AND NOT v.synthetic AND NOT v.suspect AND (v.ts AT TIME ZONE '{ZONE}')::date BETWEEN '{FIRST}' AND '{LAST}' {rest}"
    )
}

#[tokio::test]
async fn figures_are_what_a_plain_query_finds() {
    let (database, _) = site().await;
    for state in ["open", "closed"] {
        let counts = "visits, views, round(bounce_pct * visits / 100), round(capped_mean_secs * visits), capped";
        let wanted = plain(
            "count(*), sum(s.views), sum(s.bounce::int), sum(least(s.duration_secs, 14400)), count(*) FILTER (WHERE s.duration_secs >= 14400)",
            "true",
            "",
        );
        assert_eq!(
            ask(&database, "summary", counts, NO_FILTER).await,
            lines(&database, &wanted).await,
            "{state}"
        );
        for (name, column, key) in [
            ("sources", "source", "coalesce(f.word, '')"),
            ("countries", "country", "s.country"),
            ("devices", "device", "s.device"),
            ("languages", "language", "s.language"),
            ("isps", "asn", "s.asn::text"),
            ("channels", "channel", "s.channel"),
            (
                "browsers",
                "browser || '/' || os",
                "s.browser || '/' || s.os",
            ),
        ] {
            let columns = format!(
                "{column} AS a, visits, views, round(bounce_pct * visits / 100) FROM answer ORDER BY 1 --"
            );
            let wanted = plain(
                &format!("{key}, count(*), sum(s.views), sum(s.bounce::int)"),
                "true",
                "GROUP BY 1 ORDER BY 1",
            );
            assert_eq!(
                ask(&database, name, &columns, NO_FILTER).await,
                lines(&database, &wanted).await,
                "{name} {state}"
            );
            let whole = ask(
                &database,
                name,
                "round(sum(share_pct)) FROM answer --",
                NO_FILTER,
            )
            .await;
            assert_eq!(whole, ["100"], "{name} {state}");
        }
        let pages = ask(
            &database,
            "pages",
            "page, views, title FROM answer ORDER BY 1 --",
            NO_FILTER,
        )
        .await;
        assert_eq!(
            pages,
            lines(
                &database,
                &plain_views("w.word, count(*), w.title", "GROUP BY 1, 3 ORDER BY 1")
            )
            .await,
            "{state}"
        );
        let entries = ask(
            &database,
            "entries",
            "sum(entries), round(sum(share_pct)) FROM answer --",
            NO_FILTER,
        )
        .await;
        assert_eq!(
            entries,
            lines(&database, &plain("count(*), 100", "true", "")).await,
            "{state}"
        );
        let exits = ask(
            &database,
            "exits",
            "sum(exits), round(sum(share_pct)) FROM answer --",
            NO_FILTER,
        )
        .await;
        assert_eq!(exits, entries, "{state}");
        let missing = ask(
            &database,
            "missing",
            "page, count FROM answer ORDER BY 1 --",
            NO_FILTER,
        )
        .await;
        assert_eq!(
            missing,
            lines(
                &database,
                &plain_views(
                    "w.word, count(*)",
                    "AND v.status = 404 GROUP BY 1 ORDER BY 1"
                )
            )
            .await,
            "{state}"
        );
        let scroll = ask(&database, "scroll", "page, views, round((mean_pct * views)::numeric), round((reached_75_pct * views / 100)::numeric) FROM answer ORDER BY 1 --", NO_FILTER).await;
        let wanted = plain_views(
            "w.word, count(*), sum(v.scroll_pct), count(*) FILTER (WHERE v.scroll_pct >= 75)",
            "AND v.scroll_pct > 0 GROUP BY 1 ORDER BY 1",
        );
        assert_eq!(scroll, lines(&database, &wanted).await, "{state}");
        let engaged = ask(
            &database,
            "engaged",
            "page, views, round((engaged_pct * views / 100)::numeric) FROM answer ORDER BY 1 --",
            NO_FILTER,
        )
        .await;
        // A second less or more belongs to the same bucket as ten.
        assert_eq!(
            engaged.len(),
            lines(
                &database,
                &plain_views("w.word", "GROUP BY 1 HAVING count(*) >= 10")
            )
            .await
            .len(),
            "{state}"
        );
        let consent = ask(
            &database,
            "consent",
            "consented, visits, anonymous",
            NO_FILTER,
        )
        .await;
        assert_eq!(
            consent,
            lines(
                &database,
                &plain("sum(s.consented::int), count(*), 7", "true", "")
            )
            .await,
            "{state}"
        );
        let events = ask(&database, "events", "event, count", NO_FILTER).await;
        assert_eq!(
            events,
            lines(
                &database,
                &plain("'signup', count(*)", "s.session_id % 5 = 0", "")
            )
            .await,
            "{state}"
        );
        settle(&database).await;
    }
}

/// Quantiles come from histograms: within a tenth, plus what lies between two visits.
#[tokio::test]
async fn medians_are_close_to_those_of_the_rows() {
    let (database, _) = site().await;
    for state in ["open", "closed"] {
        let found = ask(&database, "summary", "median_secs, p95_secs", NO_FILTER).await;
        let wanted = plain(
            "percentile_disc(0.5) WITHIN GROUP (ORDER BY s.capped_secs), percentile_disc(0.95) WITHIN GROUP (ORDER BY s.capped_secs)",
            "true",
            "",
        );
        let wanted = lines(&database, &wanted).await;
        for (found, wanted) in found[0].split(' ').zip(wanted[0].split(' ')) {
            let (found, wanted): (f64, f64) = (found.parse().unwrap(), wanted.parse().unwrap());
            assert!(
                (found / wanted - 1.0).abs() < 0.1,
                "{state}: {found} {wanted}"
            );
        }
        settle(&database).await;
    }
}

#[tokio::test]
async fn the_days_of_a_curve_are_those_of_the_site() {
    let (database, _) = site().await;
    for state in ["open", "closed"] {
        let hours = ask_with(
            &database,
            "curve",
            "count(*), count(DISTINCT bucket), sum(visits), sum(anonymous) FROM answer --",
            ("none", NO_FILTER),
            Some("'hour'"),
        )
        .await;
        assert_eq!(
            hours,
            lines(&database, &plain("73, 73, count(*), 7", "true", "")).await,
            "{state}: a day of 25 hours"
        );
        let days = ask_with(
            &database,
            "curve",
            "bucket, visitors, visits, views",
            ("none", NO_FILTER),
            None,
        )
        .await;
        let wanted = plain(
            "date_trunc('day', s.ts, 'Europe/Berlin'), count(DISTINCT s.visitor_id), count(*), sum(s.views)",
            "true",
            "GROUP BY 1 ORDER BY 1",
        );
        assert_eq!(days, lines(&database, &wanted).await, "{state}");
        settle(&database).await;
    }
}

#[tokio::test]
async fn a_period_is_compared_with_the_one_before() {
    let (database, _) = site().await;
    for state in ["open", "closed"] {
        let both = ask_with(
            &database,
            "summary",
            "compared, visits",
            ("previous", NO_FILTER),
            None,
        )
        .await;
        let before = format!(
            "SELECT count(*) FROM collector.web_analytics_sessions_real s WHERE (s.ts AT TIME ZONE '{ZONE}')::date BETWEEN '2026-10-20' AND '2026-10-22'"
        );
        let before = database.number(&before).await.unwrap();
        assert_eq!(both[1], format!("t {before}"), "{state}");
        let countries = ask_with(
            &database,
            "countries",
            "sum(compared_visits) FROM answer --",
            ("previous", NO_FILTER),
            None,
        )
        .await;
        assert_eq!(countries, [before.to_string()], "{state}");
        let days = ask_with(
            &database,
            "curve",
            "sum(compared_visits), count(compared_bucket) FROM answer --",
            ("previous", NO_FILTER),
            None,
        )
        .await;
        assert_eq!(days, [format!("{before} 3")], "{state}");
        let year = ask_with(&database, "summary", "visits", ("year", NO_FILTER), None).await;
        assert_eq!(year[1], "0", "{state}");
        settle(&database).await;
    }
}

/// What is not over is compared up to the same time of the day.
#[tokio::test]
async fn an_open_day_is_compared_up_to_now() {
    let database = testkit::migrated().await.unwrap();
    let site = register(&database, "example.org", ZONE).await;
    let span = format!(
        "SELECT s.until <= now(), (s.until AT TIME ZONE '{ZONE}') - (s.compared_until AT TIME ZONE '{ZONE}'), (s.since AT TIME ZONE '{ZONE}') - (s.compared_since AT TIME ZONE '{ZONE}') \
         FROM (SELECT collector.web_analytics_day({site}, now()) AS today) d, collector.web_analytics_span({site}, d.today - 1, d.today, 'previous') s"
    );
    assert_eq!(lines(&database, &span).await, ["t 2 days 2 days"]);
}

#[tokio::test]
async fn filters_are_alternatives_within_and_conditions_between() {
    let (database, _) = site().await;
    settle(&database).await;
    let saw = |page: &str| {
        format!(
            "EXISTS (SELECT FROM collector.web_analytics_page_views_raw v WHERE v.session_id = s.session_id AND v.page_id = collector.word_id('page', '{page}'))"
        )
    };
    for (filters, condition) in [
        (
            r#"[{"dimension": "browser", "values": ["Firefox"]}]"#,
            "s.browser = 'Firefox'".to_owned(),
        ),
        (
            r#"[{"dimension": "browser", "values": ["Firefox", "Safari"]}, {"dimension": "country", "values": ["DE"]}]"#,
            "s.browser IN ('Firefox', 'Safari') AND s.country = 'DE'".to_owned(),
        ),
        (
            r#"[{"dimension": "browser", "values": ["Firefox"], "not": true}]"#,
            "s.browser <> 'Firefox'".to_owned(),
        ),
        (
            r#"[{"dimension": "browser", "values": ["*f*"]}]"#,
            "s.browser LIKE '%f%'".to_owned(),
        ),
        (
            r#"[{"dimension": "browser", "values": ["F_refox", "%"]}]"#,
            "false".to_owned(),
        ),
        (
            r#"[{"dimension": "source", "values": [""]}]"#,
            "f.word IS NULL".to_owned(),
        ),
        (
            r#"[{"dimension": "source", "values": ["Goo*", "Bing"]}]"#,
            "f.word IN ('Google', 'Bing')".to_owned(),
        ),
        (
            r#"[{"dimension": "source", "values": ["Google"], "not": true}]"#,
            "f.word IS DISTINCT FROM 'Google'".to_owned(),
        ),
        (
            r#"[{"dimension": "entry", "values": ["/a/"]}]"#,
            "s.entry = collector.word_id('page', '/a/')".to_owned(),
        ),
        (r#"[{"dimension": "page", "values": ["/a/"]}]"#, saw("/a/")),
        (
            r#"[{"dimension": "page", "values": ["/a/"], "not": true}, {"dimension": "page", "values": ["/b/"]}]"#,
            format!("NOT {} AND {}", saw("/a/"), saw("/b/")),
        ),
        (
            r#"[{"dimension": "event", "values": ["signup"]}]"#,
            "s.session_id % 5 = 0".to_owned(),
        ),
        (
            r#"[{"dimension": "prop.plan", "values": ["pro"]}]"#,
            "s.session_id % 15 = 0".to_owned(),
        ),
        (
            r#"[{"dimension": "consent", "values": ["consented"]}]"#,
            "s.consented".to_owned(),
        ),
        (
            r#"[{"dimension": "browser", "values": ["'; DROP TABLE collector.hosts; --"]}]"#,
            "false".to_owned(),
        ),
    ] {
        let quoted = format!("'{}'", filters.replace('\'', "''"));
        let found = ask(&database, "summary", "visitors, visits, views", &quoted).await;
        let wanted = plain(
            "count(DISTINCT s.visitor_id), count(*), coalesce(sum(s.views), 0)",
            &condition,
            "",
        );
        assert_eq!(found, lines(&database, &wanted).await, "{filters}");
        let parts = ask(
            &database,
            "countries",
            "sum(visits) FROM answer --",
            &quoted,
        )
        .await;
        let whole = lines(&database, &plain("nullif(count(*), 0)", &condition, "")).await;
        assert_eq!(parts, whole, "{filters}: parts add up");
        let pages = ask(
            &database,
            "pages",
            "coalesce(sum(views), 0) FROM answer --",
            &quoted,
        )
        .await;
        let of = plain("s.session_id", &condition, "");
        assert_eq!(
            pages,
            lines(
                &database,
                &plain_views("count(*)", &format!("AND v.session_id IN ({of})"))
            )
            .await,
            "{filters}: pages"
        );
    }
    // One click shows what is left out.
    let suspect = ask(
        &database,
        "summary",
        "visits",
        r#"'[{"dimension": "suspect", "values": ["yes"]}]'"#,
    )
    .await;
    let wanted = plain("count(*)", "true", "").replace("NOT s.suspect", "s.suspect");
    assert_eq!(suspect, lines(&database, &wanted).await);
    let session = database.connect().await.unwrap();
    for wrong in [
        r#"[{"dimension": "shoe", "values": ["44"]}]"#,
        r#"[{"dimension": "browser", "values": []}]"#,
    ] {
        let error = session
            .client
            .query(
                "SELECT collector.web_analytics_filter(1, now(), now(), $1::text::jsonb)",
                &[&wrong],
            )
            .await
            .unwrap_err();
        assert_eq!(error.code().unwrap().code(), "22023", "{wrong}");
    }
}

/// Steps count in their order within a day of the site.
#[tokio::test]
async fn a_funnel_is_gone_through_in_order() {
    let database = testkit::migrated().await.unwrap();
    let site = register(&database, "example.org", ZONE).await;
    let visit = |id: i64, visitor: i64, pages: &[&str]| {
        let views = pages
            .iter()
            .enumerate()
            .map(|(minute, page)| {
                View::new(
                    &format!("{LAST} 10:{:02}:00Z", i64::try_from(minute).unwrap() + id),
                    page,
                )
            })
            .collect();
        Visit::new(id, visitor, views)
    };
    let visits = [
        visit(1, 1, &["/", "/x/", "/a/", "/b/"]),
        visit(2, 2, &["/a/", "/"]),
        visit(3, 3, &["/", "/a/"]),
        // The same visitor in two visits.
        visit(4, 4, &["/"]),
        visit(20, 4, &["/a/", "/b/"]),
        visit(5, 5, &["/b/", "/a/", "/"]),
        visit(6, 6, &["/x/"]),
    ];
    keep(&database, site, &visits).await;
    for (steps, wanted) in [
        (
            r#"'[{"page": "/"}, {"page": "/a/"}, {"page": "/b/"}]'"#,
            ["1 5", "2 3", "3 2"].as_slice(),
        ),
        // One view is one step, although both mean it.
        (r#"'[{"page": "/a/"}, {"page": "/*"}]'"#, &["1 5", "2 4"]),
        (r#"'[{"page": "/b/"}, {"event": "none"}]'"#, &["1 3", "2 0"]),
    ] {
        let found = ask_with(
            &database,
            "funnels",
            "step, visitors FROM answer ORDER BY 1 --",
            ("none", NO_FILTER),
            Some(steps),
        )
        .await;
        assert_eq!(found, wanted, "{steps}");
    }
    let goals = ask_with(
        &database,
        "goals",
        "goal, visitors, count, round(conversion_pct)",
        ("none", NO_FILTER),
        Some(r#"'[{"name": "b", "page": "/b/"}]'"#),
    )
    .await;
    assert_eq!(goals, ["b 3 3 50"]);
    let flow = ask_with(
        &database,
        "flow",
        "is_before, page, views FROM answer ORDER BY 1, 2 --",
        ("none", NO_FILTER),
        Some("'/a/'"),
    )
    .await;
    assert_eq!(
        flow,
        [
            "f  1", "f / 2", "f /b/ 2", "t  2", "t / 1", "t /b/ 1", "t /x/ 1"
        ]
    );
}

#[tokio::test]
async fn properties_are_counted_by_key_and_value() {
    let (database, _) = site().await;
    let found = ask_with(
        &database,
        "props",
        "event, key, value, count FROM answer ORDER BY 3 --",
        ("none", NO_FILTER),
        Some("''"),
    )
    .await;
    let wanted = plain(
        "'signup', 'plan', CASE WHEN s.session_id % 3 = 0 THEN 'pro' ELSE 'free' END, count(*)",
        "s.session_id % 5 = 0",
        "GROUP BY 3 ORDER BY 3",
    );
    assert_eq!(found, lines(&database, &wanted).await);
}

#[tokio::test]
async fn every_question_has_an_answer_without_visits() {
    let database = testkit::migrated().await.unwrap();
    register(&database, "example.org", ZONE).await;
    for question in QUESTIONS {
        let found = ask_with(
            &database,
            question.name,
            "count(*) FROM answer --",
            ("previous", NO_FILTER),
            None,
        )
        .await;
        assert_eq!(found.len(), 1, "{}", question.name);
    }
    assert_eq!(lines(&database, &live("1")).await, ["visitors - - 0"]);
}

#[tokio::test]
async fn who_is_there_now() {
    let database = testkit::migrated().await.unwrap();
    let site = register(&database, "example.org", ZONE).await;
    let ago = |minutes: i64| format!("SELECT now() - {minutes} * interval '1 minute'");
    let (now, old) = (
        lines(&database, &ago(1)).await.remove(0),
        lines(&database, &ago(40)).await.remove(0),
    );
    let mut visits = [
        Visit::new(1, 1, vec![View::new(&now, "/")]),
        Visit::new(2, 2, vec![View::new(&old, "/a/")]),
        Visit::new(3, 3, vec![View::new(&old, "/b/"), View::new(&now, "/")]),
    ];
    visits[0].source = Some("Google".to_owned());
    keep(&database, site, &visits).await;
    database
        .sql(&format!("INSERT INTO collector.web_analytics_refused_raw (ts, site_id, reason, detail, count) VALUES ('{now}', {site}, 'bot', 'Examplebot', 2), ('{now}', {site}, 'bot', 'Examplebot', 3)"))
        .await
        .unwrap();
    let found = lines(&database, &live(&site.to_string())).await;
    assert_eq!(
        found,
        [
            "visitors - - 2",
            "minute - - 2",
            "page / Title of / 2",
            "refused bot Examplebot 5",
            "source Google - 1",
            "source  - 1"
        ]
    );
}

/// A day that is over and whose rows are gone is cut by its sums: an open day is compared with the year before, whose views are not kept.
#[tokio::test]
async fn a_part_of_an_expired_day_is_a_part_of_its_sums() {
    let (database, site) = site().await;
    settle(&database).await;
    let (midnight, noon, next) = (
        "2026-10-24 00:00 Europe/Berlin",
        "2026-10-24 12:00 Europe/Berlin",
        "2026-10-25 00:00 Europe/Berlin",
    );
    let views = async |from: &str, to: &str| {
        let sql = format!(
            "SELECT coalesce(sum(views), 0)::int8 FROM collector.web_analytics_sums({site}, '{from}', '{to}', '{{1}}')"
        );
        database.number(&sql).await.unwrap()
    };
    let hours = async |from: &str, to: &str| {
        let sql = format!(
            "SELECT coalesce(sum(views), 0)::int8 FROM collector.web_analytics_curve({site}, '{from}', '{to}', 'hour', NULL)"
        );
        database.number(&sql).await.unwrap()
    };
    let (whole, by_hour) = (views(midnight, next).await, hours(midnight, noon).await);
    assert!(views(midnight, noon).await > 0 && by_hour > 0);
    let expire = "DELETE FROM collector.web_analytics_page_views_raw; \
                  UPDATE collector.web_analytics_sites SET raw_days = 1";
    database.sql(expire).await.unwrap();
    let (morning, rest) = (views(midnight, noon).await, views(noon, next).await);
    assert!(morning > 0 && morning < whole, "{morning} of {whole}");
    // Each of five pages is rounded.
    assert!(
        (morning + rest - whole).abs() <= 5,
        "{morning} + {rest} of {whole}"
    );
    assert_eq!(hours(midnight, noon).await, by_hour);
    let days = format!(
        "SELECT sum(views)::int8 FROM collector.web_analytics_curve({site}, '{midnight}', '{noon}', 'day', NULL)"
    );
    assert!(database.number(&days).await.unwrap() > 0);
}
