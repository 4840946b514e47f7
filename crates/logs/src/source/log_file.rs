//! One file of a stream, read from front to back.
//!
//! The only state between two reads is the offset of the next line and the last bytes before it.
//! Each read begins with those bytes: if they have changed, the file was rewritten
//! and nothing of that read is used. A line that is not finished yet is read again the next time; only
//! of a line longer than [`LINE_BYTES`] the beginning is kept and the rest counted. One to which nothing is
//! added for [`UNTERMINATED_SECS`] is returned as it is: its writer has ended, or waits. What is added
//! later begins a new line there, so each byte is returned once.

mod long;

use std::io;
use std::sync::Arc;

use memchr::{memchr, memmem, memrchr};
use rustix::io::Errno;
use schema::Timestamp;

use super::chunk::{Chunk, Gap, GapReason, Place};
use super::content::Content;
use super::position::{FilePosition, Identity, PRINT_BYTES, Print};
use super::stat::Stat;
use long::Long;

/// Longer lines are cut to this many bytes.
pub const LINE_BYTES: usize = 64 << 10;
/// How long a line without a line break must be unchanged before it is returned. A program that
/// writes a line in pieces does so within milliseconds; five seconds are a short wait for the
/// last line of a program that died.
pub(super) const UNTERMINATED_SECS: i64 = 5;
/// Bytes of one read, and of a source before the next one has its turn.
pub(super) const READ_BYTES: usize = 256 << 10;
/// A shorter run of NUL bytes at the beginning of a line belongs to the line.
const HOLE_BYTES: usize = 256;
/// Unit of read errors of a medium.
const BLOCK_BYTES: u64 = 4096;
/// A read error counts after this many attempts.
const TRIES: u32 = 3;

/// Whether a file is the one that was read up to a position.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Match {
    /// It is the same file.
    Yes,
    /// It begins alike and ends before the position.
    Short,
    /// It is another file.
    No,
}

/// The result of one read.
#[derive(Debug)]
pub(super) enum Read {
    /// Complete lines.
    Lines(Box<Chunk>),
    /// Number of bytes read, without a complete line.
    Passed(u64),
    /// Nothing new.
    End,
    /// The file no longer holds what was read from it.
    Rewritten,
    /// The system returned an error.
    Failed(io::Error),
}

/// A file of a stream.
#[derive(Debug)]
pub(super) struct LogFile {
    pub content: Content,
    pub identity: Identity,
    /// Attributes of the file at the last poll.
    pub seen: Stat,
    /// 0 until it is the one that is read.
    pub generation: u64,
    /// Where the next line begins.
    pub offset: u64,
    /// Whether there may be something to read.
    pub unread: bool,
    /// Number of consecutive polls without anything new.
    pub quiet: u32,
    /// When a poll last found something new.
    pub changed_at: Timestamp,
    /// Whether a line without a line break is to be returned, too.
    pub unterminated: bool,
    /// Whether it no longer grows: a copy, or compressed.
    pub still: bool,
    /// It is a copy of a file that was emptied.
    copied: bool,
    /// Whether its unread content no longer exists.
    pub gone: bool,
    /// Largest size seen.
    pub most: u64,
    /// When it was last written, as known when it was read.
    mtime: i64,
    /// Gaps for the next chunk.
    pub gaps: Vec<Gap>,
    /// Gap for its last chunk.
    pub last_gap: Option<Gap>,
    head: Arc<[u8]>,
    before: Vec<u8>,
    long: Option<Long>,
    /// Up to the next line break is the rest of a line whose beginning is not known; so much of it,
    /// and of what was lost before it, has passed.
    torn: Option<(GapReason, u64)>,
    hole: u64,
    tries: u32,
}

impl LogFile {
    /// Returns a file to be read from its beginning.
    pub(super) fn new(content: Content, stat: Stat) -> Self {
        let still = !content.is_plain();
        Self {
            content,
            identity: Identity::from(&stat),
            seen: stat,
            generation: 0,
            offset: 0,
            unread: true,
            quiet: 0,
            changed_at: Timestamp(0),
            unterminated: false,
            still,
            copied: false,
            gone: false,
            most: stat.size,
            mtime: stat.mtime,
            gaps: Vec::new(),
            last_gap: None,
            head: Arc::from([]),
            before: Vec::new(),
            long: None,
            torn: None,
            hole: 0,
            tries: 0,
        }
    }

