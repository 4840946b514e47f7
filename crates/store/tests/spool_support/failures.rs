//! A disk that is full, refuses, or reports errors late.

use std::io::ErrorKind;
use std::path::Path;

use schema::{Class, Timestamp};
use store::ranges::RangeSet;
use store::spool::{Loss, Reason, Spool, SpoolError, SpoolOptions, State};

use super::consumer::{Database, payload};
use super::sim::{Op, SimDisk};

const OPTIONS: SpoolOptions = SpoolOptions {
    budget: 64 << 10,
    segment: 4096,
};

fn open(disk: &SimDisk, options: SpoolOptions) -> Spool<SimDisk> {
    Spool::open_on(disk.clone(), Path::new("/spool"), options).expect("opens")
}

fn put(spool: &mut Spool<SimDisk>, class: Class, tag: u64, len: usize) -> Result<u64, SpoolError> {
    spool.append(class, Timestamp(1000 + tag as i64), 1, &payload(tag, len))
}

fn drain(spool: &mut Spool<SimDisk>) -> Database {
    let mut db = Database::default();
    while db.drain(spool, 1000) > 0 {}
    db
}

/// P5: at every size of the disk, full at every step of filling it, then freed.
#[test]
fn a_full_disk_costs_nothing_that_was_acknowledged() {
    for no_space in [ErrorKind::StorageFull, ErrorKind::QuotaExceeded] {
        for room in (0..40_000).step_by(331) {
            let disk = SimDisk::new(room);
            disk.sim().no_space = no_space;
            disk.sim().capacity = Some(room);
            let mut spool = open(&disk, OPTIONS);
            let mut acked = Vec::new();
            for tag in 1..=60 {
                match put(&mut spool, Class::Core, tag, 700) {
                    Ok(_) => acked.push(tag),
                    Err(error) => {
                        assert!(error.is_no_space(), "{room}: {error:?}");
                        assert_eq!(spool.state(), State::Degraded);
                    }
                }
            }
            assert!(acked.len() < 60, "{room}");
            // Freed: the next tick is durable again.
            disk.sim().capacity = None;
            put(&mut spool, Class::Core, 100, 700).expect("resumes with the next append");
            put(&mut spool, Class::Bulk, 101, 700).expect("resumes");
            put(&mut spool, Class::Event, 102, 700).expect("resumes");
            assert_eq!(spool.state(), State::Ok);
            acked.extend([100, 101, 102]);
            for again in [false, true] {
                if again {
                    drop(spool);
                    spool = open(&disk, OPTIONS);
                }
                let db = drain(&mut spool);
                assert!(db.stored.keys().eq(&acked), "{room}");
                assert_eq!(db.notes, [], "{room}");
            }
        }
    }
}

/// P7: whichever operation fails once, the record is on disk when the append succeeds; when it
/// fails for ever, the append returns the error.
#[test]
fn one_failure_of_each_operation_at_each_step() {
    for op in [
        Op::Open,
        Op::Allocate,
        Op::Write,
        Op::Sync,
        Op::SetLen,
        Op::Rename,
        Op::SyncDir,
    ] {
        for step in 1..40 {
            let disk = SimDisk::new(step);
            let mut spool = open(&disk, OPTIONS);
            let mut acked = Vec::new();
            for tag in 1..=40 {
                if tag == step {
                    disk.sim().failing = vec![(op, 1)];
                }
                match put(&mut spool, Class::Core, tag, 700) {
                    Ok(_) => acked.push(tag),
                    Err(error) => assert!(
                        matches!(error, SpoolError::Down { .. }) && tag == step,
                        "{op:?} {step}: {error:?}"
                    ),
                }
                disk.sim().failing.clear();
            }
            // Nothing that the failed sync left in the cache may be trusted.
            drop(spool);
            disk.power_cut();
            let db = drain(&mut open(&disk, OPTIONS));
            assert!(
                db.stored.keys().eq(&acked),
                "{op:?} {step}: {:?}",
                db.stored.keys()
            );
            assert_eq!(db.notes, [], "{op:?} {step}");
        }
    }
}

