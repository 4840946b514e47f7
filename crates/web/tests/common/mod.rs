//! The real router over a real database with known rows.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
#![allow(dead_code, reason = "each test file uses a part")]

use std::fmt::Write as _;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, Request, StatusCode, header};
use schema::Timestamp;
use serde_json::{Value, json};
use testkit::Database;
use tower::ServiceExt as _;
use web::{App, Clock, Settings};

/// Sun, 20 Sep 2026 22:00 UTC.
pub(crate) const START: i64 = 1_789_941_600_000;
/// Half an hour of ticks.
pub(crate) const TICKS: i64 = 180;

/// Returns the time of tick `n`, milliseconds.
pub(crate) fn tick(n: i64) -> i64 {
    START + n * 10_000
}

pub(crate) fn sql_time(ms: i64) -> String {
    format!("to_timestamp({ms} / 1000.0)")
}

/// Creates a migrated database without a row.
pub(crate) async fn empty() -> Database {
    testkit::migrated().await.unwrap()
}

/// Creates a database with one healthy host, sampled for half an hour.
pub(crate) async fn seeded() -> Database {
    let database = empty().await;
    let mut text = testkit::partitions("2026-09-20", "2026-09-20");
    let boot = sql_time(START - 86_400_000);
    let started = sql_time(START - 5_000);
    let _infallible = write!(
        text,
        "INSERT INTO collector.hosts (machine_id, hostname, kernel, os, cores, memory_bytes, boot_ts, first_seen, last_seen)
         VALUES ('m1', 'alpha', '6.1.0', 'Debian 12', 4, 8000000000, {boot}, {started}, {started});
         INSERT INTO collector.agent_runs (host_id, run_id, writer, pid, version, started_at, settings)
         VALUES (1, '00000000-0000-0000-0000-000000000001', '00000000-0000-0000-0000-000000000002', 77, '0.1.0', {started},
                 '{{\"intervals.system_secs\": [\"10\", \"default\"], \"database.password\": [\"***\", \"env\"]}}');
         INSERT INTO collector.spool_watermark (host_id, writer, seq, progress)
         VALUES (1, '00000000-0000-0000-0000-000000000002', 1, '{{}}');\n"
    );
    database.sql(&text).await.unwrap();
    add(&database, 0, TICKS).await;
    database
}

/// Creates a database like [`seeded`] with two PostgreSQL servers, an API and a proxy.
pub(crate) async fn with_services() -> Database {
    let database = seeded().await;
    let text = include_str!("services.sql").replace("%START%", &sql_time(START));
    database.sql(&text).await.unwrap();
    database
}

