//! Lines of real programs, and those that are no change.

use super::*;
use crate::parse::testing::events;

/// Returns the changes that lines report: kind, subject, action, before, after.
fn changes(parser: &str, text: &str) -> String {
    let dash = |value: Option<String>| value.unwrap_or_else(|| "-".to_owned());
    let events = events(parser, text);
    let found = events.iter().filter_map(|event| {
        let (ts, marker) = read(parser, "of", event)?;
        assert_eq!((ts, marker.source.as_str()), (event.ts, "of"));
        Some(format!(
            "{} {} {} {} {}",
            marker.kind,
            marker.subject,
            marker.action,
            dash(marker.before),
            dash(marker.after)
        ))
    });
    found.collect::<Vec<_>>().join("; ")
}

fn expect(parser: &str, cases: &[(&str, &str)]) {
    let wrong: Vec<String> = cases
        .iter()
        .filter_map(|(line, expected)| {
            let found = changes(parser, line);
            (found != *expected).then(|| format!("{line}\n  {found}\n  not {expected}"))
        })
        .collect();
    assert!(wrong.is_empty(), "{parser}:\n{}", wrong.join("\n"));
}

#[test]
fn packages_of_dpkg_once_each() {
    let lines = "2026-11-23 10:00:01 startup archives unpack\n\
        2026-11-23 10:00:01 upgrade nginx:amd64 1.22.1-9 1.22.1-9+deb12u1\n\
        2026-11-23 10:00:01 status triggers-pending man-db:amd64 2.11.2-2\n\
        2026-11-23 10:00:02 status half-configured nginx:amd64 1.22.1-9\n\
        2026-11-23 10:00:03 status installed nginx:amd64 1.22.1-9+deb12u1\n\
        2026-11-23 10:00:03 configure nginx:amd64 1.22.1-9+deb12u1 <none>\n\
        2026-11-23 10:00:04 install libpq5:amd64 <none> 15.9-0+deb12u1\n\
        2026-11-23 10:00:05 upgrade same:all 1.0 1.0\n\
        2026-11-23 10:00:06 remove postgresql-15:amd64 15.9-0+deb12u1 <none>\n\
        2026-11-23 10:00:06 purge postgresql-15:amd64 15.9-0+deb12u1 <none>\n\
        2026-11-23 10:00:07 trigproc libc-bin:amd64 2.36-9 <none>\n";
    assert_eq!(
        changes("simple_timestamp", lines),
        "package nginx upgraded 1.22.1-9 1.22.1-9+deb12u1; \
         package libpq5 installed - 15.9-0+deb12u1; \
         package postgresql-15 removed 15.9-0+deb12u1 -"
    );
    assert_eq!(changes("syslog", lines), changes("simple_timestamp", lines));
}

#[test]
fn packages_of_others() {
    expect(
        "simple_timestamp",
        &[
            (
                "2026-11-23T10:00:01+0000 SUBDEBUG Upgrade: nginx-core-1:1.20.1-14.el9_2.1.x86_64",
                "package nginx-core upgraded - 1:1.20.1-14.el9_2.1",
            ),
            (
                "2026-11-23T10:00:01+0000 SUBDEBUG Upgraded: nginx-core-1:1.20.1-13.el9.x86_64",
                "",
            ),
            (
                "2026-11-23T10:00:01+0000 SUBDEBUG Installed: htop-3.3.0-1.el9.x86_64",
                "package htop installed - 3.3.0-1.el9",
            ),
            (
                "2026-11-23T10:00:01+0000 SUBDEBUG Erase: htop-3.3.0-1.el9.x86_64",
                "package htop removed 3.3.0-1.el9 -",
            ),
            (
                "[2026-11-23T10:00:01+0000] [ALPM] upgraded nginx (1.26.1-1 -> 1.26.2-1)",
                "package nginx upgraded 1.26.1-1 1.26.2-1",
            ),
            (
                "[2026-11-23T10:00:01+0000] [ALPM] installed htop (3.3.0-1)",
                "package htop installed - 3.3.0-1",
            ),
            (
                "[2026-11-23T10:00:01+0000] [ALPM] removed htop (3.3.0-1)",
                "package htop removed 3.3.0-1 -",
            ),
            ("[2026-11-23T10:00:01+0000] [ALPM] running 'x.hook'...", ""),
            ("2026-11-23 10:00:01 install the new theme", ""),
            ("2026-11-23 10:00:01 upgrade a:b c d e", ""),
            ("2026-11-23 10:00:01 remove /etc/x:y 1 2", ""),
            ("2026-11-23 10:00:01 Installed: the app", ""),
        ],
    );
}

