//! What is kept of a process from tick to tick.

use std::time::Duration;

use rustix::fd::OwnedFd;
use rustix::io::Errno;
use schema::tables::ProcessSample;

use super::open::{Budget, OpenFiles};
use super::stat::ProcessStat;
use super::{Missed, cgroup, detail, path_of};
use crate::Moment;
use crate::fields::stored;
use crate::read::Tree;

/// How long what seldom changes is believed of a process that is new: soon after its start it drops
/// rights, raises limits and is moved to the unit it belongs to.
const KEPT_FIRST: Duration = Duration::from_secs(60);
/// How long it is believed of a process that is older.
const KEPT: Duration = Duration::from_secs(300);
/// Shares into which a time is divided, so that not all processes are due at once.
const SHARES: u32 = 60;

/// One process, known by its pid.
#[derive(Debug)]
pub(super) struct KnownProcess {
    /// The last tick it was seen in.
    pub(super) tick: u64,
    pub(super) start_ticks: u64,
    /// Of its directory in procfs.
    inode: u64,
    kernel_thread: bool,
    cpu_ticks: u64,
    /// CPU time at the last reading but this one, and when that was.
    cpu_before: Option<(u64, Duration)>,
    comm: Box<[u8]>,
    name: Box<str>,
    /// `comm` is as long as it can be and the command line could not be had.
    name_may_be_longer: bool,
    pub(super) watched: bool,
    details: Details,
    /// When the details are read again; at first at once.
    details_due: Duration,
    /// Whether they were due before.
    is_settled: bool,
    /// Which share of a time belongs to this process.
    share: u32,
    /// The CPU time at which I/O was last read.
    io_cpu_ticks: Option<u64>,
    io: Io,
    /// Its files that stay open, if any do.
    pub(super) files: Option<OpenFiles>,
}

/// What is read once and then seldom.
#[derive(Debug, Default)]
struct Details {
    read: bool,
    uid: Option<i64>,
    unit: Option<Box<str>>,
    fd_limit: Option<i64>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Io {
    denied: bool,
    read_bytes: Option<i64>,
    write_bytes: Option<i64>,
}

impl KnownProcess {
    pub(super) fn new(pid: i32, stat: &ProcessStat<'_>, at: &Moment) -> Self {
        // the first minute is shorter by a share that depends on the pid, so that the processes
        // found in the first tick are not all due in one tick ever after
        let share = pid.unsigned_abs() % SHARES + 1;
        Self {
            tick: 0,
            start_ticks: stat.start_ticks,
            inode: 0,
            kernel_thread: stat.kernel_thread,
            cpu_ticks: stat.cpu_ticks,
            cpu_before: None,
            comm: Box::default(),
            name: Box::default(),
            name_may_be_longer: false,
            watched: false,
            details: Details::default(),
            details_due: at.monotonic.saturating_add(KEPT_FIRST * share / SHARES),
            is_settled: false,
            share,
            io_cpu_ticks: None,
            io: Io::default(),
            files: None,
        }
    }

    /// Whether it is a kernel thread that need not be read in this tick.
    pub(super) fn may_be_skipped(&self, inode: u64, at: &Moment) -> bool {
        self.kernel_thread
            && !self.watched
            && inode != 0
            && inode == self.inode
            && at.monotonic < self.details_due
    }

    /// Takes what one reading of `stat` gave. Returns whether it has a new name, which is still
    /// to be found.
    pub(super) fn update(&mut self, inode: u64, stat: &ProcessStat<'_>) -> bool {
        self.inode = inode;
        self.kernel_thread = stat.kernel_thread;
        self.cpu_ticks = stat.cpu_ticks;
        let renamed = *self.comm != *stat.comm;
        if renamed {
            self.comm = stat.comm.into();
        }
        renamed
    }

    /// Returns whether it was read in an earlier tick.
    pub(super) fn is_seen_before(&self) -> bool {
        self.cpu_before.is_some()
    }

    /// CPU time since the last reading, percent of one core. Of one that is new that was the tick `since` which it
    /// was not there; `None` where there was none, when no time has passed and when the counter went back.
    pub(super) fn cpu_pct(
        &mut self,
        at: &Moment,
        ticks_per_second: f64,
        since: Option<Duration>,
    ) -> Option<f64> {
        let before = self.cpu_before.replace((self.cpu_ticks, at.monotonic));
        let (ticks, when) = before.or(since.map(|since| (0, since)))?;
        let elapsed = at.monotonic.checked_sub(when)?.as_secs_f64();
        let used = self.cpu_ticks.checked_sub(ticks)? as f64 / ticks_per_second;
        (elapsed > 0.0).then(|| used * 100.0 / elapsed)
    }

    /// Finds the name for a new `comm`.
    pub(super) fn look_up_name(&mut self, proc: &mut Tree, path: &str, watched: &[String]) {
        self.name_may_be_longer = false;
        let mut name = None;
        if self.comm.len() == detail::COMM_MAX && !self.kernel_thread {
            // a process that has ended and was not waited for has no command line any more
            let cmdline = proc.read_record(path).unwrap_or_default();
            self.name_may_be_longer = cmdline.is_empty();
            name = detail::long_name(&self.comm, cmdline).map(String::from_utf8_lossy);
        }
        self.name = name
            .unwrap_or_else(|| String::from_utf8_lossy(&self.comm))
            .into();
        self.watch(watched);
    }

