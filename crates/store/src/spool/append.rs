//! Making records durable.

use std::io;

use schema::{Class, Timestamp};

use super::disk::{Disk, DiskFile, OpenMode, write_full};
use super::format::{
    Body, MAX_RAW, MAX_SEGMENT, RECORD_HEADER, SEGMENT_HEADER, SegmentHeader, slot,
};
use super::scan::Content;
use super::stream::Leftover;
use super::{Kind, Loss, Result, Spool, SpoolError};
use crate::failpoint::failpoint;

/// The longest pause after failures, in appends of a class. A full disk is tried each time.
const LONGEST_PAUSE: u32 = 3;

/// Whether the reserve of one segment may be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reserve {
    Keep,
    Use,
}

impl<D: Disk> Spool<D> {
    /// Stores the rows of one tick and returns their number. They are durable when this returns.
    ///
    /// # Errors
    /// [`SpoolError::TooLarge`]: split the record. [`SpoolError::Down`] and [`SpoolError::Full`]:
    /// the record is not stored and the caller still has it; try again with the next tick.
    pub fn append(
        &mut self,
        class: Class,
        ts: Timestamp,
        rows: u32,
        payload: &[u8],
    ) -> Result<u64> {
        let mut body = Body::new(ts, rows, Kind::Rows, payload);
        let limit = self.options.segment as usize - SEGMENT_HEADER;
        if body.len() > limit || payload.len() > MAX_RAW {
            return Err(SpoolError::TooLarge {
                class,
                bytes: body.len() - RECORD_HEADER,
                limit: limit - RECORD_HEADER,
            });
        }
        if let Err(error) = self.restore_folder() {
            return Err(self.down(class, error));
        }
        self.settle(Reserve::Keep);
        self.store(class, &mut body, Reserve::Keep)
    }

    /// Makes the notes of losses durable at any price; whether that succeeded.
    pub fn flush_notes(&mut self) -> bool {
        self.settle(Reserve::Use);
        self.unreported.is_empty()
    }

    /// Notes a loss that happened outside, such as records held in memory while the spool was down.
    /// It is durable when this returns `true`, otherwise kept in memory until the disk takes it.
    pub fn note(&mut self, loss: Loss) -> bool {
        self.queue_loss(loss);
        self.settle(Reserve::Keep);
        self.unreported.is_empty()
    }

    /// Counts a loss and queues it for the event stream, merged with a queued one of the same reason.
    pub(super) fn queue_loss(&mut self, loss: Loss) {
        let count = &mut self.lost[slot(loss.class)];
        count.notes += 1;
        count.records += loss.records;
        count.rows += loss.rows.unwrap_or(0);
        self.queue_counted_loss(loss);
    }

    /// Queues a loss that was counted before.
    pub(super) fn queue_counted_loss(&mut self, loss: Loss) {
        // Merging bounds the list by classes × reasons once the disk refuses.
        let same = |other: &&mut Loss| other.class == loss.class && other.reason == loss.reason;
        if self.unreported.len() >= 16
            && let Some(other) = self.unreported.iter_mut().find(same)
        {
            other.merge(&loss);
        } else {
            self.unreported.push(loss);
        }
    }

    /// Writes queued losses to the event stream, as far as the disk allows it.
    pub(super) fn settle(&mut self, reserve: Reserve) {
        let ranges = Loss::ranges_within(self.options.segment as usize / 32);
        if !self.unreported.is_empty() && self.restore_folder().is_err() {
            return;
        }
        while !self.unreported.is_empty() {
            let mut loss = self.unreported.remove(0);
            if loss.lsns.range_count() > ranges {
                loss.coarsen(ranges, &self.present(loss.class));
            }
            let mut body = Body::new(loss.to_ts, 0, Kind::Loss, &loss.encode());
            if self.store(Class::Event, &mut body, reserve).is_err() {
                self.unreported.insert(0, loss);
                return;
            }
        }
    }

