//! A source of files: one log, or those that a pattern names.

use std::collections::{HashMap, HashSet, VecDeque};
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use schema::Timestamp;

use super::chunk::Chunk;
use super::log_file::READ_BYTES;
use super::pattern::matches;
use super::position::FilePosition;
use super::stat::Stat;
use super::state::{State, Status};
use super::stream::{NEEDED, Stream};
use super::{open, packed, rotated};

/// Where a log begins that is read for the first time. One that appears while its source is watched
/// is read from its beginning.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum FirstSight {
    /// At its beginning, however large it is.
    Beginning,
    /// At its beginning when it has at most [`FileOptions::first_bytes`]; else at the first line within
    /// the last so many. What is skipped is a [`super::Gap`] with its own reason.
    #[default]
    Recent,
    /// At its end.
    End,
}

/// How files are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FileOptions {
    /// Where a log begins that is read for the first time.
    pub first_sight: FirstSight,
    /// Bytes of it that are recent.
    pub first_bytes: u64,
}

impl Default for FileOptions {
    fn default() -> Self {
        Self {
            first_sight: FirstSight::default(),
            first_bytes: 1 << 20,
        }
    }
}

/// Streams that open or look for something in one poll. A search lists a directory, which takes
/// milliseconds where it holds thousands of logs; other sources have their turn in between.
const MOST_TRIES: usize = 64;

/// A directory is listed again after this many polls, changed or not.
const POLLS_PER_LISTING: u32 = 60;

/// A source of files.
#[derive(Debug)]
pub struct Files {
    name: String,
    path: PathBuf,
    options: FileOptions,
    streams: Vec<Stream>,
    /// Where reading stood in streams that are not there yet.
    saved: HashMap<Arc<str>, FilePosition>,
    state: State,
    listing: Listing,
    /// Which stream has the first turn.
    first: usize,
    /// Index of the stream that is polled first.
    first_look: usize,
    /// Number of streams polled in the current round.
    looked_at: usize,
    /// Most descriptors during a poll, and after it.
    open: (usize, usize),
    /// Something waits that a poll at once can give.
    more: bool,
    buf: Vec<u8>,
}

/// When a directory was listed for a pattern.
#[derive(Debug, Default)]
struct Listing {
    seen: Option<(u64, i64)>,
    looks: u32,
    state: State,
}

impl Files {
    /// Returns the log at `path`, or every log that it matches: its last part may hold `*`, `?` and `[…]`.
    /// `saved` are the positions of its streams.
    #[must_use]
    pub fn new(
        name: &str,
        path: &Path,
        saved: Vec<(Arc<str>, FilePosition)>,
        options: FileOptions,
    ) -> Self {
        Self {
            name: name.to_owned(),
            path: path.to_owned(),
            options,
            streams: Vec::new(),
            saved: saved.into_iter().collect(),
            state: State::default(),
            listing: Listing::default(),
            first: 0,
            first_look: 0,
            looked_at: 0,
            open: (usize::MAX, usize::MAX),
            more: false,
            buf: Vec::new(),
        }
    }

    /// Returns the name of the source.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns how the source fared at the last poll: its most severe stream and what waits in all of them.
    #[must_use]
    pub fn state(&self) -> &State {
        &self.state
    }

    /// Returns how each stream fared at the last poll.
    pub fn streams(&self) -> impl Iterator<Item = (&Arc<str>, &State)> {
        self.streams
            .iter()
            .map(|stream| (&stream.name, &stream.state))
    }

    /// Descriptors that are taken.
    #[must_use]
    pub fn open_files(&self) -> usize {
        self.streams.iter().map(Stream::open_files).sum()
    }

    /// Lets a poll take about `during` descriptors, and `after` be left when it ends, but for files that
    /// wait to be read. Idle files are closed to keep that, those first that were quiet the longest.
    pub fn allow_open(&mut self, during: usize, after: usize) {
        self.open = (during.max(NEEDED), after);
    }

    /// Returns whether a poll at once finds more to read, though nothing new came.
    #[must_use]
    pub fn has_more(&self) -> bool {
        self.more
    }

