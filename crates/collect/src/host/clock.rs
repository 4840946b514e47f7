//! Synchronisation of the clock, from the files of the time daemon in `/run`.
//!
//! The kernel has a flag for this, which only `adjtimex` shows: a call that needs unsafe code and
//! that the sandbox of a hardened service refuses, as it can also set the clock. systemd-timesyncd
//! touches a file each time a server's answer has corrected the clock. Other daemons leave nothing
//! that can be read: there it is unknown.

use rustix::io::Errno;
use schema::Timestamp;

use crate::read::Tree;

/// Touched by systemd-timesyncd whenever it has corrected the clock.
const SYNCHRONISED: &str = "systemd/timesync/synchronized";
/// The directory the daemon makes when it starts.
const DAEMON: &str = "systemd/timesync";
/// The daemon asks at least each 2048 s (`PollIntervalMaxSec`); three answers may be lost.
const BELIEVED_SECS: i64 = 4 * 2048;

/// Returns whether the clock was corrected recently; `None` when that is unknown.
pub(super) fn synchronised(run: &mut Tree, now: Timestamp) -> Option<bool> {
    match run.stat(SYNCHRONISED) {
        Ok(stat) => {
            let age = (now.as_millis() / 1000).saturating_sub(stat.st_mtime);
            Some(age <= BELIEVED_SECS)
        }
        Err(Errno::NOENT) => run.stat(DAEMON).ok().map(|_| false),
        Err(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_daemon_and_its_last_correction() {
        let dir = tempfile::tempdir().unwrap();
        let mut run = Tree::new(dir.path());
        let at = |secs: i64| Timestamp::from_millis(secs * 1000);
        assert_eq!(synchronised(&mut run, at(0)), None, "no daemon");

        std::fs::create_dir_all(dir.path().join(DAEMON)).unwrap();
        assert_eq!(synchronised(&mut run, at(0)), Some(false), "not yet");

        std::fs::write(dir.path().join(SYNCHRONISED), "").unwrap();
        let touched = run.stat(SYNCHRONISED).unwrap().st_mtime;
        assert_eq!(synchronised(&mut run, at(touched + 60)), Some(true));
        assert_eq!(
            synchronised(&mut run, at(touched - 9)),
            Some(true),
            "a clock set back"
        );
        let late = at(touched + BELIEVED_SECS + 1);
        assert_eq!(synchronised(&mut run, late), Some(false), "no answer since");
    }
}
