//! Environment over file over default, reload, and what is generated from the declarations.
#![allow(clippy::unwrap_used, reason = "a test may fail")]

mod common;

use std::collections::BTreeSet;

use common::{environment, load, load_text, roomy, write};
use config::{Config, Environment, Kind, List, Polled, Reload, Watch, reference_markdown};

#[test]
fn the_environment_wins_over_the_file() {
    let variables = environment(&[
        ("BATCH_SIZE", " 70 "),
        ("LOG_ENABLED", "off"),
        ("MONITOR_ALLOWED_HOSTS", "a.example, b.example,"),
        ("QUEUE_MAX_MB", ""),
    ]);
    let text = "[collector]\nbatch_size = 60\nqueue_max_mb = 50\n";
    let loaded = load_text(text, &variables).unwrap();
    assert_eq!(loaded.config.collector.batch_size, 70);
    assert!(!loaded.config.logs.enabled);
    assert_eq!(
        loaded.config.monitor.allowed_hosts,
        ["a.example", "b.example"]
    );
    assert_eq!(loaded.config.collector.queue_max_mb, 50);
    let origin = |key| {
        let found = loaded.effective.iter().find(|setting| setting.key == key);
        found.unwrap().origin.as_str()
    };
    assert_eq!(origin("collector.batch_size"), "env");
    assert_eq!(origin("collector.queue_max_mb"), "file");
    assert_eq!(origin("logs.tick_secs"), "default");
}

#[test]
fn declarations_are_complete() {
    let (mut paths, mut variables) = (BTreeSet::new(), BTreeSet::new());
    let defaults = Config::default();
    for key in Config::keys() {
        assert!(paths.insert(key.path), "{}", key.path);
        assert_eq!(key.path, format!("{}.{}", key.section, key.name));
        assert!(!key.doc.is_empty(), "{} has no words", key.path);
        if let Some(name) = key.env {
            assert!(variables.insert(name), "{name} is used twice");
        }
        if key.listed {
            // A variable could not name the entry.
            assert_eq!(key.env, None, "{}", key.path);
            continue;
        }
        // Every default is accepted by its own check.
        let value = defaults.get(key).unwrap();
        Config::default().set(key, value).unwrap();
        assert!(
            key.kind != Kind::Secret || key.env.is_some(),
            "{}",
            key.path
        );
    }
    assert_eq!(variables.len(), 42, "{variables:?}");
    for blank in defaults.lists().map(List::blank) {
        let live = |key: &config::Key| key.live == blank.keys()[0].live;
        assert!(blank.keys().iter().all(live), "{}", blank.name());
    }
}

#[test]
fn the_reference_lists_every_key_with_its_variable() {
    let page = reference_markdown();
    for key in Config::keys() {
        let row = page
            .lines()
            .find(|line| line.starts_with(&format!("| `{}` |", key.name)));
        assert!(row.is_some(), "{}", key.path);
        if let Some(name) = key.env {
            assert!(page.contains(&format!("`{name}`")), "{name}");
        }
    }
    assert!(
        page.contains(
            "| `batch_size` | `50` | `BATCH_SIZE` | 1…10000 | live | Records of the queue"
        )
    );
    assert!(page.contains("| `host` | `localhost` | `DB_HOST` | text | restart | Name or address"));
}

#[test]
fn a_reload_takes_over_what_is_live_and_names_the_rest() {
    let old = load_text("", &Environment::default()).unwrap().config;
    let text = "[collector]\nbatch_size = 60\nqueue_dir = \"/elsewhere/queue\"\n[database]\n\
                password = \"canary\"\n[intervals]\nheartbeat_secs = 7\n";
    let new = load_text(text, &Environment::default()).unwrap().config;
    let reload = Reload::between(&old, &new);
    let live: Vec<_> = reload.live().map(|change| change.slot.path()).collect();
    assert_eq!(live, ["intervals.heartbeat_secs", "collector.batch_size"]);
    let waiting: Vec<_> = reload.waiting().map(|change| change.slot.path()).collect();
    assert_eq!(waiting, ["database.password", "collector.queue_dir"]);
    assert!(!format!("{reload:?}").contains("canary"));
    let next = reload.apply(&old, &new);
    assert_eq!(
        (next.collector.batch_size, next.intervals.heartbeat_secs),
        (60, 7)
    );
    assert_eq!(next.collector.queue_dir, old.collector.queue_dir);
    assert_eq!(next.database, old.database);
    assert!(Reload::between(&next, &next).changes.is_empty());
}

