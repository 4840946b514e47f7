//! Visitors: requests of pages over kept connections.

use anyhow::{Context, ensure};
use std::fmt::Write as _;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until};

/// Connections of a proxy in front. The receiver serves 256.
const CONNECTIONS: u32 = 64;
/// Pages of the site.
const PAGES: u32 = 2_000;
const BROWSER: &str = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36";

/// What visitors do.
#[derive(Clone, Copy, Debug)]
pub(super) enum Plan {
    /// As many requests as are answered, for so long.
    AsFast(Duration),
    /// So many requests a second, for so long.
    Steady(u64, Duration),
    /// One view of each of so many visitors.
    Each(u32),
}

/// What came of it.
#[derive(Debug, Default)]
pub(super) struct Outcome {
    /// Events that were acknowledged; a request has one.
    pub(super) accepted: u64,
    /// How many of these are views.
    pub(super) views: u64,
    /// Requests with another answer.
    pub(super) refused: u64,
    /// Milliseconds from the instant at which a request was due to its answer.
    pub(super) took: Vec<f64>,
    /// How long all took.
    pub(super) elapsed: Duration,
}

/// Sends requests; `next` counts visitors over several plans, as each has an address of its own.
pub(super) async fn send(
    address: SocketAddr,
    plan: Plan,
    next: &Arc<AtomicU32>,
) -> anyhow::Result<Outcome> {
    let begun = Instant::now();
    let last = match plan {
        Plan::Each(visitors) => next.load(Ordering::Relaxed) + visitors,
        _ => u32::MAX,
    };
    let mut connections = JoinSet::new();
    for place in 0..CONNECTIONS {
        let visitors = Arc::clone(next);
        connections.spawn(connection(address, plan, place, begun, visitors, last));
    }
    let mut whole = Outcome::default();
    while let Some(one) = connections.join_next().await {
        let one = one??;
        whole.accepted += one.accepted;
        whole.views += one.views;
        whole.refused += one.refused;
        whole.took.extend(one.took);
    }
    whole.elapsed = begun.elapsed();
    if matches!(plan, Plan::Each(_)) {
        next.store(last, Ordering::Relaxed);
    }
    whole.took.sort_by(f64::total_cmp);
    Ok(whole)
}

/// Sends the requests of one connection: each visitor sees a page, then tells how long.
async fn connection(
    address: SocketAddr,
    plan: Plan,
    place: u32,
    begun: Instant,
    next: Arc<AtomicU32>,
    last: u32,
) -> anyhow::Result<Outcome> {
    let mut link = TcpStream::connect(address).await?;
    link.set_nodelay(true)?;
    let (mut outcome, mut answer, mut count) = (Outcome::default(), Vec::new(), 0_u32);
    let mut visitor = 0;
    loop {
        let due = match plan {
            Plan::Steady(rate, _) => {
                let pace = Duration::from_secs_f64(f64::from(CONNECTIONS) / rate as f64);
                begun + pace * count + pace * place / CONNECTIONS
            }
            _ => Instant::now(),
        };
        match plan {
            Plan::AsFast(time) | Plan::Steady(_, time) if due >= begun + time => break,
            _ => {}
        }
        let is_view = count % 2 == 0 || matches!(plan, Plan::Each(_));
        if is_view {
            visitor = next.fetch_add(1, Ordering::Relaxed);
            if visitor >= last {
                break;
            }
        }
        count += 1;
        sleep_until(due).await;
        link.write_all(&request(visitor, is_view)).await?;
        if read(&mut link, &mut answer).await? == 202 {
            outcome.accepted += 1;
            outcome.views += u64::from(is_view);
        } else {
            outcome.refused += 1;
        }
        outcome.took.push(due.elapsed().as_secs_f64() * 1e3);
    }
    Ok(outcome)
}

/// Returns a request of a visitor, each of whom has an address of its own.
fn request(visitor: u32, is_view: bool) -> Vec<u8> {
    // An odd factor, so that neighbours are in different networks and no two have the same address.
    let [_, a, b, c] = visitor.wrapping_mul(0x9E_3779B1).to_be_bytes();
    let (page, view) = (visitor % PAGES, u64::from(visitor) + 1);
    let event = if is_view {
        r#"{"type":"view"}"#
    } else {
        r#"{"type":"time","engaged_ms":12000,"scroll_pct":55}"#
    };
    let body = format!(
        r#"{{"v":1,"site":"bench.example","url":"https://bench.example/page/{page}","title":"Page {page}","width":1440,"view":"{view:016x}","events":[{event}]}}"#
    );
    let mut text = format!(
        "POST /e HTTP/1.1\r\nHost: bench.example\r\nContent-Type: text/plain\r\nOrigin: https://bench.example\r\nUser-Agent: {BROWSER}\r\n\
         Accept-Language: de-DE\r\nX-Forwarded-For: 10.{a}.{b}.{c}\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    // Writing to a String cannot fail.
    let _infallible = text.write_str(&body);
    text.into_bytes()
}

/// Reads an answer without a body, and its status.
async fn read(link: &mut TcpStream, answer: &mut Vec<u8>) -> anyhow::Result<u16> {
    answer.clear();
    while !answer.ends_with(b"\r\n\r\n") {
        let count = link.read_buf(answer).await?;
        ensure!(count > 0, "the receiver closed a connection");
        // A refusal has a text after its head; it ends with a line.
        if answer.starts_with(b"HTTP/1.1 4") && answer.ends_with(b"\n") {
            break;
        }
    }
    let status = answer.get(9..12).context("no status")?;
    Ok(std::str::from_utf8(status)?.parse()?)
}
