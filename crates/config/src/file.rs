//! Files are read whole, with a limit, and only when they are regular: a pipe or a device would
//! never end.

use std::fs::{self, OpenOptions};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::{ErrorKind, Read};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::Path;

use rustix::fs::OFlags;

use crate::key::Problem;
use crate::secret::Secret;

/// Most bytes of a configuration file.
const MOST_CONFIG: u64 = 1 << 20;

/// Most bytes of a file that holds a secret.
const MOST_SECRET: u64 = 4096;

/// What a file was when it was read; equal as long as neither its bytes nor its mode change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fingerprint(u64);

impl Fingerprint {
    /// That of a file that is not there.
    pub(crate) const MISSING: Self = Self(0);

    /// Returns what a file that holds a secret is now; one that cannot be read is as one that is not there.
    pub(crate) fn of_secret(path: &Path) -> Self {
        let content = read(path, MOST_SECRET).ok().flatten();
        content.map_or(Self::MISSING, |content| {
            let now = content.fingerprint();
            drop(zeroize::Zeroizing::new(content.bytes));
            now
        })
    }

    fn of(bytes: &[u8], mode: u32) -> Self {
        let mut hasher = DefaultHasher::new();
        (bytes, mode).hash(&mut hasher);
        Self(hasher.finish() | 1)
    }
}

/// A file as it was read.
pub(crate) struct Content {
    pub(crate) bytes: Vec<u8>,
    pub(crate) mode: u32,
}

impl Content {
    pub(crate) fn fingerprint(&self) -> Fingerprint {
        Fingerprint::of(&self.bytes, self.mode)
    }

    /// Returns whether anybody but the owner may read, write or run it.
    pub(crate) fn is_open_to_others(&self) -> bool {
        self.mode & 0o077 != 0
    }
}

/// Reads the configuration file; `None` when it is not there.
pub(crate) fn config(path: &Path) -> Result<Option<Content>, Problem> {
    read(path, MOST_CONFIG)
}

fn read(path: &Path, most: u64) -> Result<Option<Content>, Problem> {
    // Non-blocking, or else opening a pipe waits for somebody to write.
    let flags = (OFlags::NONBLOCK | OFlags::CLOEXEC | OFlags::NOCTTY).bits();
    let opened = OpenOptions::new()
        .read(true)
        .custom_flags(flags.cast_signed())
        .open(path);
    let mut file = match opened {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => {
            return Err(Problem::new(
                format!("cannot be opened: {error}"),
                "let the user that this program runs as read it",
            ));
        }
    };
    let unreadable = |error: std::io::Error| {
        Problem::new(
            format!("cannot be read: {error}"),
            "check the disk and the rights",
        )
    };
    let metadata = file.metadata().map_err(unreadable)?;
    if !metadata.is_file() {
        let kind = if metadata.is_dir() {
            "a directory"
        } else {
            "a pipe or a device"
        };
        return Err(Problem::new(format!("is {kind}"), "name a regular file"));
    }
    let mut bytes = Vec::new();
    file.by_ref()
        .take(most + 1)
        .read_to_end(&mut bytes)
        .map_err(unreadable)?;
    if bytes.len() as u64 > most {
        return Err(Problem::new(
            format!("is larger than {most} bytes"),
            "name the right file",
        ));
    }
    Ok(Some(Content {
        bytes,
        mode: metadata.mode() & 0o7777,
    }))
}

/// Reads a file that holds a secret and nothing else; one line break at its end is not part of it.
pub(crate) fn secret(path: &Path, check_mode: bool) -> Result<(Secret, Fingerprint), Problem> {
    let content = read(path, MOST_SECRET)?.ok_or_else(|| {
        Problem::new(
            "is not there",
            "create it with mode 0600 and the secret as its only content",
        )
    })?;
    if check_mode && content.mode & 0o007 != 0 {
        return Err(Problem::new(
            format!(
                "holds a secret and is open to everybody (mode {:04o})",
                content.mode
            ),
            format!("run chmod 600 {}", path.display()),
        ));
    }
    let secret = std::str::from_utf8(&content.bytes)
        .map(|text| {
            let text = text.strip_suffix('\n').unwrap_or(text);
            Secret::new(text.strip_suffix('\r').unwrap_or(text))
        })
        .map_err(|_| Problem::new("is not UTF-8", "write the secret as plain text"))?;
    let fingerprint = content.fingerprint();
    drop(zeroize::Zeroizing::new(content.bytes));
    if secret.is_empty() {
        return Err(Problem::new("is empty", "write the secret into it"));
    }
    if secret.expose().contains(['\0', '\n']) {
        return Err(Problem::new(
            "holds more than one line",
            "write the secret alone into it",
        ));
    }
    Ok((secret, fingerprint))
}

/// Returns the credential of this name that systemd has put down, if there is one.
pub(crate) fn credential_exists(path: &Path) -> bool {
    fs::symlink_metadata(path).is_ok()
}

/// Returns the text of a configuration file: UTF-8, with or without a byte order mark. On failure the line
/// as well.
pub(crate) fn decode(bytes: &[u8]) -> Result<&str, (Option<usize>, Problem)> {
    let utf8 = "save it as UTF-8";
    let wide = bytes.starts_with(&[0xff, 0xfe])
        || bytes.starts_with(&[0xfe, 0xff])
        || (bytes.len() > 3 && bytes[..4].iter().filter(|byte| **byte == 0).count() == 2);
    if wide {
        return Err((None, Problem::new("is encoded as UTF-16", utf8)));
    }
    let text = std::str::from_utf8(bytes).map_err(|error| {
        let line = line_of(bytes, error.valid_up_to());
        (Some(line), Problem::new("is not UTF-8", utf8))
    })?;
    Ok(text.strip_prefix('\u{feff}').unwrap_or(text))
}

/// Returns the line, counted from 1, in which byte `at` lies.
pub(crate) fn line_of(bytes: &[u8], at: usize) -> usize {
    1 + bytes[..at.min(bytes.len())]
        .iter()
        .filter(|byte| **byte == b'\n')
        .count()
}
