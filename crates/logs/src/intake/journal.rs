//! Events of journal units: one stream, whose entries are distributed to the
//! sources that name their units.

use std::collections::VecDeque;
use std::ffi::OsString;
use std::sync::Arc;
use std::time::Duration;

use schema::Timestamp;
use schema::logs::StreamPosition;

use super::Limits;
use super::file::IDLE;
use crate::event::Event;
use crate::parse::{ParserKind, ParserOptions, Reader};
use crate::source::{self, Gap, Journal, JournalOptions, JournalPosition, State};

/// Key of the only stream: the units share a cursor.
const STREAM: &str = "journal";
/// While more is to come, a poll waits so long for it at most: files have their turn, too.
const WAIT: Duration = Duration::from_millis(20);

/// The units that are read.
#[derive(Debug)]
pub(super) struct Units {
    sources: Vec<(Arc<str>, String)>,
    journal: Journal,
    reader: Reader,
    read: source::Batch,
    /// Entries read since the last position that was returned: their sequence number, and the position
    /// after each.
    after: VecDeque<(u64, JournalPosition)>,
    read_at: Timestamp,
    stream: Arc<str>,
}

impl Units {
    pub(super) fn new(
        sources: Vec<(Arc<str>, String)>,
        (parser, options): (ParserKind, ParserOptions),
        saved: &[StreamPosition],
        arguments: &[OsString],
    ) -> Self {
        let known = saved
            .iter()
            .find(|known| *known.source == *STREAM && *known.stream == *STREAM);
        let position = known.and_then(|known| match serde_json::from_str(&known.position) {
            Ok(position) => Some(position),
            Err(error) => {
                tracing::error!(
                    %error,
                    "the stored position in the journal is invalid; reading begins as for a new journal"
                );
                None
            }
        });
        let options_of_journal = JournalOptions {
            arguments: arguments.to_vec(),
            units: sources.iter().map(|(_, unit)| unit.clone()).collect(),
            ..JournalOptions::default()
        };
        Self {
            journal: Journal::new(options_of_journal, position),
            sources,
            reader: Reader::new(parser, options),
            read: source::Batch::default(),
            after: VecDeque::new(),
            read_at: Timestamp::default(),
            stream: Arc::from(STREAM),
        }
    }

    /// Returns every source with how the journal fares.
    pub(super) fn states(&self) -> impl Iterator<Item = (&Arc<str>, &State)> {
        let state = self.journal.state();
        self.sources.iter().map(move |(name, _)| (name, state))
    }

    /// Returns whether an event waits that may still grow.
    pub(super) fn is_open(&self) -> bool {
        self.reader.open_at().is_some()
    }

    /// Returns the source that names a unit; where entries of others come along, the first.
    pub(super) fn source_of(&self, unit: &str) -> Option<Arc<str>> {
        let named = |wanted: &str| {
            let service = |name: &str| name.strip_suffix(".service").unwrap_or(name).to_owned();
            matches(&service(wanted), &service(unit))
        };
        let found = self.sources.iter().find(|(_, wanted)| named(wanted));
        found
            .or_else(|| self.sources.first())
            .map(|(name, _)| Arc::clone(name))
    }

    /// Takes what is there. Gives the number of entries.
    pub(super) fn poll(
        &mut self,
        now: Timestamp,
        limits: Limits,
        events: &mut Vec<Event>,
        moved: &mut Vec<StreamPosition>,
        gaps: &mut Vec<Gap>,
    ) -> usize {
        let mut read = std::mem::take(&mut self.read);
        self.journal.poll(now, limits.bytes, WAIT, &mut read);
        gaps.append(&mut read.gaps);
        let entries = read.entries.len();
        for entry in read.entries.drain(..) {
            self.reader.entry(&entry, now, events);
            self.after.push_back((entry.seqnum, entry.position()));
        }
        self.read = read;
        if entries > 0 {
            self.read_at = now;
        } else if (now.as_micros() - self.read_at.as_micros()).abs() >= IDLE {
            self.reader.flush(events);
        }
        // Behind everything that is out: up to the first event that may still grow.
        let open_at = self.reader.open_at();
        let mut position = None;
        while let Some((number, _)) = self.after.front() {
            if open_at.is_some_and(|open| *number >= open) {
                break;
            }
            position = self.after.pop_front();
        }
        if let Some((_, position)) = position {
            match serde_json::to_string(&position) {
                Ok(position) => moved.push(StreamPosition {
                    source: Arc::clone(&self.stream),
                    stream: Arc::clone(&self.stream),
                    position,
                }),
                Err(error) => tracing::error!(%error, "encoding a position as JSON failed"),
            }
        }
        entries
    }
}

/// Returns whether `name` fits a pattern of `*` and `?`, as units are named.
fn matches(pattern: &str, name: &str) -> bool {
    let (pattern, name) = (pattern.as_bytes(), name.as_bytes());
    let (mut p, mut n) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while n < name.len() {
        match pattern.get(p) {
            Some(b'*') => {
                star = Some((p, n));
                p += 1;
            }
            Some(byte) if *byte == b'?' || *byte == name[n] => {
                p += 1;
                n += 1;
            }
            _ => match star {
                Some((at, taken)) => {
                    p = at + 1;
                    n = taken + 1;
                    star = Some((at, taken + 1));
                }
                None => return false,
            },
        }
    }
    pattern[p..].iter().all(|byte| *byte == b'*')
}

#[cfg(test)]
mod tests {
    use super::matches;

    #[test]
    fn units_fit_their_patterns() {
        for (pattern, name, fits) in [
            ("ssh", "ssh", true),
            ("ssh", "sshd", false),
            ("postgresql@*", "postgresql@15-main", true),
            ("*", "", true),
            ("a*b*c", "a-b-b-c", true),
            ("a*b*c", "a-c-b", false),
            ("node?", "node1", true),
            ("node?", "node", false),
        ] {
            assert_eq!(matches(pattern, name), fits, "{pattern} {name}");
        }
    }
}
