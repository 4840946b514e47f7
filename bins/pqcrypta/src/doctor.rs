//! `pqcrypta doctor`: what is wrong, and what to do about it.

mod logs;
mod unit;
mod users;
mod watched;

use std::fs::{File, OpenOptions};
use std::io::ErrorKind;
use std::path::Path;
use std::process::ExitCode;

use anyhow::Result;
use config::Fault;
use jiff::Timestamp;
use pg::Session;
use schema::Sample as _;
use schema::tables::{Heartbeat, SelfSample, SystemSample};
use store::migrations;

use crate::print;
use crate::settings::{Source, connect, refuse};

/// Oldest release of the server that is supported.
const OLDEST_RELEASE: u32 = 15;
/// Clocks further apart than this are worth a word; samples carry the collector's time.
const CLOCK_TOLERANCE_SECS: f64 = 2.0;
/// Signs of life come every few seconds.
const ALIVE_WITHIN_SECS: f64 = 60.0;
/// Tables that every collector writes at each tick, so that it always has their partitions made ahead. A table that is written
/// now and then (events, logs, roll-ups) may get its partition on the day itself, when rows need it.
const ALWAYS_WRITTEN: [&str; 3] = [
    Heartbeat::TABLE.name,
    SelfSample::TABLE.name,
    SystemSample::TABLE.name,
];

/// Check settings, queue, store, collector, and all that is watched
///
/// One line per check: ok, warn or fail, with the remedy. Exit status 0 when nothing failed, 1
/// otherwise, 78 for faulty settings. Run it as the user that runs the collector.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    #[command(flatten)]
    source: Source,
}

/// Outcome of one check.
#[derive(Debug, PartialEq, Eq)]
enum Finding {
    Ok(String),
    Warn(String, String),
    Fail(String, String),
}

use Finding::{Fail, Ok as Good, Warn};

/// Runs every check that can be run.
///
/// # Errors
/// When standard output cannot be written.
pub(crate) async fn run(options: &Options) -> Result<ExitCode> {
    let loaded = match options.source.load() {
        Ok(loaded) => loaded,
        Err(faults) => {
            print("fail  settings: see above\n")?;
            return Ok(refuse(&faults));
        }
    };
    let mut findings = vec![
        (
            "settings",
            settings(&loaded.path, loaded.has_file(), &loaded.warnings),
        ),
        ("queue", queue(&loaded.config.collector.queue_dir)),
    ];
    match connect(&loaded, "pqcrypta doctor").await {
        Ok(session) => {
            findings.push(("server", server(&session)));
            findings.extend(database(&session).await);
        }
        Err(error) => {
            let error = format!("{error:#}");
            let file = loaded.config.database.password_file.as_deref();
            let remedy = remedy(&error, &usual(&error, file));
            findings.push(("server", Fail(error, remedy)));
        }
    }
    let mut findings: Vec<(String, Finding)> = findings
        .into_iter()
        .map(|(name, finding)| (name.to_owned(), finding))
        .collect();
    let shut_out = unit::shuts_out(&loaded.config);
    findings.extend(shut_out.map(|finding| ("unit".to_owned(), finding)));
    let users = users::may_log_in(Path::new("/etc/passwd"));
    findings.extend(users.map(|finding| ("users".to_owned(), finding)));
    findings.extend(watched::servers(&loaded.config).await);
    findings.extend(watched::targets(&loaded.config).await);
    let now = schema::Timestamp(Timestamp::now().as_microsecond());
    findings.extend(logs::sources(&loaded.config, now));
    let mut failed = false;
    for (name, finding) in findings {
        failed |= matches!(finding, Fail(..));
        print(&line(&name, &finding))?;
    }
    Ok(if failed {
        ExitCode::FAILURE
    } else {
        ExitCode::SUCCESS
    })
}

fn line(name: &str, finding: &Finding) -> String {
    match finding {
        Good(text) => format!("ok    {name}: {text}\n"),
        Warn(text, remedy) => format!("warn  {name}: {text}; {remedy}\n"),
        Fail(text, remedy) => format!("fail  {name}: {text}; {remedy}\n"),
    }
}

