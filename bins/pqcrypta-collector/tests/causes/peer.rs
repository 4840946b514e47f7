//! A target that stops answering.

use super::{Cause, Expected};
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// How many answers of it are stored.
pub(crate) const SEEN: &str =
    "select count(*) from collector.target_metrics_raw where target = 'shop' and up";

const BODY: &str = r#"{"total_requests": 12, "successful_requests": 12, "failed_requests": 0}"#;

/// An API on the loopback. It keeps its port when it is down, so that nobody else gets it.
pub(crate) struct Peer {
    address: SocketAddr,
    is_up: Arc<AtomicBool>,
}

impl Peer {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let is_up = Arc::new(AtomicBool::new(true));
        let peer = Self {
            address: listener.local_addr().unwrap(),
            is_up: Arc::clone(&is_up),
        };
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                if is_up.load(Ordering::Relaxed) {
                    tokio::spawn(answer(stream));
                }
            }
        });
        peer
    }

    /// Returns the part of the configuration that watches it.
    pub(crate) fn settings(&self) -> String {
        format!(
            "[[scrape.target]]\nname = \"shop\"\nurl = \"http://{}/metrics\"\n",
            self.address
        )
    }
}

/// Answers one request and closes the connection.
async fn answer(mut stream: TcpStream) -> std::io::Result<()> {
    let mut request = Vec::new();
    while !request.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        stream.read_exact(&mut byte).await?;
        request.extend(byte);
    }
    let answer = format!(
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{BODY}",
        BODY.len()
    );
    stream.write_all(answer.as_bytes()).await
}

impl Cause for Peer {
    fn begin(&mut self) {
        self.is_up.store(false, Ordering::Relaxed);
    }

    fn expected(&self) -> Expected {
        Expected {
            rule: "target.up",
            target: "shop".to_owned(),
            severity: "critical",
            message: "Target shop does not answer".to_owned(),
            metric: "target.up",
            step: "Is it running",
            command: String::new(),
            confirm_secs: 20,
        }
    }

    fn end(&mut self) {
        self.is_up.store(true, Ordering::Relaxed);
    }
}
