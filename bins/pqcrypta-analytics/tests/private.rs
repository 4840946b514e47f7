//! Addresses and user agents reach no disk.
#![allow(clippy::unwrap_used, reason = "a test may fail")]

mod common;

use common::{BROWSER, Home, SITE, view};
use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};
use testkit::Server;

/// Words that are found nowhere else.
const ADDRESS: &str = "203.0.113.177";
const AGENT: &str = "Zephyrcanary";

fn files(folder: &Path, found: &mut Vec<std::path::PathBuf>) {
    for entry in fs::read_dir(folder).unwrap().flatten() {
        let path = entry.path();
        if path.is_dir() {
            files(&path, found)
        } else {
            found.push(path)
        }
    }
}

fn contains(bytes: &[u8], word: &str) -> bool {
    bytes
        .windows(word.len())
        .any(|window| window == word.as_bytes())
}

#[tokio::test]
async fn address_and_user_agent_are_nowhere() {
    let server = Server::new().unwrap();
    server.sql("CREATE DATABASE stats").await.unwrap();
    let target = server.target().with_database("stats");
    testkit::migrate(&target).await.unwrap();
    let home = Home::new(&target, SITE);
    let program = home.start();
    let send = |agent: &str, body: &[u8]| {
        let headers = common::usual(ADDRESS).replace(BROWSER, agent);
        program.post_with(&headers, body).unwrap().0
    };
    let good = view(1, "/visible-page").to_string();
    let browser = format!("{BROWSER} {AGENT}/1");
    assert_eq!(send(&browser, good.as_bytes()), 202);
    assert_eq!(send(&format!("{AGENT}-bot/1"), good.as_bytes()), 202);
    assert_eq!(send(&browser, b"{"), 400);
    let session = testkit::connect(&target).await.unwrap();
    let begun = Instant::now();
    loop {
        let query = "SELECT count(*) FROM collector.web_analytics_page_views_raw";
        if testkit::texts(&session.client, query).await.unwrap() == ["1"] {
            break;
        }
        assert!(begun.elapsed() < Duration::from_secs(60), "{}", home.log());
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(program.stop(), Some(0));
    session.client.batch_execute("CHECKPOINT").await.unwrap();
    let mut paths = Vec::new();
    files(server.data_dir(), &mut paths);
    files(&home.queue(), &mut paths);
    let mut is_page_found = false;
    for path in paths {
        // Files of a running server come and go.
        let Ok(bytes) = fs::read(&path) else { continue };
        for word in [ADDRESS, AGENT] {
            assert!(!contains(&bytes, word), "{word} is in {}", path.display());
        }
        is_page_found |= contains(&bytes, "/visible-page/");
    }
    assert!(is_page_found, "the search finds what is stored");
    let log = home.log();
    assert!(log.contains("listening"));
    for word in [ADDRESS, AGENT] {
        assert!(!log.contains(word), "{word} is in the log");
    }
    // Compressed records of the queue, as they are read back.
    let mut spool = store::spool::Spool::open(
        &home.queue(),
        store::spool::SpoolOptions::with_budget(64 << 20),
    )
    .unwrap();
    for record in spool
        .read(schema::Class::Core, 1, usize::MAX, usize::MAX)
        .unwrap()
    {
        for word in [ADDRESS, AGENT] {
            assert!(!contains(&record.payload, word), "{word} is in the queue");
        }
    }
}
