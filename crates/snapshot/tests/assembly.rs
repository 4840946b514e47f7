//! The assembly over a real database with planted events.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use jiff::tz::TimeZone;
use schema::Timestamp;
use schema::micros::{HOUR, MINUTE, SECOND};
use snapshot::{Host, Question, Snapshot, Window, evidence, render};
use store::baselines;
use testkit::Database;

/// Sun, 20 Sep 2026 10:00 UTC.
const TEN: i64 = 1_789_898_400_000_000;

fn host() -> Host {
    Host {
        id: 1,
        name: "alpha".to_owned(),
        tick: 10 * SECOND,
        interval: 10 * SECOND,
        raw_from: None,
        hours_from: None,
    }
}

async fn planted() -> Database {
    let database = testkit::migrated().await.unwrap();
    let partitions = testkit::partitions("2026-09-20", "2026-09-20");
    database.sql(&partitions).await.unwrap();
    database.sql(include_str!("planted.sql")).await.unwrap();
    database
}

fn at(minutes: i64) -> Timestamp {
    Timestamp(TEN + minutes * MINUTE)
}

fn question(minutes: i64) -> Question {
    Question {
        window: Window::new(at(minutes), 10, 10),
        now: at(10),
        finding: None,
        metric: None,
    }
}

async fn read(database: &Database, question: &Question) -> Snapshot {
    let session = database.connect().await.unwrap();
    snapshot::read(&session.client, &host(), question)
        .await
        .unwrap()
}

#[tokio::test]
async fn what_was_planted_is_found() {
    let database = planted().await;
    let found = read(&database, &question(1)).await;
    let changed: Vec<(&str, Option<&str>)> = found
        .changed
        .rows
        .iter()
        .map(|row| (&*row.metric, row.key.as_deref()))
        .collect();
    assert_eq!(changed[0], ("system.cpu_busy_pct", None), "{changed:?}");
    for planted in [
        ("mount.used_pct", Some("/full")),
        ("process.cpu_pct", Some("<b>|evil")),
    ] {
        assert!(changed.contains(&planted), "{planted:?}: {changed:?}");
    }
    for quiet in ["system.load_1", "system.mem_used_pct", "process.rss_bytes"] {
        assert!(
            changed.iter().all(|(metric, _)| *metric != quiet),
            "{quiet}"
        );
    }
    let cpu = &found.changed.rows[0];
    assert_eq!(
        (cpu.value, cpu.usual, cpu.is_worse),
        (90.0, Some(22.0), Some(true))
    );
    assert!((20.0..25.0).contains(&cpu.before));
    let peak = found
        .peaks
        .iter()
        .find(|peak| peak.metric == "system.cpu_busy_pct");
    assert_eq!(peak.unwrap().worst, 90.0);
    assert!(peak.unwrap().before.unwrap() < 25.0);
    assert_eq!(found.processes[0].name, "<b>|evil");
    assert_eq!(found.notes, [""; 0]);
}

#[tokio::test]
async fn unknown_is_not_zero() {
    let database = planted().await;
    let mut later = question(5);
    later.window = Window::new(at(5), 5, 5);
    let found = read(&database, &later).await;
    let named = |list: &[snapshot::model::Appearance], metric: &str, key: &str| {
        list.iter()
            .any(|one| one.metric == metric && one.key.as_deref() == Some(key))
    };
    assert!(named(&found.changed.silent, "mount.used_pct", "/gone"));
    assert!(named(&found.changed.appeared, "mount.used_pct", "/new"));
    let of = |key: &str| {
        found
            .changed
            .rows
            .iter()
            .any(|row| row.key.as_deref() == Some(key))
    };
    assert!(!of("/gone") && !of("/new"));

    let nothing = read(&database, &question(-600)).await;
    assert!(nothing.peaks.is_empty() && nothing.changed.compared == 0);
    assert!(nothing.charts.is_empty());
    let said = render::text(&nothing, &TimeZone::UTC);
    assert!(
        said.contains("Nothing was sampled in this window."),
        "{said}"
    );
}

#[tokio::test]
async fn what_happened_is_one_list_and_leads_on() {
    let database = planted().await;
    let found = read(&database, &question(1)).await;
    let events: Vec<(&str, &str, i64)> = found
        .events
        .iter()
        .map(|event| (&*event.kind, &*event.source, event.times))
        .collect();
    assert_eq!(
        events,
        [
            ("change", "host", 1),
            ("alert", "system", 1),
            ("log", "nginx", 30),
            ("gap", "collector", 1),
        ]
    );
    assert!(found.events.is_sorted_by_key(|event| event.at_ms));
    assert_eq!(found.previous.as_ref().unwrap().title, "Something earlier");
    assert_eq!(found.next, None);
    let at_start = read(&database, &question(0)).await;
    assert_eq!(at_start.next.unwrap().title, "CPU is 90 % busy");
}

