//! Mounted file systems: one `mount_metrics_raw` row each.
//!
//! The list comes from `mountinfo`, the figures from `statvfs`. One file system makes one row,
//! however often it or parts of it are mounted (subvolumes count for themselves): its whole rather
//! than a part, and the shorter path. Only mounts that their path leads to are asked, so that an
//! automount is never triggered and no figure is that of another file system. [`prober`] sees to
//! it that a dead server costs its own figures and nothing else.
//!
//! Which of them are to be writable is in `/etc/fstab`, read once a minute.

mod capacity;
mod fstab;
mod kinds;
mod mountinfo;
mod prober;

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use rustix::io::Errno;
use schema::tables::MountSample;
use schema::{Row, Sample};

use crate::read::Tree;
use crate::{CollectError, Collector, Moment, Outcome, Roots};

use capacity::{Capacity, Figures};
use prober::{Answer, Probe, Prober};

/// No more file systems than this make rows.
const MOUNTS_MAX: usize = 256;

/// How often fstab is read.
const FSTAB_EVERY: Duration = Duration::from_secs(60);

/// Reads the mounted file systems.
#[derive(Debug)]
pub struct Mounts {
    proc: Tree,
    etc: Tree,
    /// By mount point, whether it is to be writable, and when that was read.
    fstab: HashMap<Vec<u8>, bool>,
    fstab_at: Option<Duration>,
    prober: Prober,
}

impl Mounts {
    /// Returns a collector that reads below these roots. A call that hangs occupies one thread of the
    /// runtime's blocking pool until it returns: shut the runtime down with a time-out.
    #[must_use]
    pub fn new(roots: &Roots) -> Self {
        Self::probing(
            roots,
            Arc::new(|path| rustix::fs::statvfs(path).map(Figures::from)),
        )
    }

    pub(crate) fn probing(roots: &Roots, stat_vfs: prober::StatVfs) -> Self {
        Self {
            proc: Tree::new(&roots.proc),
            etc: Tree::new(&roots.beside("etc")),
            fstab: HashMap::new(),
            fstab_at: None,
            prober: Prober::new(stat_vfs),
        }
    }

    /// Reads fstab when it is time. One that cannot be read says nothing.
    fn read_fstab(&mut self, at: &Moment) {
        let is_due = self
            .fstab_at
            .is_none_or(|read| at.monotonic.saturating_sub(read) >= FSTAB_EVERY);
        if is_due {
            self.fstab_at = Some(at.monotonic);
            self.fstab = self.etc.read("fstab").map(fstab::parse).unwrap_or_default();
        }
    }
}

/// A file system that makes a row.
#[derive(Clone, Debug)]
struct Chosen {
    probe: Probe,
    device: String,
    fs_type: String,
    read_only: bool,
    is_to_be_writable: Option<bool>,
}

/// Returns the file systems that make rows, in the order of the file, and how many there were.
fn choose(text: &[u8]) -> (Vec<Chosen>, usize) {
    let mounts = mountinfo::parse(text);
    let tree = mountinfo::Tree::new(&mounts);
    // the system's own memory file systems stay so wherever else they are mounted, as in a chroot
    let not_ours: HashSet<&[u8]> = mounts
        .iter()
        .filter(|mount| mount.fs_type == b"tmpfs" && mount.root == b"/")
        .filter(|mount| !kinds::holds_data(mount.fs_type, mount.mount))
        .map(|mount| mount.device)
        .collect();
    let mut places: HashMap<(&[u8], &[u8]), usize> = HashMap::new();
    let mut chosen: Vec<&mountinfo::Line<'_>> = Vec::new();
    for mount in &mounts {
        if !kinds::holds_data(mount.fs_type, mount.mount)
            || not_ours.contains(mount.device)
            || !tree.is_seen(mount)
        {
            continue;
        }
        let part = if kinds::has_subvolumes(mount.fs_type) {
            mount.root
        } else {
            b""
        };
        let place = *places.entry((mount.device, part)).or_insert(chosen.len());
        let rank = |mount: &mountinfo::Line<'_>| (mount.root != b"/", mount.mount.len());
        match chosen.get_mut(place) {
            Some(known) if rank(mount) < rank(known) => *known = mount,
            Some(_) => {}
            None => chosen.push(mount),
        }
    }
    let found = chosen.len();
    let chosen = chosen
        .into_iter()
        .take(MOUNTS_MAX)
        .map(|mount| {
            let path = mountinfo::unescape(mount.mount);
            let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
            Chosen {
                probe: Probe {
                    path: PathBuf::from(OsStr::from_bytes(&path)),
                    at_once: tree
                        .upwards(mount)
                        .all(|outer| kinds::answers_at_once(outer.fs_type)),
                    on_disk: kinds::is_on_disk(mount.fs_type),
                },
                device: text(&mountinfo::unescape(mount.source)),
                fs_type: text(mount.fs_type),
                read_only: mount.read_only(),
                is_to_be_writable: mount.is_to_be_writable(),
            }
        })
        .collect();
    (chosen, found)
}

