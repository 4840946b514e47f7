//! The journal, through one `journalctl --follow` for all units.
//!
//! `journalctl` is asked from the last entry on that was read, **including** it, and that entry is
//! dropped: asked for what comes after, systemd 252 leaves out one more (systemd#30288). So the first
//! answer is a proof, too. When another entry comes, or none, the journal no longer knows the place:
//! it was vacuumed, is that of another machine, or lost its end with the machine's power, and with a
//! place beyond its end it would wait silently for ever (systemd#6213). Then it is asked by time, and
//! with the next entry that is new comes a gap. `--all` is needed for messages over 4096 bytes, and
//! `--boot=all` as following means the running boot alone otherwise.
//!
//! A child that ends is started again after growing pauses, one that is silent for long is asked
//! anew, which shows whether it still hears anything.

mod child;
mod entry;

use std::ffi::OsString;
use std::io;
use std::time::Duration;

use schema::Timestamp;

pub use entry::{Entry, JournalPosition};

use self::child::{Child, Got};
use self::entry::series_of;
use super::FirstSight;
use super::chunk::{Gap, GapReason};
use super::state::{State, Status};

/// How the journal is read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JournalOptions {
    /// The program: `journalctl`.
    pub program: OsString,
    /// Further arguments, such as `--directory=…`.
    pub arguments: Vec<OsString>,
    /// Only what belongs to these units; everything when empty.
    pub units: Vec<String>,
    /// Where a journal begins that is read for the first time.
    pub first_sight: FirstSight,
    /// Entries that are recent then.
    pub first_entries: u32,
}

impl Default for JournalOptions {
    fn default() -> Self {
        Self {
            program: OsString::from("journalctl"),
            arguments: Vec::new(),
            units: Vec::new(),
            first_sight: FirstSight::default(),
            first_entries: 2000,
        }
    }
}

/// What a poll gave.
#[derive(Debug, Default)]
pub struct Batch {
    /// New entries, in order.
    pub entries: Vec<Entry>,
    /// What was lost before or between them.
    pub gaps: Vec<Gap>,
}

/// The place asked for must be found within this.
const PROOF_SECS: i64 = 10;
/// After so long without an entry the child is asked anew.
const SILENCE_SECS: i64 = 600;
/// Pauses before a child that ended is started again grow up to this.
const LONGEST_PAUSE_SECS: i64 = 60;
/// How often one poll waits for more while there is more.
const WAITS: u32 = 16;
/// A position further in the future than this is of a clock that went wrong.
const FUTURE_SECS: i64 = 60;

/// The journal as a source.
#[derive(Debug)]
pub struct Journal {
    options: JournalOptions,
    position: Option<JournalPosition>,
    child: Option<Child>,
    /// How the child was asked.
    asked: Ask,
    /// How the next child is asked.
    ask: Ask,
    started: Timestamp,
    /// When an entry came last, or the child was started.
    last_read: Timestamp,
    start_at: Timestamp,
    pause_secs: i64,
    state: State,
}

/// From where a child is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ask {
    /// From the position on, if there is one. The first entry is to come.
    Place,
    /// As before; the first entry has come.
    Proven,
    /// From a time on, as the place is not known any more. What is new has yet to come.
    Time,
    /// The newest entries, as neither the place nor its time is of use.
    Newest,
}

impl Journal {
    /// Returns the journal from `saved` on.
    #[must_use]
    pub fn new(options: JournalOptions, saved: Option<JournalPosition>) -> Self {
        Self {
            options,
            position: saved,
            child: None,
            asked: Ask::Place,
            ask: Ask::Place,
            started: Timestamp(0),
            last_read: Timestamp(0),
            start_at: Timestamp(i64::MIN),
            pause_secs: 1,
            state: State::default(),
        }
    }

    /// Returns how the journal fared at the last poll.
    #[must_use]
    pub fn state(&self) -> &State {
        &self.state
    }

    /// Takes what is there, about `budget` bytes of JSON at most. Returns at once when nothing is; while
    /// there is more, `wait` is spent at most on waiting for it.
    pub fn poll(&mut self, now: Timestamp, budget: usize, wait: Duration, out: &mut Batch) {
        if self.child.is_none() && now >= self.start_at {
            self.start(now);
        }
        let Some(mut child) = self.child.take() else {
            return;
        };
        match self.read(&mut child, now, budget, wait, out) {
            Ok(true) => {
                self.look_after(&mut child);
                if !self.is_stuck(now) {
                    self.child = Some(child);
                }
            }
            Ok(false) => {
                let words = child.words();
                self.end(&words, now);
            }
            Err(error) => self.end(&error.to_string(), now),
        }
    }

