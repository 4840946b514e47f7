//! `docs/ARCHITECTURE.md` lists every crate and what it imports of ours.
#![allow(clippy::unwrap_used, reason = "a test may fail")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

type Imports = BTreeMap<String, BTreeSet<String>>;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// Returns the lines of a section of a manifest.
fn section<'a>(manifest: &'a str, name: &str) -> impl Iterator<Item = &'a str> {
    let head = format!("[{name}]");
    manifest
        .lines()
        .skip_while(move |line| *line != head)
        .skip(1)
        .take_while(|line| !line.starts_with('['))
}

/// Returns the names before `.` or ` =` of these lines.
fn names<'a>(lines: impl Iterator<Item = &'a str>) -> BTreeSet<String> {
    lines
        .filter_map(|line| line.split(['.', ' ', '=']).next())
        .filter(|name| !name.is_empty() && !name.starts_with('#'))
        .map(str::to_owned)
        .collect()
}

/// Returns the manifests of the workspace, by folder.
fn manifests() -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    for parent in ["bins", "crates", "examples", "fuzz", "."] {
        for entry in fs::read_dir(root().join(parent)).unwrap() {
            let entry = entry.unwrap();
            let manifest = entry.path().join("Cargo.toml");
            if let Ok(text) = fs::read_to_string(manifest) {
                let folder = format!("{parent}/{}", entry.file_name().to_str().unwrap());
                found.insert(folder.trim_start_matches("./").to_owned(), text);
            }
        }
    }
    // The fuzzers have a workspace of their own.
    found.remove("fuzz");
    found
}

fn imports() -> Imports {
    let workspace = fs::read_to_string(root().join("Cargo.toml")).unwrap();
    let lines = section(&workspace, "workspace.dependencies");
    let ours = names(lines.filter(|line| line.contains("path = ")));
    let of = |manifest: &String| {
        let imported = names(section(manifest, "dependencies"));
        imported.intersection(&ours).cloned().collect()
    };
    manifests()
        .iter()
        .map(|(folder, manifest)| (folder.clone(), of(manifest)))
        .collect()
}

/// Returns the rows of the table whose second cell is text and whose third lists imports.
fn listed(document: &str) -> Imports {
    let rows = document
        .lines()
        .skip_while(|line| !line.starts_with("| crate "))
        .skip(2)
        .take_while(|line| line.starts_with('|'));
    rows.map(|row| {
        let cells: Vec<&str> = row.trim_matches('|').split('|').map(str::trim).collect();
        let imports = cells[2].split(", ").filter(|name| *name != "–");
        (
            cells[0].trim_matches('`').to_owned(),
            imports.map(str::to_owned).collect(),
        )
    })
    .collect()
}

#[test]
fn the_table_of_crates_is_that_of_the_manifests() {
    let document = fs::read_to_string(root().join("docs/ARCHITECTURE.md")).unwrap();
    let mut listed = listed(&document);
    // Not a crate.
    listed.remove("ui");
    let imports = imports();
    for (folder, names) in &imports {
        assert_eq!(listed.get(folder), Some(names), "{folder}");
    }
    assert_eq!(listed.len(), imports.len(), "crates that do not exist");
}

#[test]
fn a_wrong_row_is_found() {
    let wrong = "| crate | what | imports |\n|---|---|---|\n| `crates/pg` | x | config, web |\n";
    assert_ne!(listed(wrong)["crates/pg"], imports()["crates/pg"]);
}
