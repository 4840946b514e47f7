//! Filters, ways through a site, events, and who is there.

use crate::asking::{LAST, NO_FILTER, ZONE, ask, ask_with, live, plain, plain_views, settle, site};
use crate::visit_support::{View, Visit, lines, register, store as keep};
use store::traffic::QUESTIONS;

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
