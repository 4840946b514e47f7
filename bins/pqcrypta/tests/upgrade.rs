//! `pqcrypta up --upgrade-postgres` with two real servers: the installed one, and a newer one that `TESTKIT_PG_NEWER` names (the
//! folders of several, separated by colons). Without it these tests say so and end.
//!
//! What is compared was stored by a real collector; while it is compared, a program that does nothing is in the collector's place.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]
#![expect(clippy::disallowed_methods, reason = "a test asks how much it may try")]

mod running;

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead as _, BufReader};
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use pg::{SessionOptions, Target};
use running::{PQCRYPTA, STOP, Up, messages, place, wait_for_silence};

/// Returns the folders of newer servers' programs, the newest first.
fn newer() -> Vec<PathBuf> {
    let named = std::env::var_os("TESTKIT_PG_NEWER").unwrap_or_default();
    let mut all: Vec<PathBuf> = std::env::split_paths(&named)
        .filter(|path| path.join("postgres").is_file())
        .collect();
    if all.is_empty() {
        println!("skipped: TESTKIT_PG_NEWER names no newer PostgreSQL");
    }
    all.sort_by_key(|bin| std::cmp::Reverse(major_of(bin)));
    all
}

fn major_of(bin: &Path) -> u32 {
    let version = Command::new(bin.join("postgres"))
        .arg("--version")
        .output()
        .unwrap();
    let text = String::from_utf8(version.stdout).unwrap();
    let number = text.split_whitespace().nth(2).unwrap();
    number.split('.').next().unwrap().parse().unwrap()
}

/// A store with some seconds of a real host, and a folder of programs without a collector.
struct Stored {
    dir: tempfile::TempDir,
    state: PathBuf,
    /// `pqcrypta`, beside a collector that does nothing.
    quiet: PathBuf,
}

impl Stored {
    fn new() -> Self {
        let (dir, state) = place();
        let up = Up::start(&state);
        up.wait_for_samples(3);
        // An hour that is sealed lies beside its rows until its day is over; and what does not fit into a page.
        up.ask(
            "SELECT collector.seal_hour('process_samples', max(host_id), min(ts)) FROM collector.process_samples",
        );
        up.ask(
            "WITH big AS (INSERT INTO collector.dead_letter (ts, host_id, table_name, row, tuple, columns, sqlstate, error) \
             SELECT now(), max(host_id), 'test', '{}', decode(string_agg(md5(n::text), ''), 'hex'), '{}', '22000', 'a test' \
             FROM collector.hosts, generate_series(1, 1500000) n RETURNING 1) SELECT count(*) FROM big",
        );
        up.stop();
        let quiet = dir.path().join("programs");
        fs::create_dir(&quiet).unwrap();
        fs::copy(PQCRYPTA, quiet.join("pqcrypta")).unwrap();
        symlink(
            Path::new(PQCRYPTA).with_file_name("pqcrypta-monitor"),
            quiet.join("pqcrypta-monitor"),
        )
        .unwrap();
        write_program(&quiet.join("pqcrypta-collector"), "exec sleep 1000");
        Self {
            state,
            quiet: quiet.join("pqcrypta"),
            dir,
        }
    }

    fn start(&self, arguments: &[&str], bin: &Path) -> Up {
        Up::start_as(&self.quiet, &self.state, arguments, Some(bin))
    }

    /// Returns what is stored, and the release that serves it.
    fn contents(&self, bin: &Path) -> Contents {
        let up = self.start(&[], bin);
        let contents = Contents::of(&up.database);
        up.stop();
        contents
    }

    fn home(&self) -> PathBuf {
        fs::canonicalize(self.state.join("postgres")).unwrap()
    }
}

fn write_program(path: &Path, text: &str) {
    fs::write(path, format!("#!/bin/sh\n{text}\n")).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
}

#[derive(Debug, PartialEq)]
struct Contents {
    major: i32,
    /// A hash of all rows of each table, and the value of each sequence.
    tables: BTreeMap<String, String>,
}

