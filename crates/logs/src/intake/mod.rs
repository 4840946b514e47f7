//! Reading all sources in rounds, in which each has its turn, and the resulting batches.
//!
//! A batch has events, the positions after them, gaps, and the counts by hour and
//! pattern. Events of a stream come in order, and a position follows the last complete
//! event: an event that may still grow is read again after a crash.
//!
//! All state except positions (open events, windows of security rules, the
//! budget of fingerprints) belongs to one [`Intake`]; after a batch that was not stored it is dropped
//! and a new one begins at the positions in the database.

mod counts;
mod file;
mod journal;
mod wanted;

use std::ffi::OsString;
use std::sync::Arc;
use std::time::Duration;

use schema::Timestamp;
use schema::logs::{Pattern, StreamPosition};
use schema::tables::{ChangeMarker, SecurityEvent};

use crate::by_source::BySource;
use crate::changes;
use crate::event::Event;
use crate::fingerprint::{Fingerprint, Fingerprints};
use crate::security::Watch;
use crate::source::{FileOptions, Gap, State};
use crate::topic::Topics;
use counts::Counter;
pub use counts::Counts;
use file::FileSource;
use journal::Units;
pub use wanted::{Place, Wanted, WantedError};

/// Limits of one batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Events per batch.
    pub events: usize,
    /// Events of a source before the next one has its turn.
    pub lines: usize,
    /// Bytes per read of a source.
    pub bytes: usize,
    /// New fingerprints of a source per hour.
    pub fingerprints: u32,
}

/// An event with its source and fingerprint.
#[derive(Debug)]
pub struct NamedEvent<'a> {
    /// Name of the source.
    pub source: &'a Arc<str>,
    /// Identifier of its pattern.
    pub fingerprint: Fingerprint,
    /// The event; its memory is reused for the next one.
    pub event: &'a mut Event,
}

/// The result of one round, apart from its events.
#[derive(Debug, Default)]
pub struct Batch {
    /// Number of events.
    pub events: usize,
    /// Position of each stream after them.
    pub positions: Vec<StreamPosition>,
    /// Gaps, by source.
    pub gaps: Vec<(Arc<str>, Gap)>,
    /// Security events, each with the time of the last line that it counts.
    pub security: Vec<(Timestamp, SecurityEvent)>,
    /// Changes of the host that they report, each with its time.
    pub changes: Vec<(Timestamp, ChangeMarker)>,
    /// What they add to the counts.
    pub counts: Counts,
    /// Bytes read, by source.
    pub bytes: Vec<(Arc<str>, u64)>,
    /// Whether a source has more to read: poll again at once.
    pub more: bool,
}

impl Batch {
    /// Returns whether there is nothing to store.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.events == 0
            && self.positions.is_empty()
            && self.gaps.is_empty()
            && self.security.is_empty()
    }
}

/// Reads every source.
#[derive(Debug)]
pub struct Intake {
    files: Vec<(Arc<str>, FileSource)>,
    journal: Option<Units>,
    processor: EventProcessor,
    limits: Limits,
    /// Maximum number of open files of all sources.
    open_files: usize,
    /// Index of the first source of the next round.
    turn: usize,
    /// Events of the journal; the memory is reused.
    taken: Vec<Event>,
}

/// Names events, counts them and evaluates them for security.
#[derive(Debug)]
struct EventProcessor {
    watch: Watch,
    fingerprints: Fingerprints,
    topics: Topics,
    counter: Counter,
    /// Parser of each source, by its name.
    parsers: BySource<&'static str>,
}

impl Intake {
    /// Begins at `saved`, the positions in the database. `journalctl` has further arguments of that
    /// command, such as `--directory=…`.
    #[must_use]
    pub fn new(
        wanted: &[Wanted],
        saved: &[StreamPosition],
        patterns: impl Iterator<Item = Pattern>,
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
        let mut parsers = BySource::default();
        for source in wanted {
            *parsers.entry(&source.name) = source.parser.name();
        }
        Self {
            files,
            journal: how.map(|how| Units::new(units, how, saved, journalctl)),
            processor: EventProcessor {
                watch: Watch::default(),
                fingerprints,
                topics: Topics::default(),
                counter: Counter::default(),
                parsers,
            },
            limits,
            open_files: usize::MAX,
            turn: 0,
            taken: Vec::new(),
        }
    }

