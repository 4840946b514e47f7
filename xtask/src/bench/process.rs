//! Resources that a process has used, as the kernel accounts them.

use anyhow::Context;
use std::fs;

/// Returns the CPU time of all live threads, milliseconds. Source: /proc/PID/task/TID/schedstat, nanoseconds.
pub(crate) fn cpu_ms(pid: u32) -> anyhow::Result<f64> {
    let mut nanos = 0_u64;
    for task in
        fs::read_dir(format!("/proc/{pid}/task")).with_context(|| format!("process {pid}"))?
    {
        let Ok(text) = fs::read_to_string(task?.path().join("schedstat")) else {
            continue;
        };
        nanos += text
            .split(' ')
            .next()
            .and_then(|first| first.parse::<u64>().ok())
            .unwrap_or(0);
    }
    Ok(nanos as f64 / 1e6)
}

/// Returns the CPU time of a process, threads that have ended included, milliseconds. Source: utime and stime of /proc/PID/stat, in
/// hundredths of a second (`USER_HZ`).
pub(crate) fn whole_cpu_ms(pid: u32) -> anyhow::Result<f64> {
    let text = fs::read_to_string(format!("/proc/{pid}/stat"))?;
    // The name before may contain spaces.
    let (_, fields) = text.rsplit_once(") ").context("no name in stat")?;
    let fields: Vec<&str> = fields.split(' ').collect();
    let ticks = |at: usize| -> anyhow::Result<f64> {
        Ok(fields.get(at).context("no times in stat")?.parse()?)
    };
    Ok((ticks(11)? + ticks(12)?) * 10.0)
}

/// Returns the thread of this name, if there is one.
pub(crate) fn thread(pid: u32, name: &str) -> anyhow::Result<Option<u32>> {
    for task in fs::read_dir(format!("/proc/{pid}/task"))? {
        let task = task?.path();
        if fs::read_to_string(task.join("comm")).is_ok_and(|comm| comm.trim_end() == name) {
            let tid = task.file_name().and_then(|tid| tid.to_str());
            return Ok(tid.and_then(|tid| tid.parse().ok()));
        }
    }
    Ok(None)
}

/// Returns the CPU time of one thread, milliseconds.
pub(crate) fn thread_cpu_ms(pid: u32, tid: u32) -> anyhow::Result<f64> {
    let text = fs::read_to_string(format!("/proc/{pid}/task/{tid}/schedstat"))?;
    let nanos: f64 = text.split(' ').next().unwrap_or("0").parse()?;
    Ok(nanos / 1e6)
}

/// Returns the most memory a process ever had resident, MiB. Source: `VmHWM` of /proc/PID/status.
pub(crate) fn peak_rss(pid: u32) -> anyhow::Result<f64> {
    let text = fs::read_to_string(format!("/proc/{pid}/status"))?;
    let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kib: f64 = line
        .and_then(|line| line.split_whitespace().next())
        .context("no VmHWM in status")?
        .parse()?;
    Ok(kib / 1024.0)
}

/// Memory of a process, MiB.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Memory {
    pub(crate) rss: f64,
    pub(crate) pss: f64,
}

/// Returns resident and proportional memory. Source: /proc/PID/smaps_rollup.
pub(crate) fn memory(pid: u32) -> anyhow::Result<Memory> {
    let text = fs::read_to_string(format!("/proc/{pid}/smaps_rollup"))?;
    let field = |name: &str| {
        let line = text.lines().find(|line| line.starts_with(name));
        let kib = line
            .and_then(|line| line.split_whitespace().nth(1))
            .and_then(|kib| kib.parse::<f64>().ok());
        kib.map(|kib| kib / 1024.0)
            .with_context(|| format!("no {name} in smaps_rollup"))
    };
    Ok(Memory {
        rss: field("Rss:")?,
        pss: field("Pss:")?,
    })
}

/// Returns the number of threads.
pub(crate) fn threads(pid: u32) -> anyhow::Result<usize> {
    Ok(fs::read_dir(format!("/proc/{pid}/task"))?.count())
}

/// Returns the CPU time of children that ended and were waited for, milliseconds, in steps of a clock tick.
/// Source: `cutime` and `cstime`, fields 16 and 17 of /proc/PID/stat.
pub(crate) fn ended_children_ms(pid: u32) -> anyhow::Result<f64> {
    const TICKS_PER_SECOND: f64 = 100.0;
    let text = fs::read_to_string(format!("/proc/{pid}/stat"))?;
    let (_, rest) = text.rsplit_once(')').context("no name in stat")?;
    let ticks: u64 = rest
        .split_whitespace()
        .skip(13)
        .take(2)
        .map(|field| field.parse::<u64>().unwrap_or(0))
        .sum();
    Ok(ticks as f64 * 1000.0 / TICKS_PER_SECOND)
}
