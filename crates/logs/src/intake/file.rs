//! Events of log files: one reader for each stream of a source.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use schema::Timestamp;
use schema::logs::StreamPosition;

use super::Limits;
use crate::event::Event;
use crate::parse::{ParserKind, ParserOptions, Reader};
use crate::source::{Chunk, FileOptions, FilePosition, Files, Gap, State};

/// An event that may still grow is complete when nothing followed for this long, microseconds.
/// Programs write the lines of an event within milliseconds.
pub(super) const IDLE: i64 = 250_000;

/// One stream.
#[derive(Debug)]
struct Stream {
    reader: Reader,
    /// Behind everything that was read.
    end: FilePosition,
    read_at: Timestamp,
    /// Events of the last line.
    events: Vec<Event>,
}

impl Stream {
    fn give(&mut self, each: &mut impl FnMut(&mut Event)) {
        for mut event in self.events.drain(..) {
            each(&mut event);
            self.reader.recycle(event);
        }
    }

    /// Gives what may still have grown.
    fn flush(&mut self, each: &mut impl FnMut(&mut Event)) {
        self.reader.flush(&mut self.events);
        self.give(each);
    }
}

/// A source of files.
#[derive(Debug)]
pub(super) struct FileSource {
    name: Arc<str>,
    files: Files,
    parser: ParserKind,
    options: ParserOptions,
    streams: HashMap<Arc<str>, Stream>,
    /// What was read and waits for its turn, each with the offset to continue at.
    chunks: VecDeque<(u64, Chunk)>,
}

impl FileSource {
    pub(super) fn new(
        name: Arc<str>,
        path: &std::path::Path,
        (parser, options): (ParserKind, ParserOptions),
        saved: &[StreamPosition],
        files: FileOptions,
    ) -> Self {
        let saved = saved
            .iter()
            .filter(|known| known.source == name)
            .filter_map(|known| match serde_json::from_str(&known.position) {
                Ok(position) => Some((Arc::clone(&known.stream), position)),
                Err(error) => {
                    tracing::error!(
                        source = &*name,
                        stream = &*known.stream,
                        %error,
                        "the stored position is invalid; the file is read as a new one"
                    );
                    None
                }
            })
            .collect();
        Self {
            files: Files::new(&name, path, saved, files),
            name,
            parser,
            options,
            streams: HashMap::new(),
            chunks: VecDeque::new(),
        }
    }

    pub(super) fn state(&self) -> &State {
        self.files.state()
    }

    /// Returns whether an event waits that may still grow.
    pub(super) fn is_open(&self) -> bool {
        let mut streams = self.streams.values();
        streams.any(|stream| stream.reader.open_at().is_some())
    }

    /// Returns whether lines that were read wait for their turn, or bytes to be read.
    pub(super) fn has_more(&self) -> bool {
        !self.chunks.is_empty() || self.files.has_more()
    }

    /// Descriptors that it takes.
    pub(super) fn open_files(&self) -> usize {
        self.files.open_files()
    }

    /// Does the same as [`Files::allow_open`].
    pub(super) fn allow_open(&mut self, during: usize, after: usize) {
        self.files.allow_open(during, after);
    }

    /// Takes up to `limits.lines` lines, of up to `limits.bytes` bytes, and passes on each event that comes
    /// out. Gives how many bytes they were.
    pub(super) fn poll(
        &mut self,
        now: Timestamp,
        limits: Limits,
        moved: &mut Vec<StreamPosition>,
        gaps: &mut Vec<Gap>,
        each: &mut impl FnMut(&mut Event),
    ) -> u64 {
        if self.chunks.is_empty() {
            let mut chunks = Vec::new();
            self.files.poll(now, limits.bytes, &mut chunks);
            self.chunks
                .extend(chunks.into_iter().map(|chunk| (chunk.start, chunk)));
        }
        let (mut bytes, mut lines) = (0, limits.lines);
        let mut ends = Ends::default();
        while let Some((from, mut chunk)) = self.chunks.pop_front() {
            gaps.append(&mut chunk.gaps);
            let (to, position) = self.take(&chunk, from, &mut lines, now, each);
            bytes += to - from;
            if let Some(position) = position {
                ends.note(&chunk.stream, position);
            }
            if to < chunk.end {
                self.chunks.push_front((to, chunk));
                break;
            }
        }
        for (name, stream) in &mut self.streams {
            let idle = (now.as_micros() - stream.read_at.as_micros()).abs() >= IDLE;
            if idle && stream.reader.open_at().is_some() {
                stream.flush(each);
                ends.note(name, stream.end.clone());
            }
        }
        moved.extend(ends.0.into_iter().filter_map(|(stream, position)| {
            let position = serde_json::to_string(&position)
                .inspect_err(|error| {
                    tracing::error!(source = &*self.name, %error, "encoding a position as JSON failed");
                })
                .ok()?;
            Some(StreamPosition {
                source: Arc::clone(&self.name),
                stream,
                position,
            })
        }));
        bytes
    }

    /// Reads up to `lines` lines of a chunk, beginning at the offset `from`. Gives the offset it came
    /// to, and where the stream stands when all events that came out are stored; nothing when that
    /// does not move because one event is still growing.
    fn take(
        &mut self,
        chunk: &Chunk,
        from: u64,
        lines: &mut usize,
        now: Timestamp,
        each: &mut impl FnMut(&mut Event),
    ) -> (u64, Option<FilePosition>) {
        let (parser, options) = (self.parser, &self.options);
        let stream = self
            .streams
            .entry(Arc::clone(&chunk.stream))
            .or_insert_with(|| Stream {
                reader: Reader::new(parser, options.clone()),
                end: chunk.position_at(from),
                read_at: now,
                events: Vec::new(),
            });
        stream.read_at = now;
        let mut to = chunk.end;
        for line in chunk.lines().skip_while(|line| line.at < from) {
            if *lines == 0 {
                to = line.at;
                break;
            }
            *lines -= 1;
            stream
                .reader
                .line(line.at, line.bytes, line.true_len, now, &mut stream.events);
            stream.give(each);
        }
        if chunk.closed && to == chunk.end {
            stream.flush(each);
        }
        stream.end = chunk.position_at(to);
        let position = match stream.reader.open_at() {
            None => Some(stream.end.clone()),
            Some(at) if at >= chunk.start => Some(chunk.position_at(at)),
            Some(_) => None,
        };
        (to, position)
    }
}

/// The last position of each stream.
#[derive(Debug, Default)]
struct Ends(HashMap<Arc<str>, FilePosition>);

impl Ends {
    fn note(&mut self, stream: &Arc<str>, position: FilePosition) {
        match self.0.get_mut(stream) {
            Some(last) => *last = position,
            None => {
                self.0.insert(Arc::clone(stream), position);
            }
        }
    }
}
