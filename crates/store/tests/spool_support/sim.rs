//! A file system in memory that forgets what was not synced, and fails on request.
//!
//! Every file has what the page cache shows and what the disk holds. A crash keeps of the unsynced
//! rest what chance decides: any subset of dirty blocks (512 or 4096 bytes), the old length or the
//! new, and of the unsynced folder changes a prefix or any subset. A failed sync leaves the cache
//! as it is, the disk with a subset, and no block dirty: syncing again claims success in vain.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard};

use store::spool::{DirEntry, Disk, DiskFile, OpenMode};
use testkit::Dice;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Op {
    Open,
    Allocate,
    Read,
    Write,
    Sync,
    SetLen,
    Rename,
    Link,
    Unlink,
    SyncDir,
}

#[derive(Clone, Debug, Default)]
struct Inode {
    cache: Vec<u8>,
    durable: Vec<u8>,
    dirty: BTreeSet<usize>,
    locked: bool,
}

#[derive(Clone, Debug)]
enum Change {
    Set(PathBuf, u64),
    Gone(PathBuf),
    Moved(PathBuf, PathBuf, u64),
}

#[derive(Debug)]
pub struct Sim {
    inodes: BTreeMap<u64, Inode>,
    names: BTreeMap<PathBuf, u64>,
    durable_names: BTreeMap<PathBuf, u64>,
    changes: Vec<Change>,
    next_ino: u64,
    epoch: u64,
    pub rng: Dice,
    /// Bytes of all files together; `None` is plenty.
    pub capacity: Option<u64>,
    pub no_space: ErrorKind,
    /// Operations until the process is dead: all fail from then on until the crash.
    pub dies_in: Option<u64>,
    /// These operations fail, one in so many.
    pub failing: Vec<(Op, u64)>,
    /// Reads and writes are short or interrupted, one in so many.
    pub hiccups: Option<u64>,
    /// The most bytes that segments and quarantine ever took.
    pub peak: u64,
    pub ops: u64,
    pub syncs: u64,
}

const SECTOR: usize = 512;

impl Sim {
    fn step(&mut self, op: Op) -> io::Result<()> {
        self.ops += 1;
        if let Some(left) = &mut self.dies_in {
            if *left == 0 {
                return Err(io::Error::other("the process is dead"));
            }
            *left -= 1;
        }
        let hit = self.failing.iter().find(|(o, _)| *o == op).map(|f| f.1);
        match hit {
            Some(n) if self.rng.one_in(n) => Err(io::Error::from_raw_os_error(5)),
            _ => Ok(()),
        }
    }

    fn used(&self) -> u64 {
        let live: BTreeSet<u64> = self.names.values().copied().collect();
        live.iter()
            .filter_map(|ino| self.inodes.get(ino))
            .map(|inode| inode.cache.len() as u64)
            .sum()
    }

    pub fn spool_bytes(&self) -> u64 {
        let counted = |path: &Path| {
            let ext = path.extension().and_then(|e| e.to_str());
            path.components().count() > 3 && matches!(ext, Some("seg" | "tmp"))
        };
        let names = self.names.iter().filter(|(path, _)| counted(path));
        names
            .filter_map(|(_, ino)| self.inodes.get(ino))
            .map(|inode| inode.cache.len() as u64)
            .sum()
    }

    fn grow(&mut self, ino: u64, len: usize) -> io::Result<()> {
        let have = self.inodes[&ino].cache.len();
        if len > have {
            if self
                .capacity
                .is_some_and(|c| self.used() + (len - have) as u64 > c)
            {
                return Err(self.no_space.into());
            }
            self.inode(ino).cache.resize(len, 0);
        }
        self.peak = self.peak.max(self.spool_bytes());
        Ok(())
    }

    fn inode(&mut self, ino: u64) -> &mut Inode {
        self.inodes
            .get_mut(&ino)
            .expect("an open file has an inode")
    }

    fn change(&mut self, change: Change) {
        apply(&mut self.names, &change);
        self.changes.push(change);
        self.peak = self.peak.max(self.spool_bytes());
    }

