//! The long run of logs: files of every parser, rotated in every style, while the collector is killed
//! and the server stopped at once. In the end every numbered line is one row.

#![allow(missing_docs, clippy::unwrap_used, reason = "a test")]

mod common;

use common::formats::{FORMATS, Format};
use common::rotation::RotatedLog;
use common::{Home, number, settle_and_check, text, times, wait_for_sessions};
use std::collections::HashMap;
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use testkit::{Dice, Rotation, Server, Stop, migrate};

/// Bursts of lines between two rotations of a log, on average; each is some 25 ms after the last. So a
/// log is rotated about twice a second, all of them some twenty times.
const BURSTS: u64 = 16;
const PAUSE_MS: u64 = 50;
/// Longest that the server is away, and the collector.
const AWAY_MS: u64 = 800;

/// Rotations that a log may be ahead of what is stored; fewer than are kept. Where a machine is so busy
/// that the collector is killed before it got round, its logs wait for it.
const AHEAD: usize = 100;

/// A log, how it is rotated, and how many lines it has got.
struct Writer {
    format: &'static Format,
    style: Rotation,
    log: RotatedLog,
    dice: Dice,
    lines: u64,
}

impl Writer {
    fn new(logs: &Path, format: &'static Format, style: Rotation, seed: u64) -> Self {
        let log = RotatedLog::begin(&logs.join(format.name), style);
        let mut writer = Self {
            format,
            style,
            log,
            dice: Dice::new(seed),
            lines: 0,
        };
        let first = writer.numbered();
        writer.log.write(&first);
        writer
    }

    fn source(&self) -> String {
        format!(
            "[[logs.source]]\nname = \"{}\"\npath = \"{}\"\nparser = \"{}\"\ntimezone = \"UTC\"\n",
            self.format.name,
            self.log.path().display(),
            self.format.parser
        )
    }

    fn numbered(&mut self) -> String {
        self.lines += 1;
        self.format.line(self.lines)
    }

    /// Lines as a program writes them: several at once, at times in two pieces.
    fn burst(&mut self) {
        for _ in 0..=self.dice.below(4) {
            let line = self.numbered();
            let cut = self.dice.below(4 * line.len() as u64) as usize;
            let (head, tail) = line.split_at(if cut < line.len() { cut } else { 0 });
            self.log.write(head);
            self.log.write(tail);
        }
    }

    /// Writes, and rotates so often.
    fn run(mut self, rotations: usize, progress: &Progress) -> Self {
        let fixture = self.format.fixture();
        for rotation in 0..rotations {
            while rotation > progress.stored(self.format.name) + AHEAD {
                std::thread::sleep(Duration::from_millis(PAUSE_MS));
            }
            for _ in 0..=self.dice.below(2 * BURSTS) {
                self.burst();
                std::thread::sleep(Duration::from_millis(self.dice.below(PAUSE_MS)));
            }
            if self.dice.below(8) == 0 {
                self.log.write(&fixture);
            }
            let late = self.numbered();
            self.log.rotate(&late);
            self.burst();
            progress.done.fetch_add(1, Ordering::Relaxed);
        }
        self
    }
}

/// How far the run is.
struct Progress {
    /// Rotations, of all that there will be.
    done: AtomicUsize,
    all: usize,
    /// Files of each source that are stored, by its name: the generation of its position.
    stored: Mutex<HashMap<String, usize>>,
}

impl Progress {
    fn stored(&self, source: &str) -> usize {
        let stored = self.stored.lock().unwrap();
        stored.get(source).copied().unwrap_or(0)
    }

