//! `pqcrypta host` and `pqcrypta enroll` over a real database.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use config::Secret;
use pg::{SessionOptions, Target};
use serde_json::Value;
use testkit::{Authority, Server, Stop};

/// Two hosts, of which one has open findings: one with its history, and one whose history has expired.
const HOSTS: &str = "INSERT INTO collector.hosts (machine_id, hostname) VALUES ('m1', 'alpha'), ('m2', 'beta'), ('m3', 'twin'), ('m4', 'twin');
    INSERT INTO collector.agent_runs (host_id, run_id, writer, pid, version, started_at, settings)
    VALUES (1, gen_random_uuid(), gen_random_uuid(), 7, '1.2.3', now(), '{}');
    INSERT INTO collector.spool_watermark (host_id, writer, seq, progress, last_ts) VALUES (1, gen_random_uuid(), 1, '{}', now());
    INSERT INTO collector.spool_watermark (host_id, writer, seq, progress, updated_at)
    SELECT n, gen_random_uuid(), 0, '{}', now() - interval '3 days' FROM generate_series(2, 4) n;
    INSERT INTO collector.retention (host_id, raw_days, hourly_days, long_days, log_days, event_days) VALUES (1, 60, 90, 365, 7, 30);
    SELECT collector.ensure_partition('finding_transitions_raw', NULL),
           collector.ensure_partition('finding_transitions_raw', (now() AT TIME ZONE 'UTC')::date);
    INSERT INTO collector.finding_transitions_raw
        (ts, host_id, rule, target, transition, kind, domain, severity, worst, title, message, steps, opened_at, confirmed_at, seen_at, occurrences)
    SELECT now() - n * interval '1 minute', 1, 'some.rule', 'x', CASE n WHEN 2 THEN 'opened' ELSE 'confirmed' END, 'alert', 'host', 'warn',
           'warn', 'Something', 'Something is wrong', '[]', now() - interval '2 minutes', CASE n WHEN 1 THEN now() END,
           now() - n * interval '1 minute', 1
    FROM generate_series(2, 1, -1) n;
    SELECT collector.apply_transitions(1, (SELECT array_agg(ts) FROM collector.finding_transitions_raw));
    INSERT INTO collector.findings OVERRIDING SYSTEM VALUE SELECT (jsonb_populate_record(f, '{\"rule\": \"old.rule\", \"finding_id\": 4711}')).* FROM collector.findings f";

const OPEN: &str =
    "SELECT count(*) FROM collector.findings WHERE host_id = 1 AND resolved_at IS NULL";

#[tokio::test]
async fn hosts_are_listed_renamed_and_removed() {
    let database = testkit::migrated().await.unwrap();
    let target = database.target();
    let run = |arguments: &[&str]| common::run("host", &target, arguments);
    assert_eq!(run(&["list"]).output, "no host has stored anything yet\n");
    database.sql(HOSTS).await.unwrap();
    assert_eq!(database.number(OPEN).await.unwrap(), 2);

    let listed = run(&["list"]).output;
    let line = |name: &str| {
        let line = listed.lines().find(|line| line.contains(name));
        line.unwrap_or_default().to_owned()
    };
    assert!(
        line("alpha").contains("delivers") && line("alpha").contains("1.2.3"),
        "{listed}"
    );
    assert!(
        line("beta").contains("silent") && line("beta").contains("3 d"),
        "{listed}"
    );

    for (name, words) in [
        ("beta", "beta is the name of host 2 already"),
        ("twin", "twin is the name of host 3 already"),
        ("2", "would be read as the number"),
    ] {
        let refused = run(&["rename", "alpha", name]);
        assert_eq!(refused.code, 1, "{name}");
        assert!(refused.errors.contains(words), "{}", refused.errors);
    }
    let renamed = run(&["rename", "alpha", "first"]);
    assert_eq!(
        (renamed.code, renamed.output.as_str()),
        (0, "host 1 (alpha) is first now\n"),
        "{}",
        renamed.errors
    );
    assert_eq!(
        run(&["rename", "alpha", "again"]).code,
        1,
        "there is none of that name"
    );
    assert_eq!(run(&["rename", "1", "\u{7}"]).code, 1);
    let several = run(&["remove", "twin"]);
    assert!(several.errors.contains("3, 4"), "{}", several.errors);

    let removed = run(&["remove", "first"]);
    assert_eq!(removed.code, 0, "{}", removed.errors);
    assert!(
        removed.output.contains("open findings closed: 2"),
        "{}",
        removed.output
    );
    assert!(removed.errors.contains("stop it"), "{}", removed.errors);
    assert_eq!(database.number(OPEN).await.unwrap(), 0);
    let closed = "SELECT count(*) FROM collector.finding_transitions_raw WHERE host_id = 1 AND transition = 'resolved'";
    assert_eq!(database.number(closed).await.unwrap(), 1);
    let wishes =
        "SELECT count(*) FROM collector.retention WHERE reported_at > now() - interval '30 days'";
    assert_eq!(database.number(wishes).await.unwrap(), 0);

    let hosts = |arguments: &[&str]| {
        let answer: Value = serde_json::from_str(&run(arguments).output).unwrap();
        let hosts = answer.as_array().unwrap().iter();
        hosts
            .map(|host| {
                format!(
                    "{} {}",
                    host["name"].as_str().unwrap(),
                    host["state"].as_str().unwrap()
                )
            })
            .collect::<Vec<_>>()
    };
    assert_eq!(
        hosts(&["list", "--json"]),
        ["beta silent", "twin silent", "twin silent"]
    );
    let all = ["beta silent", "twin silent", "twin silent", "first removed"];
    assert_eq!(hosts(&["list", "--all", "--json"]), all);
    let status = common::run("status", &target, &[]).output;
    assert!(
        status.contains("beta") && !status.contains("first"),
        "{status}"
    );
    let reused = run(&["rename", "4", "first"]);
    assert_eq!(reused.code, 0, "the name of one that was removed is free");
}

