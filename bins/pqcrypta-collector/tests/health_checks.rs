//! Three days of health checks of every kind: the job's results and lines, stored, read and judged by the whole program, move no figure of
//! visitors.
#![allow(missing_docs, clippy::unwrap_used, reason = "a test")]

mod common;
#[path = "../../../crates/store/tests/visit_support/mod.rs"]
mod visit_support;

use common::{Home, database, number, text};
use serde_json::Value;
use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{TcpListener, UdpSocket};
use std::path::{Path, PathBuf};
use std::process::Command;
use testkit::{Database, Dice};
use visit_support::{lines, random, register, store};

/// Checks of every kind, and the job's runs: each five minutes.
const CHECKS: usize = 6;
const RUNS_OF_A_DAY: i64 = 288;
const DAYS: i64 = 3;
const MINUTE: i64 = 60_000_000;

/// A web server and receiver that takes everything.
fn peer() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for link in listener.incoming() {
            let mut link = link.unwrap();
            let mut request = [0; 4096];
            let length = link.read(&mut request).unwrap_or(0);
            let (status, body) = match &request[..length] {
                [b'P', ..] => ("202 Accepted", ""),
                _ => ("200 OK", "stored"),
            };
            let length = body.len();
            let answer = format!("HTTP/1.1 {status}\r\nContent-Length: {length}\r\n\r\n{body}");
            // One that wants to know only whether the port accepts is gone by now.
            drop(link.write_all(answer.as_bytes()));
        }
    });
    port
}

/// The job, with its settings and files in the folder of the collector.
struct Job<'a> {
    home: &'a Home,
}

impl Job<'_> {
    fn path(&self, name: &str) -> PathBuf {
        self.home.dir.path().join(name)
    }

    fn configure(&self, silent: u16, peer: u16) {
        let closed = TcpListener::bind("127.0.0.1:0").unwrap();
        let closed = closed.local_addr().unwrap().port();
        let folder = self.home.dir.path().display();
        let mut config = fs::read_to_string(self.home.config()).unwrap();
        config.push_str(&format!(
            "[[logs.source]]\nname = \"health_check\"\npath = \"{folder}/checks.log\"\nparser = \"simple_timestamp\"\n\
             [health]\nlog_path = \"{folder}/checks.log\"\nstate_dir = \"{folder}/checks\"\nrun_by = \"timer\"\n"
        ));
        for (name, kind, target, more) in [
            (
                "page",
                "http",
                format!("http://127.0.0.1:{peer}/"),
                String::new(),
            ),
            ("shop", "tcp", format!("127.0.0.1:{closed}"), String::new()),
            ("mail", "tls", format!("127.0.0.1:{peer}"), String::new()),
            (
                "name",
                "dns",
                "shop.example".to_owned(),
                format!("resolver = \"127.0.0.1:{silent}\"\n"),
            ),
            (
                "orders",
                "postgres",
                format!("postgresql://nobody@127.0.0.1:{closed}/orders"),
                String::new(),
            ),
            (
                "visits",
                "ingest",
                format!("http://127.0.0.1:{peer}/"),
                "site = \"example.org\"\n".to_owned(),
            ),
        ] {
            config.push_str(&format!(
                "[[health.check]]\nname = \"{name}\"\nkind = \"{kind}\"\ntarget = \"{target}\"\nattempts = 1\ntimeout_secs = 1\n{more}"
            ));
        }
        fs::write(self.home.config(), config).unwrap();
    }

    /// Runs it once: some of what it asks is down.
    fn run(&self) {
        let program = Path::new(env!("CARGO_BIN_EXE_pqcrypta-collector"));
        let output = Command::new(program.with_file_name("pqcrypta-health-check"))
            .env_clear()
            .arg("--config")
            .arg(self.home.config())
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{said}");
    }

    fn waiting(&self) -> Vec<Value> {
        let text = fs::read_to_string(self.path("checks/waiting")).unwrap();
        text.lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect()
    }
}

/// Every figure of visitors, by dimension and word, and what the reference's averages are made of.
async fn figures(database: &Database, site: i64) -> Vec<String> {
    let sums = format!(
        "SELECT dimension, word_id, sum(visitors), sum(visits), sum(views), sum(bounces), sum(engaged_ms), sum(capped_secs), collector.sum_counts(durations) \
         FROM collector.web_analytics_sums({site}, '2026-04-30Z', '2026-05-06Z', ARRAY(SELECT dimension FROM collector.web_analytics_dimensions)) GROUP BY 1, 2 ORDER BY 1, 2"
    );
    let averages =
        "SELECT count(*), avg(capped_secs), avg(views) FROM collector.web_analytics_sessions_real";
    [
        lines(database, &sums).await,
        lines(database, averages).await,
    ]
    .concat()
}

