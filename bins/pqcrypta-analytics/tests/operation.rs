//! What a supervisor asks the real program: health, readiness, figures, and what others than a supervisor get.
#![allow(clippy::unwrap_used, reason = "a test may fail")]

mod common;

use common::{Home, Program, SITE, until, usual, view};
use std::time::{Duration, Instant};

/// A secret that no answer may hold.
const TOKEN: &str = "canary-of-supervisors-4711";

/// Asks as a program on this machine does, with further headers.
fn get(program: &Program, path: &str, headers: &str) -> (u16, String) {
    let host = match headers.contains("Host:") {
        true => String::new(),
        false => format!("Host: {}\r\n", program.address),
    };
    let request = format!("GET {path} HTTP/1.1\r\n{host}Connection: close\r\n{headers}\r\n");
    program.raw(request.as_bytes()).unwrap()
}

/// Asks for the figures until they have a line.
fn figures_with(program: &Program, line: &str) -> String {
    let begun = Instant::now();
    loop {
        let (status, page) = get(program, "/metrics", "");
        assert_eq!(status, 200, "{page}");
        if page.contains(&format!("\n{line}\n")) {
            return page;
        }
        assert!(
            begun.elapsed() < Duration::from_secs(60),
            "no {line} in {page}"
        );
        std::thread::sleep(Duration::from_millis(50));
    }
}

#[tokio::test]
async fn figures_tell_what_was_taken_refused_and_stored() {
    let database = testkit::migrated().await.unwrap();
    let torn = tempfile::NamedTempFile::new().unwrap();
    let more = format!(
        "base_path = \"/stats/\"\ncountry_db = \"{}\"\n{SITE}",
        torn.path().display()
    );
    let home = Home::new(&database.target(), &more);
    let program = home.start();
    let at_base = |request: &str| request.replace(" /e ", " /stats/e ");
    for number in 1..=3_u64 {
        let body = view(number, "/").to_string();
        let request = format!(
            "POST /e HTTP/1.1\r\nHost: stats\r\nConnection: close\r\nContent-Length: {}\r\n{}\r\n{body}",
            body.len(),
            usual("192.0.2.7")
        );
        assert_eq!(program.raw(at_base(&request).as_bytes()).unwrap().0, 202);
        if number == 1 {
            // The same view again is refused at delivery, an unreadable one at once.
            assert_eq!(program.raw(at_base(&request).as_bytes()).unwrap().0, 202);
            let broken = at_base(&request).replace("\"v\":1", "\"v\":7");
            assert_eq!(program.raw(broken.as_bytes()).unwrap().0, 400);
        }
    }
    until(
        &database,
        "SELECT count(*) FROM collector.web_analytics_page_views_raw",
        3,
    )
    .await;
    let page = figures_with(
        &program,
        "pqcrypta_analytics_refused_total{reason=\"duplicate_view\"} 1",
    );
    for line in [
        "pqcrypta_analytics_reports_accepted_total{site=\"example.org\"} 4",
        "pqcrypta_analytics_events_accepted_total{site=\"example.org\"} 4",
        "pqcrypta_analytics_refused_total{reason=\"invalid\"} 1",
        "pqcrypta_analytics_refused_total{reason=\"bot\"} 0",
        "pqcrypta_analytics_hits_stored_total 4",
        "pqcrypta_analytics_database_up 1",
        "pqcrypta_analytics_queue_oldest_seconds 0",
        "pqcrypta_analytics_queue_takes_reports 1",
        "pqcrypta_analytics_acknowledge_duration_seconds_count 4",
        "pqcrypta_analytics_request_duration_seconds_count{route=\"e\",code=\"202\"} 4",
        "pqcrypta_analytics_file_readable{file=\"country_db\"} 0",
        "# TYPE process_resident_memory_bytes gauge",
    ] {
        assert!(page.contains(&format!("\n{line}\n")), "{line}\n{page}");
    }
    assert!(page.contains("text/plain; version=0.0.4"), "{page}");
    assert!(
        !page.contains("asn_db") && !page.contains("192.0.2.7"),
        "{page}"
    );
    // Below the base path, too; every family has its two lines of description.
    let (_, same) = get(&program, "/stats/metrics", "");
    for sample in same.lines().filter(|line| line.starts_with("pqcrypta_")) {
        let name = sample.split(['{', ' ']).next().unwrap();
        let family = ["_bucket", "_sum", "_count"]
            .iter()
            .find_map(|end| name.strip_suffix(end))
            .filter(|family| same.contains(&format!("# TYPE {family} histogram")))
            .unwrap_or(name);
        assert!(same.contains(&format!("# HELP {family} ")), "{name}");
        assert!(same.contains(&format!("# TYPE {family} ")), "{name}");
    }
    assert_eq!(
        get(&program, "/stats/healthz", ""),
        get(&program, "/healthz", "")
    );
    assert_eq!(program.stop(), Some(0));
}

#[test]
fn without_a_database_it_is_ready_and_says_what_waits() {
    let away = pg::Target::new("/nonexistent", 5432, "none", "none");
    let home = Home::new(&away, &format!("metrics_token = \"{TOKEN}\"\n{SITE}"));
    let program = home.start();
    assert_eq!(program.post("192.0.2.7", &view(1, "/")), Some(202));
    let page = figures_with(&program, "pqcrypta_analytics_database_up 0");
    assert!(
        page.contains("\npqcrypta_analytics_queue_oldest_seconds 0."),
        "{page}"
    );
    let begun = Instant::now();
    let words = loop {
        let (status, words) = get(&program, "/readyz", "");
        assert_eq!(status, 200, "{words}");
        if words.contains("takes none") {
            break words;
        }
        assert!(begun.elapsed() < Duration::from_secs(60), "{words}");
        std::thread::sleep(Duration::from_millis(50));
    };
    assert!(words.contains("ready\nqueue: "), "{words}");
    assert!(words.contains("the oldest report waits since"), "{words}");
    // What a proxy passes on has the status alone, and no figures.
    for headers in [
        "X-Forwarded-For: 127.0.0.1\r\n",
        "Forwarded: for=127.0.0.1\r\n",
        "Via: 1.1 edge\r\n",
        "Host: example.org\r\n",
        "Authorization: Bearer wrong-wrong-wrong\r\n X-Real-Ip: ::1\r\n",
        "Host: localhost.example.org\r\nAuthorization: Bearer \r\n",
    ] {
        let headers = headers.replace("\r\n X", "\r\nX");
        let (status, refused) = get(&program, "/metrics", &headers);
        assert_eq!(status, 403, "{headers}{refused}");
        let (status, ready) = get(&program, "/readyz", &headers);
        assert!(
            status == 200 && ready.ends_with("\r\n\r\nready\n"),
            "{headers}{ready}"
        );
        assert_eq!(get(&program, "/healthz", &headers).0, 200);
    }
    let with = format!(
        "Host: example.org\r\nX-Forwarded-For: 192.0.2.1\r\nAuthorization: Bearer {TOKEN}\r\n"
    );
    let (status, page) = get(&program, "/metrics", &with);
    assert_eq!(status, 200, "{page}");
    assert!(!page.contains(TOKEN) && !home.log().contains(TOKEN));
    assert_eq!(
        program
            .raw(b"POST /readyz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
            .unwrap()
            .0,
        405
    );
}
