//! The host, its disks and interfaces, and the collector itself.

use super::Area;
use super::random::{Counter, count, gauss};
use super::state::State;
use crate::Dice;
use schema::tables::{
    CollectorRun, DiskSample, MountSample, NetworkSample, SelfSample, SystemSample,
};
use schema::{Json, Row, Sample};

const CORES: i32 = 8;
const GIB: f64 = 1024.0 * 1024.0 * 1024.0;
const MIB: f64 = 1024.0 * 1024.0;
const MEMORY: f64 = 32.0 * GIB;
/// Bytes that a request is, in and out.
const REQUEST: f64 = 6000.0;
/// Requests per second at a traffic of 1.
pub(super) const REQUESTS: f64 = 250.0;
/// Collectors of the host.
const COLLECTORS: [&str; 3] = ["host", "processes", "mounts"];
/// Mount points and their size; the second one is the data disk.
const MOUNTS: [(&str, &str, f64); 2] = [("/", "/dev/sda1", 40.0), ("/srv", "/dev/sdb1", 400.0)];

/// Counters since the host's start.
#[derive(Clone, Copy, Debug, Default)]
struct SinceBoot {
    received: Counter,
    sent: Counter,
    packets: Counter,
    switches: Counter,
    forks: Counter,
    oom_kills: Counter,
    faults: Counter,
    segments: Counter,
    retransmits: Counter,
    cpu: Counter,
    memory: Counter,
    io_some: Counter,
    io_full: Counter,
    reads: Counter,
    writes: Counter,
    busy: Counter,
    queue: Counter,
}

/// Counters since the collector's start.
#[derive(Clone, Copy, Debug, Default)]
struct SinceStart {
    flushes: Counter,
    rows: Counter,
}

#[derive(Debug)]
pub(super) struct Host {
    dice: Dice,
    boot: SinceBoot,
    start: SinceStart,
}

impl Host {
    pub(super) fn new(dice: Dice) -> Self {
        Self {
            dice,
            boot: SinceBoot::default(),
            start: SinceStart::default(),
        }
    }

    fn system(&mut self, state: &State) -> SystemSample {
        let Self { dice, boot, .. } = self;
        let secs = state.secs;
        let waits = (state.cpu_busy - 60.0).max(0.0) / 60.0;
        let stalls = if state.disk_ms > 50.0 { 0.35 } else { 0.01 };
        let used = MEMORY * (state.mem_used / 100.0).min(0.99);
        let load = f64::from(CORES) * (state.cpu_busy + state.iowait) / 100.0;
        let is_first = state.collector.is_new();
        let share = |value: f64| (!is_first).then_some(value);
        SystemSample {
            cpu_user: share(0.7 * state.cpu_busy),
            cpu_nice: share(0.0),
            cpu_system: share(0.25 * state.cpu_busy),
            cpu_idle: share(100.0 - state.cpu_busy - state.iowait),
            cpu_iowait: share(state.iowait),
            cpu_irq: share(0.0),
            cpu_softirq: share(0.04 * state.cpu_busy),
            cpu_steal: share(0.01 * state.cpu_busy),
            cpu_guest: share(0.0),
            cpu_cores: None,
            cpu_count: Some(CORES),
            mem_total: Some(count(MEMORY)),
            mem_used: Some(count(used)),
            mem_available: Some(count(MEMORY - used)),
            mem_free: Some(count((MEMORY - used) * 0.3)),
            mem_buffers: Some(count(0.2 * GIB)),
            mem_cached: Some(count((MEMORY - used) * 0.6)),
            mem_dirty: Some(count(20.0 * MIB * dice.unit())),
            swap_total: Some(count(4.0 * GIB)),
            swap_used: Some(count(0.1 * GIB)),
            load_1: Some(load * (1.0 + 0.1 * gauss(dice).abs())),
            load_5: Some(load),
            load_15: Some(load),
            net_rx: Some(
                boot.received
                    .add(state.traffic * REQUESTS * REQUEST * secs, dice),
            ),
            net_tx: Some(
                boot.sent
                    .add(state.traffic * REQUESTS * 4.0 * REQUEST * secs, dice),
            ),
            ctxt_total: Some(
                boot.switches
                    .add((3000.0 + 9000.0 * state.traffic) * secs, dice),
            ),
            forks_total: Some(boot.forks.add((2.0 + 4.0 * state.traffic) * secs, dice)),
            procs_running: Some(count(1.0 + load)),
            procs_blocked: Some(count(state.iowait / 20.0)),
            oom_kills_total: Some(boot.oom_kills.exactly(f64::from(state.oom_kills))),
            swap_in_total: Some(0),
            swap_out_total: Some(0),
            major_faults_total: Some(boot.faults.add(0.2 * secs, dice)),
            open_files: Some(count(6000.0 + 2000.0 * state.traffic)),
            open_files_max: Some(3_200_000),
            tcp_out_segs_total: Some(
                boot.segments
                    .add(state.traffic * REQUESTS * 12.0 * secs, dice),
            ),
            tcp_retrans_total: Some(boot.retransmits.add(state.traffic * secs, dice)),
            tcp_established: Some(count(80.0 + 300.0 * state.traffic)),
            listen_overflows_total: Some(0),
            listen_drops_total: Some(0),
            conntrack_used: Some(count(500.0 + 4000.0 * state.traffic)),
            conntrack_max: Some(262_144),
            pressure_cpu_some_us_total: Some(boot.cpu.add((0.02 + 1.2 * waits) * secs * 1e6, dice)),
            pressure_memory_some_us_total: Some(boot.memory.add(0.001 * secs * 1e6, dice)),
            pressure_memory_full_us_total: Some(0),
            pressure_io_some_us_total: Some(boot.io_some.add(1.2 * stalls * secs * 1e6, dice)),
            pressure_io_full_us_total: Some(boot.io_full.exactly(stalls * secs * 1e6)),
            uptime_secs: Some(state.host.secs),
            boot_id: Some(format!("00000000-0000-4000-8000-{:012}", state.host.run)),
            clock_synced: Some(state.clock_synced),
            reboot_required: Some(false),
            reboot_packages: None,
        }
    }

