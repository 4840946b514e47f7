//! Every process with memory of its own: one `process_metrics_raw` row each, the largest first.
//!
//! A process is its pid and its start time: a pid that comes back with another start is another
//! process. One that started since the tick before has used all its CPU time since then, so that a host whose work
//! are many short processes shows them; another one that is seen for the first time begins without a share. In each tick `/proc` is listed once, and of each
//! process one file is read (`stat`) and one directory is asked for its size (`fd`). Both stay open
//! from tick to tick as long as the caller allows descriptors for them (`open`). The rest is kept from
//! earlier ticks:
//!
//! * the name until `comm` changes, which is when it runs another program;
//! * unit, owner and limit of descriptors for up to a minute, and from then on for up to five, spread so
//!   that not all are due in one tick;
//! * bytes of storage I/O as long as the process uses no CPU, for at most as long: who has done
//!   nothing has read nothing, except what the kernel wrote back later.
//!
//! Kernel threads have no memory and give no rows. A zombie has none either, and gives one: it stays until its parent asks
//! how it ended, and that may be never. A kernel thread that is known is not read again as long as the
//! details of other processes are not and its directory keeps its inode number. procfs gives every new
//! process another one, so that a pid that was given anew is noticed; a kernel thread that turns into a
//! program does so at once, and is read again within a minute.
//!
//! Where a floor is set, small processes are summed by name (`sums`).
//!
//! A process that ends while it is read is left out. What this user may not read is `None`, and
//! the run reports of how many processes.

mod cgroup;
mod descriptors;
mod detail;
mod known;
mod open;
mod stat;
mod sums;

use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt::Write as _;
use std::time::Duration;

use rustix::fd::{AsFd, OwnedFd};
use rustix::io::Errno;
use schema::tables::ProcessSample;
use schema::{Row, Sample};

use crate::fields::{number, stored};
use crate::host::uptime;
use crate::read::Tree;
use crate::{CollectError, Collector, Moment, Outcome, Roots};

use descriptors::Descriptors;
use known::KnownProcess;
use open::Budget;
use stat::ProcessStat;
use sums::Sums;

pub(crate) use descriptors::Descriptors as FdCounter;
pub(crate) use stat::parse as parse_stat;

/// Reads every process.
#[derive(Debug)]
pub struct Processes {
    proc: Tree,
    watched: Vec<String>,
    units: Units,
    known: HashMap<i32, KnownProcess>,
    tick: u64,
    /// When every process was listed last, by the monotonic clock.
    listed_at: Option<Duration>,
    descriptors: Descriptors,
    /// Descriptors of files that are kept open.
    open: Budget,
    listed: Vec<(i32, u64)>,
    samples: Vec<ProcessSample>,
    sums: Sums,
    /// Bytes of resident memory below which processes are summed; 0 sums none.
    floor_bytes: i64,
    path: String,
}

/// What the kernel counts in.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Units {
    pub(crate) ticks_per_second: f64,
    pub(crate) page_bytes: u64,
}

impl Units {
    pub(crate) fn of_this_kernel() -> Self {
        Self {
            ticks_per_second: rustix::param::clock_ticks_per_second() as f64,
            page_bytes: rustix::param::page_size() as u64,
        }
    }

    /// Makes the sample of a process with what its line gives by itself.
    fn sample(self, pid: i32, stat: &ProcessStat<'_>, uptime_secs: f64) -> ProcessSample {
        ProcessSample {
            pid,
            start_ticks: stored(stat.start_ticks),
            rss_bytes: stored(stat.rss_pages.saturating_mul(self.page_bytes)),
            vsz_bytes: stored(stat.vsz_bytes),
            thread_count: stat.threads,
            state: char::from(stat.state).encode_utf8(&mut [0; 4]).to_owned(),
            // LXCFS may show a container's uptime beside the machine's start times
            uptime_secs: (uptime_secs - stat.start_ticks as f64 / self.ticks_per_second).max(0.0),
            parent_pid: stat.parent_pid,
            process_count: 1,
            ..ProcessSample::default()
        }
    }
}

/// What could not be had in one tick.
#[derive(Debug, Default)]
struct Missed {
    /// Whether processes of others are not even listed.
    unlisted: bool,
    /// Processes that are listed and cannot be read at all.
    hidden: usize,
    /// Processes whose descriptors are not ours to count.
    descriptors: usize,
    /// Processes whose I/O is not ours to read.
    io: usize,
    /// The first failure that is neither an end nor a lack of rights.
    failed: Option<CollectError>,
}

impl Processes {
    /// A collector that reads below these roots and marks the processes of these names.
    #[must_use]
    pub fn new(roots: &Roots, watched: Vec<String>) -> Self {
        Self::with_units(roots, watched, Units::of_this_kernel())
    }

