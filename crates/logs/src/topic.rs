//! Topics of messages: problems for which there is advice.
//!
//! The message itself is searched, not its pattern: whatever is masked there, or what several
//! messages have in common, decides nothing. The first of `FORMS` that fits holds. A form of the kernel or
//! of the C library is beyond doubt at any level, as files of syslog have none; words that anybody may use
//! count in warnings and errors only. SQLSTATEs count in any language of the server.
//!
//! The names are those of `advice.<name>`, whose steps the rules over what is stored have.

use std::sync::LazyLock;

use memchr::memmem::Finder;

use crate::event::{Event, Level};

/// A failing or full disk or file system.
const DISK: &str = "disk_io";
const CONNECTION: &str = "postgres_connection";
const RELATION: &str = "relation_missing";
const DEADLOCK: &str = "deadlock";
const ACCOUNT: &str = "nouser_shadow";
const CRASH_LOOP: &str = "collector_crash_loop";
const PERMISSION: &str = "permission_denied";
const UNREACHABLE: &str = "unreachable";

/// Every topic, by name.
pub const TOPICS: &[&str] = &[
    DISK,
    CONNECTION,
    RELATION,
    DEADLOCK,
    ACCOUNT,
    CRASH_LOOP,
    PERMISSION,
    UNREACHABLE,
];

/// Whose message it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Program {
    Any,
    /// The kernel; also without a component, as in a file of `dmesg`.
    Kernel,
}

/// A form of message.
#[derive(Clone, Copy, Debug)]
struct Form {
    topic: &'static str,
    program: Program,
    /// At least as severe.
    level: Level,
    /// It holds all of these; small letters.
    words: &'static [&'static str],
}

const fn kernel(words: &'static [&'static str]) -> Form {
    Form {
        topic: DISK,
        program: Program::Kernel,
        level: Level::Debug,
        words,
    }
}

