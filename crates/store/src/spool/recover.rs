//! Opening a spool, whatever state it is in.

use std::io;
use std::path::Path;

use schema::{Class, Timestamp};
use uuid::Uuid;

use super::append::Reserve;
use super::disk::{DirEntry, Disk, DiskFile, OpenMode, RealDisk, read_full, write_full};
use super::format::{
    BadHeader, FORMAT_VERSION, MAX_SEGMENT, RECORD_HEADER, SEGMENT_HEADER, Seal, SegmentHeader,
    decode_id, encode_id, slot,
};
use super::read::read_header;
use super::scan::{Content, Walk, load};
use super::stream::{Segment, Stream};
use super::{Kind, Loss, LossCount, Options, Reason, Result, Spool, SpoolError};
use crate::failpoint::failpoint;
use crate::ranges::RangeSet;

/// Added to a number of which only a lower bound is known: further than any stream gets.
const JUMP: u64 = 1 << 32;
/// At most so many damaged copies are kept.
const QUARANTINE_FILES: usize = 8;
/// And at most this part of the budget.
const QUARANTINE_SHARE: u64 = 8;
/// The smallest segment.
const MIN_SEGMENT: u32 = 1024;

/// A file of a stream before its records are read.
#[derive(Debug)]
struct Candidate {
    name: u64,
    len: u64,
    header: Option<SegmentHeader>,
    first: u64,
    continues: u64,
}

/// Numbers that should be there and are not.
#[derive(Debug)]
struct Hole {
    loss: Loss,
    /// The segment it shows in.
    name: u64,
    keep: bool,
}

impl Spool<RealDisk> {
    /// Opens a spool folder of this machine; makes it if there is none.
    ///
    /// # Errors
    /// See [`Spool::open_on`].
    pub fn open(root: &Path, options: Options) -> Result<Self> {
        Self::open_on(RealDisk, root, options)
    }
}

impl<D: Disk> Spool<D> {
    /// Opens a spool folder of some file system.
    ///
    /// # Errors
    /// [`SpoolError::Busy`], [`SpoolError::NewerFormat`], [`SpoolError::Budget`], and
    /// [`SpoolError::Io`] when the folder cannot be made, listed or locked. Never for its content.
    pub fn open_on(disk: D, root: &Path, options: Options) -> Result<Self> {
        let segment = options.segment.clamp(MIN_SEGMENT, MAX_SEGMENT as u32) & !7;
        let minimum = 4 * u64::from(segment);
        if options.budget < minimum {
            return Err(SpoolError::Budget {
                budget: options.budget,
                minimum,
            });
        }
        for dir in [root, &root.join("quarantine")] {
            disk.create_dir(dir).map_err(SpoolError::io("make", dir))?;
        }
        let lock = lock(&disk, root)?;
        let mut lists = Vec::new();
        for class in Class::ALL {
            let dir = root.join(class.as_str());
            disk.create_dir(&dir)
                .map_err(SpoolError::io("make", &dir))?;
            lists.push(candidates(&disk, &dir)?);
        }
        let quarantine_dir = root.join("quarantine");
        let mut quarantine = disk
            .list(&quarantine_dir)
            .map_err(SpoolError::io("list", &quarantine_dir))?;
        quarantine.sort_by(|a, b| a.name.cmp(&b.name));
        let (writer, known) = identity(&disk, root, &lists)?;
        let streams = Class::ALL
            .map(|class| Stream::new(Seal::new(writer, class), root.join(class.as_str())));
        let mut spool = Self {
            disk,
            root: root.to_owned(),
            options: Options { segment, ..options },
            writer,
            _lock: lock,
            streams,
            quarantine,
            leftovers: Vec::new(),
            owed: Vec::new(),
            lost: [LossCount::default(); 3],
            overflowing: false,
            buf: Vec::new(),
        };
        spool.recover(lists, known);
        Ok(spool)
    }

