//! Reading every segment when a spool is opened: the records that are there, and those that should be.

use std::io;

use schema::{Class, Timestamp};

use super::disk::{Disk, DiskFile, OpenMode, is_damage, write_full};
use super::folder::Candidate;
use super::format::{MAX_SEGMENT, RECORD_HEADER, SEGMENT_HEADER, slot};
use super::scan::{Content, Tail, Walk, load};
use super::stream::Segment;
use super::{Kind, Loss, Reason, Result, Spool, SpoolError};
use crate::failpoint::failpoint;
use crate::ranges::RangeSet;

/// Numbers that should be there and are not.
#[derive(Debug)]
pub(super) struct Hole {
    pub(super) loss: Loss,
}

/// The result of reading all segments.
#[derive(Debug, Default)]
pub(super) struct Survey {
    pub(super) holes: Vec<Hole>,
    /// Losses that the event stream reports already, with the numbers of these records.
    pub(super) reported: Vec<(u64, Loss)>,
    /// Segments to keep a copy of.
    pub(super) damaged: Vec<(Class, u64)>,
    /// A hole that goes on to the next record there is.
    open: Option<Hole>,
    /// The instant of the record before.
    before: Option<Timestamp>,
}

impl Survey {
    /// Notes the numbers that are missing at the end of a segment. Returns whether it is to be kept as damaged.
    fn note_tail(&mut self, class: Class, lsns: RangeSet, tail: &Tail, last: bool) -> bool {
        let span = (self.before, tail.ts);
        let reason = if tail.lost > 0 {
            Reason::Damage
        } else {
            Reason::Missing
        };
        let mut hole = hole(class, lsns, span, reason);
        if last {
            hole.loss.records = 1;
        }
        self.holes.extend(self.open.replace(hole));
        !last && tail.lost > 0
    }
}

/// A segment as it was read.
#[derive(Debug)]
struct ReadSegment {
    content: Content,
    tail: Tail,
    /// The number after its records, lost ones included.
    end: u64,
    /// Length that it should have.
    size: u64,
    /// Whether it is as its header states.
    whole: bool,
}

impl<D: Disk> Spool<D> {
    /// Reads every segment of a class.
    pub(super) fn index(
        &mut self,
        class: Class,
        list: Vec<Candidate>,
        survey: &mut Survey,
    ) -> Result<()> {
        let count = list.len();
        let mut limit = vec![u64::MAX; count];
        for i in (1..count).rev() {
            limit[i - 1] = limit[i].min(list[i].continues);
        }
        for (i, candidate) in list.into_iter().enumerate() {
            let last = i + 1 == count;
            let file = self.load_candidate(class, candidate.name, last)?;
            let mut found = self.survey(class, &candidate, limit[i], last, survey);
            let stream = &mut self.streams[slot(class)];
            if let Some(header) = &candidate.header {
                stream.unused.insert(header.continues..header.first);
            } else {
                survey.damaged.push((class, candidate.name));
            }
            if last {
                self.resume_segment(class, &mut found, file);
                let unsure = &self.streams[slot(class)].unsure;
                if class == Class::Event {
                    survey.reported.retain(|note| !unsure.contains(note.0));
                }
            }
            let stream = &mut self.streams[slot(class)];
            // A segment that is full ends where the next record did not fit.
            if let Some(previous) = stream.segments.last_mut() {
                let free = previous.size.saturating_sub(previous.content.end as u64);
                previous.ghost |= free >= found.content.first_len as u64;
            }
            stream.segments.push(Segment {
                name: candidate.name,
                first: candidate.first,
                limit: limit[i],
                // A cut may be undone by the next crash.
                size: candidate.len.max(found.size),
                content: found.content,
                is_reported: false,
                ghost: !found.tail.blank,
            });
        }
        survey.holes.extend(survey.open.take());
        survey.before = None;
        Ok(())
    }

