//! Every named place of queue, spool, writer and judging, with every fault: the process dies there, the
//! step fails, is cut short, or takes long. The names are read from the sources, so that none is
//! forgotten. Afterwards each delivered record must be one row.

#![allow(missing_docs, clippy::unwrap_used, reason = "a test")]

mod common;

use common::{Home, database, settle_and_check};
use futures_util::{FutureExt, StreamExt};
use std::collections::BTreeSet;
use std::panic::AssertUnwindSafe;
use std::path::Path;
use std::time::Duration;

/// Hosts at a time; they mostly sleep.
const AT_ONCE: usize = 6;

fn names(dir: &Path, found: &mut BTreeSet<String>) {
    for entry in std::fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            names(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs")
            && !path.ends_with("failpoint.rs")
        {
            let text = std::fs::read_to_string(&path).unwrap();
            for part in text.split("failpoint!(\"").skip(1) {
                found.insert(part.split('"').next().unwrap().to_owned());
            }
        }
    }
}

#[tokio::test]
async fn f02_every_named_place_with_every_fault() {
    let mut found = BTreeSet::new();
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    names(&package.join("src"), &mut found);
    names(&package.join("../../crates/store/src"), &mut found);
    assert!(found.len() >= 20, "{found:?}");
    // `3+`: once things are under way; a fault at the very first pass has its turn in the second round.
    let faults = [
        "3+1*abort",
        "1*abort",
        "2+2*error",
        "2*error",
        "2+1*short",
        "1+2*delay(700)",
    ];
    let cases: Vec<(String, &str)> = found
        .iter()
        .flat_map(|name| faults.iter().map(move |fault| (name.clone(), *fault)))
        .collect();
    let count = cases.len();
    let failed: Vec<String> = futures_util::stream::iter(cases)
        .map(|(name, fault)| async move {
            let case = format!("{name}={fault}");
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
    let agent = home.start_with(&[("FAILPOINTS", case)]);
    tokio::time::sleep(Duration::from_millis(4200)).await;
    agent.kill();
    settle_and_check(&home, &database.target()).await;
}
