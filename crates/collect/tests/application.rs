//! The answers below `fixtures/application`, served by a real peer: two ticks each, and the rows as
//! snapshots.
#![allow(clippy::unwrap_used, reason = "a test may fail")]

mod application_support;

use std::path::Path;

use application_support::{Peer, lines, ok, tick};
use collect::application::{Application, News};
use config::{Format, Mapping, ScrapeTarget, TargetKind};

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