#[test]
fn a_file_that_failed_to_sync_is_left_alone() {
    let disk = SimDisk::new(5);
    let mut spool = open(&disk, OPTIONS);
    put(&mut spool, Class::Core, 1, 100).expect("appends");
    let before = disk.files();
    // Once: the sync of the append; the next, of the new segment, succeeds.
    disk.sim().failing = vec![(Op::Sync, 1)];
    let first = Path::new("/spool/core/0000000000000001.seg");
    let refused = put(&mut spool, Class::Core, 2, 100);
    assert!(matches!(refused, Err(SpoolError::Down { .. })));
    disk.sim().failing.clear();
    let left = disk.content(first);
    put(&mut spool, Class::Core, 2, 100).expect("appends elsewhere");
    put(&mut spool, Class::Core, 3, 100).expect("appends elsewhere");
    assert_eq!(disk.content(first), left);
    assert!(disk.files().len() > before.len());
    let db = drain(&mut spool);
    assert_eq!(db.stored.len(), 3);
}

#[test]
fn short_and_interrupted_transfers_are_finished() {
    let disk = SimDisk::new(6);
    disk.sim().hiccups = Some(2);
    let mut spool = open(&disk, OPTIONS);
    for tag in 1..=30 {
        put(&mut spool, Class::Core, tag, 900).expect("appends");
    }
    drop(spool);
    assert_eq!(drain(&mut open(&disk, OPTIONS)).stored.len(), 30);
}

#[test]
fn one_write_and_one_sync_per_record() {
    let disk = SimDisk::new(7);
    let mut spool = open(&disk, SpoolOptions::with_budget(16 << 20));
    put(&mut spool, Class::Core, 1, 45_000).expect("appends");
    let count = || {
        let sim = disk.sim();
        (sim.ops, sim.syncs)
    };
    let before = count();
    for tag in 2..=21 {
        put(&mut spool, Class::Core, tag, 45_000).expect("appends");
    }
    let after = count();
    assert_eq!((after.0 - before.0, after.1 - before.1), (40, 20));
}

#[test]
fn reading_on_costs_no_search() {
    let disk = SimDisk::new(8);
    let mut spool = open(&disk, SpoolOptions::with_budget(16 << 20));
    for tag in 1..=1000 {
        put(&mut spool, Class::Core, tag, 200).expect("appends");
    }
    let cost = |spool: &mut Spool<SimDisk>, from: u64, records: usize| {
        let before = disk.sim().ops;
        let read = spool
            .read(Class::Core, from, usize::MAX, records)
            .expect("reads");
        assert_eq!(read.len(), records);
        disk.sim().ops - before
    };
    // One open, then header and record.
    assert!(cost(&mut spool, 1000, 1) <= 3);
    assert!(cost(&mut spool, 1, 400) <= 1 + 2 * 400);
    assert!(cost(&mut spool, 401, 1) <= 2);
}

/// A read error is not the end of a segment.
#[test]
fn an_unreadable_disk_costs_what_it_hides() {
    let disk = SimDisk::new(9);
    let mut spool = open(&disk, OPTIONS);
    for tag in 1..=20 {
        put(&mut spool, Class::Core, tag, 700).expect("appends");
    }
    let path = Path::new("/spool/core/0000000000000006.seg");
    disk.edit(path, |bytes| bytes[1000] ^= 1);
    let db = drain(&mut spool);
    assert_eq!(db.stored.len(), 19);
    let [
        Loss {
            lsns,
            records: 1,
            rows: Some(1),
            reason: Reason::Damage,
            ..
        },
    ] = &db.notes[..]
    else {
        panic!("{:?}", db.notes);
    };
    assert_eq!(lsns.len(), 1);
    assert!(
        disk.files()
            .iter()
            .any(|path| path.starts_with("/spool/quarantine"))
    );
    put(&mut spool, Class::Core, 21, 700).expect("goes on");
}

/// Budget reached for good: the books balance, notes of loss outlive their own overflow.
#[test]
fn overflow_of_everything_balances() {
    for budget in [4, 5, 7, 16] {
        let options = SpoolOptions {
            budget: budget << 14,
            segment: 1 << 14,
        };
        let disk = SimDisk::new(budget);
        let mut spool = open(&disk, options);
        let mut acked = Vec::new();
        for tag in 1..=3000 {
            let class = Class::ALL[tag as usize * 7 % 3];
            acked.push((
                tag,
                class,
                put(&mut spool, class, tag, 600).expect("appends"),
            ));
            assert!(disk.sim().peak <= options.budget);
            if tag % 211 == 0 {
                drop(spool);
                disk.power_cut();
                spool = open(&disk, options);
            }
        }
        let db = drain(&mut spool);
        for (tag, class, lsn) in acked {
            let stored = db.stored.contains_key(&tag);
            let reported = db.reported(class, Reason::Overflow).contains(lsn);
            assert!(
                stored != reported,
                "budget {budget}: {class:?} {lsn}: {stored} {reported}"
            );
        }
        for class in Class::ALL {
            let reported = db.reported(class, Reason::Overflow).len();
            let counted = db.lost_records[&(class, "overflow")];
            // Numbers of notes that were passed on are reported, but are not records.
            assert!(
                counted == reported || (class == Class::Event && counted < reported),
                "budget {budget}: {class:?} {counted} of {reported}: {:?}",
                db.notes
            );
        }
    }
}

