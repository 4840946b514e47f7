//! One log as a stream: the file at a path and its rotated predecessors, one after the other.
//!
//! A stream holds open, oldest first, every file that is still to be read. Each poll compares the file
//! at the path with the newest of them. If it is another file, those that were rotated in
//! between are found beside it ([`super::rotated`]) and opened at once, so they can be renamed,
//! compressed and deleted while they wait.
//!
//! The first is read to its end and left when the next one has something to read and nothing more
//! came for two polls: programs are signalled to open their new file some time after the old one was
//! renamed. A program that keeps writing to the old file is waited for [`PATIENCE_SECS`], and not at all
//! after yet another rotation.
//!
//! A stream may be asked to hold nothing open: a file at the path that is read to its end can be closed
//! until it changes. When the path leads to the same inode then, it continues as if it had been open;
//! otherwise it is searched for as after a start. Only what was written between the last poll and the
//! removal of a closed file is lost, which is reported as a gap of unknown size that begins with that poll.
//!
//! Rotation by numbers shows when a file was removed before it was read: its number is missing between
//! that of the file that is being read and the log itself. While a program renames the series a
//! number is missing, too; so a hole counts only if it persists a moment later.
//!
//! A file that no longer holds what was read from it was emptied. When its old content is found in a
//! copy (`copytruncate`), reading continues there; then the file is read from its beginning.
//!
//! After a start the file is found again by its inode and by the hashes of its beginning and of the
//! bytes before the position; by the hashes alone when it was copied or compressed since.

mod rotation;

use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::Arc;

use rustix::io::Errno;
use schema::Timestamp;

use super::chunk::{Chunk, Gap, GapReason};
use super::content::Content;
use super::log_file::{LogFile, Read};
use super::open;
use super::position::FilePosition;
use super::rotated::Series;
use super::stat::Stat;
use super::state::{State, Status};
use super::{FileOptions, FirstSight};

/// Polls without anything new after which the writer has left a rotated file.
const QUIET_POLLS: u32 = 2;
/// How long a rotated file that is still written to is read before the one after it.
const PATIENCE_SECS: i64 = 60;
/// Maximum number of waiting files. Others are found again when these are read.
const MOST_FILES: usize = 64;
/// Maximum number of recently read files that are recognised when they reappear.
const MOST_DONE: usize = 16;
/// How often a search is repeated at once when rotation happens during it.
const SEARCHES: u32 = 5;
/// Descriptors that have to be free before a file is opened: that of the path and that of the same log
/// before it was rotated.
pub(super) const NEEDED: usize = 2;
/// A file that was renamed, and that no other one has followed, may be closed after this many quiet polls, and
/// is then examined as seldom.
const LEFT_POLLS: u32 = 16;
/// A number that is missing for this long is not just being renamed, microseconds.
const HOLE_LASTS: i64 = 500_000;
/// From this offset on the hashes identify a file, whatever its inode.
const SURE_OFFSET: u64 = super::position::PRINT_BYTES as u64;

/// The result of one turn of a stream.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Turn {
    /// Bytes that were read.
    pub used: usize,
    /// Whether there is more to read at once.
    pub more: bool,
}

/// A stream.
#[derive(Debug)]
pub(super) struct Stream {
    pub name: Arc<str>,
    pub state: State,
    path: PathBuf,
    /// The last error of looking at the path, with the state that reports it: a log that stays away has its text
    /// made once.
    fault: Option<(Errno, State)>,
    /// Target of the path if it is a link.
    links_to: Option<PathBuf>,
    /// Files to read, oldest first.
    queue: VecDeque<LogFile>,
    /// The file at the path, read to its end and closed.
    closed: Option<Box<LogFile>>,
    /// Whether it was at the path when it was closed.
    was_current: bool,
    /// When the closed file was last found as it was.
    closed_seen: Timestamp,
    /// So many polls in a row found the closed file nowhere.
    missed: u32,
    /// Something is to be opened and there was no room.
    pub waits: bool,
    /// Something was opened, or searched for.
    pub tried: bool,
    /// Files that may be opened now.
    room: usize,
    /// Since when, and in which series, a number is missing.
    hole: Option<(Timestamp, Series)>,
    /// Position when there was nothing left to read.
    last: Option<FilePosition>,
    generation: u64,
    done: VecDeque<FilePosition>,
    /// Gaps for the next chunk.
    gaps: Vec<Gap>,
    /// Whether the last of the queue is the file at the path.
    is_current: bool,
    /// There was a chunk with its first position, or none is needed.
    is_announced: bool,
    /// Whether it did not exist at first, so that all of its content is new.
    is_young: bool,
    /// Since when the first of the queue is not at the path.
    rotated_since: Option<Timestamp>,
    looks: u32,
    now: Timestamp,
}

