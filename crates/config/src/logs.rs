//! `[logs]` and `[[logs.source]]`: which logs are read, and how.

use std::path::PathBuf;

use crate::field::choice;
use crate::key::{Problem, Value, quoted};
use crate::postgres::name;
use crate::section::section;

section! {
    /// Which logs are read, and how.
    pub struct Logs = "logs" {
        /// Whether logs are read at all.
        enabled: bool = true => env("LOG_ENABLED") live();
        /// Seconds between two readings of every source; a reading goes on until nothing waits.
        tick_secs: u32 = 1 => env("LOG_TICK_SECS") range(1, 3600) live();
        /// Most events stored in one transaction.
        batch_size: u32 = 5_000 => range(1, 100_000) live();
        /// Most lines taken from one source before the others have their turn; none are left out.
        max_lines_per_tick: u32 = 5_000 => range(1, 1_000_000) live();
        /// Bytes read from a file in one go.
        chunk_size: u32 = 262_144 => range(4096, 16_777_216) live();
    } with {
        /// The sources: `[[logs.source]]`.
        source: Vec<LogSource>;
    }
}

section! {
    /// A log that is read, written once for each. Without any, the usual ones of docs/LOGS.md are;
    /// that one of those is not there is no fault.
    pub struct LogSource = ["logs.source"] {
        /// Name of the source in every view; small letters, digits, `-` and `_`.
        name: String = String::new() => with(name) live();
        /// `file`, or `journal` for a unit of systemd.
        kind: LogKind = LogKind::File => live();
        /// The file; `*` and `?` in its last part stand for several.
        path: Option<PathBuf> = None => with(crate::machine::absolute) live();
        /// The unit, as `journalctl --unit` takes it.
        unit: String = String::new() => with(unit) live();
        /// What its lines look like: `auto`, `syslog`, `postgresql`, `apache_error`, `access` (Apache and
        /// nginx, common and combined), `caddy`, `fail2ban`, `certbot`, `simple_timestamp`, or
        /// `journalctl`, the only one for the journal. `auto` is `syslog` in files, which reads lines of
        /// other programs as `simple_timestamp` does.
        parser: LogParser = LogParser::Auto => live();
        /// Time zone of times without one, as `Europe/Berlin`; that of this machine when empty.
        timezone: String = String::new() => live();
        /// `log_line_prefix` of the server, for `postgresql`; its usual one when empty.
        log_line_prefix: String = String::new() => live();
        /// `LogFormat` of Apache or `log_format` of nginx, for `access`, so that durations are found among
        /// the fields that were added; or one of the names `common`, `combined`, `combinedio`, `main` and
        /// `ingress-nginx`.
        access_format: String = String::new() => live();
    }
}

choice! {
    /// Where a source lies.
    pub enum LogKind {
        /// In a file.
        File = "file",
        /// In the journal of systemd.
        Journal = "journal",
    }
}

choice! {
    /// What lines look like.
    pub enum LogParser {
        /// As is usual for the kind of source.
        Auto = "auto",
        /// RFC 3164, RFC 5424, or with an ISO time in front; other lines as [`Self::SimpleTimestamp`].
        Syslog = "syslog",
        /// PostgreSQL: stderr with a prefix, csvlog or jsonlog.
        Postgresql = "postgresql",
        /// The journal.
        Journalctl = "journalctl",
        /// Apache's error log.
        ApacheError = "apache_error",
        /// Access logs of Apache and nginx, common and combined.
        Access = "access",
        /// Caddy's JSON.
        Caddy = "caddy",
        /// fail2ban.
        Fail2ban = "fail2ban",
        /// certbot.
        Certbot = "certbot",
        /// A time, with or without brackets, level and message; JSON, logfmt.
        SimpleTimestamp = "simple_timestamp",
    }
}

/// The sources that are read when none is named: name, kind, place, parser.
const USUAL: [(&str, LogKind, &str, LogParser); 15] = {
    use LogKind::{File, Journal};
    use LogParser as P;
    [
        (
            "postgresql",
            File,
            "/var/log/postgresql/postgresql-*-main.log",
            P::Postgresql,
        ),
        ("api", Journal, "pqcrypta-api", P::Journalctl),
        ("proxy", Journal, "pqcrypta-proxy", P::Journalctl),
        ("collector", Journal, "pqcrypta-collector", P::Journalctl),
        ("auth", File, "/var/log/auth.log", P::Syslog),
        ("fail2ban", File, "/var/log/fail2ban.log", P::Fail2ban),
        (
            "apache_error",
            File,
            "/var/log/apache2/api.pqcrypta.com-error.log",
            P::ApacheError,
        ),
        (
            "apache_internal_error",
            File,
            "/var/log/apache2/pqcrypta-internal-error.log",
            P::ApacheError,
        ),
        (
            "health_check",
            File,
            "/var/log/pqcrypta_health_check.log",
            P::SimpleTimestamp,
        ),
        (
            "blocklist",
            File,
            "/var/log/pqcrypta-proxy/blocklist_sync.log",
            P::SimpleTimestamp,
        ),
        (
            "bot_detection",
            File,
            "/var/log/pqcrypta-proxy/bot_detection.log",
            P::SimpleTimestamp,
        ),
        ("kernel", File, "/var/log/kern.log", P::Syslog),
        (
            "certbot",
            File,
            "/var/log/letsencrypt/letsencrypt.log",
            P::Certbot,
        ),
        // What was changed on the host: packages, and services as systemd's manager reports them.
        ("packages", File, "/var/log/dpkg.log", P::SimpleTimestamp),
        ("units", Journal, "init.scope", P::Journalctl),
    ]
};

impl Logs {
    /// Returns every source that is read: those that are named, or the usual ones.
    #[must_use]
    pub fn sources(&self) -> Vec<LogSource> {
        if !self.source.is_empty() {
            return self.source.clone();
        }
        let usual = USUAL.iter().map(|(name, kind, place, parser)| LogSource {
            name: (*name).to_owned(),
            kind: *kind,
            path: (*kind == LogKind::File).then(|| PathBuf::from(place)),
            unit: match kind {
                LogKind::File => String::new(),
                LogKind::Journal => (*place).to_owned(),
            },
            parser: *parser,
            ..LogSource::default()
        });
        usual.collect()
    }

    /// Returns whether nobody named the sources, so that one which is not there is no fault.
    #[must_use]
    pub fn is_assumed(&self) -> bool {
        self.source.is_empty()
    }
}

impl LogSource {
    /// Returns the path or unit.
    #[must_use]
    pub fn place(&self) -> String {
        match (&self.path, self.kind) {
            (Some(path), LogKind::File) => path.display().to_string(),
            _ => self.unit.clone(),
        }
    }

    /// Returns the parser in use.
    #[must_use]
    pub fn used_parser(&self) -> LogParser {
        match (self.kind, self.parser) {
            (LogKind::Journal, _) => LogParser::Journalctl,
            (LogKind::File, LogParser::Auto) => LogParser::Syslog,
            (LogKind::File, parser) => parser,
        }
    }
}

/// Names of units travel as an argument of a command.
fn unit(value: &Value) -> Result<(), Problem> {
    let Value::Text(unit) = value else {
        return Ok(());
    };
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.@:\\*?".contains(&byte);
    if unit.len() > 255 || unit.starts_with('-') || !unit.bytes().all(plain) {
        return Err(Problem::new(
            format!("{} is not a unit", quoted(unit)),
            "write its name as systemctl shows it, such as ssh.service",
        ));
    }
    Ok(())
}
