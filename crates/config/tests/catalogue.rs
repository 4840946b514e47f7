//! The bad inputs C1 to C14, one test each. C15 (a log source that matches our own log) waits for
//! the sources.
#![allow(clippy::unwrap_used, reason = "a test may fail")]

mod common;

use std::path::Path;

use common::{environment, load, load_text, refused, roomy, write};
use config::{Config, Environment, Fault, Machine, SslMode};

fn warned(warnings: &[Fault]) -> String {
    warnings
        .iter()
        .map(|warning| format!("{warning}\n"))
        .collect()
}

fn contains(text: &str, parts: &[&str]) {
    for part in parts {
        assert!(text.contains(part), "{part:?} is not in {text}");
    }
}

#[test]
fn c1_an_empty_file_or_only_comments_is_the_defaults() {
    for text in ["", "\n\n", "# [collector]\n# batch_size = 0\n"] {
        let loaded = load_text(text, &Environment::default()).unwrap();
        assert_eq!(loaded.config, Config::default(), "{text:?}");
        assert!(
            loaded
                .effective
                .iter()
                .all(|s| s.origin.as_str() == "default")
        );
    }
}

#[test]
fn c2_invalid_toml_is_refused_whole() {
    let text = refused("[collector]\nbatch_size = 60\n[logs\n");
    contains(&text, &["collector.toml:3: ", "is not TOML"]);
    contains(
        &refused("[logs]\ntick_secs = "),
        &["collector.toml:2: logs.tick_secs: "],
    );
}

#[test]
fn c3_an_unknown_key_names_the_nearest() {
    let text = refused("[collector]\nbatchsize = 1\n");
    contains(
        &text,
        &[
            "collector.toml:2: collector.batchsize: ",
            "did you mean batch_size?",
        ],
    );
}

#[test]
fn c4_a_duplicate_key_or_table_is_refused() {
    let text = refused("[logs]\ntick_secs = 1\ntick_secs = 1\n");
    contains(&text, &["collector.toml:3: logs.tick_secs: is there twice"]);
    contains(
        &refused("[logs]\n[monitor]\n[logs]\n"),
        &["collector.toml:3: "],
    );
}

#[test]
fn c5_a_batch_size_outside_its_range_names_the_range() {
    for bad in ["0", "-1", "9223372036854775808", "10001"] {
        let text = refused(&format!("[collector]\nbatch_size = {bad}\n"));
        contains(
            &text,
            &["collector.toml:2: collector.batch_size: ", bad, "1…10000"],
        );
    }
    let text = refused("[collector]\nbatch_size = \"50\"\n");
    contains(
        &text,
        &["is the text \"50\"", "from 1 to 10000, without quotes"],
    );
    let faults = load_text("", &environment(&[("BATCH_SIZE", "many")])).unwrap_err();
    contains(
        &faults.to_string(),
        &[
            "environment variable BATCH_SIZE: collector.batch_size: ",
            "from 1 to 10000",
        ],
    );
}

#[test]
fn c6_system_secs_is_from_1_to_3600() {
    for bad in ["0", "1000000000", "3601"] {
        let text = refused(&format!("[intervals]\nsystem_secs = {bad}\n"));
        contains(&text, &["intervals.system_secs: ", "1…3600"]);
    }
}

#[test]
fn c7_the_queue_takes_at_most_half_of_what_is_free() {
    contains(
        &refused("[collector]\nqueue_max_mb = 0\n"),
        &["collector.queue_max_mb: is 0"],
    );
    let small = Machine::of(|_| Some(120), |_| Some(false));
    let dir = tempfile::tempdir().unwrap();
    let path = write(dir.path(), "c.toml", b"", 0o600);
    let loaded = Config::load_on(Some(&path), &Environment::default(), &small).unwrap();
    assert_eq!(loaded.config.collector.queue_max_mb, 60);
    contains(
        &warned(&loaded.warnings),
        &["collector.queue_max_mb: is 100", "120 MB free"],
    );
}

