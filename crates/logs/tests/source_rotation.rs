//! A writer of numbered lines, rotation in every style and a reader that is slow, stops and starts
//! again, and closes its files whenever it can, in any order: what is stored in the end is every line
//! once, whole and in order. A line that waits for its end is given in two pieces.
//!
//! A failing case is printed as a list of actions and kept in `source_rotation.proptest-regressions`.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File, FileTimes, OpenOptions};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use logs::source::{Chunk, FileOptions, FilePosition, Files, GapReason};
use proptest::prelude::*;
use proptest::test_runner::Config;
use schema::Timestamp;
use testkit::Rotation;

#[derive(Clone, Debug)]
enum Action {
    /// So many lines of so many bytes.
    Append { lines: u8, bytes: u32 },
    /// Part of a line; what is appended next ends it.
    Partial,
    /// The writer continues in its old file for so many lines; so many are written between copying and
    /// emptying.
    Rotate { late: u8 },
    /// One reading of about so many bytes.
    Poll { budget: usize },
    /// What was read is stored; all of it but so many lines.
    Store { but: u8 },
    /// The reader stops and starts again from what is stored.
    Restart,
}

fn action() -> impl Strategy<Value = Action> {
    prop_oneof![
        4 => (1..6_u8, prop_oneof![9 => 1..200_u32, 1 => 60_000..70_000_u32])
            .prop_map(|(lines, bytes)| Action::Append { lines, bytes }),
        1 => Just(Action::Partial),
        3 => prop_oneof![3 => Just(0), 1 => 1..4_u8].prop_map(|late| Action::Rotate { late }),
        4 => prop_oneof![Just(1_usize), Just(100_000), Just(usize::MAX)]
            .prop_map(|budget| Action::Poll { budget }),
        2 => prop_oneof![3 => Just(0), 1 => 1..9_u8].prop_map(|but| Action::Store { but }),
        1 => Just(Action::Restart),
    ]
}

struct World {
    dir: tempfile::TempDir,
    style: Rotation,
    /// Rotated files that are kept.
    keep: usize,
    writer: Option<File>,
    /// The number of the next line; whether it is begun.
    next: u64,
    is_partial: bool,
    rotations: u32,
    /// Lines written between copying and emptying, when no reader looked.
    hidden: BTreeSet<u64>,

    files: Files,
    /// Descriptors it may keep.
    open: usize,
    polls: i64,
    stored: Vec<u64>,
    /// Bytes of each line that were written, and that were stored.
    written: BTreeMap<u64, u64>,
    lengths: BTreeMap<u64, u64>,
    position: Option<FilePosition>,
    read: Vec<Chunk>,
    gaps: BTreeSet<GapReason>,
}

impl World {
    fn new(style: Rotation, keep: usize, open: usize) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let files = reader(dir.path(), None, open);
        let mut world = Self {
            dir,
            style,
            keep,
            writer: None,
            next: 0,
            is_partial: false,
            rotations: 0,
            hidden: BTreeSet::new(),
            files,
            open,
            polls: 0,
            stored: Vec::new(),
            written: BTreeMap::new(),
            lengths: BTreeMap::new(),
            position: None,
            read: Vec::new(),
            gaps: BTreeSet::new(),
        };
        if style == Rotation::Link {
            world.turn_link();
        }
        world.append(1, 1);
        // what was rotated before a log is seen for the first time is not read
        world.poll(usize::MAX);
        world.store(0);
        assert!(world.position.is_some());
        world
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn log(&self) -> PathBuf {
        self.path("app.log")
    }

    fn run(&mut self, action: &Action) {
        match *action {
            Action::Append { lines, bytes } => self.append(lines, bytes),
            Action::Partial => self.begin_line(),
            Action::Rotate { late } => self.rotate(late),
            Action::Poll { budget } => self.poll(budget),
            Action::Store { but } => self.store(but),
            Action::Restart => self.restart(),
        }
    }

    fn write(&mut self, text: &str) {
        let log = self.log();
        let writer = self.writer.get_or_insert_with(|| {
            OpenOptions::new()
                .create(true)
                .append(true)
                .open(log)
                .unwrap()
        });
        writer.write_all(text.as_bytes()).unwrap();
    }

    fn append(&mut self, lines: u8, bytes: u32) {
        for _ in 0..lines {
            self.begin_line();
            let end = format!("{}\n", "x".repeat(bytes as usize));
            self.write(&end);
            *self.written.entry(self.next).or_default() += u64::from(bytes);
            self.is_partial = false;
            self.next += 1;
        }
    }

    fn begin_line(&mut self) {
        if !self.is_partial {
            let begin = format!("{} ", self.next);
            self.write(&begin);
            self.written.insert(self.next, begin.len() as u64);
            self.is_partial = true;
        }
    }