    /// Looks at every stream and reads what is new, about `budget` bytes and one read of each stream at
    /// most more. The streams take turns; what is left waits for the next poll, where another stream
    /// begins.
    pub fn poll(&mut self, now: Timestamp, budget: usize, out: &mut Vec<Chunk>) {
        self.find_streams();
        let waiting = self.look(now);
        self.read(budget, out);
        self.more |= waiting;
        let taken = self.open_files();
        if taken > self.open.1 {
            let mut idle = self.idle();
            self.close_idle(&mut idle, taken - self.open.1);
        }
        self.summarise();
    }

    /// Looks at every stream. When some wait for descriptors, the next poll begins with these; `true`
    /// when that is worth its while at once, until each has had its turn.
    fn look(&mut self, now: Timestamp) -> bool {
        let count = self.streams.len();
        let most = self.open.0;
        let mut taken = self.open_files();
        let mut idle = None;
        let mut waiting = None;
        let mut tries = 0;
        for step in 0..count {
            let at = (self.first_look + step) % count;
            let before = self.streams[at].open_files();
            let room = match tries < MOST_TRIES {
                true => most.saturating_sub(taken),
                false => 0,
            };
            self.streams[at].look(now, &self.options, room);
            if self.streams[at].waits && tries >= MOST_TRIES {
                waiting.get_or_insert((step, at));
            } else if self.streams[at].waits {
                let needed = (taken + NEEDED).saturating_sub(most);
                let idle = idle.get_or_insert_with(|| self.idle());
                taken -= self.close_idle(idle, needed);
                let room = most.saturating_sub(taken);
                if room >= NEEDED {
                    self.streams[at].go_on(&self.options, room);
                } else {
                    waiting.get_or_insert((step, at));
                }
            }
            tries += usize::from(self.streams[at].tried);
            taken = (taken + self.streams[at].open_files()).saturating_sub(before);
        }
        let Some((step, at)) = waiting else {
            self.looked_at = 0;
            return false;
        };
        self.first_look = at;
        self.looked_at += step;
        let is_round_over = step == 0 || self.looked_at >= count;
        if is_round_over {
            self.looked_at = 0;
        }
        !is_round_over
    }

    /// Streams whose file may be closed; the last was quiet for the longest time.
    fn idle(&self) -> Vec<usize> {
        let streams = self.streams.iter().enumerate();
        let mut idle: Vec<(u32, usize)> = streams
            .filter_map(|(at, stream)| Some((stream.idle_looks()?, at)))
            .collect();
        idle.sort_unstable();
        idle.into_iter().map(|(_, at)| at).collect()
    }

    /// Closes up to `count` of these. Returns how many.
    fn close_idle(&mut self, idle: &mut Vec<usize>, count: usize) -> usize {
        let mut closed = 0;
        while closed < count
            && let Some(at) = idle.pop()
        {
            if self.streams[at].idle_looks().is_some() {
                self.streams[at].close();
                closed += 1;
            }
        }
        closed
    }

    fn read(&mut self, budget: usize, out: &mut Vec<Chunk>) {
        let count = self.streams.len();
        let mut used = 0;
        let mut turns: VecDeque<usize> = (0..count).map(|n| (self.first + n) % count).collect();
        while used < budget
            && let Some(at) = turns.pop_front()
        {
            let limit = READ_BYTES.min(budget - used);
            let turn = self.streams[at].turn(&mut self.buf, limit, out);
            used += turn.used;
            if turn.more {
                turns.push_back(at);
            }
        }
        // the stream that had no turn is the first of the next poll
        self.first = turns.front().copied().unwrap_or(self.first);
        self.more = !turns.is_empty();
    }

    fn summarise(&mut self) {
        let mut all = State {
            status: self.listing.state.status,
            cause: self.listing.state.cause.clone(),
            ..State::default()
        };
        let mut closed = 0;
        for stream in &mut self.streams {
            stream.count_backlog();
            closed += usize::from(stream.is_closed());
            let state = &stream.state;
            all.backlog_bytes += state.backlog_bytes;
            all.streams += state.streams;
            if state.status > all.status {
                all.status = state.status;
                all.cause.clone_from(&state.cause);
            }
        }
        if closed > 0 && all.status < Status::Limited {
            all.status = Status::Limited;
            all.cause = format!(
                "{closed} of {} files are closed until something is written to them, since the limit of open files leaves {} to this source; raise that limit (LimitNOFILE= of the unit, ulimit -n)",
                all.streams, self.open.1
            );
        }
        self.state = all;
    }

