//! Random lives of a spool against a model: acknowledged records are stored once or reported as given
//! up for want of room, after any failure in between.

use std::collections::BTreeMap;
use std::path::Path;

use proptest::prelude::*;
use schema::{Class, Timestamp};
use store::ranges::RangeSet;
use store::spool::{Reason, Spool, SpoolOptions, State};

use super::consumer::{Database, payload};
use super::sim::{Op, SimDisk};

const OPTIONS: SpoolOptions = SpoolOptions {
    budget: 12 * 4096,
    segment: 4096,
};

#[derive(Clone, Debug)]
enum Action {
    Append(u8, u16),
    Drain(u8),
    Release,
    /// The power goes after so many more operations of the disk; what is done meanwhile.
    PowerCut(u8),
    /// Likewise the process.
    Kill(u8),
    Reopen,
    /// One kind of operation fails, one in so many; 0 ends it.
    Fail(u8, u8),
    Hiccups(bool),
    /// So much more than is used now fits the disk; 0 is plenty.
    Space(u16),
}

fn action() -> impl Strategy<Value = Action> {
    prop_oneof![
        24 => (0u8..3, 0u16..1500).prop_map(|(c, n)| Action::Append(c, n)),
        6 => (1u8..20).prop_map(Action::Drain),
        4 => Just(Action::Release),
        2 => any::<u8>().prop_map(Action::PowerCut),
        1 => any::<u8>().prop_map(Action::Kill),
        1 => Just(Action::Reopen),
        2 => (0u8..10, 0u8..4).prop_map(|(o, n)| Action::Fail(o, n)),
        1 => any::<bool>().prop_map(Action::Hiccups),
        1 => (0u16..20_000).prop_map(Action::Space),
    ]
}

struct World {
    disk: SimDisk,
    spool: Option<Spool<SimDisk>>,
    db: Database,
    tags: u64,
    /// By tag.
    acked: BTreeMap<u64, (Class, u64)>,
    /// What the caller holds because the spool refused it.
    held: Vec<(Class, Vec<u8>)>,
    writer: Option<uuid::Uuid>,
    clock: i64,
}

impl World {
    fn new(seed: u64) -> Self {
        let mut world = Self {
            disk: SimDisk::new(seed),
            spool: None,
            db: Database::default(),
            tags: 0,
            acked: BTreeMap::new(),
            held: Vec::new(),
            writer: None,
            clock: 1_000_000,
        };
        world.open();
        world
    }

    fn open(&mut self) {
        self.spool = None;
        let healthy = {
            let sim = self.disk.sim();
            sim.failing.is_empty() && sim.dies_in.is_none()
        };
        match Spool::open_on(self.disk.clone(), Path::new("/spool"), OPTIONS) {
            Ok(spool) => {
                // Once anything was acknowledged the identity stays.
                if !self.acked.is_empty() {
                    assert_eq!(self.writer, Some(spool.writer()));
                }
                self.writer = Some(spool.writer());
                self.spool = Some(spool);
            }
            Err(error) => assert!(!healthy, "a healthy disk, yet {error}"),
        }
    }

    /// Puts the disk in order and opens.
    fn open_healed(&mut self) {
        {
            let mut sim = self.disk.sim();
            sim.failing.clear();
            sim.capacity = None;
        }
        self.open();
        assert!(self.spool.is_some());
    }

    fn append(&mut self, class: Class, len: usize) {
        self.tags += 1;
        self.held.push((class, payload(self.tags, len)));
        self.clock += 10;
        let Some(spool) = &mut self.spool else { return };
        while !self.held.is_empty() {
            let (class, payload) = &self.held[0];
            match spool.append(*class, Timestamp(self.clock), 2, payload) {
                Ok(lsn) => {
                    let mut tag = [0; 8];
                    tag.copy_from_slice(&payload[..8]);
                    self.acked.insert(u64::from_le_bytes(tag), (*class, lsn));
                    self.held.remove(0);
                }
                Err(_) => {
                    if self.held.len() > 4 {
                        // The caller's memory is bounded; it never claimed this one.
                        self.held.remove(0);
                    }
                    break;
                }
            }
        }
    }