const fn always(topic: &'static str, words: &'static [&'static str]) -> Form {
    Form {
        topic,
        program: Program::Any,
        level: Level::Debug,
        words,
    }
}

const fn fault(topic: &'static str, words: &'static [&'static str]) -> Form {
    Form {
        topic,
        program: Program::Any,
        level: Level::Warn,
        words,
    }
}

/// Every form, the more exact before the less.
const FORMS: &[Form] = &[
    fault(CONNECTION, &["too many clients already"]),
    fault(CONNECTION, &["remaining connection slots are reserved"]),
    fault(CONNECTION, &["no pg_hba.conf entry"]),
    fault(CONNECTION, &["password authentication failed for user"]),
    fault(CONNECTION, &["postgres", "connection refused"]),
    fault(CONNECTION, &["could not connect to", "server"]),
    fault(CONNECTION, &["connection to server ", " failed"]),
    fault(RELATION, &["relation", "does not exist"]),
    fault(DEADLOCK, &["deadlock detected"]),
    // Block devices and their drivers.
    kernel(&["i/o error"]),
    kernel(&["medium error"]),
    kernel(&["hardware error", "sense key"]),
    kernel(&["critical target error"]),
    kernel(&["rejecting i/o to offline device"]),
    kernel(&["rejecting i/o to dead device"]),
    kernel(&["device offlined"]),
    kernel(&["ata", "exception emask"]),
    kernel(&["ata", "failed command:"]),
    kernel(&["nvme", "i/o", "timeout"]),
    kernel(&["nvme", "controller is down"]),
    kernel(&["mmc", "error -", "transferring data"]),
    kernel(&["md/raid", "disk failure"]),
    kernel(&["md: ", "kicking non-fresh"]),
    kernel(&["device-mapper: ", "out of data space"]),
    kernel(&["device-mapper: ", "failing device"]),
    // File systems.
    kernel(&["-fs error"]),
    kernel(&["-fs (", "remounting filesystem read-only"]),
    kernel(&["filesystem has been set read-only"]),
    kernel(&["remounting filesystem read-only"]),
    kernel(&["-fs (", "error count since last fsck"]),
    kernel(&["aborting journal"]),
    kernel(&["jbd2: ", "detected io errors"]),
    kernel(&["xfs (", "corruption"]),
    kernel(&["xfs (", "shutting down"]),
    kernel(&["xfs (", "shutdown"]),
    kernel(&["btrfs error"]),
    kernel(&["btrfs critical"]),
    kernel(&["btrfs: error"]),
    kernel(&["btrfs", "forced readonly"]),
    kernel(&["squashfs error"]),
    kernel(&["zfs: ", "has encountered an uncorrectable i/o failure"]),
    // smartd and mdadm, who report before the kernel does.
    always(DISK, &["currently unreadable (pending) sectors"]),
    always(DISK, &["offline uncorrectable sectors"]),
    always(DISK, &["failed smart self-check"]),
    always(DISK, &["smart failure"]),
    always(DISK, &["event detected on md device", "fail"]),
    always(DISK, &["event detected on md device", "degraded"]),
    // The C library's words for ENOSPC, EIO and EROFS.
    always(DISK, &["no space left on device"]),
    always(DISK, &["input/output error"]),
    always(DISK, &["read-only file system"]),
    fault(DISK, &["enospc"]),
    fault(DISK, &["disk i/o error"]),
    fault(DISK, &["disk is full"]),
    fault(DISK, &["there is not enough space on the disk"]),
    always(ACCOUNT, &["nouser", "shadow"]),
    always(ACCOUNT, &["couldn't look up shadow information"]),
    always(ACCOUNT, &["could not get shadow information for"]),
    always(ACCOUNT, &["failed to determine user credentials"]),
    always(ACCOUNT, &["status=217/user"]),
    always(
        CRASH_LOOP,
        &["pqcrypta-collector", "start request repeated too quickly"],
    ),
    always(CRASH_LOOP, &["pqcrypta-collector", "scheduled restart job"]),
    always(CRASH_LOOP, &["pqcrypta-collector", "failed with result"]),
    always(CRASH_LOOP, &["pqcrypta-collector", "main process exited"]),
    fault(PERMISSION, &["permission denied"]),
    fault(PERMISSION, &["operation not permitted"]),
    fault(PERMISSION, &["eacces"]),
    fault(UNREACHABLE, &["connection refused"]),
    fault(UNREACHABLE, &["connection reset"]),
    fault(UNREACHABLE, &["connection timed out"]),
    fault(UNREACHABLE, &["timed out"]),
    fault(UNREACHABLE, &["timeout"]),
    fault(UNREACHABLE, &["no route to host"]),
    fault(UNREACHABLE, &["name or service not known"]),
    fault(UNREACHABLE, &["temporary failure in name resolution"]),
    fault(UNREACHABLE, &["no such host"]),
    fault(UNREACHABLE, &["econnrefused"]),
    fault(UNREACHABLE, &["econnreset"]),
    fault(UNREACHABLE, &["etimedout"]),
    fault(UNREACHABLE, &["enotfound"]),
    fault(UNREACHABLE, &["broken pipe"]),
];

/// What errors of PostgreSQL are about, by their code: PostgreSQL's Appendix A.
const STATES: &[(&str, &str)] = &[
    ("08001", CONNECTION),
    ("08006", CONNECTION),
    ("28000", CONNECTION),
    ("28P01", CONNECTION),
    ("53300", CONNECTION),
    ("42P01", RELATION),
    ("40P01", DEADLOCK),
    ("53100", DISK),
    ("58030", DISK),
    ("42501", PERMISSION),
];

/// Finds out what messages are about.
#[derive(Debug, Default)]
pub(crate) struct Topics {
    /// The message in small letters; memory for the next.
    text: String,
}

/// What any form that holds at any level has, of programs other than the kernel: without one of these a
/// message that is not a warning is not searched further. First letters are of either size.
static HINTS: LazyLock<Vec<Finder<'static>>> = LazyLock::new(|| {
    [
        "pace left on device",
        "nput/output error",
        "ead-only file system",
        "hadow",
        "217/USER",
        "user credentials",
        "pqcrypta-collector",
        "sectors",
        "SMART",
        "md device",
    ]
    .into_iter()
    .map(Finder::new)
    .collect()
});

impl Topics {
    /// Returns the topic of a message; `None` for most.
    pub(crate) fn of(&mut self, event: &Event) -> Option<&'static str> {
        // What a request's line holds is its client's text.
        if event.access.is_some() {
            return None;
        }
        if event.level >= Level::Warn
            && let Some(topic) = event.context.as_deref().and_then(of_state)
        {
            return Some(topic);
        }
        let is_kernel = event.component == "kernel" || is_dmesg(event);
        let has_hint = || {
            let message = event.message.as_bytes();
            HINTS.iter().any(|hint| hint.find(message).is_some())
        };
        if event.level < Level::Warn && !is_kernel && !has_hint() {
            return None;
        }
        self.text.clear();
        self.text.push_str(&event.message);
        self.text.make_ascii_lowercase();
        let text = self.text.as_str();
        FORMS
            .iter()
            .find(|form| {
                event.level >= form.level
                    && (form.program == Program::Any || is_kernel)
                    && form.words.iter().all(|word| text.contains(word))
            })
            .map(|form| form.topic)
    }
}