    fn rotate(&mut self, late: u8) {
        self.rotations += 1;
        // a writer ends its line before it turns to another file, and so before one is compressed
        match self.style {
            // as logrotate does where there is nothing to rotate
            Rotation::HeldOpen if !self.log().exists() => {}
            Rotation::Create | Rotation::HeldOpen => {
                self.shift("");
                fs::rename(self.log(), self.path("app.log.1")).unwrap_or_default();
                if self.style == Rotation::Create {
                    File::create(self.log()).unwrap();
                }
                self.turn_away(late);
            }
            Rotation::DateExt | Rotation::DateInside => {
                fs::rename(self.log(), self.path(&self.dated())).unwrap();
                File::create(self.log()).unwrap();
                self.turn_away(late);
            }
            Rotation::Link => {
                self.turn_link();
                self.turn_away(late);
            }
            Rotation::Compress | Rotation::DelayCompress => {
                self.turn_away(0);
                self.shift(".gz");
                if self.style == Rotation::DelayCompress && self.path("app.log.1").exists() {
                    compress(&self.path("app.log.1"), &self.path("app.log.2.gz"));
                    fs::remove_file(self.path("app.log.1")).unwrap();
                }
                fs::rename(self.log(), self.path("app.log.1")).unwrap();
                File::create(self.log()).unwrap();
                if self.style == Rotation::Compress {
                    compress(&self.path("app.log.1"), &self.path("app.log.1.gz"));
                    fs::remove_file(self.path("app.log.1")).unwrap();
                }
            }
            Rotation::CopyTruncate | Rotation::CopyTruncateCompress => {
                self.append(u8::from(self.is_partial), 1);
                if self.style == Rotation::CopyTruncate {
                    self.shift("");
                    fs::copy(self.log(), self.path("app.log.1")).unwrap();
                } else {
                    let name = format!("{}.gz", self.dated());
                    compress(&self.log(), &self.path(&name));
                }
                let first = self.next;
                self.append(late, 10);
                self.hidden.extend(first..self.next);
                File::options()
                    .write(true)
                    .truncate(true)
                    .open(self.log())
                    .unwrap();
            }
        }
        self.remove_old();
    }

    /// Goes on in the old file for so many lines, and then in the new one.
    fn turn_away(&mut self, late: u8) {
        if self.writer.is_some() {
            self.append(late.max(u8::from(self.is_partial)), 10);
            self.writer = None;
        }
    }

    /// `app.log.1` becomes `app.log.2` and so on.
    fn shift(&self, ending: &str) {
        for n in (1..self.rotations).rev() {
            let from = self.path(&format!("app.log.{n}{ending}"));
            if from.exists() {
                fs::rename(from, self.path(&format!("app.log.{}{ending}", n + 1))).unwrap();
            }
        }
    }

    fn dated(&self) -> String {
        self.style.dated(self.rotations)
    }

    fn turn_link(&self) {
        let target = self.dated();
        File::create(self.path(&target)).unwrap();
        std::os::unix::fs::symlink(&target, self.path("link")).unwrap();
        fs::rename(self.path("link"), self.log()).unwrap();
    }

    fn remove_old(&self) {
        let mut rotated: Vec<PathBuf> = (fs::read_dir(self.dir.path()).unwrap())
            .map(|entry| entry.unwrap().path())
            .filter(|path| *path != self.log())
            .collect();
        rotated.sort_by_key(|path| {
            let name = path.file_name().unwrap().to_str().unwrap().to_owned();
            let number = name.split('.').find_map(|part| part.parse::<i64>().ok());
            number.map_or((0, name.clone()), |number| (-number, name))
        });
        // what the link leads to is one of them
        let keep = self
            .keep
            .saturating_add(usize::from(self.style == Rotation::Link));
        for old in rotated.iter().rev().skip(keep) {
            fs::remove_file(old).unwrap();
        }
    }

    fn poll(&mut self, budget: usize) {
        self.polls += 1;
        let now = Timestamp(1_790_000_000_000_000 + self.polls * 1_000_000);
        self.files.poll(now, budget, &mut self.read);
    }

    fn store(&mut self, but: u8) {
        let mut lines = Vec::new();
        for (index, chunk) in self.read.iter().enumerate() {
            lines.extend(
                chunk
                    .lines()
                    .map(|line| (index, line.at, number(line.bytes), line.true_len)),
            );
        }
        let kept = lines.len().saturating_sub(usize::from(but));
        // at the beginning of the first line that is not stored, else after everything
        let (last, at) = match lines.get(kept) {
            Some(&(index, at, ..)) => (index, at),
            None => match self.read.last() {
                Some(last) => (self.read.len() - 1, last.end),
                None => return,
            },
        };
        for &(_, _, number, len) in &lines[..kept] {
            self.stored.extend(number);
            if let Some(&number) = self.stored.last() {
                *self.lengths.entry(number).or_default() += len;
            }
        }
        for chunk in &self.read[..=last] {
            self.gaps.extend(chunk.gaps.iter().map(|gap| gap.reason));
        }
        let position = serde_json::to_string(&self.read[last].position_at(at)).unwrap();
        self.position = Some(serde_json::from_str(&position).unwrap());
        self.read.drain(..last);
        // the rest of that chunk comes again after a restart only: a reader that lives continues
        if kept < lines.len() {
            self.restart();
        } else {
            self.read.clear();
        }
    }

