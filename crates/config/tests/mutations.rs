//! Whatever happens to a file, it is taken or refused with a place; it never panics and never shows
//! a secret.
#![allow(clippy::unwrap_used, reason = "a test may fail")]

mod common;

use common::{load, load_text, write};
use config::{Config, Environment, Faults, Key, Kind, List, Loaded, Slot};

const WHOLE: &str = include_str!("../../../fixtures/config/valid/everything.toml");

/// Loads `text`; a refusal must name file and line.
fn checked(text: &str, what: &str) -> Result<Loaded, Faults> {
    let result = load_text(text, &Environment::default());
    if let Err(faults) = &result {
        let text = faults.to_string();
        assert!(!text.contains("canary"), "{what}: {text}");
        for line in text.lines() {
            let place = line.split_once("collector.toml:").map(|(_, rest)| rest);
            let number = place.and_then(|rest| rest.split(':').next()?.parse::<usize>().ok());
            assert!(number.is_some_and(|number| number > 0), "{what}: {line}");
        }
    }
    result
}

/// Returns the file with the line of `name` in `section` replaced.
fn with_line(section: &str, name: &str, replacement: &str) -> String {
    let (mut here, mut out) = (String::new(), String::new());
    for line in WHOLE.lines() {
        if line.starts_with('[') {
            line.trim_matches(['[', ']']).clone_into(&mut here);
        }
        if here == section && line.starts_with(&format!("{name} =")) {
            out.push_str(replacement);
        } else {
            out.push_str(line);
        }
        out.push('\n');
    }
    out
}

/// Keys that the fixture sets, by a line of their own.
fn keys() -> impl Iterator<Item = &'static Key> {
    let elsewhere = [
        "database.password_file",
        "postgres.password",
        "scrape.target.root_cert",
    ];
    Config::keys().filter(move |key| {
        !elsewhere.contains(&key.path)
            && key.kind != Kind::Map
            && !(key.listed && key.name.ends_with("_file"))
    })
}

/// Returns the key in the first entry, when it is one of a list.
fn slot(key: &'static Key) -> Slot {
    let entry = key.listed.then_some(0);
    Slot { key, entry }
}

/// Returns the value of an entry that sets nothing.
fn default(key: &'static Key) -> Option<config::Value> {
    let defaults = Config::default();
    if !key.listed {
        return defaults.get(key);
    }
    let mut blanks = defaults.lists().into_iter().map(List::blank);
    blanks
        .find(|blank| blank.name() == key.section)?
        .get(key.name)
}

#[test]
fn a_missing_key_is_its_default() {
    for key in keys() {
        let Ok(loaded) = checked(&with_line(key.section, key.name, ""), key.path) else {
            // Without it the rest may not fit together, e.g. the order of the retention.
            continue;
        };
        assert_eq!(loaded.config.get(slot(key)), default(key), "{}", key.path);
    }
}

#[test]
fn a_wrong_type_names_key_and_wanted_type() {
    for key in keys() {
        for (kind, text) in [
            (Kind::Text, "\"x\""),
            (Kind::Int, "7"),
            (Kind::Bool, "true"),
            (Kind::List, "[\"x\"]"),
            (Kind::Secret, "1.5"),
            (Kind::Secret, "{ a = 1 }"),
            (Kind::Secret, "2026-11-22"),
            (Kind::Secret, "[[1]]"),
        ] {
            let wanted = if key.kind == Kind::Secret {
                Kind::Text
            } else {
                key.kind
            };
            if wanted == kind {
                continue;
            }
            let line = format!("{} = {text}", key.name);
            let faults = checked(&with_line(key.section, key.name, &line), key.path)
                .expect_err(&format!("{}: {text}", key.path));
            assert!(faults.to_string().contains(&slot(key).path()), "{faults}");
        }
    }
}

#[test]
fn a_huge_value_is_refused_in_few_words() {
    let long = "9".repeat(100_000);
    for key in keys() {
        for value in [long.clone(), format!("\"{long}\""), format!("[\"{long}\"]")] {
            let line = format!("{} = {value}", key.name);
            let faults =
                checked(&with_line(key.section, key.name, &line), key.path).expect_err(key.path);
            assert!(faults.to_string().len() < 2000, "{}", key.path);
        }
    }
}

#[test]
fn a_duplicate_key_is_refused() {
    for key in keys() {
        let line = format!("{} = 1\n{} = 1", key.name, key.name);
        let faults = checked(&with_line(key.section, key.name, &line), key.path).unwrap_err();
        assert!(faults.to_string().contains("is there twice"), "{faults}");
    }
}

#[test]
fn a_file_cut_at_any_byte_is_taken_or_refused_with_a_place() {
    for end in 0..WHOLE.len() {
        // What is cut within a value can still be valid, e.g. 60 of 600; the rest is a fault.
        drop(checked(&WHOLE[..end], &format!("cut at {end}")));
    }
    // A key without a value never passes.
    for (start, _) in WHOLE.match_indices(" = ") {
        assert!(checked(&WHOLE[..start + 3], "no value").is_err(), "{start}");
    }
}

#[test]
fn a_damaged_byte_is_taken_or_refused_with_a_place() {
    let dir = tempfile::tempdir().unwrap();
    for at in 0..WHOLE.len() {
        for byte in [b'\0', b'"', b'\n'] {
            let mut bytes = WHOLE.as_bytes().to_vec();
            bytes[at] = byte;
            let path = write(dir.path(), "collector.toml", &bytes, 0o600);
            if let Err(faults) = load(&path, &Environment::default()) {
                assert!(
                    faults.to_string().contains("collector.toml"),
                    "{at} {byte}: {faults}"
                );
            }
        }
    }
}