    /// Limits the number of open files approximately. Each source has an equal share, and what others do not
    /// use; a source of many files never takes the share of another.
    pub fn keep_open(&mut self, files: usize) {
        self.open_files = files;
    }

    /// Returns how many files the source at `at` may hold open during its turn, and after it.
    fn open_share(&self, at: usize) -> (usize, usize) {
        let taken = |(_, file): &(Arc<str>, FileSource)| file.open_files();
        let all: usize = self.files.iter().map(taken).sum();
        let own = self.files.get(at).map_or(0, taken);
        let share = self.open_files / self.files.len().max(1);
        let free = self.open_files.saturating_sub(all);
        let left = self.open_files.saturating_sub(all - own);
        (own.saturating_add(free).max(share), left.max(share))
    }

    /// Reads one round. Each event is passed to `take` as it comes, those of a stream in order. An
    /// empty batch means that there is nothing to read.
    pub fn poll(&mut self, now: Timestamp, mut take: impl FnMut(NamedEvent<'_>)) -> Batch {
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
            self.processor.watch.elapse(now, &mut batch.security);
        }
        let news = self.processor.fingerprints.take_news();
        batch.counts = self.processor.counter.finish(news);
        batch
    }

    /// Returns how soon the next round is worth its while, though nothing came: an event that was read may be
    /// whole by then. `None` while none waits.
    #[must_use]
    pub fn look_again(&self) -> Option<Duration> {
        let mut files = self.files.iter();
        let is_open = files.any(|(_, file)| file.is_open())
            || self.journal.as_ref().is_some_and(Units::is_open);
        is_open.then(|| Duration::from_micros(file::IDLE.unsigned_abs()))
    }

    /// Returns how each source fares.
    pub fn states(&self) -> impl Iterator<Item = (&Arc<str>, &State)> {
        let files = self.files.iter().map(|(name, file)| (name, file.state()));
        files.chain(self.journal.iter().flat_map(Units::states))
    }

    fn poll_file(
        &mut self,
        at: usize,
        now: Timestamp,
        batch: &mut Batch,
        take: &mut impl FnMut(NamedEvent<'_>),
    ) {
        let (during, after) = self.open_share(at);
        let Some((name, file)) = self.files.get_mut(at) else {
            return;
        };
        file.allow_open(during, after);
        let (mut moved, mut gaps) = (std::mem::take(&mut batch.positions), Vec::new());
        let bytes = file.poll(now, self.limits, &mut moved, &mut gaps, &mut |event| {
            take(self.processor.process(name, event, now, batch));
        });
        batch.positions = moved;
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
        take: &mut impl FnMut(NamedEvent<'_>),
    ) {
        let Some(units) = &mut self.journal else {
            return;
        };
        let mut gaps = Vec::new();
        let entries = units.poll(
            now,
            self.limits,
            &mut self.taken,
            &mut batch.positions,
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
                take(self.processor.process(&name, &mut event, now, batch));
            }
        }
    }
}

impl EventProcessor {
    /// Names an event, counts it and evaluates it for security.
    fn process<'a>(
        &mut self,
        source: &'a Arc<str>,
        event: &'a mut Event,
        now: Timestamp,
        batch: &mut Batch,
    ) -> NamedEvent<'a> {
        let fingerprint = self.fingerprints.name_known(
            source,
            event.level,
            (&event.message, event.skeleton),
            now,
        );
        let parser = self.parsers.known(source).copied().unwrap_or_default();
        self.watch
            .observe(parser, source, event, now, &mut batch.security);
        batch.changes.extend(changes::read(parser, source, event));
        self.counter
            .add(source, fingerprint, event, &mut self.topics);
        batch.events += 1;
        NamedEvent {
            source,
            fingerprint,
            event,
        }
    }
}