    fn find_streams(&mut self) {
        let is_first = self.listing.looks == 0;
        if !is_pattern(&self.path) {
            if is_first {
                self.listing.looks = 1;
                let name: Arc<str> = Arc::from(self.path.to_string_lossy());
                let saved = self.saved.remove(&name);
                self.streams.push(Stream::new(name, saved, false));
            }
            return;
        }
        self.streams.retain(|stream| !stream.is_over());
        let dir = self.path.parent().unwrap_or(Path::new("/")).to_owned();
        let seen = match Stat::of(&dir) {
            Ok(stat) => (stat.ino, stat.mtime),
            Err(errno) => {
                self.listing.state = open::state_of("looking at", &dir, errno);
                self.listing.looks = 1;
                return;
            }
        };
        self.listing.looks += 1;
        if self.listing.seen == Some(seen) && !self.listing.looks.is_multiple_of(POLLS_PER_LISTING)
        {
            return;
        }
        self.listing.seen = Some(seen);
        match self.list(&dir) {
            Ok(names) => self.add_streams(names, is_first),
            Err(state) => self.listing.state = state,
        }
    }

    /// Returns the logs that match.
    fn list(&self, dir: &Path) -> Result<Vec<String>, State> {
        let fault = |error: std::io::Error| {
            let errno = rustix::io::Errno::from_io_error(&error).unwrap_or(rustix::io::Errno::IO);
            open::state_of("listing", dir, errno)
        };
        let pattern = pattern_of(&self.path);
        let mut found = Vec::new();
        for entry in std::fs::read_dir(dir).map_err(fault)? {
            let entry = entry.map_err(fault)?;
            let name = entry.file_name();
            if let Some(text) = name.to_str()
                && matches(pattern, text)
                && !packed::is_packed_name(&name)
                && !rotated::is_numbered(&name)
                && let Some(path) = entry.path().to_str()
            {
                found.push(path.to_owned());
            }
        }
        found.sort();
        Ok(found)
    }

    fn add_streams(&mut self, mut found: Vec<String>, is_first: bool) {
        if is_first {
            found.extend(self.saved.keys().map(|name| name.to_string()));
            found.sort();
            found.dedup();
        }
        let names: HashSet<&str> = self.streams.iter().map(|one| &*one.name).collect();
        let logs = found
            .iter()
            .map(String::as_str)
            .chain(names.iter().copied());
        let logs: HashSet<&str> = logs.collect();
        let mut fresh = Vec::new();
        for path in &found {
            if !names.contains(path.as_str()) && !is_rotated_from(path, &logs) {
                let name: Arc<str> = Arc::from(path.as_str());
                let saved = self.saved.remove(&name);
                fresh.push(Stream::new(name, saved, !is_first));
            }
        }
        self.streams.append(&mut fresh);
        self.listing.state = if self.streams.is_empty() {
            State::new(
                Status::Missing,
                format!("no file matches {}", self.path.display()),
            )
        } else {
            State::default()
        };
    }
}

/// Returns whether rotation made this file of another one that is a log, or did.
fn is_rotated_from(path: &str, logs: &HashSet<&str>) -> bool {
    let path = Path::new(path);
    let Some(name) = path.file_name() else {
        return false;
    };
    rotated::possible_logs(name)
        .iter()
        .any(|log| logs.contains(&*path.with_file_name(log).to_string_lossy()))
}

fn pattern_of(path: &Path) -> &str {
    path.file_name().and_then(OsStr::to_str).unwrap_or("*")
}

/// Returns the files that are there by a path: itself, or all that match, logs or rotated ones.
pub(super) fn named_by(path: &Path) -> Vec<PathBuf> {
    if !is_pattern(path) {
        return vec![path.to_owned()];
    }
    let entries = path.parent().map(std::fs::read_dir);
    let names = entries.into_iter().flatten().flatten().flatten();
    names
        .filter(|entry| {
            let name = entry.file_name();
            name.to_str()
                .is_some_and(|name| matches(pattern_of(path), name))
        })
        .map(|entry| entry.path())
        .collect()
}

/// Returns whether a path stands for several.
fn is_pattern(path: &Path) -> bool {
    (path.file_name().and_then(OsStr::to_str)).is_some_and(|name| name.contains(['*', '?', '[']))
}
