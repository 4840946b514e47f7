//! `pqcrypta enroll`: a host enters the store with the line of `pqcrypta host add`.
//!
//! Nothing is written before the store has accepted the line over verified TLS. Then the role gets a password of this host's own, so
//! that the line is used up: both files lie ready beside their places, the password is changed, and they take their places. A run that
//! is killed in between is completed by the next one, which finds the password that the store accepts.

use std::fs::{self, DirBuilder, OpenOptions};
use std::io::{BufRead as _, Read as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use anyhow::{Context as _, Result, anyhow, bail};
use collect::{IdentityFiles, Roots, host_identity};
use config::{Config, Environment, Secret};
use pg::{Session, SessionOptions, Target};
use uuid::Uuid;

use crate::host::membership;
use crate::host::ticket::Ticket;
use crate::{print, roles};

/// First line of settings that are ours to replace.
const MARK: &str = "# Written by `pqcrypta enroll`.";
/// Most that is read of a line: a few certificates are 10 kB.
const LONGEST: u64 = 64 * 1024;
const UNIT: &str = "pqcrypta-collector.service";
/// The directory whose `credentials` the unit loads (`LoadCredential=`).
const INSTALLED: &str = "/etc/pqcrypta";

/// Enter a store: reads the line of `pqcrypta host add` from standard input
///
/// Tries the connection, with the server's certificate verified, writes the settings and the password, and starts the collector where
/// systemd runs. A line that was cut or used, or a server that cannot be verified, changes nothing. Run it as root; again, it does no harm.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// Where settings and password are kept
    #[arg(long, value_name = "DIR", default_value = INSTALLED)]
    dir: PathBuf,
    /// Do not start the collector
    #[arg(long)]
    no_start: bool,
}

/// The files of an enrolment.
struct Files {
    settings: PathBuf,
    password: PathBuf,
    authority: PathBuf,
    /// Whether systemd hands the password over; otherwise the settings name its file.
    is_credential: bool,
}

impl Files {
    fn of(dir: &Path) -> Result<Self> {
        // The settings name files, and the collector runs elsewhere.
        let dir = std::path::absolute(dir)
            .with_context(|| format!("cannot resolve {}", dir.display()))?;
        Ok(Self {
            settings: dir.join("collector.toml"),
            password: dir.join("credentials/db_password"),
            authority: dir.join("store-ca.pem"),
            is_credential: dir == Path::new(INSTALLED),
        })
    }
}