impl Stream {
    /// Returns the stream of the log at path `name`. `is_young`: the log was not there before.
    pub(super) fn new(name: Arc<str>, saved: Option<FilePosition>, is_young: bool) -> Self {
        Self {
            path: PathBuf::from(&*name),
            links_to: None,
            name,
            state: State::default(),
            fault: None,
            queue: VecDeque::new(),
            closed: None,
            was_current: false,
            closed_seen: Timestamp(0),
            missed: 0,
            waits: false,
            tried: false,
            room: usize::MAX,
            hole: None,
            generation: saved.as_ref().map_or(0, |saved| saved.generation),
            last: saved,
            done: VecDeque::new(),
            gaps: Vec::new(),
            is_current: false,
            is_announced: true,
            is_young,
            rotated_since: None,
            looks: 0,
            now: Timestamp(0),
        }
    }

    /// Returns whether nothing is left of it: no file, and nothing to read.
    pub(super) fn is_over(&self) -> bool {
        let has_none = self.queue.is_empty() && self.closed.is_none();
        has_none && self.state.status == Status::Missing && self.looks > 1
    }

    /// Descriptors that it takes.
    pub(super) fn open_files(&self) -> usize {
        let files = self.queue.iter();
        files.map(|file| file.content.descriptors()).sum()
    }

    /// Returns whether its file is closed.
    pub(super) fn is_closed(&self) -> bool {
        self.closed.is_some()
    }

    /// Returns for how many polls nothing came to a file that may be closed; `None` when it may not.
    pub(super) fn idle_looks(&self) -> Option<u32> {
        let is_at_rest = self.queue.len() == 1
            && (self.is_current || self.state.status == Status::Missing)
            && self.is_announced
            && self.gaps.is_empty()
            && !self.waits;
        let front = self.queue.front().filter(|_| is_at_rest)?;
        let may = front.content.is_plain()
            && !front.unread
            && !front.gone
            && !front.still
            && front.offset >= front.seen.size
            && (self.is_current || front.quiet >= LEFT_POLLS);
        may.then_some(front.quiet)
    }

    /// Closes its file until it changes.
    pub(super) fn close(&mut self) {
        if let Some(mut file) = self.queue.pop_front() {
            file.close();
            self.was_current = std::mem::take(&mut self.is_current);
            self.closed_seen = self.now;
            self.closed = Some(Box::new(file));
        }
    }

    /// Looks what there is, without reading any of it. At most about `room` files are opened.
    pub(super) fn look(&mut self, now: Timestamp, options: &FileOptions, room: usize) {
        self.now = now;
        self.room = room;
        self.tried = false;
        self.state = State::default();
        self.look_at_path(options);
        let is_at_path = self.is_current && self.queue.len() == 1;
        if let Some(front) = self.queue.front_mut().filter(|_| !is_at_path) {
            self.rotated_since.get_or_insert(now);
            if let Ok(stat) = front.content.stat()
                && !front.look(stat)
            {
                front.gone = true;
            }
        }
        if let Some(front) = self.queue.front_mut() {
            front.wait_for_line_break(now);
        }
        self.looks = self.looks.saturating_add(1);
        self.count_backlog();
    }

    /// Does what a poll could not do for lack of descriptors, now that there are some.
    pub(super) fn go_on(&mut self, options: &FileOptions, room: usize) {
        self.room = room;
        self.look_at_path(options);
        self.count_backlog();
    }

    fn look_at_path(&mut self, options: &FileOptions) {
        self.waits = false;
        match Stat::of(&self.path) {
            Ok(found) if self.closed.is_some() => self.look_at_closed(&found, options),
            Ok(found) => self.look_at(&found, options),
            Err(errno) => {
                self.is_current = false;
                self.state = self.fault_of(errno);
                let is_missing = self.state.status == Status::Missing;
                if self.closed.is_none() {
                    self.is_young |= is_missing && self.last.is_none();
                    self.look_for_rotated();
                } else if is_missing && self.is_due() && self.has_room() {
                    self.follow_closed();
                }
            }
        }
    }

    /// Returns the state that reports this error of looking at the path.
    fn fault_of(&mut self, errno: Errno) -> State {
        let path = &self.path;
        let fault = self.fault.take().filter(|(known, _)| *known == errno);
        let fault = fault.unwrap_or_else(|| (errno, open::state_of("looking at", path, errno)));
        self.fault.insert(fault).1.clone()
    }

    /// Returns whether a closed file is searched for, to which no path leads: one that was left before is not each
    /// time.
    fn is_due(&self) -> bool {
        self.was_current || self.missed > 0 || self.looks.is_multiple_of(LEFT_POLLS)
    }