impl Contents {
    fn of(target: &Target) -> Self {
        tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap()
            .block_on(async {
                let session = pg::connect(target, &SessionOptions::default(), "test")
                    .await
                    .unwrap();
                let client = &session.client;
                let major = client
                    .query_one(
                        "SELECT current_setting('server_version_num')::integer / 10000",
                        &[],
                    )
                    .await
                    .unwrap()
                    .get(0);
                let names = client
                    .query(
                        "SELECT relname::text FROM pg_class \
                         WHERE relnamespace = 'collector'::regnamespace AND relkind = 'r'",
                        &[],
                    )
                    .await
                    .unwrap();
                let mut tables = BTreeMap::new();
                for row in names {
                    let name: String = row.get(0);
                    let sql = format!(
                        "SELECT count(*) || ' ' || coalesce(md5(string_agg(md5(t::text), '' ORDER BY md5(t::text))), '') \
                         FROM collector.{name} t"
                    );
                    let hash = client.query_one(&sql, &[]).await.unwrap().get(0);
                    tables.insert(name, hash);
                }
                let sequences = client
                    .query(
                        "SELECT sequencename::text, coalesce(last_value::text, 'unused') FROM pg_sequences \
                         WHERE schemaname = 'collector'",
                        &[],
                    )
                    .await
                    .unwrap();
                tables.extend(sequences.iter().map(|row| (row.get(0), row.get(1))));
                Self { major, tables }
            })
    }
}

/// Starts an upgrade that meets these faults at named places.
fn begin(stored: &Stored, bin: &Path, faults: &str) -> Child {
    Command::new(&stored.quiet)
        .args([
            "up",
            "--listen",
            "127.0.0.1:0",
            "--upgrade-postgres",
            "--state-dir",
        ])
        .arg(&stored.state)
        .env(
            "PATH",
            format!("{}:{}", bin.display(), std::env::var("PATH").unwrap()),
        )
        .env("FAILPOINTS", faults)
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

/// Starts an upgrade and kills it as soon as it says that it is at a step.
fn kill_at(stored: &Stored, step: &str, bin: &Path) {
    let mut up = begin(stored, bin, "");
    let lines = BufReader::new(up.stderr.take().unwrap()).lines();
    let said: Vec<String> = lines
        .map_while(Result::ok)
        .take_while(|line| !line.contains(step))
        .collect();
    up.kill().unwrap();
    assert!(
        up.wait().unwrap().code().is_none(),
        "it ended before {step}: {said:#?}"
    );
    wait_for_silence(&stored.state, STOP * 3);
}

#[test]
fn the_data_go_to_a_newer_release_whole_or_stay() {
    let is_nightly = std::env::var("FAULTS").as_deref() == Ok("nightly");
    let (releases, steps) = match is_nightly {
        true => (3, &["1 of 5", "2 of 5", "3 of 5", "4 of 5", "5 of 5"][..]),
        false => (1, &["3 of 5"][..]),
    };
    for bin in newer().into_iter().take(releases) {
        let stored = Stored::new();
        let before = stored.contents(Path::new("/nowhere"));
        assert!(before.tables.len() > 100, "{:?}", before.tables);
        assert!(
            before.tables.keys().any(|name| name.contains("_sealing_")),
            "{:?}",
            before.tables.keys()
        );
        without_room_they_stay(&stored, &before, &bin);
        for step in steps {
            killed_at_a_step_they_stay(&stored, &before, step, &bin);
        }
        killed_between_the_renames_they_stay(&stored, &before, &bin);
        if is_nightly {
            killed_after_the_renames_they_have_gone(&bin);
        }
        they_go(&stored, &before, &bin);
    }
}

fn without_room_they_stay(stored: &Stored, before: &Contents, bin: &Path) {
    // A file beyond 16 MB is refused to the new server, as by a full disk.
    let small = stored.dir.path().join("small");
    fs::create_dir(&small).unwrap();
    symlink(bin.join("initdb"), small.join("initdb")).unwrap();
    write_program(
        &small.join("postgres"),
        &format!(
            "ulimit -f 32768\nexec {} \"$@\"",
            bin.join("postgres").display()
        ),
    );
    let up = stored.start(&["--upgrade-postgres"], &small);
    let after = Contents::of(&up.database);
    let said = messages(&stored.state);
    assert!(
        said.contains(&format!(
            "failed, {} goes on with its data: cannot copy dead_letter",
            before.major
        )),
        "{said}"
    );
    assert_eq!(after, *before);
    assert!(!stored.home().join("data.upgrade").exists());
    up.stop();
}

fn killed_at_a_step_they_stay(stored: &Stored, before: &Contents, step: &str, bin: &Path) {
    kill_at(stored, step, bin);
    let after = stored.contents(bin);
    assert_eq!(after.tables, before.tables, "{step}");
    // The last step may have been done before the signal came.
    assert!(
        after.major == before.major || step == "5 of 5",
        "{step}: {}",
        after.major
    );
    assert!(!stored.home().join("data.upgrade").exists(), "{step}");
}

/// Upgrades until the named place, at which it dies as by `kill -9`.
fn die_at(stored: &Stored, place: &str, bin: &Path) {
    let up = begin(stored, bin, &format!("{place}=abort"));
    let ended = up.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&ended.stderr);
    assert!(
        ended.status.code().is_none() && said.contains("5 of 5"),
        "{}: {said}",
        ended.status
    );
    wait_for_silence(&stored.state, STOP * 3);
}

