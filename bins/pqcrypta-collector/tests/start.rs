//! P20 and what a start reports: a faulty configuration is refused with its place, a missing schema
//! is named with its remedy, and no port is bound.

#![allow(missing_docs, clippy::unwrap_used, reason = "a test")]

mod common;

use common::{Home, database};
use std::fs;
use std::time::Duration;

#[tokio::test]
async fn p20_a_faulty_configuration_is_refused_with_file_line_and_key() {
    let home = Home::new(&pg::Target::new("/nonexistent", 5432, "none", "none"));
    let good = fs::read_to_string(home.config()).unwrap();
    for (fault, line, key) in [
        ("batchsize = 5", 10, "batchsize"),
        ("batch_size = 0", 10, "batch_size"),
        ("query_timeout_secs = \"ten\"", 10, "query_timeout_secs"),
    ] {
        fs::write(home.config(), format!("{good}{fault}\n")).unwrap();
        let line = good.lines().count() + 1 + line - 10;
        let mut agent = home.start();
        let status = agent.wait(Duration::from_secs(10));
        let log = agent.log();
        assert_eq!(status.code(), Some(78), "{log}");
        let place = format!("{}:{line}", home.config().display());
        assert!(
            log.contains(&place) && log.contains(key),
            "no {place} and {key} in:\n{log}"
        );
    }
}

#[tokio::test]
async fn a_database_that_was_not_migrated_is_named_with_its_remedy() {
    let database = testkit::database("empty", async |_| Ok::<(), String>(()))
        .await
        .unwrap();
    let home = Home::new(&database.target());
    let mut agent = home.start();
    let log = home.dir.path().join("log");
    agent
        .until("it names the remedy", async || {
            fs::read_to_string(&log)
                .unwrap()
                .contains("pqcrypta migrate")
        })
        .await;
    // What it samples meanwhile is kept.
    testkit::migrate(&database.target()).await.unwrap();
    agent
        .until("samples arrive", async || {
            common::number(
                &database.target(),
                "select count(*) from collector.system_metrics_raw",
            )
            .await
                > 2
        })
        .await;
    agent.terminate();
    common::settle_and_check(&home, &database.target()).await;
}

#[tokio::test]
async fn it_binds_no_port_and_tells_of_itself_in_a_file() {
    let database = database().await;
    let home = Home::new(&database.target());
    let file = home.dir.path().join("pqcrypta.prom");
    home.configure(
        &database.target(),
        &format!("textfile = \"{}\"", file.display()),
    );
    let mut agent = home.start();
    agent
        .until("samples arrive", async || {
            common::number(
                &database.target(),
                "select count(*) from collector.system_metrics_raw",
            )
            .await
                > 0
        })
        .await;
    // Written with the tick after the database was reached; a reader never sees a part.
    let told = || fs::read_to_string(&file).unwrap_or_default();
    agent
        .until("the file tells of a database", async || {
            let text = told();
            assert!(text.is_empty() || text.ends_with('\n'), "{text}");
            let value = |name: &str| {
                let line = text.lines().find(|line| line.starts_with(name))?;
                line.rsplit(' ').next()?.parse::<f64>().ok()
            };
            value("pqcrypta_collector_database_up") == Some(1.0)
                && value("pqcrypta_collector_rows_written_total") > Some(0.0)
                && value("pqcrypta_findings_open").is_some()
        })
        .await;
    let pid = agent.child.id();
    let mut inodes = Vec::new();
    for entry in fs::read_dir(format!("/proc/{pid}/fd")).unwrap() {
        let link = fs::read_link(entry.unwrap().path()).unwrap_or_default();
        if let Some(inode) = link.to_string_lossy().strip_prefix("socket:[") {
            inodes.push(inode.trim_end_matches(']').to_owned());
        }
    }
    assert!(!inodes.is_empty(), "it has a socket to the database");
    for table in ["tcp", "tcp6", "udp", "udp6"] {
        let text = fs::read_to_string(format!("/proc/{pid}/net/{table}")).unwrap_or_default();
        for line in text.lines() {
            let inode = line.split_whitespace().nth(9).unwrap_or_default();
            assert!(!inodes.iter().any(|own| own == inode), "{table}: {line}");
        }
    }
}

#[tokio::test]
async fn sighup_reloads_and_a_faulty_file_changes_nothing() {
    let home = Home::new(&pg::Target::new("/nonexistent", 5432, "none", "none"));
    let mut agent = home.start();
    let log = home.dir.path().join("log");
    let logged = |words: &str| fs::read_to_string(&log).unwrap().matches(words).count();
    agent.until("it runs", async || logged("started") > 0).await;
    let good = fs::read_to_string(home.config()).unwrap();
    let own = format!(
        "[[logs.source]]\nname = \"own\"\npath = \"{}\"\n",
        log.display()
    );
    for (text, words) in [
        (&good, "read again and is the same"),
        (
            &good.replace("app_secs = 1", "app_secs = 7"),
            "setting changed",
        ),
        (
            &good.replace("app_secs = 1", "app_secs = 0"),
            "not taken over",
        ),
        (&format!("{good}{own}"), "logs.source[2].path"),
    ] {
        let before = logged(words);
        fs::write(home.config(), text).unwrap();
        agent.signal("HUP");
        agent.until(words, async || logged(words) > before).await;
        assert_eq!(logged(words), before + 1, "{}", agent.log());
    }
    let (status, _) = agent.terminate();
    assert!(status.success());
}

#[tokio::test]
async fn a_source_that_is_its_own_output_is_refused() {
    let home = Home::new(&pg::Target::new("/nonexistent", 5432, "none", "none"));
    let text = fs::read_to_string(home.config()).unwrap();
    let own = format!(
        "[[logs.source]]\nname = \"own\"\npath = \"{}/lo?\"\n",
        home.dir.path().display()
    );
    fs::write(home.config(), text + &own).unwrap();
    let mut agent = home.start();
    let status = agent.wait(Duration::from_secs(10));
    assert_eq!(status.code(), Some(78), "{}", agent.log());
    assert!(
        agent.log().contains("logs.source[2].path"),
        "{}",
        agent.log()
    );
}