    /// Goes to where `position` states, if this is the file that was read up to there.
    pub(super) fn resume(&mut self, position: &FilePosition) -> Match {
        let mut head = vec![0; position.head.len.min(PRINT_BYTES)];
        let tail_len = position.tail.len.min(PRINT_BYTES);
        let mut tail = vec![0; tail_len];
        let tail_at = position.offset.saturating_sub(tail_len as u64);
        if self.content.fill(0, &mut head).len < head.len() || !position.head.is_of(&head) {
            return Match::No;
        }
        if self.content.fill(tail_at, &mut tail).len < tail_len
            || !self.still && self.seen.size < position.offset
        {
            return Match::Short;
        }
        if !position.tail.is_of(&tail) {
            return Match::No;
        }
        self.offset = position.offset;
        self.before = tail;
        self.head = Arc::from(head);
        Match::Yes
    }

    /// Begins at the first line after `offset`, and reports what is before it as skipped.
    pub(super) fn skip_to(&mut self, offset: u64) {
        self.offset = offset;
        self.torn = Some((GapReason::FirstSight, offset));
    }

    /// Goes on in a copy of what this file was. `copy` is at the position of this file.
    pub(super) fn go_on_in(&mut self, copy: Self) {
        self.content = copy.content;
        self.identity = copy.identity;
        self.mtime = copy.mtime;
        self.seen = copy.seen;
        self.unread = true;
        self.mark_copied();
    }

    /// Handles a copy of a file that was emptied then: what was written in between is in neither.
    pub(super) fn mark_copied(&mut self) {
        self.still = true;
        self.copied = true;
        self.last_gap = Some(self.gap(GapReason::CopyTruncated, None));
    }

    /// Returns up to where bytes were taken from it.
    pub(super) fn reached(&self) -> u64 {
        self.offset + self.long.as_ref().map_or(0, |long| long.len)
    }

    /// Bytes that wait.
    pub(super) fn backlog(&self) -> u64 {
        if self.content.is_plain() {
            self.seen.size.saturating_sub(self.reached())
        } else if self.unread {
            self.seen.size
        } else {
            0
        }
    }

    /// Takes note of what it is like now. `false` when it is shorter than what was read.
    pub(super) fn look(&mut self, now: Stat) -> bool {
        if now.size == self.seen.size && now.mtime == self.seen.mtime {
            self.quiet = self.quiet.saturating_add(1);
        } else {
            self.quiet = 0;
            self.unread = true;
            self.unterminated = false;
        }
        self.seen = now;
        self.most = self.most.max(now.size);
        !self.content.is_plain() || now.size >= self.reached()
    }

    /// Returns whether it ends within a line: bytes were seen that are not read though all lines are.
    pub(super) fn ends_within_a_line(&self) -> bool {
        self.content.is_plain() && !self.unread && self.seen.size > self.offset
    }

    /// Requests the unterminated last line when it has waited long enough.
    pub(super) fn wait_for_line_break(&mut self, now: Timestamp) {
        if self.quiet == 0 || self.changed_at == Timestamp(0) {
            self.changed_at = now;
        }
        // a clock that is set back does not make them wait for ever
        let waited = (now.0 - self.changed_at.0).abs() >= UNTERMINATED_SECS * 1_000_000;
        if self.quiet > 0 && waited && self.ends_within_a_line() {
            self.unterminated = true;
            self.unread = true;
        }
    }

    /// Returns whether nothing was read of it, not even its beginning.
    pub(super) fn is_blank(&self) -> bool {
        self.reached() == 0 && self.head.is_empty()
    }

