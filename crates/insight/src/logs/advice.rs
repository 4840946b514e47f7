//! Remedies for known messages.
//!
//! [`ADVICE`] is one table: a rule with its title and steps with commands. The *topic* of a message was
//! recognised where the message was read; the rule of the topic `disk_io` is `advice.disk_io`. Titles
//! hold no values, so that a recommendation has the same title at any time; the message is shown beside it.
//! Steps name what the message names ([`super::steps`]). Logins belong to `security`, which counts
//! attempts instead of lines. Pure.

use super::steps::Variants;
use crate::{Life, Rule};
use schema::LogLevel;
use schema::finding::Kind;

/// Advice for a kind of message.
#[derive(Clone, Copy, Debug)]
pub struct Advice {
    /// Its rule.
    pub rule: Rule,
    /// Steps in order, each in one or more variants; commands stand between backticks.
    pub steps: &'static [Variants],
    /// Whether one line is enough for a warning, because the condition does not end by itself.
    pub urgent: bool,
    /// Fewest lines in an hour that are reported.
    pub at_least: i64,
}

const fn about(id: &'static str, title: &'static str) -> Rule {
    Rule {
        id,
        kind: Kind::Recommendation,
        domain: "logs",
        title,
        // Counts are by hour: a message that has not come for an hour is resolved.
        life: Life::counted(3600),
        because: &[],
    }
}

/// Lines in an hour beyond which a message without specific advice is recurring: the reference's figure.
pub const RECURRING_PER_HOUR: i64 = 10;
/// Least level of a recurring message.
const RECURRING_LEVEL: LogLevel = LogLevel::Warn;

/// Every advice.
pub const ADVICE: &[Advice] = &[
    Advice {
        rule: about(
            "advice.postgres_connection",
            "PostgreSQL connections refused",
        ),
        urgent: false,
        at_least: 1,
        steps: &[
            &[
                "See that the server answers: `pg_isready -h {host} -p {port}`",
                "See that the server answers: `pg_isready`",
            ],
            &[
                "See who holds the connections: `SELECT usename, state, count(*) FROM pg_stat_activity GROUP BY 1, 2 ORDER BY 3 DESC`",
            ],
            &["Compare with `SHOW max_connections`; a pool (PgBouncer) needs fewer"],
            &[
                "See which rule applies: `SELECT * FROM pg_hba_file_rules`; after a change `SELECT pg_reload_conf()`",
            ],
        ],
    },
    Advice {
        rule: about("advice.relation_missing", "Relation does not exist"),
        urgent: false,
        at_least: 1,
        steps: &[
            &[
                "Look for it in other schemas: `SELECT relnamespace::regnamespace, relname, relkind FROM pg_class WHERE relname = lower('{relation}')`",
            ],
            &[
                "Compare with the search path of the role: `SHOW search_path`; names written in capitals need quotes",
            ],
            &["See which migrations ran, and run those that are missing"],
        ],
    },
    Advice {
        rule: about("advice.deadlock", "Deadlock detected"),
        urgent: false,
        at_least: 1,
        steps: &[
            &["Read the statements of both: they are in the DETAIL of the message"],
            &["Take locks in the same order everywhere, for instance rows by primary key"],
            &[
                "Look for long transactions: `SELECT pid, now() - xact_start, query FROM pg_stat_activity WHERE xact_start < now() - interval '1 min' ORDER BY 2 DESC`",
            ],
        ],
    },
    Advice {
        rule: about("advice.disk_io", "Disk or file system failing or full"),
        urgent: true,
        at_least: 1,
        steps: &[
            &["See what is full: `df -h` and `df -i`"],
            &["See what the kernel reports: `dmesg --level=err,warn | tail -50`"],
            &["Check the disk: `smartctl -a /dev/{disk}`"],
            &["Check the arrays and pools: `cat /proc/mdstat`, `zpool status`"],
            &["Make a backup before a repair; then run fsck on the unmounted file system"],
        ],
    },
    Advice {
        rule: about("advice.nouser_shadow", "Account does not exist"),
        urgent: false,
        at_least: 1,
        steps: &[
            &["See what asks: `journalctl --since -1h | grep -iE 'nouser|shadow|status=217'`"],
            &[
                "See whether the account exists: `getent passwd {account}`, `getent group {account}`",
            ],
            &["See which account the unit names: `systemctl show {unit} -p User -p Group`"],
            &[
                "Create it (`useradd --system {account}`), or correct the unit's `User=` and `Group=`",
                "Create the account, or correct the unit's `User=` and `Group=`",
            ],
        ],
    },
    Advice {
        rule: about(
            "advice.collector_crash_loop",
            "The collector keeps restarting",
        ),
        urgent: true,
        at_least: 3,
        steps: &[
            &["See why it ends: `journalctl -u pqcrypta-collector -n 100`"],
            &["Check the configuration: `pqcrypta check-config`"],
            &["Check the host and the database: `pqcrypta doctor`"],
            &[
                "When it is fixed: `systemctl reset-failed pqcrypta-collector && systemctl start pqcrypta-collector`",
            ],
        ],
    },
    Advice {
        rule: about("advice.permission_denied", "Permission denied"),
        urgent: false,
        at_least: 1,
        steps: &[
            &["See owner and mode of every directory on the way: `namei -l {path}`"],
            &["See who runs it: `systemctl show {unit} -p User -p Group`"],
            &["In PostgreSQL, see who may use it: `\\dp {relation}`"],
            &["Read the lines around it, in the Logs view: who tried what"],
            &["When the modes are right: `ausearch -m avc -ts recent`, `dmesg | grep -i apparmor`"],
        ],
    },
    Advice {
        rule: about("advice.unreachable", "Service unreachable"),
        urgent: false,
        at_least: 3,
        steps: &[
            &[
                "Try to connect: `curl -v telnet://{url_host}:{port}`",
                "See whether the name resolves: `getent hosts {host}`",
            ],
            &[
                "On that host, see whether it listens: `ss -ltnp 'sport = :{port}'`",
                "On that host, see what listens: `ss -ltnp`",
            ],
            &["See the unit: `systemctl status {unit}`"],
            &["See the firewall: `nft list ruleset`; and the load: `uptime`, `ss -s`"],
        ],
    },
];

