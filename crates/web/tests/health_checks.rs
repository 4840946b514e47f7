//! Three days of results of health checks: what the table and the charts make of an outage, a slow afternoon, and a certificate that is not
//! renewed.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use common::{TICKS, rows, seeded, serve, sql_time, tick};
use serde_json::Value;
use testkit::Database;

/// Three checks, each five minutes for three days until the last tick: `shop` was down for an hour, two days before, and is
/// slow since twenty minutes; `mail` has a certificate of 22.5 days at the beginning; `name` learnt nothing for ten minutes.
async fn three_days() -> Database {
    let database = seeded().await;
    let end = sql_time(tick(TICKS - 1));
    let mut sql = testkit::partitions("2026-09-17", "2026-09-20");
    sql += &format!(
        "INSERT INTO collector.health_checks_raw (ts, host_id, check_name, kind, target, state, answer_ms, attempts, status, expires_at, expires_days, error)
         SELECT {end} - n * interval '5 minutes', 1, c.name, c.kind, c.target, s.state,
                CASE s.state WHEN 'up' THEN 20.0 WHEN 'slow' THEN 2500.0 WHEN 'down' THEN 10000.0 END,
                CASE WHEN s.state IN ('down', 'unknown') THEN 2 ELSE 1 END, CASE WHEN c.kind = 'http' AND s.state <> 'down' THEN 200 END,
                CASE WHEN c.kind = 'tls' THEN {end} + interval '19.5 days' END, CASE WHEN c.kind = 'tls' THEN 19.5 + n / 288.0 END,
                CASE WHEN s.state = 'down' THEN 'no answer' END
         FROM generate_series(0, 3 * 288 - 1) n,
              (VALUES ('shop', 'http', 'https://shop.example/'), ('mail', 'tls', 'mail.example:465'), ('name', 'dns', 'shop.example')) c (name, kind, target)
         CROSS JOIN LATERAL (SELECT CASE WHEN c.name = 'shop' AND n BETWEEN 576 AND 587 THEN 'down' WHEN c.name = 'shop' AND n < 4 THEN 'slow'
                                         WHEN c.name = 'name' AND n BETWEEN 100 AND 101 THEN 'unknown' ELSE 'up' END AS state) s"
    );
    database.sql(&sql).await.unwrap();
    database
}

/// The least and the greatest values of a series, where it has any.
fn known(series: &Value) -> Vec<f64> {
    let values = ["lo", "hi"].map(|name| series[name].as_array().unwrap());
    let values = values.into_iter().flatten();
    values.filter_map(Value::as_f64).collect()
}

#[tokio::test]
async fn the_table_has_state_since_and_days() {
    let database = three_days().await;
    let server = serve(&database);
    let meta = server.ask("meta").await;
    let answer = server.ask("table/health_checks").await;
    let lines = rows(&meta, "health_checks", &answer);
    assert_eq!(lines.len(), 3, "{answer}");
    let (mail, name, shop) = (&lines[0], &lines[1], &lines[2]);
    let end = tick(TICKS - 1);
    let text = |line: &Value| line.to_string();
    assert!(
        text(shop).contains("slow") && text(shop).contains(&(end - 3 * 300_000).to_string()),
        "{shop}"
    );
    assert!(text(mail).contains("19.5"), "{mail}");
    // It is up since the two results that learnt nothing.
    assert!(
        text(name).contains(&(end - 99 * 300_000).to_string()),
        "{name}"
    );
    let only = server.ask("table/health_checks?f.state=slow").await;
    assert_eq!((&only["total"], &only["matched"]), (&3.into(), &1.into()));
}

#[tokio::test]
async fn the_charts_show_what_happened() {
    let database = three_days().await;
    let server = serve(&database);
    let asked = "series?m=check.up@shop,check.up@name,check.slow@shop,check.answer_ms@shop,check.cert_days@mail&from=now-72h&px=2000";
    let answer = server.ask(asked).await;
    let series = answer["series"].as_array().unwrap();
    assert_eq!(series.len(), 5, "{answer}");
    let of = |name: &str| {
        let found = series.iter().find(|one| {
            format!(
                "{}@{}",
                one["metric"].as_str().unwrap_or_default(),
                one["key"].as_str().unwrap_or_default()
            ) == name
        });
        known(found.unwrap_or_else(|| panic!("{name}: {answer}")))
    };
    let down = of("check.up@shop");
    assert!(down.contains(&0.0) && down.contains(&1.0));
    // What learnt nothing is neither up nor down.
    assert!(
        of("check.up@name")
            .iter()
            .all(|value| (value - 1.0).abs() < 1e-9)
    );
    assert!(of("check.slow@shop").contains(&1.0));
    let answers = of("check.answer_ms@shop");
    // The time-out of a check that failed is no response time.
    assert!(answers.iter().all(|value| *value <= 2500.0), "{answers:?}");
    let days = of("check.cert_days@mail");
    assert!(
        days.iter().any(|days| (days - 19.5).abs() < 0.1)
            && days.iter().any(|days| (days - 22.5).abs() < 0.1),
        "{days:?}"
    );
}
