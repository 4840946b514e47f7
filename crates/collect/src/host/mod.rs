//! The host as a whole: one `system_metrics_raw` row, one row per interface and per disk.
//!
//! Every file is read in each tick and may be missing, as kernels and containers differ: what it
//! would give is `None` then. A file that is there and cannot be read for want of descriptors or
//! memory is `None` too, and the run reports it.

mod clock;
mod diskstats;
mod files;
mod meminfo;
mod netdev;
mod pressure;
mod reboot;
pub(crate) mod stat;
mod time_daemon;
mod vmstat;

pub(crate) use files::uptime;
pub(crate) use meminfo::parse as parse_meminfo;

use std::borrow::Cow;
use std::collections::HashMap;
use std::time::Duration;

use rustix::io::Errno;
use schema::tables::{DiskSample, NetworkSample, SystemSample};
use schema::{Json, Row, Sample};

use crate::fields::stored;
use crate::read::Tree;
use crate::{CollectError, Collector, Moment, Outcome, Roots};

/// Reads the machine, its interfaces and its disks.
#[derive(Debug)]
pub struct Host {
    proc: Tree,
    sys: Tree,
    run: Tree,
    root: Tree,
    clock: clock::Clock,
    reboot: reboot::Reboot,
    before: Option<stat::KernelStat>,
    boot_id: Option<String>,
    disks: HashMap<Box<[u8]>, DiskKind>,
    ticks: u32,
}

/// The kind of a block device according to sysfs, asked once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum DiskKind {
    /// A whole device that holds data itself.
    Whole,
    /// A partition, or built on other devices.
    Part,
}

impl Host {
    /// Makes a collector that reads below these roots.
    #[must_use]
    pub fn new(roots: &Roots) -> Self {
        Self {
            proc: Tree::new(&roots.proc),
            sys: Tree::new(&roots.sys),
            run: Tree::new(&roots.beside("run")),
            root: Tree::new(&roots.beside("")),
            clock: clock::Clock::default(),
            reboot: reboot::Reboot::default(),
            before: None,
            boot_id: None,
            disks: HashMap::new(),
            ticks: 0,
        }
    }
}

/// Reads files of which any may be missing, and remembers the first that failed otherwise.
struct Reader<'a> {
    tree: &'a mut Tree,
    failed: Option<CollectError>,
}

impl Reader<'_> {
    fn read<T>(&mut self, path: &str, parse: impl FnOnce(&[u8]) -> T) -> Option<T> {
        match self.tree.read(path) {
            Ok(text) => Some(parse(text)),
            Err(source) => {
                if !is_absence(source) && self.failed.is_none() {
                    self.failed = Some(self.tree.error(path, source));
                }
                None
            }
        }
    }
}

/// Returns whether this kernel or this namespace just does not have the file, or keeps it closed.
fn is_absence(error: Errno) -> bool {
    matches!(
        error,
        Errno::NOENT
            | Errno::NOTDIR
            | Errno::ACCESS
            | Errno::PERM
            | Errno::OPNOTSUPP
            | Errno::INVAL
            | Errno::NODEV
    )
}

impl Collector for Host {
    fn name(&self) -> Cow<'static, str> {
        Cow::Borrowed("host")
    }

    fn deadline(&self) -> Duration {
        Duration::from_secs(2)
    }

    async fn collect(&mut self, at: &Moment, out: &mut Vec<Row>) -> Result<Outcome, CollectError> {
        let before = out.len();
        let mut reader = Reader {
            tree: &mut self.proc,
            failed: None,
        };
        let mut system = SystemSample::default();
        processor(&mut reader, &mut self.before, &mut system);
        memory(&mut reader, &mut system);
        kernel(&mut reader, &mut self.boot_id, &mut system);
        network_stack(&mut reader, &mut system);
        let interfaces = reader.read("net/dev", netdev::parse).unwrap_or_default();
        if let Some((rx, tx)) = netdev::outside(&interfaces) {
            system.net_rx = Some(stored(rx));
            system.net_tx = Some(stored(tx));
        }
        let failed = reader.failed;

        if system != SystemSample::default() {
            system.clock_synced = self.clock.synchronised(&mut self.run, at);
            (system.reboot_required, system.reboot_packages) =
                self.reboot.required(&mut self.root, at);
            out.push(system.into_row(at.ts));
        }
        out.extend(
            interfaces
                .into_iter()
                .map(|interface| network_row(interface).into_row(at.ts)),
        );
        let disks = self.disks(at, out);
        match failed.or(disks) {
            Some(error) if out.len() == before => Err(error),
            Some(error) => Ok(Outcome::Partial(error)),
            None if out.len() == before => Ok(Outcome::NoData),
            None => Ok(Outcome::Collected),
        }
    }
}

