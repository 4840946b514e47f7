//! What runtimes of containers put around each line of a program.
//!
//! ```text
//! 2026-11-29T07:16:00.123456789Z stderr F message                            CRI: containerd, CRI-O, podman
//! {"log":"message\n","stream":"stderr","time":"2026-11-29T07:16:00.123Z"}    Docker, json-file
//! ```
//!
//! Both cut long lines: of CRI's each piece but the last has the tag `P`, of Docker's only the last ends
//! in a line break. The pieces are put together and what is within is read as the line of a program,
//! which has the runtime's time where it states none. A line of the other stream between two pieces
//! ends the first: which of them continues is not known from the pieces alone.

use std::borrow::Cow;

use serde::Deserialize;

use super::time::{self, Clock, Stamp, Zone};

/// Bytes of one line that is put together; what continues beyond is a separate line.
pub(crate) const MOST_BYTES: usize = 256 * 1024;

/// What a runtime states of a line.
#[derive(Debug)]
pub(crate) struct Wrapped<'a> {
    /// When the runtime took it.
    pub(crate) stamp: Option<Stamp>,
    /// `stdout` or `stderr`.
    pub(crate) stream: Stream,
    /// The line continues in the next one.
    pub(crate) is_partial: bool,
    /// Whether a time within the line counts for more than the runtime's.
    pub(crate) may_be_dated: bool,
    /// What the program wrote.
    pub(crate) text: Cow<'a, str>,
}

/// Where a program wrote to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stream {
    Stdout,
    Stderr,
}

impl Stream {
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Stdout => "stdout",
            Self::Stderr => "stderr",
        }
    }
}

#[derive(Deserialize)]
struct Docker<'a> {
    #[serde(borrow)]
    log: Cow<'a, str>,
    #[serde(borrow)]
    stream: Cow<'a, str>,
    #[serde(borrow)]
    time: Cow<'a, str>,
}

/// Returns what is within a line, if a runtime wrote it.
pub(crate) fn unwrap<'a>(line: &'a str, clock: &mut Clock) -> Option<Wrapped<'a>> {
    let bytes = line.as_bytes();
    match bytes.first()? {
        b'0'..=b'9' if bytes.get(10) == Some(&b'T') => cri(line, clock),
        b'{' if line.starts_with("{\"log\":\"") => docker(line, clock),
        _ => None,
    }
}

fn cri<'a>(line: &'a str, clock: &mut Clock) -> Option<Wrapped<'a>> {
    // The longest time has nine digits after the second and an offset.
    let end = line.bytes().take(36).position(|byte| byte == b' ')?;
    let rest = line[end..].strip_prefix(" std")?;
    let (stream, rest) = match (rest.strip_prefix("out "), rest.strip_prefix("err ")) {
        (Some(rest), _) => (Stream::Stdout, rest),
        (_, Some(rest)) => (Stream::Stderr, rest),
        _ => return None,
    };
    // There may be more tags, after colons.
    let (tags, text) = rest.split_once(' ').unwrap_or((rest, ""));
    let is_partial = match tags.split(':').next()? {
        "F" => false,
        "P" => true,
        _ => return None,
    };
    let (civil, length) = time::iso(line)?;
    let (zone, of_zone) = time::zone(&line[length..]);
    if length + of_zone != end || zone == Zone::Local {
        return None;
    }
    Some(Wrapped {
        stamp: clock.stamp(civil, zone),
        stream,
        is_partial,
        may_be_dated: true,
        text: Cow::Borrowed(text),
    })
}

fn docker<'a>(line: &'a str, clock: &mut Clock) -> Option<Wrapped<'a>> {
    let read: Docker<'_> = serde_json::from_str(line).ok()?;
    let stream = match &*read.stream {
        "stdout" => Stream::Stdout,
        "stderr" => Stream::Stderr,
        _ => return None,
    };
    let (civil, end) = time::iso(&read.time)?;
    let (zone, _) = time::zone(&read.time[end..]);
    let is_partial = !read.log.ends_with('\n');
    let text = match read.log {
        Cow::Borrowed(text) => Cow::Borrowed(text.strip_suffix('\n').unwrap_or(text)),
        Cow::Owned(mut text) => {
            if !is_partial {
                text.pop();
            }
            Cow::Owned(text)
        }
    };
    Some(Wrapped {
        stamp: clock.stamp(civil, zone),
        stream,
        is_partial,
        may_be_dated: false,
        text,
    })
}
