//! Settings of a server that risk data, hide figures, or wait for a restart.

use super::object::Object;
use crate::rule::{Life, Rule};
use schema::finding::Kind;
use schema::{Finding, Severity};
use serde_json::Value;

/// The check.
pub(super) const NAME: &str = "settings";

/// A setting endangers data, or was changed and has not come into force.
pub(super) const SETTINGS: Rule = Rule {
    id: "check.settings",
    kind: Kind::Alert,
    domain: "db",
    title: "A setting needs attention",
    life: Life {
        clear_evaluations: 1,
        ..Life::sampled(0)
    },
    because: &[],
};
/// A setting could be better.
pub(super) const ADVICE: Rule = Rule {
    id: "check.settings_advice",
    kind: Kind::Recommendation,
    title: "A setting could be better",
    ..SETTINGS
};

/// The rules about settings.
pub(super) const RULES: &[Rule] = &[SETTINGS, ADVICE];

/// Setting, value, severity and remedy. These values lose data, or keep the collector from seeing something, as the
/// manual has it for each.
const RISKS: [(&str, &str, Severity, &str); 10] = [
    (
        "fsync",
        "off",
        Severity::Critical,
        "A crash loses or damages data: switch it on.",
    ),
    (
        "full_page_writes",
        "off",
        Severity::Critical,
        "A crash can tear pages beyond repair: switch it on.",
    ),
    (
        "autovacuum",
        "off",
        Severity::Critical,
        "Nothing cleans up, and transaction IDs run out: switch it on.",
    ),
    (
        "track_counts",
        "off",
        Severity::Critical,
        "Autovacuum works by these counts: switch them on.",
    ),
    (
        "synchronous_commit",
        "off",
        Severity::Info,
        "The last commits before a crash are lost; fine if that was meant.",
    ),
    (
        "track_io_timing",
        "off",
        Severity::Info,
        "Times of reads and writes are unknown: switch it on.",
    ),
    (
        "track_wal_io_timing",
        "off",
        Severity::Info,
        "Times of WAL are unknown: switch it on.",
    ),
    (
        "data_checksums",
        "off",
        Severity::Info,
        "Damage on disk goes unnoticed: `pg_checksums --enable` while the server is stopped.",
    ),
    (
        "max_slot_wal_keep_size",
        "-1",
        Severity::Info,
        "A slot without consumer fills the disk: set a limit.",
    ),
    (
        "idle_in_transaction_session_timeout",
        "0",
        Severity::Info,
        "Forgotten transactions hold locks for ever: set a limit.",
    ),
];

/// Those that ALTER SYSTEM switches on, without a restart.
const SWITCHES: [&str; 6] = [
    "fsync",
    "full_page_writes",
    "autovacuum",
    "track_counts",
    "track_io_timing",
    "track_wal_io_timing",
];

/// Returns the finding about a setting.
pub(super) fn finding(object: &Object<'_>) -> Option<Finding> {
    let detail = object.detail();
    let name = object.object;
    let setting = detail["setting"].as_str().unwrap_or_default();
    let risk = RISKS
        .iter()
        .find(|(of, value, ..)| *of == name && *value == setting);
    let is_pending = detail["pending_restart"] == Value::Bool(true);
    let (severity, message, step) = match risk {
        Some((_, _, severity, advice)) if *severity != Severity::Info || !is_pending => (
            *severity,
            format!("{name} is {setting} on {}", object.instance),
            *advice,
        ),
        _ if is_pending => (
            Severity::Warn,
            format!(
                "{} of {} was changed and waits for a restart",
                words::cut(name, 60),
                object.instance
            ),
            "Restart the server when it may be interrupted, or set it back.",
        ),
        _ => return None,
    };
    let rule = if severity == Severity::Info {
        &ADVICE
    } else {
        &SETTINGS
    };
    let action_sql = (risk.is_some() && SWITCHES.contains(&name))
        .then(|| format!("ALTER SYSTEM SET {name} = on; SELECT pg_reload_conf();"));
    Some(Finding {
        steps: vec![step.to_owned()],
        action_sql,
        ..rule.finding(&object.target(), severity, message)
    })
}
