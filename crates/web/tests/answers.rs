//! Every answer over known rows, as snapshots, and what is refused.

mod common;

use std::time::Duration;

use axum::body::{Body, to_bytes};
use axum::http::{Method, Request, header};
use common::{TICKS, empty, seeded, serve, serve_with, tick};
use serde_json::{Value, json};
use tower::ServiceExt as _;
use web::Settings;

#[tokio::test]
async fn answers_over_known_rows() {
    let database = seeded().await;
    let server = serve(&database);
    for (name, path) in [
        ("now", "now"),
        (
            "series",
            "series?m=system.load_1,system.ctxt_per_sec,mount.used_pct,system.core_busy_pct,process.cpu_pct@api&from=now-1m&px=50&limit=1",
        ),
        ("processes", "table/processes?limit=2"),
        ("mounts", "table/mounts"),
        ("disks", "table/disks"),
        ("interfaces", "table/interfaces"),
        ("collectors", "table/collectors"),
        ("buffers", "table/buffers"),
        ("gaps", "table/gaps"),
        ("runs", "table/runs"),
        ("dead_letters", "table/dead_letters"),
        ("rollups", "table/rollups"),
        ("settings", "table/settings"),
    ] {
        insta::assert_json_snapshot!(name, server.ask(path).await);
    }
    let meta = server.ask("meta").await;
    assert_eq!(
        meta["metrics"].as_array().unwrap().len(),
        schema::METRICS.len() + 1
    );
    insta::assert_json_snapshot!("meta_hosts_and_tables", (&meta["hosts"], &meta["tables"]));
}

#[tokio::test]
async fn hours_that_changed_wait_until_they_are_rolled_up() {
    let database = seeded().await;
    // The clock of the test is half an hour after 22:00.
    let text = "INSERT INTO collector.rollups (host_id, grain, bucket, version, whole_version, ticks) \
        SELECT 1, 'hour', timestamptz '2026-09-19 00:00Z' + n * interval '1 hour', 1, CASE WHEN n < 43 THEN 1 END, 360 \
        FROM generate_series(0, 43) n; \
        INSERT INTO collector.rollups (host_id, grain, bucket, version, ticks) VALUES (1, 'day', '2026-09-19 00:00Z', 23, 8640); \
        INSERT INTO collector.changed_hours (host_id, bucket) \
        SELECT 1, bucket::timestamptz FROM unnest(ARRAY['2026-09-20 20:00Z', '2026-09-20 21:00Z', '2026-09-20 21:00Z', '2026-09-20 22:00Z']) bucket; \
        INSERT INTO collector.collector_runs_raw (ts, host_id, collector, outcome, duration_ms, rows) \
        VALUES ('2026-09-20 22:26Z', 1, 'history', 'ok', 9, 1)";
    database.sql(text).await.unwrap();
    let server = serve(&database);
    let (meta, answer) = (server.ask("meta").await, server.ask("table/rollups").await);
    let rows = common::rows(&meta, "rollups", &answer);
    let minute = |minute: i64| json!(common::START + minute * 60_000);
    assert_eq!(rows[0]["grain"], "Hours");
    assert_eq!(rows[0]["until_ms"], minute(-120));
    assert_eq!(rows[0]["waiting"], 3);
    // 19:00 is not whole and ended at 20:00; the clock of the test is a second after the newest tick.
    assert_eq!(rows[0]["behind_secs"], 7200 + (common::TICKS - 1) * 10 + 1);
    assert_eq!(rows[0]["last_run_ms"], minute(26));
    assert_eq!(rows[0]["next_run_ms"], minute(30));
    // The day is not of its 24 hours as they are.
    assert_eq!(
        (&rows[1]["grain"], &rows[1]["waiting"]),
        (&json!("Days"), &json!(1))
    );
}