#[tokio::test]
async fn a_host_delivers_as_long_as_its_collector_has_a_lease() {
    let database = testkit::migrated().await.unwrap();
    let target = database.target();
    let hosts = "INSERT INTO collector.hosts (machine_id, hostname) VALUES ('m1', 'runs'), ('m2', 'ended'), ('m3', 'died');
        INSERT INTO collector.spool_watermark (host_id, writer, seq, progress, updated_at, lease_run, lease_until)
        SELECT n, gen_random_uuid(), 1, '{}', now(), gen_random_uuid(),
               CASE n WHEN 1 THEN now() + interval '1 hour' WHEN 3 THEN now() - interval '1 second' END
        FROM generate_series(1, 3) n";
    database.sql(hosts).await.unwrap();
    let listed = common::run("host", &target, &["list"]).output;
    for (name, state, words) in [
        ("runs", "delivers", "stop it"),
        ("ended", "silent", ""),
        ("died", "silent", ""),
    ] {
        let line = listed.lines().find(|line| line.contains(name)).unwrap();
        assert!(line.contains(state), "{listed}");
        let removed = common::run("host", &target, &["remove", name]);
        assert_eq!(removed.code, 0, "{}", removed.errors);
        assert!(removed.errors.contains(words), "{}", removed.errors);
        assert_eq!(removed.errors.is_empty(), words.is_empty(), "{name}");
    }
}

/// Enters the store with a line; returns the exit status and everything that was said.
fn enroll(dir: &Path, line: &str) -> (i32, String) {
    let mut child = Command::new(env!("CARGO_BIN_EXE_pqcrypta"))
        .args(["enroll", "--no-start", "--dir"])
        .arg(dir)
        .env_clear()
        .env("HOST_ID", "machine-2")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // One that read enough does not read the rest.
    let _unread = child.stdin.take().unwrap().write_all(line.as_bytes());
    let ran = child.wait_with_output().unwrap();
    let said = [ran.stdout, ran.stderr].map(|bytes| String::from_utf8(bytes).unwrap());
    (ran.status.code().unwrap(), said.concat())
}

fn is_empty(dir: &Path) -> bool {
    fs::read_dir(dir).unwrap().next().is_none()
}