    /// Stores a record in the segment being filled or in a new one.
    pub(super) fn store(&mut self, class: Class, body: &mut Body, reserve: Reserve) -> Result<u64> {
        let stream = &mut self.streams[slot(class)];
        if stream.pause > 0 {
            stream.pause -= 1;
            return Err(SpoolError::Down {
                class,
                source: None,
            });
        }
        let mut failed = false;
        loop {
            let error = if self.streams[slot(class)].fits(body.len()) {
                match self.append_to_active(class, body) {
                    Ok(lsn) => return Ok(lsn),
                    Err(error) => error,
                }
            } else {
                if reserve == Reserve::Keep {
                    self.make_room(class, body.len())?;
                    if self.streams[slot(class)].fits(body.len()) {
                        continue;
                    }
                }
                match self.begin_segment(class, Some(body)) {
                    Ok(lsn) => return Ok(lsn),
                    Err(error @ SpoolError::Full { .. }) => return Err(error),
                    Err(error) => error,
                }
            };
            if failed || error.is_no_space() {
                return Err(self.down(class, error));
            }
            failed = true;
        }
    }

    /// Counts a failed attempt and sets the pause.
    pub(super) fn down(&mut self, class: Class, error: SpoolError) -> SpoolError {
        let stream = &mut self.streams[slot(class)];
        stream.failures = stream.failures.saturating_add(1);
        stream.pause = if error.is_no_space() {
            0
        } else {
            (stream.failures - 1).min(LONGEST_PAUSE)
        };
        SpoolError::Down {
            class,
            source: Some(Box::new(error)),
        }
    }

    fn append_to_active(&mut self, class: Class, body: &mut Body) -> Result<u64> {
        let stream = &mut self.streams[slot(class)];
        let path = stream.path(stream.segments.last().map_or(0, |s| s.name));
        let (Some(file), Some(segment)) = (&stream.active, stream.segments.last_mut()) else {
            return Err(SpoolError::io("append to", &path)(
                io::ErrorKind::NotFound.into(),
            ));
        };
        let (at, lsn) = (segment.content.end, stream.next);
        let step = body.len();
        if let Err(error) = write_record(file, body.seal(stream.seal, lsn), at) {
            // Void by the next segment's header in any case; this keeps the tail clean should the
            // process end before there is one.
            let size = segment.size;
            drop(file.set_len(at as u64).and_then(|()| file.set_len(size)));
            segment.ghost = true;
            stream.active = None;
            return Err(SpoolError::io("append to", &path)(error));
        }
        segment.content.add(at, step, lsn, body.ts, body.rows);
        stream.next = lsn + 1;
        stream.acked = stream.next;
        stream.failures = 0;
        Ok(lsn)
    }

    /// Makes a segment, with its first record if there is one, and appends to it from now on.
    /// Returns the number of that record, or the one it will have.
    pub(super) fn begin_segment(&mut self, class: Class, body: Option<&mut Body>) -> Result<u64> {
        // Removed files may still come back beside the new segment.
        for class in Class::ALL {
            self.sync_removals(class)?;
        }
        let size = self.segment_bytes();
        if self.bytes_on_disk() + size > self.options.budget {
            return Err(SpoolError::Full {
                class,
                budget: self.options.budget,
            });
        }
        let floors = [0, 1, 2].map(|i| self.streams[i].acked);
        let first = self.free_number(class);
        let stream = &mut self.streams[slot(class)];
        let header = SegmentHeader {
            class,
            writer: self.writer,
            first,
            continues: stream.acked,
            size: self.options.segment,
            floors,
        };
        let mut content = Content::new();
        self.buf.clear();
        self.buf.extend_from_slice(&header.encode());
        if let Some(body) = body {
            self.buf.extend_from_slice(body.seal(stream.seal, first));
            content.add(SEGMENT_HEADER, body.len(), first, body.ts, body.rows);
        }
        let (tmp, path) = (stream.tmp_path(first), stream.path(first));
        let file = match write_segment(&self.disk, &tmp, size, &self.buf) {
            Ok(file) => file,
            Err(error) => {
                self.discard(class, &[&tmp]);
                // The segment that is being filled is not affected: a file under a temporary name
                // voids nothing.
                return Err(SpoolError::io("write", &tmp)(error));
            }
        };
        // Once named it voids the records of the previous one from here on.
        stream.active = None;
        if let Err(error) = name_segment(&self.disk, &stream.dir, &tmp, &path) {
            // It may have its name after a crash: the number is not used again.
            stream.next = first + 1;
            self.discard(class, &[&tmp, &path]);
            return Err(SpoolError::io("name", &path)(error));
        }
        stream.fill(first, size, content, file);
        Ok(first)
    }