    fn recover(&mut self, lists: Vec<Vec<Candidate>>, known: bool) {
        let empty = lists.iter().all(Vec::is_empty);
        let mut floors = [1; 3];
        for header in lists.iter().flatten().filter_map(|c| c.header.as_ref()) {
            if header.writer == self.writer {
                for (floor, seen) in floors.iter_mut().zip(header.floors) {
                    *floor = seen.max(*floor);
                }
            }
        }
        let mut holes = Vec::new();
        let mut told = Vec::new();
        for (class, list) in Class::ALL.into_iter().zip(lists) {
            let list = self.sort_out(class, list);
            self.index(class, list, &mut holes, &mut told);
            let stream = &mut self.streams[slot(class)];
            // A segment that failed and was removed may come back with the names as they last were
            // on disk, and would void what is appended from here on.
            if self.disk.sync_dir(&stream.dir).is_err() {
                stream.active = None;
            }
            let floor = floors[slot(class)];
            let vanished = stream.segments.is_empty() && known && !empty;
            if vanished || floor > stream.next {
                let lsns = RangeSet::from(stream.next..floor);
                let ts = stream.segments.last().map(|s| s.content.last_ts);
                if !lsns.is_empty() {
                    holes.push(hole(class, lsns, (ts, None), Reason::Missing));
                }
                stream.active = None;
                stream.acked = floor.max(stream.acked);
                stream.next = floor.max(stream.next) + JUMP;
            }
            stream.opened_at = stream.next;
        }
        self.tell(holes, &told);
        self.finish_give_ups(&told);
        for class in Class::ALL {
            let stream = &self.streams[slot(class)];
            if stream.active.is_none() {
                let made = (self.make_room(class))
                    .and_then(|()| self.begin_segment(class, None).map(|_| ()));
                if let Err(error) = made
                    && !matches!(error, SpoolError::Full { .. })
                {
                    self.down(class, error);
                }
                // The first append tries again.
                self.streams[slot(class)].pause = 0;
            }
        }
        self.settle(Reserve::Keep);
        while self.bytes_on_disk() + self.segment_bytes() > self.options.budget {
            let before = self.bytes_on_disk();
            if self.make_room(Class::Event).is_err() || self.bytes_on_disk() >= before {
                break;
            }
        }
        self.buf.shrink_to(0);
    }

    /// Puts aside what is not of this stream and of two files with one number the wrong one, and
    /// sorts the rest.
    fn sort_out(&mut self, class: Class, mut list: Vec<Candidate>) -> Vec<Candidate> {
        let writer = self.writer;
        let ours = |c: &Candidate| {
            c.header
                .as_ref()
                .is_none_or(|h| h.writer == writer && h.class == class)
        };
        // Of equals the rightly named comes first, then one whose header is whole.
        list.sort_by_key(|c| (c.first, c.name != c.first, c.header.is_none()));
        let mut kept: Vec<Candidate> = Vec::new();
        for candidate in list {
            let twin = kept.last().is_some_and(|k| k.first == candidate.first);
            if ours(&candidate) && !twin {
                kept.push(candidate);
            } else {
                self.quarantine_move(class, &candidate);
            }
        }
        kept
    }