    pub(crate) fn with_units(roots: &Roots, watched: Vec<String>, units: Units) -> Self {
        Self {
            proc: Tree::new(&roots.proc),
            watched,
            units,
            known: HashMap::new(),
            tick: 0,
            listed_at: None,
            descriptors: Descriptors::new(),
            open: Budget::default(),
            listed: Vec::new(),
            samples: Vec::new(),
            sums: Sums::default(),
            floor_bytes: 0,
            path: String::new(),
        }
    }

    /// Replaces the watched names; they hold from the next tick on.
    pub fn watch(&mut self, names: Vec<String>) {
        for known in self.known.values_mut() {
            known.watch(&names);
        }
        self.watched = names;
    }

    /// Keeps files of processes open with at most so many descriptors; none without this call. Files that
    /// are open stay so.
    pub fn keep_open(&mut self, descriptors: usize) {
        self.open.allow(descriptors);
    }

    /// Sums by name what holds less than so many MiB of resident memory; 0 sums nothing.
    pub fn sum_below(&mut self, mib: u32) {
        self.floor_bytes = i64::from(mib) << 20;
    }

    fn list(&mut self) -> Result<(), CollectError> {
        let listed = &mut self.listed;
        listed.clear();
        let result = self.proc.list_root(|name, inode| {
            if let Some(pid) = number(name).and_then(|pid| i32::try_from(pid).ok()) {
                listed.push((pid, inode));
            }
        });
        if listed.is_empty() {
            self.proc.reopen();
        }
        result.map_err(|source| self.proc.error("", source))
    }

    fn sample(&mut self, at: &Moment) -> Result<Missed, CollectError> {
        let uptime_secs = self
            .proc
            .read("uptime")
            .map(uptime)
            .map_err(|source| self.proc.error("uptime", source))?
            .ok_or_else(|| CollectError::Malformed {
                path: self.proc.path("uptime"),
                what: "seconds since boot",
            })?;
        self.list()?;
        self.tick = self.tick.wrapping_add(1);
        self.samples.clear();
        let mut missed = Missed::default();
        let listed = std::mem::take(&mut self.listed);
        for &(pid, inode) in &listed {
            match self.one(pid, inode, uptime_secs, at, &mut missed) {
                Ok(()) | Err(Errno::NOENT | Errno::SRCH) => {}
                Err(Errno::ACCESS | Errno::PERM) => missed.hidden += 1,
                Err(source) => {
                    missed.fail(&self.proc, &format!("{pid}/stat"), source);
                    // out of descriptors or memory: it is still there, and so is what is known
                    if let Some(known) = self.known.get_mut(&pid) {
                        known.tick = self.tick;
                    }
                }
            }
        }
        // process 1 is there as long as the machine is: where it is not listed, others are not
        // either
        if !listed.is_empty() && !listed.iter().any(|(pid, _)| *pid == 1) {
            missed.unlisted = true;
        }
        self.listed = listed;
        let tick = self.tick;
        let mut open = 0;
        self.known.retain(|_, known| {
            let is_alive = known.tick == tick;
            open += usize::from(is_alive && known.files.is_some());
            is_alive
        });
        self.open.count(open);
        self.listed_at = Some(at.monotonic);
        if self.known.capacity() > 4 * self.known.len().max(256) {
            self.known.shrink_to_fit();
        }
        self.sums.fold(&mut self.samples, self.floor_bytes);
        self.samples
            .sort_unstable_by_key(|sample| (std::cmp::Reverse(sample.rss_bytes), sample.pid));
        Ok(missed)
    }

    fn one(
        &mut self,
        pid: i32,
        inode: u64,
        uptime_secs: f64,
        at: &Moment,
        missed: &mut Missed,
    ) -> Result<(), Errno> {
        if let Some(known) = self.known.get_mut(&pid)
            && known.may_be_skipped(inode, at)
        {
            known.tick = self.tick;
            return Ok(());
        }
        let opened = self.read_stat(pid)?;
        let Some(stat) = stat::parse(self.proc.text()) else {
            // a line that ends too soon is one of a process that is ending
            return Ok(());
        };
        let known = self
            .known
            .entry(pid)
            .or_insert_with(|| KnownProcess::new(pid, &stat, at));
        if known.start_ticks != stat.start_ticks {
            *known = KnownProcess::new(pid, &stat, at);
        }
        known.tick = self.tick;
        let renamed = known.update(inode, &stat);
        // the rest of the line, before the buffer it lies in is used for other files
        let is_seen_before = known.is_seen_before();
        let mut sample = self.units.sample(pid, &stat, uptime_secs);
        // Not listed before, and not older: what was hidden then, or could not be read, has a past.
        let is_young = |since: &Duration| {
            at.monotonic.saturating_sub(*since).as_secs_f64() >= sample.uptime_secs
        };
        let since = self.listed_at.filter(is_young);
        sample.cpu_pct = known.cpu_pct(at, self.units.ticks_per_second, since);
        if renamed {
            let path = path_of(&mut self.path, pid, "cmdline");
            known.look_up_name(&mut self.proc, path, &self.watched);
        }
        let is_zombie = sample.state == "Z";
        if sample.rss_bytes == 0 && !known.watched && !is_zombie {
            known.put_off(at);
            return Ok(());
        }
        known.refresh(&mut self.proc, &mut self.path, pid, at, missed)?;
        let path = path_of(&mut self.path, pid, "fd");
        if is_seen_before && self.descriptors.is_by_size() {
            known.keep_open(opened, &mut self.proc, path, &mut self.open);
        }
        let count = known
            .open_fd_count()
            .unwrap_or_else(|| self.descriptors.count(&mut self.proc, path));
        sample.fd_count = missed.fd_count(&self.proc, &self.path, count)?;
        known.complete(&mut sample);
        self.samples.push(sample);
        Ok(())
    }
}

