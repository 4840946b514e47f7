//! Every file below `fixtures/config` is loaded; what is reported about it is compared with the
//! `.expected` file beside it. `UPDATE_EXPECTED=1` writes those files anew.
#![allow(clippy::unwrap_used, reason = "a test may fail")]

mod common;

use std::path::{Path, PathBuf};

use common::{load, write};
use config::Environment;

fn cases(kind: &str) -> Vec<PathBuf> {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../fixtures/config")
        .join(kind);
    let mut cases: Vec<PathBuf> = std::fs::read_dir(dir)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| {
            path.extension()
                .is_some_and(|extension| extension == "toml")
        })
        .collect();
    cases.sort();
    assert!(cases.len() > 3, "{kind}: {cases:?}");
    cases
}

/// Returns what is reported about `case`, with its name in place of the temporary path.
fn reported(case: &Path) -> (bool, String) {
    let dir = tempfile::tempdir().unwrap();
    let name = case.file_name().unwrap().to_str().unwrap();
    let path = write(dir.path(), name, &std::fs::read(case).unwrap(), 0o600);
    let (good, text) = match load(&path, &Environment::default()) {
        Ok(loaded) => {
            let mut text = String::new();
            for setting in loaded
                .effective
                .iter()
                .filter(|s| s.origin.as_str() != "default")
            {
                text += &format!("{} = {}\n", setting.key, setting.value);
            }
            for warning in loaded.warnings {
                text += &format!("{warning}\n");
            }
            (true, text)
        }
        Err(faults) => (false, format!("{faults}\n")),
    };
    (
        good,
        text.replace(&format!("{}/", dir.path().display()), ""),
    )
}

fn walk(kind: &str, wanted: bool) {
    let mut wrong = String::new();
    for case in cases(kind) {
        let (good, text) = reported(&case);
        assert_eq!(good, wanted, "{}: {text}", case.display());
        assert!(!text.contains("canary"), "{}: {text}", case.display());
        let expected = case.with_extension("expected");
        if std::env::var_os("UPDATE_EXPECTED").is_some() {
            std::fs::write(&expected, &text).unwrap();
        }
        let known = std::fs::read_to_string(&expected).unwrap_or_default();
        if known != text {
            wrong += &format!("--- {}\n{known}+++ now\n{text}", expected.display());
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

#[test]
fn valid_files_are_taken_as_expected() {
    walk("valid", true);
}

#[test]
fn invalid_files_are_refused_with_the_expected_words() {
    walk("invalid", false);
}