fn settings(path: &Path, has_file: bool, warnings: &[Fault]) -> Finding {
    let path = path.display();
    match warnings.first() {
        None if has_file => Good(format!("good, {path} with the environment")),
        None => Good(format!(
            "good, there is no {path}: the defaults count, with the environment"
        )),
        Some(first) => Warn(
            format!("{} (of {} warnings)", first.problem.text, warnings.len()),
            first.problem.remedy.clone(),
        ),
    }
}

/// Returns what to do where the store gives no session: a password that is missing or wrong is read anew by a restart alone.
fn usual(error: &str, password_file: Option<&Path>) -> String {
    if !(error.contains("password missing") || error.contains("(28P01)")) {
        return "check [database] of the settings, that the server runs, and its pg_hba.conf"
            .to_owned();
    }
    let place = match password_file {
        Some(file) => file.display().to_string(),
        None => "/etc/pqcrypta/credentials/db_password, or into a file that database.password_file names".to_owned(),
    };
    format!(
        "write the role's password into {place}, and restart the service, which reads it when it starts"
    )
}

/// Returns what to do where no session came about: what is usual, unless the server said that there are too many (53300).
fn remedy(error: &str, usual: &str) -> String {
    match error.contains("(53300)") {
        true => "wait until some end, or raise max_connections, or the limit of the role (ALTER ROLE … CONNECTION LIMIT)",
        false => usual,
    }
    .to_owned()
}

/// Checks the queue's directory: there, writable, on a disk.
fn queue(dir: &Path) -> Finding {
    let probe = dir.join(".doctor");
    let made = OpenOptions::new()
        .create(true)
        .write(true)
        .truncate(true)
        .open(&probe);
    let written = made.and_then(|file| {
        let written = write_probe(&file);
        if written.is_err() {
            // An empty file on a full disk; the error that counts is the one before.
            let _left = std::fs::remove_file(&probe);
        }
        written
    });
    match written {
        Ok(()) => {
            if let Err(error) = std::fs::remove_file(&probe) {
                return Warn(
                    format!("cannot remove {}: {error}", probe.display()),
                    "remove it".to_owned(),
                );
            }
            Good(format!("{} takes durable writes", dir.display()))
        }
        Err(error) => Fail(
            format!("cannot write in {}: {error}", dir.display()),
            queue_remedy(error.kind()).to_owned(),
        ),
    }
}

/// Returns what to do where the queue takes no writes.
fn queue_remedy(kind: ErrorKind) -> &'static str {
    match kind {
        ErrorKind::NotFound => "make the directory and give it to the collector's user, mode 0700",
        ErrorKind::PermissionDenied => {
            "give the directory to the collector's user, mode 0700, and run this as that user"
        }
        ErrorKind::NotADirectory => "name a directory in collector.queue_dir",
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => {
            "free space on its disk, or name a directory on another disk in collector.queue_dir"
        }
        ErrorKind::ReadOnlyFilesystem => {
            "mount its file system for writing, or name a directory on another one in collector.queue_dir"
        }
        _ => {
            "see the kernel's log (dmesg) for its disk, or name a directory on another disk in collector.queue_dir"
        }
    }
}

fn write_probe(mut file: &File) -> std::io::Result<()> {
    std::io::Write::write_all(&mut file, b"probe")?;
    file.sync_data()
}

fn server(session: &Session) -> Finding {
    let major = session.major_version();
    if major < OLDEST_RELEASE {
        return Fail(
            format!("PostgreSQL {major} is too old"),
            format!("use PostgreSQL {OLDEST_RELEASE} or newer"),
        );
    }
    if session.in_recovery {
        return Fail(
            format!("PostgreSQL {major} answers, as a standby that takes no writes"),
            "name the primary in database.host".to_owned(),
        );
    }
    Good(format!("PostgreSQL {major} answers"))
}

