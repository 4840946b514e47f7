//! What every program has: processor time, memory, open files and when it began, as Prometheus's own libraries name them.
//!
//! Read from `/proc` at each scrape. What cannot be read is left out: unknown is not zero.

use std::fs;

use crate::Page;

/// Fields of `/proc/self/stat` behind the name in parentheses, counted from the state.
const USER_TICKS: usize = 11;
const SYSTEM_TICKS: usize = 12;
const START_TICKS: usize = 19;
const VIRTUAL_BYTES: usize = 20;
const RESIDENT_PAGES: usize = 21;

/// Writes the families of this process.
pub fn write(page: &mut Page) {
    let read = |path: &str| fs::read_to_string(path).unwrap_or_default();
    let ticks = rustix::param::clock_ticks_per_second() as f64;
    let stat = read("/proc/self/stat");
    let used = |field: usize| stated(&stat, field);
    if let (Some(user), Some(system)) = (used(USER_TICKS), used(SYSTEM_TICKS)) {
        page.counter(
            "process_cpu_seconds_total",
            "Processor time of this program, in user and in system mode.",
            (user + system) / ticks,
        );
    }
    let gauges = [
        (
            "process_resident_memory_bytes",
            "Memory of this program that is in RAM.",
            used(RESIDENT_PAGES).map(|pages| pages * rustix::param::page_size() as f64),
        ),
        (
            "process_virtual_memory_bytes",
            "Addresses of this program that are mapped.",
            used(VIRTUAL_BYTES),
        ),
        (
            "process_start_time_seconds",
            "When this program began, seconds since 1970.",
            used(START_TICKS)
                .zip(booted(&read("/proc/stat")))
                .map(|(start, boot)| boot + start / ticks),
        ),
        (
            "process_open_fds",
            "Open files and connections of this program.",
            fs::read_dir("/proc/self/fd")
                .ok()
                // One is that of the directory.
                .map(|files| files.count().saturating_sub(1) as f64),
        ),
        (
            "process_max_fds",
            "Most files and connections that it may have open.",
            most_files(&read("/proc/self/limits")),
        ),
    ];
    for (name, help, value) in gauges {
        if let Some(value) = value {
            page.one(name, help, value);
        }
    }
}

/// Returns a field behind the name, which may hold anything but ends with the last parenthesis.
fn stated(stat: &str, field: usize) -> Option<f64> {
    let (_, fields) = stat.rsplit_once(')')?;
    fields.split_ascii_whitespace().nth(field)?.parse().ok()
}

/// Returns when the machine was booted, seconds since 1970.
fn booted(stat: &str) -> Option<f64> {
    let line = stat.lines().find_map(|line| line.strip_prefix("btime "))?;
    line.trim().parse().ok()
}

/// Returns the limit in force; nothing for `unlimited`.
fn most_files(limits: &str) -> Option<f64> {
    let line = limits
        .lines()
        .find_map(|line| line.strip_prefix("Max open files"))?;
    line.split_ascii_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_with_parentheses_moves_no_field() {
        let stat = "7 (a) b (c) S 1 7 7 0 -1 4194560 1 0 0 0 300 50 0 0 20 0 1 0 4200 1048576 25 0";
        let read = [
            USER_TICKS,
            SYSTEM_TICKS,
            START_TICKS,
            VIRTUAL_BYTES,
            RESIDENT_PAGES,
        ]
        .map(|field| stated(stat, field));
        assert_eq!(read, [300.0, 50.0, 4200.0, 1_048_576.0, 25.0].map(Some));
        assert_eq!(booted("cpu 1 2\nbtime 1790000000\n"), Some(1_790_000_000.0));
        assert_eq!(
            most_files("Max open files            1024                 4096                 files"),
            Some(1024.0)
        );
        assert_eq!(
            most_files("Max open files            unlimited            unlimited            files"),
            None
        );
    }

    #[test]
    fn this_process_has_all_of_them() {
        let mut page = Page::default();
        write(&mut page);
        let page = page.finish();
        for name in [
            "cpu_seconds_total",
            "resident_memory_bytes",
            "virtual_memory_bytes",
            "start_time_seconds",
            "open_fds",
        ] {
            assert!(
                page.contains(&format!("\nprocess_{name} ")),
                "{name}\n{page}"
            );
        }
    }
}
