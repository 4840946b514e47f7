//! How many descriptors a process has open.
//!
//! Since Linux 6.2 the size of `/proc/PID/fd` is that number, which one `fstatat` gives at a
//! quarter of the cost of listing. Older kernels give 0 there, so that the way is chosen once, by
//! doing both for the process that reads.

use rustix::io::Errno;

use crate::read::Tree;

/// Tries to get the same answer twice; another thread may open something in between.
const ATTEMPTS: usize = 3;

/// Counts descriptors in the way this kernel allows.
#[derive(Debug)]
pub(crate) struct Descriptors {
    by_size: Option<bool>,
}

impl Descriptors {
    pub(crate) const fn new() -> Self {
        Self { by_size: None }
    }

    /// Returns whether the size of the directory is the number, as far as it was asked yet.
    pub(crate) fn is_by_size(&self) -> bool {
        self.by_size == Some(true)
    }

    /// Counts the descriptors in the directory, as `123/fd`.
    pub(crate) fn count(&mut self, proc: &mut Tree, path: &str) -> Result<i64, Errno> {
        let by_size = match self.by_size {
            Some(by_size) => by_size,
            None => *self.by_size.insert(size_is_count(proc)?),
        };
        if by_size {
            return proc.stat(path).map(|stat| stat.st_size);
        }
        listed(proc, path)
    }
}

fn listed(proc: &mut Tree, path: &str) -> Result<i64, Errno> {
    let mut count = 0;
    proc.list(path, |_, _| count += 1)?;
    Ok(count)
}

fn size_is_count(proc: &mut Tree) -> Result<bool, Errno> {
    for _ in 0..ATTEMPTS {
        let size = match proc.stat("self/fd") {
            Ok(stat) => stat.st_size,
            Err(Errno::NOENT | Errno::NOTDIR) => return Ok(false),
            Err(error) => return Err(error),
        };
        // the list holds the descriptor it is read through
        if size > 0 && listed(proc, "self/fd")? == size + 1 {
            return Ok(true);
        }
    }
    Ok(false)
}