#[test]
fn c8_a_queue_directory_is_absolute_its_own_and_closed() {
    contains(
        &refused("[collector]\nqueue_dir = \"queue\"\n"),
        &["\"queue\" is relative"],
    );
    let dir = tempfile::tempdir().unwrap();
    let real = dir.path().join("real");
    std::fs::create_dir(&real).unwrap();
    let link = dir.path().join("link");
    std::os::unix::fs::symlink(&real, &link).unwrap();
    let set = |path: &Path| {
        format!(
            "[collector]\nqueue_dir = {:?}\n",
            path.display().to_string()
        )
    };
    contains(&refused(&set(&link)), &["is a symbolic link"]);
    contains(
        &refused(&set(&write(dir.path(), "f", b"", 0o600))),
        &["is not a directory"],
    );
    load_text(&set(&real), &Environment::default()).unwrap();
    std::fs::set_permissions(&real, std::os::unix::fs::PermissionsExt::from_mode(0o777)).unwrap();
    contains(
        &refused(&set(&real)),
        &["is writable by everybody", "chmod 700"],
    );

    let memory = Machine::of(|_| None, |path| (path == Path::new("/")).then_some(true));
    let path = write(dir.path(), "c.toml", b"", 0o600);
    let loaded = Config::load_on(Some(&path), &Environment::default(), &memory).unwrap();
    contains(
        &warned(&loaded.warnings),
        &["collector.queue_dir: ", "kept in memory"],
    );
}

#[test]
fn c9_a_byte_order_mark_and_crlf_are_accepted_and_utf_16_is_not() {
    let good = "\u{feff}[collector]\r\nbatch_size = 60\r\n";
    let loaded = load_text(good, &Environment::default()).unwrap();
    assert_eq!(loaded.config.collector.batch_size, 60);
    let dir = tempfile::tempdir().unwrap();
    let wide: Vec<u8> = "[logs]\n"
        .encode_utf16()
        .flat_map(u16::to_le_bytes)
        .collect();
    for bytes in [wide.clone(), [vec![0xff, 0xfe], wide].concat()] {
        let path = write(dir.path(), "c.toml", &bytes, 0o600);
        let text = load(&path, &Environment::default())
            .unwrap_err()
            .to_string();
        contains(&text, &["c.toml: is encoded as UTF-16; save it as UTF-8"]);
    }
    let path = write(dir.path(), "c.toml", b"[logs]\n# \xff\n", 0o600);
    let text = load(&path, &Environment::default())
        .unwrap_err()
        .to_string();
    contains(&text, &["c.toml:2: is not UTF-8"]);
}

#[test]
fn c10_a_secret_in_a_file_that_others_may_read_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let text = b"[database]\npassword = \"canary\"\n[scrape]\nproxy_admin_token = \"canary\"\n";
    for mode in [0o644, 0o640, 0o604, 0o602] {
        let path = write(dir.path(), "c.toml", text, mode);
        let faults = load(&path, &Environment::default())
            .unwrap_err()
            .to_string();
        assert!(!faults.contains("canary"), "{faults}");
        contains(
            &faults,
            &[
                "c.toml:2: database.password: ",
                "c.toml:4: scrape.proxy_admin_token: ",
                "chmod 600",
                &format!("{mode:04o}"),
            ],
        );
    }
    let open = write(
        dir.path(),
        "c.toml",
        b"[database]\npassword = \"x\"\n",
        0o644,
    );
    for name in ["db_password", "pqcrypta_db_password"] {
        let credential = write(dir.path(), name, b"canary\n", 0o400);
        let credentials = environment(&[("CREDENTIALS_DIRECTORY", dir.path().to_str().unwrap())]);
        let loaded = load(&open, &credentials).unwrap();
        assert_eq!(loaded.config.database.password.expose(), "canary", "{name}");
        std::fs::remove_file(credential).unwrap();
    }
    // It lies open whether it is used or not.
    let overridden = environment(&[("DB_PASS", "y")]);
    contains(
        &load(&open, &overridden).unwrap_err().to_string(),
        &["c.toml:2: database.password: "],
    );
    let path = write(dir.path(), "c.toml", b"[database]\nname = \"x\"\n", 0o644);
    load(&path, &Environment::default()).unwrap();
}

#[test]
fn c11_two_passwords_are_ambiguous() {
    let both = environment(&[("DB_PASS", "canary"), ("DB_PASS_FILE", "/run/db")]);
    let text = load_text("", &both).unwrap_err().to_string();
    contains(&text, &["DB_PASS", "is given twice"]);
    assert!(!text.contains("canary"), "{text}");
    let loaded = load_text(
        "[database]\npassword_file = \"/run/nothing\"\n",
        &environment(&[("DB_PASS", "canary")]),
    )
    .unwrap();
    assert_eq!(loaded.config.database.password.expose(), "canary");
    contains(
        &warned(&loaded.warnings),
        &["variable DB_PASS: database.password: ", "environ"],
    );
    assert!(!format!("{loaded:?}").contains("canary"));
}