/// Enters the store.
///
/// # Errors
/// Why it was not entered; nothing was written then.
pub(crate) async fn run(options: &Options) -> Result<ExitCode> {
    let mut line = String::new();
    std::io::stdin()
        .lock()
        .take(LONGEST)
        .read_line(&mut line)
        .context("cannot read the line")?;
    let ticket = Ticket::read(&line)?;
    let files = Files::of(&options.dir)?;
    check_ours(&files.settings)?;
    let authority = Temporary::of(ticket.authority.as_deref())?;
    let is_new = enter(&ticket, &authority, &files).await?;
    drop(authority);
    let outcome = match is_new {
        true => "entered the store",
        false => "this host is in the store already",
    };
    print(&format!(
        "{outcome}: {} as {}; settings in {}\n",
        ticket.host,
        ticket.user,
        files.settings.display()
    ))?;
    if !options.no_start {
        start(is_new, &files)?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Refuses to replace settings that somebody wrote.
fn check_ours(settings: &Path) -> Result<()> {
    match fs::read_to_string(settings) {
        Ok(text) if !text.starts_with(MARK) => bail!(
            "{} was written by hand; put the store's address into its section [database], or move it away",
            settings.display()
        ),
        Ok(_) => Ok(()),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error).with_context(|| format!("cannot read {}", settings.display())),
    }
}

/// A file that is there as long as this value; nobody else can read it.
struct Temporary(Option<PathBuf>);

impl Temporary {
    fn of(content: Option<&str>) -> Result<Self> {
        let Some(content) = content else {
            return Ok(Self(None));
        };
        let path = std::env::temp_dir().join(format!("pqcrypta-enroll-{}.pem", Uuid::new_v4()));
        write(&path, content, 0o600)?;
        Ok(Self(Some(path)))
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        if let Some(path) = &self.0 {
            // A certificate is no secret.
            let _left = fs::remove_file(path);
        }
    }
}

/// Enters the store; `false` when this host was in it already.
async fn enter(ticket: &Ticket, authority: &Temporary, files: &Files) -> Result<bool> {
    let mut target = Target::new(&ticket.host, ticket.port, &ticket.database, &ticket.user);
    target.tls = true;
    target.root_cert.clone_from(&authority.0);
    let draft = beside(&files.password);
    for path in [&files.password, &draft] {
        let Ok(text) = fs::read_to_string(path) else {
            continue;
        };
        let own = target
            .clone()
            .with_user(&ticket.user, Secret::new(text.trim_end()));
        let Ok(session) = connect(&own).await else {
            continue;
        };
        store::migrations::check(&session.client).await?;
        let is_whole = *path == files.password && files.settings.exists();
        if !is_whole {
            lay_out(ticket, files, text.trim_end())?;
            take_places(files)?;
            name_host(&session, ticket, files).await;
        }
        return Ok(!is_whole);
    }
    let given = target.with_user(&ticket.user, ticket.password.clone());
    let session = connect(&given).await.context(
        "the store does not accept this line: it was used or revoked, or the server is not the one that it names. Nothing was written",
    )?;
    store::migrations::check(&session.client)
        .await
        .context("nothing was written")?;
    let own = membership::random_password();
    lay_out(ticket, files, own.expose())?;
    let changed = change_password(&session, &own).await;
    if changed.is_err() {
        clear(files);
    }
    changed?;
    take_places(files)?;
    name_host(&session, ticket, files).await;
    Ok(true)
}

/// Gives the host the name of `host add`, so that it has one name for all commands. Entering does not fail with that: such a host
/// has the name of its machine.
async fn name_host(session: &Session, ticket: &Ticket, files: &Files) {
    let Some(name) = membership::name_of(&ticket.user) else {
        return;
    };
    let named = async {
        let environment = Environment::from_process();
        let loaded = Config::load(Some(&files.settings), &environment)?;
        let identity = host_identity(&Roots::default(), &IdentityFiles::default());
        let id = identity.in_store(&loaded.config.host)?;
        let sql = include_str!("enroll_name.sql");
        let given = session.client.query_opt(sql, &[&id, &name]).await;
        given.map_err(roles::server_words)
    };
    match named.await {
        Ok(Some(_)) => {}
        Ok(None) => crate::say(&format!(
            "the store knows this machine already, or another host as {name}: `pqcrypta host list` there shows its name"
        )),
        Err(error) => crate::say(&format!(
            "it has the name of its machine in the store, not {name}: {error:#}"
        )),
    }
}

async fn connect(target: &Target) -> Result<Session> {
    // The message contains its cause; the chain would repeat it.
    pg::connect(target, &SessionOptions::default(), "pqcrypta enroll")
        .await
        .map_err(|error| anyhow!("{error}"))
}

async fn change_password(session: &Session, own: &Secret) -> Result<()> {
    let sql = format!(
        "ALTER ROLE CURRENT_USER PASSWORD '{}'",
        pg::kept_password(own)
    );
    session
        .client
        .batch_execute(&sql)
        .await
        .map_err(roles::server_words)
        .context("the store does not change the password")
}

/// Returns where a file lies until it takes its place.
fn beside(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".new");
    PathBuf::from(name)
}

/// Writes the files beside their places.
fn lay_out(ticket: &Ticket, files: &Files, password: &str) -> Result<()> {
    for (path, mode) in [(&files.settings, 0o755), (&files.password, 0o700)] {
        if let Some(dir) = path.parent() {
            DirBuilder::new()
                .recursive(true)
                .mode(mode)
                .create(dir)
                .with_context(|| format!("cannot make {}", dir.display()))?;
        }
    }
    if let Some(authority) = &ticket.authority {
        write(&beside(&files.authority), authority, 0o644)?;
    }
    write(&beside(&files.password), &format!("{password}\n"), 0o600)?;
    // Absent at first; what cannot be read was refused before.
    let before = fs::read_to_string(&files.settings).unwrap_or_default();
    let settings = settings(ticket, files, &before);
    write(&beside(&files.settings), &settings, 0o644)
}

/// Returns the settings: the store's address, and the sections that somebody added to those before.
fn settings(ticket: &Ticket, files: &Files, before: &str) -> String {
    let mut database = toml::Table::new();
    let mut set = |name: &str, value: toml::Value| database.insert(name.to_owned(), value);
    set("host", ticket.host.clone().into());
    set("port", i64::from(ticket.port).into());
    set("name", ticket.database.clone().into());
    set("user", ticket.user.clone().into());
    set("sslmode", "verify-full".into());
    if ticket.authority.is_some() {
        let path = files.authority.to_string_lossy().into_owned();
        set("ssl_root_cert", path.into());
    }
    if !files.is_credential {
        let path = files.password.to_string_lossy().into_owned();
        set("password_file", path.into());
    }
    format!(
        "{MARK} Add sections below it as you need them.\n# The password is in {}.\n\n[database]\n{database}{}",
        files.password.display(),
        added_sections(before)
    )
}

/// Returns every section but `[database]` as it is written, with the comments right above its header.
fn added_sections(text: &str) -> String {
    let mut added = String::new();
    let mut comments = String::new();
    let mut is_added = false;
    for line in text.lines() {
        let trimmed = line.trim();
        if trimmed.starts_with('#') && !is_added {
            comments.push_str(line);
            comments.push('\n');
            continue;
        }
        if let Some(header) = trimmed.strip_prefix('[') {
            let name = header.split(']').next().unwrap_or(header);
            is_added = name.trim_matches([' ', '"', '\'']) != "database";
            if is_added && added.is_empty() {
                added.push('\n');
            }
        }
        if is_added {
            added.push_str(&comments);
            added.push_str(line);
            added.push('\n');
        }
        comments.clear();
    }
    added
}

