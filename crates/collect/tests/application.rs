//! The answers below `fixtures/application`, served by a real peer: two ticks each, and the rows as
//! snapshots.
#![allow(clippy::unwrap_used, reason = "a test may fail")]

mod application_support;

use std::path::Path;

use application_support::{Peer, cell, lines, ok, text, tick};
use collect::application::{Application, News};
use config::{Format, Mapping, ScrapeTarget, TargetKind};
use schema::{Cell, Row};

fn fixture(name: &str) -> Vec<u8> {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/application");
    std::fs::read(dir.join(name)).unwrap()
}

/// The rows of two ticks.
async fn rows(kind: &str, bodies: [Vec<u8>; 2], change: impl FnOnce(&mut ScrapeTarget)) -> String {
    let peer = Peer::canned(bodies.map(|body| ok(kind, &body)).to_vec()).await;
    let mut target = peer.target();
    change(&mut target);
    let mut application = Application::new(target).unwrap();
    let mut out = String::new();
    for number in 0..2 {
        let (rows, news) = tick(&mut application, number).await;
        assert_eq!(news, News::Nothing);
        out += &format!("tick {}\n{}", number + 1, lines(&rows));
    }
    out
}

async fn program(mapping: Mapping) -> String {
    let name = mapping.as_str();
    let bodies = [1, 2].map(|tick| fixture(&format!("{name}.{tick}.txt")));
    rows(
        "text/plain; version=0.0.4; charset=utf-8",
        bodies,
        |target| {
            target.format = Format::Prometheus;
            target.mapping = mapping;
        },
    )
    .await
}

macro_rules! programs {
    ($($name:ident: $mapping:ident,)*) => {
        $(
            #[tokio::test]
            async fn $name() {
                insta::assert_snapshot!(program(Mapping::$mapping).await);
            }
        )*
    };
}

programs! {
    caddy: Caddy,
    traefik: Traefik,
    haproxy: Haproxy,
    envoy: Envoy,
    nginx: Nginx,
    nginx_vts: NginxVts,
    nginxlog: Nginxlog,
}

/// The rows of each body, served one after the other under this mapping.
async fn scraped(mapping: Mapping, bodies: &[&str]) -> Vec<(Vec<Row>, News)> {
    let answers = bodies.iter().map(|body| ok("text/plain", body.as_bytes()));
    let peer = Peer::canned(answers.collect()).await;
    let mut target = peer.target();
    target.format = Format::Prometheus;
    target.mapping = mapping;
    let mut application = Application::new(target).unwrap();
    let mut out = Vec::new();
    for number in 0..bodies.len() {
        out.push(tick(&mut application, number as u64).await);
    }
    out
}

/// Requests, and those of them that went well, were refused and failed.
type Totals = [Option<i64>; 4];

/// Values of columns in the row of the values; NULL is not a number.
fn values(rows: &[Row], columns: &[&str]) -> Vec<Option<i64>> {
    let of = |column: &&str| match cell(&rows[1], column) {
        Cell::Int(value) => Some(value),
        Cell::Null => None,
        other => panic!("{column}: {other:?}"),
    };
    columns.iter().map(of).collect()
}

#[tokio::test]
async fn totals_are_what_the_real_programs_served() {
    let columns = [
        "request_total",
        "request_success",
        "request_client_errors",
        "request_server_errors",
    ];
    // Requests of each kind before the first answer and before the second; pings, health checks, pages of
    // statistics and scrapes, which were as many and more, are none of them.
    let cases: [(Mapping, &str, [Totals; 2]); 5] = [
        (
            Mapping::Traefik,
            "traefik",
            [
                [Some(25), Some(20), Some(3), Some(2)],
                [Some(35), Some(30), Some(3), Some(2)],
            ],
        ),
        (
            // The rate limit refused two of the last eight.
            Mapping::Envoy,
            "envoy",
            [
                [Some(16), Some(9), Some(7), Some(0)],
                [Some(24), Some(15), Some(9), Some(0)],
            ],
        ),
        (
            Mapping::Haproxy,
            "haproxy",
            [
                [Some(20), Some(14), Some(4), Some(2)],
                [Some(25), Some(19), Some(4), Some(2)],
            ],
        ),
        (
            Mapping::Caddy,
            "caddy",
            [
                [Some(51), Some(44), Some(5), Some(2)],
                [Some(60), Some(53), Some(5), Some(2)],
            ],
        ),
        // Of three refused logins and two answers of a dead backend it does not report which were which.
        (
            Mapping::Caddy,
            "caddy-2.6",
            [
                [Some(51), Some(44), None, None],
                [Some(60), Some(53), None, None],
            ],
        ),
    ];
    for (mapping, name, expected) in cases {
        let bodies =
            [1, 2].map(|tick| String::from_utf8(fixture(&format!("{name}.{tick}.txt"))).unwrap());
        let ticks = scraped(mapping, &bodies.each_ref().map(String::as_str)).await;
        for ((rows, news), expected) in ticks.iter().zip(expected) {
            assert_eq!(*news, News::Nothing, "{name}");
            assert_eq!(values(rows, &columns), expected, "{name}");
        }
    }
}