#[tokio::test]
async fn a_finding_and_a_metric_have_their_context() {
    let database = planted().await;
    let mut asked = question(1);
    asked.finding = Some(1);
    asked.metric = schema::metric("system.cpu_busy_pct").map(|metric| (metric, None));
    let found = read(&database, &asked).await;
    let finding = found.finding.unwrap();
    assert_eq!(
        (
            finding.z_score,
            finding.drift_pct,
            finding.expected,
            finding.state
        ),
        (Some(34.0), Some(309.0), Some(22.0), "firing")
    );
    let focus = found.focus.unwrap();
    assert_eq!((focus.value, focus.usual), (Some(90.0), Some(22.0)));
    // What is not confirmed, or not of this host, is none.
    for id in [3, 99] {
        asked.finding = Some(id);
        assert_eq!(read(&database, &asked).await.finding, None);
    }
}

#[tokio::test]
async fn the_same_is_text_markdown_and_a_file() {
    let database = planted().await;
    let mut asked = question(1);
    asked.finding = Some(1);
    let found = read(&database, &asked).await;
    insta::assert_snapshot!("text", render::text(&found, &TimeZone::UTC));
    let markdown = render::markdown(&found, &TimeZone::UTC);
    insta::assert_snapshot!("markdown", markdown);
    assert!(!markdown.contains("<img") && !markdown.contains(['\u{1b}', '\u{202e}']));

    let session = database.connect().await.unwrap();
    let (host, zone) = (host(), TimeZone::UTC);
    let file = evidence::evidence(&session.client, &host, &asked, found, &zone).await;
    let file = serde_json::to_value(file.unwrap()).unwrap();
    assert_eq!(file["snapshot"]["host"], "alpha");
    let cpu = file["series"]
        .as_array()
        .unwrap()
        .iter()
        .find(|one| one["metric"] == "system.load_1");
    let buckets = cpu.unwrap()["buckets"].as_array().unwrap();
    assert!(buckets.len() > 100, "{}", buckets.len());
    assert!(
        file["markdown"]
            .as_str()
            .unwrap()
            .starts_with("# alpha at 2026-09-20 10:01:00")
    );
}

#[tokio::test]
async fn two_ranges_are_compared() {
    let database = planted().await;
    let session = database.connect().await.unwrap();
    let (window, before) = ((at(0), at(10)), (at(-40), at(-30)));
    let found = snapshot::compare(&session.client, &host(), window, before)
        .await
        .unwrap();
    assert!(found.changed.rows.iter().all(|row| row.usual.is_none()));
    let names: Vec<&str> = found.changed.rows.iter().map(|row| &*row.metric).collect();
    for planted in ["process.cpu_pct", "system.cpu_busy_pct", "mount.used_pct"] {
        assert!(names.contains(&planted), "{planted}: {names:?}");
    }
    let same = snapshot::compare(&session.client, &host(), before, (at(-50), at(-40)))
        .await
        .unwrap();
    assert!(
        same.changed.rows.is_empty() && same.changed.compared > 10,
        "{same:?}"
    );
}

#[tokio::test]
async fn what_is_usual_is_known_by_the_hour_and_by_the_week() {
    let database = planted().await;
    let session = database.connect().await.unwrap();
    let hours = [
        Timestamp(TEN),
        Timestamp(TEN - HOUR),
        Timestamp(TEN - 7 * 24 * HOUR),
    ];
    let metric = ["system.cpu_busy_pct".to_owned()];
    let found = baselines::bands(&session.client, 1, Some(&metric), &hours)
        .await
        .unwrap();
    assert_eq!(found.len(), 1);
    let bands: Vec<Option<(f64, f64)>> = found[0].hours.iter().map(|hour| hour.band).collect();
    let (low, high) = bands[0].unwrap();
    // A week before is the same hour of the week, the hour before has only the week's percentiles.
    assert!(
        (low - 18.71).abs() < 0.01 && (high - 26.0).abs() < f64::EPSILON,
        "{low} {high}"
    );
    assert_eq!(bands[1..], [Some((17.0, 27.0)), bands[0]]);
    let other = ["system.load_1".to_owned()];
    assert!(
        baselines::bands(&session.client, 1, Some(&other), &hours)
            .await
            .unwrap()
            .is_empty()
    );
}