    /// Reads every segment of a class.
    fn index(
        &mut self,
        class: Class,
        list: Vec<Candidate>,
        holes: &mut Vec<Hole>,
        told: &mut Vec<Loss>,
    ) {
        let count = list.len();
        let mut limits = vec![u64::MAX; count];
        for i in (1..count).rev() {
            limits[i - 1] = limits[i].min(list[i].continues);
        }
        let mut before = None;
        let mut open: Option<Hole> = None;
        for (i, candidate) in list.into_iter().enumerate() {
            let stream = &mut self.streams[slot(class)];
            let path = stream.path(candidate.name);
            let last = i + 1 == count;
            let (first, limit) = (candidate.first, limits[i]);
            let mode = if last {
                OpenMode::Write
            } else {
                OpenMode::Read
            };
            let file = self.disk.open(&path, mode);
            let loaded = file.and_then(|file| load(&file, &mut self.buf).map(|()| file));
            if loaded.is_err() {
                self.buf.clear();
            }
            let mut content = Content::new();
            let mut expected = first;
            let mut walk = Walk::new(&self.buf, stream.seal, first, limit);
            for (at, head) in walk.by_ref() {
                if let Some(mut hole) = open.take() {
                    hole.loss.to_ts = head.ts.max(hole.loss.from_ts);
                    holes.push(hole);
                }
                if head.lsn > expected {
                    let lsns = RangeSet::from(expected..head.lsn);
                    let mut hole = hole(class, lsns, (before, Some(head.ts)), Reason::Damage);
                    (hole.name, hole.keep) = (candidate.name, true);
                    holes.push(hole);
                }
                if head.kind == Kind::Loss
                    && let Some(loss) = head.record(&self.buf[at..]).and_then(|r| r.loss())
                {
                    told.push(loss);
                }
                content.add(at, head.step(), head.lsn, head.ts, head.rows);
                expected = head.lsn + 1;
                before = Some(head.ts);
            }
            // A file whose header is gone was at least as long as ours are.
            let stated = candidate.header.as_ref().map(|h| u64::from(h.size));
            let size = stated.unwrap_or(candidate.len.max(self.segment_bytes()));
            let size = usize::try_from(size)
                .unwrap_or(MAX_SEGMENT)
                .min(MAX_SEGMENT);
            let mut tail = walk.tail(size);
            let head = &self.buf[..SEGMENT_HEADER.min(self.buf.len())];
            if content.records == 0 && head.iter().all(|b| *b == 0) {
                // A named segment had a header: all of it is gone.
                tail.lost = tail.lost.max((size / RECORD_HEADER) as u64);
            }
            let end = if last {
                expected.saturating_add(tail.lost)
            } else {
                limit
            };
            if expected < end {
                if let Some(hole) = open.take() {
                    holes.push(hole);
                }
                let damaged = tail.lost > 0;
                let lsns = RangeSet::from(expected..end);
                let reason = if damaged {
                    Reason::Damage
                } else {
                    Reason::Missing
                };
                let mut hole = hole(class, lsns, (before, tail.ts), reason);
                (hole.name, hole.keep) = (candidate.name, damaged && !last);
                if last {
                    hole.loss.records = 1;
                }
                open = Some(hole);
            }
            if candidate.header.is_none() {
                self.quarantine_copy(class, candidate.name);
            }
            let stream = &mut self.streams[slot(class)];
            if let Some(header) = &candidate.header {
                stream.unused.insert(header.continues..header.first);
            }
            let whole = candidate.header.is_some() && size as u64 == candidate.len;
            if last {
                // What is told as lost counts as acknowledged: only the rest is unused.
                stream.acked = end;
                stream.next = end;
                // The newest record may be in the page cache alone, left there by a process that
                // ended before its sync; it must not be delivered and vanish afterwards.
                stream.active = loaded
                    .ok()
                    .filter(|file| file.sync_data().is_ok())
                    .filter(|_| tail.blank && tail.lost == 0 && whole);
            }
            stream.segments.push(Segment {
                name: candidate.name,
                first,
                limit,
                size: candidate.len,
                content,
                told: false,
            });
        }
        holes.extend(open);
    }

    /// Notes the losses that were not noted before.
    fn tell(&mut self, holes: Vec<Hole>, told: &[Loss]) {
        // A loss without any record before or after it lies somewhere in what the spool knows.
        let ends = |s: &Stream<D::File>| s.segments.iter().map(|s| s.content.to_ts).max();
        let newest = self.streams.iter().filter_map(ends).max();
        for mut hole in holes {
            let class = hole.loss.class;
            for note in told.iter().filter(|t| t.class == class) {
                hole.loss.lsns = hole.loss.lsns.difference(&note.lsns);
            }
            if hole.keep {
                self.quarantine_copy(class, hole.name);
            }
            if hole.loss.lsns.is_empty() {
                continue;
            }
            if hole.loss.to_ts == Timestamp::default() {
                let ts = newest.unwrap_or_default();
                (hole.loss.from_ts, hole.loss.to_ts) = (ts, ts);
            }
            self.owe(hole.loss);
        }
    }

