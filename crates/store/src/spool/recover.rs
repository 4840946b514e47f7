//! Opening a spool in any state.

use std::path::Path;

use schema::{Class, Timestamp};

use super::append::Reserve;
use super::disk::{Disk, RealDisk};
use super::folder::{Candidate, candidates, identity, lock};
use super::format::{MAX_SEGMENT, Seal, slot};
use super::index::{Hole, Survey, hole};
use super::stream::Stream;
use super::{Loss, LossCount, Reason, Result, Spool, SpoolError, SpoolOptions};
use crate::ranges::RangeSet;

/// Added to a number of which only a lower bound is known: further than any stream gets.
const JUMP: u64 = 1 << 32;
/// The smallest segment.
const MIN_SEGMENT: u32 = 1024;

impl Spool<RealDisk> {
    /// Opens a spool folder of this machine; makes it if there is none.
    ///
    /// # Errors
    /// See [`Spool::open_on`].
    pub fn open(root: &Path, options: SpoolOptions) -> Result<Self> {
        Self::open_on(RealDisk, root, options)
    }
}

impl<D: Disk> Spool<D> {
    /// Opens a spool folder of some file system.
    ///
    /// # Errors
    /// [`SpoolError::Busy`], [`SpoolError::NewerFormat`], [`SpoolError::Budget`], and
    /// [`SpoolError::Io`] when the folder cannot be made, listed or locked. Never for its content.
    pub fn open_on(disk: D, root: &Path, options: SpoolOptions) -> Result<Self> {
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
            options: SpoolOptions { segment, ..options },
            writer,
            lock,
            streams,
            quarantine,
            leftovers: Vec::new(),
            unreported: Vec::new(),
            lost: [LossCount::default(); 3],
            overflowing: false,
            buf: Vec::new(),
        };
        spool.recover(lists, known)?;
        Ok(spool)
    }

    /// Reads all segments, notes the losses, and begins a segment for each class that has none to continue.
    fn recover(&mut self, lists: Vec<Vec<Candidate>>, known: bool) -> Result<()> {
        // The folders themselves may be new.
        let rooted = self.disk.sync_dir(&self.root).is_ok();
        let empty = lists.iter().all(Vec::is_empty);
        let floors = self.floors(&lists);
        let mut survey = Survey::default();
        for (class, list) in Class::ALL.into_iter().zip(lists) {
            let list = self.sort_out(class, list);
            // A segment that failed and was removed may come back with the names as they last were
            // on disk, and would void records that are appended from here on; one that is there may vanish.
            let stream = &mut self.streams[slot(class)];
            stream.doubtful = !rooted || self.disk.sync_dir(&stream.dir).is_err();
            self.index(class, list, &mut survey)?;
            let stream = &mut self.streams[slot(class)];
            let floor = floors[slot(class)];
            let vanished = stream.segments.is_empty() && known && !empty;
            if vanished || floor > stream.next {
                let lsns = RangeSet::from(stream.next..floor);
                let ts = stream.segments.last().map(|s| s.content.last_ts);
                if !lsns.is_empty() {
                    survey
                        .holes
                        .push(hole(class, lsns, (ts, None), Reason::Missing));
                }
                stream.active = None;
                stream.acked = floor.max(stream.acked);
                stream.next = floor.max(stream.next) + JUMP;
            }
            stream.opened_at = stream.next;
        }
        for (class, name) in std::mem::take(&mut survey.damaged) {
            self.quarantine_copy(class, name);
        }
        let reported: Vec<Loss> = survey.reported.into_iter().map(|note| note.1).collect();
        self.skip_reported(&reported);
        self.report_holes(survey.holes, &reported);
        self.finish_give_ups(&reported);
        self.begin_streams();
        self.settle(Reserve::Keep);
        while self.bytes_on_disk() + self.segment_bytes() > self.options.budget {
            let before = self.bytes_on_disk();
            if self.make_room(Class::Event, usize::MAX).is_err() || self.bytes_on_disk() >= before {
                break;
            }
        }
        self.buf = Vec::new();
        Ok(())
    }

    /// Returns the lowest next number of each class that the headers of all segments allow.
    fn floors(&self, lists: &[Vec<Candidate>]) -> [u64; 3] {
        let mut floors = [1; 3];
        for header in lists.iter().flatten().filter_map(|c| c.header.as_ref()) {
            if header.writer == self.writer {
                for (floor, seen) in floors.iter_mut().zip(header.floors) {
                    *floor = seen.max(*floor);
                }
            }
        }
        floors
    }

    /// Continues after the numbers of reported losses: their notes may have outlived the segments.
    fn skip_reported(&mut self, reported: &[Loss]) {
        for note in reported {
            let stream = &mut self.streams[slot(note.class)];
            if let Some(last) = note.lsns.last().filter(|last| *last >= stream.next) {
                stream.active = None;
                stream.acked = last + 1;
                stream.next = last + 1;
                stream.opened_at = last + 1;
            }
        }
    }

    /// Begins a segment for each class that has none to continue.
    fn begin_streams(&mut self) {
        for class in Class::ALL {
            let stream = &self.streams[slot(class)];
            if stream.active.is_none() {
                let made = (self.make_room(class, 0))
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
    }

    /// Quarantines files of another stream, and of two files with one number the misnamed one; sorts the rest.
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

    /// Reports the holes that were not reported before.
    fn report_holes(&mut self, holes: Vec<Hole>, reported: &[Loss]) {
        // A loss without any record before or after it lies somewhere in the time that the spool covers.
        let ends = |s: &Stream<D::File>| s.segments.iter().map(|s| s.content.to_ts).max();
        let newest = self.streams.iter().filter_map(ends).max();
        for mut hole in holes {
            let class = hole.loss.class;
            for note in reported.iter().filter(|t| t.class == class) {
                hole.loss.lsns = hole.loss.lsns.difference(&note.lsns);
            }
            if hole.loss.lsns.is_empty() {
                continue;
            }
            if hole.loss.to_ts == Timestamp::default() {
                let ts = newest.unwrap_or_default();
                (hole.loss.from_ts, hole.loss.to_ts) = (ts, ts);
            }
            self.queue_loss(hole.loss);
        }
    }

    /// Removes segments whose loss is reported: the process ended between the note and the unlink.
    fn finish_give_ups(&mut self, reported: &[Loss]) {
        for class in Class::ALL {
            let gone = reported
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
                    segment.is_reported = true;
                    if stream.removable(index) && self.remove_segment(class, index).is_ok() {
                        continue;
                    }
                }
                index += 1;
            }
        }
    }
}
