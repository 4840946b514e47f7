//! The log: one write per line, appended, so that lines of other writers are never inside one.

use crate::clock;
use anyhow::Context as _;
use health::{Outcome, summary, text_of};
use std::fs::File;
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::time::Duration;

/// Appends a line for each result and one that counts them; to standard output without a path.
pub(crate) fn write(
    path: Option<&Path>,
    outcomes: &[Outcome],
    took: Duration,
) -> anyhow::Result<()> {
    let at = clock::local_text();
    let lines = outcomes.iter().map(|outcome| text_of(outcome, &at));
    let lines = lines.chain([summary(outcomes, took, &at)]);
    let Some(path) = path else {
        let mut output = std::io::stdout();
        for line in lines {
            output.write_all(line.as_bytes()).context("cannot print")?;
        }
        return Ok(());
    };
    let mut file = File::options()
        .create(true)
        .append(true)
        .mode(0o640)
        .open(path)
        .with_context(|| format!("cannot open the log {}", path.display()))?;
    for line in lines {
        let written = file.write(line.as_bytes());
        let written = written.with_context(|| format!("cannot append to {}", path.display()))?;
        // A rest would be a line of its own.
        anyhow::ensure!(written == line.len(), "{} takes no more", path.display());
    }
    Ok(())
}
