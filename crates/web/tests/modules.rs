//! The modules of this crate import each other in one direction.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

/// Module → the modules it imports.
type Imports = BTreeMap<String, BTreeSet<String>>;

/// Returns the top-level modules that a source imports, its tests apart.
fn imports(source: &str) -> BTreeSet<String> {
    let code = source.split("#[cfg(test)]").next().unwrap_or_default();
    let code: Vec<&str> = code
        .lines()
        .map(|line| line.split("//").next().unwrap_or_default())
        .collect();
    let code = code.join("\n");
    let mut found = BTreeSet::new();
    for rest in code.split("crate::").skip(1) {
        let Some(list) = rest.strip_prefix('{') else {
            found.insert(first_word(rest));
            continue;
        };
        let mut depth = 0;
        let mut start = 0;
        for (at, c) in list.char_indices() {
            match c {
                '{' => depth += 1,
                '}' | ',' if depth == 0 => {
                    found.insert(first_word(list[start..at].trim()));
                    start = at + 1;
                    if c == '}' {
                        break;
                    }
                }
                '}' => depth -= 1,
                _ => {}
            }
        }
    }
    found.remove("");
    found
}

fn first_word(text: &str) -> String {
    text.chars()
        .take_while(|c| c.is_alphanumeric() || *c == '_')
        .collect()
}

/// Returns the modules that import themselves by way of others.
fn in_cycles(modules: &Imports) -> BTreeSet<&str> {
    let reaches = |start: &str| {
        let mut seen = BTreeSet::new();
        let mut todo: Vec<&str> = vec![start];
        while let Some(next) = todo.pop() {
            for import in modules.get(next).into_iter().flatten() {
                if seen.insert(import.as_str()) {
                    todo.push(import);
                }
            }
        }
        seen.contains(start)
    };
    let names = modules.keys().map(String::as_str);
    names.filter(|name| reaches(name)).collect()
}

fn read(folder: &Path, module: Option<&str>, modules: &mut Imports) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let stem = path.file_stem().unwrap().to_str().unwrap().to_owned();
        let name = module.unwrap_or(&stem);
        if path.is_dir() {
            read(&path, Some(name), modules);
        } else if path.extension().is_some_and(|end| end == "rs") && name != "lib" {
            let mut found = imports(&fs::read_to_string(&path).unwrap());
            found.remove(name);
            modules.entry(name.to_owned()).or_default().extend(found);
        }
    }
}

#[test]
fn no_module_imports_itself_by_way_of_others() {
    let mut modules = Imports::new();
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    read(&source, None, &mut modules);
    assert!(modules["api"].contains("app"), "{modules:?}");
    assert!(modules["app"].contains("wire"), "{modules:?}");
    assert_eq!(in_cycles(&modules), BTreeSet::new());
}

#[test]
fn a_cycle_is_found() {
    let sources = [
        ("a", "use crate::b::B;"),
        ("b", "use crate::{c, d::{E, F}};"),
        ("c", "// use crate::a\nfn c() { crate::a::call() }"),
        ("d", "#[cfg(test)]\nuse crate::a;"),
    ];
    let modules = sources
        .map(|(name, source)| (name.to_owned(), imports(source)))
        .into();
    assert_eq!(in_cycles(&modules), BTreeSet::from(["a", "b", "c"]));
}