    /// What is on disk after the power went: chance decides over everything unsynced.
    fn lose_power(&mut self) {
        let block = if self.rng.one_in(2) { SECTOR } else { 4096 };
        let keep_all = self.rng.one_in(4);
        let mut rng = self.rng.clone();
        for inode in self.inodes.values_mut() {
            if inode.cache.len() != inode.durable.len() && (keep_all || rng.one_in(2)) {
                inode.durable.resize(inode.cache.len(), 0);
            }
            let dirty = std::mem::take(&mut inode.dirty);
            let blocks: BTreeSet<usize> = dirty.iter().map(|s| s * SECTOR / block).collect();
            for b in blocks {
                if keep_all || rng.one_in(2) {
                    copy_block(inode, b * block, block);
                }
            }
            inode.cache.clone_from(&inode.durable);
            inode.locked = false;
        }
        let changes = std::mem::take(&mut self.changes);
        let prefix = rng.one_in(2);
        let cut = rng.below(changes.len() as u64 + 1) as usize;
        for (i, change) in changes.iter().enumerate() {
            let kept = if prefix { i < cut } else { rng.one_in(2) };
            if keep_all || kept {
                apply(&mut self.durable_names, change);
            }
        }
        self.rng = rng;
        self.names.clone_from(&self.durable_names);
        self.epoch += 1;
        self.dies_in = None;
    }

    /// What is on disk after the process went: everything.
    fn lose_process(&mut self) {
        for inode in self.inodes.values_mut() {
            inode.locked = false;
        }
        self.epoch += 1;
        self.dies_in = None;
    }
}

fn copy_block(inode: &mut Inode, at: usize, len: usize) {
    let end = (at + len).min(inode.cache.len()).min(inode.durable.len());
    if at < end {
        inode.durable[at..end].copy_from_slice(&inode.cache[at..end]);
    }
}

fn apply(names: &mut BTreeMap<PathBuf, u64>, change: &Change) {
    match change {
        Change::Set(path, ino) => {
            names.insert(path.clone(), *ino);
        }
        Change::Gone(path) => {
            names.remove(path);
        }
        Change::Moved(from, to, ino) => {
            names.remove(from);
            names.insert(to.clone(), *ino);
        }
    }
}

/// The file system; cloning shares it.
#[derive(Clone, Debug)]
pub struct SimDisk(Arc<Mutex<Sim>>);

#[derive(Debug)]
pub struct SimFile {
    sim: Arc<Mutex<Sim>>,
    ino: u64,
    epoch: u64,
    locked: Mutex<bool>,
}

impl SimDisk {
    pub fn new(seed: u64) -> Self {
        Self(Arc::new(Mutex::new(Sim {
            inodes: BTreeMap::new(),
            names: BTreeMap::new(),
            durable_names: BTreeMap::new(),
            changes: Vec::new(),
            next_ino: 0,
            epoch: 0,
            rng: Dice::new(seed),
            capacity: None,
            no_space: ErrorKind::StorageFull,
            dies_in: None,
            failing: Vec::new(),
            hiccups: None,
            peak: 0,
            ops: 0,
            syncs: 0,
        })))
    }

    pub fn sim(&self) -> MutexGuard<'_, Sim> {
        self.0.lock().expect("no test panics while it holds this")
    }

    /// The power goes.
    pub fn power_cut(&self) {
        self.sim().lose_power();
    }

    /// The process goes, the machine stays.
    pub fn kill(&self) {
        self.sim().lose_process();
    }

    /// An independent copy as it is now.
    pub fn fork(&self) -> Self {
        let copy = Self::new(7);
        {
            let (from, mut to) = (self.sim(), copy.sim());
            to.inodes.clone_from(&from.inodes);
            to.names.clone_from(&from.names);
            to.durable_names.clone_from(&from.names);
            to.next_ino = from.next_ino;
        }
        copy.kill();
        copy
    }

    pub fn files(&self) -> Vec<PathBuf> {
        self.sim().names.keys().cloned().collect()
    }

    /// Changes a file without the spool, durably.
    pub fn edit(&self, path: &Path, edit: impl FnOnce(&mut Vec<u8>)) {
        let mut sim = self.sim();
        let ino = sim.names[path];
        let inode = sim.inode(ino);
        edit(&mut inode.cache);
        inode.durable.clone_from(&inode.cache);
    }

    pub fn content(&self, path: &Path) -> Vec<u8> {
        let sim = self.sim();
        sim.inodes[&sim.names[path]].cache.clone()
    }

    pub fn swap(&self, a: &Path, b: &Path) {
        let mut sim = self.sim();
        let (x, y) = (sim.names[a], sim.names[b]);
        for (path, ino) in [(a, y), (b, x)] {
            sim.names.insert(path.to_owned(), ino);
            sim.durable_names.insert(path.to_owned(), ino);
        }
    }

    pub fn remove(&self, path: &Path) {
        let mut sim = self.sim();
        sim.names.remove(path);
        sim.durable_names.remove(path);
    }

    pub fn duplicate(&self, from: &Path, to: &Path) {
        let mut sim = self.sim();
        let inode = sim.inodes[&sim.names[from]].clone();
        let ino = sim.next_ino;
        sim.next_ino += 1;
        sim.inodes.insert(ino, inode);
        sim.names.insert(to.to_owned(), ino);
        sim.durable_names.insert(to.to_owned(), ino);
    }
}

