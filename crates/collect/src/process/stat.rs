//! `/proc/PID/stat`: one line that gives CPU, memory, threads, state and start.
//!
//! The second field is the name in parentheses. It may hold anything, blanks, parentheses and
//! newlines too, so that the fields are counted from the last `)`.

use crate::fields::{number, number_or_zero_below};

/// `PF_KTHREAD` of the kernel: the task runs in the kernel and has no memory of its own.
const KERNEL_THREAD: u64 = 0x0020_0000;

/// The line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ProcessStat<'a> {
    pub(crate) comm: &'a [u8],
    pub(crate) state: u8,
    pub(crate) parent_pid: i32,
    pub(crate) kernel_thread: bool,
    /// User and system time of all threads, clock ticks.
    pub(crate) cpu_ticks: u64,
    pub(crate) threads: i32,
    /// Clock ticks after boot at which it started.
    pub(crate) start_ticks: u64,
    /// Virtual memory, bytes.
    pub(crate) vsz_bytes: u64,
    /// Resident memory, pages.
    pub(crate) rss_pages: u64,
}

/// Reads the line; `None` when it is not one.
pub(crate) fn parse(text: &[u8]) -> Option<ProcessStat<'_>> {
    let open = text.iter().position(|&byte| byte == b'(')?;
    let close = text.iter().rposition(|&byte| byte == b')')?;
    let comm = text.get(open + 1..close)?;
    let mut fields = text
        .get(close + 1..)?
        .split(u8::is_ascii_whitespace)
        .filter(|field| !field.is_empty());

    // numbers in brackets are those of proc(5)
    let state = *fields.next()?.first()?; // (3)
    let parent_pid = saturating_i32(number_or_zero_below(fields.next()?)?); // (4)
    let flags = number(fields.nth(4)?)?; // (9)
    let user = number(fields.nth(4)?)?; // (14)
    let system = number(fields.next()?)?; // (15)
    let threads = saturating_i32(number_or_zero_below(fields.nth(4)?)?); // (20)
    let start_ticks = number(fields.nth(1)?)?; // (22)
    let vsz_bytes = number(fields.next()?)?; // (23)
    let rss_pages = number_or_zero_below(fields.next()?)?; // (24)
    Some(ProcessStat {
        comm,
        state,
        parent_pid,
        kernel_thread: flags & KERNEL_THREAD != 0,
        cpu_ticks: user.saturating_add(system),
        threads,
        start_ticks,
        vsz_bytes,
        rss_pages,
    })
}

fn saturating_i32(value: u64) -> i32 {
    i32::try_from(value).unwrap_or(i32::MAX)
}
