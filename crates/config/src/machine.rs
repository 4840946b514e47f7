//! What the checks ask the machine.

use std::fmt;
use std::path::Path;
use std::sync::Arc;

use rustix::fs::{statfs, statvfs};

use crate::key::{Problem, Value};

/// `f_type` of tmpfs and ramfs, as in statfs(2).
const MEMORY_FILE_SYSTEMS: [i64; 2] = [0x0102_1994, 0x8584_58f6];

type Ask<T> = Arc<dyn Fn(&Path) -> Option<T> + Send + Sync>;

/// The machine's answers about a directory; for one that is not there yet, about the nearest above.
#[derive(Clone)]
pub struct Machine {
    free_mb: Ask<u64>,
    memory: Ask<bool>,
}

impl fmt::Debug for Machine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Machine")
    }
}

impl Machine {
    /// This machine.
    #[must_use]
    pub fn this() -> Self {
        Self::of(
            |path| {
                let found = statvfs(path).ok()?;
                Some(found.f_bavail.saturating_mul(found.f_frsize) >> 20)
            },
            |path| Some(MEMORY_FILE_SYSTEMS.contains(&statfs(path).ok()?.f_type)),
        )
    }

    /// Returns a machine that answers like this: megabytes free for us, and whether a file system is kept in
    /// memory. `None` means unknown.
    pub fn of(
        free_mb: impl Fn(&Path) -> Option<u64> + Send + Sync + 'static,
        memory: impl Fn(&Path) -> Option<bool> + Send + Sync + 'static,
    ) -> Self {
        Self {
            free_mb: Arc::new(free_mb),
            memory: Arc::new(memory),
        }
    }

    pub(crate) fn free_mb(&self, path: &Path) -> Option<u64> {
        path.ancestors().find_map(|path| (self.free_mb)(path))
    }

    pub(crate) fn is_memory(&self, path: &Path) -> bool {
        path.ancestors()
            .find_map(|path| (self.memory)(path))
            .unwrap_or(false)
    }
}

/// Accepts an absolute path, and an empty text for keys that may be left out.
pub(crate) fn absolute(value: &Value) -> Result<(), Problem> {
    match value {
        Value::Text(text) if text.is_empty() || Path::new(text).is_absolute() => Ok(()),
        Value::Text(text) => Err(Problem::new(
            format!("{} is relative", crate::key::quoted(text)),
            "write the whole path, beginning with a slash",
        )),
        _ => Ok(()),
    }
}