#[test]
fn c12_a_secret_file_holds_one_line() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("secret");
    let variable = environment(&[("DB_PASS_FILE", file.to_str().unwrap())]);
    for (content, password) in [
        ("canary\n", "canary"),
        ("canary", "canary"),
        ("canary\r\n", "canary"),
        (" can ary ", " can ary "),
    ] {
        write(dir.path(), "secret", content.as_bytes(), 0o600);
        let loaded = load_text("", &variable).unwrap();
        assert_eq!(loaded.config.database.password.expose(), password);
        let setting = loaded
            .effective
            .iter()
            .find(|s| s.key == "database.password");
        let setting = setting.unwrap();
        assert_eq!(
            (setting.value.as_str(), setting.origin.as_str()),
            ("***", "credential")
        );
    }
    let large = vec![b'x'; 10 << 20];
    for (content, mode, words) in [
        (&b""[..], 0o600, "is empty"),
        (b"\n", 0o600, "is empty"),
        (&large, 0o600, "is larger than"),
        (b"canary\ncanary\n", 0o600, "more than one line"),
        (b"canary\xff", 0o600, "is not UTF-8"),
        (b"canary", 0o644, "is open to everybody"),
    ] {
        write(dir.path(), "secret", content, mode);
        let text = load_text("", &variable).unwrap_err().to_string();
        contains(&text, &["secret: database.password: ", words]);
        assert!(!text.contains("canary"), "{text}");
    }
    std::fs::remove_file(&file).unwrap();
    contains(
        &load_text("", &variable).unwrap_err().to_string(),
        &["is not there"],
    );
    rustix::fs::mkfifoat(rustix::fs::CWD, &file, 0o600.into()).unwrap();
    contains(
        &load_text("", &variable).unwrap_err().to_string(),
        &["is a pipe"],
    );
    std::fs::remove_file(&file).unwrap();
    std::fs::create_dir(&file).unwrap();
    contains(
        &load_text("", &variable).unwrap_err().to_string(),
        &["is a directory"],
    );
}

#[test]
fn c13_only_harmless_addresses_are_scraped() {
    for (bad, words) in [
        ("file:///etc/passwd", "scheme other than"),
        ("gopher://127.0.0.1/x", "scheme other than"),
        ("http:127.0.0.1", "has no host"),
        ("http://user:canary@127.0.0.1/", "holds a user or password"),
        ("http://169.254.169.254/latest", "link-local"),
        ("http://[::ffff:169.254.169.254]/", "link-local"),
        ("http://[fe80::1]/", "link-local"),
        ("http://[fd00:ec2::254]/", "metadata"),
        ("http://metadata.google.internal/", "metadata"),
        ("http://0.0.0.0/", "unspecified"),
        ("http://224.0.0.1/", "multicast"),
        ("http://2130706433/", "unusual form"),
        ("http://0x7f.1/", "unusual form"),
        ("http://127.1/", "unusual form"),
        ("http://a b/", "blank"),
        ("http://host:0/", "no valid host and port"),
        ("http://host:99999/", "no valid host and port"),
        ("http:///metrics", "no valid host and port"),
        ("127.0.0.1:3003", "scheme other than"),
        ("metrics", "has no scheme"),
    ] {
        let text = refused(&format!("[scrape]\napi_metrics_url = {bad:?}\n"));
        contains(
            &text,
            &["collector.toml:2: scrape.api_metrics_url: ", words],
        );
        assert!(!text.contains("canary"), "{text}");
    }
    for good in [
        "http://[::ffff:127.0.0.1]:3003/metrics",
        "http://localhost",
        "HTTP://[::1]/?a=b",
    ] {
        let loaded = load_text(
            &format!("[scrape]\napi_metrics_url = {good:?}\n"),
            &Environment::default(),
        )
        .unwrap();
        assert!(
            loaded.config.scrape.api_metrics_url.unwrap().is_loopback(),
            "{good}"
        );
        assert!(loaded.warnings.is_empty(), "{good}");
    }
}

