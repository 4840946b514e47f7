//! How the last run of this queue ended, where the database does not know.
//!
//! A run that is stopped while there is no session cannot close itself in the database, and the next one took it for crashed. So each
//! orderly end is a file of the queue's folder, `ended`: the run's id and the instant in microseconds. It is read when the next run
//! closes those before it; one that cannot be read is none, and a later crash leaves one of an earlier run, which is closed by then.

use schema::Timestamp;
use std::io;
use std::path::Path;
use uuid::Uuid;

/// The file's name.
const NAME: &str = "ended";

/// An orderly end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Ending {
    /// The run.
    pub(super) run: Uuid,
    /// When it ended.
    pub(super) at: Timestamp,
}

/// Reads the last end of a queue.
pub(super) fn read(queue: &Path) -> Option<Ending> {
    let text = std::fs::read_to_string(queue.join(NAME)).ok()?;
    let (run, at) = text.strip_suffix('\n')?.split_once(' ')?;
    Some(Ending {
        run: run.parse().ok()?,
        at: Timestamp(at.parse().ok()?),
    })
}

/// Notes the end of a run.
///
/// # Errors
/// When the file cannot be written.
pub(super) fn note(queue: &Path, ending: Ending) -> io::Result<()> {
    let Ending { run, at } = ending;
    std::fs::write(queue.join(NAME), format!("{run} {}\n", at.as_micros()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_end_is_read_as_it_was_noted_and_a_torn_one_is_none() {
        let dir = tempfile::tempdir().expect("a folder");
        assert_eq!(read(dir.path()), None);
        let ending = Ending {
            run: Uuid::from_u128(7),
            at: Timestamp(1_790_000_000_123_456),
        };
        note(dir.path(), ending).expect("noted");
        assert_eq!(read(dir.path()), Some(ending));
        let path = dir.path().join(NAME);
        let whole = std::fs::read(&path).expect("the file");
        for length in 0..whole.len() {
            std::fs::write(&path, &whole[..length]).expect("written");
            assert_eq!(read(dir.path()), None, "{length} bytes");
        }
    }
}
