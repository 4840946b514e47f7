//! What to do about messages that are known.
//!
//! [`ADVICE`] is one table: a rule with its title, steps with commands, and a matcher over source, level
//! and text. [`of`] gives the first that fits. Titles hold no values, so that a recommendation has the
//! same title at any time; the message is told beside it. What concerns logins is not here: that is
//! `security`'s, which counts attempts instead of lines. Pure.

use super::level;
use crate::Rule;
use schema::finding::Kind;

/// Advice for a kind of message.
#[derive(Clone, Copy, Debug)]
pub struct Advice {
    /// What is wrong.
    pub rule: Rule,
    /// What to do, in this order; commands stand between backticks.
    pub steps: &'static [&'static str],
    /// Whether once is enough for a warning: what it is about does not mend itself.
    pub urgent: bool,
    /// So many in an hour are worth a word.
    pub at_least: i64,
    matcher: Matcher,
}

/// Which messages: small letters, of any template or message.
#[derive(Clone, Copy, Debug)]
struct Matcher {
    /// The source's name holds one of these; any source when there is none.
    sources: &'static [&'static str],
    /// At least as grave.
    level: &'static str,
    /// The text holds all the words of one of these.
    texts: &'static [&'static [&'static str]],
}

const fn about(id: &'static str, title: &'static str) -> Rule {
    Rule {
        id,
        kind: Kind::Recommendation,
        domain: "logs",
        title,
        // Counts are by hour: what has not come for an hour is over.
        hold_secs: 3600,
    }
}

/// How often in an hour a message without advice of its own is worth a look: the reference's figure.
pub const RECURRING_PER_HOUR: i64 = 10;

const ANY: &[&str] = &[];

