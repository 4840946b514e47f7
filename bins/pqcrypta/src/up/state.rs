//! The state directory: what lies where, who may start in it, and which user the server gets.
//!
//! ```text
//! DIR/lock             held while an `up` runs
//! DIR/processes        what that `up` started: name, pid, start time, boot
//! DIR/settings.toml    the settings handed to collector and monitor; for the other subcommands too
//! DIR/queue/           the collector's queue
//! DIR/log/             the server's log
//! DIR/postgres/data/   the server's data, mode 0700
//! DIR/postgres/data.15 what `--upgrade-postgres` left of an older release; nothing of it is used
//! DIR/postgres/socket/ its socket, mode 0700
//! ```
//!
//! PostgreSQL refuses to run as root, so root starts it as the user `postgres`. When that user
//! cannot reach DIR, because a directory above it is closed, `DIR/postgres` is a link to a fresh
//! directory below `/var/lib/pqcrypta`. A socket's path has room for 107 bytes; when DIR is deep,
//! `DIR/postgres/socket` is a link to a directory below `/run` or `/tmp`.

use std::fs::{self, DirBuilder, File, OpenOptions, Permissions};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt, chown, symlink};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use rustix::fs::{FlockOperation, flock};

/// Port in the socket's name; each server has a directory of its own, so all have the same.
pub(crate) const PORT: u16 = 5432;
/// Longest path of a Unix socket, without the closing NUL.
const LONGEST_SOCKET: usize = 107;
/// Where the server's data go when the state directory is closed to its user.
const ELSEWHERE: &str = "/var/lib/pqcrypta";

/// The unprivileged user that runs the server, when root starts it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct User {
    /// Login name.
    pub(crate) name: String,
    /// User id.
    pub(crate) uid: u32,
    /// Group id.
    pub(crate) gid: u32,
}

/// The state directory, locked for this process.
#[derive(Debug)]
pub(crate) struct State {
    /// Absolute path.
    pub(crate) dir: PathBuf,
    /// The server's data directory.
    pub(crate) data: PathBuf,
    /// The server's socket directory.
    pub(crate) socket: PathBuf,
    /// Who runs the server; `None` when that is the caller.
    pub(crate) user: Option<User>,
    _lock: File,
}

impl State {
    /// Makes what is missing of the state directory and locks it.
    ///
    /// # Errors
    /// When another `up` holds it, or a part of it cannot be made.
    pub(crate) fn open(dir: &Path) -> Result<Self> {
        let root = rustix::process::geteuid().is_root();
        // Open to be passed through, not to be read: the server's user is another one.
        make_dir(dir, if root { 0o711 } else { 0o700 })?;
        let dir =
            fs::canonicalize(dir).with_context(|| format!("cannot resolve {}", dir.display()))?;
        let lock = take_lock(&dir)?;
        let user = if root { Some(server_user()?) } else { None };
        make_dir(&dir.join("queue"), 0o700)?;
        make_dir(&dir.join("log"), 0o700)?;
        let home = server_home(&dir, user.as_ref())?;
        let socket = socket_dir(&home, user.as_ref())?;
        Ok(Self {
            data: home.join("data"),
            socket,
            dir,
            user,
            _lock: lock,
        })
    }

    /// Returns the collector's queue.
    pub(crate) fn queue(&self) -> PathBuf {
        self.dir.join("queue")
    }

    /// Returns the server's log.
    pub(crate) fn server_log(&self) -> PathBuf {
        self.dir.join("log/postgres.log")
    }

    /// Returns the record of started processes.
    pub(crate) fn processes(&self) -> PathBuf {
        self.dir.join("processes")
    }

    /// Returns the settings handed to the children.
    pub(crate) fn settings(&self) -> PathBuf {
        self.dir.join("settings.toml")
    }

    /// Removes a socket directory outside the state directory; the next start makes another.
    pub(crate) fn leave(&self) {
        if self.socket.parent() != self.data.parent()
            && let Err(error) = std::fs::remove_dir(&self.socket)
        {
            crate::say(&format!("cannot remove {}: {error}", self.socket.display()));
        }
    }
}