/// Advice for messages without specific advice that come more than [`RECURRING_PER_HOUR`] times in an hour.
pub const RECURRING: Advice = Advice {
    rule: about("advice.recurring", "Recurring message"),
    urgent: false,
    at_least: RECURRING_PER_HOUR + 1,
    steps: &[
        &["Read it in context: the lines a minute before and after, in the Logs view"],
        &["See whether it began with a change: when the pattern was first seen"],
        &["See the unit: `systemctl status {unit}`, `journalctl -u {unit} --since -1h`"],
    ],
};

/// Returns the advice for messages of this topic; for recurring ones without any, [`RECURRING`].
#[must_use]
pub fn of(topic: Option<&str>, level: LogLevel, per_hour: i64) -> Option<&'static Advice> {
    let known = topic.and_then(|topic| ADVICE.iter().find(|advice| advice.topic() == topic));
    let recurs = level >= RECURRING_LEVEL && per_hour >= RECURRING.at_least;
    known.or_else(|| recurs.then_some(&RECURRING))
}

impl Advice {
    /// Returns the topic that this advice is for.
    #[must_use]
    pub fn topic(&self) -> &'static str {
        self.rule.id.strip_prefix("advice.").unwrap_or(self.rule.id)
    }
}

#[cfg(test)]
mod tests {
    use super::super::steps::Facts;
    use super::*;

    #[test]
    fn each_topic_of_a_message_has_its_advice() {
        for topic in logs::topic::TOPICS {
            let found = of(Some(topic), LogLevel::Info, 6).map(|advice| advice.topic());
            assert_eq!(found, Some(*topic));
        }
        for advice in ADVICE {
            assert!(logs::topic::TOPICS.contains(&advice.topic()));
        }
    }

    #[test]
    fn what_is_not_severe_or_not_known_has_none_until_it_recurs() {
        assert!(of(None, LogLevel::Info, 1000).is_none());
        assert!(of(Some("of_a_newer_version"), LogLevel::Error, 10).is_none());
        assert_eq!(
            of(None, LogLevel::Error, 11).map(|advice| advice.rule.id),
            Some("advice.recurring")
        );
    }

    /// Returns whether a word stands for something that the reader has to know.
    fn is_placeholder(word: &str) -> bool {
        const STAND_FOR: [&str; 14] = [
            "HOST", "PORT", "NAME", "DISK", "PATH", "UNIT", "ADDRESS", "USER", "GROUP", "ROLE",
            "PID", "JAIL", "ACCOUNT", "TABLE",
        ];
        STAND_FOR.contains(&word)
    }

    fn assert_can_be_done(id: &str, steps: &[String]) {
        assert!(!steps.is_empty(), "{id}");
        for step in steps {
            assert!(!step.contains(['{', '}', '…']), "{id}: {step}");
            for command in step.split('`').skip(1).step_by(2) {
                let command = command.replace("GROUP BY", "");
                let mut words = command.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
                assert!(!words.any(is_placeholder), "{id}: {step}");
            }
        }
    }

    #[test]
    fn no_step_of_any_rule_shows_a_placeholder() {
        let rich =
            "nginx.service: user deploy: /etc/x (device sda1) relation \"orders\" at 10.0.0.5:5432";
        for advice in ADVICE.iter().chain([&RECURRING]) {
            for message in ["", "timed out", rich] {
                let steps = Facts::of(message).steps(advice.steps);
                assert!(steps.len() >= 2, "{}", advice.rule.id);
                assert_can_be_done(advice.rule.id, &steps);
            }
            // Every field is one that a message can fill.
            let all = Facts::of(rich).steps(advice.steps);
            assert_eq!(all.len(), advice.steps.len(), "{}", advice.rule.id);
        }
        for found in super::super::security::tests::one_of_each_rule() {
            let id = format!("{} {}", found.rule, found.target);
            assert_can_be_done(&id, &found.steps);
        }
    }
}
