use crate::{Json, Timestamp, metric_table};

metric_table! {
    /// One event of a log. Stored together with the position of its stream, never queued: the log itself is the buffer.
    pub struct LogEntry => "log_entries" { class: Event, rollup: false, keep: Lines, every: Tick;
        /// Name of the source in the configuration.
        source: String [Key None],
        /// Where it begins in its stream: byte offset, or sequence number of the journal.
        at: i64 [Detail None],
        /// `debug`, `info`, `warn` or `error`.
        level: String [Key None],
        /// Program, module or unit within the source; empty when not said.
        component: String [Detail Text],
        /// The message without secrets and terminal sequences, at most 4096 characters.
        message: String [Detail Text],
        /// Its true length in characters where it was cut.
        message_chars: Option<i32> [Detail Count],
        /// What else the source says: process, user, error code, the lines that belong to it.
        context: Option<Json> [Detail None],
        /// Name of what is alike: `log_patterns.fingerprint`.
        fingerprint: String [Detail None],
    }
}

metric_table! {
    /// How reading a log source goes. Counters since the collector started.
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
        /// Bytes of it that are not stored; NULL for the journal, which does not tell.
        backlog_bytes: Option<i64> [Gauge Bytes],
        /// Events stored under the overflow fingerprint, because the hour had too many kinds.
        overflowed: i64 [Counter Count],
        /// Time of the newest event; NULL before the first.
        last_line: Option<Timestamp> [Detail Time],
    }
}

metric_table! {
    /// What lines of logs mean for the security of the host: one row per finding, `ts` is when it was reached.
    pub struct SecurityEvent => "security_events" { class: Event, rollup: false, keep: Events, every: Tick;
        /// `ssh_brute_force`, `fail2ban_ban`, `firewall_block` and others.
        event_type: String [Key None],
        /// `info`, `warn` or `critical`.
        severity: String [Detail Text],
        /// Source whose lines told it.
        source: String [Detail Text],
        /// Address it came from; NULL when not known or when there are many.
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