/// Writes a file anew and waits until the disk has it.
fn write(path: &Path, content: &str, mode: u32) -> Result<()> {
    let written = || {
        match fs::remove_file(path) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let mut file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(mode)
            .open(path)?;
        file.write_all(content.as_bytes())?;
        file.sync_all()
    };
    written().with_context(|| format!("cannot write {}", path.display()))
}

/// Puts the files in their places, the settings last: without them the collector does not start.
fn take_places(files: &Files) -> Result<()> {
    for path in [&files.authority, &files.password, &files.settings] {
        let draft = beside(path);
        if draft.exists() {
            fs::rename(&draft, path).with_context(|| format!("cannot write {}", path.display()))?;
        }
    }
    Ok(())
}

/// Removes the files beside their places.
fn clear(files: &Files) {
    for path in [&files.authority, &files.password, &files.settings] {
        // What is not there need not go.
        let _absent = fs::remove_file(beside(path));
    }
}

/// Returns the command that starts the collector without systemd.
fn by_hand(files: &Files) -> String {
    let settings = files.settings.display();
    match (files.is_credential, files.password.parent()) {
        (true, Some(dir)) => format!(
            "CREDENTIALS_DIRECTORY={} pqcrypta-collector --config {settings}",
            dir.display()
        ),
        _ => format!("pqcrypta-collector --config {settings}"),
    }
}

/// Starts the collector where systemd runs; one that runs with other settings starts again.
fn start(is_new: bool, files: &Files) -> Result<()> {
    if !Path::new("/run/systemd/system").is_dir() {
        crate::say(&format!(
            "systemd does not run here: start the collector yourself: {}",
            by_hand(files)
        ));
        return Ok(());
    }
    if !files.is_credential {
        crate::say(&format!(
            "{UNIT} has its settings in {INSTALLED} and is left alone; start the collector yourself: {}",
            by_hand(files)
        ));
        return Ok(());
    }
    let verb = match is_new {
        true => "restart",
        false => "start",
    };
    for arguments in [["enable", UNIT], [verb, UNIT]] {
        let status = Command::new("systemctl")
            .args(arguments)
            .status()
            .context("cannot run systemctl")?;
        if !status.success() {
            bail!(
                "systemctl {} failed; the settings are in place",
                arguments.join(" ")
            );
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_name_the_password_where_systemd_does_not_hand_it_over() {
        let ticket = Ticket {
            host: "store.example".to_owned(),
            port: 5432,
            database: "metrics".to_owned(),
            user: "pqcrypta_host_web-2".to_owned(),
            password: Secret::new("x"),
            authority: None,
        };
        for (dir, wanted) in [
            (INSTALLED, None),
            ("/etc/pqcrypta/", None),
            ("/srv/own", Some("/srv/own/credentials/db_password")),
        ] {
            let text = settings(&ticket, &Files::of(Path::new(dir)).unwrap(), "");
            let table: toml::Table = text.parse().unwrap();
            let named = table["database"].get("password_file");
            assert_eq!(named.and_then(toml::Value::as_str), wanted, "{text}");
        }
        assert!(Files::of(Path::new("own")).unwrap().password.is_absolute());
    }

    #[test]
    fn the_command_that_starts_the_collector_finds_its_password() {
        for (dir, wanted) in [
            (
                INSTALLED,
                "CREDENTIALS_DIRECTORY=/etc/pqcrypta/credentials pqcrypta-collector --config /etc/pqcrypta/collector.toml",
            ),
            (
                "/srv/own",
                "pqcrypta-collector --config /srv/own/collector.toml",
            ),
        ] {
            assert_eq!(by_hand(&Files::of(Path::new(dir)).unwrap()), wanted);
        }
    }

    #[test]
    fn sections_that_were_added_are_kept_as_they_are_written() {
        let ours = "# Written by `pqcrypta enroll`.\n\n[database]\nhost = \"a\"\n";
        assert_eq!(added_sections(ours), "");
        assert_eq!(added_sections(""), "");
        let added = "# Every second.\n# Or so.\n[intervals]\n# the host\nsystem_secs = 1\n\n[[postgres]]\nname = \"x\"\n";
        for before in [
            format!("{ours}{added}"),
            format!("{added}{ours}"),
            format!("{ours}\n\n{added}"),
            format!(
                "{}{added}",
                ours.replace("[database]", "[ database ] # the store")
            ),
        ] {
            let kept = added_sections(&before);
            assert!(
                kept.starts_with("\n# Every second.\n# Or so.\n[intervals]"),
                "{kept}"
            );
            let read = |text: &str| text.parse::<toml::Table>().unwrap();
            assert_eq!(read(&kept), read(added), "{kept}");
        }
    }
}