    /// Returns whether all that it has by now is how `newer` begins: a copy that is being made, of a file that
    /// was not emptied yet.
    pub(super) fn is_copied_from(&mut self, newer: &mut Self) -> bool {
        let both_plain = self.content.is_plain() && newer.content.is_plain();
        let Ok(now) = self.content.stat() else {
            return false;
        };
        if !both_plain || self.identity == newer.identity {
            return false;
        }
        // A copy that holds nothing yet is one of something.
        let len = now.size.clamp(1, PRINT_BYTES as u64) as usize;
        let ends = [0, now.size.saturating_sub(PRINT_BYTES as u64)];
        ends.into_iter().all(|at| {
            let (mut one, mut other) = ([0; PRINT_BYTES], [0; PRINT_BYTES]);
            let filled = self.content.fill(at, &mut one[..len]).len;
            newer.content.fill(at, &mut other[..len]).len == len && one[..filled] == other[..filled]
        })
    }

    /// Bytes that were seen in it and not read; `None` when none were seen.
    pub(super) fn lost(&self) -> Option<u64> {
        Some(self.most.saturating_sub(self.offset)).filter(|&lost| lost > 0)
    }

    /// Returns where reading stands.
    pub(super) fn position(&self, ended: bool) -> FilePosition {
        FilePosition {
            identity: self.identity,
            generation: self.generation,
            offset: self.offset,
            head: Print::of(&self.head),
            tail: Print::of(&self.before),
            mtime: self.mtime,
            copied: self.copied,
            ended,
        }
    }

    /// Returns the end of the file as it is now, read or not: what comes after it in its stream.
    pub(super) fn end(&mut self) -> FilePosition {
        if !self.content.is_plain() {
            return self.position(true);
        }
        if let Ok(now) = self.content.stat()
            && (now.size, now.mtime) != (self.seen.size, self.seen.mtime)
        {
            let _same = self.look(now);
        }
        let mut head = [0; PRINT_BYTES];
        let head_len = self.content.fill(0, &mut head).len;
        let mut tail = [0; PRINT_BYTES];
        let tail_at = self.seen.size.saturating_sub(PRINT_BYTES as u64);
        let tail_len = self.content.fill(tail_at, &mut tail).len;
        FilePosition {
            offset: tail_at + tail_len as u64,
            head: Print::of(&head[..head_len]),
            tail: Print::of(&tail[..tail_len]),
            mtime: self.seen.mtime,
            ..self.position(true)
        }
    }

    /// Reads on; at most about `limit` bytes, but always enough to get further.
    pub(super) fn read(&mut self, stream: &Arc<str>, buf: &mut Vec<u8>, limit: usize) -> Read {
        let known = self.long.as_ref().map_or(&self.before, |long| &long.tail);
        let before = known.len();
        let at = self.reached() - before as u64;
        let size = before + limit.clamp(LINE_BYTES + 2, READ_BYTES);
        if buf.len() < size {
            buf.resize(size, 0);
        }
        let filled = self.content.fill(at, &mut buf[..size]);
        let buf = &buf[..filled.len];
        if filled.error.is_none() || filled.len >= before {
            if !buf.starts_with(known) || !self.has_its_head(at, buf) {
                return Read::Rewritten;
            }
            self.mtime = self.seen.mtime;
            match self.take(stream, buf, before) {
                Read::End => {}
                read => {
                    self.tries = 0;
                    return read;
                }
            }
        }
        let end = at + filled.len as u64;
        match filled.error.or_else(|| self.error_before_end(end)) {
            Some(error) => self.fail(error, end),
            None => Read::End,
        }
    }

    /// Returns why a read ended before the file does: what is before a broken block is given first.
    fn error_before_end(&mut self, at: u64) -> Option<io::Error> {
        (self.content.is_plain() && at < self.seen.size)
            .then(|| self.content.fill(at, &mut [0]).error)
            .flatten()
    }

    /// Returns whether the file still begins as it did; learns how it begins.
    fn has_its_head(&mut self, at: u64, buf: &[u8]) -> bool {
        if at == 0 {
            let same = buf.starts_with(&self.head);
            if same && self.head.len() < PRINT_BYTES {
                self.head = Arc::from(&buf[..buf.len().min(PRINT_BYTES)]);
            }
            return same;
        }
        if !self.content.is_plain() {
            return true;
        }
        let mut head = [0; PRINT_BYTES];
        let filled = self.content.fill(0, &mut head);
        if self.head.is_empty() {
            self.head = Arc::from(&head[..filled.len]);
        }
        filled.error.is_some() || head[..filled.len].starts_with(&self.head)
    }

