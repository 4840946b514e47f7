//! One run at a time.

use anyhow::Context as _;
use rustix::fs::{FlockOperation, flock};
use rustix::io::Errno;
use std::fs::{DirBuilder, File};
use std::os::unix::fs::DirBuilderExt as _;
use std::path::Path;

/// Takes the lock of the folder, which is made if it is not there; `None` while another run holds it. The kernel gives it
/// back when the process ends, however that happens.
pub(crate) fn take(folder: &Path) -> anyhow::Result<Option<File>> {
    let mut builder = DirBuilder::new();
    let made = builder.recursive(true).mode(0o750).create(folder);
    made.with_context(|| format!("cannot make {}", folder.display()))?;
    let path = folder.join("lock");
    let file = File::options()
        .create(true)
        .truncate(false)
        .write(true)
        .open(&path)
        .with_context(|| format!("cannot open {}", path.display()))?;
    match flock(&file, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => Ok(Some(file)),
        Err(Errno::WOULDBLOCK) => Ok(None),
        Err(error) => Err(error).with_context(|| format!("cannot lock {}", path.display())),
    }
}