#[tokio::test]
async fn a_program_that_is_down_or_another_one_is_not_up() {
    let down = String::from_utf8(fixture("nginx-down.txt")).unwrap();
    let caddy = String::from_utf8(fixture("caddy.1.txt")).unwrap();
    let cases = [
        (Mapping::Nginx, down.as_str(), "nginx_up is 0"),
        (
            Mapping::Haproxy,
            "haproxy_up 0\nhaproxy_exporter_total_scrapes 9\n",
            "haproxy_up is 0",
        ),
        // It answers with what it had.
        (
            Mapping::Haproxy,
            "haproxy_up 0\nhaproxy_frontend_bytes_in_total{frontend=\"a\"} 9\n",
            "haproxy_up is 0",
        ),
        (
            Mapping::Caddy,
            "mysql_up 0\nprocess_resident_memory_bytes 5\n",
            "mysql_up is 0",
        ),
        (
            Mapping::Nginx,
            caddy.as_str(),
            "none is looked for, as nginx_",
        ),
        (
            Mapping::NginxVts,
            "nginx_up 1\nnginx_http_requests_total 5\n",
            "none is looked for",
        ),
        // What any Go program has makes none of them Caddy.
        (
            Mapping::Caddy,
            "process_resident_memory_bytes 5\ngo_goroutines 7\n",
            "none is looked for, as caddy_",
        ),
    ];
    for (mapping, body, expected) in cases {
        let mut ticks = scraped(mapping, &[body]).await;
        let (rows, news) = ticks.remove(0);
        let News::Down(cause) = news else {
            panic!("{body}: {news:?}");
        };
        assert!(cause.contains(expected), "{cause}");
        assert_eq!(cell(&rows[0], "up"), Cell::Bool(false), "{body}");
        assert_eq!(text(&rows[0], "error"), cause);
        assert_eq!(rows.len(), 1, "no values of it");
    }
}

#[tokio::test]
async fn what_was_never_there_is_counted_and_named() {
    // A program without a request so far, one that depends on another that is down, and one of which a
    // part is there.
    let cases = [
        (
            Mapping::Caddy,
            "caddy_config_last_reload_successful 1\nprocess_cpu_seconds_total 1\n",
            17,
            16,
            "16 of 17 columns were never found",
        ),
        (
            Mapping::Traefik,
            "traefik_open_connections{entrypoint=\"web\"} 1\nredis_up 0\n",
            17,
            16,
            "redis_up is 0",
        ),
        (
            Mapping::Nginx,
            "nginx_http_requests_total 5\nnginx_connections_accepted 2\nnginx_connections_active 2\n",
            4,
            1,
            "",
        ),
    ];
    for (mapping, body, mapped, unfilled, note) in cases {
        let (rows, _) = scraped(mapping, &[body]).await.remove(0);
        assert_eq!(cell(&rows[0], "up"), Cell::Bool(true), "{body}");
        assert_eq!(cell(&rows[0], "mapped"), Cell::Int(mapped), "{body}");
        assert_eq!(cell(&rows[0], "unfilled"), Cell::Int(unfilled), "{body}");
        let error = text(&rows[0], "error");
        assert!(error.contains(note), "{error}");
        assert_eq!(error.is_empty(), note.is_empty(), "{error}");
    }
    // What was there once is not missed when it has no value for a while.
    let bodies = [
        "nginx_http_requests_total 5\n",
        "nginx_connections_accepted 5\n",
    ];
    let ticks = scraped(Mapping::Nginx, &bodies).await;
    let unfilled: Vec<Cell> = ticks
        .iter()
        .map(|(rows, _)| cell(&rows[0], "unfilled"))
        .collect();
    assert_eq!(unfilled, [Cell::Int(3), Cell::Int(2)]);
}