#[test]
fn the_lowest_class_goes_first() {
    let disk = SimDisk::new(12);
    let mut spool = open(&disk, OPTIONS);
    for tag in 1..=20 {
        for class in Class::ALL {
            put(&mut spool, class, 3 * tag + class as u64, 600).expect("appends");
        }
    }
    let before = Class::ALL.map(|class| spool.present(class));
    for tag in 100..140 {
        put(&mut spool, Class::Event, tag, 600).expect("appends");
    }
    assert!(spool.present(Class::Bulk).len() < before[0].len());
    assert!(spool.present(Class::Event).contains_all(&before[2]));
    // What is delivered goes without a word.
    let db = drain(&mut spool);
    for class in Class::ALL {
        // As the consumer's last word, though nothing was released yet.
        spool.release(class, &db.done(class)).expect("releases");
    }
    let notes = spool.losses(Class::Bulk).notes;
    for tag in 200..240 {
        put(&mut spool, Class::Bulk, tag, 600).expect("appends");
    }
    assert_eq!(spool.losses(Class::Bulk).notes, notes);
}

#[test]
fn a_lower_budget_is_kept_after_a_restart() {
    let disk = SimDisk::new(13);
    let mut spool = open(&disk, OPTIONS);
    for tag in 1..=60 {
        put(&mut spool, Class::Bulk, tag, 700).expect("appends");
    }
    drop(spool);
    let less = SpoolOptions {
        budget: 6 * 4096,
        ..OPTIONS
    };
    let mut spool = open(&disk, less);
    assert!(spool.bytes_on_disk() <= less.budget);
    let db = drain(&mut spool);
    let lost = db.reported(Class::Bulk, Reason::Overflow);
    assert!(!lost.is_empty());
    assert_eq!(lost.len() + db.stored.len() as u64, 60);
}

#[test]
fn a_loss_outside_is_reported_too() {
    let disk = SimDisk::new(14);
    let mut spool = open(&disk, OPTIONS);
    let loss = Loss {
        class: Class::Core,
        lsns: RangeSet::new(),
        from_ts: Timestamp(1),
        to_ts: Timestamp(2),
        records: 3,
        rows: Some(12),
        reason: Reason::SpoolDown,
    };
    disk.sim().failing = vec![(Op::Write, 1)];
    for _ in 0..100 {
        assert!(!spool.note(loss.clone()));
    }
    disk.sim().failing.clear();
    for tag in 1..=8 {
        put(&mut spool, Class::Core, tag, 10).expect("appends");
    }
    let db = drain(&mut spool);
    assert_eq!(db.notes.iter().map(|n| n.records).sum::<u64>(), 300);
    assert!(db.notes.len() <= 17, "{}", db.notes.len());
}

/// The process ends between the note of a loss and the removal.
#[test]
fn a_give_up_that_was_cut_short_is_finished() {
    for dies_in in 0..60 {
        let disk = SimDisk::new(dies_in);
        let mut spool = open(&disk, OPTIONS);
        let mut acked = Vec::new();
        let mut tag = 0;
        while spool.state() == State::Ok {
            tag += 1;
            acked.push((
                tag,
                put(&mut spool, Class::Bulk, tag, 900).expect("appends"),
            ));
        }
        disk.sim().dies_in = Some(dies_in);
        for _ in 0..12 {
            tag += 1;
            if let Ok(lsn) = put(&mut spool, Class::Bulk, tag, 900) {
                acked.push((tag, lsn));
            }
        }
        drop(spool);
        disk.power_cut();
        let db = drain(&mut open(&disk, OPTIONS));
        for (tag, lsn) in acked {
            let reported = db.reported(Class::Bulk, Reason::Overflow).contains(lsn);
            assert!(db.stored.contains_key(&tag) != reported, "{dies_in}: {lsn}");
        }
    }
}