    /// Continues the newest segment of a class, which is in the buffer, where it can be appended to. Records that
    /// cannot be made durable are unsure.
    fn resume_segment(&mut self, class: Class, found: &mut ReadSegment, file: Option<D::File>) {
        let stream = &mut self.streams[slot(class)];
        // Reported losses count as acknowledged: only the rest is unused.
        stream.acked = found.end;
        stream.next = found.end;
        let content = &mut found.content;
        let newest = self.buf.get(content.last..content.end).unwrap_or(&[]);
        let durable =
            file.filter(|file| content.records == 0 || renew(file, newest, content.last).is_ok());
        // Nothing here may be counted on: all of it if the name is not durable either.
        if stream.doubtful {
            stream.unsure = std::mem::take(&mut content.present);
        } else if let (None, Some(lsn)) = (&durable, content.present.last()) {
            stream.unsure = RangeSet::from(lsn..lsn + 1);
            content.present.remove(lsn..lsn + 1);
        }
        let durable = durable.filter(|_| !stream.doubtful);
        stream.active = durable.filter(|_| found.whole && found.tail.blank);
    }

    /// Reads a segment into the buffer; an unreadable one counts as empty.
    fn load_candidate(&mut self, class: Class, name: u64, last: bool) -> Result<Option<D::File>> {
        let path = self.streams[slot(class)].path(name);
        let mode = if last {
            OpenMode::Write
        } else {
            OpenMode::Read
        };
        let file = self.disk.open(&path, mode);
        match file.and_then(|file| load(&file, &mut self.buf).map(|()| file)) {
            Ok(file) => Ok(Some(file)),
            Err(error) if is_damage(&error) => {
                self.buf.clear();
                Ok(None)
            }
            Err(error) => Err(SpoolError::io("read", &path)(error)),
        }
    }

    /// Finds the records of the segment in the buffer, and those that are missing.
    fn survey(
        &self,
        class: Class,
        candidate: &Candidate,
        limit: u64,
        last: bool,
        survey: &mut Survey,
    ) -> ReadSegment {
        let mut content = Content::new();
        let mut expected = candidate.first;
        let seal = self.streams[slot(class)].seal;
        let mut walk = Walk::new(&self.buf, seal, candidate.first, limit);
        for (at, head) in walk.by_ref() {
            if let Some(mut hole) = survey.open.take() {
                hole.loss.to_ts = head.ts.max(hole.loss.from_ts);
                survey.holes.push(hole);
            }
            if head.lsn > expected {
                let lsns = RangeSet::from(expected..head.lsn);
                let span = (survey.before, Some(head.ts));
                survey.holes.push(hole(class, lsns, span, Reason::Damage));
                survey.damaged.push((class, candidate.name));
            }
            if head.kind == Kind::Loss {
                let record = head.record(&self.buf[at..]);
                let loss = record.and_then(|r| r.loss());
                survey.reported.extend(loss.map(|loss| (head.lsn, loss)));
            }
            content.add(at, head.step(), head.lsn, head.ts, head.rows);
            expected = head.lsn + 1;
            survey.before = Some(head.ts);
        }
        // A file whose header is gone was at least as long as ours are.
        let stated = candidate.header.as_ref().map(|h| u64::from(h.size));
        let size = stated.unwrap_or(candidate.len.max(self.segment_bytes()));
        let room = usize::try_from(size).map_or(MAX_SEGMENT, |size| size.min(MAX_SEGMENT));
        let mut tail = walk.tail(room);
        let head = &self.buf[..SEGMENT_HEADER.min(self.buf.len())];
        if content.records == 0 && head.iter().all(|b| *b == 0) {
            // A named segment had a header: all of it is gone.
            tail.lost = tail.lost.max((room / RECORD_HEADER) as u64);
        }
        let end = if last {
            expected.saturating_add(tail.lost)
        } else {
            limit
        };
        if expected < end && survey.note_tail(class, RangeSet::from(expected..end), &tail, last) {
            survey.damaged.push((class, candidate.name));
        }
        ReadSegment {
            content,
            whole: candidate.header.is_some() && size == candidate.len && tail.lost == 0,
            tail,
            end,
            size,
        }
    }
}

/// Returns a hole of all these numbers.
pub(super) fn hole(
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
    Hole { loss }
}

/// Makes the newest record durable. It may be in the page cache alone, left there by a process that
/// ended before its sync, or whose sync failed: then a sync of what is there would do nothing.
fn renew<F: DiskFile>(file: &F, record: &[u8], at: usize) -> io::Result<()> {
    failpoint!("spool.open.before_renew");
    write_full(file, record, at as u64)?;
    file.sync_data()?;
    failpoint!("spool.open.after_renew");
    Ok(())
}
