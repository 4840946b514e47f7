//! Seeds from the fixtures.

use std::fs;
use std::path::{Path, PathBuf};

/// Longest seed; a fuzzer learns more from short ones.
const LONGEST: usize = 8 * 1024;

/// Returns name and content of the files below this folder of `fixtures/` whose name ends so.
pub(crate) fn files(folder: &str, ending: &str) -> Vec<(PathBuf, Vec<u8>)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../fixtures")
        .join(folder);
    let mut found = Vec::new();
    collect(&root, ending, &mut found);
    found.sort();
    found
}

fn collect(folder: &Path, ending: &str, found: &mut Vec<(PathBuf, Vec<u8>)>) {
    let entries = fs::read_dir(folder).expect("a folder of fixtures");
    for entry in entries {
        let path = entry.expect("an entry of a folder").path();
        if path.is_dir() {
            collect(&path, ending, found);
        } else if path.to_string_lossy().ends_with(ending) {
            let mut content = fs::read(&path).expect("a fixture");
            content.truncate(LONGEST);
            found.push((path, content));
        }
    }
}

/// Returns the input with a first byte that makes a choice.
pub(crate) fn choosing(choice: usize, input: &[u8]) -> Vec<u8> {
    let choice = u8::try_from(choice).expect("fewer than 256 choices");
    [&[choice], input].concat()
}
