//! Changes of the host, read from its logs: packages, units, kernels, servers, settings, schemas.
//!
//! A form belongs to parsers and programs, and finds its parts by their position, as those of [`crate::security`] do:
//! nothing is searched for in a message. What fits no form is no change. A local user who can write to a log can forge
//! a marker; it explains, and raises nothing.
//!
//! Only names and versions are taken from a message, never statements or values.

mod packages;
mod postgresql;
mod servers;
mod units;

#[cfg(test)]
mod tests;

use schema::Timestamp;
use schema::tables::ChangeMarker;

use crate::event::Event;

/// What was done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Action {
    Upgraded,
    Downgraded,
    Installed,
    Removed,
    Started,
    Stopped,
    Restarted,
    Reloaded,
    Failed,
    Booted,
    Changed,
    Created,
    Altered,
    Dropped,
}

impl Action {
    /// Returns the word stored in `change_markers.action`.
    const fn as_str(self) -> &'static str {
        match self {
            Self::Upgraded => "upgraded",
            Self::Downgraded => "downgraded",
            Self::Installed => "installed",
            Self::Removed => "removed",
            Self::Started => "started",
            Self::Stopped => "stopped",
            Self::Restarted => "restarted",
            Self::Reloaded => "reloaded",
            Self::Failed => "failed",
            Self::Booted => "booted",
            Self::Changed => "changed",
            Self::Created => "created",
            Self::Altered => "altered",
            Self::Dropped => "dropped",
        }
    }
}

/// A change that a message reports. An empty subject stands for the source of the line.
#[derive(Debug, PartialEq, Eq)]
struct Change<'a> {
    kind: &'static str,
    subject: std::borrow::Cow<'a, str>,
    action: Action,
    before: Option<&'a str>,
    after: Option<&'a str>,
}

impl<'a> Change<'a> {
    fn new(
        kind: &'static str,
        subject: impl Into<std::borrow::Cow<'a, str>>,
        action: Action,
    ) -> Self {
        Self {
            kind,
            subject: subject.into(),
            action,
            before: None,
            after: None,
        }
    }

    fn before(self, value: Option<&'a str>) -> Self {
        Self {
            before: value,
            ..self
        }
    }

    fn after(self, value: Option<&'a str>) -> Self {
        Self {
            after: value,
            ..self
        }
    }
}

type Read = for<'a> fn(&'a Event) -> Option<Change<'a>>;

/// Forms of messages, and the parsers for which they count.
struct Reader {
    parsers: &'static [&'static str],
    read: Read,
}

/// Parsers of the system's own log.
const SYSTEM: &[&str] = &["syslog", "journalctl"];
/// Parsers that read the logs of package managers.
const PLAIN: &[&str] = &["simple_timestamp", "syslog"];

const READERS: &[Reader] = &[
    Reader {
        parsers: PLAIN,
        read: packages::read,
    },
    Reader {
        parsers: SYSTEM,
        read: units::read,
    },
    Reader {
        parsers: SYSTEM,
        read: units::kernel,
    },
    Reader {
        parsers: &["postgresql"],
        read: postgresql::read,
    },
    Reader {
        parsers: &["apache_error"],
        read: servers::apache,
    },
    Reader {
        parsers: &["simple_timestamp", "syslog"],
        read: servers::nginx,
    },
];

/// Longest name or value that is stored, characters.
const LONGEST: usize = 120;

/// Returns the change that an event of a source reports, if it reports one.
#[must_use]
pub fn read(parser: &str, source: &str, event: &Event) -> Option<(Timestamp, ChangeMarker)> {
    if event.is_unread {
        return None;
    }
    let readers = READERS
        .iter()
        .filter(|reader| reader.parsers.contains(&parser));
    let change = readers
        .into_iter()
        .find_map(|reader| (reader.read)(event))?;
    let text = |value: &str| words_of(value);
    let subject = match &*change.subject {
        "" => source,
        subject => subject,
    };
    let marker = ChangeMarker {
        kind: change.kind.to_owned(),
        subject: text(subject),
        action: change.action.as_str().to_owned(),
        before: change.before.map(text),
        after: change.after.map(text),
        source: source.to_owned(),
    };
    Some((event.ts, marker))
}

/// Returns a text cut to [`LONGEST`] characters.
fn words_of(text: &str) -> String {
    words::cut(text, LONGEST)
}