#[tokio::test]
async fn three_days_of_checks_move_no_figure_of_visitors() {
    let database = database().await;
    let target = database.target();
    let site = register(&database, "example.org", "Europe/Berlin").await;
    let mut visits = random(&mut Dice::new(8), "2026-05-01Z", 72, 60);
    for visit in &mut visits {
        visit.synthetic = false;
    }
    store(&database, site, &visits).await;
    let before = figures(&database, site).await;
    assert!(before.len() > 40, "{}", before.len());

    let silent = UdpSocket::bind("127.0.0.1:0").unwrap();
    let home = Home::new(&target);
    let job = Job { home: &home };
    job.configure(silent.local_addr().unwrap().port(), peer());
    // The host is not known yet: its results wait.
    job.run();
    let (results, said) = (
        job.waiting(),
        fs::read_to_string(job.path("checks.log")).unwrap(),
    );
    assert_eq!(
        (results.len(), said.lines().count()),
        (CHECKS, CHECKS + 1),
        "{said}"
    );

    let mut agent = home.start();
    agent
        .until("the host is known", async || {
            number(&target, "select count(*) from collector.hosts").await == 1
        })
        .await;
    let now = results[0]["ts"].as_i64().unwrap();
    database
        .sql("SELECT collector.ensure_partition('health_checks_raw', (now() AT TIME ZONE 'UTC')::date - n) FROM generate_series(-1, 3) n")
        .await
        .unwrap();
    for day in (1..=DAYS).rev() {
        let (mut waiting, mut log) = (String::new(), String::new());
        for run in 0..RUNS_OF_A_DAY {
            let at = now - (day * RUNS_OF_A_DAY - run) * 5 * MINUTE;
            for mut result in results.clone() {
                result["ts"] = at.into();
                waiting.push_str(&format!("{result}\n"));
            }
            let stamp = jiff::Timestamp::from_microsecond(at).unwrap();
            let stamp = stamp.to_zoned(jiff::tz::TimeZone::system());
            let stamp = stamp.strftime("%Y-%m-%d %H:%M:%S").to_string();
            for line in said.lines() {
                log.push_str(&format!("[{stamp}{}\n", &line[1 + stamp.len()..]));
            }
        }
        let mut file = fs::OpenOptions::new()
            .append(true)
            .open(job.path("checks.log"))
            .unwrap();
        file.write_all(log.as_bytes()).unwrap();
        // What waits is stored with the next run.
        fs::write(job.path("checks/waiting"), waiting).unwrap();
        job.run();
        // Its visits of these days, each as one of a whole day.
        let mut check = visits[0].clone();
        (check.id, check.visitor, check.synthetic) = (-day, -1, true);
        check.views =
            vec![visit_support::View::new(&format!("2026-05-0{day} 00:00:00Z"), "/"); 288];
        check.last_seen = format!("2026-05-0{day} 23:59:00Z");
        database.sql(&check.touch(site)).await.unwrap();
        let arrives = format!("SELECT collector.web_analytics_synthetic({site})");
        database.sql(&arrives).await.unwrap();
    }

    let runs = DAYS * RUNS_OF_A_DAY + DAYS;
    let kinds = "select string_agg(kind || ' ' || state || ' ' || n, ', ' order by kind) from (select kind, state, count(*) n from collector.health_checks_raw group by 1, 2) s";
    assert_eq!(
        text(&target, kinds).await,
        format!(
            "dns unknown {runs}, http up {runs}, ingest up {runs}, postgres down {runs}, tcp down {runs}, tls down {runs}"
        )
    );
    let read = "select count(*) from collector.log_entries where source = 'health_check'";
    let written = (runs + 1) * (CHECKS as i64 + 1);
    agent
        .until("all lines are stored", async || {
            number(&target, read).await == written
        })
        .await;
    let found = "select coalesce(string_agg(target, ', ' order by target), '') from collector.findings where resolved_at is null and rule = 'check.up'";
    agent
        .until("what is down is found", async || {
            text(&target, found).await == "mail, orders, shop"
        })
        .await;
    assert_eq!(figures(&database, site).await, before);
    let settle =
        "SELECT collector.web_analytics_settle(site_id, day) FROM collector.web_analytics_due()";
    database.sql(settle).await.unwrap();
    assert_eq!(figures(&database, site).await, before, "of closed days");
    assert!(agent.terminate().0.success());
}
