//! A data directory whose template of migrated databases exists already, kept for one run of the tests.
//!
//! Each test is a process of its own under nextest, and all migrations take seconds: they are applied once in a
//! run and PostgreSQL release, and copied from then on. A directory belongs to the run that made it
//! (`NEXTEST_RUN_ID`), so that migrations that have changed are never read from an older one; a run removes what
//! older ones left. Without that name each process applies them for itself.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::database::{MIGRATED, create_template, migrate};
use crate::error::TestkitError;
use crate::server::{Server, Stop};
use crate::setup::{cache, programs};

/// After this time no run that made a directory goes on.
const OLD: Duration = Duration::from_secs(6 * 3600);

/// Returns the directory of this run, made by the first that asks; `None` outside such a run.
pub(crate) fn migrated() -> Result<Option<PathBuf>, TestkitError> {
    #[expect(
        clippy::disallowed_methods,
        reason = "the runner names the run in the environment"
    )]
    let run = std::env::var("NEXTEST_RUN_ID").unwrap_or_default();
    if run.is_empty() || run.contains(['/', '.']) {
        return Ok(None);
    }
    let Some(cache) = cache(&programs()?)? else {
        return Ok(None);
    };
    let kept = cache.join(format!("{MIGRATED}-{run}"));
    let path = cache.join("migrated.lock");
    let lock = File::create(&path).map_err(TestkitError::io("create", &path))?;
    lock.lock().map_err(TestkitError::io("lock", &path))?;
    if !kept.is_dir() {
        remove_old(&cache);
        make(&kept)?;
    }
    Ok(Some(kept))
}

fn make(kept: &Path) -> Result<(), TestkitError> {
    // What is not needed any more is removed, not kept for later: it would be copied each time.
    let server = Server::builder().setting("wal_recycle", "off").start()?;
    let filled = std::thread::scope(|scope| {
        // A thread, since the caller may be within a runtime.
        let fill = scope.spawn(|| {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .map_err(TestkitError::io("begin a runtime for", kept))?;
            runtime.block_on(create_template(&server, MIGRATED, async |target| {
                migrate(&target).await
            }))
        });
        fill.join()
    });
    filled.unwrap_or_else(|panic| std::panic::resume_unwind(panic))?;
    server.stop(Stop::Fast)?;
    fs::rename(server.data_dir(), kept).map_err(TestkitError::io("keep", kept))
}

/// Removes what runs of long ago have left. One that cannot be removed costs nothing but its room.
fn remove_old(cache: &Path) {
    for entry in fs::read_dir(cache).into_iter().flatten().flatten() {
        let is_kept =
            entry.file_name().to_string_lossy().starts_with(MIGRATED) && entry.path().is_dir();
        let made = entry.metadata().and_then(|found| found.modified());
        let age = made.ok().and_then(|made| made.elapsed().ok());
        if is_kept && age.is_some_and(|age| age > OLD) {
            drop(fs::remove_dir_all(entry.path()));
        }
    }
}