fn killed_between_the_renames_they_stay(stored: &Stored, before: &Contents, bin: &Path) {
    die_at(stored, "upgrade.renamed_old", bin);
    let (home, kept) = (stored.home(), format!("data.{}", before.major));
    let is_there = |name: &str| home.join(name).join("PG_VERSION").is_file();
    assert_eq!(
        ["data", &kept, "data.upgrade"].map(is_there),
        [false, true, true]
    );
    // The newer server is at hand, and is not taken for data of before.
    let up = stored.start(&[], bin);
    let after = Contents::of(&up.database);
    up.stop();
    let said = messages(&stored.state);
    assert!(
        said.contains("an upgrade of PostgreSQL was interrupted") && said.contains(&kept),
        "{said}"
    );
    assert_eq!(after, *before);
    assert_eq!(
        ["data", &kept, "data.upgrade"].map(is_there),
        [true, false, false]
    );
}

fn killed_after_the_renames_they_have_gone(bin: &Path) {
    let stored = Stored::new();
    let before = stored.contents(Path::new("/nowhere"));
    die_at(&stored, "upgrade.renamed_new", bin);
    let after = stored.contents(bin);
    assert_eq!(after.major, i32::try_from(major_of(bin)).unwrap());
    assert_eq!(after.tables, before.tables);
    assert!(
        stored
            .home()
            .join(format!("data.{}", before.major))
            .exists()
    );
    assert!(!stored.home().join("data.upgrade").exists());
}

fn they_go(stored: &Stored, before: &Contents, bin: &Path) {
    let up = stored.start(&["--upgrade-postgres"], bin);
    let after = Contents::of(&up.database);
    assert_eq!(after.major, i32::try_from(major_of(bin)).unwrap());
    assert_eq!(after.tables, before.tables);
    up.stop();
    let kept = stored.home().join(format!("data.{}", before.major));
    assert_eq!(
        fs::read_to_string(kept.join("PG_VERSION")).unwrap().trim(),
        before.major.to_string()
    );

    // Once more there is nothing to do, and the collector goes on.
    let up = Up::start_as(
        Path::new(PQCRYPTA),
        &stored.state,
        &["--upgrade-postgres"],
        Some(bin),
    );
    let said = messages(&stored.state);
    assert!(said.contains("nothing to upgrade"), "{said}");
    let found = up.samples();
    up.wait_for_samples(found + 2);
    up.stop();
    wait_for_silence(&stored.state, STOP);
}