    /// Returns the next number under which a stream has neither a segment nor a leftover file.
    fn free_number(&self, class: Class) -> u64 {
        let stream = &self.streams[slot(class)];
        let left = |path| self.leftovers.iter().any(|l| l.paths.contains(&path));
        let mut first = stream.next;
        while stream.segments.iter().any(|s| s.name == first) || left(stream.path(first)) {
            first += 1;
        }
        first
    }

    /// Removes the files that a failed segment may have left under these names. Those that stay are
    /// counted, once, and tried again later.
    fn discard(&mut self, class: Class, paths: &[&std::path::Path]) {
        let size = self.segment_bytes();
        let mut left = Vec::new();
        let mut removed = false;
        for path in paths {
            match self.disk.unlink(path) {
                Ok(()) => removed = true,
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(_) => left.push((*path).to_owned()),
            }
        }
        if !left.is_empty() {
            self.leftovers.push(Leftover {
                class,
                paths: left,
                size,
            });
        } else if removed {
            self.streams[slot(class)].unsynced += size;
        }
        // Counted until it succeeds.
        drop(self.sync_removals(class));
    }

    /// Makes removals durable.
    pub(super) fn sync_removals(&mut self, class: Class) -> Result<()> {
        let stream = &mut self.streams[slot(class)];
        if stream.doubtful {
            sync_dir(&self.disk, &self.root).map_err(SpoolError::io("sync", &self.root))?;
        }
        if stream.unsynced > 0 || stream.doubtful {
            sync_dir(&self.disk, &stream.dir).map_err(SpoolError::io("sync", &stream.dir))?;
            stream.unsynced = 0;
            stream.doubtful = false;
            stream.fence = false;
        }
        Ok(())
    }
}

fn sync_dir<D: Disk>(disk: &D, dir: &std::path::Path) -> io::Result<()> {
    failpoint!("spool.remove.before_dir_sync");
    disk.sync_dir(dir)
}

fn write_record<F: DiskFile>(file: &F, bytes: &[u8], at: usize) -> io::Result<()> {
    failpoint!("spool.append.before_write");
    let head = failpoint!("spool.append.write", bytes);
    write_full(file, head, at as u64)?;
    failpoint!("spool.append.mid_write");
    write_full(file, &bytes[head.len()..], (at + head.len()) as u64)?;
    failpoint!("spool.append.before_sync");
    file.sync_data()?;
    failpoint!("spool.append.after_sync");
    Ok(())
}

fn write_segment<D: Disk>(
    disk: &D,
    tmp: &std::path::Path,
    size: u64,
    bytes: &[u8],
) -> io::Result<D::File> {
    debug_assert!(bytes.len() <= MAX_SEGMENT);
    failpoint!("spool.segment.before_create");
    let file = disk.open(tmp, OpenMode::Create)?;
    failpoint!("spool.segment.before_allocate");
    file.allocate(size)?;
    let head = failpoint!("spool.segment.write", bytes);
    write_full(&file, head, 0)?;
    failpoint!("spool.segment.mid_write");
    write_full(&file, &bytes[head.len()..], head.len() as u64)?;
    failpoint!("spool.segment.before_sync");
    file.sync_data()?;
    failpoint!("spool.segment.after_sync");
    Ok(file)
}

fn name_segment<D: Disk>(
    disk: &D,
    dir: &std::path::Path,
    tmp: &std::path::Path,
    path: &std::path::Path,
) -> io::Result<()> {
    failpoint!("spool.segment.before_rename");
    disk.rename(tmp, path)?;
    failpoint!("spool.segment.after_rename");
    disk.sync_dir(dir)?;
    failpoint!("spool.segment.after_dir_sync");
    Ok(())
}
