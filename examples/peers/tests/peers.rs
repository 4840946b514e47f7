//! The collector understands these applications to the last column, and their counters only grow.
#![allow(clippy::unwrap_used, reason = "a test may fail")]

use std::time::Duration;

use collect::Moment;
use collect::application::{Application, News};
use config::{HttpUrl, ScrapeTarget, TargetKind};
use example_peers::{Peer, serve};
use proptest::prelude::*;
use schema::{Cell, Role, Row};
use tokio::net::TcpListener;

const KINDS: [(Peer, TargetKind); 2] = [
    (Peer::Api, TargetKind::Api),
    (Peer::Proxy, TargetKind::Proxy),
];

/// Returns an hour after a start that was at the first call.
fn clock() -> Duration {
    use std::sync::atomic::{AtomicU64, Ordering};
    static CALLS: AtomicU64 = AtomicU64::new(0);
    // The first two calls are the starts.
    let call = CALLS.fetch_add(1, Ordering::Relaxed);
    Duration::from_secs(1_795_392_000 + if call < 2 { 0 } else { 3600 })
}

async fn scrape(url: &str, kind: TargetKind) -> Vec<Row> {
    let mut application = Application::new(ScrapeTarget {
        name: "peer".to_owned(),
        kind,
        url: Some(HttpUrl::parse(url).unwrap()),
        ..ScrapeTarget::default()
    })
    .unwrap();
    let mut rows = Vec::new();
    let news = application.collect(&Moment::default(), &mut rows).await;
    assert_eq!(news, News::Nothing, "{rows:?}");
    rows
}

#[tokio::test]
async fn every_column_has_a_value() {
    let mut addresses = Vec::new();
    for (peer, _) in KINDS {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        addresses.push(listener.local_addr().unwrap());
        tokio::spawn(serve(listener, peer, clock));
        tokio::task::yield_now().await;
    }
    for ((peer, kind), address) in KINDS.into_iter().zip(addresses) {
        let rows = scrape(&format!("http://{address}{}", peer.path()), kind).await;
        assert_eq!(rows[1].table.name, kind.table().name);
        for (column, cell) in kind.table().columns.iter().zip(&rows[1].cells) {
            assert_ne!(*cell, Cell::Null, "{peer:?}: {}", column.name);
        }
        let bad = rows[0]
            .table
            .columns
            .iter()
            .position(|column| column.name == "bad_values");
        assert_eq!(rows[0].cells[bad.unwrap()], Cell::Int(0), "{peer:?}");
        let rows_of = |name: &str| rows.iter().filter(|row| row.table.name == name).count();
        let of_api = usize::from(peer == Peer::Api);
        assert_eq!(rows_of("endpoint_metrics_raw"), 12 * of_api);
        assert_eq!(rows_of("latency_buckets_raw"), 8 * of_api);
    }
}

/// Returns the numbers of a body by name.
fn number(body: &serde_json::Value, name: &str) -> f64 {
    let value = &body[name];
    value.as_f64().unwrap_or_else(|| panic!("{name}: {value}"))
}

proptest! {
    #[test]
    fn counters_only_grow(start in 0.0..100_000.0_f64, step in 0.0..1000.0_f64) {
        for (peer, kind) in KINDS {
            let at = |secs: f64| {
                let uptime = Duration::from_secs_f64(secs);
                peer.body(Duration::from_secs(1_795_392_000) + uptime, uptime)
            };
            let (before, after) = (at(start), at(start + step));
            for column in kind.table().columns.iter().filter(|column| column.role == Role::Counter) {
                let steps = (number(&before, column.name), number(&after, column.name));
                prop_assert!(steps.0 <= steps.1, "{peer:?}: {}: {steps:?}", column.name);
            }
        }
    }
}