#[tokio::test]
async fn the_size_of_the_store_is_that_of_its_tables_the_largest_first() {
    let database = seeded().await;
    let empty = serve(&database).ask("table/store_sizes").await;
    assert_eq!(
        (&empty["total"], &empty["at_ms"]),
        (&json!(0), &Value::Null)
    );
    let text = "UPDATE collector.hosts SET first_seen = now() - interval '30 days'; \
        INSERT INTO collector.retention (host_id, raw_days, hourly_days, long_days, log_days, event_days) VALUES (1, 14, 90, 365, 7, 30); \
        INSERT INTO collector.store_sizes (relation, table_name, day, data_bytes, index_bytes, toast_bytes, row_count, state, measured_at) \
        SELECT 's' || n, 'system_metrics_raw', (now() AT TIME ZONE 'UTC')::date - n, 600, 300, 100, 8640, 0, now() FROM generate_series(0, 9) n; \
        INSERT INTO collector.store_sizes (relation, table_name, data_bytes, index_bytes, toast_bytes, state, measured_at) \
        VALUES ('findings', 'findings', 12000, 0, 0, 0, now())";
    database.sql(text).await.unwrap();
    let server = serve(&database);
    let (meta, answer) = (
        server.ask("meta").await,
        server.ask("table/store_sizes").await,
    );
    let rows = common::rows(&meta, "store_sizes", &answer);
    assert_eq!(rows[0]["table_name"], "findings");
    assert_eq!(
        (&rows[0]["bytes_per_day"], &rows[0]["needed_bytes"]),
        (&Value::Null, &json!(12000.0))
    );
    let raw = &rows[1];
    assert_eq!(
        (
            &raw["bytes"],
            &raw["data_bytes"],
            &raw["index_bytes"],
            &raw["toast_bytes"]
        ),
        (&json!(10000), &json!(6000), &json!(3000), &json!(1000))
    );
    assert_eq!(
        (
            &raw["bytes_per_day"],
            &raw["rows_per_day"],
            &raw["kept_days"]
        ),
        (&json!(1000.0), &json!(8640.0), &json!(14))
    );
    assert_eq!(raw["needed_bytes"], 15000.0);
    assert_eq!(answer["sums"]["bytes"], 22000.0);
}

#[tokio::test]
async fn everything_in_the_registry_is_explained() {
    let database = empty().await;
    let server = serve(&database);
    let (meta, texts) = (server.ask("meta").await, server.ask("texts").await);
    let mut explained = texts["metrics"].as_object().unwrap().clone();
    for metric in meta["metrics"].as_array().unwrap() {
        let id = metric["id"].as_str().unwrap();
        let text = explained.remove(id).unwrap_or_default();
        assert_ne!(text["what"].as_str().unwrap_or_default(), "", "{id}");
    }
    assert!(explained.is_empty(), "not in meta: {explained:?}");
    for table in meta["tables"].as_array().unwrap() {
        let name = table["name"].as_str().unwrap();
        let mine = texts["columns"][name].as_object().unwrap();
        let columns = table["columns"].as_array().unwrap();
        assert_eq!(mine.len(), columns.len(), "{name}");
        for column in columns {
            assert_ne!(mine[column["id"].as_str().unwrap()], "", "{name}");
        }
    }
}

#[tokio::test]
async fn nothing_stored_is_unknown_and_no_error() {
    let database = empty().await;
    let server = serve(&database);
    let now = server.ask("now").await;
    assert_eq!(now["verdict"]["severity"], "unknown");
    assert_eq!(now["freshness"]["state"], "empty");
    assert_eq!(now["agent"]["state"], "never");
    assert!(
        now["areas"]
            .as_array()
            .unwrap()
            .iter()
            .all(|area| area["severity"] == "unknown")
    );
    assert_eq!(
        server.ask("meta").await["hosts"],
        serde_json::Value::Array(Vec::new())
    );
    let series = server.ask("series?m=system.load_1,mount.used_pct").await;
    assert_eq!(series["series"][0]["last"], serde_json::Value::Null);
    assert_eq!(server.ask("table/processes").await["total"], 0);
}

