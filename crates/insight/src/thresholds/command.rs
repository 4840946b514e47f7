//! The command to copy for a problem of a metric that has no specific culprit.
//!
//! An untrusted name becomes part of a command only in quotes, and not at all with a control character.

use crate::quoting::{literal, shell};

/// Commands by metric; `{shell}` is the key quoted for a shell, `{literal}` the part of the key after the
/// name of the server, quoted for SQL.
const COMMANDS: &[(&str, &str)] = &[
    (
        "system.oom_kills_per_sec",
        "journalctl -k --since -1h | grep -i 'killed process'",
    ),
    ("system.open_files_pct", "cat /proc/sys/fs/file-nr"),
    ("system.listen_overflows_per_sec", "ss -ltn"),
    ("system.conntrack_used_pct", "conntrack -S"),
    ("system.clock_synced", "timedatectl status"),
    ("collector.clock_difference_secs", "timedatectl status"),
    ("system.reboot_required", "systemctl reboot"),
    (
        "mount.used_pct",
        "du -xh --max-depth=2 {shell} | sort -h | tail -20",
    ),
    (
        "mount.inodes_used_pct",
        "du -x --inodes --max-depth=2 {shell} | sort -n | tail -20",
    ),
    ("network.errors_per_sec", "ip -s -s link show dev {shell}"),
    (
        "collector.db_healthy",
        "journalctl -u pqcrypta-collector -n 50",
    ),
    (
        "db.conn_used_pct",
        "SELECT usename, application_name, state, count(*) FROM pg_stat_activity GROUP BY 1, 2, 3 ORDER BY 4 DESC;",
    ),
    (
        "db.wraparound_pct",
        "SELECT oid::regclass, age(relfrozenxid) FROM pg_class WHERE relkind IN ('r', 'm', 't') ORDER BY 2 DESC LIMIT 10;",
    ),
    (
        "db.multixact_wraparound_pct",
        "SELECT oid::regclass, mxid_age(relminmxid) FROM pg_class WHERE relkind IN ('r', 'm', 't') ORDER BY 2 DESC LIMIT 10;",
    ),
    ("db.archive_failing", "SELECT * FROM pg_stat_archiver;"),
    ("db.checkpoints_req_pct", "SHOW max_wal_size;"),
    (
        "replication.slot_lost",
        "SELECT pg_drop_replication_slot({literal});",
    ),
    (
        "replication.slot_inactive",
        "SELECT pg_drop_replication_slot({literal});",
    ),
    (
        "replication.retained_bytes",
        "SELECT slot_name, active, wal_status, pg_wal_lsn_diff(pg_current_wal_lsn(), restart_lsn) FROM pg_replication_slots ORDER BY 4 DESC;",
    ),
    (
        "replication.standby_paused",
        "SELECT pg_wal_replay_resume();",
    ),
    (
        "replication.receiver_down",
        "SELECT * FROM pg_stat_wal_receiver;",
    ),
    (
        "replication.subscription_running",
        "SELECT * FROM pg_stat_subscription_stats;",
    ),
    (
        "statement.evictions_per_hour",
        "SHOW pg_stat_statements.max;",
    ),
];

/// Returns the command for a metric and its key.
pub(super) fn of(metric: &str, key: Option<&str>) -> Option<String> {
    let (_, template) = COMMANDS.iter().find(|(id, _)| *id == metric)?;
    let wants_key = template.contains('{');
    if !wants_key {
        return Some((*template).to_owned());
    }
    let key = key?;
    let word = shell(key)?;
    // An instance has no dot.
    let own = key.split_once('.').map_or(key, |(_, own)| own);
    Some(
        template
            .replace("{shell}", &word)
            .replace("{literal}", &literal(own)),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn untrusted_names_stay_names() {
        for (metric, key, expected) in [
            (
                "mount.used_pct",
                Some("/var"),
                Some("du -xh --max-depth=2 /var | sort -h | tail -20"),
            ),
            (
                "mount.used_pct",
                Some("/mnt/a b'; rm"),
                Some(r"du -xh --max-depth=2 '/mnt/a b'\''; rm' | sort -h | tail -20"),
            ),
            ("mount.used_pct", Some("/mnt/\n"), None),
            ("mount.used_pct", None, None),
            (
                "network.errors_per_sec",
                Some("eth0"),
                Some("ip -s -s link show dev eth0"),
            ),
            (
                "replication.slot_inactive",
                Some("main.old_feed"),
                Some("SELECT pg_drop_replication_slot('old_feed');"),
            ),
            (
                "replication.slot_lost",
                Some("main.a'b.c"),
                Some("SELECT pg_drop_replication_slot('a''b.c');"),
            ),
            ("system.clock_synced", None, Some("timedatectl status")),
            ("system.cpu_busy_pct", None, None),
        ] {
            assert_eq!(of(metric, key).as_deref(), expected, "{metric} {key:?}");
        }
    }

    #[test]
    fn every_command_is_of_a_metric_that_can_be_a_problem() {
        for (id, _) in COMMANDS {
            let metric = schema::metric(id).unwrap_or_else(|| panic!("{id}"));
            assert!(metric.evaluated_over_secs > 0, "{id}");
        }
    }
}