/// Holds the lock for as long as the file is open; a dead process holds none.
fn take_lock(dir: &Path) -> Result<File> {
    let path = dir.join("lock");
    let file = OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .open(&path)
        .with_context(|| format!("cannot write {}", path.display()))?;
    if flock(&file, FlockOperation::NonBlockingLockExclusive).is_err() {
        bail!(
            "another `pqcrypta up` runs on {}: stop it first, or choose another --state-dir",
            dir.display()
        );
    }
    Ok(file)
}

/// Returns the user `postgres`, which every package of the server creates.
fn server_user() -> Result<User> {
    let users = fs::read_to_string("/etc/passwd").context("cannot read /etc/passwd")?;
    find_user(&users, "postgres").context(
        "PostgreSQL does not run as root and there is no user `postgres` to run it: \
         create one with `useradd --system postgres`, or start as an ordinary user",
    )
}

fn find_user(passwd: &str, name: &str) -> Option<User> {
    passwd.lines().find_map(|line| {
        let mut fields = line.split(':');
        let found = fields.next()?;
        let (uid, gid) = (fields.nth(1)?, fields.next()?);
        (found == name).then_some(())?;
        Some(User {
            name: name.to_owned(),
            uid: uid.parse().ok()?,
            gid: gid.parse().ok()?,
        })
    })
}

/// Returns the directory of the server's data and socket, where its user can reach it.
fn server_home(dir: &Path, user: Option<&User>) -> Result<PathBuf> {
    let home = dir.join("postgres");
    if let Ok(target) = fs::read_link(&home) {
        make_dir(&target, 0o700)
            .with_context(|| format!("{} points to a place that is gone", home.display()))?;
        give(&target, user)?;
        return Ok(target);
    }
    let Some(closed) = user.and_then(|user| closed_to(dir, user)) else {
        make_dir(&home, 0o700)?;
        give(&home, user)?;
        return Ok(home);
    };
    if closed == dir {
        let mode = fs::metadata(dir)?.mode();
        fs::set_permissions(dir, Permissions::from_mode(mode | 0o011))
            .with_context(|| format!("cannot open {} to the server's user", dir.display()))?;
        return server_home(dir, user);
    }
    if home.exists() {
        bail!(
            "{} is closed to the server's user: `chmod o+x {}` opens it",
            closed.display(),
            closed.display()
        );
    }
    let target = Path::new(ELSEWHERE).join(short_name());
    make_dir(Path::new(ELSEWHERE), 0o711)?;
    make_dir(&target, 0o700)?;
    give(&target, user)?;
    symlink(&target, &home).with_context(|| format!("cannot write {}", home.display()))?;
    crate::say(&format!(
        "{} is closed to the server's user, so the database lies in {}",
        closed.display(),
        target.display()
    ));
    Ok(target)
}

/// Returns the first directory on the way to `dir` through which `user` may not pass.
fn closed_to(dir: &Path, user: &User) -> Option<PathBuf> {
    let mut way: Vec<&Path> = dir.ancestors().collect();
    way.reverse();
    way.into_iter()
        .find(|step| {
            fs::metadata(step).is_ok_and(|meta| {
                let bit = if meta.uid() == user.uid {
                    0o100
                } else if meta.gid() == user.gid {
                    0o010
                } else {
                    0o001
                };
                meta.mode() & bit == 0
            })
        })
        .map(Path::to_path_buf)
}

/// Returns the socket's directory: below `home`, or behind a link there when that is too deep.
fn socket_dir(home: &Path, user: Option<&User>) -> Result<PathBuf> {
    let plain = home.join("socket");
    if socket_fits(&plain) {
        make_dir(&plain, 0o700)?;
        give(&plain, user)?;
        return Ok(plain);
    }
    if let Ok(target) = fs::read_link(&plain) {
        if is_ours(&target, user) {
            return Ok(target);
        }
        fs::remove_file(&plain).with_context(|| format!("cannot remove {}", plain.display()))?;
    }
    let base = if user.is_some() { "/run" } else { "/tmp" };
    let target = Path::new(base).join(format!("pqcrypta-{}", short_name()));
    // Fails when the name is taken: a directory that somebody else laid out is never used.
    DirBuilder::new()
        .mode(0o700)
        .create(&target)
        .with_context(|| format!("cannot make {}", target.display()))?;
    give(&target, user)?;
    symlink(&target, &plain).with_context(|| format!("cannot write {}", plain.display()))?;
    Ok(target)
}

