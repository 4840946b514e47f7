//! An API and a proxy that answer with figures, good or bad.

use collect::Moment;
use collect::application::Application;
use config::{Format, HttpUrl, ScrapeTarget, TargetKind};
use schema::Row;
use std::sync::{Arc, Mutex};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

pub(crate) struct Peers {
    pub(crate) is_well: bool,
    api: Peer,
    proxy: Peer,
    /// Answered so far.
    total: i64,
    failed: i64,
}

struct Peer {
    body: Arc<Mutex<String>>,
    application: Application,
}

impl Peers {
    pub(crate) async fn start() -> Self {
        Self {
            is_well: true,
            api: Peer::start("shop", TargetKind::Api).await,
            proxy: Peer::start("edge", TargetKind::Proxy).await,
            total: 0,
            failed: 0,
        }
    }

    /// Serves for a minute and is asked then.
    pub(crate) async fn collect(&mut self, at: &Moment, out: &mut Vec<Row>) {
        self.total += 1000;
        self.failed += if self.is_well { 0 } else { 300 };
        let (total, failed) = (self.total, self.failed);
        let of = |good: i64, bad: i64| if self.is_well { good } else { bad };
        let (p95, p99, busy) = (of(30, 1500), of(90, 6000), of(8, 400));
        let (response, hits) = (of(2, 240), of(100, 80));
        *self.api.body.lock().unwrap() = format!(
            r#"{{"uptime_seconds": 60, "total_requests": {total}, "failed_requests": {failed},
                "latency": {{"p95_ms": {p95}, "p99_ms": {p99}}}, "active_connections": {busy},
                "database": {{"response_ms": {response}, "cache_hit_ratio": {hits}}}}}"#
        );
        let (slow, waiting, allowed) = (of(20, 9000), of(3, 900), total - failed);
        *self.proxy.body.lock().unwrap() = format!(
            r#"{{"uptime_secs": 60, "requests": {{"total": {total}, "server_errors": {failed}, "in_progress": {waiting}}},
                "latency": {{"p95_ms": {slow}}}, "tls": {{"handshakes": {total}, "handshake_failures": {failed}}},
                "rate_limiter": {{"checked": {total}, "allowed": {allowed}, "limited": {failed}, "blocked": 0}}}}"#
        );
        for peer in [&mut self.api, &mut self.proxy] {
            peer.application.collect(at, out).await;
        }
    }
}

impl Peer {
    async fn start(name: &str, kind: TargetKind) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let body = Arc::new(Mutex::new(String::new()));
        let served = Arc::clone(&body);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let body = served.lock().unwrap().clone();
                tokio::spawn(answer(stream, body));
            }
        });
        let target = ScrapeTarget {
            name: name.to_owned(),
            kind,
            url: Some(HttpUrl::parse(&format!("http://127.0.0.1:{port}/metrics")).unwrap()),
            format: Format::Json,
            ..ScrapeTarget::default()
        };
        Self {
            body,
            application: Application::new(target).unwrap(),
        }
    }
}

/// Answers one request and closes the connection.
async fn answer(mut stream: TcpStream, body: String) -> std::io::Result<()> {
    let mut request = Vec::new();
    while !request.ends_with(b"\r\n\r\n") {
        request.push(stream.read_u8().await?);
    }
    let length = body.len();
    let head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close";
    let answer = format!("{head}\r\nContent-Length: {length}\r\n\r\n{body}");
    stream.write_all(answer.as_bytes()).await
}
