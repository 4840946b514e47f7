//! The ordinary life of a spool on the machine's own file system.

use schema::{Class, Timestamp};
use store::ranges::RangeSet;
use store::spool::{Kind, Loss, Reader, Reason, Spool, SpoolError, SpoolOptions, State};

const SMALL: SpoolOptions = SpoolOptions {
    budget: 64 << 10,
    segment: 4096,
};

/// Bytes that do not compress.
fn payload(n: u64, len: usize) -> Vec<u8> {
    let mut x = n.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut next = || {
        x ^= x << 13;
        x ^= x >> 7;
        x ^= x << 17;
        (x >> 32) as u8
    };
    (0..len).map(|_| next()).collect()
}

#[test]
fn records_come_back_as_they_were_given() {
    let dir = tempfile::tempdir().expect("tempdir");
    let mut spool = Spool::open(dir.path(), SMALL).expect("opens");
    assert_eq!(spool.state(), State::Ok);
    for n in 1..=20 {
        let lsn = spool
            .append(
                Class::Core,
                Timestamp(n as i64 * 10),
                3,
                &payload(n, 100 * n as usize),
            )
            .expect("appends");
        assert_eq!(lsn, n);
    }
    let all = spool
        .read(Class::Core, 1, usize::MAX, usize::MAX)
        .expect("reads");
    assert_eq!(all.len(), 20);
    for (n, record) in (1..).zip(&all) {
        assert_eq!((record.lsn, record.rows, record.kind), (n, 3, Kind::Rows));
        assert_eq!(record.payload, payload(n, 100 * n as usize), "{n}");
    }
    assert_eq!(spool.read(Class::Core, 20, 0, 9).expect("reads").len(), 1);
    assert_eq!(spool.read(Class::Core, 5, 1200, 9).expect("reads").len(), 2);
    assert!(spool.read(Class::Core, 21, 0, 9).expect("reads").is_empty());
    assert_eq!(spool.present(Class::Core), RangeSet::from(1..21));
    let id = spool.writer();
    drop(spool);

    let mut spool = Spool::open(dir.path(), SMALL).expect("opens again");
    assert_eq!(spool.writer(), id);
    assert_eq!(spool.next_lsn(Class::Core), 21);
    assert_eq!(
        spool
            .read(Class::Core, 1, usize::MAX, usize::MAX)
            .expect("reads"),
        all
    );
    let exported: Vec<_> = Reader::open_readonly(dir.path())
        .expect("exports")
        .collect();
    let expected: Vec<_> = all.into_iter().map(|r| (Class::Core, r)).collect();
    assert_eq!(exported, expected);
    assert_eq!(spool.losses(Class::Core).notes, 0);
}

#[test]
fn what_is_delivered_goes() {
    let dir = tempfile::tempdir().expect("tempdir");
    let mut spool = Spool::open(dir.path(), SMALL).expect("opens");
    for n in 1..=40 {
        spool
            .append(Class::Bulk, Timestamp(n), 1, &payload(n as u64, 500))
            .expect("appends");
    }
    let before = spool.bytes_on_disk();
    assert_eq!(
        spool
            .release(Class::Bulk, &RangeSet::from(1..8))
            .expect("releases"),
        1
    );
    assert_eq!(spool.bytes_on_disk(), before - 4096);
    spool
        .release(Class::Bulk, &RangeSet::from(1..41))
        .expect("releases");
    assert_eq!(spool.bytes_on_disk(), 3 * 4096);
    drop(spool);
    let mut spool = Spool::open(dir.path(), SMALL).expect("opens again");
    assert_eq!(
        spool
            .append(Class::Bulk, Timestamp(9), 1, b"x")
            .expect("appends"),
        41
    );
    for class in Class::ALL {
        assert_eq!(spool.losses(class).notes, 0);
    }
}

#[test]
fn the_oldest_of_the_lowest_class_goes_first() {
    let dir = tempfile::tempdir().expect("tempdir");
    let mut spool = Spool::open(dir.path(), SMALL).expect("opens");
    for n in 1..=400 {
        for class in [Class::Bulk, Class::Core] {
            spool
                .append(class, Timestamp(n), 2, &payload(n as u64, 300))
                .expect("appends");
            assert!(spool.bytes_on_disk() <= SMALL.budget);
        }
    }
    assert_eq!(spool.state(), State::Full);
    let mut lost = [RangeSet::new(), RangeSet::new()];
    for record in spool
        .read(Class::Event, 1, usize::MAX, usize::MAX)
        .expect("reads")
    {
        let Loss {
            class,
            lsns,
            records,
            rows,
            reason,
            ..
        } = record.loss().expect("a loss");
        assert_eq!(
            (records, rows, reason),
            (lsns.len(), Some(2 * lsns.len()), Reason::Overflow)
        );
        let all = &mut lost[usize::from(class == Class::Core)];
        assert!(all.intersection(&lsns).is_empty());
        *all = all.union(&lsns);
    }
    for (class, lost) in [Class::Bulk, Class::Core].into_iter().zip(lost) {
        assert!(lost.intersection(&spool.present(class)).is_empty());
        assert_eq!(lost.union(&spool.present(class)), RangeSet::from(1..401));
    }
}

#[test]
fn a_second_opener_learns_the_holder() {
    let dir = tempfile::tempdir().expect("tempdir");
    let _spool = Spool::open(dir.path(), SMALL).expect("opens");
    match Spool::open(dir.path(), SMALL) {
        Err(SpoolError::Busy { pid, .. }) => assert_eq!(pid, std::process::id().to_string()),
        other => panic!("{other:?}"),
    }
}

#[test]
fn too_large_and_too_small() {
    let dir = tempfile::tempdir().expect("tempdir");
    assert!(matches!(
        Spool::open(
            dir.path(),
            SpoolOptions {
                budget: 4096,
                segment: 4096
            }
        ),
        Err(SpoolError::Budget { minimum: 16384, .. })
    ));
    let mut spool = Spool::open(dir.path(), SMALL).expect("opens");
    let noise = payload(7, 5000);
    let result = spool.append(Class::Core, Timestamp(1), 1, &noise);
    assert!(
        matches!(result, Err(SpoolError::TooLarge { .. })),
        "{result:?}"
    );
    // Compressed it fits.
    spool
        .append(Class::Core, Timestamp(1), 1, &vec![7; 100_000])
        .expect("appends");
}

#[test]
fn a_newer_format_is_refused_with_a_remedy() {
    let dir = tempfile::tempdir().expect("tempdir");
    drop(Spool::open(dir.path(), SMALL).expect("opens"));
    let text = format!("pqcrypta-spool 2 {}", uuid::Uuid::nil());
    let crc = crc32c::crc32c(text.as_bytes());
    std::fs::write(dir.path().join("spool.id"), format!("{text} {crc:08x}\n")).expect("writes");
    let error = Spool::open(dir.path(), SMALL).expect_err("refuses");
    assert!(
        error.to_string().contains("move the folder away"),
        "{error}"
    );
}
