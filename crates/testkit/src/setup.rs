//! Finding the server's programs, the user to run them as, and an initialised data directory.

use std::fs::{self, File};
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::error::TestkitError;

/// Whom a server runs as; `None` when that is whoever runs the tests.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Owner(Option<(u32, u32)>);

impl Owner {
    /// Finds whom to run a server as: PostgreSQL refuses to run as root.
    pub(crate) fn find() -> Result<Self, TestkitError> {
        if !rustix::process::geteuid().is_root() {
            return Ok(Self(None));
        }
        let passwd =
            fs::read_to_string("/etc/passwd").map_err(TestkitError::io("read", "/etc/passwd"))?;
        ["postgres", "nobody"]
            .iter()
            .find_map(|user| {
                let line = passwd
                    .lines()
                    .find(|line| line.split(':').next() == Some(user))?;
                let mut ids = line.split(':').skip(2).map(str::parse);
                Some((ids.next()?.ok()?, ids.next()?.ok()?))
            })
            .map(|ids| Self(Some(ids)))
            .ok_or(TestkitError::NoUser)
    }

    pub(crate) fn run(self, command: &mut Command) -> &mut Command {
        if let Some((uid, gid)) = self.0 {
            command.uid(uid).gid(gid);
        }
        command
    }

    pub(crate) fn own(self, path: &Path, mode: u32) -> Result<(), TestkitError> {
        if let Some((uid, gid)) = self.0 {
            chown(path, Some(uid), Some(gid)).map_err(TestkitError::io("give away", path))?;
        }
        fs::set_permissions(path, fs::Permissions::from_mode(mode))
            .map_err(TestkitError::io("set the mode of", path))
    }
}

/// Returns the directory with `initdb` and `postgres`: `$TESTKIT_PG_BIN`, the newest below
/// `/usr/lib/postgresql`, or the first in `$PATH`.
pub(crate) fn programs() -> Result<PathBuf, TestkitError> {
    let whole = |dir: &PathBuf| dir.join("initdb").is_file() && dir.join("postgres").is_file();
    if let Some(dir) = std::env::var_os("TESTKIT_PG_BIN") {
        return Some(PathBuf::from(dir))
            .filter(whole)
            .ok_or(TestkitError::NoServer);
    }
    let mut installed: Vec<(u32, PathBuf)> = fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| {
            let major = entry.file_name().to_str()?.parse().ok()?;
            Some((major, entry.path().join("bin")))
        })
        .filter(|(_, dir)| whole(dir))
        .collect();
    installed.sort();
    let path = std::env::var_os("PATH").unwrap_or_default();
    installed
        .pop()
        .map(|(_, dir)| dir)
        .or_else(|| std::env::split_paths(&path).find(whole))
        .ok_or(TestkitError::NoServer)
}

/// Returns where servers lie that write nothing through to a disk: `$TESTKIT_DIR`, for instance in memory, or
/// among the temporary files.
pub(crate) fn place() -> PathBuf {
    std::env::var_os("TESTKIT_DIR").map_or_else(std::env::temp_dir, PathBuf::from)
}

/// Runs `command` to its end; its output goes into the error.
pub(crate) fn complete(command: &mut Command) -> Result<(), TestkitError> {
    let program = command.get_program().to_string_lossy().into_owned();
    let output = command
        .stdin(Stdio::null())
        .output()
        .map_err(TestkitError::io("run", &program))?;
    if output.status.success() {
        return Ok(());
    }
    Err(TestkitError::Program {
        program,
        output: String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned(),
    })
}

/// Fills `data` with an initialised data directory. `initdb` takes a second, so that its result is
/// kept per machine, version and user, and copied from then on.
pub(crate) fn initialise(bin: &Path, owner: Owner, data: &Path) -> Result<(), TestkitError> {
    let fresh = |dir: &Path| {
        complete(
            owner.run(
                Command::new(bin.join("initdb"))
                    .arg("-D")
                    .arg(dir)
                    .args([
                        "-U",
                        "postgres",
                        "-A",
                        "trust",
                        "--no-sync",
                        "--no-instructions",
                    ])
                    .args(["--encoding=UTF8", "--locale=C.UTF-8"])
                    .current_dir("/"),
            ),
        )
    };
    let Some(cache) = cache(bin)? else {
        fs::create_dir(data).map_err(TestkitError::io("create", data))?;
        owner.own(data, 0o700)?;
        return fresh(data);
    };
    let lock_path = cache.join("lock");
    let lock = File::create(&lock_path).map_err(TestkitError::io("create", &lock_path))?;
    lock.lock().map_err(TestkitError::io("lock", &lock_path))?;
    let kept = cache.join("data");
    if !kept.join("PG_VERSION").is_file() {
        let partial = cache.join("partial");
        if partial.is_dir() {
            fs::remove_dir_all(&partial).map_err(TestkitError::io("remove", &partial))?;
        }
        fs::create_dir(&partial).map_err(TestkitError::io("create", &partial))?;
        owner.own(&partial, 0o700)?;
        fresh(&partial)?;
        fs::rename(&partial, &kept).map_err(TestkitError::io("rename", &partial))?;
    }
    copy(&kept, data)
}

/// Copies a data directory that no server runs in.
pub(crate) fn copy(from: &Path, to: &Path) -> Result<(), TestkitError> {
    complete(
        Command::new("cp")
            .args(["-a", "--reflink=auto"])
            .arg(from)
            .arg(to),
    )
}

/// Returns the directory that keeps data directories to copy, or `None` when somebody else has taken its name.
pub(crate) fn cache(bin: &Path) -> Result<Option<PathBuf>, TestkitError> {
    let version = Command::new(bin.join("postgres"))
        .arg("--version")
        .output()
        .map_err(TestkitError::io("run", bin.join("postgres")))?;
    let version: String = String::from_utf8_lossy(&version.stdout)
        .chars()
        .map(|c| {
            if c.is_ascii_alphanumeric() || c == '.' {
                c
            } else {
                '-'
            }
        })
        .collect();
    let uid = rustix::process::geteuid().as_raw();
    let dir = place().join(format!(
        "pqcrypta-testkit-cache-{uid}-{}",
        version.trim_matches('-')
    ));
    match fs::create_dir(&dir) {
        Ok(()) => {}
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {}
        Err(error) => return Err(TestkitError::io("create", &dir)(error)),
    }
    let found = fs::symlink_metadata(&dir).map_err(TestkitError::io("look at", &dir))?;
    if !found.is_dir() || found.uid() != uid {
        return Ok(None);
    }
    // The server's user must get through; the data directory below is closed to others.
    fs::set_permissions(&dir, fs::Permissions::from_mode(0o755))
        .map_err(TestkitError::io("set the mode of", &dir))?;
    Ok(Some(dir))
}