#[test]
fn c14_retention_is_at_least_a_day_and_ordered() {
    contains(
        &refused("[retention]\nraw_days = 0\n"),
        &["retention.raw_days: is 0", "1…36500"],
    );
    let text = refused("[retention]\nhourly_days = 7\n");
    contains(
        &text,
        &[
            "collector.toml:2: retention.hourly_days: ",
            "raw_days is 14",
        ],
    );
    contains(
        &refused("[retention]\nraw_days = 91\n"),
        &["collector.toml:2: retention.raw_days: "],
    );
}

#[test]
fn a_missing_file_is_a_fault_only_when_it_was_named() {
    let nowhere = Path::new("/nowhere/collector.toml");
    let faults = Config::load_on(Some(nowhere), &Environment::default(), &roomy()).unwrap_err();
    contains(
        &faults.to_string(),
        &["/nowhere/collector.toml: is not there"],
    );
    let named = environment(&[("COLLECTOR_CONFIG", "/nowhere/else.toml")]);
    let faults = Config::load_on(None, &named, &roomy()).unwrap_err();
    contains(&faults.to_string(), &["/nowhere/else.toml: is not there"]);
    let dir = tempfile::tempdir().unwrap();
    contains(
        &load(dir.path(), &Environment::default())
            .unwrap_err()
            .to_string(),
        &["is a directory"],
    );
}

#[test]
fn another_machine_is_reached_over_tls() {
    for (host, sslmode, tls) in [
        ("localhost", "auto", Some(false)),
        ("127.0.0.1", "disable", Some(false)),
        ("::1", "auto", Some(false)),
        ("/run/postgresql", "verify-full", Some(false)),
        ("localhost", "verify-full", Some(true)),
        ("db.example.org", "auto", Some(true)),
        ("10.0.0.5", "verify-full", Some(true)),
        ("10.0.0.5", "disable", None),
    ] {
        let text = format!("[database]\nhost = {host:?}\nsslmode = {sslmode:?}\n");
        let needs = load_text(&text, &Environment::default())
            .ok()
            .map(|loaded| loaded.config.database.needs_tls());
        assert_eq!(needs, tls, "{text}");
    }
    assert_eq!(Config::default().database.sslmode, SslMode::Auto);
}

#[test]
fn the_dashboard_listens_on_this_machine_only() {
    for bad in ["0.0.0.0:8088", "[::]:8088", "192.168.0.1:80"] {
        let faults = load_text("", &environment(&[("MONITOR_LISTEN", bad)])).unwrap_err();
        contains(
            &faults.to_string(),
            &["variable MONITOR_LISTEN: monitor.listen: ", bad],
        );
    }
    for good in ["127.0.0.1:0", "[::1]:8088", "localhost:8088"] {
        load_text("", &environment(&[("MONITOR_LISTEN", good)])).unwrap();
    }
}

#[test]
fn without_servers_there_is_the_store() {
    let config = load_text("", &Environment::default()).unwrap().config;
    let names: Vec<_> = config
        .postgres
        .iter()
        .map(|one| one.name.as_str())
        .collect();
    assert_eq!(names, ["store"]);
    assert_eq!(config.postgres[0].url, None);
}

#[test]
fn an_entry_of_a_list_is_named_with_file_line_and_key() {
    let text = refused("[[postgres]]\nname = \"a\"\n[[postgres]]\nname = \"b\"\nurl = \"x\"\n");
    contains(
        &text,
        &["collector.toml:5: postgres[2].url: does not begin with postgresql://; write "],
    );
    let text = refused("[[postgres]]\nname = \"a\"\n[[postgres]]\nname = \"a\"\n");
    contains(
        &text,
        &["collector.toml:4: postgres[2].name: \"a\" is the name of postgres[1], too"],
    );
    let text = refused("[[postgres]]\nurl = \"postgresql://me@h/m\"\n");
    contains(&text, &["collector.toml:1: postgres[1].name: is missing"]);
    let text = refused("[[postgres]]\nname = \"a\"\n[[postgres]]\nname = \n");
    contains(&text, &["collector.toml:4: postgres[2].name: is not TOML"]);
}