impl Processes {
    /// Reads the line of a process into the buffer: from the file that is open, else by its path. Returns
    /// the file that was opened for it.
    fn read_stat(&mut self, pid: i32) -> Result<Option<OwnedFd>, Errno> {
        if let Some(known) = self.known.get_mut(&pid)
            && let Some(files) = &known.files
        {
            if self.proc.reread(files.stat.as_fd()).is_ok() {
                return Ok(None);
            }
            // It has ended; the path shows whether another process has its number.
            known.files = None;
        }
        let file = self.proc.open(path_of(&mut self.path, pid, "stat"))?;
        self.proc.reread(file.as_fd())?;
        Ok(Some(file))
    }
}

impl Missed {
    /// What a reading gave; `None` where it is closed to this user or failed, which is noted.
    fn known<T>(
        &mut self,
        proc: &Tree,
        path: &str,
        result: Result<T, Errno>,
    ) -> Result<Option<T>, Errno> {
        match result {
            Ok(value) => Ok(Some(value)),
            Err(Errno::SRCH) => Err(Errno::SRCH),
            // a kernel without the file; a process that has ended is noticed elsewhere
            Err(Errno::NOENT | Errno::ACCESS | Errno::PERM) => Ok(None),
            Err(source) => {
                self.fail(proc, path, source);
                Ok(None)
            }
        }
    }

    /// Returns the number of descriptors; `None` where it is closed to this user or failed, which is
    /// noted.
    fn fd_count(
        &mut self,
        proc: &Tree,
        path: &str,
        count: Result<i64, Errno>,
    ) -> Result<Option<i64>, Errno> {
        match count {
            Ok(count) => Ok(Some(count)),
            Err(Errno::NOENT | Errno::SRCH) => Err(Errno::NOENT),
            Err(Errno::ACCESS | Errno::PERM) => {
                self.descriptors += 1;
                Ok(None)
            }
            Err(source) => {
                self.fail(proc, path, source);
                Ok(None)
            }
        }
    }

    fn fail(&mut self, proc: &Tree, path: &str, source: Errno) {
        if self.failed.is_none() {
            self.failed = Some(proc.error(path, source));
        }
    }

    fn into_error(self, of: usize) -> Option<CollectError> {
        if self.failed.is_some() {
            return self.failed;
        }
        let mut parts = Vec::new();
        if self.unlisted {
            parts.push("processes of other users (/proc is mounted with hidepid)".to_owned());
        }
        for (count, part) in [
            (self.hidden, "everything"),
            (self.descriptors, "descriptors"),
            (self.io, "storage I/O"),
        ] {
            if count > 0 {
                parts.push(format!("{part} of {count} of {of} processes"));
            }
        }
        (!parts.is_empty()).then(|| CollectError::Denied {
            what: parts.join(", "),
        })
    }
}

/// `PID/file` in a reused string.
fn path_of<'a>(path: &'a mut String, pid: i32, file: &str) -> &'a str {
    path.clear();
    // writing to a String cannot fail
    let _infallible = write!(path, "{pid}/{file}");
    path
}

impl Collector for Processes {
    fn name(&self) -> Cow<'static, str> {
        Cow::Borrowed("processes")
    }

    fn deadline(&self) -> Duration {
        Duration::from_secs(5)
    }

    async fn collect(&mut self, at: &Moment, out: &mut Vec<Row>) -> Result<Outcome, CollectError> {
        let missed = self.sample(at)?;
        let given = self.samples.len();
        let listed = self.listed.len();
        out.extend(self.samples.drain(..).map(|sample| sample.into_row(at.ts)));
        Ok(match missed.into_error(listed) {
            Some(error) if given == 0 => return Err(error),
            Some(error) => Outcome::Partial(error),
            None if given == 0 => Outcome::NoData,
            None => Outcome::Collected,
        })
    }
}

#[cfg(test)]
mod open_tests;
#[cfg(test)]
mod parse_tests;
#[cfg(test)]
mod tests;