/// Adds ticks `from..to` of everything; levels are constant, counters grow steadily.
pub(crate) async fn add(database: &Database, from: i64, to: i64) {
    let at = format!("to_timestamp({START} / 1000.0) + i * interval '10 s'");
    let each = |columns: &str, values: &str, table: &str, also: &str| {
        format!(
            "INSERT INTO collector.{table} (ts, host_id, {columns}) \
             SELECT {at}, 1, {values} FROM generate_series({from}, {}) i{also};\n",
            to - 1
        )
    };
    let mut text = each(
        "cpu_user, cpu_nice, cpu_system, cpu_idle, cpu_iowait, cpu_irq, cpu_softirq, cpu_steal, cpu_guest, cpu_cores, \
         cpu_count, mem_total, mem_used, mem_available, mem_free, mem_buffers, mem_cached, swap_total, swap_used, \
         load_1, load_5, load_15, net_rx, net_tx, ctxt_total, forks_total, procs_running, procs_blocked, oom_kills_total, \
         open_files, open_files_max, tcp_retrans_total, listen_overflows_total, pressure_cpu_some_us_total, \
         pressure_memory_full_us_total, pressure_io_full_us_total, uptime_secs, clock_synced",
        "20 + i % 5, 0, 5, 70 - i % 5, 5, 0, 0, 0, 0, \
         '[{\"core\":0,\"user\":20,\"idle\":75,\"iowait\":5},{\"core\":1,\"user\":50,\"idle\":50,\"iowait\":0}]', \
         4, 8000000000, 4000000000, 4000000000, 1000000000, 100000000, 2000000000, 0, 0, \
         1.5, 1.25, 1, i * 10000, i * 5000, i * 2000, i * 3, 2, 0, 0, \
         1000, 100000, i, 0, i * 100000, 0, 0, 86400 + i * 10, true",
        "system_metrics_raw",
        "",
    );
    text += &each(
        "mount, device, fs_type, total_bytes, available_bytes, usage_pct, inodes_total, inodes_free, read_only",
        "m, '/dev/' || left(md5(m), 3), 'ext4', 100000000000, 60000000000, 40, 1000000, 900000, false",
        "mount_metrics_raw",
        ", unnest(ARRAY['/', '/var']) m",
    );
    text += &each(
        "interface, rx_bytes_total, tx_bytes_total, rx_packets_total, tx_packets_total, rx_errors_total, \
         tx_errors_total, rx_drops_total, tx_drops_total",
        "'eth0', i * 10000, i * 5000, i * 100, i * 50, 0, 0, 0, 0",
        "network_metrics_raw",
        "",
    );
    text += &each(
        "device, reads_total, read_bytes_total, read_ms_total, writes_total, write_bytes_total, write_ms_total, \
         in_flight, busy_ms_total, queue_ms_total",
        "'sda', i * 10, i * 40960, i * 5, i * 20, i * 81920, i * 9, 0, i * 500, i * 700",
        "disk_metrics_raw",
        "",
    );
    text += &each(
        "process_name, pid, start_ticks, cpu_pct, rss_bytes, vsz_bytes, fd_count, fd_limit, thread_count, state, \
         uptime_secs, read_bytes_total, write_bytes_total, parent_pid, unit, uid, watched",
        "n, p, p * 10, c, r, 400000000, f, 1024, t, s, 3600 + i * 10, i * 1000, i * 500, 1, 'x.service', 0, false",
        "process_metrics_raw",
        ", (VALUES ('=cmd|calc', 101, 1.5, 10000000, 10, 4, 'S'), ('api', 102, 55.0, 600000000, 150, 30, 'R'), \
           ('api', 103, 12.0, 100000000, 20, 30, 'S'), ('stuck', 104, 0.0, 5000000, NULL, 1, 'D'), \
           ('<img onerror=x>', 105, 0.0, 5000000, 5, 1, 'S')) v(n, p, c, r, f, t, s)",
    );
    text += &each("component, status", "'collector', 'alive'", "heartbeat", "");
    text += &each(
        "pid, uptime_secs, version, buffer_depths, buffer_total, pending_records, disk_queue_bytes, \
         disk_queue_max_bytes, flush_count, spill_count, total_rows_written, lost_records_total, dead_letters_total, \
         db_healthy, db_state, tick_duration_ms, tick_late_ms, cpu_pct, rss_bytes, vsz_bytes, fd_count, thread_count, \
         state, spool_state",
        "77, i * 10, '0.1.0', '{\"process_metrics_raw\": 5, \"heartbeat\": 0}', 5, 2, 1048576, 104857600, i, 0, i * 17, \
         0, 0, true, 'connected', 12, 1, 0.5, 20000000, 100000000, 12, 1, 'S', 'ok'",
        "collector_self_metrics",
        "",
    );
    text += &each(
        "collector, outcome, duration_ms, rows, error",
        "c, CASE WHEN c = 'mounts' AND i = 170 THEN 'failed' ELSE 'ok' END, 2.5, 3, \
         CASE WHEN c = 'mounts' AND i = 170 THEN 'cannot read /proc/self/mountinfo' END",
        "collector_runs_raw",
        ", unnest(ARRAY['host', 'mounts', 'processes']) c",
    );
    database.sql(&text).await.unwrap();
}

/// A server over a database, with a clock fixed at a second after the newest tick.
pub(crate) struct Server {
    pub(crate) app: App,
    pub(crate) clock: Clock,
    pub(crate) router: Router,
}

pub(crate) fn serve(database: &Database) -> Server {
    serve_target(database.target())
}

pub(crate) fn serve_target(target: pg::Target) -> Server {
    let settings = Settings {
        share_for: Duration::ZERO,
        ..Settings::default()
    };
    serve_with(target, settings)
}

/// Returns a server with the clock above, whatever the settings have.
pub(crate) fn serve_with(target: pg::Target, settings: Settings) -> Server {
    let clock = Clock::at(Timestamp::from_millis(tick(TICKS - 1) + 1_000));
    let settings = Settings {
        clock: clock.clone(),
        ..settings
    };
    let app = App::new(settings, target);
    Server {
        router: web::router(app.clone()),
        app,
        clock,
    }
}

pub(crate) struct Reply {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}

impl Reply {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.body))
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .map_or("", |value| value.to_str().unwrap())
    }
}

impl Server {
    pub(crate) fn set_clock(&self, ms: i64) {
        self.clock.set(Timestamp::from_millis(ms));
    }

    pub(crate) async fn send(&self, request: Request<Body>) -> Reply {
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (head, body) = response.into_parts();
        let body = to_bytes(body, usize::MAX).await.unwrap();
        Reply {
            status: head.status,
            headers: head.headers,
            body: String::from_utf8_lossy(&body).into_owned(),
        }
    }