#[tokio::test]
async fn internal_entry_points_and_doubles_do_not_count() {
    let haproxy = "haproxy_frontend_bytes_out_total{proxy=\"web_http\"} 120000\n\
        haproxy_frontend_bytes_out_total{proxy=\"web_https\"} 80000\n\
        haproxy_frontend_bytes_out_total{proxy=\"prometheus\"} 919000000\n\
        haproxy_frontend_bytes_out_total{proxy=\"healthz\"} 19500000\n\
        haproxy_frontend_http_requests_total{proxy=\"web_http\"} 800\n\
        haproxy_frontend_http_requests_total{proxy=\"web_http\"} 800\n\
        haproxy_frontend_http_requests_total{proxy=\"web_https\"} 500\n\
        haproxy_frontend_http_requests_total{proxy=\"stats\"} 17\n\
        haproxy_frontend_http_requests_total{proxy=\"healthz\"} 125500\n";
    let (rows, _) = scraped(Mapping::Haproxy, &[haproxy]).await.remove(0);
    assert_eq!(
        values(&rows, &["request_total", "bytes_sent"]),
        [Some(1300), Some(200_000)]
    );
    assert!(text(&rows[0], "error").starts_with("1 series are there more than once"));
    // The exporter that HAProxy had before its own.
    let older = haproxy.replace("proxy=", "frontend=");
    let (rows, _) = scraped(Mapping::Haproxy, &[&older]).await.remove(0);
    assert_eq!(
        values(&rows, &["request_total", "bytes_sent"]),
        [Some(1300), Some(200_000)]
    );

    let traefik = |scrape: u32| {
        let line = |entry: &str, le: &str, value: u32| {
            format!(
                "traefik_entrypoint_request_duration_seconds_bucket{{code=\"200\",entrypoint=\"{entry}\",method=\"GET\",protocol=\"http\",le=\"{le}\"}} {value}\n"
            )
        };
        line("web", "0.1", 33 + scrape * 10)
            + &line("web", "1.2", 33 + scrape * 20)
            + &line("web", "+Inf", 33 + scrape * 20)
            + &line("traefik", "0.1", 90_000 + scrape * 1000)
            + &line("traefik", "1.2", 90_000 + scrape * 1000)
            + &line("traefik", "+Inf", 90_000 + scrape * 1000)
    };
    let bodies = [traefik(0), traefik(1)];
    let ticks = scraped(Mapping::Traefik, &[&bodies[0], &bodies[1]]).await;
    let Cell::Float(p95) = cell(&ticks[1].0[1], "latency_p95_ms") else {
        panic!("no p95")
    };
    assert!((p95 - 1090.0).abs() < 1.0, "{p95}");
}

#[tokio::test]
async fn a_site_of_caddy_without_host_name_is_not_zero() {
    let body = "caddy_http_requests_total{handler=\"reverse_proxy\",server=\"srv0\"} 9100\n\
        caddy_http_requests_in_flight{handler=\"reverse_proxy\",server=\"srv0\"} 3\n\
        caddy_http_request_duration_seconds_count{code=\"200\",handler=\"reverse_proxy\",method=\"GET\",server=\"srv0\"} 9097\n";
    let (rows, _) = scraped(Mapping::Caddy, &[body]).await.remove(0);
    let columns = [
        "request_total",
        "request_success",
        "requests_in_progress",
        "request_client_errors",
    ];
    assert_eq!(
        values(&rows, &columns),
        [Some(9100), Some(9097), Some(3), Some(0)]
    );
}

#[tokio::test]
async fn api_as_json() {
    let bodies = ["api.1.json", "api.2.json"].map(fixture);
    let rows = rows("application/json", bodies, |target| {
        target.kind = TargetKind::Api
    })
    .await;
    assert!(!rows.contains("secret"), "{rows}");
    insta::assert_snapshot!(rows);
}

#[tokio::test]
async fn proxy_as_json() {
    let bodies = ["proxy.1.json", "proxy.2.json"].map(fixture);
    insta::assert_snapshot!(rows("application/json", bodies, |_| {}).await);
}

#[tokio::test]
async fn a_map_of_its_own_makes_an_api_of_any_series() {
    let body = |total: u32| {
        format!(
            "# TYPE http_requests counter\nhttp_requests_total{{path=\"/a\",code=\"200\"}} {total}\n\
             http_requests_total{{path=\"/a\",code=\"500\"}} 2 # {{trace_id=\"x\"}} 1.0\n\
             db_seconds{{quantile=\"0.5\"}} 0.004\n# EOF\n"
        )
        .into_bytes()
    };
    let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    let rows = rows(kind, [body(40), body(45)], |target| {
        target.kind = TargetKind::Api;
        target.format = Format::Prometheus;
        target.map = [
            ("total_requests", "sum(http_requests_total)"),
            ("failed_requests", "sum(http_requests_total{code=\"5*\"})"),
            ("rps", "rate(http_requests_total)"),
            ("db_response_ms", "quantile(0.5, db_seconds) * 1000"),
            ("endpoints", "by(path, code, http_requests_total)"),
            ("cache_hits", "sum(cache_hits_total)"),
        ]
        .map(|(column, text)| (column.to_owned(), text.to_owned()))
        .into();
    })
    .await;
    insta::assert_snapshot!(rows);
}
