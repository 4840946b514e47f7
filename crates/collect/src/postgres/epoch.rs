//! Whose counters are these?
//!
//! A counter may only be compared with an earlier value of the same count. What begins a new count: a
//! reset by hand, which moves a `stats_reset`; a crash, which clears everything and moves that of the
//! background writer; another server behind the same address, which has another system identifier or
//! timeline. A clean restart keeps the counts, so the start of the postmaster is not part of it.
//!
//! Each family has its own mark, so that one which our role may not read makes its own counters unknown
//! and no others. Marks are kept as long as a session lives: a crash would have ended it, and a family
//! that fails once must not look like a reset of its neighbours.

use crate::fnv::fnv1a;
use std::collections::BTreeMap;

/// The family that identifies cluster and timeline.
pub(super) const CLUSTER: &str = "cluster";
/// The family whose mark moves with every crash.
pub(super) const CRASH: &str = "crash_mark";
/// The families whose counters stand in the server's own row. A crash moves the marks of each.
const OF_SERVER: [&str; 3] = ["archiver", "checkpointer", "wal"];
/// A mark that is not known, or was never set.
const UNKNOWN: &str = "-";

/// The marks of a server by family, as a session last read them.
#[derive(Clone, Debug, Default)]
pub(super) struct Marks {
    known: BTreeMap<&'static str, String>,
}

impl Marks {
    /// Takes the mark of a family.
    pub(super) fn note(&mut self, family: &'static str, mark: &str) {
        self.known.insert(family, mark.to_owned());
    }

    /// Returns whether the mark of this family is known.
    pub(super) fn has(&self, family: &str) -> bool {
        self.known.contains_key(family)
    }

    fn of(&self, family: &str) -> &str {
        self.known.get(family).map_or(UNKNOWN, String::as_str)
    }

    /// Returns what owns the counters: system identifier, timeline and the mark of crashes.
    pub(super) fn lineage(&self) -> String {
        match self.of(CLUSTER) {
            UNKNOWN => format!("{UNKNOWN}/{UNKNOWN}/{}", self.of(CRASH)),
            cluster => format!("{cluster}/{}", self.of(CRASH)),
        }
    }

    /// Returns the epoch of counters with this mark. Unknown where neither the mark nor that of crashes is known:
    /// a crash that cleared them would pass unnoticed.
    pub(super) fn epoch(&self, mark: &str) -> Option<String> {
        let is_known = self.has(CRASH) || mark != UNKNOWN;
        is_known.then(|| epoch(&self.lineage(), mark))
    }

    /// Returns the epoch of the server's own row.
    pub(super) fn of_server(&self) -> Option<String> {
        let is_known = OF_SERVER.iter().any(|family| self.has(family));
        let marks = OF_SERVER.map(|family| self.of(family)).join("/");
        is_known.then(|| epoch(&self.lineage(), &marks))
    }
}

/// Makes the text that is equal as long as the counts go on: 16 hexadecimal digits of what owns the counters
/// and since when they count.
fn epoch(lineage: &str, mark: &str) -> String {
    // Stable across builds: an upgrade of the agent must not look like a reset.
    let bytes = lineage.bytes().chain([0]).chain(mark.bytes());
    let hash = fnv1a(bytes);
    format!("{hash:016x}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_epoch_changes_with_each_of_its_parts_and_never_between_builds() {
        assert_eq!(epoch("a/1", "5"), epoch("a/1", "5"));
        let others = [("a/2", "5"), ("a/1", "6"), ("a/15", ""), ("a/1", "-")];
        for (lineage, reset) in others {
            assert_ne!(
                epoch(lineage, reset),
                epoch("a/1", "5"),
                "{lineage} {reset}"
            );
        }
        assert_eq!(epoch("7/1/2.5", "-"), "dbded066b530ba8d");
    }

    #[test]
    fn what_cannot_be_read_makes_unknown_what_hangs_on_it_alone() {
        let given = |marks: &[(&'static str, &str)]| {
            let mut all = Marks::default();
            for (family, mark) in marks {
                all.note(family, mark);
            }
            all
        };
        let all = given(&[
            (CLUSTER, "7/1"),
            (CRASH, "2.5"),
            ("wal", "3"),
            ("archiver", "4"),
        ]);
        assert_eq!(all.lineage(), "7/1/2.5");
        assert_eq!(all.epoch("-").as_deref(), Some("dbded066b530ba8d"));
        assert!(all.of_server().is_some());
        let no_crash = given(&[(CLUSTER, "7/1"), ("wal", "3")]);
        assert_eq!(
            no_crash.epoch("-"),
            None,
            "never reset: a crash would not show"
        );
        assert!(
            no_crash.epoch("8").is_some(),
            "a crash takes this mark away"
        );
        assert!(no_crash.of_server().is_some());
        let no_cluster = given(&[(CRASH, "2.5")]);
        assert_eq!(no_cluster.lineage(), "-/-/2.5");
        assert!(no_cluster.epoch("-").is_some());
        assert_eq!(no_cluster.of_server(), None, "nothing of the row was read");
    }
}