    /// Makes of bytes what they are; the first `before` are known already.
    fn take(&mut self, stream: &Arc<str>, buf: &[u8], before: usize) -> Read {
        let data = &buf[before..];
        if data.is_empty() {
            return Read::End;
        }
        if let Some(long) = self.long.take() {
            return self.take_long(stream, long, buf, before);
        }
        if let Some((reason, lost)) = self.torn {
            let step = memchr(b'\n', data).map(|n| n + 1);
            let lost = lost + step.unwrap_or(data.len()) as u64;
            self.torn = step.is_none().then_some((reason, lost));
            if step.is_some() {
                self.gaps.push(self.gap(reason, Some(lost)));
            }
            return self.pass(buf, before, step.unwrap_or(data.len()));
        }
        if data[0] == 0
            && let Some(read) = self.take_hole(buf, before)
        {
            return read;
        }
        self.end_hole();
        let end = whole_lines(data);
        if end > 0 {
            let lines = self.chunk(stream, data[..end].to_vec(), self.offset + end as u64);
            let _passed = self.pass(buf, before, end);
            return Read::Lines(Box::new(lines));
        }
        if data.len() <= LINE_BYTES {
            return Read::End;
        }
        self.long = Some(Long {
            kept: data[..LINE_BYTES].to_vec(),
            len: LINE_BYTES as u64,
            tail: last_bytes(&buf[..before + LINE_BYTES]),
        });
        Read::Passed(LINE_BYTES as u64)
    }

    /// Passes over NUL bytes at the beginning of a line, unless they are few.
    fn take_hole(&mut self, buf: &[u8], before: usize) -> Option<Read> {
        let data = &buf[before..];
        let run = leading_nuls(data);
        if self.hole == 0 && run < HOLE_BYTES {
            return None;
        }
        // what the file system knows to be empty need not be read
        let next = self.content.data_from(self.offset).unwrap_or(0);
        if next > self.offset + run as u64 {
            let passed = next - self.offset;
            self.hole += passed;
            self.offset = next;
            self.before = vec![0; PRINT_BYTES];
            return Some(Read::Passed(LINE_BYTES as u64));
        }
        self.hole += run as u64;
        Some(self.pass(buf, before, run))
    }

    fn end_hole(&mut self) {
        let hole = std::mem::take(&mut self.hole);
        if hole > 0 {
            self.gaps.push(self.gap(GapReason::Hole, Some(hole)));
        }
    }

    fn pass(&mut self, buf: &[u8], before: usize, step: usize) -> Read {
        self.offset += step as u64;
        self.before = last_bytes(&buf[..before + step]);
        Read::Passed(step as u64)
    }

    /// Returns what an error at offset `at` means.
    fn fail(&mut self, error: io::Error, at: u64) -> Read {
        if !self.content.is_plain() {
            self.last_gap = Some(self.gap(GapReason::Undecodable, None));
            return Read::End;
        }
        if error.raw_os_error() != Some(Errno::IO.raw_os_error()) {
            return Read::Failed(error);
        }
        self.tries += 1;
        if self.tries < TRIES {
            return Read::Passed(1);
        }
        self.tries = 0;
        let next = (at - at % BLOCK_BYTES + BLOCK_BYTES).min(self.seen.size.max(at + 1));
        let (reason, lost) = self.torn.unwrap_or((GapReason::Unreadable, 0));
        self.torn = Some((reason, lost + next - self.offset));
        self.offset = next;
        self.before.clear();
        self.long = None;
        Read::Passed(BLOCK_BYTES)
    }

    /// Returns the last of it, with what has no line break: it was read to the end and is left for another.
    pub(super) fn finish(&mut self, stream: &Arc<str>, buf: &mut Vec<u8>) -> Chunk {
        let mut lines = match self.long.take() {
            Some(long) => self.chunk_of_long(stream, long, 0),
            None => self.finish_short(stream, buf),
        };
        if let Some((reason, lost)) = self.torn.take() {
            lines.gaps.push(self.gap(reason, Some(lost)));
        }
        lines.gaps.extend(self.last_gap.take());
        lines.closed = true;
        lines
    }