    pub(crate) async fn get(&self, path: &str) -> Reply {
        let request = Request::get(format!("/monitor/{path}")).header(header::HOST, "localhost");
        self.send(request.body(Body::empty()).unwrap()).await
    }

    /// Returns the JSON of an answer with status 200.
    pub(crate) async fn ask(&self, path: &str) -> Value {
        let reply = self.get(&format!("api/v1/{path}")).await;
        assert_eq!(reply.status, StatusCode::OK, "{path}: {}", reply.body);
        reply.json()
    }

    /// Returns status and code of a refusal.
    pub(crate) async fn refused(&self, path: &str) -> (u16, String) {
        let reply = self.get(&format!("api/v1/{path}")).await;
        let code = reply.json()["error"]["code"]
            .as_str()
            .unwrap_or_default()
            .to_owned();
        (reply.status.as_u16(), code)
    }
}

/// Returns the rows of a table as objects by column, with their severities where there are any.
pub(crate) fn rows(meta: &Value, name: &str, answer: &Value) -> Vec<Value> {
    let tables = meta["tables"].as_array().unwrap();
    let table = tables.iter().find(|table| table["name"] == name).unwrap();
    let columns = table["columns"].as_array().unwrap();
    let each = |row: &Value| {
        let mut shown = serde_json::Map::new();
        shown.insert("id".to_owned(), row["id"].clone());
        for (at, column) in columns.iter().enumerate() {
            let name = column["id"].as_str().unwrap();
            let cell = &row["cells"][at];
            let value = match row["severities"][at].as_str() {
                None | Some("ok") => cell.clone(),
                Some(severity) => json!(format!("{cell} {severity}")),
            };
            if !cell.is_null() {
                shown.insert(name.to_owned(), value);
            }
        }
        Value::Object(shown)
    };
    answer["rows"]
        .as_array()
        .unwrap()
        .iter()
        .map(each)
        .collect()
}

/// Returns the object of a list whose field has this value; null for none.
pub(crate) fn find<'a>(list: &'a Value, field: &str, value: &str) -> &'a Value {
    let mut all = list.as_array().unwrap().iter();
    all.find(|one| one[field] == value).unwrap_or(&Value::Null)
}

/// Returns the severity of the problem with this id, `ok` for none.
pub(crate) fn severity<'a>(now: &'a Value, id: &str) -> &'a str {
    find(&now["problems"], "id", id)["severity"]
        .as_str()
        .unwrap_or("ok")
}

/// Returns an area of the first page.
pub(crate) fn area<'a>(now: &'a Value, id: &str) -> &'a Value {
    find(&now["areas"], "id", id)
}

/// Updates stored rows.
pub(crate) async fn set(database: &Database, table: &str, assignment: &str, condition: &str) {
    let text = format!("UPDATE collector.{table} SET {assignment} WHERE {condition}");
    database.sql(&text).await.unwrap();
}

/// Returns an open, confirmed alert about the seeded host; `change` replaces its columns. A rule with a dot is the
/// threshold of the metric of that name.
pub(crate) fn finding(rule: &str, target: &str, severity: &str, change: Value) -> Value {
    let metric = rule.contains('.').then_some(rule);
    let opened = Timestamp::from_millis(tick(120));
    let opened = jiff::Timestamp::from_microsecond(opened.as_micros()).unwrap();
    let mut finding = json!({
        "host_id": 1, "rule": rule, "target": target, "kind": "alert", "domain": rule.split('.').next(),
        "severity": severity, "worst": severity, "title": rule, "message": format!("{rule} of {target}"), "steps": ["See it."],
        "metric": metric, "metric_key": metric.and(Some(target)).filter(|key| !key.is_empty()),
        "opened_at": opened.to_string(), "confirmed_at": opened.to_string(), "seen_at": opened.to_string(), "occurrences": 1,
    });
    let columns = finding.as_object_mut().unwrap();
    columns.extend(change.as_object().unwrap().clone());
    finding
}

/// Stores findings.
pub(crate) async fn store_findings(database: &Database, findings: &[Value]) {
    let text = Value::from(findings).to_string().replace('\'', "''");
    let columns = "host_id, rule, target, kind, domain, severity, worst, title, message, steps, metric, metric_key, command, action_sql, \
                   value, current_value, threshold, details, cause_rule, cause_target, opened_at, confirmed_at, seen_at, unknown_since, \
                   resolved_at, occurrences";
    let sql = format!(
        "INSERT INTO collector.findings ({columns})
         SELECT {columns} FROM jsonb_populate_recordset(NULL::collector.findings, '{text}')"
    );
    database.sql(&sql).await.unwrap();
}
