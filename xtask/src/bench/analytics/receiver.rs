//! The receiver: rate, answers, memory.

use super::load::{Plan, send};
use super::{Figures, Options};
use crate::bench::collector::{Children, build};
use crate::bench::{at_least, figure, number, process};
use anyhow::{Context, ensure};
use std::fs;
use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::AtomicU32;
use std::time::Duration;
use tempfile::TempDir;
use testkit::Server;
use tokio::time::{Instant, sleep};

/// How long what was acknowledged may take to be in the database.
const DELIVERED_WITHIN: Duration = Duration::from_secs(300);
/// How long the receiver is left alone before its memory is read.
const QUIET: Duration = Duration::from_secs(2);

/// A receiver that runs until this value ends.
struct Receiver {
    address: SocketAddr,
    child: Children,
}

impl Receiver {
    fn start(binary: &Path, server: &Server, dir: &Path) -> anyhow::Result<Self> {
        let target = server.target();
        let pg::Host::Socket(socket) = &target.host else {
            anyhow::bail!("the server has a socket")
        };
        let config = dir.join("analytics.toml");
        let text = format!(
            "[database]\nhost = \"{}\"\nport = {}\nname = \"{}\"\nuser = \"{}\"\n\
             [analytics]\nlisten = \"127.0.0.1:0\"\nqueue_dir = \"{}\"\nsalts_file = \"{}\"\n\
             [[analytics.site]]\ndomain = \"bench.example\"\n",
            socket.display(),
            target.port,
            target.database,
            target.user,
            dir.join("queue").display(),
            dir.join("salts").display(),
        );
        fs::write(&config, text)?;
        let mut child = Command::new(binary)
            .arg("--config")
            .arg(config)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()?;
        let told = child.stdout.take().context("it has an output")?;
        let child = Children(vec![child]);
        let mut line = String::new();
        BufReader::new(told).read_line(&mut line)?;
        let address = line
            .strip_prefix("listening on http://")
            .and_then(|rest| rest.split('/').next())
            .context("the receiver does not listen")?;
        Ok(Self {
            address: address.parse()?,
            child,
        })
    }

    fn pid(&self) -> u32 {
        self.child.0.first().map_or(0, Child::id)
    }
}

pub(super) async fn measure(options: &Options, out: &mut Figures) -> anyhow::Result<()> {
    let binary = build("pqcrypta-analytics")?;
    let server = database().await?;
    let dir = TempDir::new()?;
    let receiver = Receiver::start(&binary, &server, dir.path())?;
    let time = Duration::from_secs(options.seconds);
    let next = Arc::new(AtomicU32::new(0));
    let mut views = 0;

    sleep(QUIET).await;
    let idle = process::memory(receiver.pid())?.rss;
    out.add(figure("RSS of the receiver, idle", idle, "MiB", Some(12.0)));

    let cpu = process::whole_cpu_ms(receiver.pid())?;
    let fast = send(receiver.address, Plan::AsFast(time), &next).await?;
    let cpu = process::whole_cpu_ms(receiver.pid())? - cpu;
    views += fast.views;
    ensure!(fast.accepted > 0, "nothing is accepted");
    let rate = fast.accepted as f64 / fast.elapsed.as_secs_f64();
    let what = "events accepted a second, each synced to disk before its answer";
    out.add(at_least(what, rate, "events/s", 10_000.0));
    let what = "CPU of the receiver per event";
    out.add(figure(what, cpu * 1e3 / fast.accepted as f64, "us", None));
    out.add(figure(
        "events refused meanwhile",
        fast.refused as f64,
        "events",
        None,
    ));
    let begun = Instant::now();
    delivered(&server, views).await?;
    let behind = begun.elapsed().as_secs_f64();
    out.add(figure(
        "delivery is behind by, at the end",
        behind,
        "s",
        None,
    ));

    let steady = send(receiver.address, Plan::Steady(options.rate, time), &next).await?;
    views += steady.views;
    for (share, name, target) in [(0.5, "median", 15.0), (0.99, "99th percentile", 50.0)] {
        let at =
            ((steady.took.len() as f64 * share) as usize).min(steady.took.len().saturating_sub(1));
        let took = steady.took.get(at).copied().context("no request was due")?;
        let what = format!("an answer at {} requests a second, {name}", options.rate);
        out.add(figure(what, took, "ms", Some(target)));
    }
    out.add(figure(
        "events refused at that rate",
        steady.refused as f64,
        "events",
        None,
    ));
    delivered(&server, views).await?;
    drop(receiver);
    drop(server);

    // A database of its own: the receiver goes on with the visits that it finds.
    let server = database().await?;
    let dir = TempDir::new()?;
    let receiver = Receiver::start(&binary, &server, dir.path())?;
    let there = send(receiver.address, Plan::Each(options.visitors), &next).await?;
    delivered(&server, there.views).await?;
    sleep(QUIET).await;
    let memory = process::memory(receiver.pid())?.rss;
    let what = format!("RSS of the receiver, {} visitors there", there.accepted);
    out.add(figure(what, memory, "MiB", Some(96.0)));
    Ok(())
}

/// Starts a server that syncs, with the schema.
async fn database() -> anyhow::Result<Server> {
    let server = Server::builder()
        .fsync()
        .setting("shared_buffers", "128MB")
        .setting("max_wal_size", "4GB")
        .start()?;
    testkit::migrate(&server.target()).await?;
    Ok(server)
}

const VIEWS: &str = "SELECT count(*) FROM collector.web_analytics_page_views_raw";

/// Waits until the database has the views that were acknowledged. Above its limit for everybody the receiver refuses views, too.
async fn delivered(server: &Server, acknowledged: u64) -> anyhow::Result<()> {
    let begun = Instant::now();
    loop {
        let views = number(server, VIEWS).await?;
        if views >= acknowledged as f64 {
            return Ok(());
        }
        ensure!(
            begun.elapsed() < DELIVERED_WITHIN,
            "of {acknowledged} views that were acknowledged {views} are delivered, and no more"
        );
        sleep(Duration::from_millis(50)).await;
    }
}
