//! Every tree below `fixtures/proc`, two samples of each, and what becomes of them as snapshots.
//!
//! `NAME/proc` and `NAME/sys` are the first sample; `NAME/later` is laid over it for the second,
//! ten seconds after. Directories of descriptors hold one empty file per descriptor.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use schema::{Cell, Row, Timestamp};

use crate::process::Units;
use crate::{Host, Moment, Mounts, Processes, Roots, run_one};

/// The trees.
pub(crate) fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/proc")
}

/// Copies a tree over another.
pub(crate) fn lay_over(from: &Path, to: &Path) {
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            std::fs::create_dir_all(&target).unwrap();
            lay_over(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).unwrap();
        }
    }
}

/// A copy of a tree that a test may change.
pub(crate) fn copy_of(name: &str) -> (tempfile::TempDir, Roots) {
    let dir = tempfile::tempdir().unwrap();
    lay_over(&fixtures().join(name), dir.path());
    let roots = Roots {
        proc: dir.path().join("proc"),
        sys: dir.path().join("sys"),
    };
    (dir, roots)
}

/// The kernel these trees are of: 100 ticks per second, pages of 4 KiB.
pub(crate) const UNITS: Units = Units {
    ticks_per_second: 100.0,
    page_bytes: 4096,
};

pub(crate) fn moment(secs: u64) -> Moment {
    Moment {
        ts: Timestamp::from_millis(1_700_000_000_000 + i64::try_from(secs).unwrap() * 1000),
        monotonic: Duration::from_secs(secs),
    }
}

/// One cell of a row by the name of its column.
pub(crate) fn cell<'a>(row: &'a Row, column: &str) -> &'a Cell {
    let at = row
        .table
        .columns
        .iter()
        .position(|declared| declared.name == column)
        .unwrap();
    &row.cells[at]
}

/// A row per paragraph, a known value per line; what depends on who runs the test left out.
fn render(rows: &[Row], root: &Path) -> String {
    let mut text = String::new();
    for row in rows {
        writeln!(text, "{}", row.table.name).unwrap();
        for (column, cell) in row.table.columns.iter().zip(&row.cells) {
            let value = match cell {
                Cell::Null => continue,
                Cell::Float(value) => format!("{value:.3}"),
                Cell::Int(value) => value.to_string(),
                Cell::Bool(value) => value.to_string(),
                Cell::Text(value) => format!("{:?}", value.replace(&*root.to_string_lossy(), "")),
                Cell::Json(value) => value.to_string(),
                Cell::Time(value) => value.as_micros().to_string(),
            };
            if !matches!(column.name, "uid" | "duration_ms") {
                writeln!(text, "  {} = {value}", column.name).unwrap();
            }
        }
    }
    text
}

#[tokio::test]
async fn two_samples_of_every_tree() {
    let mut names: Vec<String> = std::fs::read_dir(fixtures())
        .unwrap()
        .map(|entry| entry.unwrap())
        .filter(|entry| entry.file_type().unwrap().is_dir())
        .map(|entry| entry.file_name().into_string().unwrap())
        .collect();
    names.sort();
    assert!(names.len() >= 4, "{names:?}");
    for name in names {
        let (dir, roots) = copy_of(&name);
        let mut host = Host::new(&roots);
        let mut mounts = Mounts::probing(&roots, crate::mounts::tests::figures_of_any());
        let watched = vec!["watched-empty".to_owned(), "pqcrypta-collector".to_owned()];
        let mut processes = Processes::with_units(&roots, watched, UNITS);
        for (sample, secs) in [("first", 0), ("second", 10)] {
            if sample == "second" {
                lay_over(&dir.path().join("later"), dir.path());
            }
            let at = moment(secs);
            let mut rows = Vec::new();
            run_one(&mut host, &at, &mut rows).await;
            run_one(&mut mounts, &at, &mut rows).await;
            run_one(&mut processes, &at, &mut rows).await;
            insta::assert_snapshot!(format!("{name}-{sample}"), render(&rows, dir.path()));
        }
    }
}
