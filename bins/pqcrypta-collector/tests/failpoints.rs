//! Every named place of queue, spool, writer and judging, with every fault (half of them for each change): the process dies
//! there, the step fails, is cut short, or takes long. The names are read from the sources, so that none is
//! forgotten. Afterwards each delivered record must be one row.

#![allow(missing_docs, clippy::unwrap_used, reason = "a test")]

mod common;

use common::{Home, database, settle_and_check, times};
use futures_util::{FutureExt, StreamExt};
use std::collections::BTreeSet;
use std::panic::AssertUnwindSafe;
use std::path::Path;
use std::time::Duration;

/// Hosts at a time; they mostly sleep.
const AT_ONCE: usize = 8;

/// Faults of every place. `3+`: once things are under way; a fault at the very first pass has its turn in the second
/// round.
const FAULTS: [&str; 5] = [
    "3+1*abort",
    "1*abort",
    "2+2*error",
    "2*error",
    "1+2*delay(700)",
];

/// The fault of a place that writes bytes.
const SHORT: &str = "2+1*short";

/// Finds every place below a directory, and whether it writes bytes.
fn find_places(dir: &Path, found: &mut BTreeSet<(String, bool)>) {
    for entry in std::fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            find_places(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs")
            && !path.ends_with("failpoint.rs")
        {
            let text = std::fs::read_to_string(&path).unwrap();
            for part in text.split("failpoint!(\"").skip(1) {
                let (name, rest) = part.split_once('"').unwrap();
                found.insert((name.to_owned(), rest.starts_with(',')));
            }
        }
    }
}

#[tokio::test]
async fn f02_every_named_place_with_every_fault() {
    let mut found = BTreeSet::new();
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    find_places(&package.join("src"), &mut found);
    find_places(&package.join("../../crates/store/src"), &mut found);
    assert!(found.len() >= 20, "{found:?}");
    assert!(found.iter().any(|(_, writes)| *writes), "{found:?}");
    let cases: Vec<String> = found
        .iter()
        .flat_map(|(name, writes)| {
            let short = writes.then_some(SHORT);
            let faults = FAULTS.into_iter().chain(short);
            faults.map(move |fault| format!("{name}={fault}"))
        })
        .collect();
    // Every second one for a change, so that each place and each fault has its turn, and all of them by night.
    let part = cases.len() / times(cases.len().div_ceil(2), cases.len(), cases.len());
    let cases: Vec<String> = cases.into_iter().step_by(part).collect();
    let count = cases.len();
    let failed: Vec<String> = futures_util::stream::iter(cases)
        .map(|case| async move {
            let outcome = AssertUnwindSafe(inject(&case)).catch_unwind().await;
            outcome.err().map(|_| case)
        })
        .buffer_unordered(AT_ONCE)
        .filter_map(async |case| case)
        .collect()
        .await;
    assert!(
        failed.is_empty(),
        "of {count} cases these failed, as printed above: {failed:?}"
    );
    println!("{count} cases");
}

/// A host that meets one fault, and the oracle afterwards.
async fn inject(case: &str) {
    let database = database().await;
    let home = Home::new(&database.target());
    // Of the server it looks into an empty database: no place is named in what asks for tables and indexes, and a fifth of the time
    // of this test went into asking for those of the store.
    home.configure(
        &database.target(),
        "[[postgres]]\nname = \"store\"\ndatabases = [\"postgres\"]",
    );
    let mut agent = home.start_with(&[("FAILPOINTS", case)]);
    // As long as its first ticks take, or until it has met its end.
    for _ in 0..42 {
        if agent.child.try_wait().unwrap().is_some() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    agent.kill();
    settle_and_check(&home, &database.target()).await;
}
