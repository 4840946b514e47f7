//! File systems that turned read-only: the kernel stops writing to one whose disk failed.
//!
//! A mount is to be writable when `/etc/fstab` or its own options say so, when it was writable earlier in this run, or
//! when the finding about it is open: so a restart does not end what goes on.

use crate::judge::{Judge, TickFacts};
use crate::lifecycle::{Evaluation, Lifecycle};
use crate::memory::fields::Fields;
use crate::quoting;
use crate::rule::{Life, Rule};
use schema::finding::Kind;
use schema::tables::MountSample;
use schema::{Finding, Sample, Severity, Timestamp};
use std::collections::HashSet;

/// A file system that was writable is not.
pub const READ_ONLY: Rule = Rule {
    id: "mount_read_only",
    kind: Kind::Alert,
    domain: "mount",
    title: "File system turned read-only",
    life: Life::sampled(0),
    because: &[],
};

/// The rules of this judge.
pub const RULES: &[Rule] = &[READ_ONLY];

/// Judges mounts.
#[derive(Debug, Default)]
pub struct MountJudge {
    /// Mounts that were writable.
    writable: HashSet<Box<str>>,
}

impl Judge for MountJudge {
    type Facts<'a> = TickFacts<'a>;

    fn rules() -> impl Iterator<Item = &'static Rule> {
        RULES.iter()
    }

    fn evaluate(&mut self, facts: TickFacts<'_>, open: &Lifecycle, _: Timestamp) -> Evaluation {
        let mut evaluation = Evaluation::default();
        let mut has_mounts = false;
        for row in facts.rows_of(MountSample::TABLE) {
            has_mounts = true;
            let fields = Fields(row);
            let mount = fields.text("mount");
            if fields.flag("read_only") != Some(true) {
                if !self.writable.contains(mount) {
                    self.writable.insert(mount.into());
                }
                continue;
            }
            let is_to_be_writable = match fields.flag("is_to_be_writable") {
                // Whoever mounted it read-only by hand did so on purpose only where fstab agrees.
                Some(is_to_be) => is_to_be,
                None => self.writable.contains(mount),
            };
            if is_to_be_writable || open.severity(READ_ONLY.id, mount).is_some() {
                evaluation.found.push(finding(mount, fields.text("device")));
            }
        }
        if has_mounts {
            evaluation.rules.push(&READ_ONLY);
        }
        evaluation
    }
}

fn finding(mount: &str, device: &str) -> Finding {
    let message = format!(
        "File system {} ({}) is read-only",
        words::cut(mount, 60),
        words::cut(device, 60)
    );
    Finding {
        steps: vec![
            "The kernel does this when a disk fails; its log has the cause. Repair it with fsck before it is written again:".to_owned(),
        ],
        command: Some(match quoting::shell(mount) {
            Some(mount) => format!("journalctl -k -p warning --since -1d; findmnt {mount}"),
            None => "journalctl -k -p warning --since -1d".to_owned(),
        }),
        metric: Some("mount.used_pct".to_owned()),
        metric_key: Some(mount.to_owned()),
        ..READ_ONLY.finding(mount, Severity::Critical, message)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::live::Intervals;
    use crate::memory::Memory;
    use schema::Row;
    use schema::micros::SECOND;

    const NOW: i64 = 1_800_000_000 * SECOND;
    const INTERVALS: Intervals = Intervals {
        host: 10 * SECOND,
        services: 10 * SECOND,
    };

    fn mount(tick: i64, read_only: bool, is_to_be_writable: Option<bool>) -> Row {
        MountSample {
            mount: "/srv/data".to_owned(),
            device: "/dev/sdb1".to_owned(),
            fs_type: "ext4".to_owned(),
            read_only,
            is_to_be_writable,
            ..MountSample::default()
        }
        .into_row(Timestamp(NOW + tick * 10 * SECOND))
    }

    /// Follows a mount tick by tick: whether it is read-only, and whether it is to be writable.
    fn steps(ticks: &[(bool, Option<bool>)]) -> Vec<(usize, String)> {
        let mut memory = Memory::new(INTERVALS).unwrap();
        let mut judge = MountJudge::default();
        let mut lifecycle = Lifecycle::new(MountJudge::rules());
        let mut steps = Vec::new();
        for (tick, (read_only, to_be)) in ticks.iter().enumerate() {
            let rows = [mount(i64::try_from(tick).unwrap(), *read_only, *to_be)];
            memory.take(&rows);
            let facts = TickFacts {
                memory: &mut memory,
                rows: &[&rows],
                intervals: INTERVALS,
            };
            let evaluation = judge.evaluate(facts, &lifecycle, rows[0].ts);
            let told = lifecycle.reconcile(evaluation, rows[0].ts);
            steps.extend(told.into_iter().map(|(_, row)| (tick, row.transition)));
        }
        steps
    }

    #[test]
    fn what_was_or_is_to_be_writable_is_reported() {
        let opened = |tick| vec![(tick, "opened".to_owned())];
        for (name, ticks, expected) in [
            ("mounted read-only", vec![(true, None); 3], vec![]),
            ("was writable", vec![(false, None), (true, None)], opened(1)),
            ("fstab says rw", vec![(true, Some(true))], opened(0)),
            (
                "fstab says ro",
                vec![(false, Some(false)), (true, Some(false))],
                vec![],
            ),
            (
                "until two samples are good",
                vec![(false, None), (true, None), (false, None), (false, None)],
                vec![(1, "opened".to_owned()), (3, "resolved".to_owned())],
            ),
        ] {
            assert_eq!(steps(&ticks), expected, "{name}");
        }
    }

    #[test]
    fn untrusted_names_stay_out_of_commands() {
        for (mount, expected) in [
            (
                "/srv/data",
                "journalctl -k -p warning --since -1d; findmnt /srv/data",
            ),
            (
                "/srv/a b",
                "journalctl -k -p warning --since -1d; findmnt '/srv/a b'",
            ),
            ("/srv/\n", "journalctl -k -p warning --since -1d"),
        ] {
            assert_eq!(finding(mount, "x").command.as_deref(), Some(expected));
        }
        assert_eq!(
            finding("/srv/data", "/dev/sdb1").message,
            "File system /srv/data (/dev/sdb1) is read-only"
        );
    }
}