#[test]
fn services_and_kernels() {
    let head = "Nov 23 10:00:01 web1 systemd[1]: ";
    for (message, expected) in [
        (
            "Started nginx.service - A high performance web server.",
            "unit nginx.service started - -",
        ),
        (
            "Stopped postgresql@15-main.service - PostgreSQL Cluster 15-main.",
            "unit postgresql@15-main.service stopped - -",
        ),
        (
            "Reloaded nginx.service - A high performance web server.",
            "unit nginx.service reloaded - -",
        ),
        ("Started nginx.service.", "unit nginx.service started - -"),
        (
            "nginx.service: Failed with result 'exit-code'.",
            "unit nginx.service failed - -",
        ),
        (
            "nginx.service: Scheduled restart job, restart counter is at 3.",
            "unit nginx.service restarted - -",
        ),
        (
            "nginx.service: Main process exited, code=exited, status=1/FAILURE",
            "",
        ),
        (
            "Starting nginx.service - A high performance web server...",
            "",
        ),
        ("Finished logrotate.service - Rotate log files.", ""),
        ("Started A high performance web server.", ""),
        ("Started session-3.scope - Session 3 of User root.", ""),
        ("Started user@0.service - User Manager for UID 0.", ""),
        ("Started run-u12.service - /usr/bin/true.", ""),
        ("Stopped target graphical.target - Graphical Interface.", ""),
    ] {
        let line = format!("{head}{message}");
        assert_eq!(changes("syslog", &line), expected, "{line}");
        let forged = line.replace("systemd[1]", "logger");
        assert_eq!(changes("syslog", &forged), "", "{forged}");
    }
    expect(
        "syslog",
        &[
            (
                "Nov 23 10:00:01 web1 kernel: [    0.000000] Linux version 6.1.0-28-amd64 (debian-kernel@lists.debian.org) (gcc-12) #1 SMP",
                "kernel Linux booted - 6.1.0-28-amd64",
            ),
            (
                "2026-11-23T10:00:01.1+00:00 web1 kernel: Linux version 6.8.0-49-generic (buildd@host) #1",
                "kernel Linux booted - 6.8.0-49-generic",
            ),
            (
                "Nov 23 10:00:01 web1 kernel: [   12.3] usb 1-1: new device",
                "",
            ),
        ],
    );
}

#[test]
fn servers_settings_and_schemas_of_postgresql() {
    let head = "2026-11-23 10:00:01.123 UTC [7] LOG:  ";
    let user = "2026-11-23 10:00:01.123 UTC [7] app@shop LOG:  ";
    for (line, expected) in [
        (
            format!("{head}database system is ready to accept connections"),
            "server of started - -",
        ),
        (
            format!("{head}database system is shut down"),
            "server of stopped - -",
        ),
        (
            format!("{head}parameter \"work_mem\" changed to \"8MB\""),
            "setting work_mem changed - -",
        ),
        (
            format!(
                "{head}parameter \"work_mem\" removed from configuration file, reset to default"
            ),
            "setting work_mem changed - default",
        ),
        (
            format!(
                "{head}parameter \"shared_buffers\" cannot be changed without restarting the server"
            ),
            "",
        ),
        (
            format!("{user}statement: ALTER TABLE public.orders ADD COLUMN note text;"),
            "schema table public.orders altered - -",
        ),
        (
            format!(
                "{user}statement: create unique index concurrently if not exists \"my idx\" on orders (id)"
            ),
            "schema index \"my idx\" created - -",
        ),
        (
            format!(
                "{user}duration: 12.345 ms  statement: DROP MATERIALIZED VIEW IF EXISTS a.b CASCADE"
            ),
            "schema materialized view a.b dropped - -",
        ),
        (
            format!(
                "{user}execute <unnamed>: CREATE OR REPLACE FUNCTION f(a int) RETURNS int LANGUAGE sql AS 'select 1'"
            ),
            "schema function f created - -",
        ),
        (
            format!("{user}statement: ALTER ROLE bob PASSWORD 'x'"),
            "schema role bob altered - -",
        ),
        (format!("{user}statement: CREATE INDEX ON orders (id)"), ""),
        (format!("{user}statement: SELECT 'ALTER TABLE x'"), ""),
        (format!("{user}statement: create temp table t (a int)"), ""),
        (
            format!("{user}statement: UPDATE t SET a = 'CREATE TABLE x ()'"),
            "",
        ),
        (format!("{head}checkpoint starting: time"), ""),
    ] {
        assert_eq!(changes("postgresql", &line), expected, "{line}");
    }
}

#[test]
fn web_servers() {
    expect(
        "apache_error",
        &[
            (
                "[Mon Nov 23 10:00:01.123456 2026] [mpm_event:notice] [pid 7:tid 1] AH00489: Apache/2.4.62 (Debian) configured -- resuming normal operations",
                "server of started - -",
            ),
            (
                "[Mon Nov 23 10:00:01.123456 2026] [mpm_event:notice] [pid 7:tid 1] AH00493: SIGUSR1 received.  Doing graceful restart",
                "server of reloaded - -",
            ),
            (
                "[Mon Nov 23 10:00:01.123456 2026] [core:error] [pid 7:tid 1] [client 192.0.2.7:1] AH00126: Invalid URI in request",
                "",
            ),
        ],
    );
    expect(
        "simple_timestamp",
        &[
            (
                "2026/11/23 10:00:01 [notice] 12#12: signal 1 (SIGHUP) received from 7, reconfiguring",
                "server of reloaded - -",
            ),
            (
                "2026/11/23 10:00:01 [notice] 12#12: signal 15 (SIGTERM) received from 1, exiting",
                "server of stopped - -",
            ),
            (
                "2026/11/23 10:00:01 [notice] 12#12: start worker processes",
                "",
            ),
        ],
    );
}

proptest::proptest! {
    /// Whatever a line holds: nothing panics, and what is stored is short.
    #[test]
    fn any_text_is_harmless(
        parser in proptest::sample::select(vec!["syslog", "simple_timestamp", "postgresql", "apache_error", "journalctl"]),
        head in proptest::sample::select(vec!["", "2026-11-23 10:00:01 ", "Nov 23 10:00:01 h systemd[1]: ", "2026-11-23 10:00:01.123 UTC [7] LOG:  "]),
        word in proptest::sample::select(vec!["upgrade ", "Started ", "parameter \"", "statement: ALTER TABLE ", "statement: create index ", "[ALPM] upgraded "]),
        rest in "\\PC{0,300}",
    ) {
        for event in events(parser, &format!("{head}{word}{rest}")) {
            if let Some((_, marker)) = read(parser, "of", &event) {
                for text in [Some(marker.subject), marker.before, marker.after].into_iter().flatten() {
                    proptest::prop_assert!(text.chars().count() <= LONGEST);
                }
            }
        }
    }
}
