//! Requests to the dashboard, without a database: whatever is asked, the answer is one of the API's own.

use axum::body::Body;
use axum::http::{Request, StatusCode};
use std::cell::RefCell;
use tokio::runtime::{Builder, Runtime};
use tower::ServiceExt as _;
use web::api::Params;
use web::{App, Settings, router};

/// Asks for the path and query that the input holds.
pub(crate) fn run(input: &[u8]) {
    thread_local! {
        static SERVER: RefCell<(Runtime, axum::Router)> = RefCell::new(server());
    }
    let Ok(text) = std::str::from_utf8(input) else {
        return;
    };
    if let Ok(params) = Params::parse(Some(text)) {
        for (name, value) in params.iter() {
            assert!(!name.contains('\0') && !value.contains('\0'));
        }
        assert_eq!(params.question(&[]).is_empty(), params.iter().count() == 0);
    }
    let request = Request::get(format!("/monitor/api/v1/{text}"))
        .header("host", "localhost")
        .body(Body::empty());
    let Ok(request) = request else {
        return;
    };
    SERVER.with_borrow(|(runtime, router)| {
        let answer = runtime.block_on(router.clone().oneshot(request));
        let status = answer.expect("a router always answers").status();
        assert_ne!(status, StatusCode::INTERNAL_SERVER_ERROR, "{text}");
    });
}

/// Returns questions that the dashboard asks.
pub(crate) fn seeds() -> Vec<Vec<u8>> {
    [
        "meta",
        "now?host=1",
        "series?m=system.cpu_busy_pct,mount.used_pct,process_one.cpu_pct@102.1020&from=now-20m&px=50&limit=2",
        "series?m=network.rx_bytes_per_sec&from=2026-11-29T07:00:00Z&to=now&since=1795935600000&px=1000",
        "table/processes?sort=-cpu_pct&limit=20&after=x&q=%C3%A9+a&format=csv",
        "table/logs?from=now-24h&f.level=error,warn&f.source=api",
        "logs?q=deadlock&level=error&from=now-6h&limit=100&after=1795935600000.7",
        "batch?q=series%3Fm%3Dsystem.load_1&q=table%2Fmounts",
        "texts",
        "events",
    ]
    .map(|text| text.as_bytes().to_vec())
    .into()
}

fn server() -> (Runtime, axum::Router) {
    let runtime = Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    let _within = runtime.enter();
    let target = pg::Target::from(&config::Database {
        host: "/nonexistent".to_owned(),
        ..config::Database::default()
    });
    let router = router(App::new(Settings::default(), target));
    drop(_within);
    (runtime, router)
}