/// Returns whether a line without a component begins as those of `dmesg` do: `[12345.678901] `.
fn is_dmesg(event: &Event) -> bool {
    event.component.is_empty()
        && event
            .message
            .strip_prefix('[')
            .is_some_and(|rest| rest.trim_start().starts_with(|c: char| c.is_ascii_digit()))
}

/// Returns the topic of the SQLSTATE in the context.
fn of_state(context: &str) -> Option<&'static str> {
    let (_, rest) = context.split_once("\"sqlstate\":\"")?;
    let state = rest.split('"').next()?;
    let known = STATES.iter().find(|(known, _)| *known == state);
    known.map(|(_, topic)| *topic)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parse::{ParserKind, ParserOptions, Reader};
    use schema::Timestamp;

    /// Topics of the lines of a text, as a parser reads it.
    fn topics(parser: &str, prefix: Option<&str>, text: &str) -> Vec<Option<&'static str>> {
        let options = ParserOptions {
            log_line_prefix: prefix.map(str::to_owned),
            ..ParserOptions::default()
        };
        let mut reader = Reader::new(ParserKind::parse(parser).unwrap(), options);
        let (mut events, mut topics) = (Vec::new(), Topics::default());
        for (at, line) in text.lines().enumerate() {
            let now = Timestamp(1_795_000_000_000_000);
            reader.line(
                at as u64,
                line.as_bytes(),
                line.len() as u64,
                now,
                &mut events,
            );
        }
        reader.flush(&mut events);
        events.iter().map(|event| topics.of(event)).collect()
    }

    #[test]
    fn lines_of_real_programs_have_their_topic() {
        for (parser, topic, lines) in [
            (
                "syslog",
                DISK,
                &[
                    // Without a priority, as in Debian's kern.log.
                    "Nov 29 06:57:00 h kernel: [1000.678901] EXT4-fs error (device sda1): ext4_find_entry:1455: inode #2: comm ls: reading directory lblock 0",
                    "<2>Nov 29 06:57:10 h kernel: EXT4-fs error (device sdb1): ext4_lookup:1700: inode #2: comm ls: deleted inode referenced: 7",
                    "Nov 29 06:57:10 h kernel: EXT4-fs (sda1): Remounting filesystem read-only",
                    "Nov 29 06:57:10 h kernel: EXT4-fs (sda1): error count since last fsck: 14",
                    "Nov 29 06:57:20 h kernel: Buffer I/O error on dev sdb1, logical block 0, async page read",
                    "2026-11-29T06:57:20+00:00 h kernel: blk_update_request: I/O error, dev sda, sector 1234 op 0x0:(READ) flags 0x0",
                    "Nov 29 06:57:20 h kernel: [7.1] I/O error, dev nvme0n1, sector 5",
                    "Nov 29 06:57:20 h kernel: [7.1] critical medium error, dev sda, sector 7",
                    "Nov 29 06:57:20 h kernel: [7.1] sd 0:0:0:0: [sda] tag#0 Sense Key : Medium Error [current]",
                    "Nov 29 06:57:20 h kernel: [7.1] ata1.00: exception Emask 0x0 SAct 0x0 SErr 0x0 action 0x0",
                    "Nov 29 06:57:20 h kernel: [7.1] ata1.00: failed command: READ FPDMA QUEUED",
                    "Nov 29 06:57:20 h kernel: [7.1] nvme nvme0: I/O 7 QID 3 timeout, aborting",
                    "Nov 29 06:57:20 h kernel: [7.1] nvme nvme0: controller is down; will reset: CSTS=0xffffffff",
                    "Nov 29 06:57:20 h kernel: [7.1] XFS (dm-0): Metadata corruption detected at xfs_agf_read_verify",
                    "Nov 29 06:57:20 h kernel: [7.1] XFS (dm-0): Corruption of in-memory data detected.  Shutting down filesystem",
                    "Nov 29 06:57:20 h kernel: [7.1] BTRFS error (device sdb): bdev /dev/sdb errs: wr 1, rd 0, flush 0, corrupt 0, gen 0",
                    "Nov 29 06:57:20 h kernel: [7.1] md/raid1:md0: Disk failure on sdb1, disabling device.",
                    "Nov 29 06:57:20 h kernel: [7.1] Aborting journal on device sda1-8.",
                    "Nov 29 06:57:20 h kernel: [7.1] FAT-fs (sdc1): Filesystem has been set read-only",
                    "Nov 29 06:57:20 h kernel: [7.1] device-mapper: thin: 253:2: switching pool to out-of-data-space mode: no space left on device",
                    "Nov 29 06:57:20 h smartd[812]: Device: /dev/sda [SAT], 8 Currently unreadable (pending) sectors",
                    "Nov 29 06:57:20 h mdadm[77]: Fail event detected on md device /dev/md0, component device /dev/sdb1",
                    "Nov 29 06:57:30 h shop[77]: write /var/lib/shop/data: No space left on device",
                    "Nov 29 06:57:30 h rsyslogd[7]: file '/var/log/syslog': write error: No space left on device [v8.2302.0]",
                    "Nov 29 06:57:30 h dockerd[7]: failed to register layer: write /usr/lib/x: no space left on device",
                    "Nov 29 06:57:30 h cp: cannot create regular file '/mnt/x': Read-only file system",
                    "Nov 29 06:57:30 h rsync[9]: rsync: read errors mapping \"/srv/x\": Input/output error (5)",
                ][..],
            ),
            (
                "simple_timestamp",
                DISK,
                &[
                    "2026/11/29 06:00:01 [crit] 7#7: *1 pwrite() \"/var/cache/nginx/x\" failed (28: No space left on device)",
                    "2026-11-29 06:00:01,123 ERROR app: OSError: [Errno 28] No space left on device: '/x'",
                    "2026-11-29T06:00:01Z ERROR Error: ENOSPC: no space left on device, write",
                    "2026-11-29T06:00:01Z ERROR sqlite3.OperationalError: database or disk is full",
                    "[  812.123456] Buffer I/O error on dev sdb1, logical block 0, async page read",
                ],
            ),
            (
                "apache_error",
                DISK,
                &[
                    "[Sun Nov 29 06:27:00.123456 2026] [core:error] [pid 7] (28)No space left on device: [client 192.0.2.7:1] AH00646: Error writing to /var/log/apache2/x",
                ],
            ),
            (
                "postgresql",
                DISK,
                &[
                    "2026-11-29 06:20:00.132 UTC [7] a@b ERROR:  could not extend file \"base/5/16384\": No space left on device",
                    "2026-11-29 06:20:00.132 UTC [7] a@b PANIC:  could not write to file \"pg_wal/xlogtemp.7\": No space left on device",
                ],
            ),
            (
                "postgresql",
                CONNECTION,
                &[
                    "2026-11-29 06:20:00.132 UTC [7] a@b FATAL:  sorry, too many clients already",
                    "2026-11-29 06:20:00.132 UTC [7] a@b FATAL:  remaining connection slots are reserved for roles with the SUPERUSER attribute",
                    "2026-11-29 06:20:00.132 UTC [7] a@b FATAL:  no pg_hba.conf entry for host \"192.0.2.7\", user \"a\", database \"b\", no encryption",
                    "2026-11-29 06:20:00.132 UTC [7] a@b FATAL:  password authentication failed for user \"a\"",
                    "2026-11-29 06:20:00.132 UTC [7] FATAL:  could not connect to the primary server: x",
                ],
            ),
            (
                "postgresql",
                RELATION,
                &[
                    "2026-11-29 06:20:00.132 UTC [7] a@b ERROR:  relation \"orders\" does not exist at character 15",
                ],
            ),
            (
                "postgresql",
                DEADLOCK,
                &["2026-11-29 06:20:00.132 UTC [7] a@b ERROR:  deadlock detected"],
            ),
            (
                "postgresql",
                PERMISSION,
                &["2026-11-29 06:20:00.132 UTC [7] a@b ERROR:  permission denied for table orders"],
            ),
            (
                "syslog",
                ACCOUNT,
                &[
                    "Nov 29 06:57:30 h login[7]: pam_unix(login:auth): couldn't look up shadow information for nouser",
                    "Nov 29 06:57:30 h systemd[1]: shop.service: Failed to determine user credentials: No such process",
                    "Nov 29 06:57:30 h systemd[1]: shop.service: Main process exited, code=exited, status=217/USER",
                    "Nov 29 06:57:30 h sshd[7]: Could not get shadow information for NOUSER",
                ],
            ),
            (
                "syslog",
                CRASH_LOOP,
                &[
                    "Nov 29 06:57:30 h systemd[1]: pqcrypta-collector.service: Scheduled restart job, restart counter is at 5.",
                    "Nov 29 06:57:30 h systemd[1]: pqcrypta-collector.service: Start request repeated too quickly.",
                    "Nov 29 06:57:30 h systemd[1]: pqcrypta-collector.service: Failed with result 'exit-code'.",
                    "Nov 29 06:57:30 h systemd[1]: pqcrypta-collector.service: Main process exited, code=exited, status=78/CONFIG",
                ],
            ),
            (
                "simple_timestamp",
                PERMISSION,
                &[
                    "2026/11/29 06:00:01 [error] 7#7: *1 open() \"/srv/x\" failed (13: Permission denied), client: 192.0.2.7",
                    "2026-11-29T06:00:01Z ERROR Error: EACCES: permission denied, open '/srv/x'",
                    "2026-11-29T06:00:01Z WARN chown /srv/x: Operation not permitted",
                ],
            ),
            (
                "simple_timestamp",
                UNREACHABLE,
                &[
                    "2026/11/29 06:00:01 [error] 7#7: *1 connect() failed (111: Connection refused) while connecting to upstream, client: 192.0.2.7",
                    "2026/11/29 06:00:01 [error] 7#7: *1 upstream timed out (110: Connection timed out) while reading response header from upstream",
                    "2026-11-29T06:00:01Z ERROR dial tcp 192.0.2.7:6379: i/o timeout",
                    "2026-11-29T06:00:01Z ERROR dial tcp: lookup cache on 192.0.2.53:53: no such host",
                    "2026-11-29T06:00:01Z ERROR Error: connect ECONNREFUSED 192.0.2.7:6379",
                    "2026-11-29T06:00:01Z WARN java.net.SocketTimeoutException: Read timed out",
                    "2026-11-29T06:00:01Z ERROR I/O error on GET request for \"http://cache/x\": Connection refused",
                ],
            ),
        ] {
            for line in lines {
                assert_eq!(topics(parser, None, line), [Some(topic)], "{line}");
            }
        }
    }

    #[test]
    fn a_state_is_known_in_any_language() {
        for (state, words, topic) in [
            ("53100", "konnte Datei »base/5/1« nicht erweitern", DISK),
            (
                "53300",
                "tut mir leid, schon zu viele Verbindungen",
                CONNECTION,
            ),
            ("42P01", "Relation »x« existiert nicht", RELATION),
            ("40P01", "Verklemmung entdeckt", DEADLOCK),
            ("42501", "keine Berechtigung für Tabelle x", PERMISSION),
        ] {
            let line = format!("2026-11-29 06:20:00.132 UTC [7] {state} ERROR:  {words}");
            assert_eq!(
                topics("postgresql", Some("%m [%p] %e "), &line),
                [Some(topic)],
                "{line}"
            );
        }
    }

    #[test]
    fn what_is_something_else_has_none() {
        for (parser, line) in [
            (
                "syslog",
                "Nov 29 06:57:30 h kernel: [7.1] EXT4-fs (sda1): mounted filesystem with ordered data mode",
            ),
            (
                "syslog",
                "Nov 29 06:57:30 h kernel: [7.1] nvme nvme0: 8/0/0 default/read/poll queues",
            ),
            (
                "syslog",
                "Nov 29 06:57:30 h app[7]: GET /permission denied 404",
            ),
            (
                "syslog",
                "Nov 29 06:57:30 h app[7]: connection refused by policy",
            ),
            (
                "syslog",
                "Nov 29 06:57:30 h app[7]: I/O error handler registered",
            ),
            (
                "syslog",
                "Nov 29 06:57:30 h systemd[1]: shop.service: Scheduled restart job, restart counter is at 5.",
            ),
            (
                "simple_timestamp",
                "2026-11-29T06:00:01Z ERROR a strange thing",
            ),
            (
                "access",
                "192.0.2.7 - - [29/Nov/2026:06:00:00 +0000] \"GET /?q=No space left on device HTTP/1.1\" 500 7",
            ),
        ] {
            assert_eq!(topics(parser, None, line), [None], "{line}");
        }
    }

    #[test]
    fn forms_are_in_small_letters_and_each_topic_has_some() {
        for topic in TOPICS {
            assert!(FORMS.iter().any(|form| form.topic == *topic), "{topic}");
        }
        for form in FORMS {
            assert!(TOPICS.contains(&form.topic));
            for word in form.words {
                assert_eq!(word.to_lowercase(), **word);
            }
        }
    }

    #[test]
    fn each_form_that_holds_at_any_level_has_a_hint() {
        for form in FORMS
            .iter()
            .filter(|form| form.level < Level::Warn && form.program == Program::Any)
        {
            let text = form.words.concat();
            assert!(
                HINTS.iter().any(|hint| {
                    let hint = String::from_utf8_lossy(hint.needle()).to_lowercase();
                    text.contains(&hint)
                }),
                "{text}"
            );
        }
    }
}