    fn finish_short(&mut self, stream: &Arc<str>, buf: &mut Vec<u8>) -> Chunk {
        let before = self.before.len();
        buf.resize(before + LINE_BYTES, 0);
        let filled = self.content.fill(self.offset - before as u64, buf);
        let buf = &buf[..filled.len];
        self.end_hole();
        if !buf.starts_with(&self.before) {
            return self.chunk(stream, Vec::new(), self.offset);
        }
        let data = &buf[before..];
        let lines = self.chunk(stream, data.to_vec(), self.offset + data.len() as u64);
        let _passed = self.pass(buf, before, data.len());
        lines
    }

    /// Returns what has no line break, when it was asked for and is still the end of the file.
    pub(super) fn take_unterminated(
        &mut self,
        stream: &Arc<str>,
        buf: &mut Vec<u8>,
    ) -> Option<Chunk> {
        if !std::mem::take(&mut self.unterminated) {
            return None;
        }
        if let Some(long) = self.long.take() {
            return Some(self.chunk_of_long(stream, long, 0));
        }
        let before = self.before.len();
        buf.resize(before + LINE_BYTES, 0);
        let filled = self.content.fill(self.offset - before as u64, buf);
        let buf = &buf[..filled.len];
        let data = buf.strip_prefix(self.before.as_slice())?;
        if data.is_empty() || memchr(b'\n', data).is_some() {
            return None;
        }
        let lines = self.chunk(stream, data.to_vec(), self.offset + data.len() as u64);
        let _passed = self.pass(buf, before, data.len());
        Some(lines)
    }

    /// Closes it until it changes.
    pub(super) fn close(&mut self) {
        self.content = Content::Closed;
    }

    /// Returns an end without reading: what was in the file is not there any more.
    pub(super) fn abandon(&mut self, stream: &Arc<str>) -> Chunk {
        let mut lines = self.chunk(stream, Vec::new(), self.offset);
        lines.gaps.extend(self.last_gap.take());
        lines.closed = true;
        lines
    }

    /// Returns a chunk from where reading stands.
    pub(super) fn chunk(&mut self, stream: &Arc<str>, bytes: Vec<u8>, end: u64) -> Chunk {
        Chunk {
            stream: Arc::clone(stream),
            start: self.offset,
            end,
            bytes,
            cut: None,
            closed: false,
            gaps: std::mem::take(&mut self.gaps),
            place: Place {
                identity: self.identity,
                generation: self.generation,
                mtime: self.mtime,
                copied: self.copied,
                head: Arc::clone(&self.head),
                before: self.before.clone(),
                tail: None,
            },
        }
    }

    /// Returns a gap at the place where reading stands: not younger than the last change of the file.
    pub(super) fn gap(&self, reason: GapReason, bytes: Option<u64>) -> Gap {
        Gap {
            from: None,
            to: Some(Timestamp(self.mtime / 1000)),
            bytes,
            lines: None,
            reason,
        }
    }
}

/// Returns how many bytes are whole lines, none of them longer than [`LINE_BYTES`] or beginning with a hole.
fn whole_lines(data: &[u8]) -> usize {
    let mut end = 0;
    while let Some(n) = memrchr(b'\n', &data[end..data.len().min(end + LINE_BYTES + 1)]) {
        end += n + 1;
    }
    memmem::find_iter(&data[..end], b"\n\0")
        .map(|at| at + 1)
        .find(|&at| leading_nuls(&data[at..]) >= HOLE_BYTES)
        .unwrap_or(end)
}

fn leading_nuls(data: &[u8]) -> usize {
    data.iter().take_while(|&&byte| byte == 0).count()
}

fn last_bytes(buf: &[u8]) -> Vec<u8> {
    buf[buf.len().saturating_sub(PRINT_BYTES)..].to_vec()
}

#[cfg(test)]
#[path = "log_file_tests.rs"]
mod tests;