/// Returns the checks that ask the database.
async fn database(session: &Session) -> Vec<(&'static str, Finding)> {
    let schema = match migrations::check(&session.client).await {
        Ok(found) if found > migrations::wanted() => Good(format!(
            "version {found}; this program knows {} and may go on, upgrade it in its turn",
            migrations::wanted()
        )),
        Ok(found) => Good(format!("version {found}, as this program needs")),
        Err(error) => Fail(
            error.to_string(),
            "see `pqcrypta migrate --help`".to_owned(),
        ),
    };
    let has_schema = matches!(schema, Good(_));
    let mut findings = vec![("schema", schema)];
    let now = Timestamp::now().as_microsecond();
    match session
        .client
        .query_one(include_str!("doctor.sql"), &[&now, &&ALWAYS_WRITTEN[..]])
        .await
    {
        Ok(row) => {
            findings.push(("clock", clock(row.get("clock_ahead_secs"))));
            findings.push((
                "rights",
                rights(
                    row.get("may_store"),
                    row.get("may_read_statistics"),
                    row.get("is_superuser"),
                ),
            ));
            findings.push((
                "sessions",
                sessions(row.get("sessions"), row.get("most_sessions")),
            ));
            if has_schema {
                let without: Vec<String> = row.get("without_tomorrow");
                findings.push(("partitions", partitions(&without)));
            }
        }
        Err(error) => {
            let text = crate::roles::server_words(error).to_string();
            findings.push((
                "rights",
                Fail(
                    text,
                    "grant the role what `pqcrypta migrate --writer` grants".to_owned(),
                ),
            ));
        }
    }
    if has_schema {
        findings.push(("collector", collector(session).await));
        findings.push(("storing", storing(session).await));
    }
    findings
}

fn clock(ahead: f64) -> Finding {
    if ahead.abs() <= CLOCK_TOLERANCE_SECS {
        return Good("agrees with the server's".to_owned());
    }
    let word = if ahead > 0.0 { "behind" } else { "ahead of" };
    Warn(
        format!("{:.1} s {word} the server's", ahead.abs()),
        "synchronise both machines, e.g. by systemd-timesyncd or chrony".to_owned(),
    )
}

fn rights(may_store: bool, may_read_statistics: bool, is_superuser: bool) -> Finding {
    if !may_store {
        return Fail(
            "the role may not store samples".to_owned(),
            "run `pqcrypta migrate --writer ROLE` as the owner of the schema".to_owned(),
        );
    }
    if is_superuser {
        return Warn(
            "the role is a superuser".to_owned(),
            "use a role of its own with the rights that `pqcrypta migrate --writer` grants"
                .to_owned(),
        );
    }
    if !may_read_statistics {
        return Warn(
            "the role sees only its own statistics".to_owned(),
            "GRANT pg_read_all_stats TO the role of [database]".to_owned(),
        );
    }
    Good("the role stores samples and reads statistics".to_owned())
}

fn sessions(now: i64, most: i64) -> Finding {
    // As the metric of connections warns.
    if now * 100 < most * 80 {
        return Good(format!("{now} of the {most} that clients may have"));
    }
    Warn(
        format!("{now} of the {most} that clients may have"),
        "raise max_connections, or put a pooler in between; docs/OPERATIONS.md says how many a host needs"
            .to_owned(),
    )
}

fn partitions(without_tomorrow: &[String]) -> Finding {
    if without_tomorrow.is_empty() {
        return Good("made ahead".to_owned());
    }
    Warn(
        format!("none for tomorrow of {}", without_tomorrow.join(", ")),
        "start the collector, which makes them, or look at its log for why it does not; until then rows go to the default partition"
            .to_owned(),
    )
}

async fn collector(session: &Session) -> Finding {
    let newest = session
        .client
        .query_one(
            "SELECT extract(epoch FROM now() - max(ts))::float8 FROM collector.heartbeat \
             WHERE ts > now() - interval '1 day'",
            &[],
        )
        .await
        .and_then(|row| row.try_get::<_, Option<f64>>(0));
    let remedy = || "start pqcrypta-collector and look at its log".to_owned();
    match newest {
        Ok(Some(age)) if age <= ALIVE_WITHIN_SECS => Good(format!("alive {age:.0} s ago")),
        Ok(Some(age)) => Fail(format!("silent for {:.0} min", age / 60.0), remedy()),
        Ok(None) => Fail("no sign of life today".to_owned(), remedy()),
        Err(error) => Fail(crate::roles::server_words(error).to_string(), remedy()),
    }
}

/// Returns whether anything that is sampled or read waits because it cannot be stored.
async fn storing(session: &Session) -> Finding {
    let waiting = session
        .client
        .query(include_str!("doctor_storing.sql"), &[])
        .await;
    match waiting {
        Ok(rows) => stored(rows.iter().map(|row| (row.get(0), row.get(1), row.get(2)))),
        Err(error) => Warn(
            crate::roles::server_words(error).to_string(),
            "grant the role what `pqcrypta migrate --writer` grants".to_owned(),
        ),
    }
}