    /// Returns whether something may be opened; if not, it waits.
    fn has_room(&mut self) -> bool {
        let has_room = self.room >= NEEDED;
        self.waits |= !has_room;
        self.tried |= has_room;
        has_room
    }

    /// Brings the figure of what waits up to date.
    pub(super) fn count_backlog(&mut self) {
        let closed = self.closed.as_deref().map_or(0, LogFile::backlog);
        let queued: u64 = self.queue.iter().map(LogFile::backlog).sum();
        self.state.backlog_bytes = closed + queued;
        self.state.streams = u32::from(!self.queue.is_empty() || self.closed.is_some());
    }

    /// Leaves the closed file alone as long as it is unchanged.
    fn look_at_closed(&mut self, found: &Stat, options: &FileOptions) {
        let Some(closed) = self.closed.as_mut() else {
            return;
        };
        self.missed = 0;
        let is_same = closed.identity.is(found);
        if is_same && (found.size, found.mtime) == (closed.seen.size, closed.seen.mtime) {
            let _whole = closed.look(*found);
            self.closed_seen = self.now;
        } else if !self.has_room() {
            // It waits for its turn as after a start.
        } else if is_same {
            self.open_again(options);
        } else {
            self.follow_closed();
        }
    }

    /// Opens the closed file, to which the path leads; it continues as if it had been open.
    fn open_again(&mut self, options: &FileOptions) {
        let Some(mut file) = self.closed.take() else {
            return;
        };
        match open::open(&self.path) {
            Ok(opened) if file.identity.is(&opened.stat) => {
                file.content = Content::plain(opened.file);
                self.queue.push_back(*file);
                self.look_at(&opened.stat, options);
            }
            // renamed since; the next poll follows it
            Ok(_) => self.closed = Some(file),
            Err(state) => {
                self.state = state;
                self.closed = Some(file);
            }
        }
    }

    /// Handles a path that leads elsewhere than to the closed file, or nowhere: the file is searched for as after a
    /// start.
    fn follow_closed(&mut self) {
        let at_path = self.open_path();
        if at_path.is_none() && self.state.status != Status::Missing {
            return;
        }
        let Some(mut file) = self.closed.take() else {
            return;
        };
        let is_missing = at_path.is_none();
        // An empty file has nothing to know it by; it comes after the one before it.
        let before = self.last_done().filter(|_| file.offset == 0).cloned();
        let position = before.unwrap_or_else(|| file.position(false));
        self.last = Some(position.clone());
        self.resume(&position, at_path);
        if self.last.take().is_none() {
            self.missed = 0;
            self.gaps.splice(0..0, file.gaps);
            return;
        }
        self.missed += u32::from(is_missing);
        if self.missed < QUIET_POLLS {
            self.closed = Some(file);
            return;
        }
        // It was removed. Whether anything was written since the last poll, is unknown.
        self.missed = 0;
        file.gone = true;
        file.last_gap = Some(Gap {
            from: Some(self.closed_seen),
            ..self.gap(GapReason::Vanished)
        });
        self.queue.push_back(*file);
    }

    fn look_at(&mut self, found: &Stat, options: &FileOptions) {
        match self.queue.back_mut() {
            None => {
                if self.has_room() {
                    self.begin(options);
                }
            }
            Some(back) if back.identity.is(found) && !back.still => {
                self.is_current = true;
                let was_blank = back.is_blank();
                let is_whole = back.look(*found);
                let is_new = back.quiet == 0;
                if was_blank && is_new {
                    self.insert_copies(found);
                } else if !is_whole {
                    let _tried_again = self.replace_rewritten();
                }
            }
            Some(_) => {
                self.is_current = false;
                if self.has_room() {
                    self.follow_rotation();
                }
            }
        }
    }

    /// Handles a path that leads nowhere: something may have been rotated all the same.
    fn look_for_rotated(&mut self) {
        let is_due = (self.queue.back()).is_some_and(|back| {
            back.quiet == QUIET_POLLS || back.quiet > QUIET_POLLS && self.hole.is_some()
        });
        if let Some(last) = self.last.clone() {
            if (self.looks.is_multiple_of(16) || self.hole.is_some()) && self.has_room() {
                self.resume(&last, None);
            }
        } else if is_due && self.has_room() {
            self.follow_rotation();
        }
    }

    /// Opens what the path leads to, or takes note why not.
    fn open_path(&mut self) -> Option<LogFile> {
        match open::open(&self.path) {
            Ok(opened) => {
                self.links_to = (opened.real != self.path).then(|| opened.real.clone());
                Some(LogFile::new(Content::plain(opened.file), opened.stat))
            }
            Err(state) => {
                self.state = state;
                None
            }
        }
    }