/// Every advice, the more exact before the less.
pub const ADVICE: &[Advice] = &[
    Advice {
        rule: about(
            "advice.postgres_connection",
            "PostgreSQL refuses connections",
        ),
        urgent: false,
        at_least: 1,
        steps: &[
            "See that the server answers: `pg_isready -h HOST -p PORT`",
            "See who holds the connections: `SELECT usename, state, count(*) FROM pg_stat_activity GROUP BY 1, 2 ORDER BY 3 DESC`",
            "Compare with `SHOW max_connections`; a pool (PgBouncer) needs fewer",
            "See which rule applies: `SELECT * FROM pg_hba_file_rules`; after a change `SELECT pg_reload_conf()`",
        ],
        matcher: Matcher {
            sources: ANY,
            level: "warn",
            texts: &[
                &["too many clients already"],
                &["remaining connection slots are reserved"],
                &["no pg_hba.conf entry"],
                &["password authentication failed for user"],
                &["postgres", "connection refused"],
                &["could not connect to", "server"],
            ],
        },
    },
    Advice {
        rule: about(
            "advice.relation_missing",
            "A statement names a relation that does not exist",
        ),
        urgent: false,
        at_least: 1,
        steps: &[
            "See which migrations ran, and run those that are missing",
            "Look for the table in other schemas: `SELECT schemaname, tablename FROM pg_tables WHERE tablename = 'NAME'`",
            "Compare with the role's path: `SHOW search_path`; names written in capitals need quotes",
        ],
        matcher: Matcher {
            sources: ANY,
            level: "warn",
            texts: &[&["relation", "does not exist"], &["42p01"]],
        },
    },
    Advice {
        rule: about(
            "advice.deadlock",
            "Transactions wait for each other in a circle",
        ),
        urgent: false,
        at_least: 1,
        steps: &[
            "Read the statements of both: they stand in the DETAIL of the message",
            "Take locks in the same order everywhere, for instance rows by primary key",
            "Look for long transactions: `SELECT pid, now() - xact_start, query FROM pg_stat_activity WHERE xact_start < now() - interval '1 min' ORDER BY 2 DESC`",
        ],
        matcher: Matcher {
            sources: ANY,
            level: "warn",
            texts: &[&["deadlock detected"], &["40p01"]],
        },
    },
    Advice {
        rule: about("advice.disk_io", "A disk or file system fails or is full"),
        urgent: true,
        at_least: 1,
        steps: &[
            "See what is full: `df -h` and `df -i`",
            "See what the kernel says: `dmesg --level=err,warn | tail -50`",
            "Ask the disk: `smartctl -a /dev/DISK`; a pool: `cat /proc/mdstat`, `zpool status`",
            "Make a backup before a repair; then `fsck` on the unmounted file system",
        ],
        matcher: Matcher {
            sources: ANY,
            level: "warn",
            texts: &[
                &["no space left on device"],
                &["i/o error"],
                &["input/output error"],
                &["read-only file system"],
                &["ext4-fs error"],
                &["medium error"],
                &["53100"],
            ],
        },
    },
    Advice {
        rule: about(
            "advice.nouser_shadow",
            "An account is looked up that does not exist",
        ),
        urgent: false,
        at_least: 1,
        steps: &[
            "See what asks: `journalctl --since -1h | grep -iE 'nouser|shadow'`",
            "See whether the account is there: `getent passwd NAME`, `getent group NAME`",
            "Make it (`useradd --system NAME`), or mend the unit's `User=` and `Group=`",
        ],
        matcher: Matcher {
            sources: ANY,
            level: "debug",
            texts: &[
                &["nouser", "shadow"],
                &["couldn't look up shadow information"],
                &["could not get shadow information for"],
                &["failed to determine user credentials"],
                &["status=217/user"],
            ],
        },
    },
    Advice {
        rule: about(
            "advice.collector_crash_loop",
            "The collector starts again and again",
        ),
        urgent: true,
        at_least: 3,
        steps: &[
            "See why it ends: `journalctl -u pqcrypta-collector -n 100`",
            "Look at the configuration: `pqcrypta check-config`",
            "Look at the host and the database: `pqcrypta doctor`",
            "When it is mended: `systemctl reset-failed pqcrypta-collector && systemctl start pqcrypta-collector`",
        ],
        matcher: Matcher {
            sources: ANY,
            level: "debug",
            texts: &[
                &["pqcrypta-collector", "start request repeated too quickly"],
                &["pqcrypta-collector", "scheduled restart job"],
                &["pqcrypta-collector", "failed with result"],
                &["pqcrypta-collector", "main process exited"],
            ],
        },
    },
    Advice {
        rule: about(
            "advice.permission_denied",
            "A program may not do what it tries",
        ),
        urgent: false,
        at_least: 1,
        steps: &[
            "See every directory on the way: `namei -l PATH`",
            "See who runs it: `systemctl show UNIT -p User -p Group`; give the path to them: `chown USER:GROUP PATH`",
            "In PostgreSQL: `GRANT … TO ROLE`; see what there is with `\\dp NAME`",
            "When the modes are right: `ausearch -m avc -ts recent`, `dmesg | grep -i apparmor`",
        ],
        matcher: Matcher {
            sources: ANY,
            level: "warn",
            texts: &[
                &["permission denied"],
                &["operation not permitted"],
                &["42501"],
                &["eacces"],
            ],
        },
    },
    Advice {
        rule: about(
            "advice.unreachable",
            "A service cannot be reached or does not answer",
        ),
        urgent: false,
        at_least: 3,
        steps: &[
            "See whether it listens: `ss -ltnp | grep PORT`, `systemctl status UNIT`",
            "Try the way: `curl -v telnet://HOST:PORT`, `getent hosts HOST`",
            "See the firewall: `nft list ruleset`; and the load: `uptime`, `ss -s`",
        ],
        matcher: Matcher {
            sources: ANY,
            level: "warn",
            texts: &[
                &["connection refused"],
                &["connection reset"],
                &["connection timed out"],
                &["timed out"],
                &["timeout"],
                &["no route to host"],
                &["name or service not known"],
                &["broken pipe"],
            ],
        },
    },
];

