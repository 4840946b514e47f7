//! The queue: a spool whose files were damaged, and payloads of its records.

use crate::memory_disk::MemoryDisk;
use bytes::Bytes;
use schema::tables::{CollectorRun, SystemSample};
use schema::{Class, Row, Sample, Timestamp};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use store::spool::{Kind, Reader, Spool, SpoolOptions};

const ROOT: &str = "/spool";
const OPTIONS: SpoolOptions = SpoolOptions {
    budget: 4 << 20,
    segment: 4096,
};
/// Records of each class in the undamaged spool.
const RECORDS: u32 = 12;

/// Takes the input as damage when its first byte is even, as a payload when it is odd.
pub(crate) fn run(input: &[u8]) {
    match input.split_first() {
        Some((choice, rest)) if choice % 2 == 0 => damaged(rest),
        Some((_, rest)) => payload(rest),
        None => {}
    }
}

/// Decodes the input as the payload of a record; what can be decoded encodes to something that decodes.
fn payload(input: &[u8]) {
    if let Ok(groups) = store::tuple::decode(&Bytes::copy_from_slice(input)) {
        let again = store::tuple::encode_groups(groups.iter());
        let decoded = store::tuple::decode(&Bytes::from(again)).expect("what was encoded");
        assert_eq!(decoded.len(), groups.len());
    }
}

/// Damages the files and opens the spool: every record that is read is one that was written, and the spool
/// takes another.
fn damaged(input: &[u8]) {
    let image = image();
    let mut files = image.files.clone();
    for edit in input.chunks(8) {
        damage(&mut files, edit);
    }
    let disk = MemoryDisk::of(&files);
    if let Ok(reader) = Reader::open_readonly_on(disk.clone(), Path::new(ROOT)) {
        for (class, record) in reader {
            image.check(class, record.kind, record.lsn, &record.payload);
        }
    }
    let Ok(mut spool) = Spool::open_on(disk, Path::new(ROOT), OPTIONS) else {
        return;
    };
    for class in Class::ALL {
        let records = spool.read(class, 0, usize::MAX, 1000);
        for record in records.expect("files in memory can be read") {
            image.check(class, record.kind, record.lsn, &record.payload);
        }
    }
    let lsn = spool.append(Class::Core, Timestamp(0), 1, b"one more");
    let read = spool.read(Class::Core, lsn.expect("there is room"), usize::MAX, 1);
    assert_eq!(read.expect("it is there")[0].payload, b"one more");
}

/// Changes one file: `edit` chooses it, the place, and what happens there.
fn damage(files: &mut BTreeMap<PathBuf, Vec<u8>>, edit: &[u8]) {
    let [file, high, low, action, rest @ ..] = edit else {
        return;
    };
    let path = files.keys().nth(usize::from(*file) % files.len().max(1));
    let Some(path) = path.cloned() else {
        return;
    };
    let place = usize::from(*high) << 8 | usize::from(*low);
    let Some(content) = files.get_mut(&path) else {
        return;
    };
    let place = place % (content.len() + 1);
    match action % 5 {
        0 => content.truncate(place),
        1 => content.splice(place.., rest.iter().copied()).for_each(drop),
        2 => content[place..].fill(0),
        3 => drop(files.remove(&path)),
        _ => {
            for (byte, mask) in content[place..].iter_mut().zip(rest) {
                *byte ^= mask;
            }
        }
    }
}

/// The undamaged spool.
struct Image {
    files: BTreeMap<PathBuf, Vec<u8>>,
    payloads: BTreeMap<(&'static str, u64), Vec<u8>>,
}

impl Image {
    fn check(&self, class: Class, kind: Kind, lsn: u64, payload: &[u8]) {
        if kind == Kind::Rows {
            let written = self.payloads.get(&(class.as_str(), lsn));
            assert_eq!(written.map(Vec::as_slice), Some(payload), "{class:?} {lsn}");
        }
    }
}

fn image() -> &'static Image {
    static IMAGE: OnceLock<Image> = OnceLock::new();
    IMAGE.get_or_init(|| {
        let disk = MemoryDisk::default();
        let mut spool =
            Spool::open_on(disk.clone(), Path::new(ROOT), OPTIONS).expect("an empty spool");
        let mut payloads = BTreeMap::new();
        for number in 0..RECORDS {
            for class in Class::ALL {
                let payload = vec![u8::try_from(number).unwrap_or(0); 700];
                let ts = Timestamp::from_millis(i64::from(number) * 10_000);
                let lsn = spool.append(class, ts, 1, &payload).expect("there is room");
                payloads.insert((class.as_str(), lsn), payload);
            }
        }
        drop(spool);
        Image {
            files: disk.files(),
            payloads,
        }
    })
}

/// Returns a few kinds of damage, and payloads of real rows.
pub(crate) fn seeds() -> Vec<Vec<u8>> {
    let mut seeds: Vec<Vec<u8>> = (0..5_u8)
        .flat_map(|action| (0..6_u8).map(move |file| vec![0, file, 1, 77, action, 1, 2, 3, 4]))
        .collect();
    let rows: Vec<Row> = vec![
        SystemSample {
            cpu_user: Some(1.5),
            ..SystemSample::default()
        }
        .into_row(Timestamp(0)),
        CollectorRun {
            collector: "test".to_owned(),
            ..CollectorRun::default()
        }
        .into_row(Timestamp(0)),
    ];
    let payloads = store::tuple::encode(&rows).into_iter();
    seeds.extend(payloads.map(|(payload, _)| [&[1], payload.as_slice()].concat()));
    seeds
}