#[tokio::test]
async fn a_host_is_let_in_once_and_shut_out() {
    let (ours, other) = (Authority::new().unwrap(), Authority::new().unwrap());
    let server = Server::builder()
        .tcp()
        .file(
            "pg_hba.conf",
            "local all postgres trust\nhostssl all all 127.0.0.1/32 scram-sha-256\n",
        )
        .start()
        .unwrap();
    let [certificate, key] = ours.identity("localhost", 2090).unwrap().pem();
    server.stop(Stop::Fast).unwrap();
    server
        .write_file("server.crt", certificate.as_bytes())
        .unwrap();
    server.write_file("server.key", key.as_bytes()).unwrap();
    server
        .write_file("postgresql.auto.conf", b"ssl = on\n")
        .unwrap();
    server.start().unwrap();
    let target = server.target();
    testkit::migrate(&target).await.unwrap();
    server
        .sql("CREATE ROLE pqcrypta_collector NOLOGIN")
        .await
        .unwrap();
    let granted = common::run("migrate", &target, &["--writer", "pqcrypta_collector"]);
    assert_eq!(granted.code, 0, "{}", granted.errors);

    let home = tempfile::tempdir().unwrap();
    let dir = |name: &str| {
        let dir = home.path().join(name);
        fs::create_dir_all(&dir).unwrap();
        dir
    };
    let address = format!("localhost:{}", server.address().unwrap().port());
    let add = |name: &str, authority: &Authority| {
        let file = home.path().join("ca.pem");
        fs::write(&file, authority.pem()).unwrap();
        let file = file.to_str().unwrap();
        common::run(
            "host",
            &target,
            &["add", name, "--address", &address, "--ca", file],
        )
    };
    assert!(
        common::run("host", &target, &["add", "web-2"])
            .errors
            .contains("--address")
    );
    let added = add("web-2", &ours);
    assert_eq!(
        (added.code, added.output.lines().count()),
        (0, 1),
        "{}",
        added.errors
    );
    let line = added.output;
    assert!(add("web-2", &ours).errors.contains("let in before"));

    // A line that was cut, and one of a server that another authority signed.
    let first = dir("first");
    for cut in [
        &line[..line.len() - 4],
        "",
        "pqcrypta-host-1.",
        "anything\n",
    ] {
        let (code, said) = enroll(&first, cut);
        assert!(code != 0 && is_empty(&first), "{said}");
    }
    let wrong = add("web-3", &other);
    let (code, said) = enroll(&first, &wrong.output);
    assert!(
        code == 1 && said.contains("Nothing was written") && is_empty(&first),
        "{said}"
    );

    let (code, said) = enroll(&first, &line);
    assert_eq!(code, 0, "{said}");
    assert!(said.contains("entered the store"), "{said}");
    let written = || {
        ["collector.toml", "credentials/db_password", "store-ca.pem"]
            .map(|name| fs::read_to_string(first.join(name)).unwrap())
    };
    let [settings, password, _] = written();
    assert!(!line.contains(password.trim()) && !settings.contains(password.trim()));
    let name =
        "SELECT hostname, is_renamed::text FROM collector.hosts WHERE machine_id = 'machine-2'";
    let name = async || server.sql(name).await.unwrap().concat();
    let texts = |name: &str| [name, "true"].map(|text| Some(text.to_owned()));
    assert_eq!(name().await, texts("web-2"), "{said}");
    let status = Command::new(env!("CARGO_BIN_EXE_pqcrypta"))
        .args(["host", "list", "--config"])
        .arg(first.join("collector.toml"))
        .env_clear()
        .output()
        .unwrap();
    assert!(
        status.status.success(),
        "{}",
        String::from_utf8_lossy(&status.stderr)
    );

    // Again it does no harm; elsewhere the line is used up.
    let before = written();
    let (code, said) = enroll(&first, &line);
    assert!(
        code == 0 && said.contains("already") && written() == before,
        "{said}"
    );
    let second = dir("second");
    let (code, said) = enroll(&second, &line);
    assert!(code == 1 && is_empty(&second), "{said}");
    // One that was killed before the files took their places.
    fs::rename(
        first.join("collector.toml"),
        first.join("collector.toml.new"),
    )
    .unwrap();
    let pending = first.join("credentials/db_password.new");
    fs::rename(first.join("credentials/db_password"), pending).unwrap();
    let (code, said) = enroll(&first, &line);
    assert!(code == 0 && written() == before, "{said}");
    // Settings that somebody wrote stay.
    let by_hand = dir("by-hand");
    fs::write(by_hand.join("collector.toml"), "[database]\n").unwrap();
    let (code, said) = enroll(&by_hand, &line);
    assert!(code == 1 && said.contains("by hand"), "{said}");

    let mut own = Target::new(
        "localhost",
        server.address().unwrap().port(),
        "postgres",
        "x",
    )
    .with_user("pqcrypta_host_web-2", Secret::new(password.trim()));
    own.tls = true;
    own.root_cert = Some(first.join("store-ca.pem"));
    let session = pg::connect(&own, &SessionOptions::default(), "test")
        .await
        .unwrap();
    let store = "INSERT INTO collector.hosts (machine_id, hostname) VALUES ('m', 'web-2')";
    session.client.execute(store, &[]).await.unwrap();
    let revoked = common::run("host", &target, &["revoke", "web-2"]);
    assert_eq!(
        (revoked.code, revoked.output.as_str()),
        (0, "shut out web-2; sessions ended: 1\n"),
        "{}",
        revoked.errors
    );
    assert!(
        session.client.execute("SELECT", &[]).await.is_err(),
        "it has ended"
    );
    assert!(
        pg::connect(&own, &SessionOptions::default(), "test")
            .await
            .is_err()
    );
    let unknown = common::run("host", &target, &["revoke", "web-2"]);
    assert!(
        unknown.code == 1 && unknown.errors.contains("let in are: web-3"),
        "{}",
        unknown.errors
    );
    let again = add("web-2", &ours);
    assert_eq!(again.code, 0, "it may be let in again");
    // What the operator added to the settings outlives that.
    let path = first.join("collector.toml");
    let added = "\n# Often.\n[intervals]\nsystem_secs = 1\n";
    fs::write(
        &path,
        [fs::read_to_string(&path).unwrap().as_str(), added].concat(),
    )
    .unwrap();
    server
        .sql("UPDATE collector.hosts SET hostname = 'shop' WHERE machine_id = 'machine-2'")
        .await
        .unwrap();
    let (code, said) = enroll(&first, &again.output);
    assert_eq!(name().await, texts("shop"), "a name stays");
    let settings = fs::read_to_string(&path).unwrap();
    assert!(code == 0 && settings.ends_with(added), "{said}\n{settings}");
    assert_eq!(settings.matches("[database]").count(), 1, "{settings}");
    assert_ne!(written()[1], password, "a password of its own");
}