#[tokio::test]
async fn what_is_asked_badly_is_refused_in_one_envelope() {
    let database = seeded().await;
    let server = serve(&database);
    let long = format!("table/processes?q={}", "%25".repeat(257));
    for (path, status, code) in [
        ("series", 400, "bad_request"),
        ("series?m=", 400, "bad_request"),
        ("series?m=system.load_1&from=", 400, "bad_request"),
        (
            "series?m=system.load_1&from=9999-01-01T00:00:00Z",
            400,
            "bad_request",
        ),
        (
            "series?m=system.load_1&from=%27%3B%20--",
            400,
            "bad_request",
        ),
        (
            "series?m=system.load_1&from=now&to=now-1h",
            400,
            "bad_request",
        ),
        ("series?m=system.load_1&px=x", 400, "bad_request"),
        ("series?m=system.load_1@%25ff", 400, "bad_request"),
        ("series?m=no.such", 404, "not_found"),
        ("series?m=system.load_1&host=99", 404, "not_found"),
        ("series?m=system.load_1&host=x", 400, "bad_request"),
        ("now?host=99", 404, "not_found"),
        ("table/nothing", 404, "not_found"),
        ("table/..%2f..%2fetc%2fpasswd", 400, "bad_request"),
        ("table/processes?sort=nothing", 400, "bad_request"),
        ("table/processes?f.nothing=1", 400, "bad_request"),
        ("table/processes?at=1e9", 400, "bad_request"),
        ("table/processes?format=xml", 400, "bad_request"),
        (&long, 400, "bad_request"),
        ("events?host=x", 400, "bad_request"),
        ("nothing", 404, "not_found"),
    ] {
        assert_eq!(
            server.refused(path).await,
            (status, code.to_owned()),
            "{path}"
        );
    }
    let message = server.get("api/v1/table/%3Cimg%3E").await.body;
    assert!(!message.contains("img"), "{message}");
}