    /// Removes segments whose loss is told: the process ended between the note and the unlink.
    fn finish_give_ups(&mut self, told: &[Loss]) {
        for class in Class::ALL {
            let gone = told
                .iter()
                .filter(|t| t.class == class && t.reason == Reason::Overflow)
                .fold(RangeSet::new(), |all, t| all.union(&t.lsns));
            let mut index = 0;
            while index < self.streams[slot(class)].segments.len() {
                let stream = &mut self.streams[slot(class)];
                let last = index + 1 == stream.segments.len();
                let segment = &mut stream.segments[index];
                let present = &segment.content.present;
                if !last && !present.is_empty() && gone.contains_all(present) {
                    segment.told = true;
                    if self.remove_segment(class, index).is_ok() {
                        continue;
                    }
                }
                index += 1;
            }
        }
    }

    /// Gives a damaged segment a second name in quarantine, once and within bounds.
    pub(super) fn quarantine_copy(&mut self, class: Class, name: u64) {
        let stream = &self.streams[slot(class)];
        let path = stream.path(name);
        let copy = format!("{}-{name:016}.seg", class.as_str());
        let len = self.segment_bytes();
        if self.quarantine.iter().any(|q| q.name == copy) || !self.bound_quarantine(len) {
            return;
        }
        let target = self.root.join("quarantine").join(&copy);
        if self.disk.link(&path, &target).is_ok() {
            self.quarantine.push(DirEntry { name: copy, len });
        }
    }

    /// Moves a file that is not of this stream to quarantine.
    fn quarantine_move(&mut self, class: Class, candidate: &Candidate) {
        let name = candidate.name;
        let path = self.streams[slot(class)].path(name);
        let copy = format!("{}-{name:016}-foreign.seg", class.as_str());
        let target = self.root.join("quarantine").join(&copy);
        self.bound_quarantine(candidate.len);
        if self.disk.rename(&path, &target).is_ok() {
            self.quarantine.retain(|q| q.name != copy);
            let len = candidate.len;
            self.quarantine.push(DirEntry { name: copy, len });
        } else {
            self.leftovers.push((path, candidate.len));
        }
    }

    /// Makes room in quarantine for a file; whether there is room now.
    fn bound_quarantine(&mut self, len: u64) -> bool {
        let most = (self.options.budget / QUARANTINE_SHARE).max(self.segment_bytes());
        let full = |s: &Self| {
            s.quarantine.len() >= QUARANTINE_FILES
                || s.quarantine.iter().map(|q| q.len).sum::<u64>() + len > most
        };
        while !self.quarantine.is_empty() && full(self) {
            if self.drop_quarantined().is_err() {
                return false;
            }
        }
        !full(self) && self.bytes_on_disk() + len + self.segment_bytes() <= self.options.budget
    }
}

fn hole(
    class: Class,
    lsns: RangeSet,
    (from, to): (Option<Timestamp>, Option<Timestamp>),
    reason: Reason,
) -> Hole {
    let from_ts = from.or(to).unwrap_or_default();
    let loss = Loss {
        class,
        from_ts,
        to_ts: to.unwrap_or(from_ts).max(from_ts),
        records: lsns.len(),
        lsns,
        rows: None,
        reason,
    };
    Hole {
        loss,
        name: 0,
        keep: false,
    }
}

/// Takes the folder's lock and leaves the pid in it.
fn lock<D: Disk>(disk: &D, root: &Path) -> Result<D::File> {
    let path = root.join("lock");
    let file = disk
        .open(&path, OpenMode::Create)
        .map_err(SpoolError::io("open", &path))?;
    if file.try_lock().map_err(SpoolError::io("lock", &path))? {
        // For whoever finds the folder busy; the lock itself does not need it.
        let pid = format!("{}\n", std::process::id());
        drop(
            file.set_len(0)
                .and_then(|()| write_full(&file, pid.as_bytes(), 0)),
        );
        return Ok(file);
    }
    let mut text = [0; 16];
    let len = read_full(&file, &mut text, 0).unwrap_or(0);
    let pid = std::str::from_utf8(&text[..len]).unwrap_or("").trim();
    let known = !pid.is_empty() && pid.bytes().all(|b| b.is_ascii_digit());
    Err(SpoolError::Busy {
        path: root.to_owned(),
        pid: if known { pid } else { "unknown" }.to_owned(),
    })
}

