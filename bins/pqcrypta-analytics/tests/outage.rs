//! What is acknowledged while the database is away or the disk is full, and settings that change while the program runs.
#![allow(clippy::unwrap_used, reason = "a test may fail")]

mod common;

use analytics::delivery::{Arrivals, Delivery, Registered, Retention, Tally};
use analytics::queue::Queue;
use analytics::settings::{Consent, Site};
use common::{Home, Program, SITE, usual, view};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan as _};
use rustix::process::Signal;
use serde_json::json;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};
use testkit::{Database, Dice};
use tokio::sync::watch;

const VIEWS: &str = "SELECT count(*) FROM collector.web_analytics_page_views_raw";
/// The site's days begin five hours and more after those of UTC.
const ZONE: &str = "America/New_York";

/// A queue that filled for more than a day is delivered to the days in which its views were: the same three readers, a view each ten minutes,
/// over at least one midnight of the site.
#[tokio::test]
async fn a_day_without_the_database() {
    let database = testkit::migrated().await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let queue = Queue::open(folder.path(), 64 << 20).unwrap();
    let zone = TimeZone::get(ZONE).unwrap();
    let (now, mut view) = (Timestamp::now(), 0_i64);
    let mut days: BTreeMap<String, i64> = BTreeMap::new();
    for step in (0..25 * 6).rev() {
        let at = now.checked_sub((10 * step).minutes()).unwrap();
        let day = at.to_zoned(zone.clone()).date().to_string();
        for visitor in 1..=3 {
            view += 1;
            let at = at.as_microsecond() + visitor;
            // A visitor's number is of one day; here it stays, so that the day alone ends the visit.
            let hit = json!({"site": "example.org", "at": at, "visitor": visitor, "view": view, "page": "/", "channel": "direct",
                "agent": {"device": "desktop"}, "events": [{"at": at, "type": "view"}]});
            let json = serde_json::to_vec(&hit).unwrap();
            queue.append(at, json, 1).await.unwrap();
        }
        *days.entry(day).or_default() += 3;
    }
    assert!(days.len() > 1, "there is a midnight");
    let site = Site {
        domain: "example.org".to_owned(),
        hosts: vec!["example.org".to_owned()],
        zone,
        consent: Consent::Cookieless,
        internal_hosts: Vec::new(),
    };
    let (_registered, registered) = watch::channel(Registered {
        sites: vec![site],
        retention: Retention {
            raw_days: 180,
            session_days: 395,
            sum_days: 760,
        },
    });
    let delivery = Delivery {
        target: database.target(),
        queue,
        tally: Tally::default(),
        arrivals: Arrivals::default(),
        registered,
    };
    let (stop, stopping) = watch::channel(false);
    let running = tokio::spawn(delivery.run(stopping));
    common::until(&database, VIEWS, view).await;
    stop.send_replace(true);
    running.await.unwrap();

    let session = database.connect().await.unwrap();
    let by_day = format!(
        "SELECT (ts AT TIME ZONE '{ZONE}')::date || ' ' || count(*) FROM collector.web_analytics_page_views_raw GROUP BY (ts AT TIME ZONE '{ZONE}')::date ORDER BY 1"
    );
    let wanted: Vec<String> = days
        .iter()
        .map(|(day, count)| format!("{day} {count}"))
        .collect();
    assert_eq!(
        testkit::texts(&session.client, &by_day).await.unwrap(),
        wanted
    );
    let noted = "SELECT day::text FROM collector.web_analytics_settled WHERE dirty ORDER BY day";
    let noted = testkit::texts(&session.client, noted).await.unwrap();
    assert!(noted.iter().eq(days.keys()), "{noted:?}");
    // One visit of each reader and day, none over midnight.
    let visits = i64::try_from(days.len()).unwrap() * 3;
    let sessions = "SELECT count(*) FROM collector.web_analytics_sessions_raw";
    assert_eq!(database.number(sessions).await.unwrap(), visits);
    let over = format!(
        "{sessions} WHERE (ts AT TIME ZONE '{ZONE}')::date <> (last_seen AT TIME ZONE '{ZONE}')::date"
    );
    assert_eq!(database.number(&over).await.unwrap(), 0);
    // In no partition for strays.
    let strays = "SELECT count(*) FROM collector.web_analytics_page_views_raw_other";
    assert_eq!(database.number(strays).await.unwrap(), 0);
}

/// A file system in memory, unmounted with this value.
struct SmallDisk(PathBuf);

impl SmallDisk {
    /// Mounts one of so many MiB; `None` without the right to.
    fn mount(at: &Path, mib: u64) -> Option<Self> {
        std::fs::create_dir_all(at).unwrap();
        let size = format!("size={mib}m,mode=0700");
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", &size, "tmpfs"]).arg(at);
        let mounted = mount.stderr(Stdio::null()).status();
        mounted
            .is_ok_and(|status| status.success())
            .then(|| Self(at.to_owned()))
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        drop(Command::new("umount").arg("-l").arg(&self.0).status());
    }
}

/// With the budget of the queue used up, a report is refused and not acknowledged; what was acknowledged is stored, no more and no less.
#[tokio::test]
async fn a_full_queue_acknowledges_nothing() {
    let away = pg::Target::new("/nonexistent", 5432, "none", "none");
    let home = Home::new(&away, &format!("queue_max_mb = 16\n{SITE}"));
    fill_and_deliver(&home).await;
}

/// The same of a disk that is full before the budget is. Needs root for a small file system of its own; prints a note and passes without.
#[tokio::test]
async fn a_full_disk_acknowledges_nothing() {
    let away = pg::Target::new("/nonexistent", 5432, "none", "none");
    let home = Home::new(&away, SITE);
    let Some(_disk) = SmallDisk::mount(&home.queue(), 5) else {
        eprintln!("no small disk without root: not tested");
        return;
    };
    fill_and_deliver(&home).await;
}

