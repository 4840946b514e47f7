//! Bytes that change without the spool: opening succeeds, intact records are read once, others
//! are reported once, and numbers are never used again.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use schema::{Class, Timestamp};
use store::ranges::RangeSet;
use store::spool::{Kind, Reader, Spool, SpoolOptions};

use super::consumer::{Database, payload, tag};
use super::sim::SimDisk;
use testkit::Dice;

const ROOT: &str = "/spool";
const OPTIONS: SpoolOptions = SpoolOptions {
    budget: 64 << 10,
    segment: 2048,
};

/// A spool of ten segments, by tag what it acknowledged, and a database that has it all.
struct Sample {
    disk: SimDisk,
    acked: BTreeMap<u64, (Class, u64)>,
    segments: Vec<PathBuf>,
    full: BTreeMap<Class, RangeSet>,
}

fn open(disk: &SimDisk) -> Spool<SimDisk> {
    Spool::open_on(disk.clone(), Path::new(ROOT), OPTIONS).expect("content never stops a start")
}

fn sample() -> Sample {
    let disk = SimDisk::new(1);
    let mut spool = open(&disk);
    let mut acked = BTreeMap::new();
    let mut rng = Dice::new(3);
    for tag in 1..=60 {
        let class = Class::ALL[[0, 0, 1, 1, 2][tag as usize % 5]];
        let bytes = payload(tag, 20 + rng.below(400) as usize);
        let ts = Timestamp(1_000_000 + tag as i64);
        let lsn = spool.append(class, ts, 1, &bytes).expect("appends");
        acked.insert(tag, (class, lsn));
    }
    let full = Class::ALL.map(|c| (c, RangeSet::from(1..spool.next_lsn(c))));
    drop(spool);
    let mut segments = disk.files();
    segments.retain(|path| path.extension().is_some_and(|e| e == "seg"));
    assert!(segments.len() >= 10, "{segments:?}");
    Sample {
        disk,
        acked,
        segments,
        full: full.into(),
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
struct Expect {
    /// Records that may be lost.
    lost: usize,
    /// Notes of loss.
    notes: usize,
    /// Whether a loss can go unseen: the newest records vanished without a trace.
    unseen: bool,
}

impl Sample {
    /// The newest segment of its class.
    fn is_newest(&self, path: &Path) -> bool {
        let siblings = self.segments.iter().filter(|s| s.parent() == path.parent());
        siblings.max().is_some_and(|newest| newest == path)
    }

    fn check(&self, what: &str, expect: Expect, damage: impl Fn(&SimDisk)) {
        self.check_undelivered(what, expect, &damage);
        self.check_delivered(what, &damage);
    }

    /// Nothing was delivered before.
    fn check_undelivered(&self, what: &str, expect: Expect, damage: &impl Fn(&SimDisk)) {
        let disk = self.disk.fork();
        damage(&disk);
        let mut spool = open(&disk);
        let mut db = Database::default();
        while db.drain(&mut spool, 1000) > 0 {}
        self.check_export(what, &disk, &db);
        let mut lost = 0;
        for (tag, &(class, lsn)) in &self.acked {
            match db.stored.get(tag) {
                Some(at) => assert_eq!(*at, (class, lsn), "{what}"),
                None => {
                    let reported = db.done(class).contains(lsn);
                    assert!(
                        reported || expect.unseen,
                        "{what}: {class:?} {lsn} vanished unseen"
                    );
                    lost += 1;
                }
            }
        }
        assert!(lost <= expect.lost, "{what}: {lost} lost");
        let notes = db.notes.len();
        assert!(notes <= expect.notes, "{what}: {:?}", db.notes);
        assert!(
            lost == 0 || notes > 0 || expect.unseen,
            "{what}: {lost} lost, no note"
        );
        // Once reported, not again.
        for _ in 0..2 {
            drop(spool);
            spool = open(&disk);
            while db.drain(&mut spool, 1000) > 0 {}
        }
        let gaps = db.notes.iter().filter(|n| n.records > 0).count();
        let reported: u64 = db.lost_records.values().sum();
        assert!(gaps <= 3 * expect.notes, "{what}: {:?}", db.notes);
        assert!(
            reported as usize <= lost.max(1) || expect.unseen,
            "{what}: {reported} reported, {lost} lost: {:?}",
            db.notes
        );
        self.goes_on(what, &mut spool, &mut db);
    }

    /// A reader sees the same records.
    fn check_export(&self, what: &str, disk: &SimDisk, db: &Database) {
        let mut tags = Vec::new();
        let reader = Reader::open_readonly_on(disk.clone(), Path::new(ROOT)).expect("opens");
        for (_, record) in reader.filter(|(_, record)| record.kind == Kind::Rows) {
            tags.push(tag(&record));
        }
        tags.sort_unstable();
        tags.dedup();
        assert!(db.stored.keys().eq(&tags), "{what}: {tags:?}");
    }

    /// The database had everything before.
    fn check_delivered(&self, what: &str, damage: &impl Fn(&SimDisk)) {
        let disk = self.disk.fork();
        damage(&disk);
        let mut spool = open(&disk);
        let mut db = Database {
            done: self.full.clone(),
            ..Database::default()
        };
        // A tick is stored before the database is reached.
        let early = payload(900, 30);
        let stored = spool.append(Class::Core, Timestamp(1_000_100), 1, &early);
        stored.expect("appends");
        for class in Class::ALL {
            spool.resume(class, &db.done(class)).expect("resumes");
        }
        while db.drain(&mut spool, 1000) > 0 {}
        assert!(
            db.stored.contains_key(&900),
            "{what}: the first new record is lost"
        );
        assert_eq!(db.stored.len(), 1, "{what}: delivered again");
        self.goes_on(what, &mut spool, &mut db);
    }

    /// New records arrive, in this process and the next.
    fn goes_on(&self, what: &str, spool: &mut Spool<SimDisk>, db: &mut Database) {
        for (i, class) in Class::ALL.into_iter().enumerate() {
            let tag = 1000 + i as u64;
            let ts = Timestamp(1_000_200);
            spool
                .append(class, ts, 1, &payload(tag, 30))
                .expect("appends");
            while db.drain(spool, 1000) > 0 {}
            assert!(
                db.stored.contains_key(&tag),
                "{what}: {class:?} does not go on"
            );
        }
        db.release(spool);
        assert!(spool.bytes_on_disk() <= OPTIONS.budget, "{what}");
    }
}

const ONE: Expect = Expect {
    lost: 1,
    notes: 1,
    unseen: false,
};

#[test]
fn any_flipped_bit() {
    let sample = sample();
    let mut rng = Dice::new(11);
    // 4096 of the 2048 × 8 × segments there are, in every segment.
    for i in 0..4096 {
        let path = &sample.segments[i % sample.segments.len()];
        let (at, bit) = (rng.below(2048) as usize, rng.below(8));
        let what = format!("{} byte {at} bit {bit}", path.display());
        sample.check(&what, ONE, |disk| {
            disk.edit(path, |bytes| bytes[at] ^= 1 << bit)
        });
    }
}

/// All of them: a minute, optimised.
#[test]
#[ignore = "the sample above runs each time"]
fn every_flipped_bit() {
    let sample = sample();
    for path in &sample.segments {
        for bit in 0..2048 * 8 {
            let what = format!("{} bit {bit}", path.display());
            sample.check(&what, ONE, |disk| {
                disk.edit(path, |bytes| bytes[bit / 8] ^= 1 << (bit % 8))
            });
        }
    }
}

#[test]
fn every_truncation() {
    let sample = sample();
    // Each length of the newest of each class and of one that is not; some of the others.
    let every = |path: &Path| sample.is_newest(path) || path == sample.segments[1];
    for path in &sample.segments {
        for len in (0..2048).step_by(if every(path) { 1 } else { 16 }) {
            let what = format!("{} cut to {len}", path.display());
            let expect = Expect { lost: 30, ..ONE };
            let cut = |disk: &SimDisk| disk.edit(path, |bytes| bytes.truncate(len));
            sample.check_undelivered(&what, expect, &cut);
            if len % 16 == 0 {
                sample.check_delivered(&what, &cut);
            }
        }
    }
}

#[test]
fn zero_tails() {
    let sample = sample();
    for path in &sample.segments {
        for from in (0..2048).step_by(8) {
            let what = format!("{} zero from {from}", path.display());
            let expect = Expect {
                lost: 30,
                // What the tail shows, and what other streams know of it.
                notes: 2,
                unseen: sample.is_newest(path),
            };
            sample.check(&what, expect, |disk| {
                disk.edit(path, |bytes| bytes[from..].fill(0))
            });
        }
    }
}

#[test]
fn zero_blocks() {
    let sample = sample();
    for path in &sample.segments {
        for block in 0..4 {
            let what = format!("{} block {block} zero", path.display());
            let expect = Expect {
                lost: 30,
                notes: 2,
                unseen: sample.is_newest(path),
            };
            sample.check(&what, expect, |disk| {
                disk.edit(path, |bytes| bytes[512 * block..512 * (block + 1)].fill(0));
            });
        }
    }
}

#[test]
fn missing_segments() {
    let sample = sample();
    for path in &sample.segments {
        let what = format!("{} missing", path.display());
        let first = path.ends_with("0000000000000001.seg");
        let expect = Expect {
            lost: 30,
            notes: 1,
            // The database knows that the first numbers were never delivered.
            unseen: first || sample.is_newest(path),
        };
        sample.check(&what, expect, |disk| disk.remove(path));
    }
    for class in Class::ALL {
        let what = format!("{} missing", class.as_str());
        let expect = Expect {
            lost: 60,
            notes: 1,
            unseen: true,
        };
        sample.check(&what, expect, |disk| {
            let dir = Path::new(ROOT).join(class.as_str());
            for path in sample.segments.iter().filter(|p| p.starts_with(&dir)) {
                disk.remove(path);
            }
        });
    }
}

#[test]
fn duplicated_reordered_and_foreign_segments() {
    let sample = sample();
    let none = Expect {
        lost: 0,
        notes: 0,
        unseen: false,
    };
    for path in &sample.segments {
        for number in [0, 2, 777] {
            let copy = path.with_file_name(format!("{number:016}.seg"));
            if !sample.segments.contains(&copy) {
                let what = format!("{} also as {number}", path.display());
                sample.check(&what, none, |disk| disk.duplicate(path, &copy));
            }
        }
        for other in sample.segments.iter().filter(|o| *o > path) {
            if other.parent() == path.parent() {
                let what = format!("{} swapped with {}", path.display(), other.display());
                sample.check(&what, none, |disk| disk.swap(path, other));
            }
        }
        let what = format!("{} also as if of another class", path.display());
        sample.check(&what, none, |disk| {
            for class in Class::ALL {
                let dir = Path::new(ROOT).join(class.as_str());
                if !path.starts_with(&dir) {
                    disk.duplicate(path, &dir.join("0000000000000555.seg"));
                }
            }
        });
    }
}

#[test]
fn the_identity_survives() {
    let sample = sample();
    let path = Path::new(ROOT).join("spool.id");
    let writer = open(&sample.disk.fork()).writer();
    let len = sample.disk.content(&path).len();
    let check = |what: String, damage: &dyn Fn(&SimDisk)| {
        let disk = sample.disk.fork();
        damage(&disk);
        for _ in 0..2 {
            assert_eq!(open(&disk).writer(), writer, "{what}");
        }
        assert_eq!(disk.content(&path), sample.disk.content(&path), "{what}");
    };
    for at in 0..len {
        for bit in 0..8 {
            check(format!("byte {at} bit {bit}"), &|disk| {
                disk.edit(&path, |bytes| bytes[at] ^= 1 << bit);
            });
        }
        check(format!("cut to {at}"), &|disk| {
            disk.edit(&path, |bytes| bytes.truncate(at));
        });
    }
    check("missing".to_owned(), &|disk| disk.remove(&path));
}

#[test]
fn an_emptied_folder_begins_anew_under_another_name() {
    let sample = sample();
    let disk = sample.disk.fork();
    for path in &sample.segments {
        disk.remove(path);
    }
    let spool = open(&disk);
    assert_ne!(spool.writer(), open(&sample.disk.fork()).writer());
    assert_eq!(spool.next_lsn(Class::Core), 1);
}