    /// Compares the name with the watched ones. Where the command line could not be had, as that of a process which has
    /// ended and was not waited for, the watched name that begins with the fifteen bytes known is its name: under
    /// these alone it would be another program, which then is missed for ever.
    pub(super) fn watch(&mut self, names: &[String]) {
        let has_name = |name: &&String| ***name == *self.name;
        let may_have = |name: &&String| name.as_bytes().starts_with(&self.comm);
        let mut found = names.iter().find(has_name);
        if found.is_none() && self.name_may_be_longer {
            found = names.iter().find(may_have);
        }
        self.watched = found.is_some();
        if let Some(name) = found {
            self.name = name.as_str().into();
        }
    }

    /// Puts off the next look at the details of a process when they are due.
    pub(super) fn put_off(&mut self, at: &Moment) {
        if at.monotonic < self.details_due {
            return;
        }
        let kept = match self.is_settled {
            true => KEPT,
            // as many of them in each minute of the five
            false => KEPT_FIRST + (KEPT - KEPT_FIRST) * self.share / SHARES,
        };
        self.details_due = at.monotonic.saturating_add(kept);
        self.is_settled = true;
    }

    /// Reads again what is due: owner, unit and limit seldom, I/O with them and whenever CPU was used
    /// since it was last read.
    pub(super) fn refresh(
        &mut self,
        proc: &mut Tree,
        path: &mut String,
        pid: i32,
        at: &Moment,
        missed: &mut Missed,
    ) -> Result<(), Errno> {
        let due = at.monotonic >= self.details_due;
        self.put_off(at);
        if due || !self.details.read {
            self.details.read = true;
            let owner = proc.stat(path_of(path, pid, "")).map(|stat| stat.st_uid);
            if let Some(uid) = missed.known(proc, path, owner)? {
                self.details.uid = Some(i64::from(uid));
            }
            let unit = proc
                .read_record(path_of(path, pid, "cgroup"))
                .map(cgroup::unit);
            if let Some(unit) = missed.known(proc, path, unit)? {
                self.details.unit = unit.map(String::into_boxed_str);
            }
            let limit = proc
                .read_record(path_of(path, pid, "limits"))
                .map(detail::open_files_limit);
            if let Some(limit) = missed.known(proc, path, limit)? {
                self.details.fd_limit = limit.map(stored);
            }
        }
        let idle = self.io_cpu_ticks == Some(self.cpu_ticks) || self.io.denied;
        if due || !idle {
            self.io_cpu_ticks = Some(self.cpu_ticks);
            self.refresh_io(proc, path, pid, missed)?;
        }
        missed.io += usize::from(self.io.denied);
        Ok(())
    }

    fn refresh_io(
        &mut self,
        proc: &mut Tree,
        path: &mut String,
        pid: i32,
        missed: &mut Missed,
    ) -> Result<(), Errno> {
        match proc
            .read_record(path_of(path, pid, "io"))
            .map(detail::storage_bytes)
        {
            Ok((read, written)) => {
                self.io = Io {
                    denied: false,
                    read_bytes: read.map(stored),
                    write_bytes: written.map(stored),
                };
            }
            // not this user's process
            Err(Errno::ACCESS | Errno::PERM) => {
                self.io = Io {
                    denied: true,
                    ..Io::default()
                };
            }
            // a kernel without task I/O accounting, or a process that has ended
            Err(Errno::NOENT) => self.io = Io::default(),
            Err(Errno::SRCH) => return Err(Errno::SRCH),
            Err(source) => missed.fail(proc, path, source),
        }
        Ok(())
    }

    /// Keeps its files open, if `stat` was opened for this reading and there is room for them; `path` is
    /// that of its directory of descriptors.
    pub(super) fn keep_open(
        &mut self,
        stat: Option<OwnedFd>,
        proc: &mut Tree,
        path: &str,
        budget: &mut Budget,
    ) {
        if let Some(stat) = stat
            && budget.take()
        {
            self.files = Some(OpenFiles::keep(stat, proc, path));
        }
    }

    /// Counts its descriptors through the directory that is open; `None` where none is.
    pub(super) fn open_fd_count(&self) -> Option<Result<i64, Errno>> {
        self.files.as_ref().and_then(OpenFiles::fd_directory_size)
    }

    /// Puts what is known into the sample.
    pub(super) fn complete(&self, sample: &mut ProcessSample) {
        sample.process_name = self.name.to_string();
        sample.watched = self.watched;
        sample.uid = self.details.uid;
        sample.unit = self.details.unit.as_deref().map(str::to_owned);
        sample.fd_limit = self.details.fd_limit;
        sample.read_bytes_total = self.io.read_bytes;
        sample.write_bytes_total = self.io.write_bytes;
    }
}