fn not_found() -> io::Error {
    ErrorKind::NotFound.into()
}

impl Disk for SimDisk {
    type File = SimFile;

    fn create_dir(&self, _path: &Path) -> io::Result<()> {
        Ok(())
    }

    fn list(&self, path: &Path) -> io::Result<Vec<DirEntry>> {
        let sim = self.sim();
        let inside = sim.names.iter().filter(|(p, _)| p.parent() == Some(path));
        Ok(inside
            .map(|(p, ino)| DirEntry {
                name: p
                    .file_name()
                    .expect("a name")
                    .to_string_lossy()
                    .into_owned(),
                len: sim.inodes[ino].cache.len() as u64,
            })
            .collect())
    }

    fn open(&self, path: &Path, mode: OpenMode) -> io::Result<SimFile> {
        let mut sim = self.sim();
        sim.step(Op::Open)?;
        let ino = match (sim.names.get(path).copied(), mode) {
            (Some(_), OpenMode::CreateNew) => return Err(ErrorKind::AlreadyExists.into()),
            (Some(ino), _) => ino,
            (None, OpenMode::Create | OpenMode::CreateNew) => {
                let ino = sim.next_ino;
                sim.next_ino += 1;
                sim.inodes.insert(ino, Inode::default());
                sim.change(Change::Set(path.to_owned(), ino));
                ino
            }
            (None, _) => return Err(not_found()),
        };
        Ok(SimFile {
            sim: Arc::clone(&self.0),
            ino,
            epoch: sim.epoch,
            locked: Mutex::new(false),
        })
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        let mut sim = self.sim();
        sim.step(Op::Rename)?;
        let ino = *sim.names.get(from).ok_or_else(not_found)?;
        sim.change(Change::Moved(from.to_owned(), to.to_owned(), ino));
        Ok(())
    }

    fn link(&self, from: &Path, to: &Path) -> io::Result<()> {
        let mut sim = self.sim();
        sim.step(Op::Link)?;
        let ino = *sim.names.get(from).ok_or_else(not_found)?;
        if sim.names.contains_key(to) {
            return Err(ErrorKind::AlreadyExists.into());
        }
        sim.change(Change::Set(to.to_owned(), ino));
        Ok(())
    }

    fn unlink(&self, path: &Path) -> io::Result<()> {
        let mut sim = self.sim();
        sim.step(Op::Unlink)?;
        if !sim.names.contains_key(path) {
            return Err(not_found());
        }
        sim.change(Change::Gone(path.to_owned()));
        Ok(())
    }

    fn sync_dir(&self, path: &Path) -> io::Result<()> {
        let mut sim = self.sim();
        sim.step(Op::SyncDir)?;
        let inside = |change: &Change| match change {
            Change::Set(p, _) | Change::Gone(p) | Change::Moved(_, p, _) => {
                p.parent() == Some(path)
            }
        };
        let (done, rest) = std::mem::take(&mut sim.changes)
            .into_iter()
            .partition(|change| inside(change));
        sim.changes = rest;
        let done: Vec<Change> = done;
        for change in &done {
            apply(&mut sim.durable_names, change);
        }
        Ok(())
    }
}

