//! Logs that are closed while nothing comes, numbers that are missing in a series, final lines without a
//! line break, and lines that are longer than any reading.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use config::{LogParser, LogSource};
use logs::intake::{Intake, Limits, Wanted};
use logs::source::{Chunk, FileOptions, FilePosition, Files, FirstSight, GapReason, Status};
use schema::Timestamp;
use schema::logs::StreamPosition;

const NOW: i64 = 1_790_000_000_000_000;
const SECOND: i64 = 1_000_000;

/// A directory of logs and a reader of a pattern that may hold so many of them open.
struct Bench {
    dir: tempfile::TempDir,
    pattern: &'static str,
    open: usize,
    files: Files,
    saved: BTreeMap<Arc<str>, FilePosition>,
    looks: i64,
    gaps: Vec<GapReason>,
}

fn reader(path: &Path, saved: &BTreeMap<Arc<str>, FilePosition>, open: usize) -> Files {
    let options = FileOptions {
        first_sight: FirstSight::Beginning,
        ..FileOptions::default()
    };
    let saved = saved
        .iter()
        .map(|(name, at)| (Arc::clone(name), at.clone()));
    let mut files = Files::new("app", path, saved.collect(), options);
    files.allow_open(open.saturating_add(4), open);
    files
}

impl Bench {
    fn new(pattern: &'static str, open: usize) -> Self {
        let dir = tempfile::tempdir().unwrap();
        Self {
            files: reader(&dir.path().join(pattern), &BTreeMap::new(), open),
            dir,
            pattern,
            open,
            saved: BTreeMap::new(),
            looks: 0,
            gaps: Vec::new(),
        }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn append(&self, name: &str, text: &str) {
        let mut options = OpenOptions::new();
        let mut file = options
            .create(true)
            .append(true)
            .open(self.path(name))
            .unwrap();
        file.write_all(text.as_bytes()).unwrap();
    }

    /// Appends what was written so many seconds ago.
    fn append_at(&self, name: &str, text: &str, age: i64) {
        self.append(name, text);
        let at = std::time::SystemTime::UNIX_EPOCH
            + std::time::Duration::from_secs((NOW / SECOND - age).unsigned_abs());
        let file = File::options().append(true).open(self.path(name)).unwrap();
        file.set_modified(at).unwrap();
    }

    fn rename(&self, from: &str, to: &str) {
        fs::rename(self.path(from), self.path(to)).unwrap();
    }

    fn remove(&self, name: &str) {
        fs::remove_file(self.path(name)).unwrap();
    }

    fn truncate(&self, name: &str) {
        File::options()
            .write(true)
            .truncate(true)
            .open(self.path(name))
            .unwrap();
    }

    fn look(&mut self, budget: usize) -> Vec<Chunk> {
        let mut out = Vec::new();
        self.looks += 1;
        let now = Timestamp(NOW + self.looks * SECOND);
        self.files.poll(now, budget, &mut out);
        for chunk in &out {
            self.gaps.extend(chunk.gaps.iter().map(|gap| gap.reason));
            self.saved
                .insert(Arc::clone(&chunk.stream), chunk.position_at(chunk.end));
        }
        out
    }

    /// Returns what so many looks give.
    fn read(&mut self, looks: u32) -> String {
        let chunks = (0..looks)
            .flat_map(|_| self.look(64 << 20))
            .collect::<Vec<_>>();
        let bytes: Vec<u8> = chunks.into_iter().flat_map(|chunk| chunk.bytes).collect();
        String::from_utf8(bytes).unwrap()
    }

    /// As after a crash.
    fn restart(&mut self) {
        self.files = reader(&self.path(self.pattern), &self.saved, self.open);
    }
}

type Step = fn(&mut Bench);

/// What may happen to a log that was read to its end, what is read then, and what is lost when it
/// was closed.
const LIVES: &[(&str, Step, &str, &[GapReason])] = &[
    ("it grows", |b| b.append("app.log", "two\n"), "two\n", &[]),
    (
        "it is touched",
        |b| {
            File::open(b.path("app.log"))
                .unwrap()
                .set_modified(std::time::SystemTime::UNIX_EPOCH)
                .unwrap()
        },
        "",
        &[],
    ),
    (
        "renamed, and a new one",
        |b| {
            b.append("app.log", "two\n");
            b.rename("app.log", "app.log.1");
            b.append("app.log", "three\n");
        },
        "two\nthree\n",
        &[],
    ),
    (
        "renamed, and written to later",
        |b| {
            b.rename("app.log", "app.log.1");
            assert_eq!(b.read(2), "");
            b.append("app.log.1", "two\n");
            b.append("app.log", "three\n");
        },
        "two\nthree\n",
        &[],
    ),
    (
        "renamed twice",
        |b| {
            b.append("app.log", "two\n");
            b.rename("app.log", "app.log.2");
            b.append("app.log.1", "three\n");
            b.append("app.log", "four\n");
        },
        "two\nthree\nfour\n",
        &[],
    ),
    (
        "renamed, and nothing after",
        |b| {
            b.append("app.log", "two\n");
            b.rename("app.log", "app.log.1");
        },
        "two\n",
        &[],
    ),
    (
        "renamed and packed",
        |b| {
            b.append("app.log", "two\n");
            let bytes = fs::read(b.path("app.log")).unwrap();
            let to = File::create(b.path("app.log.1.gz")).unwrap();
            let mut packer = flate2::write::GzEncoder::new(to, flate2::Compression::fast());
            packer.write_all(&bytes).unwrap();
            packer.finish().unwrap();
            b.remove("app.log");
            b.append("app.log", "three\n");
        },
        "two\nthree\n",
        &[],
    ),
    (
        "emptied and grown less",
        |b| {
            b.truncate("app.log");
            b.append("app.log", "2\n");
        },
        "2\n",
        &[GapReason::Truncated],
    ),
    (
        "emptied and grown beyond",
        |b| {
            b.truncate("app.log");
            b.append("app.log", &"x".repeat(1000));
            b.append("app.log", "\n");
        },
        "",
        &[GapReason::Truncated],
    ),
    (
        "copied and emptied",
        |b| {
            b.append("app.log", "two\n");
            fs::copy(b.path("app.log"), b.path("app.log.1")).unwrap();
            b.truncate("app.log");
            b.append("app.log", "three\n");
        },
        "two\nthree\n",
        &[GapReason::CopyTruncated],
    ),
    (
        "removed",
        |b| b.remove("app.log"),
        "",
        &[GapReason::Vanished],
    ),
    (
        "removed, and a new one",
        |b| {
            b.remove("app.log");
            b.append("app.log", "two\n");
        },
        "two\n",
        &[GapReason::Vanished],
    ),
    (
        "renamed and removed",
        |b| {
            b.append("app.log", "two\n");
            b.rename("app.log", "app.log.1");
            b.append("app.log", "three\n");
            b.remove("app.log.1");
        },
        "three\n",
        &[GapReason::Vanished],
    ),
    (
        "renamed and brought back",
        |b| {
            b.rename("app.log", "elsewhere");
            assert_eq!(b.read(1), "");
            b.rename("elsewhere", "app.log");
            b.append("app.log", "two\n");
        },
        "two\n",
        &[],
    ),
];

/// Whatever happens to a closed file is followed as if it were open; only what was written just before it
/// was removed can be lost, and that is reported as a gap.
#[test]
fn a_closed_log_is_followed_like_an_open_one() {
    for pattern in ["app.log", "*.log"] {
        for &(name, step, expected, lost) in LIVES {
            for is_restarted in [false, true] {
                let mut bench = Bench::new(pattern, 0);
                bench.append("app.log", "one\n");
                assert_eq!(bench.read(3), "one\n", "{name}");
                assert_eq!(bench.files.open_files(), 0, "{name}");
                step(&mut bench);
                let mut read = bench.read(6);
                // one that was renamed and that none has followed is watched for a while
                let left = usize::from(name == "renamed, and nothing after");
                assert!(bench.files.open_files() <= left, "{name}");
                if is_restarted {
                    bench.restart();
                }
                read += &bench.read(40);
                assert!(bench.files.open_files() <= left, "{name}");
                let read: String = read
                    .lines()
                    .filter(|line| !line.starts_with('x'))
                    .map(|line| format!("{line}\n"))
                    .collect();
                assert_eq!(read, expected, "{name}, {pattern}");
                assert_eq!(bench.gaps, lost, "{name}, {pattern}");
                bench.append("app.log", "last\n");
                assert_eq!(bench.read(4), "last\n", "{name}, {pattern}");
            }
        }
    }
}

#[test]
fn many_logs_are_read_with_few_descriptors() {
    let mut bench = Bench::new("*.log", 6);
    for round in 0..3 {
        let mut expected = Vec::new();
        for n in 0..200 {
            if round == 1 && n % 3 == 0 {
                bench.rename(&format!("{n}.log"), &format!("{n}.log.1"));
            }
            let line = format!("{round} of {n}");
            bench.append(&format!("{n}.log"), &format!("{line}\n"));
            expected.push(line);
        }
        let mut read = Vec::new();
        let mut polls = 0;
        loop {
            for chunk in bench.look(64 << 10) {
                let text = String::from_utf8(chunk.bytes).unwrap();
                read.extend(text.lines().map(str::to_owned));
            }
            let open = bench.files.open_files();
            assert!(open <= 6 + 4, "{open} are open");
            polls += 1;
            if read.len() >= expected.len() && !bench.files.has_more() {
                break;
            }
            assert!(polls < 1000, "{} of {}", read.len(), expected.len());
        }
        read.sort();
        expected.sort();
        assert_eq!(read, expected);
        bench.read(4);
        assert!(bench.files.open_files() <= 6);
        let state = bench.files.state();
        assert_eq!(state.status, Status::Limited);
        assert!(state.cause.contains("LimitNOFILE"), "{}", state.cause);
        assert_eq!((state.streams, state.backlog_bytes), (200, 0));
    }
    assert_eq!(bench.gaps, []);
    bench.files.allow_open(usize::MAX, usize::MAX);
    for n in 0..200 {
        bench.append(&format!("{n}.log"), "again\n");
    }
    assert_eq!(bench.read(4).lines().count(), 200);
    assert_eq!(bench.files.state().status, Status::Ok);
}

/// One that is read in pieces must not keep the others of its pattern waiting.
#[test]
fn a_line_without_end_lets_others_have_their_turn() {
    let mut bench = Bench::new("*.log", usize::MAX);
    bench.append("a.log", &"a".repeat(8 << 20));
    for name in ["b.log", "c.log"] {
        bench.append(name, "quick\n");
    }
    let mut quick = 0;
    for _ in 0..3 {
        let chunks = bench.look(256 << 10);
        quick += chunks
            .iter()
            .filter(|chunk| chunk.bytes == b"quick\n")
            .count();
    }
    assert_eq!(quick, 2);
}

#[test]
fn a_number_that_is_missing_is_a_gap() {
    // what is kept of the numbers 4 to 1, and what is read when reading stood in 4 or in 3
    for (kept, from, expected, gaps) in [
        (&[4, 3, 2, 1][..], 4, "4321", 0),
        (&[4, 3, 1], 4, "431", 1),
        (&[4, 1], 4, "41", 1),
        (&[4, 3, 2], 4, "432", 1),
        (&[4], 4, "4", 1),
        (&[4, 2, 1], 3, "21", 1),
        (&[4, 3, 2, 1], 3, "321", 0),
        (&[3, 2, 1], 3, "321", 0),
        (&[3, 1], 3, "31", 1),
    ] {
        for form in ["app.log.#", "app.#.log"] {
            let name = |number: u32| form.replace('#', &number.to_string());
            let mut bench = Bench::new("app.log", usize::MAX);
            for number in (1..=4).rev() {
                let age = i64::from(number) * 60;
                bench.append_at("app.log", &format!("begin of {number}\n"), age + 30);
                if number == from {
                    assert_eq!(bench.read(1).lines().count(), 1);
                }
                bench.append_at("app.log", &format!("{number}\n"), age);
                bench.rename("app.log", &name(number));
                if number > from {
                    // was there before the log was first read
                    bench.files = reader(&bench.path("app.log"), &bench.saved, bench.open);
                }
            }
            bench.append("app.log", "0\n");
            for number in (1..=4).filter(|number| !kept.contains(number)) {
                bench.remove(&name(number));
            }
            bench.restart();
            let read = bench.read(8);
            let ends: String = read.lines().filter(|line| line.len() == 1).collect();
            assert_eq!(
                ends,
                format!("{expected}0"),
                "{kept:?} from {from} as {form}"
            );
            let lost = vec![GapReason::Vanished; gaps];
            assert_eq!(bench.gaps, lost, "{kept:?} from {from} as {form}");
        }
    }
}

/// The same with a reader that is there all the time.
#[test]
fn a_number_that_goes_under_a_living_reader_is_a_gap() {
    let mut bench = Bench::new("app.log", usize::MAX);
    bench.append("app.log", "one\n");
    assert_eq!(bench.read(2), "one\n");
    bench.rename("app.log", "app.log.3");
    bench.append("app.log.1", "three\n");
    bench.append("app.log", "four\n");
    assert_eq!(bench.read(6), "three\nfour\n");
    assert_eq!(bench.gaps, [GapReason::Vanished]);
}

/// Whatever the age of its last line, the gap begins with the last look at the file.
#[test]
fn the_gap_of_a_removed_file_is_as_narrow_as_two_looks() {
    let mut bench = Bench::new("app.log", 0);
    bench.append_at("app.log", "one\n", 7200);
    assert_eq!(bench.read(4), "one\n");
    let last = NOW + bench.looks * SECOND;
    bench.remove("app.log");
    let gaps: Vec<_> = (0..8)
        .flat_map(|_| bench.look(64 << 20))
        .flat_map(|chunk| chunk.gaps)
        .collect();
    assert_eq!(gaps.len(), 1);
    assert_eq!(gaps[0].from, Some(Timestamp(last)));
    assert!(gaps[0].to <= Some(Timestamp(last + 3 * SECOND)), "{gaps:?}");
}

#[test]
fn an_unterminated_line_comes_when_nothing_more_does() {
    let mut bench = Bench::new("app.log", usize::MAX);
    bench.append("app.log", "one\ntw");
    assert_eq!(bench.read(4), "one\n");
    // added to in time: it is one line
    bench.append("app.log", "o, ");
    assert_eq!(bench.read(4), "");
    bench.append("app.log", "2\nthree");
    assert_eq!(bench.read(1), "two, 2\n");
    assert_eq!(bench.read(8), "three");
    assert_eq!(bench.read(20), "");
    // kill -9 right after them
    bench.restart();
    assert_eq!(bench.read(20), "");
    // what comes later is a separate line
    bench.append("app.log", " and more");
    bench.append("app.log", "\nfour\n");
    assert_eq!(bench.read(2), " and more\nfour\n");
    // a line break alone gives an empty line
    bench.append("app.log", "five");
    assert_eq!(bench.read(8), "five");
    bench.append("app.log", "\nsix\n");
    assert_eq!(bench.read(8), "\nsix\n");
    // rotation after an unterminated last line
    bench.append("app.log", "seven");
    assert_eq!(bench.read(8), "seven");
    bench.rename("app.log", "app.log.1");
    bench.append("app.log.1", "teen\n");
    bench.append("app.log", "eight\n");
    assert_eq!(bench.read(4), "teen\neight\n");
    assert_eq!(bench.gaps, []);
    // longer than any line may be, and closed at once
    bench.open = 0;
    bench.restart();
    bench.append("app.log", &"9".repeat(200_000));
    let read = bench.read(12);
    assert!((64 << 10..=200_000).contains(&read.len()), "{}", read.len());
    bench.append("app.log", "9\nten\n");
    assert_eq!(bench.read(4), "9\nten\n");
}

fn intake(path: &Path, saved: &[StreamPosition]) -> Intake {
    let source = LogSource {
        name: "app".to_owned(),
        path: Some(path.to_owned()),
        parser: LogParser::SimpleTimestamp,
        ..LogSource::default()
    };
    let limits = Limits {
        events: 5_000,
        lines: 5_000,
        bytes: 256 << 10,
        fingerprints: 1_000,
    };
    Intake::new(
        &[Wanted::of(&source).unwrap()],
        saved,
        std::iter::empty(),
        limits,
        &[],
    )
}

/// Everything that one tick gives: reading continues as long as something waits.
fn tick(intake: &mut Intake, second: i64, moved: &mut Vec<StreamPosition>) -> Vec<String> {
    let mut messages = Vec::new();
    for round in 0.. {
        assert!(round < 10_000, "reading does not finish");
        let now = Timestamp(NOW + second * SECOND);
        let batch = intake.poll(now, |named| messages.push(named.event.message.clone()));
        moved.extend(batch.positions);
        if !batch.more {
            break;
        }
    }
    messages
}

/// An 8 MiB line, and as many zeros that are not a hole, are passed within one tick.
#[test]
fn long_lines_are_read_within_one_tick() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("app.log");
    fs::write(&path, "2026-11-29 06:00:00 begin\n").unwrap();
    let (mut reading, mut moved) = (intake(&path, &[]), Vec::new());
    assert_eq!(tick(&mut reading, 1, &mut moved), Vec::<String>::new());
    assert_eq!(tick(&mut reading, 2, &mut moved).len(), 1);
    let mut file = OpenOptions::new().append(true).open(&path).unwrap();
    for long in [vec![b'x'; 8 << 20], vec![0; 8 << 20]] {
        file.write_all(&long).unwrap();
        file.write_all(b"\n2026-11-29 06:00:01 behind\n").unwrap();
        let mut messages = tick(&mut reading, 3, &mut moved);
        messages.extend(tick(&mut reading, 4, &mut moved));
        assert!(
            messages.iter().any(|message| message == "behind"),
            "{}",
            messages.len()
        );
    }
}

/// The unterminated last line of a program that died is stored once, whenever the reader dies.
#[test]
fn an_unterminated_last_line_is_an_event_and_comes_once() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("app.log");
    fs::write(
        &path,
        "2026-11-29 06:00:00 first\n2026-11-29 06:00:01 last wor",
    )
    .unwrap();
    let (mut reading, mut moved) = (intake(&path, &[]), Vec::new());
    let mut messages = Vec::new();
    for second in 0..10 {
        messages.extend(tick(&mut reading, second, &mut moved));
    }
    assert_eq!(messages, ["first", "last wor"]);
    let saved: BTreeMap<Arc<str>, StreamPosition> = moved
        .drain(..)
        .map(|one| (Arc::clone(&one.stream), one))
        .collect();
    let saved: Vec<StreamPosition> = saved.into_values().collect();
    let mut reading = intake(&path, &saved);
    let mut file = OpenOptions::new().append(true).open(&path).unwrap();
    file.write_all(b"ds\n2026-11-29 06:00:02 third\n").unwrap();
    let mut messages = Vec::new();
    for second in 20..30 {
        messages.extend(tick(&mut reading, second, &mut moved));
    }
    assert_eq!(messages, ["ds", "third"]);
}