fn socket_fits(dir: &Path) -> bool {
    dir.join(format!(".s.PGSQL.{PORT}")).as_os_str().len() <= LONGEST_SOCKET
}

/// Returns whether `dir` is a closed directory, no link, of the server's user.
fn is_ours(dir: &Path, user: Option<&User>) -> bool {
    let owner = user.map_or_else(|| rustix::process::geteuid().as_raw(), |user| user.uid);
    fs::symlink_metadata(dir)
        .is_ok_and(|meta| meta.is_dir() && meta.uid() == owner && meta.mode() & 0o077 == 0)
}

fn give(path: &Path, user: Option<&User>) -> Result<()> {
    match user {
        Some(user) => chown(path, Some(user.uid), Some(user.gid))
            .with_context(|| format!("cannot give {} to {}", path.display(), user.name)),
        None => Ok(()),
    }
}

/// Makes a directory and those above it; one that exists stays as it is.
fn make_dir(path: &Path, mode: u32) -> Result<()> {
    DirBuilder::new()
        .recursive(true)
        .mode(mode)
        .create(path)
        .with_context(|| format!("cannot make {}", path.display()))
}

fn short_name() -> String {
    uuid::Uuid::new_v4().simple().to_string()[..8].to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_user_is_found_by_its_whole_name() {
        let passwd = "root:x:0:0:root:/root:/bin/sh\npostgres2:x:7:8::/:/bin/sh\npostgres:x:101:104::/:/bin/sh\n";
        let user = find_user(passwd, "postgres").unwrap();
        assert_eq!((user.uid, user.gid), (101, 104));
        assert_eq!(find_user(passwd, "post"), None);
    }

    #[test]
    fn a_closed_directory_is_named() {
        let dir = tempfile::tempdir().unwrap();
        let inner = dir.path().join("inner");
        fs::create_dir(&inner).unwrap();
        fs::set_permissions(dir.path(), Permissions::from_mode(0o755)).unwrap();
        fs::set_permissions(&inner, Permissions::from_mode(0o700)).unwrap();
        let stranger = User {
            name: "stranger".to_owned(),
            uid: 4_000_001,
            gid: 4_000_001,
        };
        assert_eq!(closed_to(&inner, &stranger), Some(inner.clone()));
        fs::set_permissions(&inner, Permissions::from_mode(0o711)).unwrap();
        assert_eq!(closed_to(&inner, &stranger), None);
    }

    #[test]
    fn a_socket_path_has_room_for_107_bytes() {
        // "/" + dir + "/.s.PGSQL.5432" (14 bytes)
        assert!(socket_fits(Path::new(&format!("/{}", "d".repeat(92)))));
        assert!(!socket_fits(Path::new(&format!("/{}", "d".repeat(93)))));
    }

    #[test]
    fn a_deep_directory_gets_a_short_socket_and_keeps_it() {
        let dir = tempfile::tempdir().unwrap();
        let home = dir.path().join("d".repeat(100));
        fs::create_dir(&home).unwrap();
        let socket = socket_dir(&home, None).unwrap();
        assert!(socket_fits(&socket), "{}", socket.display());
        assert_eq!(socket_dir(&home, None).unwrap(), socket);
        fs::remove_dir(&socket).unwrap();
        let another = socket_dir(&home, None).unwrap();
        assert_ne!(another, socket);
        fs::remove_dir(another).unwrap();
    }

    #[test]
    fn only_one_holds_the_lock() {
        let dir = tempfile::tempdir().unwrap();
        let first = take_lock(dir.path()).unwrap();
        assert!(
            take_lock(dir.path())
                .unwrap_err()
                .to_string()
                .contains("another `pqcrypta up`")
        );
        drop(first);
        take_lock(dir.path()).unwrap();
    }
}