/// The segments of a folder; half-made ones are removed.
fn candidates<D: Disk>(disk: &D, dir: &Path) -> Result<Vec<Candidate>> {
    let mut list = Vec::new();
    for DirEntry { name, len } in disk.list(dir).map_err(SpoolError::io("list", dir))? {
        let path = dir.join(&name);
        if name.ends_with(".tmp") {
            disk.unlink(&path)
                .map_err(SpoolError::io("remove", &path))?;
            continue;
        }
        let Some(number) = name
            .strip_suffix(".seg")
            .and_then(|n| n.parse::<u64>().ok())
        else {
            continue;
        };
        let file = disk
            .open(&path, OpenMode::Read)
            .map_err(SpoolError::io("open", &path))?;
        let header = match SegmentHeader::decode(&read_header(&file)) {
            Ok(header) => Some(header),
            Err(BadHeader::Damaged) => None,
            Err(BadHeader::Newer(found)) => return Err(newer(path, found)),
        };
        let (first, continues) = header
            .as_ref()
            .map_or((number, number), |h| (h.first, h.continues));
        list.push(Candidate {
            name: number,
            len,
            header,
            first,
            continues,
        });
    }
    Ok(list)
}

fn newer(path: std::path::PathBuf, found: u32) -> SpoolError {
    SpoolError::NewerFormat {
        path,
        found,
        supported: FORMAT_VERSION,
    }
}

/// The writer's identity, and whether it was there before. A damaged `spool.id` is restored from
/// the segments. Without any segment there is nothing to go on with, so the writer is a new one:
/// its numbers begin at 1 again.
fn identity<D: Disk>(disk: &D, root: &Path, lists: &[Vec<Candidate>]) -> Result<(Uuid, bool)> {
    let path = root.join("spool.id");
    let mut headers = lists.iter().flatten().filter_map(|c| c.header.as_ref());
    let found = match disk.open(&path, OpenMode::Read) {
        Ok(file) => {
            let mut text = [0; 128];
            let len = read_full(&file, &mut text, 0).unwrap_or(0);
            let text = std::str::from_utf8(&text[..len]).unwrap_or("");
            match decode_id(text) {
                Ok(writer) => Some(writer),
                Err(BadHeader::Newer(found)) => return Err(newer(path, found)),
                Err(BadHeader::Damaged) => None,
            }
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        Err(error) => return Err(SpoolError::io("open", &path)(error)),
    };
    let empty = lists.iter().all(Vec::is_empty);
    if let Some(writer) = found.filter(|_| !empty) {
        return Ok((writer, true));
    }
    let adopted = headers.next().map(|h| h.writer);
    let writer = adopted.unwrap_or_else(Uuid::new_v4);
    // Without it the next start adopts the writer from the segments.
    drop(write_id(disk, root, writer));
    Ok((writer, adopted.is_some()))
}

fn write_id<D: Disk>(disk: &D, root: &Path, writer: Uuid) -> io::Result<()> {
    let tmp = root.join("spool.id.tmp");
    failpoint!("spool.id.before_write");
    let file = disk.open(&tmp, OpenMode::Create)?;
    file.set_len(0)?;
    write_full(&file, encode_id(writer).as_bytes(), 0)?;
    failpoint!("spool.id.before_sync");
    file.sync_data()?;
    failpoint!("spool.id.before_rename");
    disk.rename(&tmp, &root.join("spool.id"))?;
    failpoint!("spool.id.after_rename");
    disk.sync_dir(root)
}