#[test]
fn a_watch_keeps_the_old_settings_until_the_file_is_good() {
    let dir = tempfile::tempdir().unwrap();
    let path = write(dir.path(), "c.toml", b"[logs]\ntick_secs = 20\n", 0o600);
    let loaded = load(&path, &Environment::default()).unwrap();
    let mut watch = Watch::new(&loaded, Environment::default(), roomy());
    assert!(matches!(watch.poll(&loaded.config), Polled::Unchanged));

    // Half-written: reported once, tried again.
    write(dir.path(), "c.toml", b"[logs]\ntick_secs = ", 0o600);
    let Polled::Faulty(faults) = watch.poll(&loaded.config) else {
        panic!("a half-written file was taken");
    };
    assert!(
        faults.to_string().contains("c.toml:2: logs.tick_secs: "),
        "{faults}"
    );
    assert!(matches!(watch.poll(&loaded.config), Polled::Unchanged));
    assert!(watch.faults().is_some());

    std::fs::remove_file(&path).unwrap();
    assert!(matches!(watch.poll(&loaded.config), Polled::Faulty(_)));

    // Same length as the first: only the bytes differ.
    write(dir.path(), "c.toml", b"[logs]\ntick_secs = 30\n", 0o600);
    let Polled::Changed(new, reload) = watch.poll(&loaded.config) else {
        panic!("a good file was not taken");
    };
    assert_eq!(reload.changes.len(), 1);
    assert_eq!(
        (
            reload.changes[0].from.as_str(),
            reload.changes[0].to.as_str()
        ),
        ("20", "30")
    );
    assert!(watch.faults().is_none());
    assert!(matches!(watch.poll(&new.config), Polled::Unchanged));
}

#[test]
fn a_secret_that_is_renewed_in_its_own_file_is_taken_over() {
    let dir = tempfile::tempdir().unwrap();
    let password = write(dir.path(), "password", b"canary1\n", 0o600);
    let token = write(dir.path(), "token", b"canary1\n", 0o600);
    let text = format!(
        "[database]\npassword_file = {password:?}\n\
         [[postgres]]\nname = \"a\"\nurl = \"postgresql://me@h/m\"\npassword_file = {password:?}\n\
         [[scrape.target]]\nname = \"b\"\nurl = \"https://h/\"\ntoken_file = {token:?}\n"
    );
    let path = write(dir.path(), "c.toml", text.as_bytes(), 0o600);
    let loaded = load(&path, &Environment::default()).unwrap();
    let mut watch = Watch::new(&loaded, Environment::default(), roomy());
    let mut running = loaded.config;
    assert!(matches!(watch.poll(&running), Polled::Unchanged));
    let cases: [(&str, &[&str], &[&str]); 2] = [
        ("token", &["scrape.target[1].token"], &[]),
        // That of the store waits for a restart, as a line of the file would.
        (
            "password",
            &["postgres[1].password"],
            &["database.password"],
        ),
    ];
    for (name, live, waiting) in cases {
        write(dir.path(), name, b"canary2\n", 0o600);
        let Polled::Changed(new, reload) = watch.poll(&running) else {
            panic!("the new {name} was not noticed");
        };
        let paths = |change: &config::Change| change.slot.path();
        assert_eq!(reload.live().map(paths).collect::<Vec<_>>(), live);
        assert_eq!(reload.waiting().map(paths).collect::<Vec<_>>(), waiting);
        assert!(!format!("{reload:?}").contains("canary"));
        running = reload.apply(&running, &new.config);
        assert!(matches!(watch.poll(&running), Polled::Unchanged), "{name}");
    }
    assert_eq!(running.postgres[0].password.expose(), "canary2");
    assert_eq!(running.scrape.target[0].token.expose(), "canary2");

    // Written in two steps: what is in use stays until the file is whole.
    write(dir.path(), "token", b"", 0o600);
    assert!(matches!(watch.poll(&running), Polled::Faulty(_)));
    assert!(matches!(watch.poll(&running), Polled::Unchanged));
    write(dir.path(), "token", b"canary3\n", 0o600);
    assert!(matches!(watch.poll(&running), Polled::Changed(..)));
}

#[test]
fn a_reload_takes_a_list_over_as_a_whole() {
    let one = "[[postgres]]\nname = \"a\"\nurl = \"postgresql://me:canary@h/m\"\n";
    let other = one.replace("canary", "canary2");
    let two = format!("[[postgres]]\nname = \"b\"\n{one}");
    let load = |text: &str| load_text(text, &Environment::default()).unwrap().config;
    for (from, to, changes) in [
        ("", one, &["postgres[1].name", "postgres[1].url"][..]),
        (one, "", &["postgres[1].name", "postgres[1].url"]),
        (one, &other, &["postgres[1].url"]),
        (
            one,
            &two,
            &[
                "postgres[1].name",
                "postgres[1].url",
                "postgres[2].name",
                "postgres[2].url",
                "postgres[2].include_own",
            ],
        ),
        (&two, &two, &[]),
    ] {
        let (old, new) = (load(from), load(to));
        let reload = Reload::between(&old, &new);
        let live: Vec<_> = reload.live().map(|change| change.slot.path()).collect();
        assert_eq!(live, changes);
        assert_eq!(reload.apply(&old, &new), new, "{from} to {to}");
        assert!(!format!("{reload:?}").contains("canary"));
    }
}
