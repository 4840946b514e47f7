//! `/proc/stat`: CPU time of the machine and of each core, and counters of the scheduler.
//!
//! Time is counted in ticks since boot. The kernel counts guest time within user time, and does
//! not promise that idle and iowait only grow, so that shares are made of the steps of each
//! counter, none below zero, over the sum of these steps. When the sum itself goes back, the
//! counters are other ones than before (a container was moved) and there is no share for the
//! interval. A core is known by its name: the list has holes where cores are offline.

use std::fmt::Write as _;

use crate::fields::{fields, lines, number, split_once};

/// Ticks by state of the CPU. `None` beyond the columns the kernel has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct CpuTicks {
    pub(crate) user: u64,
    pub(crate) nice: u64,
    pub(crate) system: u64,
    pub(crate) idle: u64,
    pub(crate) iowait: Option<u64>,
    pub(crate) irq: Option<u64>,
    pub(crate) softirq: Option<u64>,
    pub(crate) steal: Option<u64>,
    pub(crate) guest: Option<u64>,
    pub(crate) guest_nice: Option<u64>,
}

/// The file.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct KernelStat {
    pub(crate) cpu: Option<CpuTicks>,
    /// Cores online by number, in the order of the file.
    pub(crate) cores: Vec<(u32, CpuTicks)>,
    pub(crate) ctxt: Option<u64>,
    /// Seconds since the epoch at which the machine booted.
    pub(crate) btime: Option<u64>,
    pub(crate) forks: Option<u64>,
    pub(crate) procs_running: Option<u64>,
    pub(crate) procs_blocked: Option<u64>,
}

/// Reads the file.
pub(crate) fn parse(text: &[u8]) -> KernelStat {
    let mut stat = KernelStat::default();
    for line in lines(text) {
        let Some((key, rest)) = split_once(line, b' ') else {
            continue;
        };
        let only = || fields(rest).next().and_then(number);
        match key {
            b"cpu" => stat.cpu = ticks(rest),
            b"ctxt" => stat.ctxt = only(),
            b"btime" => stat.btime = only(),
            b"processes" => stat.forks = only(),
            b"procs_running" => stat.procs_running = only(),
            b"procs_blocked" => stat.procs_blocked = only(),
            _ => {
                let core = key
                    .strip_prefix(b"cpu")
                    .and_then(number)
                    .and_then(|core| u32::try_from(core).ok());
                if let (Some(core), Some(ticks)) = (core, ticks(rest)) {
                    stat.cores.push((core, ticks));
                }
            }
        }
    }
    stat
}

fn ticks(rest: &[u8]) -> Option<CpuTicks> {
    let mut columns = fields(rest).map_while(number);
    Some(CpuTicks {
        user: columns.next()?,
        nice: columns.next()?,
        system: columns.next()?,
        idle: columns.next()?,
        iowait: columns.next(),
        irq: columns.next(),
        softirq: columns.next(),
        steal: columns.next(),
        guest: columns.next(),
        guest_nice: columns.next(),
    })
}

impl CpuTicks {
    /// Returns the sum of all times: guest time is within user time.
    fn total(&self) -> u64 {
        [
            self.user,
            self.nice,
            self.system,
            self.idle,
            self.iowait.unwrap_or(0),
            self.irq.unwrap_or(0),
            self.softirq.unwrap_or(0),
            self.steal.unwrap_or(0),
        ]
        .into_iter()
        .fold(0, u64::saturating_add)
    }
}

/// Shares of a CPU's states in an interval, percent.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct CpuShares {
    pub(crate) user: f64,
    pub(crate) nice: f64,
    pub(crate) system: f64,
    pub(crate) idle: f64,
    pub(crate) iowait: Option<f64>,
    pub(crate) irq: Option<f64>,
    pub(crate) softirq: Option<f64>,
    pub(crate) steal: Option<f64>,
    pub(crate) guest: Option<f64>,
}

/// Returns the shares between two readings; `None` when no time has passed or it went back.
pub(crate) fn shares(before: &CpuTicks, now: &CpuTicks) -> Option<CpuShares> {
    if now.total() <= before.total() {
        return None;
    }
    let step = |before: u64, now: u64| now.saturating_sub(before);
    let step_of = |before: Option<u64>, now: Option<u64>| Some(step(before?, now?));
    let user = step(before.user, now.user);
    let nice = step(before.nice, now.nice);
    let system = step(before.system, now.system);
    let idle = step(before.idle, now.idle);
    let iowait = step_of(before.iowait, now.iowait);
    let irq = step_of(before.irq, now.irq);
    let softirq = step_of(before.softirq, now.softirq);
    let steal = step_of(before.steal, now.steal);
    // guest time is counted a little later than the user time it is part of
    let guest = step_of(before.guest, now.guest).map(|guest| guest.min(user));
    let guest_nice = step_of(before.guest_nice, now.guest_nice).map(|guest| guest.min(nice));

    let total = [
        user,
        nice,
        system,
        idle,
        iowait.unwrap_or(0),
        irq.unwrap_or(0),
        softirq.unwrap_or(0),
        steal.unwrap_or(0),
    ]
    .into_iter()
    .fold(0, u64::saturating_add);
    if total == 0 {
        return None;
    }
    let share = |ticks: u64| ticks as f64 * 100.0 / total as f64;
    Some(CpuShares {
        user: share(user.saturating_sub(guest.unwrap_or(0))),
        nice: share(nice.saturating_sub(guest_nice.unwrap_or(0))),
        system: share(system),
        idle: share(idle),
        iowait: iowait.map(share),
        irq: irq.map(share),
        softirq: softirq.map(share),
        steal: steal.map(share),
        guest: guest.map(|guest| share(guest.saturating_add(guest_nice.unwrap_or(0)))),
    })
}

/// Returns one JSON object per core online, percent of that core; `null` where a core has no share for
/// the interval, as it was offline before or its tick did not run.
pub(crate) fn cores_json(before: &[(u32, CpuTicks)], now: &[(u32, CpuTicks)]) -> String {
    let mut json = String::with_capacity(2 + now.len() * 80);
    json.push('[');
    for (at, (core, ticks)) in now.iter().enumerate() {
        let shares = before
            .get(at)
            .filter(|(name, _)| name == core)
            .or_else(|| before.iter().find(|(name, _)| name == core))
            .and_then(|(_, before)| shares(before, ticks));
        if at > 0 {
            json.push(',');
        }
        // writing to a String cannot fail
        let _infallible = match shares {
            Some(shares) => write!(
                json,
                r#"{{"core":{core},"user":{:.2},"system":{:.2},"idle":{:.2},"iowait":{:.2},"other":{:.2}}}"#,
                shares.user + shares.nice,
                shares.system,
                shares.idle,
                shares.iowait.unwrap_or(0.0),
                [shares.irq, shares.softirq, shares.steal, shares.guest]
                    .into_iter()
                    .flatten()
                    .fold(0.0, |sum: f64, share| sum + share),
            ),
            None => write!(
                json,
                r#"{{"core":{core},"user":null,"system":null,"idle":null,"iowait":null,"other":null}}"#
            ),
        };
    }
    json.push(']');
    json
}