    fn start(&mut self, now: Timestamp) {
        self.asked = self.ask;
        self.started = now;
        self.last_read = now;
        match Child::start(&self.options.program, &self.arguments(now)) {
            Ok(child) => {
                self.child = Some(child);
                self.state = State {
                    streams: 1,
                    ..State::default()
                };
            }
            Err(error) => {
                let program = self.options.program.to_string_lossy();
                self.state = match error.kind() {
                    io::ErrorKind::NotFound => State::new(
                        Status::Missing,
                        format!("{program} is not installed: without systemd there is no journal"),
                    ),
                    io::ErrorKind::PermissionDenied => State::new(
                        Status::Denied,
                        format!("starting {program}: {error}; let the collector's user run it"),
                    ),
                    _ => State::new(Status::Failed, format!("starting {program}: {error}")),
                };
                self.pause(now);
            }
        }
    }

    fn arguments(&self, now: Timestamp) -> Vec<OsString> {
        let mut all: Vec<OsString> = ["--follow", "--output=json", "--all", "--boot=all"]
            .map(OsString::from)
            .into();
        all.extend(self.options.arguments.iter().cloned());
        for unit in &self.options.units {
            all.push(format!("--unit={unit}").into());
        }
        let first_entries = match self.options.first_sight {
            FirstSight::Beginning => None,
            FirstSight::Recent => Some(self.options.first_entries),
            FirstSight::End => Some(0),
        };
        let (from, lines) = match (&self.position, self.asked) {
            (None, _) => (None, first_entries),
            (Some(_), Ask::Newest) => (None, Some(self.options.first_entries)),
            (Some(position), Ask::Time) => {
                let micros = position.realtime.min(now.as_micros());
                let (secs, rest) = (micros.div_euclid(1_000_000), micros.rem_euclid(1_000_000));
                (Some(format!("--since=@{secs}.{rest:06}")), None)
            }
            (Some(position), _) => (Some(format!("--cursor={}", position.cursor)), None),
        };
        all.extend(from.map(OsString::from));
        all.push(match lines {
            Some(lines) => format!("--lines={lines}").into(),
            None => OsString::from("--no-tail"),
        });
        all
    }

    /// Reads what there is. `false` when the child has ended.
    fn read(
        &mut self,
        child: &mut Child,
        now: Timestamp,
        budget: usize,
        wait: Duration,
        out: &mut Batch,
    ) -> io::Result<bool> {
        let mut used = 0;
        let mut waits = 0;
        while used < budget {
            let may_wait = used > 0 && waits < WAITS;
            let wait = if may_wait {
                wait / WAITS
            } else {
                Duration::ZERO
            };
            match child.next_line()? {
                Got::Nothing if !wait.is_zero() => {
                    waits += 1;
                    if !child.wait(wait)? {
                        return Ok(true);
                    }
                }
                Got::Nothing => return Ok(true),
                Got::End => return Ok(false),
                Got::Overlong(bytes) => {
                    used += bytes as usize;
                    out.gaps.push(self.withheld(now, Some(bytes)));
                }
                Got::Line => {
                    used += child.line().len() + 1;
                    self.accept(child.line(), now, out);
                }
            }
        }
        Ok(true)
    }

    fn accept(&mut self, line: &[u8], now: Timestamp, out: &mut Batch) {
        let entry = match Entry::parse(line) {
            Ok(entry) => entry,
            // `-- No entries --` and the like
            Err(_) if !line.starts_with(b"{") => return,
            Err(_) => {
                out.gaps.push(self.withheld(now, Some(line.len() as u64)));
                return;
            }
        };
        self.last_read = now;
        if !self.is_new(&entry, out) {
            return;
        }
        if entry.is_withheld {
            out.gaps.push(Gap {
                from: entry.ts,
                to: entry.ts,
                ..self.withheld(now, None)
            });
        }
        let mut position = entry.position();
        if entry.ts.is_none() {
            position.realtime = self.position.as_ref().map_or(0, |old| old.realtime);
        }
        self.position = Some(position);
        out.entries.push(entry);
    }

