//! Lines that were lost before they were read: of each source the newest loss, with what prevents the next one.

use crate::rule::{Life, Rule};
use schema::finding::{Figures, Kind};
use schema::{Finding, Severity, Timestamp};
use serde_json::json;
use std::collections::BTreeMap;

/// Lines of a source were lost.
pub const LOST: Rule = Rule {
    id: "log_lines_lost",
    kind: Kind::Alert,
    domain: "logs",
    title: "Log lines were lost",
    // A loss is past, and somebody should see it.
    life: Life::counted(3600),
    because: &[],
};

/// Lines of a source that were lost for one reason.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Loss {
    /// Source, reason and size: `nginx: vanished, 812 bytes`.
    pub reason: String,
    /// How often.
    pub gaps: i64,
    /// When the first and the last were noticed.
    pub span: (Timestamp, Timestamp),
}

/// What happened, and what to do about it, by the words of `logs::source::GapReason`.
const REASONS: &[(&str, &str, &str)] = &[
    (
        "truncated",
        "the file was emptied before it was read to its end",
        "Let the log be rotated by renaming: `create` instead of `copytruncate` in its logrotate configuration.",
    ),
    (
        "copy_truncated",
        "the file was copied and emptied; what was written in between is in neither",
        "Let the log be rotated by renaming: `create` instead of `copytruncate` in its logrotate configuration.",
    ),
    (
        "vanished",
        "the file was removed before it was read to its end",
        "Keep rotated files for a while: `delaycompress` and `rotate 2` in its logrotate configuration.",
    ),
    (
        "unreadable",
        "the disk reported an error",
        "Look for errors of the disk: `dmesg --level=err,warn`",
    ),
    (
        "undecodable",
        "a compressed file is damaged or of an unknown format",
        "Unpack the file by hand to see what is wrong with it.",
    ),
    (
        "vacuumed",
        "the journal removed entries before they were read",
        "Give the journal more room, `SystemMaxUse=` in journald.conf: `journalctl --disk-usage`",
    ),
    (
        "cursor_lost",
        "the journal no longer has the entry that was read last",
        "See whether the journal was rotated or restored: `journalctl --verify`",
    ),
    (
        "withheld",
        "the journal withheld the content of an entry",
        "See whether its files are damaged: `journalctl --verify`",
    ),
];

/// The reason of which it is not known whether anything was lost.
const UNCERTAIN: &str = "copy_truncated";

/// Returns a finding for each source that lost lines; `losses`: the newest first.
#[must_use]
pub fn evaluate(losses: &[Loss]) -> Vec<Finding> {
    let mut by_source: BTreeMap<&str, Vec<(&Loss, &str)>> = BTreeMap::new();
    for loss in losses {
        // A source may have any name, a reason has no colon.
        let (source, reason) = loss.reason.rsplit_once(": ").unwrap_or(("", &loss.reason));
        let reason = reason.split(',').next().unwrap_or_default();
        by_source.entry(source).or_default().push((loss, reason));
    }
    by_source
        .into_iter()
        .filter_map(|(source, losses)| found(source, &losses))
        .collect()
}

fn found(source: &str, losses: &[(&Loss, &str)]) -> Option<Finding> {
    // What is lost for certain counts more than what may be.
    let certain = losses.iter().find(|(_, reason)| *reason != UNCERTAIN);
    let (_, reason) = certain.or(losses.first())?;
    let severity = match certain {
        Some(_) => Severity::Warn,
        None => Severity::Info,
    };
    let known = REASONS.iter().find(|(word, ..)| word == reason);
    let (what, step) = known.map_or((*reason, ""), |(_, what, step)| (*what, *step));
    let gaps: i64 = losses.iter().map(|(loss, _)| loss.gaps).sum();
    let first = losses.iter().map(|(loss, _)| loss.span.0).min()?;
    let last = losses.iter().map(|(loss, _)| loss.span.1).max()?;
    let verb = if severity == Severity::Info {
        "may have been lost"
    } else {
        "were lost"
    };
    let message = format!("Lines of {} {verb}: {what}.", words::cut(source, 60));
    #[expect(clippy::cast_precision_loss, reason = "a few per hour")]
    let figures = Figures::of(gaps as f64);
    Some(Finding {
        figures,
        steps: (!step.is_empty())
            .then(|| step.to_owned())
            .into_iter()
            .collect(),
        details: Some(json!({"source": source}).to_string()),
        span: Some((first, last)),
        ..LOST.finding(source, severity, message)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn loss(reason: &str, gaps: i64, secs: i64) -> Loss {
        let at = Timestamp(1_800_000_000_000_000 + secs * 1_000_000);
        Loss {
            reason: reason.to_owned(),
            gaps,
            span: (at, at),
        }
    }

    #[test]
    fn of_each_source_the_certain_loss_is_named_with_what_prevents_the_next() {
        let found = evaluate(&[
            loss("app: copy_truncated", 1, 30),
            loss("a: b: vanished, 812 bytes", 2, 20),
            loss("app: truncated, 9 bytes", 1, 10),
            loss("db: copy_truncated", 1, 5),
            loss("new: unheard_of", 1, 0),
        ]);
        let said: Vec<(&str, Severity, &str)> = found
            .iter()
            .map(|one| (one.target.as_str(), one.severity, one.message.as_str()))
            .collect();
        assert_eq!(
            said,
            [
                (
                    "a: b",
                    Severity::Warn,
                    "Lines of a: b were lost: the file was removed before it was read to its end."
                ),
                (
                    "app",
                    Severity::Warn,
                    "Lines of app were lost: the file was emptied before it was read to its end."
                ),
                (
                    "db",
                    Severity::Info,
                    "Lines of db may have been lost: the file was copied and emptied; what was written in between is in neither."
                ),
                ("new", Severity::Warn, "Lines of new were lost: unheard_of."),
            ]
        );
        assert_eq!(found[1].figures.value, Some(2.0));
        assert_eq!(
            found[1].span,
            Some((
                Timestamp(1_800_000_010_000_000),
                Timestamp(1_800_000_030_000_000)
            ))
        );
        assert!(found[0].steps[0].contains("delaycompress"));
        assert!(found[3].steps.is_empty());
    }
}
