use crate::{Json, LogLevel, Severity, Timestamp, metric_table};

metric_table! {
    /// One event of a log. Stored together with the position of its stream, never queued: the log itself is the buffer.
    pub struct LogEntry => "log_entries" { class: Event, rollup: false, keep: Lines, every: Tick;
        /// Name of the source in the configuration.
        source: String [Key None],
        /// Where it begins in its stream: byte offset, or sequence number of the journal.
        at: i64 [Detail None],
        /// `debug`, `info`, `warn` or `error`.
        level: LogLevel [Key None],
        /// Program, module or unit within the source; empty when not reported.
        component: String [Detail Text],
        /// The message without secrets and terminal sequences, at most 4096 characters.
        message: String [Detail Text],
        /// Its true length in characters where it was cut.
        message_chars: Option<i32> [Detail Count],
        /// Further fields of the source: process, user, error code, the lines that belong to it.
        context: Option<Json> [Detail None],
        /// Its pattern: `log_patterns.fingerprint`.
        fingerprint: String [Detail None],
        /// Distinguishes lines of one instant, source and place: upper half the session that stored it, lower half
        /// its number within the session. 0 for lines stored before there were identifiers.
        line_id: i64 [Detail None],
    }
}

metric_table! {
    /// State of reading a log source. Counters since the collector started.
    pub struct LogSource => "log_sources_raw" { class: Core, rollup: true, keep: Raw, every: Tick;
        /// Name of the source in the configuration.
        source: String [Key None],
        /// `file` or `journal`.
        kind: String [Detail Text],
        /// Path, glob or unit.
        place: String [Detail Text],
        /// Parser in use.
        parser: String [Detail Text],
        /// `ok`, `missing`, `denied`, `refused` or `failed`; `blocked` when it can be read and its lines cannot
        /// be stored.
        status: String [Detail Text],
        /// Why it is not `ok`.
        error: Option<String> [Detail Text],
        /// Events of level debug stored.
        debug_lines: i64 [Counter Count],
        /// Events of level info stored.
        info_lines: i64 [Counter Count],
        /// Events of level warn stored.
        warn_lines: i64 [Counter Count],
        /// Events of level error stored.
        error_lines: i64 [Counter Count],
        /// Bytes read of it.
        bytes: i64 [Counter Bytes],
        /// Bytes of it that are not stored; NULL for the journal, where it is unknown.
        backlog_bytes: Option<i64> [Gauge Bytes],
        /// Events stored under the overflow fingerprint, because the hour had too many kinds.
        overflowed: i64 [Counter Count],
        /// Time of the newest event; NULL before the first.
        last_line: Option<Timestamp> [Detail Time],
        /// Events stored whose line the parser did not recognise, so that they have the time of reading; NULL where an
        /// older collector did not count them.
        unread_lines: Option<i64> [Counter Count],
        /// Parser that the configuration names; `auto` where it leaves that open.
        configured_parser: Option<String> [Detail Text],
    }
}

impl LogSource {
    /// Least number of lines for a verdict when none fits: a wrong prefix is wrong from the first line on.
    pub const LEAST_OF_NONE: i64 = 3;
    /// … and when some fit: output of a program before its log begins is not a fault.
    pub const LEAST_OF_SOME: i64 = 20;

    /// Returns whether the parser does not fit a source: none of its `lines` fits a head of the parser, or less than
    /// half of many. Lines that belong to the event of another do not count.
    #[must_use]
    pub const fn is_misread(unread: i64, lines: i64) -> bool {
        (unread >= lines && lines >= Self::LEAST_OF_NONE)
            || (unread * 2 > lines && lines >= Self::LEAST_OF_SOME)
    }
}

metric_table! {
    /// Security events found in logs: one row per step of a finding, `ts` is the last line that it counts.
    pub struct SecurityEvent => "security_events" { class: Event, rollup: false, keep: Events, every: Tick;
        /// `ssh_brute_force`, `fail2ban_ban`, `firewall_block` and others.
        event_type: String [Key None],
        /// `info`, `warn` or `critical`.
        severity: Severity [Detail Text],
        /// Source of its lines.
        source: String [Detail Text],
        /// Its origin; NULL when unknown or when there are several.
        source_ip: Option<String> [Detail Text],
        /// Account it is about.
        username: Option<String> [Detail Text],
        /// Attempts, bans or packets counted.
        count: i64 [Gauge Count],
        /// The first of them.
        first_ts: Timestamp [Detail Time],
        /// Addresses, accounts, jail, what to do.
        details: Option<Json> [Detail None],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn most_lines_are_needed_and_a_few_of_them() {
        for (lines, unread, is_misread) in [
            (0, 0, false),
            (2, 2, false),
            (3, 3, true),
            (3, 2, false),
            (19, 18, false),
            (20, 10, false),
            (20, 11, true),
            (1000, 500, false),
            (1000, 501, true),
            (1000, 1000, true),
        ] {
            assert_eq!(
                LogSource::is_misread(unread, lines),
                is_misread,
                "{unread} of {lines}"
            );
        }
    }
}