    /// Works on until the disk stops answering, then crashes and opens again.
    fn crash(&mut self, after: u8, power: bool) {
        self.disk.sim().dies_in = Some(u64::from(after) % 24);
        for i in 0..6 {
            self.append(Class::ALL[i % 3], 40 * i);
            if i == 3
                && let Some(spool) = &mut self.spool
            {
                self.db.release(spool);
            }
        }
        self.spool = None;
        self.held.clear();
        if power {
            self.disk.power_cut();
        } else {
            self.disk.kill();
        }
        self.open_healed();
    }

    fn run(&mut self, action: &Action) {
        match *action {
            Action::Append(class, len) => self.append(Class::ALL[usize::from(class)], len.into()),
            Action::PowerCut(after) => self.crash(after, true),
            Action::Kill(after) => self.crash(after, false),
            Action::Reopen => {
                // Another process opens it: what the caller held is gone with the first.
                self.held.clear();
                self.open();
            }
            Action::Fail(op, often) => {
                const OPS: [Op; 10] = [
                    Op::Open,
                    Op::Allocate,
                    Op::Read,
                    Op::Write,
                    Op::Sync,
                    Op::SetLen,
                    Op::Rename,
                    Op::Link,
                    Op::Unlink,
                    Op::SyncDir,
                ];
                let op = OPS[usize::from(op)];
                let mut sim = self.disk.sim();
                sim.failing.retain(|f| f.0 != op);
                // A disk that cannot be read loses records for good: tested apart.
                if often > 0 && op != Op::Read && op != Op::Open {
                    sim.failing.push((op, often.into()));
                }
            }
            Action::Hiccups(on) => self.disk.sim().hiccups = on.then_some(3),
            Action::Space(more) => {
                let mut sim = self.disk.sim();
                let used = sim.spool_bytes() + 1024;
                sim.capacity = (more > 0).then(|| used + u64::from(more));
            }
            Action::Drain(most) => {
                if let Some(spool) = &mut self.spool {
                    self.db.drain(spool, most.into());
                }
            }
            Action::Release => {
                if let Some(spool) = &mut self.spool {
                    self.db.release(spool);
                }
            }
        }
        let sim = self.disk.sim();
        assert!(sim.peak <= OPTIONS.budget, "{} bytes", sim.peak);
        if let Some(spool) = &self.spool {
            assert!(spool.bytes_on_disk() <= OPTIONS.budget);
        }
    }

    /// Delivers all there is and settles the account.
    fn settle(mut self) {
        self.held.clear();
        self.open_healed();
        let mut spool = self.spool.take().expect("open");
        for _ in 0..4 {
            let tag = self.tags + 1;
            self.tags = tag;
            let lsn = spool
                .append(Class::Core, Timestamp(self.clock), 1, &payload(tag, 0))
                .expect("a healthy disk takes it");
            self.acked.insert(tag, (Class::Core, lsn));
            while self.db.drain(&mut spool, 1000) > 0 {}
            self.db.release(&mut spool);
        }
        assert_eq!(spool.state(), State::Ok);
        assert!(spool.bytes_on_disk() <= 3 * 4096 + 8 * 4096);
        for (tag, &(class, lsn)) in &self.acked {
            let stored = self.db.stored.get(tag);
            let given_up = self.db.reported(class, Reason::Overflow).contains(lsn);
            assert!(
                (stored == Some(&(class, lsn))) != (stored.is_none() && given_up),
                "{class:?} {lsn} acknowledged; stored {stored:?}, given up {given_up}; reported {:?}",
                self.db.notes
            );
        }
        // Every number is accounted for.
        for class in Class::ALL {
            let all = RangeSet::from(1..spool.next_lsn(class));
            let open = all
                .difference(&self.db.done(class))
                .difference(spool.unused(class));
            let acked: RangeSet = (self.acked.values())
                .filter(|a| a.0 == class)
                .map(|a| a.1..a.1 + 1)
                .collect();
            assert!(open.intersection(&acked).is_empty(), "{class:?} {open:?}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { max_shrink_iters: 4000, ..ProptestConfig::default() })]

    /// 256 lives of 200 actions on average, unless `PROPTEST_CASES` sets another number.
    #[test]
    fn acknowledged_records_are_stored_once_or_reported(
        seed in any::<u64>(),
        actions in proptest::collection::vec(action(), 1..400),
    ) {
        let mut world = World::new(seed);
        for action in &actions {
            world.run(action);
        }
        world.settle();
    }
}