#[test]
fn the_short_forms_are_targets_unless_an_entry_has_their_name() {
    let names = |text: &str| {
        let config = load_text(text, &Environment::default()).unwrap().config;
        let targets = config.scrape.targets();
        assert!(targets.iter().all(|target| target.url.is_some()));
        targets
            .into_iter()
            .map(|target| target.name)
            .collect::<Vec<_>>()
    };
    assert_eq!(names(""), ["api", "proxy"]);
    assert_eq!(names("[scrape]\napi_metrics_url = \"\"\n"), ["proxy"]);
    let entry =
        |name: &str| format!("[[scrape.target]]\nname = \"{name}\"\nurl = \"http://localhost/\"\n");
    assert_eq!(names(&entry("more")), ["api", "proxy", "more"]);
    assert_eq!(names(&entry("api")), ["proxy", "api"]);
    let both = format!(
        "[scrape]\napi_metrics_url = \"http://localhost/\"\n{}",
        entry("api")
    );
    contains(
        &refused(&both),
        &["scrape.target[1].name: is \"api\", and scrape.api_metrics_url"],
    );
}

#[test]
fn a_target_that_nobody_named_is_assumed() {
    let assumed = |text: &str| {
        let scrape = load_text(text, &Environment::default())
            .unwrap()
            .config
            .scrape;
        ["api", "proxy", "more"].map(|name| scrape.is_assumed(name))
    };
    assert_eq!(assumed(""), [true, true, false]);
    for (text, expected) in [
        (
            "[scrape]\napi_metrics_url = \"http://localhost:3003/metrics\"\n",
            [false, true, false],
        ),
        (
            "[scrape]\nproxy_admin_token = \"t\"\n",
            [true, false, false],
        ),
        (
            "[[scrape.target]]\nname = \"api\"\nurl = \"http://127.0.0.1:3003/metrics\"\n",
            [false, true, false],
        ),
        (
            "[[scrape.target]]\nname = \"more\"\nurl = \"http://localhost/\"\n",
            [true, true, false],
        ),
    ] {
        assert_eq!(assumed(text), expected, "{text}");
    }
}

#[test]
fn secrets_of_entries_are_kept_as_those_of_the_database() {
    let dir = tempfile::tempdir().unwrap();
    let file = write(dir.path(), "secret", b"canary\n", 0o600);
    let text = format!(
        "[[postgres]]\nname = \"a\"\nurl = \"postgresql://me@h/m\"\npassword_file = {file:?}\n\
         [[scrape.target]]\nname = \"b\"\nurl = \"https://h/\"\ntoken_file = {file:?}\n"
    );
    let loaded = load_text(&text, &Environment::default()).unwrap();
    assert_eq!(loaded.config.postgres[0].password.expose(), "canary");
    assert_eq!(loaded.config.scrape.targets()[2].token.expose(), "canary");
    assert!(!format!("{loaded:?}").contains("canary"));

    write(dir.path(), "secret", b"can ary\n", 0o600);
    let faults = load_text(&text, &Environment::default()).unwrap_err();
    contains(
        &faults.to_string(),
        &["secret: scrape.target[1].token: holds a blank"],
    );
    write(dir.path(), "secret", b"canary\n", 0o644);
    let faults = load_text(&text, &Environment::default()).unwrap_err();
    contains(
        &faults.to_string(),
        &[
            "postgres[1].password: ",
            "scrape.target[1].token: ",
            "open to everybody",
        ],
    );

    let inside = b"[[postgres]]\nname = \"a\"\nurl = \"postgresql://me:canary@h/m\"\n";
    let open = write(dir.path(), "c.toml", inside, 0o644);
    let faults = load(&open, &Environment::default())
        .unwrap_err()
        .to_string();
    contains(
        &faults,
        &["c.toml:3: postgres[1].url: is a secret in a file"],
    );
    assert!(!faults.contains("canary"));
    let without = b"[[postgres]]\nname = \"a\"\nurl = \"postgresql://me@h/m\"\n";
    let open = write(dir.path(), "c.toml", without, 0o644);
    load(&open, &Environment::default()).unwrap();
}

/// Every example of the guide is a configuration of its own.
#[test]
fn the_examples_of_the_guide_are_good() {
    let dir = tempfile::tempdir().unwrap();
    let page = include_str!("../../../docs/TARGETS.md");
    let blocks: Vec<&str> = page.split("```toml\n").skip(1).collect();
    assert!(blocks.len() > 5, "{}", blocks.len());
    for block in blocks {
        let text = block.split("```").next().unwrap();
        let text = text.replace("/etc/pqcrypta", dir.path().to_str().unwrap());
        for name in ["orders.password", "billing.token"] {
            write(dir.path(), name, b"canary\n", 0o600);
        }
        load_text(&text, &Environment::default()).unwrap_or_else(|faults| panic!("{text}{faults}"));
    }
}