fn processor(
    reader: &mut Reader<'_>,
    before: &mut Option<stat::KernelStat>,
    system: &mut SystemSample,
) {
    let Some(now) = reader.read("stat", stat::parse) else {
        *before = None;
        return;
    };
    let last = before.as_ref();
    let shares = last
        .and_then(|before| before.cpu.as_ref())
        .zip(now.cpu.as_ref())
        .and_then(|(before, now)| stat::shares(before, now));
    if let Some(shares) = shares {
        system.cpu_user = Some(shares.user);
        system.cpu_nice = Some(shares.nice);
        system.cpu_system = Some(shares.system);
        system.cpu_idle = Some(shares.idle);
        system.cpu_iowait = shares.iowait;
        system.cpu_irq = shares.irq;
        system.cpu_softirq = shares.softirq;
        system.cpu_steal = shares.steal;
        system.cpu_guest = shares.guest;
    }
    if !now.cores.is_empty() {
        system.cpu_count = i32::try_from(now.cores.len()).ok();
        system.cpu_cores = last
            .filter(|_| shares.is_some())
            .map(|before| Json(stat::cores_json(&before.cores, &now.cores)));
    }
    system.ctxt_total = now.ctxt.map(stored);
    system.forks_total = now.forks.map(stored);
    system.procs_running = now.procs_running.map(stored);
    system.procs_blocked = now.procs_blocked.map(stored);
    *before = Some(now);
}

fn memory(reader: &mut Reader<'_>, system: &mut SystemSample) {
    if let Some(memory) = reader.read("meminfo", meminfo::parse) {
        system.mem_total = memory.total.map(stored);
        system.mem_used = memory.used().map(stored);
        system.mem_available = memory.available().map(stored);
        system.mem_free = memory.free.map(stored);
        system.mem_buffers = memory.buffers.map(stored);
        system.mem_cached = memory.cached().map(stored);
        system.mem_dirty = memory.dirty.map(stored);
        system.swap_total = memory.swap_total.map(stored);
        system.swap_used = memory.swap_used().map(stored);
    }
    if let Some(vmstat) = reader.read("vmstat", vmstat::parse) {
        system.oom_kills_total = vmstat.oom_kills.map(stored);
        system.swap_in_total = vmstat.swap_in.map(stored);
        system.swap_out_total = vmstat.swap_out.map(stored);
        system.major_faults_total = vmstat.major_faults.map(stored);
    }
    if let Some(cpu) = reader.read("pressure/cpu", pressure::parse) {
        system.pressure_cpu_some_us_total = cpu.some_us.map(stored);
    }
    if let Some(memory) = reader.read("pressure/memory", pressure::parse) {
        system.pressure_memory_some_us_total = memory.some_us.map(stored);
        system.pressure_memory_full_us_total = memory.full_us.map(stored);
    }
    if let Some(io) = reader.read("pressure/io", pressure::parse) {
        system.pressure_io_some_us_total = io.some_us.map(stored);
        system.pressure_io_full_us_total = io.full_us.map(stored);
    }
}

fn kernel(reader: &mut Reader<'_>, boot_id: &mut Option<String>, system: &mut SystemSample) {
    if let Some([one, five, fifteen]) = reader.read("loadavg", files::loadavg) {
        system.load_1 = one;
        system.load_5 = five;
        system.load_15 = fifteen;
    }
    system.uptime_secs = reader.read("uptime", files::uptime).flatten();
    if let Some((open, max)) = reader.read("sys/fs/file-nr", files::file_nr) {
        system.open_files = open.map(stored);
        system.open_files_max = max.map(stored);
    }
    // the same as long as this process lives
    if boot_id.is_none() {
        *boot_id = reader
            .read("sys/kernel/random/boot_id", |text| {
                String::from_utf8_lossy(text.trim_ascii()).into_owned()
            })
            .filter(|id| !id.is_empty());
    }
    system.boot_id.clone_from(boot_id);
}

