//! What real servers write, in seven languages and three formats, and what of it is stored: no constant
//! that a client sent, but the names of what failed.
//!
//! `messages/provoke.sql` causes messages of every class that carries data, each with a canary in place of
//! the constant.
#![allow(missing_docs, clippy::unwrap_used, reason = "a test")]

mod common;

use common::{Home, database, number, text};
use logs::event::{Event, Level};
use logs::parse::{ParserKind, ParserOptions, Reader};
use schema::Timestamp;
use std::fs;
use std::path::{Path, PathBuf};
use testkit::{Server, Stop};

const SETUP: &str = include_str!("messages/setup.sql");
const PROVOKE: &str = include_str!("messages/provoke.sql");

/// Languages of PostgreSQL's catalogues, and the words of each for a duplicate key.
const LANGUAGES: &[(&str, &str)] = &[
    ("en", "violates unique constraint \"kunden_email_key\""),
    ("de", "verletzt Unique-Constraint »kunden_email_key«"),
    ("fr", "rompt la contrainte unique « kunden_email_key »"),
    (
        "ru",
        "нарушает ограничение уникальности \"kunden_email_key\"",
    ),
    ("es", "viola restricción de unicidad «kunden_email_key»"),
    ("ja", "一意性制約\"kunden_email_key\"違反"),
    ("zh_CN", "违反唯一约束\"kunden_email_key\""),
];

/// Returns a server that writes everything it can in one language; `None` where that has no catalogue here.
fn server(language: &str) -> Option<Server> {
    let server = Server::builder()
        .environment("LANGUAGE", language)
        .environment("LC_CTYPE", "C.UTF-8")
        .setting("lc_messages", "C.UTF-8")
        .setting("logging_collector", "on")
        .setting("log_destination", "stderr,csvlog,jsonlog")
        .setting("log_filename", "server.log")
        .setting("log_line_prefix", "%m [%p] %q%u@%d ")
        .setting("log_timezone", "UTC")
        .setting("log_min_messages", "info")
        .setting("log_statement", "all")
        .setting("log_min_duration_statement", "0")
        .setting("log_parameter_max_length_on_error", "-1")
        .setting("log_lock_waits", "on")
        .setting("deadlock_timeout", "20ms")
        .start()
        .unwrap();
    let major = fs::read_to_string(server.data_dir().join("PG_VERSION")).unwrap();
    let catalogue = format!("{language}/LC_MESSAGES/postgres-{}.mo", major.trim());
    let installed = std::env::var_os("TESTKIT_PG_BIN").map_or_else(
        || PathBuf::from("/usr/share/locale"),
        |bin| Path::new(&bin).join("../share/locale"),
    );
    if language == "en" || installed.join(&catalogue).exists() {
        return Some(server);
    }
    eprintln!("SKIPPED: no messages in {language} here ({catalogue})");
    None
}

/// Causes the messages, in a database of their own. Nearly every statement fails.
async fn provoke(server: &Server) {
    server.sql("CREATE DATABASE shop").await.unwrap();
    let target = server.target().with_database("shop");
    let options = pg::SessionOptions {
        search_path: "public".to_owned(),
        ..pg::SessionOptions::default()
    };
    let session = pg::connect(&target, &options, "test").await.unwrap();
    session.client.batch_execute(SETUP).await.unwrap();
    for statement in PROVOKE.split("\n--\n") {
        // Its messages are in the log.
        drop(session.client.simple_query(statement).await);
        drop(
            session
                .client
                .simple_query("rollback; reset all; reset role")
                .await,
        );
    }
    // Parameters, which only the extended protocol has.
    for (statement, parameter) in [
        ("select $1::text::int + 1", "Canary parameter"),
        (
            "select $1::text || 'Canary constant'",
            "Canary parameter of success",
        ),
    ] {
        drop(session.client.query(statement, &[&parameter]).await);
    }
    let other = pg::connect(&target, &options, "test").await.unwrap();
    let lock = |n: i32| format!("begin; update kunden set name = 'Canary lock' where id = {n}");
    session.client.batch_execute(&lock(1)).await.unwrap();
    other.client.batch_execute(&lock(2)).await.unwrap();
    let crossed =
        |n: i32| format!("update kunden set name = 'Canary deadlock' where id = {n}; rollback");
    let (one, two) = (crossed(2), crossed(1));
    let both = futures_util::future::join(
        session.client.batch_execute(&one),
        other.client.batch_execute(&two),
    );
    let (one, two) = both.await;
    assert!(one.is_err() || two.is_err(), "no deadlock");
}