impl SimFile {
    fn enter(&self, op: Op) -> io::Result<MutexGuard<'_, Sim>> {
        let mut sim = self.sim.lock().expect("no test panics while it holds this");
        if sim.epoch != self.epoch {
            return Err(io::Error::other("opened before the crash"));
        }
        sim.step(op)?;
        Ok(sim)
    }

    /// How much of a transfer happens.
    fn part(sim: &mut Sim, len: usize) -> io::Result<usize> {
        match sim.hiccups {
            Some(n) if sim.rng.one_in(n) => {
                if sim.rng.one_in(2) || len < 2 {
                    return Err(ErrorKind::Interrupted.into());
                }
                Ok(1 + sim.rng.below(len as u64 - 1) as usize)
            }
            _ => Ok(len),
        }
    }
}

impl DiskFile for SimFile {
    fn size(&self) -> io::Result<u64> {
        let sim = self.sim.lock().expect("no test panics while it holds this");
        Ok(sim.inodes[&self.ino].cache.len() as u64)
    }

    fn allocate(&self, len: u64) -> io::Result<()> {
        let mut sim = self.enter(Op::Allocate)?;
        sim.grow(self.ino, len as usize)
    }

    fn read_at(&self, buf: &mut [u8], offset: u64) -> io::Result<usize> {
        let mut sim = self.enter(Op::Read)?;
        let len = Self::part(&mut sim, buf.len())?;
        let data = &sim.inodes[&self.ino].cache;
        let at = (offset as usize).min(data.len());
        let len = len.min(data.len() - at);
        buf[..len].copy_from_slice(&data[at..at + len]);
        Ok(len)
    }

    fn write_at(&self, buf: &[u8], offset: u64) -> io::Result<usize> {
        let mut sim = self.enter(Op::Write)?;
        let len = Self::part(&mut sim, buf.len())?;
        let at = offset as usize;
        sim.grow(self.ino, at + len)?;
        let inode = sim.inode(self.ino);
        inode.cache[at..at + len].copy_from_slice(&buf[..len]);
        if len > 0 {
            inode.dirty.extend(at / SECTOR..=(at + len - 1) / SECTOR);
        }
        Ok(len)
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        let mut sim = self.enter(Op::SetLen)?;
        let len = len as usize;
        let have = sim.inodes[&self.ino].cache.len();
        if len < have {
            let inode = sim.inode(self.ino);
            inode.cache.truncate(len);
            inode.dirty.extend(len / SECTOR..=have / SECTOR);
        }
        sim.grow(self.ino, len)
    }

    fn sync_data(&self) -> io::Result<()> {
        let mut sim = match self.enter(Op::Sync) {
            Ok(sim) => sim,
            Err(error) => {
                let mut sim = self.sim.lock().expect("no test panics while it holds this");
                if sim.epoch == self.epoch && sim.dies_in != Some(0) {
                    let mut rng = sim.rng.clone();
                    let inode = sim.inode(self.ino);
                    for sector in std::mem::take(&mut inode.dirty) {
                        if rng.one_in(2) {
                            copy_block(inode, sector * SECTOR, SECTOR);
                        }
                    }
                    sim.rng = rng;
                }
                return Err(error);
            }
        };
        sim.syncs += 1;
        let inode = sim.inode(self.ino);
        inode.durable.resize(inode.cache.len(), 0);
        for sector in std::mem::take(&mut inode.dirty) {
            copy_block(inode, sector * SECTOR, SECTOR);
        }
        Ok(())
    }

    fn is_linked(&self) -> io::Result<bool> {
        let sim = self.sim.lock().expect("no test panics while it holds this");
        if sim.epoch != self.epoch {
            return Err(io::Error::other("opened before the crash"));
        }
        Ok(sim.names.values().any(|ino| *ino == self.ino))
    }

    fn try_lock(&self) -> io::Result<bool> {
        let mut sim = self.enter(Op::Open)?;
        let inode = sim.inode(self.ino);
        if inode.locked {
            return Ok(false);
        }
        inode.locked = true;
        *self.locked.lock().expect("not poisoned") = true;
        Ok(true)
    }
}

impl Drop for SimFile {
    fn drop(&mut self) {
        let Ok(mut sim) = self.sim.lock() else { return };
        if sim.epoch == self.epoch && *self.locked.lock().expect("not poisoned") {
            sim.inode(self.ino).locked = false;
        }
    }
}