    fn restart(&mut self) {
        self.read.clear();
        self.files = reader(self.dir.path(), self.position.clone(), self.open);
    }

    /// The writer ends its line, and the reader reads all there is.
    fn finish(&mut self) {
        self.append(1, 1);
        let mut idle = 0;
        while idle < 6 {
            let before = self.read.len();
            self.poll(usize::MAX);
            idle = if self.read.len() > before {
                0
            } else {
                idle + 1
            };
        }
        self.store(0);
    }

    /// Lines of which not every byte was stored once.
    fn partial(&self) -> Vec<u64> {
        let partial = |n: &&u64| self.lengths.get(*n) != self.written.get(*n);
        self.stored.iter().filter(partial).copied().collect()
    }

    fn missing(&self) -> Vec<u64> {
        let stored: BTreeSet<u64> = self.stored.iter().copied().collect();
        (0..self.next).filter(|n| !stored.contains(n)).collect()
    }
}

fn reader(dir: &Path, position: Option<FilePosition>, open: usize) -> Files {
    let path = dir.join("app.log");
    let name: Arc<str> = Arc::from(path.to_str().unwrap());
    let saved = position.map(|position| (name, position));
    let options = FileOptions {
        first_sight: logs::source::FirstSight::Beginning,
        ..FileOptions::default()
    };
    let mut files = Files::new("app", &path, saved.into_iter().collect(), options);
    files.allow_open(open.saturating_add(64), open);
    files
}

/// Returns the number of a line; none of the rest of a line that was given in two pieces.
fn number(line: &[u8]) -> Option<u64> {
    if line.is_empty() || line.starts_with(b"x") {
        return None;
    }
    let digits = line.split(|&byte| byte == b' ').next().unwrap();
    let digits = std::str::from_utf8(digits).unwrap().parse();
    Some(digits.unwrap_or_else(|_| {
        panic!(
            "no number in {:?}",
            String::from_utf8_lossy(&line[..line.len().min(80)])
        )
    }))
}

fn compress(from: &Path, to: &Path) {
    let mut packer =
        flate2::write::GzEncoder::new(File::create(to).unwrap(), flate2::Compression::fast());
    packer.write_all(&fs::read(from).unwrap()).unwrap();
    let file = packer.finish().unwrap();
    // as gzip and logrotate do
    let changed = fs::metadata(from).unwrap().modified().unwrap();
    file.set_times(FileTimes::new().set_modified(changed))
        .unwrap();
}

#[expect(
    clippy::disallowed_methods,
    reason = "how long tests take is not a setting of the collector"
)]
fn cases() -> u32 {
    match std::env::var("FAULTS").as_deref() {
        Ok("nightly") => 3_000,
        Ok("few") => 50,
        _ => 300,
    }
}

proptest! {
    #![proptest_config(Config { cases: cases(), max_shrink_iters: 2000, ..Config::default() })]

    #[test]
    fn every_line_is_stored_once_and_in_order(
        style in proptest::sample::select(&Rotation::ALL[..]),
        actions in proptest::collection::vec(action(), 1..60),
        open in prop_oneof![Just(usize::MAX), Just(0)],
    ) {
        let mut world = World::new(style, usize::MAX, open);
        for action in &actions {
            world.run(action);
        }
        world.finish();
        prop_assert!(world.stored.is_sorted_by(|a, b| a < b), "order: {:?}", world.stored);
        prop_assert!(world.partial().is_empty(), "in part or twice: {:?}", world.partial());
        let missing = world.missing();
        prop_assert!(missing.iter().all(|n| world.hidden.contains(n)), "missing: {missing:?}");
        if !missing.is_empty() {
            prop_assert!(!world.gaps.is_empty(), "missing without a gap: {missing:?}");
        }
        if !style.copies() {
            prop_assert!(world.gaps.is_empty(), "gaps: {:?}", world.gaps);
        }
    }

    /// Rotation that keeps few files may outrun a reader; what it lost it states.
    #[test]
    fn what_rotation_removed_unread_is_a_gap(
        style in proptest::sample::select(&Rotation::ALL[..]),
        actions in proptest::collection::vec(action(), 1..60),
        keep in 1..4_usize,
        open in prop_oneof![Just(usize::MAX), Just(0)],
    ) {
        let mut world = World::new(style, keep, open);
        for action in &actions {
            world.run(action);
        }
        world.finish();
        prop_assert!(world.stored.is_sorted_by(|a, b| a < b), "order: {:?}", world.stored);
        let missing = world.missing();
        prop_assert!(missing.is_empty() || !world.gaps.is_empty(), "without a gap: {missing:?}");
    }
}