    /// Returns whether an entry was not read before. The first of a child shows whether any are missing.
    fn is_new(&mut self, entry: &Entry, out: &mut Batch) -> bool {
        let Some(position) = &self.position else {
            self.asked = Ask::Proven;
            return true;
        };
        let is_known = entry.cursor == position.cursor;
        let realtime = entry.ts.map(Timestamp::as_micros);
        match self.asked {
            Ask::Proven => return !is_known,
            Ask::Time if realtime.is_some_and(|at| at <= position.realtime) => {
                if is_known {
                    self.prove();
                }
                return false;
            }
            _ => {}
        }
        let is_same_series = series_of(&entry.cursor) == series_of(&position.cursor);
        let missing = entry.seqnum.checked_sub(position.seqnum + 1);
        let reason = match missing.filter(|_| is_same_series) {
            _ if is_known => None,
            Some(0) => None,
            Some(_) => Some(GapReason::Vacuumed),
            None => Some(GapReason::CursorLost),
        };
        if let Some(reason) = reason {
            out.gaps.push(Gap {
                from: (position.realtime > 0).then_some(Timestamp(position.realtime)),
                to: entry.ts,
                bytes: None,
                // numbers count the entries of all units
                lines: missing
                    .filter(|_| reason == GapReason::Vacuumed && self.options.units.is_empty()),
                reason,
            });
        }
        self.prove();
        !is_known
    }

    fn prove(&mut self) {
        self.asked = Ask::Proven;
        self.ask = Ask::Place;
        self.pause_secs = 1;
    }

    /// Evaluates the standard error of the running child.
    fn look_after(&mut self, child: &mut Child) {
        if child.has_words() && self.state.status == Status::Ok {
            let words = child.words();
            if words.contains("not seeing messages from other users") {
                self.state.status = Status::Denied;
                self.state.cause = denied(&words);
            }
        }
    }

    /// Returns whether the child is of no use: it does not find its place, or was silent for long.
    fn is_stuck(&mut self, now: Timestamp) -> bool {
        let secs = |since: Timestamp| (now.0.saturating_sub(since.0)) / 1_000_000;
        let is_asked_for_place = self.asked == Ask::Place && self.position.is_some();
        if is_asked_for_place && secs(self.started) >= PROOF_SECS {
            self.lose_place(now);
            return true;
        }
        if self.asked == Ask::Proven && secs(self.last_read) >= SILENCE_SECS {
            self.ask = Ask::Place;
            self.start_at = now;
            return true;
        }
        false
    }

    /// Lets the next child start by time.
    fn lose_place(&mut self, now: Timestamp) {
        let future = now.0.saturating_add(FUTURE_SECS * 1_000_000);
        let realtime = self
            .position
            .as_ref()
            .map_or(0, |position| position.realtime);
        self.ask = if (1..=future).contains(&realtime) {
            Ask::Time
        } else {
            Ask::Newest
        };
        self.start_at = now;
    }

    /// Handles the end of the child, with its standard error.
    fn end(&mut self, words: &str, now: Timestamp) {
        if words.contains("to cursor") {
            self.lose_place(now);
            return;
        }
        let status = if words.contains("ermission") {
            Status::Denied
        } else if words.contains("No such file") || words.contains("No journal files were found") {
            Status::Missing
        } else {
            Status::Failed
        };
        let cause = match status {
            Status::Denied => denied(words),
            _ if words.is_empty() => "journalctl ended without a message".to_owned(),
            _ => format!("journalctl ended: {words}"),
        };
        self.state = State::new(status, cause);
        if now.0.saturating_sub(self.started.0) >= LONGEST_PAUSE_SECS * 1_000_000 {
            self.pause_secs = 1;
        }
        self.pause(now);
    }

    fn pause(&mut self, now: Timestamp) {
        self.start_at = Timestamp(now.0.saturating_add(self.pause_secs * 1_000_000));
        self.pause_secs = (self.pause_secs * 2).min(LONGEST_PAUSE_SECS);
    }

    fn withheld(&self, now: Timestamp, bytes: Option<u64>) -> Gap {
        let realtime = self
            .position
            .as_ref()
            .map_or(0, |position| position.realtime);
        Gap {
            from: (realtime > 0).then_some(Timestamp(realtime)),
            to: Some(now),
            bytes,
            lines: Some(1),
            reason: GapReason::Withheld,
        }
    }
}

fn denied(words: &str) -> String {
    format!(
        "journalctl may not read the journal; let the collector's user be a member of group \
         systemd-journal: {words}"
    )
}