    fn disk(&mut self, state: &State) -> DiskSample {
        let Self { dice, boot, .. } = self;
        let requests = (20.0 + 180.0 * state.traffic) * state.secs;
        let reads = boot.reads.add(0.3 * requests, dice);
        let writes = boot.writes.add(0.7 * requests, dice);
        DiskSample {
            device: "sdb".to_owned(),
            reads_total: reads,
            read_bytes_total: reads * 16_384,
            read_ms_total: reads,
            writes_total: writes,
            write_bytes_total: writes * 12_288,
            write_ms_total: writes,
            in_flight: count(state.disk_busy / 50.0),
            busy_ms_total: boot.busy.exactly(state.disk_busy * 10.0 * state.secs),
            queue_ms_total: boot.queue.exactly(state.disk_busy * 14.0 * state.secs),
        }
    }

    fn network(&mut self) -> NetworkSample {
        let Self { dice, boot, .. } = self;
        let packets = boot.packets.add(9000.0, dice);
        NetworkSample {
            interface: "eth0".to_owned(),
            rx_bytes_total: count(boot.received.total()),
            tx_bytes_total: count(boot.sent.total()),
            rx_packets_total: packets,
            tx_packets_total: packets,
            ..NetworkSample::default()
        }
    }

    fn own(&mut self, state: &State) -> SelfSample {
        let Self { dice, start, .. } = self;
        let is_first = state.collector.is_new();
        SelfSample {
            pid: 700 + i32::try_from(state.collector.run).unwrap_or_default(),
            uptime_secs: state.collector.secs,
            version: "0.1.0".to_owned(),
            buffer_depths: Json("{}".to_owned()),
            disk_queue_bytes: 4 * 1024 * 1024,
            disk_queue_max_bytes: 100 * 1024 * 1024,
            flush_count: start.flushes.exactly(1.0),
            total_rows_written: start.rows.add(400.0, dice),
            // The first tick comes before the session with the database.
            db_healthy: !is_first,
            db_state: if is_first { "connecting" } else { "connected" }.to_owned(),
            tick_duration_ms: (!is_first).then(|| 20.0 + 5.0 * gauss(dice)),
            tick_late_ms: 1.0 + dice.unit(),
            cpu_pct: (!is_first).then(|| 0.6 + 0.1 * gauss(dice)),
            rss_bytes: Some(count((24.0 + dice.unit()) * MIB)),
            vsz_bytes: Some(count(300.0 * MIB)),
            fd_count: Some(360),
            thread_count: Some(4),
            state: Some("S".to_owned()),
            spool_state: "ok".to_owned(),
            ..SelfSample::default()
        }
    }
}

impl Area for Host {
    fn sample(&mut self, state: &State, rows: &mut Vec<Row>) {
        if state.host.is_new() {
            self.boot = SinceBoot::default();
        }
        if state.collector.is_new() {
            self.start = SinceStart::default();
        }
        rows.push(self.system(state).into_row(state.ts));
        rows.push(self.disk(state).into_row(state.ts));
        rows.push(self.network().into_row(state.ts));
        rows.push(self.own(state).into_row(state.ts));
        rows.extend(MOUNTS.map(|mount| mounted(mount, state).into_row(state.ts)));
        for collector in COLLECTORS {
            let run = CollectorRun {
                collector: collector.to_owned(),
                outcome: "ok".to_owned(),
                duration_ms: 3.0 + self.dice.unit(),
                rows: 1,
                error: None,
            };
            rows.push(run.into_row(state.ts));
        }
    }
}

fn mounted((mount, device, gib): (&str, &str, f64), state: &State) -> MountSample {
    let usage = if mount == "/" { 41.0 } else { state.disk_used };
    let total = gib * GIB;
    MountSample {
        mount: mount.to_owned(),
        device: device.to_owned(),
        fs_type: "ext4".to_owned(),
        total_bytes: Some(count(total)),
        available_bytes: Some(count(total * (1.0 - usage / 100.0))),
        usage_pct: Some(usage),
        inodes_total: Some(26_000_000),
        inodes_free: Some(24_000_000),
        read_only: false,
        is_to_be_writable: Some(true),
    }
}
