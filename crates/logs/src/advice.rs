//! What to do about messages that are known.
//!
//! [`ADVICE`] is one table: a matcher over source, level and text, a title and steps with commands.
//! [`of`] gives the first that fits. Titles hold no values, so that a recommendation has the same
//! title at any time; the message is told beside it. Pure.

use crate::event::Level;

/// Advice for a kind of message.
#[derive(Clone, Copy, Debug)]
pub struct Advice {
    /// Identifier, stable.
    pub id: &'static str,
    /// What is wrong, without values.
    pub title: &'static str,
    /// What to do, in this order; commands stand between backticks.
    pub steps: &'static [&'static str],
    matcher: Matcher,
}

/// Which messages: small letters, of any template or message.
#[derive(Clone, Copy, Debug)]
struct Matcher {
    /// The source's name holds one of these; any source when there is none.
    sources: &'static [&'static str],
    /// At least as grave.
    level: Level,
    /// The text holds all the words of one of these.
    texts: &'static [&'static [&'static str]],
}

/// How often in an hour a message without advice of its own is worth a look: the reference's figure.
pub const RECURRING_PER_HOUR: u32 = 10;

const ANY: &[&str] = &[];

/// Every advice, the more exact before the less.
pub const ADVICE: &[Advice] = &[
    Advice {
        id: "ssh_brute_force",
        title: "Logins over SSH fail in numbers",
        steps: &[
            "See who it is: `journalctl -u ssh --since -1h | grep -E 'Failed|Invalid'`",
            "Block an address: `ufw deny from ADDRESS` or `nft add rule inet filter input ip saddr ADDRESS drop`",
            "See that fail2ban watches: `fail2ban-client status sshd`",
            "Allow keys only: `PasswordAuthentication no` in /etc/ssh/sshd_config, then `systemctl reload ssh`",
        ],
        matcher: Matcher {
            sources: &["auth", "ssh", "secure", "syslog", "journal"],
            level: Level::Debug,
            texts: &[
                &["failed password for"],
                &["maximum authentication attempts exceeded"],
            ],
        },
    },
    Advice {
        id: "postgres_connection",
        title: "PostgreSQL refuses connections",
        steps: &[
            "See that the server answers: `pg_isready -h HOST -p PORT`",
            "See who holds the connections: `SELECT usename, state, count(*) FROM pg_stat_activity GROUP BY 1, 2 ORDER BY 3 DESC`",
            "Compare with `SHOW max_connections`; a pool (PgBouncer) needs fewer",
            "See which rule applies: `SELECT * FROM pg_hba_file_rules`; after a change `SELECT pg_reload_conf()`",
        ],
        matcher: Matcher {
            sources: ANY,
            level: Level::Warn,
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
        id: "relation_missing",
        title: "A statement names a relation that does not exist",
        steps: &[
            "See which migrations ran, and run those that are missing",
            "Look for the table in other schemas: `SELECT schemaname, tablename FROM pg_tables WHERE tablename = 'NAME'`",
            "Compare with the role's path: `SHOW search_path`; names written in capitals need quotes",
        ],
        matcher: Matcher {
            sources: ANY,
            level: Level::Warn,
            texts: &[&["relation", "does not exist"], &["42p01"]],
        },
    },
    Advice {
        id: "deadlock",
        title: "Transactions wait for each other in a circle",
        steps: &[
            "Read the statements of both: they stand in the DETAIL of the message",
            "Take locks in the same order everywhere, for instance rows by primary key",
            "Look for long transactions: `SELECT pid, now() - xact_start, query FROM pg_stat_activity WHERE xact_start < now() - interval '1 min' ORDER BY 2 DESC`",
        ],
        matcher: Matcher {
            sources: ANY,
            level: Level::Warn,
            texts: &[&["deadlock detected"], &["40p01"]],
        },
    },
    Advice {
        id: "disk_io",
        title: "A disk or file system fails or is full",
        steps: &[
            "See what is full: `df -h` and `df -i`",
            "See what the kernel says: `dmesg --level=err,warn | tail -50`",
            "Ask the disk: `smartctl -a /dev/DISK`; a pool: `cat /proc/mdstat`, `zpool status`",
            "Make a backup before a repair; then `fsck` on the unmounted file system",
        ],
        matcher: Matcher {
            sources: ANY,
            level: Level::Warn,
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
        id: "nouser_shadow",
        title: "An account is looked up that does not exist",
        steps: &[
            "See what asks: `journalctl --since -1h | grep -iE 'nouser|shadow'`",
            "See whether the account is there: `getent passwd NAME`, `getent group NAME`",
            "Make it (`useradd --system NAME`), or mend the unit's `User=` and `Group=`",
        ],
        matcher: Matcher {
            sources: ANY,
            level: Level::Debug,
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
        id: "collector_crash_loop",
        title: "The collector starts again and again",
        steps: &[
            "See why it ends: `journalctl -u pqcrypta-collector -n 100`",
            "Look at the configuration: `pqcrypta check-config`",
            "Look at the host and the database: `pqcrypta doctor`",
            "When it is mended: `systemctl reset-failed pqcrypta-collector && systemctl start pqcrypta-collector`",
        ],
        matcher: Matcher {
            sources: ANY,
            level: Level::Debug,
            texts: &[
                &["pqcrypta-collector", "start request repeated too quickly"],
                &["pqcrypta-collector", "scheduled restart job"],
                &["pqcrypta-collector", "failed with result"],
                &["pqcrypta-collector", "main process exited"],
            ],
        },
    },
    Advice {
        id: "permission_denied",
        title: "A program may not do what it tries",
        steps: &[
            "See every directory on the way: `namei -l PATH`",
            "See who runs it: `systemctl show UNIT -p User -p Group`; give the path to them: `chown USER:GROUP PATH`",
            "In PostgreSQL: `GRANT … TO ROLE`; see what there is with `\\dp NAME`",
            "When the modes are right: `ausearch -m avc -ts recent`, `dmesg | grep -i apparmor`",
        ],
        matcher: Matcher {
            sources: ANY,
            level: Level::Warn,
            texts: &[
                &["permission denied"],
                &["operation not permitted"],
                &["42501"],
                &["eacces"],
            ],
        },
    },
    Advice {
        id: "unreachable",
        title: "A service cannot be reached or does not answer",
        steps: &[
            "See whether it listens: `ss -ltnp | grep PORT`, `systemctl status UNIT`",
            "Try the way: `curl -v telnet://HOST:PORT`, `getent hosts HOST`",
            "See the firewall: `nft list ruleset`; and the load: `uptime`, `ss -s`",
        ],
        matcher: Matcher {
            sources: ANY,
            level: Level::Warn,
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
    id: "recurring",
    title: "A message comes again and again",
    steps: &[
        "Read it in its surroundings: the entries a minute before and after, in the Logs view",
        "See whether it began with a change: when the pattern was first seen",
        "See the unit that writes it: `systemctl status UNIT`, `journalctl -u UNIT --since -1h`",
    ],
    matcher: Matcher {
        sources: ANY,
        level: Level::Warn,
        texts: &[],
    },
};

/// The advice for a template or a message of a source; `per_hour` is how often it comes.
#[must_use]
pub fn of(source: &str, level: Level, text: &str, per_hour: u32) -> Option<&'static Advice> {
    let (source, text) = (source.to_ascii_lowercase(), text.to_ascii_lowercase());
    let known = ADVICE
        .iter()
        .find(|advice| advice.matcher.fits(&source, level, &text));
    let recurs = level >= RECURRING.matcher.level && per_hour > RECURRING_PER_HOUR;
    known.or_else(|| recurs.then_some(&RECURRING))
}

impl Matcher {
    fn fits(&self, source: &str, level: Level, text: &str) -> bool {
        level >= self.level
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
                "auth",
                Level::Info,
                "Failed password for <*> from <*> port <*> ssh2",
                "ssh_brute_force",
            ),
            (
                "postgres",
                Level::Error,
                "sorry, too many clients already",
                "postgres_connection",
            ),
            (
                "postgres",
                Level::Error,
                "no pg_hba.conf entry for host <*>, user <*>",
                "postgres_connection",
            ),
            (
                "postgres",
                Level::Error,
                "relation <*> does not exist",
                "relation_missing",
            ),
            ("postgres", Level::Error, "deadlock detected", "deadlock"),
            (
                "api",
                Level::Error,
                "open <*>: Permission denied",
                "permission_denied",
            ),
            (
                "postgres",
                Level::Error,
                "permission denied for table orders",
                "permission_denied",
            ),
            (
                "kernel",
                Level::Error,
                "blk_update_request: I/O error, dev sda",
                "disk_io",
            ),
            (
                "api",
                Level::Error,
                "write: No space left on device",
                "disk_io",
            ),
            (
                "api",
                Level::Warn,
                "connect to <*>: Connection refused",
                "unreachable",
            ),
            ("api", Level::Warn, "upstream timed out", "unreachable"),
            (
                "syslog",
                Level::Info,
                "pqcrypta-collector.service: Scheduled restart job, restart counter is at <*>.",
                "collector_crash_loop",
            ),
            (
                "auth",
                Level::Info,
                "NOUSER: shadow lookup failed",
                "nouser_shadow",
            ),
        ] {
            let found = of(source, level, text, 1).map(|advice| advice.id);
            assert_eq!(found, Some(expected), "{text}");
        }
    }

    #[test]
    fn what_is_not_grave_or_not_known_has_none_until_it_recurs() {
        assert!(of("web", Level::Info, "GET /permission denied 404", 1000).is_none());
        assert!(of("web", Level::Info, "Failed password for <*>", 1000).is_none());
        assert!(of("api", Level::Error, "a strange thing", 10).is_none());
        assert_eq!(
            of("api", Level::Error, "a strange thing", 11).unwrap().id,
            "recurring"
        );
    }

    #[test]
    fn the_table_is_well_formed() {
        for (place, advice) in ADVICE.iter().chain([&RECURRING]).enumerate() {
            assert!(advice.steps.len() >= 2, "{}", advice.id);
            assert!(
                advice.steps.iter().any(|step| step.contains('`')),
                "{}",
                advice.id
            );
            for words in advice.matcher.texts.iter().flat_map(|words| words.iter()) {
                assert_eq!(words.to_lowercase(), **words);
            }
            assert!(
                ADVICE
                    .iter()
                    .skip(place + 1)
                    .all(|other| other.id != advice.id && other.title != advice.title)
            );
        }
    }
}