    /// Waits until so many rotations are done.
    async fn reach(&self, target: &pg::Target, rotations: usize) {
        let positions = "select jsonb_object_agg(source, position->'generation')::text from collector.log_positions";
        while self.done.load(Ordering::Relaxed) < rotations {
            let stored = text(target, positions).await;
            *self.stored.lock().unwrap() = serde_json::from_str(&stored).unwrap();
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
}

/// Returns what is stored of one source: rows with a number, different numbers, the highest.
fn counts(source: &str) -> String {
    format!(
        "select count(n) || ' ' || count(distinct n) || ' ' || coalesce(max(n), 0) from \
         (select substring(message || ' ' || coalesce(context::text, '') from 'tally[ /](\\d+)')::int8 n \
          from collector.log_entries where source = '{source}') l"
    )
}

async fn counted(target: &pg::Target, source: &str) -> (u64, u64) {
    let counts = text(target, &counts(source)).await;
    let mut counts = counts.split(' ').map(|count| count.parse::<u64>().unwrap());
    (counts.next().unwrap(), counts.next().unwrap())
}

/// Returns whether all lines of all sources are stored.
async fn all_stored(target: &pg::Target, writers: &[Writer]) -> bool {
    for writer in writers {
        if counted(target, writer.format.name).await.1 < writer.lines {
            return false;
        }
    }
    true
}

/// Kills the collector and stops the server, spread over the run.
async fn disturb(
    server: &Server,
    home: &Home,
    (kills, stops): (usize, usize),
    progress: &Progress,
) {
    let mut dice = Dice::new(7);
    let every = kills / stops;
    let target = server.target();
    let mut agent = home.start();
    for kill in 0..kills {
        // Somewhere within its share of the run.
        let share = progress.all / kills;
        let at = kill * share + dice.below(share as u64) as usize;
        progress.reach(&target, at).await;
        tokio::time::sleep(Duration::from_millis(dice.below(PAUSE_MS))).await;
        if kill % every == every / 2 && kill / every < stops {
            server.stop(Stop::Immediate).unwrap();
            tokio::time::sleep(Duration::from_millis(dice.below(AWAY_MS))).await;
            server.start().unwrap();
        }
        agent.kill();
        tokio::time::sleep(Duration::from_millis(dice.below(AWAY_MS))).await;
        agent = home.start();
    }
    progress.reach(&target, progress.all).await;
    agent.kill();
}

#[tokio::test]
async fn every_line_of_every_log_is_stored_once_however_it_is_rotated() {
    let rotations = times(12, 100, 500);
    let (kills, stops) = (times(4, 20, 60), times(1, 4, 10));
    // With fsync as in production: what it acknowledged must survive it.
    let server = Server::builder().fsync().start().unwrap();
    let target = server.target();
    migrate(&target).await.unwrap();
    let home = Home::new(&target);
    let styles = Rotation::ALL.iter().copied().cycle();
    let logs = home.dir.path().join("logs");
    let writers: Vec<Writer> = (FORMATS.iter().zip(styles).zip(100..))
        .map(|((format, style), seed)| Writer::new(&logs, format, style, seed))
        .collect();
    let sources: String = writers.iter().map(Writer::source).collect();
    home.configure(&target, &sources);
    // What was rotated before a log is seen for the first time is not read.
    let mut agent = home.start();
    agent
        .until("every log was seen", async || {
            all_stored(&target, &writers).await
        })
        .await;
    agent.kill();

    let progress = Progress {
        done: AtomicUsize::new(0),
        all: rotations * writers.len(),
        stored: Mutex::default(),
    };
    let writers: Vec<Writer> = std::thread::scope(|scope| {
        let threads: Vec<_> = (writers.into_iter())
            .map(|writer| scope.spawn(|| writer.run(rotations, &progress)))
            .collect();
        scope.spawn(|| {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .unwrap();
            runtime.block_on(disturb(&server, &home, (kills, stops), &progress));
        });
        threads
            .into_iter()
            .map(|thread| thread.join().unwrap())
            .collect()
    });
    let agent = home.start();
    let mut waited = 0;
    while !all_stored(&target, &writers).await && waited < 300 {
        waited += 1;
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    let (status, _) = agent.terminate();
    assert!(status.success(), "{status}");
    wait_for_sessions(&target).await;
    // Another start adds nothing.
    settle_and_check(&home, &target).await;

    let mut faulty = Vec::new();
    let (mut lines, mut lost, mut doubled) = (0, 0, 0);
    for writer in &writers {
        let (name, style) = (writer.format.name, writer.style);
        let (rows, numbers) = counted(&target, name).await;
        lines += writer.lines;
        lost += writer.lines - numbers;
        doubled += rows - numbers;
        let unread = gaps(&target, writer).await;
        if rows != writer.lines
            || numbers != writer.lines
            || unread > 0
            || sums_differ(&target, name).await
        {
            faulty.push(format!(
                "{name} {style:?}: {rows} rows with {numbers} numbers of {} lines, {unread} gaps",
                writer.lines
            ));
        }
    }
    println!(
        "{lines} numbered lines of {} logs, {} rotations, {kills} kills, {stops} stops of the server: \
         {doubled} doubled, {lost} lost; {waited} s until all was stored",
        writers.len(),
        progress.all
    );
    assert!(
        faulty.is_empty(),
        "{faulty:#?}\n{}",
        all_gaps(&target).await
    );
}

/// Returns what the collector reports as lost of a source. That a copy was read is reported each time, since what
/// is written between copying and emptying would be in neither file; nothing was.
async fn gaps(target: &pg::Target, writer: &Writer) -> i64 {
    let copies = if writer.style.copies() {
        "copy_truncated"
    } else {
        ""
    };
    let name = writer.format.name;
    let gaps = format!(
        "select count(*) from collector.data_gaps where class = 'logs' and reason like '{name}:%' \
         and reason <> '{name}: {copies}'"
    );
    number(target, &gaps).await
}

async fn all_gaps(target: &pg::Target) -> String {
    let gaps = "select jsonb_object_agg(reason, n)::text from \
        (select reason, count(*) n from collector.data_gaps group by reason) g";
    text(target, gaps).await
}

/// Returns whether sums and rows of a source disagree, from today on: lines that programs wrote long ago may
/// be older than what is kept.
async fn sums_differ(target: &pg::Target, source: &str) -> bool {
    let today = "date_trunc('day', now() - interval '1 hour', 'UTC')";
    let sum = |what: &str, table: &str, time: &str| {
        format!(
            "(select coalesce({what}, 0)::int8 from collector.{table} where source = '{source}' and {time} >= {today})"
        )
    };
    let rows = sum("count(*)", "log_entries", "ts");
    let hours = sum("sum(count)", "log_metrics_hourly", "bucket");
    let patterns = sum("sum(count)", "log_fingerprint_hourly", "bucket");
    number(
        target,
        &format!("select ({rows} <> {hours} or {rows} <> {patterns})::int"),
    )
    .await
        != 0
}