/// Advice for what comes back more than [`RECURRING_PER_HOUR`] times in an hour and has none.
pub const RECURRING: Advice = Advice {
    rule: about("advice.recurring", "A message comes again and again"),
    urgent: false,
    at_least: RECURRING_PER_HOUR + 1,
    steps: &[
        "Read it in its surroundings: the entries a minute before and after, in the Logs view",
        "See whether it began with a change: when the pattern was first seen",
        "See the unit that writes it: `systemctl status UNIT`, `journalctl -u UNIT --since -1h`",
    ],
    matcher: Matcher {
        sources: ANY,
        level: "warn",
        texts: &[],
    },
};

/// The advice for a template or a message of a source; `per_hour` is how often it comes.
#[must_use]
pub fn of(source: &str, level: &str, text: &str, per_hour: i64) -> Option<&'static Advice> {
    let (source, text) = (source.to_ascii_lowercase(), text.to_ascii_lowercase());
    let known = ADVICE
        .iter()
        .find(|advice| per_hour >= advice.at_least && advice.matcher.fits(&source, level, &text));
    let recurs = level::rank(level) >= level::rank(RECURRING.matcher.level)
        && per_hour >= RECURRING.at_least;
    known.or_else(|| recurs.then_some(&RECURRING))
}

impl Matcher {
    fn fits(&self, source: &str, level: &str, text: &str) -> bool {
        level::rank(level) >= level::rank(self.level)
            && (self.sources.is_empty() || self.sources.iter().any(|name| source.contains(name)))
            && self
                .texts
                .iter()
                .any(|words| words.iter().all(|word| text.contains(word)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_message_has_its_advice() {
        for (source, level, text, expected) in [
            (
                "postgres",
                "error",
                "sorry, too many clients already",
                "postgres_connection",
            ),
            (
                "postgres",
                "error",
                "no pg_hba.conf entry for host <*>, user <*>",
                "postgres_connection",
            ),
            (
                "postgres",
                "error",
                "relation <*> does not exist",
                "relation_missing",
            ),
            ("postgres", "error", "deadlock detected", "deadlock"),
            (
                "api",
                "error",
                "open <*>: Permission denied",
                "permission_denied",
            ),
            (
                "postgres",
                "error",
                "permission denied for table orders",
                "permission_denied",
            ),
            (
                "kernel",
                "error",
                "blk_update_request: I/O error, dev sda",
                "disk_io",
            ),
            ("api", "error", "write: No space left on device", "disk_io"),
            (
                "api",
                "warn",
                "connect to <*>: Connection refused",
                "unreachable",
            ),
            ("api", "warn", "upstream timed out", "unreachable"),
            (
                "syslog",
                "info",
                "pqcrypta-collector.service: Scheduled restart job, restart counter is at <*>.",
                "collector_crash_loop",
            ),
            (
                "auth",
                "info",
                "NOUSER: shadow lookup failed",
                "nouser_shadow",
            ),
        ] {
            let found = of(source, level, text, 6).map(|advice| advice.rule.id);
            assert_eq!(found, Some(format!("advice.{expected}").as_str()), "{text}");
        }
    }

    #[test]
    fn what_is_not_grave_or_not_known_has_none_until_it_recurs() {
        assert!(of("web", "info", "GET /permission denied 404", 1000).is_none());
        assert!(of("api", "error", "a strange thing", 10).is_none());
        assert_eq!(
            of("api", "error", "a strange thing", 11).unwrap().rule.id,
            "advice.recurring"
        );
    }

    #[test]
    fn once_is_enough_for_what_is_rare_and_not_for_what_happens() {
        assert!(of("api", "warn", "upstream timed out", 2).is_none());
        assert!(of("postgres", "error", "deadlock detected", 1).is_some());
    }

    #[test]
    fn the_table_is_well_formed() {
        for advice in ADVICE.iter().chain([&RECURRING]) {
            let id = advice.rule.id;
            assert!(advice.steps.len() >= 2, "{id}");
            assert!(advice.steps.iter().any(|step| step.contains('`')), "{id}");
            for words in advice.matcher.texts.iter().flat_map(|words| words.iter()) {
                assert_eq!(words.to_lowercase(), **words);
            }
        }
    }
}