/// Sends reports until they are refused, then brings the database back.
async fn fill_and_deliver(home: &Home) {
    let database = testkit::migrated().await.unwrap();
    let program = home.start();
    let mut dice = Dice::new(5);
    // Text that does not compress; each record of the queue is compressed alone.
    let mut noise = || -> String {
        (0..250)
            .map(|_| char::from(b'a' + dice.byte() % 26))
            .collect()
    };
    let props: serde_json::Map<_, _> = (0..20)
        .map(|at| (format!("p{at}"), json!(noise())))
        .collect();
    let (mut number, mut acknowledged, mut refused) = (0_u64, 0_i64, 0);
    while refused < 20 {
        number += 1;
        assert!(number < 20_000, "the queue is never full");
        let mut report = view(number, "/");
        report["events"]
            .as_array_mut()
            .unwrap()
            .push(json!({"type": "event", "name": "noise", "props": props}));
        let from = format!("10.1.{}.{}", number % 250, number / 250 % 250);
        match program.post(&from, &report) {
            Some(202) => acknowledged += 1,
            Some(503) => refused += 1,
            other => panic!("{other:?}: {}", home.log()),
        }
    }
    assert!(acknowledged > 100, "{acknowledged}");
    program.kill();
    home.rewrite(&database.target());
    let program = home.start();
    common::until(&database, VIEWS, acknowledged).await;
    let events = "SELECT count(*) FROM collector.web_analytics_events_raw";
    common::until(&database, events, acknowledged).await;
    // With room again it takes reports.
    assert_eq!(program.post("192.0.2.1", &view(number + 1, "/")), Some(202));
    common::until(&database, VIEWS, acknowledged + 1).await;
    assert_eq!(program.stop(), Some(0));
}

/// Posts a view of a site until its answer is the wanted one.
fn until_answer(program: &Program, domain: &str, number: u64, wanted: u16) {
    let begun = Instant::now();
    loop {
        let text = view(number, "/").to_string().replace("example.org", domain);
        let headers = usual("192.0.2.9").replace("example.org", domain);
        let (status, _) = program.post_with(&headers, text.as_bytes()).unwrap();
        if status == wanted {
            return;
        }
        assert!(
            begun.elapsed() < Duration::from_secs(60),
            "{domain}: {status}"
        );
        std::thread::sleep(Duration::from_millis(200));
    }
}

async fn zone_is(database: &Database, zone: &str) {
    let sql =
        format!("SELECT count(*) FROM collector.web_analytics_sites WHERE time_zone = '{zone}'");
    common::until(database, &sql, 1).await;
}

/// Sites, their zones and files take effect with SIGHUP; a faulty file changes nothing, and a file of countries that cannot be read is told of.
#[tokio::test]
async fn settings_that_change() {
    let database = testkit::migrated().await.unwrap();
    let site = |zone: &str| {
        format!("[[analytics.site]]\ndomain = \"example.org\"\ntime_zone = \"{zone}\"\n")
    };
    let mut home = Home::new(&database.target(), &site("UTC"));
    let program = home.start();
    zone_is(&database, "UTC").await;
    until_answer(&program, "example.org", 1, 202);
    until_answer(&program, "second.example", 2, 404);
    common::until(&database, VIEWS, 1).await;

    // Where it is another day now than in UTC, and will be for the next hour: eleven hours behind it before 11:00, fourteen
    // hours ahead of it from 10:00 on.
    let hour = Timestamp::now().to_zoned(TimeZone::UTC).hour();
    let zone = if hour < 10 {
        "Pacific/Pago_Pago"
    } else {
        "Pacific/Kiritimati"
    };
    let broken = home.path().join("broken.mmdb");
    std::fs::write(&broken, b"no database").unwrap();
    let more = format!(
        "country_db = \"{}\"\n{}[[analytics.site]]\ndomain = \"second.example\"\n",
        broken.display(),
        site(zone)
    );
    home.reconfigure(&database.target(), &more);
    program.signal(Signal::HUP);
    until_answer(&program, "second.example", 3, 202);
    zone_is(&database, zone).await;
    common::until(&database, VIEWS, 2).await;
    // The same visitor, in a day of the new zone: another visit. The day before keeps what it has.
    until_answer(&program, "example.org", 4, 202);
    common::until(&database, VIEWS, 3).await;
    let days = "SELECT count(DISTINCT day) FROM collector.web_analytics_settled d JOIN collector.web_analytics_sites s USING (site_id) WHERE s.domain = 'example.org'";
    common::until(&database, days, 2).await;
    let visits = "SELECT count(*) FROM collector.web_analytics_sessions_raw v JOIN collector.web_analytics_sites s USING (site_id) WHERE s.domain = 'example.org'";
    common::until(&database, visits, 2).await;
    let told = "SELECT count(DISTINCT detail) FROM collector.web_analytics_refused_raw WHERE reason = 'address_file' AND detail = 'country_db'";
    common::until(&database, told, 1).await;

    home.reconfigure(&database.target(), "[[analytics.site]]\ndomain = 7\n");
    program.signal(Signal::HUP);
    let begun = Instant::now();
    while !home.log().contains("the settings in use stay") {
        assert!(begun.elapsed() < Duration::from_secs(60), "{}", home.log());
        std::thread::sleep(Duration::from_millis(50));
    }
    until_answer(&program, "second.example", 5, 202);
    assert_eq!(program.stop(), Some(0));
}
