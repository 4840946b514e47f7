//! What seldom changes about a process: its long name, its limit of descriptors, its I/O.

use crate::fields::{fields, lines, number};

/// The kernel keeps fifteen bytes of a name.
pub(crate) const COMM_MAX: usize = 15;
/// No file name is longer, so no name from a command line is either.
const NAME_MAX: usize = 255;

/// Returns the full name where `comm` was cut short: the file name of the program, or of the script the
/// interpreter runs, if it begins with `comm`. Arguments are never part of it.
pub(crate) fn long_name<'a>(comm: &[u8], cmdline: &'a [u8]) -> Option<&'a [u8]> {
    if comm.len() != COMM_MAX {
        return None;
    }
    cmdline
        .split(|&byte| byte == 0)
        .take(2)
        .find_map(|word| long_name_in(comm, word))
}

fn long_name_in<'a>(comm: &[u8], word: &'a [u8]) -> Option<&'a [u8]> {
    let base = |path: &'a [u8]| path.rsplit(|&byte| byte == b'/').next();
    // a program that writes a title into its command line may put blanks and paths behind its name
    let first = word.split(u8::is_ascii_whitespace).next()?;
    let found = [base(word)?, base(first)?]
        .into_iter()
        .find(|name| name.starts_with(comm))?;
    let tail = found.get(comm.len()..)?;
    let end = tail
        .iter()
        .position(|byte| byte.is_ascii_whitespace() || byte.is_ascii_control() || *byte == b':')
        .unwrap_or(tail.len());
    let name = found.get(..comm.len() + end)?;
    (end > 0 && name.len() <= NAME_MAX).then_some(name)
}

/// Reads `/proc/PID/limits`: the soft limit of open files; `None` when there is none.
pub(crate) fn open_files_limit(text: &[u8]) -> Option<u64> {
    lines(text)
        .find_map(|line| line.strip_prefix(b"Max open files"))
        .and_then(|rest| fields(rest).next())
        .and_then(number)
}

/// Reads `/proc/PID/io`: bytes fetched from and sent to storage.
pub(crate) fn storage_bytes(text: &[u8]) -> (Option<u64>, Option<u64>) {
    let value = |key: &[u8]| {
        lines(text)
            .find_map(|line| line.strip_prefix(key))
            .map(<[u8]>::trim_ascii)
            .and_then(number)
    };
    (value(b"read_bytes:"), value(b"write_bytes:"))
}
