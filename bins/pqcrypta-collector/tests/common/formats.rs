//! Logs of the programs that the parsers know: lines that they wrote, and numbered ones like these.

use super::clock::Utc;
use std::path::Path;

/// The log of a program.
pub struct Format {
    /// Name of the source.
    pub name: &'static str,
    pub parser: &'static str,
    /// Real lines, below `fixtures/logs`.
    fixture: &'static str,
    /// A line whose event holds `tally N`, or `tally/N` where it is a path.
    line: fn(Utc, u64) -> String,
}

impl Format {
    pub fn line(&self, number: u64) -> String {
        (self.line)(Utc::now(), number) + "\n"
    }

    pub fn fixture(&self) -> String {
        let fixtures = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../fixtures/logs"));
        std::fs::read_to_string(fixtures.join(self.fixture)).unwrap()
    }
}

/// Every parser of files, and every form of those that know several.
pub const FORMATS: [Format; 12] = [
    Format {
        name: "access",
        parser: "access",
        fixture: "access/nginx-combined.log",
        line: |at, number| {
            let (day, month, year) = (at.day, at.month_name(), at.year);
            let stamp = format!("{day:02}/{month}/{year}:{} +0000", at.time());
            format!(
                "192.0.2.10 - - [{stamp}] \"GET /tally/{number} HTTP/1.1\" 200 3 \"-\" \"curl/7.88.1\""
            )
        },
    },
    Format {
        name: "apache_error",
        parser: "apache_error",
        fixture: "apache_error/2.4.log",
        line: |at, number| {
            let (weekday, month, day) = (at.weekday(), at.month_name(), at.day);
            let stamp = format!(
                "{weekday} {month} {day:02} {}.{:03}000 {}",
                at.time(),
                at.millis,
                at.year
            );
            format!("[{stamp}] [core:notice] [pid 18904:tid 18904] AH00094: tally {number}")
        },
    },
    Format {
        name: "caddy",
        parser: "caddy",
        fixture: "caddy/server.log",
        line: |at, number| {
            let (secs, millis) = (at.secs, at.millis);
            format!(
                r#"{{"level":"info","ts":{secs}.{millis:03},"logger":"http.log","msg":"tally {number}"}}"#
            )
        },
    },
    Format {
        name: "certbot",
        parser: "certbot",
        fixture: "certbot/refused.log",
        line: |at, number| {
            format!(
                "{},{:03}:DEBUG:certbot._internal.main:tally {number}",
                at.instant(' '),
                at.millis
            )
        },
    },
    Format {
        name: "fail2ban",
        parser: "fail2ban",
        fixture: "fail2ban/restart.log",
        line: |at, number| {
            format!(
                "{},{:03} fail2ban.server         [26287]: INFO    tally {number}",
                at.instant(' '),
                at.millis
            )
        },
    },
    Format {
        name: "postgresql_stderr",
        parser: "postgresql",
        fixture: "postgresql/stderr-15.log",
        line: |at, number| {
            format!(
                "{}.{:03} UTC [20609] LOG:  tally {number}",
                at.instant(' '),
                at.millis
            )
        },
    },
    Format {
        name: "postgresql_csv",
        parser: "postgresql",
        fixture: "postgresql/csvlog-15.log",
        line: |at, number| {
            let (stamp, millis) = (at.instant(' '), at.millis);
            format!(
                "{stamp}.{millis:03} UTC,,,20609,,6b038bc3.5081,{number},,{stamp} UTC,,0,LOG,00000,\"tally {number}\",,,,,,,,,\"\",\"postmaster\",,0"
            )
        },
    },
    Format {
        name: "postgresql_json",
        parser: "postgresql",
        fixture: "postgresql/jsonlog-15.log",
        line: |at, number| {
            let (stamp, millis) = (at.instant(' '), at.millis);
            format!(
                r#"{{"timestamp":"{stamp}.{millis:03} UTC","pid":20609,"session_id":"6b038bc3.5081","line_num":1,"session_start":"{stamp} UTC","txid":0,"error_severity":"LOG","message":"tally {number}","backend_type":"postmaster","query_id":0}}"#
            )
        },
    },
    Format {
        name: "simple_timestamp",
        parser: "simple_timestamp",
        fixture: "simple_timestamp/scripts.log",
        line: |at, number| format!("[{}] tally {number}", at.instant(' ')),
    },
    Format {
        name: "syslog_traditional",
        parser: "syslog",
        fixture: "syslog/auth-traditional.log",
        line: |at, number| {
            let (month, day) = (at.month_name(), at.day);
            format!("{month} {day:>2} {} db1 app[7]: tally {number}", at.time())
        },
    },
    Format {
        name: "syslog_iso",
        parser: "syslog",
        fixture: "syslog/auth-iso.log",
        line: |at, number| format!("{}+00:00 db1 app[7]: tally {number}", at.instant('T')),
    },
    Format {
        name: "syslog_rfc5424",
        parser: "syslog",
        fixture: "syslog/rfc5424.log",
        line: |at, number| format!("<13>1 {}Z db1 app - - -  tally {number}", at.instant('T')),
    },
];