/// Returns the finding about hosts, each with what waits there and why.
fn stored(waiting: impl Iterator<Item = (String, String, String)>) -> Finding {
    let waiting: Vec<String> = waiting
        .map(|(host, what, why)| format!("{what} of {host} cannot be stored ({why})"))
        .collect();
    if waiting.is_empty() {
        return Good("nothing is held up".to_owned());
    }
    Warn(
        waiting.join(", "),
        "what waits is kept; see the collector's log for when it began".to_owned(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_that_differs_is_named() {
        assert!(matches!(clock(0.3), Good(_)));
        assert_eq!(
            line("clock", &clock(3.0)).split(';').next(),
            Some("warn  clock: 3.0 s behind the server's")
        );
        assert!(line("clock", &clock(-3.0)).contains("ahead of"));
    }

    #[test]
    fn what_cannot_be_stored_is_named_with_its_cause() {
        assert!(matches!(stored(std::iter::empty()), Good(_)));
        let rows = [
            ("web1", "lines of 3 logs", "disk full"),
            ("web2", "samples", "heartbeat: locked"),
        ];
        let rows = rows.map(|(host, what, why)| (host.to_owned(), what.to_owned(), why.to_owned()));
        let text = line("storing", &stored(rows.into_iter()));
        let wanted = "warn  storing: lines of 3 logs of web1 cannot be stored (disk full), \
                      samples of web2 cannot be stored (heartbeat: locked); ";
        assert!(text.starts_with(wanted), "{text}");
    }

    #[test]
    fn rights_are_enough_and_no_more() {
        assert!(matches!(rights(true, true, false), Good(_)));
        assert!(matches!(rights(true, false, false), Warn(..)));
        assert!(matches!(rights(true, true, true), Warn(..)));
        assert!(matches!(rights(false, true, false), Fail(..)));
    }

    #[test]
    fn what_keeps_the_store_from_giving_a_session_has_its_own_remedy() {
        for (error, words) in [
            ("invalid configuration: password missing", "db_password"),
            (
                "password authentication failed for user \"c\" (28P01)",
                "db_password",
            ),
            (
                "too many connections for role \"c\" (53300)",
                "CONNECTION LIMIT",
            ),
            ("Connection refused (os error 111)", "pg_hba.conf"),
        ] {
            let remedy = remedy(error, &usual(error, None));
            assert!(remedy.contains(words), "{error}: {remedy}");
        }
        let own = usual("password missing", Some(Path::new("/srv/own/password")));
        assert!(
            own.contains("/srv/own/password") && !own.contains("/etc/pqcrypta"),
            "{own}"
        );
    }

    #[test]
    fn a_queue_must_take_writes() {
        let dir = tempfile::tempdir().unwrap();
        assert!(matches!(queue(dir.path()), Good(_)));
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0);
        assert!(matches!(queue(&dir.path().join("gone")), Fail(..)));
        // Every write to this device fails as on a full disk.
        std::os::unix::fs::symlink("/dev/full", dir.path().join(".doctor")).unwrap();
        let full = line("queue", &queue(dir.path()));
        assert!(
            full.contains("free space") && !full.contains("make the directory"),
            "{full}"
        );
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0);
    }

    #[test]
    fn what_keeps_the_queue_from_writing_has_its_own_remedy() {
        for (kind, words) in [
            (ErrorKind::NotFound, "make the directory"),
            (ErrorKind::PermissionDenied, "run this as that user"),
            (ErrorKind::NotADirectory, "name a directory"),
            (ErrorKind::StorageFull, "free space"),
            (ErrorKind::QuotaExceeded, "free space"),
            (ErrorKind::ReadOnlyFilesystem, "for writing"),
            (ErrorKind::Other, "dmesg"),
        ] {
            assert!(queue_remedy(kind).contains(words), "{kind}");
        }
    }

    #[test]
    fn settings_that_are_not_there_are_not_called_good_ones() {
        let path = Path::new("/etc/pqcrypta/collector.toml");
        let text = |has_file| line("settings", &settings(path, has_file, &[]));
        assert_eq!(
            text(true),
            "ok    settings: good, /etc/pqcrypta/collector.toml with the environment\n"
        );
        assert!(text(false).contains("there is no /etc/pqcrypta/collector.toml"));
    }
}