fn network_stack(reader: &mut Reader<'_>, system: &mut SystemSample) {
    let tcp = reader.read("net/snmp", |text| {
        [&b"OutSegs"[..], b"RetransSegs", b"CurrEstab"]
            .map(|name| netdev::paired(text, b"Tcp", name).map(stored))
    });
    if let Some([sent, again, established]) = tcp {
        system.tcp_out_segs_total = sent;
        system.tcp_retrans_total = again;
        system.tcp_established = established;
    }
    let listen = reader.read("net/netstat", |text| {
        [&b"ListenOverflows"[..], b"ListenDrops"]
            .map(|name| netdev::paired(text, b"TcpExt", name).map(stored))
    });
    if let Some([overflows, drops]) = listen {
        system.listen_overflows_total = overflows;
        system.listen_drops_total = drops;
    }
    let mut single = |path| reader.read(path, files::single).flatten().map(stored);
    system.conntrack_used = single("sys/net/netfilter/nf_conntrack_count");
    system.conntrack_max = single("sys/net/netfilter/nf_conntrack_max");
}

fn network_row(interface: netdev::Interface) -> NetworkSample {
    let netdev::Interface { name, rx, tx } = interface;
    NetworkSample {
        interface: name,
        rx_bytes_total: stored(rx.bytes),
        tx_bytes_total: stored(tx.bytes),
        rx_packets_total: stored(rx.packets),
        tx_packets_total: stored(tx.packets),
        rx_errors_total: stored(rx.errors),
        tx_errors_total: stored(tx.errors),
        rx_drops_total: stored(rx.drops),
        tx_drops_total: stored(tx.drops),
    }
}

/// After this many ticks the kinds of the disks are asked again: a name may have been given to
/// another device.
const DISK_KINDS_KEPT: u32 = 60;

impl Host {
    fn disks(&mut self, at: &Moment, out: &mut Vec<Row>) -> Option<CollectError> {
        self.ticks = self.ticks.wrapping_add(1);
        if self.ticks.is_multiple_of(DISK_KINDS_KEPT) {
            self.disks.clear();
        }
        let text = match self.proc.read("diskstats") {
            Ok(text) => text,
            Err(source) if is_absence(source) => return None,
            Err(source) => return Some(self.proc.error("diskstats", source)),
        };
        for disk in diskstats::parse(text) {
            if disk.is_unused() || diskstats::is_virtual(disk.name) {
                continue;
            }
            let kind = match self.disks.get(disk.name) {
                Some(kind) => *kind,
                None => {
                    let kind = disk_kind(&mut self.sys, disk.name);
                    self.disks.insert(disk.name.into(), kind);
                    kind
                }
            };
            if kind == DiskKind::Part {
                continue;
            }
            out.push(
                DiskSample {
                    device: String::from_utf8_lossy(disk.name).into_owned(),
                    reads_total: stored(disk.reads),
                    read_bytes_total: stored(disk.read_bytes),
                    read_ms_total: stored(disk.read_ms),
                    writes_total: stored(disk.writes),
                    write_bytes_total: stored(disk.write_bytes),
                    write_ms_total: stored(disk.write_ms),
                    in_flight: stored(disk.in_flight),
                    busy_ms_total: stored(disk.busy_ms),
                    queue_ms_total: stored(disk.queue_ms),
                }
                .into_row(at.ts),
            );
        }
        None
    }
}

/// Asks sysfs; where that does not know the device, its name decides.
fn disk_kind(sys: &mut Tree, name: &[u8]) -> DiskKind {
    // sysfs writes the `/` of names such as `cciss/c0d0` as `!`
    let device = String::from_utf8_lossy(name).replace('/', "!");
    if sys.stat(&format!("class/block/{device}")).is_err() {
        return if diskstats::looks_like_partition(name) {
            DiskKind::Part
        } else {
            DiskKind::Whole
        };
    }
    let mut built_on_others = false;
    // an unreadable list of parts is an empty one
    let _absent = sys.list(&format!("class/block/{device}/slaves"), |_, _| {
        built_on_others = true;
    });
    if built_on_others || sys.stat(&format!("class/block/{device}/partition")).is_ok() {
        DiskKind::Part
    } else {
        DiskKind::Whole
    }
}

#[cfg(test)]
mod tests;
