//! All sources together: rounds of reading in which each has its turn, and the batches that come out.
//!
//! A batch holds events, the positions behind them, what was lost, and what the events add to sums
//! and patterns. Events of a stream come in order, and a position stands behind the last event that
//! is whole: what may still grow is read again after a crash.
//!
//! Everything that is remembered here beside positions (open events, windows of security rules, the
//! budget of fingerprints) belongs to one [`Intake`]; after a batch that was not stored it is thrown
//! away and a new one begins at the positions the database has.

mod file;
mod journal;
mod tally;
mod wanted;

use std::collections::HashMap;
use std::ffi::OsString;
use std::sync::Arc;
use std::time::Duration;

use schema::Timestamp;
use schema::tables::SecurityEvent;

use crate::event::{Event, Level};
use crate::fingerprint::{self, Fingerprint, Fingerprints, News};
use crate::security::Watch;
use crate::source::{FileOptions, Gap, State};
use crate::topic::Topics;
use file::FileSource;
use journal::Units;
pub use tally::{Hour, Seen, Tally};
pub use wanted::{Place, Wanted, WantedError};

/// Limits of one batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// A batch ends when it has so many events.
    pub events: usize,
    /// Events taken of a source before the others have their turn.
    pub lines: usize,
    /// Bytes read of a source in one go.
    pub bytes: usize,
    /// New fingerprints that a source may have in an hour.
    pub fingerprints: u32,
}

/// A position as the database has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Known {
    /// Source.
    pub source: String,
    /// Stream within it.
    pub stream: String,
    /// The position, JSON.
    pub position: String,
}

/// A position that is to be stored with the batch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Moved {
    /// Source.
    pub source: Arc<str>,
    /// Stream within it.
    pub stream: Arc<str>,
    /// The position, JSON.
    pub position: String,
}

/// An event that is understood.
#[derive(Debug)]
pub struct Named<'a> {
    /// Source.
    pub source: &'a Arc<str>,
    /// Name of what is alike.
    pub fingerprint: Fingerprint,
    /// The event. Its memory is used again for another.
    pub event: &'a mut Event,
}

/// What one round gave, beside its events.
#[derive(Debug, Default)]
pub struct Batch {
    /// How many events there were.
    pub events: usize,
    /// Positions behind them.
    pub moved: Vec<Moved>,
    /// What was lost, by source.
    pub gaps: Vec<(Arc<str>, Gap)>,
    /// What the events mean for security, each at the time of the last line that it counts.
    pub security: Vec<(Timestamp, SecurityEvent)>,
    /// What they add to the sums.
    pub tally: Tally,
    /// What the table of patterns has to learn.
    pub news: News,
    /// Bytes read, by source.
    pub bytes: Vec<(Arc<str>, u64)>,
    /// Whether a source had more than its share: read again at once.
    pub more: bool,
}

impl Batch {
    /// Whether there is nothing to store.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.events == 0
            && self.moved.is_empty()
            && self.gaps.is_empty()
            && self.security.is_empty()
    }
}

/// Reads every source.
#[derive(Debug)]
pub struct Intake {
    files: Vec<(Arc<str>, FileSource)>,
    journal: Option<Units>,
    sense: Sense,
    limits: Limits,
    /// Descriptors for all files together.
    open_files: usize,
    /// Whose turn it is: the first source of the next round.
    turn: usize,
    /// What was taken of the journal.
    taken: Vec<Event>,
}

/// Makes sense of events: names them, counts them and looks at what they mean.
#[derive(Debug)]
struct Sense {
    watch: Watch,
    fingerprints: Fingerprints,
    topics: Topics,
    /// Parser of each source, by its name.
    parsers: HashMap<Arc<str>, &'static str>,
}

impl Intake {
    /// Begins at `saved`, the positions the database has. `journalctl` are further arguments of that
    /// command, such as `--directory=…`.
    #[must_use]
    pub fn new(
        wanted: &[Wanted],
        saved: &[Known],
        patterns: impl Iterator<Item = fingerprint::Known>,
        limits: Limits,
        journalctl: &[OsString],
    ) -> Self {
        let mut files = Vec::new();
        let mut units = Vec::new();
        let mut how = None;
        for source in wanted {
            match &source.place {
                Place::File(path) => {
                    let parser = (source.parser, source.options.clone());
                    let name = Arc::clone(&source.name);
                    let opened = FileSource::new(
                        Arc::clone(&name),
                        path,
                        parser,
                        saved,
                        FileOptions::default(),
                    );
                    files.push((name, opened));
                }
                Place::Unit(unit) => {
                    how.get_or_insert((source.parser, source.options.clone()));
                    units.push((Arc::clone(&source.name), unit.clone()));
                }
            }
        }
        let mut fingerprints = Fingerprints::new(limits.fingerprints);
        fingerprints.restore(patterns);
        Self {
            files,
            journal: how.map(|how| Units::new(units, how, saved, journalctl)),
            sense: Sense {
                watch: Watch::default(),
                fingerprints,
                topics: Topics::default(),
                parsers: wanted
                    .iter()
                    .map(|source| (Arc::clone(&source.name), source.parser.name()))
                    .collect(),
            },
            limits,
            open_files: usize::MAX,
            turn: 0,
            taken: Vec::new(),
        }
    }