#[tokio::test]
async fn parameters_beyond_their_bounds_are_brought_into_them() {
    let database = seeded().await;
    let server = serve(&database);
    let fine = server
        .ask("series?m=system.load_1&from=now-30m&px=999999")
        .await;
    assert_eq!(fine["step_ms"], 10_000, "never finer than the samples");
    let coarse = server
        .ask("series?m=system.load_1&from=now-30m&px=-5")
        .await;
    assert!(coarse["n"].as_u64().unwrap() <= 11);
    let long = server.ask("series?m=system.load_1&from=now-10000d").await;
    assert!(long["n"].as_u64().unwrap() <= 621);
    let table = server.ask("table/processes?limit=-3&page=900").await;
    assert_eq!((&table["page"], &table["pages"]), (&0.into(), &1.into()));
    let few = server
        .ask("series?m=process.cpu_pct&from=now-1m&limit=0")
        .await;
    assert_eq!(few["series"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn unchanged_answers_are_not_sent_again() {
    let database = seeded().await;
    let server = serve(&database);
    for path in [
        "meta",
        "now",
        "series?m=system.load_1",
        "table/processes",
        "table/settings",
    ] {
        let first = server.get(&format!("api/v1/{path}")).await;
        let tag = first.header("etag").to_owned();
        assert!(!tag.is_empty(), "{path}");
        assert_eq!(first.header("cache-control"), "no-cache", "{path}");
        // Three seconds on, within the same tick: nothing but ages changed.
        server.set_clock(tick(TICKS - 1) + 4_000);
        let request = Request::get(format!("/monitor/api/v1/{path}"))
            .header(header::HOST, "localhost")
            .header(header::IF_NONE_MATCH, &tag);
        let second = server.send(request.body(Body::empty()).unwrap()).await;
        assert_eq!(
            (second.status.as_u16(), second.body.as_str()),
            (304, ""),
            "{path}"
        );
        assert_eq!(second.header("etag"), tag, "{path}");
        server.set_clock(tick(TICKS - 1) + 1_000);
    }
}

#[tokio::test]
async fn answers_are_packed_for_those_who_can_unpack_and_streams_never() {
    let database = seeded().await;
    let server = serve(&database);
    let ask = async |path: &str, accepted: &str| {
        let request = Request::get(format!("/monitor/api/v1/{path}"))
            .header(header::HOST, "localhost")
            .header(header::ACCEPT_ENCODING, accepted);
        let response = server.router.clone();
        let response = response.oneshot(request.body(Body::empty()).unwrap());
        response.await.unwrap().into_parts()
    };
    let (plain, body) = ask("meta", "identity").await;
    let whole = to_bytes(body, usize::MAX).await.unwrap().len();
    assert_eq!(plain.headers.get(header::CONTENT_ENCODING), None);
    let (packed, body) = ask("meta", "gzip, br").await;
    let short = to_bytes(body, usize::MAX).await.unwrap().len();
    assert_eq!(packed.headers[header::CONTENT_ENCODING], "gzip");
    assert_eq!(packed.headers[header::VARY], "accept-encoding");
    assert_eq!(packed.headers[header::ETAG], plain.headers[header::ETAG]);
    assert!(short * 3 < whole, "{short} of {whole} bytes");
    // Every page waits for it: a quarter of what a first view loads (ui/e2e/budget.spec.ts).
    assert!(short <= 14_848, "{short} bytes");
    let (stream, _open) = ask("events", "gzip").await;
    assert_eq!(stream.headers.get(header::CONTENT_ENCODING), None);
}

#[tokio::test]
async fn a_host_added_since_the_last_look_is_found() {
    let database = seeded().await;
    let settings = Settings {
        share_for: Duration::from_hours(1),
        ..Settings::default()
    };
    let server = serve_with(database.target(), settings);
    assert_eq!(server.refused("now?host=2").await.0, 404);
    let host =
        "INSERT INTO collector.hosts (machine_id, hostname, kernel, os, first_seen, last_seen)
                VALUES ('m2', 'beta', '6.1.0', 'Debian 12', now(), now());
                INSERT INTO collector.spool_watermark (host_id, writer, seq, progress) VALUES (2, gen_random_uuid(), 1, '{}')";
    database.sql(host).await.unwrap();
    assert_eq!(server.ask("now?host=2").await["host"]["name"], "beta");
}

#[tokio::test]
async fn foreign_hosts_methods_and_bodies_are_refused() {
    let database = empty().await;
    let server = serve(&database);
    let send = async |method: Method, host: &str, path: &str, extra: Option<(&str, &str)>| {
        let mut request = Request::builder().method(method).uri(path);
        if !host.is_empty() {
            request = request.header(header::HOST, host);
        }
        if let Some((name, value)) = extra {
            request = request.header(name, value);
        }
        let reply = server.send(request.body(Body::empty()).unwrap()).await;
        let is_data = reply.header("content-type") == "application/json";
        let expected = [web::headers::CSP, web::headers::DATA_CSP][usize::from(is_data)];
        assert_eq!(reply.header("content-security-policy"), expected);
        assert_eq!(reply.header("x-content-type-options"), "nosniff");
        assert_eq!(reply.header("referrer-policy"), "no-referrer");
        assert_eq!(reply.header("cross-origin-opener-policy"), "same-origin");
        assert_eq!(reply.header("cross-origin-resource-policy"), "same-origin");
        (reply.status.as_u16(), reply.body)
    };
    let page = "/monitor/api/v1/meta";
    assert_eq!(send(Method::GET, "localhost", page, None).await.0, 200);
    let (status, body) = send(Method::GET, "evil.example", page, None).await;
    assert_eq!(status, 421);
    assert!(body.contains("\"code\":\"foreign_host\""), "{body}");
    assert_eq!(send(Method::GET, "", page, None).await.0, 421);
    assert_eq!(send(Method::POST, "localhost", page, None).await.0, 405);
    assert_eq!(
        send(Method::DELETE, "evil.example", page, None).await.0,
        421
    );
    for (name, value) in [("content-length", "5"), ("transfer-encoding", "chunked")] {
        assert_eq!(
            send(Method::GET, "localhost", page, Some((name, value)))
                .await
                .0,
            400,
            "{name}"
        );
    }
    for path in [
        "/monitor//",
        "/monitor/%00",
        "/monitor/%2e%2e/x",
        "//evil.example/",
    ] {
        assert_eq!(
            send(Method::GET, "localhost", path, None).await.0,
            400,
            "{path}"
        );
    }
    assert_eq!(send(Method::GET, "localhost", "/", None).await.0, 307);
    assert_eq!(
        send(Method::GET, "localhost", "/monitor", None).await.0,
        307
    );
    assert_eq!(
        send(Method::GET, "localhost", "/monitor/healthz", None).await,
        (200, "ok\n".to_owned())
    );
    for path in [
        "/monitor/",
        "/monitor/v/system",
        "/monitor/v/anything?from=now-6h",
    ] {
        let (status, body) = send(Method::GET, "localhost", path, None).await;
        assert_eq!(status, 200, "{path}");
        assert!(body.contains("<base href=\"/monitor/\">"), "{path}");
    }
    assert_eq!(
        send(Method::GET, "localhost", "/monitor/assets/none.js", None)
            .await
            .0,
        404
    );
}

#[tokio::test]
async fn tables_are_searched_filtered_sorted_and_exported() {
    let database = seeded().await;
    let server = serve(&database);
    let names = |table: &serde_json::Value| -> Vec<String> {
        let rows = table["rows"].as_array().unwrap().iter();
        rows.map(|row| row["cells"][0].as_str().unwrap().to_owned())
            .collect()
    };
    let all = server.ask("table/processes?sort=process_name").await;
    assert_eq!(
        names(&all),
        ["<img onerror=x>", "=cmd|calc", "api", "api", "stuck"]
    );
    let found = server.ask("table/processes?q=API&sort=-pid").await;
    assert_eq!((&found["total"], &found["matched"]), (&5.into(), &2.into()));
    // Search is text: neither a pattern nor an expression.
    for search in ["%25", "_", "(a%2B)%2B$", "%25%25%25"] {
        assert_eq!(
            server.ask(&format!("table/processes?q={search}")).await["matched"],
            0,
            "{search}"
        );
    }
    // Unknown values come last in both directions.
    for sort in ["fd_count", "-fd_count"] {
        let sorted = server.ask(&format!("table/processes?sort={sort}")).await;
        assert_eq!(names(&sorted)[4], "stuck", "{sort}");
    }
    let issue = server.ask("table/processes?f.issue=cpu&f.issue=rss").await;
    assert_eq!(names(&issue), ["api"]);
    // A filter's own counts are those under the other filters.
    assert_eq!(issue["facets"]["issue"], all["facets"]["issue"]);
    assert_eq!(issue["facets"]["state"], serde_json::json!({"R": 1}));
    assert_eq!(all["filter_severities"]["issue"]["state"], "critical");
    let reply = server
        .get("api/v1/table/processes?format=csv&sort=process_name&limit=25")
        .await;
    assert_eq!(
        reply.header("content-type"),
        "text/csv; charset=utf-8; header=present"
    );
    let lines: Vec<&str> = reply.body.lines().collect();
    assert_eq!(lines.len(), 6);
    assert!(lines[2].starts_with("'=cmd|calc,101,1.5,"), "{}", lines[2]);
    assert!(lines[2].contains(",2026-09-20T21:"), "{}", lines[2]);
}