/// Returns the events of a file.
fn events(path: &Path) -> Vec<Event> {
    let kind = ParserKind::parse("postgresql").unwrap();
    let mut reader = Reader::new(kind, ParserOptions::default());
    let (mut out, mut at) = (Vec::new(), 0);
    for line in fs::read(path)
        .unwrap()
        .split_inclusive(|byte| *byte == b'\n')
    {
        let text = line.strip_suffix(b"\n").unwrap_or(line);
        reader.line(
            at,
            text,
            text.len() as u64,
            Timestamp(1_795_392_649_000_000),
            &mut out,
        );
        at += line.len() as u64;
    }
    reader.flush(&mut out);
    out
}

/// Returns whether a text holds what stands in place of a constant, or of a number: eight digits, which no process
/// has.
fn canaries(text: &str) -> bool {
    let number = |(at, _): (usize, &str)| {
        let digits = text[at..].bytes().take_while(u8::is_ascii_digit).count();
        digits >= 8
    };
    text.to_lowercase().contains("canary") || text.match_indices("815000").any(number)
}

/// Checks the logs of a server that has stopped; returns how many errors it reported.
fn check(server: &Server, language: &str, unique: &str) -> usize {
    let mut errors = Vec::new();
    for format in ["log", "csv", "json"] {
        let path = server.data_dir().join("log/server").with_extension(format);
        assert!(
            canaries(&fs::read_to_string(&path).unwrap()),
            "{language}: nothing was provoked"
        );
        let events = events(&path);
        for event in &events {
            let context = event.context.as_deref().unwrap_or_default();
            assert!(
                !canaries(&event.message) && !canaries(context) && !canaries(&event.component),
                "{language} {format}: {event:?}"
            );
        }
        let inferred = |event: &&Event| {
            event
                .context
                .as_deref()
                .unwrap_or_default()
                .contains("ts_inferred")
        };
        let strange: Vec<&Event> = events.iter().filter(inferred).collect();
        assert!(strange.is_empty(), "{language} {format}: {strange:?}");
        assert!(
            events.iter().any(|event| event.message.contains(unique)),
            "{language} {format}: {unique}"
        );
        let of = |level| events.iter().filter(|event| event.level == level).count();
        errors.push((of(Level::Error), of(Level::Warn)));
    }
    assert_eq!(errors[0], errors[1], "{language}");
    assert_eq!(errors[0], errors[2], "{language}");
    errors[0].0
}

#[tokio::test]
async fn no_constant_of_a_message_is_kept_in_any_language() {
    let mut counts = Vec::new();
    for (language, unique) in LANGUAGES {
        let Some(server) = server(language) else {
            continue;
        };
        provoke(&server).await;
        server.stop(Stop::Fast).unwrap();
        counts.push((*language, check(&server, language, unique)));
    }
    let (_, errors) = counts[0];
    assert!(errors > 60, "{counts:?}");
    assert!(
        counts.iter().all(|(_, count)| *count == errors),
        "{counts:?}"
    );
}

/// The whole program, from the log to the database: canaries are looked for in every row of every table, in
/// the queue and in the program's own log.
#[tokio::test]
async fn no_constant_of_a_message_is_stored() {
    let Some(server) = server("de") else {
        return;
    };
    let database = database().await;
    let target = database.target();
    let home = Home::new(&target);
    let mut config = fs::read_to_string(home.config()).unwrap();
    for format in ["log", "csv", "json"] {
        let path = server.data_dir().join("log/server").with_extension(format);
        config.push_str(&format!(
            "[[logs.source]]\nname = \"{format}\"\npath = \"{}\"\nparser = \"postgresql\"\n",
            path.display()
        ));
    }
    fs::write(home.config(), config).unwrap();
    let mut agent = home.start();
    let opened = "select count(*) from collector.log_positions";
    agent
        .until("the logs are followed", async || {
            number(&target, opened).await >= 3
        })
        .await;
    provoke(&server).await;
    server.stop(Stop::Fast).unwrap();
    let stored = "select count(distinct source) from collector.log_entries where source in ('log', 'csv', 'json') and message like '%heruntergefahren%'";
    agent
        .until("the last lines are stored", async || {
            number(&target, stored).await == 3
        })
        .await;

    let tables = "select string_agg(format('select %L || t::text from %I.%I t', relname || ': ', nspname, relname), ' union all ') \
        from pg_class c join pg_namespace n on n.oid = relnamespace where nspname = 'collector' and relkind = 'r'";
    let rows = text(&target, tables).await;
    let found = format!(
        "select coalesce(string_agg(left(r, 300), E'\\n'), '') from ({rows}) all_rows(r) where r ~* 'canary'"
    );
    assert_eq!(text(&target, &found).await, "");
    assert!(!canaries(&agent.log()), "{}", agent.log());
    for entry in fs::read_dir(home.queue()).unwrap().map(Result::unwrap) {
        if entry.file_type().unwrap().is_file() {
            let bytes = fs::read(entry.path()).unwrap();
            assert!(
                !String::from_utf8_lossy(&bytes).contains("Canary"),
                "{:?}",
                entry.path()
            );
        }
    }
    let (status, _) = agent.terminate();
    assert!(status.success());
}