    /// Opens the file while none is open: begins, or continues at the position of reading.
    fn begin(&mut self, options: &FileOptions) {
        let Some(mut file) = self.open_path() else {
            return;
        };
        if let Some(last) = self.last.clone() {
            self.resume(&last, Some(file));
            return;
        }
        let size = file.seen.size;
        let left = match options.first_sight {
            FirstSight::Recent => options.first_bytes,
            FirstSight::Beginning => size,
            FirstSight::End => 0,
        };
        if !self.is_young && left < size {
            // one byte more: it shows whether a line begins there
            file.skip_to(size - left - 1);
        }
        self.is_announced = file.offset > 0;
        self.queue.push_back(file);
        self.is_current = true;
    }

    fn gap(&self, reason: GapReason) -> Gap {
        Gap {
            from: (self.last.as_ref()).map(|last| Timestamp(last.mtime / 1000)),
            to: Some(self.now),
            bytes: None,
            lines: None,
            reason,
        }
    }

    /// Reads on, one chunk at most, about `limit` bytes.
    pub(super) fn turn(&mut self, buf: &mut Vec<u8>, limit: usize, out: &mut Vec<Chunk>) -> Turn {
        let mut used = 0;
        while used < limit {
            if self.may_leave() {
                self.leave(buf, out);
                continue;
            }
            let Some(front) = self.queue.front_mut().filter(|front| front.unread) else {
                return Turn { used, more: false };
            };
            if front.generation == 0 {
                self.generation += 1;
                front.generation = self.generation;
            }
            if !self.is_announced {
                // a start before its first line finds it again, even when it is rotated meanwhile
                self.is_announced = true;
                out.push(front.chunk(&self.name, Vec::new(), front.offset));
            }
            match front.read(&self.name, buf, limit - used) {
                Read::Lines(mut lines) => {
                    used += (lines.end - lines.start) as usize;
                    lines.gaps.splice(0..0, self.gaps.drain(..));
                    out.push(*lines);
                    break;
                }
                Read::Passed(bytes) => used += bytes as usize,
                Read::End => {
                    front.unread = false;
                    if let Some(mut lines) = front.take_unterminated(&self.name, buf) {
                        used += (lines.end - lines.start) as usize;
                        lines.gaps.splice(0..0, self.gaps.drain(..));
                        out.push(lines);
                    }
                }
                Read::Rewritten => {
                    if !self.replace_rewritten() {
                        return Turn { used, more: false };
                    }
                }
                Read::Failed(error) => {
                    self.state = State::new(
                        Status::Failed,
                        format!("reading {}: {error}", self.path.display()),
                    );
                    self.last = Some(front.position(false));
                    self.queue.clear();
                    return Turn { used, more: false };
                }
            }
        }
        Turn { used, more: true }
    }

    /// Returns whether the first file is read and will not grow.
    fn may_leave(&self) -> bool {
        let Some(front) = self.queue.front() else {
            return false;
        };
        if front.gone || front.unread {
            return front.gone;
        }
        let is_quiet = front.quiet >= QUIET_POLLS;
        let is_deleted = front.seen.links == 0 && is_quiet;
        match (self.queue.len(), self.is_current) {
            (1, true) => false,
            _ if front.still || is_deleted => true,
            (1, false) => false,
            (2, true) => {
                let waited = self.rotated_since.map_or(0, |since| self.now.0 - since.0);
                self.queue[1].seen.size > 0 && (is_quiet || waited >= PATIENCE_SECS * 1_000_000)
            }
            // yet another was rotated since
            _ => true,
        }
    }

    fn leave(&mut self, buf: &mut Vec<u8>, out: &mut Vec<Chunk>) {
        let Some(mut front) = self.queue.pop_front() else {
            return;
        };
        if front.generation == 0 {
            self.generation += 1;
            front.generation = self.generation;
        }
        let mut lines = if front.gone {
            front.abandon(&self.name)
        } else {
            front.finish(&self.name, buf)
        };
        self.rotated_since = None;
        let position = front.position(true);
        if self.done.len() == MOST_DONE {
            self.done.pop_front();
        }
        if !front.gone || front.still {
            self.done.push_back(position.clone());
        }
        // The end of an empty file cannot be found again.
        if front.offset > 0 || !self.gaps.is_empty() || !lines.gaps.is_empty() {
            lines.gaps.splice(0..0, self.gaps.drain(..));
            out.push(lines);
        }
        if self.queue.is_empty() {
            self.is_young = true;
            self.last = if front.offset > 0 {
                Some(position)
            } else {
                self.last_done().cloned()
            };
        }
    }

    /// Returns the last that was read to its end and held anything.
    fn last_done(&self) -> Option<&FilePosition> {
        self.done.iter().rev().find(|done| done.offset > 0)
    }
}
