//! A peer that answers with canned bytes, and rows as text.
#![allow(
    dead_code,
    unreachable_pub,
    reason = "each test file uses a part of it"
)]

use std::sync::{Arc, Mutex};
use std::time::Duration;

use collect::Moment;
use collect::application::{Application, News};
use config::{Format, HttpUrl, ScrapeTarget, TargetKind};
use schema::{Cell, Row, Timestamp};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// A server on the loopback that answers its connections one after the other.
pub struct Peer {
    pub port: u16,
    heads: Arc<Mutex<Vec<String>>>,
    task: JoinHandle<()>,
}

impl Drop for Peer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Peer {
    /// Writes these bytes, one element to each connection, the last one to all that follow.
    pub async fn canned(answers: Vec<Vec<u8>>) -> Self {
        Self::with(move |tick, mut stream| {
            let answer = answers[tick.min(answers.len() - 1)].clone();
            tokio::spawn(async move {
                // One that has read enough closes; that is not a failure of the peer.
                drop(stream.write_all(&answer).await);
                drop(stream.shutdown().await);
            });
        })
        .await
    }

    /// Hands every connection over when its request has been read.
    pub async fn with(mut serve: impl FnMut(usize, TcpStream) + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let heads = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&heads);
        let task = tokio::spawn(async move {
            for tick in 0.. {
                let (mut stream, _) = listener.accept().await.unwrap();
                let mut head = Vec::new();
                while !head.ends_with(b"\r\n\r\n") {
                    let Ok(byte) = stream.read_u8().await else {
                        break;
                    };
                    head.push(byte);
                }
                seen.lock().unwrap().push(String::from_utf8(head).unwrap());
                serve(tick, stream);
            }
        });
        Self { port, heads, task }
    }

    /// Heads of the requests so far.
    pub fn heads(&self) -> Vec<String> {
        self.heads.lock().unwrap().clone()
    }

    /// A target at this peer that is asked for JSON of a proxy.
    pub fn target(&self) -> ScrapeTarget {
        target(self.port)
    }
}

pub fn target(port: u16) -> ScrapeTarget {
    ScrapeTarget {
        name: "peer".to_owned(),
        kind: TargetKind::Proxy,
        url: Some(HttpUrl::parse(&format!("http://127.0.0.1:{port}/metrics/json?a=b")).unwrap()),
        format: Format::Json,
        ..ScrapeTarget::default()
    }
}

/// An answer with status 200 and this body.
pub fn ok(kind: &str, body: &[u8]) -> Vec<u8> {
    let length = body.len();
    let head =
        format!("HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\nContent-Length: {length}\r\n\r\n");
    [head.as_bytes(), body].concat()
}

/// Midnight of 23 November 2026, and ten seconds later for each tick.
pub fn moment(tick: u64) -> Moment {
    Moment {
        ts: Timestamp::from_millis(1_795_392_000_000 + 10_000 * i64::try_from(tick).unwrap()),
        monotonic: Duration::from_secs(500 + 10 * tick),
    }
}

/// What one tick gives.
pub async fn tick(application: &mut Application, tick: u64) -> (Vec<Row>, News) {
    let mut rows = Vec::new();
    let news = application.collect(&moment(tick), &mut rows).await;
    assert_eq!(rows[0].table.name, "target_metrics_raw");
    (rows, news)
}

/// The cell of a column.
pub fn cell(row: &Row, column: &str) -> Cell {
    let columns = row.table.columns.iter();
    let at = columns
        .map(|column| column.name)
        .position(|name| name == column);
    row.cells[at.unwrap()].clone()
}

/// The text of a column; empty when there is none.
pub fn text(row: &Row, column: &str) -> String {
    match cell(row, column) {
        Cell::Text(text) => text.into(),
        Cell::Null => String::new(),
        other => panic!("{column}: {other:?}"),
    }
}

/// Rows as lines, without what is NULL and without the time an answer took.
pub fn lines(rows: &[Row]) -> String {
    let mut out = String::new();
    for row in rows {
        out += row.table.name;
        for (column, cell) in row.table.columns.iter().zip(&row.cells) {
            let measured = row.table.name == "target_metrics_raw" && column.name == "duration_ms";
            let shown = match cell {
                Cell::Null => continue,
                Cell::Text(text) => text.to_string(),
                Cell::Time(at) => format!("@{}", at.as_millis()),
                Cell::Bool(flag) => flag.to_string(),
                Cell::Int(number) => number.to_string(),
                Cell::Float(_) if measured => continue,
                // Twelve digits: sums of floats differ in the last ones.
                Cell::Float(number) => format!("{number:.9}").trim_end_matches('0').to_owned(),
                Cell::Json(text) => text.to_string(),
            };
            out += &format!("  {}={shown}", column.name);
        }
        out.push('\n');
    }
    out
}
