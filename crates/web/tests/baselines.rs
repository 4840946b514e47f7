//! The tables of what is usual and where it leads.

mod common;

use common::{seeded, serve};
use serde_json::{Value, json};

const ROWS: &str = "
INSERT INTO collector.baselines VALUES
    (1, 'system', 'cpu_busy_pct', '', '7d', 30, 10, 15, 20, 30, 40, 45, 9, 168, '2026-01-01', now()),
    (1, 'system', 'cpu_busy_pct', '', '30d', 99, 1, 99, 99, 99, 99, 99, 1, 720, '2026-01-01', now()),
    (1, 'mount', 'used_pct', '/srv', '7d', 60, 0, 60, 60, 60, 60, 60, 0, 168, '2026-01-01', now()),
    (1, 'gone', 'metric', '', '7d', 60, 0, 60, 60, 60, 60, 60, 0, 168, '2026-01-01', now());
INSERT INTO collector.baselines_hourly VALUES
    (1, 'system', 'cpu_busy_pct', '', 10, 40, 5, 40, 50, 12, now()),
    (1, 'system', 'cpu_busy_pct', '', 11, 1, 1, 1, 1, 12, now());
INSERT INTO collector.trend_forecasts (host_id, domain, metric, metric_key, current_value, slope_per_hour, trend_direction,
    confidence, forecast_1h, forecast_6h, forecast_24h, low_1h, high_1h, mase, hour_of_week, updated_at) VALUES
    (1, 'system', 'cpu_busy_pct', '', 55, -0.5, 'falling', 0.97, 50, 45, 40, 42, 58, 0.8, 10, now()),
    (1, 'mount', 'used_pct', '/srv', 60, NULL, NULL, NULL, 60, 60, 60, NULL, NULL, NULL, 10, now()),
    (1, 'gone', 'metric', '', 60, NULL, NULL, NULL, 60, 60, 60, NULL, NULL, NULL, 10, now());
";

#[tokio::test]
async fn usual_values_and_forecasts_have_the_unit_of_their_metric() {
    let database = seeded().await;
    let server = serve(&database);
    let meta = server.ask("meta").await;
    for table in ["baselines", "forecasts"] {
        let empty = server.ask(&format!("table/{table}")).await;
        assert_eq!(empty["total"], json!(0));
    }
    database.sql(ROWS).await.unwrap();
    let server = serve(&database);
    let answer = server.ask("table/baselines").await;
    let rows = common::rows(&meta, "baselines", &answer);
    // The metric that is gone is left out; the one furthest from what is usual comes first.
    assert_eq!(answer["total"], json!(2));
    let cpu = &rows[0];
    for (column, expected) in [
        ("label", json!("CPU busy")),
        ("metric_key", Value::Null),
        ("now", json!("55 %")),
        ("position", json!(3.0)),
        ("band", json!("15 % to 45 %")),
        ("within_pct", json!(100.0)),
        ("this_hour", json!("40 % ± 5 %")),
        ("mean", json!("30 %")),
        ("sample_count", json!(168)),
    ] {
        assert_eq!(cpu[column], expected, "{column}");
    }
    // Without a width there is no position.
    assert_eq!(
        (
            &rows[1]["metric_key"],
            &rows[1]["position"],
            &rows[1]["within_pct"]
        ),
        (&json!("/srv"), &Value::Null, &Value::Null)
    );
    let answer = server.ask("table/forecasts?f.direction=falling").await;
    let rows = common::rows(&meta, "forecasts", &answer);
    assert_eq!(rows.len(), 1);
    for (column, expected) in [
        ("trend", json!("falling, 12 % per day")),
        ("in_1h", json!("50 % (42 % to 58 %)")),
        ("in_24h", json!("40 %")),
        ("mase", json!(0.8)),
        ("confidence_pct", json!(97.0)),
    ] {
        assert_eq!(rows[0][column], expected, "{column}");
    }
}