    /// Holds at most about so many files open. Each source may have its equal share, and what others do not
    /// take; one of many files never takes those of another.
    pub fn keep_open(&mut self, files: usize) {
        self.open_files = files;
    }

    /// What the source at `at` may hold open during its turn, and after it.
    fn open_share(&self, at: usize) -> (usize, usize) {
        let taken = |(_, file): &(Arc<str>, FileSource)| file.open_files();
        let all: usize = self.files.iter().map(taken).sum();
        let own = self.files.get(at).map_or(0, taken);
        let share = self.open_files / self.files.len().max(1);
        let free = self.open_files.saturating_sub(all);
        let left = self.open_files.saturating_sub(all - own);
        (own.saturating_add(free).max(share), left.max(share))
    }

    /// One round. Each event is given to `take` as it comes, those of a stream in order. A batch that is
    /// empty means that nothing waits.
    pub fn poll(&mut self, now: Timestamp, mut take: impl FnMut(Named<'_>)) -> Batch {
        let mut batch = Batch::default();
        let sources = self.files.len() + usize::from(self.journal.is_some());
        for step in 0..sources {
            let at = (self.turn + step) % sources.max(1);
            if at < self.files.len() {
                self.poll_file(at, now, &mut batch, &mut take);
            } else {
                self.poll_journal(now, &mut batch, &mut take);
            }
            if batch.events >= self.limits.events {
                self.turn = at + 1;
                batch.more = true;
                break;
            }
        }
        if !batch.more {
            self.sense.watch.elapse(now, &mut batch.security);
        }
        batch.news = self.sense.fingerprints.take_news();
        batch.tally.finish();
        batch
    }

    /// How soon the next round is worth its while, though nothing came: an event that was read may be
    /// whole by then. `None` while none waits.
    #[must_use]
    pub fn look_again(&self) -> Option<Duration> {
        let mut files = self.files.iter();
        let is_open = files.any(|(_, file)| file.is_open())
            || self.journal.as_ref().is_some_and(Units::is_open);
        is_open.then(|| Duration::from_micros(file::IDLE.unsigned_abs()))
    }

    /// How each source fares.
    pub fn states(&self) -> impl Iterator<Item = (&Arc<str>, &State)> {
        let files = self.files.iter().map(|(name, file)| (name, file.state()));
        files.chain(self.journal.iter().flat_map(Units::states))
    }

    fn poll_file(
        &mut self,
        at: usize,
        now: Timestamp,
        batch: &mut Batch,
        take: &mut impl FnMut(Named<'_>),
    ) {
        let (during, after) = self.open_share(at);
        let Some((name, file)) = self.files.get_mut(at) else {
            return;
        };
        file.allow_open(during, after);
        let (mut moved, mut gaps) = (std::mem::take(&mut batch.moved), Vec::new());
        let bytes = file.poll(now, self.limits, &mut moved, &mut gaps, &mut |event| {
            take(self.sense.understand(name, event, now, batch));
        });
        batch.moved = moved;
        batch
            .gaps
            .extend(gaps.into_iter().map(|gap| (Arc::clone(name), gap)));
        batch.more |= file.has_more() || bytes >= self.limits.bytes as u64;
        if bytes > 0 {
            batch.bytes.push((Arc::clone(name), bytes));
        }
    }

    fn poll_journal(
        &mut self,
        now: Timestamp,
        batch: &mut Batch,
        take: &mut impl FnMut(Named<'_>),
    ) {
        let Some(units) = &mut self.journal else {
            return;
        };
        let mut gaps = Vec::new();
        let entries = units.poll(
            now,
            self.limits,
            &mut self.taken,
            &mut batch.moved,
            &mut gaps,
        );
        batch.more |= entries >= self.limits.lines;
        if let Some(name) = units.source_of("") {
            batch
                .gaps
                .extend(gaps.into_iter().map(|gap| (Arc::clone(&name), gap)));
        }
        for mut event in self.taken.drain(..) {
            if let Some(name) = units.source_of(&event.unit) {
                take(self.sense.understand(&name, &mut event, now, batch));
            }
        }
    }
}

impl Sense {
    fn understand<'a>(
        &mut self,
        source: &'a Arc<str>,
        event: &'a mut Event,
        now: Timestamp,
        batch: &mut Batch,
    ) -> Named<'a> {
        let fingerprint = self.fingerprints.name_known(
            source,
            event.level,
            (&event.message, event.skeleton),
            now,
        );
        let parser = self.parsers.get(source).copied().unwrap_or_default();
        self.watch
            .observe(parser, source, event, now, &mut batch.security);
        batch
            .tally
            .add(source, fingerprint, event, &mut self.topics);
        batch.events += 1;
        Named {
            source,
            fingerprint,
            event,
        }
    }
}

/// The level of this name; `info` for one that is not known.
#[must_use]
pub fn level(name: &str) -> Level {
    let known = Level::ALL.into_iter().find(|level| level.as_str() == name);
    known.unwrap_or_default()
}