impl Collector for Mounts {
    fn name(&self) -> Cow<'static, str> {
        Cow::Borrowed("mounts")
    }

    /// Returns more than the 2 s within which all mounts must have answered.
    fn deadline(&self) -> Duration {
        Duration::from_secs(3)
    }

    async fn collect(&mut self, at: &Moment, out: &mut Vec<Row>) -> Result<Outcome, CollectError> {
        self.read_fstab(at);
        let (mut chosen, found) = match self.proc.read("self/mountinfo") {
            Ok(text) => choose(text),
            Err(source) => return Err(self.proc.error("self/mountinfo", source)),
        };
        if chosen.is_empty() {
            return Ok(Outcome::NoData);
        }
        for one in &mut chosen {
            let path = one.probe.path.as_os_str().as_bytes();
            one.is_to_be_writable = self.fstab.get(path).copied().or(one.is_to_be_writable);
        }
        let probes: Vec<Probe> = chosen.iter().map(|chosen| chosen.probe.clone()).collect();
        let (answers, stuck) = self.prober.ask(&probes).await;
        let mut failed = stuck.map(|path| CollectError::Unanswered {
            what: format!("mount {}", path.display()),
            deadline: prober::DEADLINE,
        });
        let mut closed = 0_usize;
        for (chosen, answer) in chosen.into_iter().zip(answers) {
            let capacity = match answer {
                Answer::Given(figures) => Capacity::from(figures),
                // unmounted since the list was read
                Answer::Refused(Errno::NOENT) => continue,
                Answer::Refused(Errno::ACCESS | Errno::PERM) => {
                    closed += 1;
                    Capacity::default()
                }
                Answer::Refused(source) => {
                    failed.get_or_insert(CollectError::read(&chosen.probe.path, source));
                    Capacity::default()
                }
                Answer::Missing => Capacity::default(),
            };
            out.push(row(chosen, capacity).into_row(at.ts));
        }
        Ok(match failed {
            Some(error) => Outcome::Partial(error),
            None if closed > 0 => Outcome::Partial(CollectError::Denied {
                what: format!("room of {closed} mounts"),
            }),
            None if found > MOUNTS_MAX => Outcome::Partial(CollectError::TooMany {
                what: "mounts",
                found,
                limit: MOUNTS_MAX,
            }),
            None => Outcome::Collected,
        })
    }
}

fn row(chosen: Chosen, capacity: Capacity) -> MountSample {
    MountSample {
        mount: chosen.probe.path.to_string_lossy().into_owned(),
        device: chosen.device,
        fs_type: chosen.fs_type,
        total_bytes: capacity.total_bytes,
        available_bytes: capacity.available_bytes,
        usage_pct: capacity.usage_pct,
        inodes_total: capacity.inodes_total,
        inodes_free: capacity.inodes_free,
        read_only: chosen.read_only,
        is_to_be_writable: chosen.is_to_be_writable,
    }
}

#[cfg(test)]
pub(crate) mod tests;
