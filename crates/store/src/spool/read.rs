//! Reading records back, in order.

use schema::Class;

use super::disk::{Disk, OpenMode, read_full};
use super::format::{RECORD_HEADER, RecordHeader, SEGMENT_HEADER, slot};
use super::scan::{Content, Walk, load};
use super::stream::Cursor;
use super::{Loss, Reason, Record, Result, Spool, SpoolError};
use crate::ranges::RangeSet;

impl<D: Disk> Spool<D> {
    /// Returns the records of a class from a number on, in order: at least one if there is any, then as
    /// many as `max_bytes` of payload and `max_records` allow. Reading on where the last call ended,
    /// or the newest record, costs no search.
    ///
    /// A record that went bad since the spool was opened is left out and noted as a loss.
    ///
    /// # Errors
    /// [`SpoolError::Io`] when a segment cannot be opened.
    pub fn read(
        &mut self,
        class: Class,
        from: u64,
        max_bytes: usize,
        max_records: usize,
    ) -> Result<Vec<Record>> {
        let mut records: Vec<Record> = Vec::new();
        let (mut from, mut bytes) = (from, 0);
        while records.len() < max_records {
            let segments = &self.streams[slot(class)].segments;
            let ahead = |(index, s): (usize, &super::stream::Segment)| {
                let lsn = s.content.present.next_from(from)?;
                (!s.is_reported).then_some((index, lsn))
            };
            let Some((index, lsn)) = segments.iter().enumerate().find_map(ahead) else {
                break;
            };
            match self.read_one(class, index, lsn)? {
                Some(record) => {
                    bytes += record.payload.len();
                    if !records.is_empty() && bytes > max_bytes {
                        break;
                    }
                    from = lsn + 1;
                    records.push(record);
                }
                // The record is no longer in the index: look again.
                None => self.rescan(class, index, lsn)?,
            }
        }
        Ok(records)
    }

    /// Reads one record of a segment, unless it is damaged.
    fn read_one(&mut self, class: Class, index: usize, lsn: u64) -> Result<Option<Record>> {
        let stream = &mut self.streams[slot(class)];
        let segment = &stream.segments[index];
        let path = stream.path(segment.name);
        let near = stream.cursor.take().filter(|c| c.name == segment.name);
        let mut cursor = match near {
            Some(cursor) => cursor,
            None => Cursor {
                name: segment.name,
                file: (self.disk.open(&path, OpenMode::Read))
                    .map_err(SpoolError::io("open", &path))?,
                lsn: segment.first,
                at: SEGMENT_HEADER,
            },
        };
        if segment.content.present.last() == Some(lsn) {
            (cursor.lsn, cursor.at) = (lsn, segment.content.last);
        } else if cursor.lsn > lsn {
            (cursor.lsn, cursor.at) = (segment.first, SEGMENT_HEADER);
        }
        let end = segment.content.end;
        let mut head = [0; RECORD_HEADER];
        while cursor.at + RECORD_HEADER <= end {
            let Ok(RECORD_HEADER) = read_full(&cursor.file, &mut head, cursor.at as u64) else {
                break;
            };
            let Some(header) = RecordHeader::read(&head, end - cursor.at) else {
                break;
            };
            if header.lsn > lsn {
                break;
            }
            let at = cursor.at;
            cursor.at += header.step();
            cursor.lsn = header.lsn + 1;
            if header.lsn < lsn {
                continue;
            }
            self.buf.resize(header.len, 0);
            let read = read_full(&cursor.file, &mut self.buf, at as u64);
            if !matches!(read, Ok(n) if n == header.len) || !header.intact(stream.seal, &self.buf) {
                break;
            }
            stream.cursor = Some(cursor);
            return Ok(header.record(&self.buf));
        }
        // Damage lies before the record, or in it.
        self.search(class, index, lsn)
    }

    /// Reads one record of a segment with holes, by walking it.
    fn search(&mut self, class: Class, index: usize, lsn: u64) -> Result<Option<Record>> {
        let stream = &mut self.streams[slot(class)];
        let segment = &stream.segments[index];
        let path = stream.path(segment.name);
        let file =
            (self.disk.open(&path, OpenMode::Read)).map_err(SpoolError::io("open", &path))?;
        load(&file, &mut self.buf).map_err(SpoolError::io("read", &path))?;
        let mut walk = Walk::new(&self.buf, stream.seal, segment.first, segment.limit);
        let Some((at, header)) = walk.find(|(_, header)| header.lsn == lsn) else {
            return Ok(None);
        };
        stream.cursor = Some(Cursor {
            name: segment.name,
            file,
            lsn: lsn + 1,
            at: at + header.step(),
        });
        Ok(header.record(&self.buf[at..]))
    }

    /// Reads a segment again in which a record is damaged, and notes the loss.
    fn rescan(&mut self, class: Class, index: usize, lsn: u64) -> Result<()> {
        let stream = &mut self.streams[slot(class)];
        stream.cursor = None;
        let segment = &mut stream.segments[index];
        let path = stream.dir.join(format!("{:016}.seg", segment.name));
        let file =
            (self.disk.open(&path, OpenMode::Read)).map_err(SpoolError::io("open", &path))?;
        load(&file, &mut self.buf).map_err(SpoolError::io("read", &path))?;
        let mut content = Content::new();
        for (at, head) in Walk::new(&self.buf, stream.seal, segment.first, segment.limit) {
            // That it does not unpack, or is bad at every other try, shows only when it is read.
            if head.lsn != lsn && segment.content.present.contains(head.lsn) {
                content.add(at, head.step(), head.lsn, head.ts, head.rows);
            }
        }
        let lost = segment.content.present.difference(&content.present);
        let count = segment.content.records - content.records;
        let loss = Loss {
            class,
            lsns: lost.difference(&stream.delivered),
            from_ts: segment.content.from_ts,
            to_ts: segment.content.to_ts,
            records: count,
            rows: Some(segment.content.rows - content.rows),
            reason: Reason::Damage,
        };
        content.end = segment.content.end;
        segment.content = content;
        if index + 1 == stream.segments.len() {
            stream.active = None;
        }
        let name = stream.segments[index].name;
        self.quarantine_copy(class, name);
        if !loss.lsns.is_empty() {
            self.note(Loss {
                records: loss.lsns.len(),
                ..loss
            });
        }
        Ok(())
    }

    /// Returns the numbers of a class on disk that are not delivered, as of the last release.
    #[must_use]
    pub fn waiting(&self, class: Class) -> RangeSet {
        self.present(class)
            .difference(&self.streams[slot(class)].delivered)
    }
}
