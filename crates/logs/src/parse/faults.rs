//! Messages whose words are fixed by the kernel or the C library, and the level that each has.
//!
//! Files of syslog have no priority as a rule, so that a failing disk looks like the line before it. The
//! kernel's words are read only in lines of the kernel, and only where they are in them: a program
//! that quotes them does not fail. Of all other messages only the end is examined: that is where
//! `perror` and its kin put the error of the system.

use std::sync::LazyLock;

use memchr::memmem::Finder;

use crate::event::Level;

/// Where in a message the words stand.
#[derive(Clone, Copy, Debug)]
enum At {
    /// At its beginning.
    Start,
    /// Behind the name of a device, driver or program, which ends at a blank: `ata1.00: exception …`,
    /// `postgres invoked oom-killer: …`.
    Within,
}
use At::{Start, Within};
use Level::{Error, Warn};

/// Words of the kernel. The first that fits counts.
const KERNEL: &[(At, &str, Level)] = &[
    // Block devices: block/blk-core.c, fs/buffer.c, mm/page_io.c.
    (Start, "Buffer I/O error on ", Error),
    (Within, "I/O error, dev ", Error),
    (Within, "critical medium error, dev ", Error),
    (Within, "critical target error, dev ", Error),
    (Within, "critical space allocation error, dev ", Error),
    (Within, "critical nexus error, dev ", Error),
    (Within, "protection error, dev ", Error),
    (Within, "timeout error, dev ", Error),
    (Within, "recoverable transport error, dev ", Warn),
    (Within, "lost page write due to I/O error", Error),
    (Within, "lost async page write", Error),
    (Within, "rejecting I/O to ", Error),
    (Start, "Read-error on swap-device", Error),
    (Start, "Write-error on swap-device", Error),
    (Start, "end_request: I/O error", Error),
    // File systems.
    (Start, "EXT4-fs error", Error),
    (Start, "EXT3-fs error", Error),
    (Start, "EXT2-fs error", Error),
    (Start, "EXT4-fs warning", Warn),
    (Start, "EXT3-fs warning", Warn),
    (Within, "Remounting filesystem read-only", Error),
    (Within, "Filesystem has been set read-only", Error),
    (Within, "forced readonly", Error),
    (Within, "Delayed block allocation failed", Error),
    (Within, "This should not happen!! Data will be lost", Error),
    (Within, "I/O error while writing superblock", Error),
    (Within, "previous I/O error to superblock detected", Error),
    (Within, "warning: mounting fs with errors", Warn),
    (Within, "error count since last fsck", Warn),
    (Within, "initial error at time", Warn),
    (Within, "last error at time", Warn),
    (Start, "Aborting journal on device", Error),
    (Start, "JBD2: Error", Error),
    (Start, "JBD2: Detected IO errors", Error),
    (Within, "Metadata corruption detected", Error),
    (Within, "Metadata CRC error detected", Error),
    (Within, "metadata I/O error", Error),
    (Within, "log I/O error", Error),
    (Within, "Log I/O Error", Error),
    (Within, "Internal error", Error),
    (Within, "Corruption of in-memory data", Error),
    (Within, "Corruption detected", Error),
    (Within, "Corruption warning", Warn),
    (Within, "xfs_do_force_shutdown", Error),
    (Within, "Filesystem has been shut down", Error),
    (Within, "Please unmount the filesystem and rectify", Error),
    (Within, "User initiated shutdown received", Warn),
    (Start, "BTRFS error", Error),
    (Start, "BTRFS critical", Error),
    (Start, "BTRFS: error", Error),
    (Start, "BTRFS warning", Warn),
    (Start, "F2FS-fs error", Error),
    (Within, "Filesystem error", Error),
    (Start, "FAT-fs", Warn),
    (Start, "SQUASHFS error", Error),
    (Start, "UBIFS error", Error),
    (Start, "GFS2: fsid", Warn),
    (Start, "ISOFS: ", Warn),
    (Start, "NTFS-fs error", Error),
    (Within, "not responding, timed out", Error),
    (Within, "not responding, still trying", Warn),
    // Memory: mm/oom_kill.c, mm/page_alloc.c, mm/vmscan.c.
    (Start, "Out of memory", Error),
    (Start, "Memory cgroup out of memory", Error),
    (Start, "oom-kill:", Error),
    (Within, "invoked oom-killer", Error),
    (Start, "Killed process ", Error),
    (Start, "oom_reaper: ", Warn),
    (Within, "page allocation failure", Warn),
    (Within, "page allocation stalls", Warn),
    (Within, "Unable to allocate memory on node", Warn),
    (Start, "TCP: out of memory", Warn),
    (Within, "vmalloc error", Warn),
    // Hardware: arch/x86/kernel/cpu/mce, drivers/edac, drivers/pci/pcie/aer.c, drivers/acpi/apei.
    (Start, "mce: CPU", Warn),
    (Start, "mce: [Hardware Error]", Error),
    (Start, "[Hardware Error]", Error),
    (Start, "{1}[Hardware Error]", Error),
    (Within, "[Hardware Error]", Error),
    (Start, "Machine check", Error),
    (Start, "MCE: ", Error),
    (Within, "temperature above threshold", Warn),
    (Within, "critical temperature reached", Error),
    (Within, "severity=Corrected", Warn),
    (Within, "severity=Uncorrected", Error),
    (Within, "Uncorrected (", Error),
    (Within, "Corrected error", Warn),
    (Within, "Uncorrected error", Error),
    (Within, " CE memory ", Warn),
    (Within, " UE memory ", Error),
    (Within, " CE ", Warn),
    (Within, " UE ", Error),
    (Start, "Uhhuh. NMI received", Error),
    (Start, "NMI: IOCK error", Error),
    // Controllers and disks: drivers/scsi, drivers/ata, drivers/nvme, drivers/md, drivers/mmc.
    (Within, "FAILED Result:", Error),
    (Within, "Sense Key : Medium Error", Error),
    (Within, "Sense Key : Hardware Error", Error),
    (Within, "Sense Key : Aborted Command", Error),
    (Within, "Sense Key : Not Ready", Warn),
    (Within, "Add. Sense: Unrecovered read error", Error),
    (Within, "Unhandled error code", Error),
    (Within, "Device offlined", Error),
    (Within, "exception Emask", Error),
    (Within, "failed command: ", Error),
    (Within, "error: { ", Error),
    (Within, "status: { DRDY ERR", Error),
    (Within, "hard resetting link", Warn),
    (Within, "soft resetting link", Warn),
    (Within, "limiting SATA link speed", Warn),
    (Within, "link is slow to respond", Warn),
    (Within, "revalidation failed", Error),
    (Within, "failed to IDENTIFY", Error),
    (Within, "COMRESET failed", Error),
    (Within, "controller is down; will reset", Error),
    (Within, "Device not ready; aborting", Error),
    (Within, "Removing after probe failure", Error),
    (Within, "Disabling device after reset failure", Error),
    (Within, ", aborting", Warn),
    (Within, "timeout, reset controller", Error),
    (Within, "timeout, completion polled", Warn),
    (Within, "timeout, disable controller", Error),
    (Within, "Disk failure on ", Error),
    (Within, "kicking non-fresh ", Warn),
    (Within, "read error corrected", Warn),
    (Within, "read error not corrected", Error),
    (Within, "not enough operational ", Error),
    (Within, "Failing path ", Error),
    (Within, "Medium Error", Error),
    (Within, "timeout waiting for hardware interrupt", Error),
    (Within, "transmit queue ", Error),
    // Tasks and the kernel itself: kernel/hung_task.c, kernel/watchdog.c, kernel/panic.c, kernel/rcu.
    (Within, "blocked for more than ", Error),
    (Within, "blocked in I/O wait for more than ", Error),
    (Within, "soft lockup - CPU", Error),
    (Within, "hard LOCKUP on cpu", Error),
    (Within, "self-detected stall", Error),
    (Within, "detected stalls on CPUs", Error),
    (Within, "detected expedited stalls", Error),
    (Within, "kthread starved for ", Error),
    (Start, "BUG: ", Error),
    (Start, "kernel BUG at ", Error),
    (Start, "Kernel panic", Error),
    (Start, "Oops", Error),
    (Start, "Internal error: ", Error),
    (Start, "general protection fault", Error),
    (Start, "Unable to handle kernel ", Error),
    (Start, "stack segment: ", Error),
    (Start, "divide error: ", Error),
    (Start, "WARNING: ", Warn),
    (Start, "INFO: possible ", Warn),
    (Start, "Call Trace:", Warn),
    (Start, "Call trace:", Warn),
    (Start, "------------[ cut here ]", Warn),
    (Within, "segfault at ", Warn),
    (Within, "general protection fault ip", Warn),
    (Start, "traps: ", Warn),
    (Start, "potentially unexpected fatal signal", Warn),
    // Drivers in general, networks, USB.
    (Within, "*ERROR*", Error),
    (Start, "ACPI Error", Warn),
    (Start, "ACPI BIOS Error", Warn),
    (Within, "table full, dropping packet", Warn),
    (Within, "table overflow", Warn),
    (Within, "Possible SYN flooding on port", Warn),
    (Within, "device not accepting address", Error),
    (Within, "device descriptor read/", Error),
    (Within, "over-current", Warn),
    (Start, "audit: backlog limit exceeded", Warn),
    (Start, "audit: kauditd hold queue overflow", Warn),
];

/// Errors of the system that are a fault of the machine, whatever program meets them: there is no room,
/// no memory, no descriptor, or the disk fails. Their texts are those of the C library.
const ERRNOS: &[&str] = &[
    "No space left on device",
    "Disk quota exceeded",
    "Input/output error",
    "Read-only file system",
    "Structure needs cleaning",
    "Cannot allocate memory",
    "Too many open files",
    "Too many open files in system",
    "Stale file handle",
    "Remote I/O error",
];

/// The words that are searched for within a message, made ready for the search.
static WITHIN: LazyLock<Vec<Option<Finder<'static>>>> = LazyLock::new(|| {
    let finder = |(at, words, _): &(At, &'static str, Level)| match at {
        Start => None,
        Within => Some(Finder::new(words.as_bytes())),
    };
    KERNEL.iter().map(finder).collect()
});

/// Returns the level of a message of the kernel; `None` for the course of things.
pub(crate) fn of_kernel(message: &str) -> Option<Level> {
    // What the firewall logs is the most by far, and none of this.
    if message.contains(" SRC=") {
        return None;
    }
    KERNEL
        .iter()
        .zip(WITHIN.iter())
        .find(|((_, words, _), within)| match within {
            Some(finder) => finder.find(message.as_bytes()).is_some(),
            None => message.starts_with(words),
        })
        .map(|((_, _, level), _)| *level)
}

/// By the last letter of [`ERRNOS`], a bit for each letter before it. Letters of either size have the same five
/// low bits.
static ENDINGS: [u32; 32] = {
    let mut table = [0; 32];
    let mut at = 0;
    while at < ERRNOS.len() {
        let words = ERRNOS[at].as_bytes();
        let (before, last) = (words[words.len() - 2], words[words.len() - 1]);
        table[(last & 31) as usize] |= 1 << (before & 31);
        at += 1;
    }
    table
};

/// Returns whether a text may end with one of [`ERRNOS`], by its last two letters.
fn may_end(text: &[u8]) -> bool {
    let [.., before, last] = text else {
        return false;
    };
    ENDINGS[usize::from(last & 31)] & (1 << (before & 31)) != 0
}

/// Returns a warning for a message that ends with the error of a system that is in trouble:
/// `write /var/lib/x: No space left on device`. Behind it may stand its number in brackets, or, in
/// quotes, what it was about.
pub(crate) fn of_errno(message: &str) -> Option<Level> {
    let text = match message.strip_suffix('\'') {
        Some(text) => text.rsplit_once(": '").map_or(text, |(text, _)| text),
        None => message.trim_end_matches(['.', '"', ' ']),
    };
    let text = match text.strip_suffix(')') {
        Some(text) => {
            let (text, number) = text.rsplit_once(" (")?;
            let words = ["os error ", "errno ", "errno: "];
            let number = words
                .iter()
                .find_map(|words| number.strip_prefix(words))
                .unwrap_or(number);
            number.parse::<u16>().ok()?;
            text
        }
        None => text,
    };
    if !may_end(text.as_bytes()) {
        return None;
    }
    let before = ERRNOS.iter().find_map(|words| {
        let at = text.len().checked_sub(words.len())?;
        // Go writes them in small letters.
        let is_end = text.get(at..)?.eq_ignore_ascii_case(words);
        is_end.then(|| &text[..at])
    })?;
    let set_apart = before.is_empty() || before.ends_with([':', ']', '(', '"', '\'']) || {
        before.ends_with(": ") || before.ends_with("] ") || before.ends_with(" - ")
    };
    set_apart.then_some(Level::Warn)
}

/// Returns whether a text is seconds since the start of the machine: `12.345678`.
pub(crate) fn is_uptime(text: &str) -> bool {
    text.contains('.')
        && text.len() > 1
        && text
            .bytes()
            .all(|byte| byte.is_ascii_digit() || byte == b'.')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_of_the_kernel_have_levels() {
        let cases = [
            (
                "EXT4-fs error (device sda1): ext4_find_entry:1455: inode #2: comm ls: reading directory lblock 0",
                Some(Error),
            ),
            (
                "EXT4-fs (sda1): Remounting filesystem read-only",
                Some(Error),
            ),
            (
                "EXT4-fs (sda1): mounted filesystem with ordered data mode. Opts: (null)",
                None,
            ),
            ("EXT4-fs (sda1): re-mounted. Opts: errors=remount-ro", None),
            (
                "EXT4-fs warning (device sda1): ext4_end_bio:344: I/O error 10 writing to inode 12",
                Some(Warn),
            ),
            (
                "Buffer I/O error on dev sdb1, logical block 0, async page read",
                Some(Error),
            ),
            (
                "blk_update_request: I/O error, dev sda, sector 123 op 0x0:(READ)",
                Some(Error),
            ),
            (
                "I/O error, dev nvme0n1, sector 12 op 0x1:(WRITE)",
                Some(Error),
            ),
            ("critical medium error, dev sda, sector 12", Some(Error)),
            ("Aborting journal on device sda1-8.", Some(Error)),
            (
                "XFS (dm-0): Metadata corruption detected at xfs_agi_read_verify+0x12/0x34",
                Some(Error),
            ),
            ("XFS (dm-0): log I/O error -5", Some(Error)),
            ("XFS (dm-0): Mounting V5 Filesystem", None),
            ("XFS (dm-0): Ending clean mount", None),
            (
                "BTRFS error (device sda1): bdev /dev/sda1 errs: wr 1, rd 0",
                Some(Error),
            ),
            (
                "BTRFS warning (device sda1): csum failed root 5 ino 257",
                Some(Warn),
            ),
            ("BTRFS info (device sda1): forced readonly", Some(Error)),
            (
                "BTRFS info (device sda1): disk space caching is enabled",
                None,
            ),
            (
                "Out of memory: Killed process 812 (postgres) total-vm:123456kB",
                Some(Error),
            ),
            (
                "Memory cgroup out of memory: Killed process 812 (postgres)",
                Some(Error),
            ),
            (
                "postgres invoked oom-killer: gfp_mask=0x100cca, order=0",
                Some(Error),
            ),
            (
                "oom-kill:constraint=CONSTRAINT_MEMCG,nodemask=(null)",
                Some(Error),
            ),
            ("kworker/0:1: page allocation failure: order:4", Some(Warn)),
            (
                "mce: [Hardware Error]: CPU 0: Machine Check: 0 Bank 5: be00000000800400",
                Some(Error),
            ),
            (
                "EDAC MC0: 1 CE memory read error on CPU_SrcID#0_MC#0_Chan#0_DIMM#0",
                Some(Warn),
            ),
            (
                "EDAC MC0: 1 UE memory read error on CPU_SrcID#0",
                Some(Error),
            ),
            ("EDAC MC: Ver: 3.0.0", None),
            (
                "pcieport 0000:00:1c.0: AER: Corrected error received: 0000:00:1c.0",
                Some(Warn),
            ),
            (
                "pcieport 0000:00:1c.0: PCIe Bus Error: severity=Uncorrected (Fatal), type=Transaction Layer",
                Some(Error),
            ),
            (
                "ata1.00: exception Emask 0x0 SAct 0x0 SErr 0x0 action 0x6 frozen",
                Some(Error),
            ),
            ("ata1.00: failed command: READ DMA EXT", Some(Error)),
            ("ata1: hard resetting link", Some(Warn)),
            (
                "ata1: SATA link up 6.0 Gbps (SStatus 133 SControl 300)",
                None,
            ),
            ("ata3: SATA link down (SStatus 0 SControl 300)", None),
            (
                "sd 0:0:0:0: [sda] tag#12 FAILED Result: hostbyte=DID_OK driverbyte=DRIVER_SENSE",
                Some(Error),
            ),
            (
                "sd 0:0:0:0: [sda] tag#12 Sense Key : Medium Error [current]",
                Some(Error),
            ),
            ("sd 0:0:0:0: [sda] Attached SCSI disk", None),
            ("nvme nvme0: I/O 12 QID 3 timeout, aborting", Some(Warn)),
            (
                "nvme nvme0: I/O 12 QID 3 timeout, reset controller",
                Some(Error),
            ),
            (
                "nvme nvme0: controller is down; will reset: CSTS=0xffffffff",
                Some(Error),
            ),
            ("nvme nvme0: 8/0/0 default/read/poll queues", None),
            (
                "md/raid1:md0: Disk failure on sda1, disabling device.",
                Some(Error),
            ),
            (
                "INFO: task jbd2/sda1-8:312 blocked for more than 120 seconds.",
                Some(Error),
            ),
            (
                "watchdog: BUG: soft lockup - CPU#1 stuck for 22s! [kworker/1:2:123]",
                Some(Error),
            ),
            (
                "NMI watchdog: Watchdog detected hard LOCKUP on cpu 3",
                Some(Error),
            ),
            (
                "rcu: INFO: rcu_sched self-detected stall on CPU",
                Some(Error),
            ),
            (
                "BUG: unable to handle page fault for address: ffff",
                Some(Error),
            ),
            ("Kernel panic - not syncing: Fatal exception", Some(Error)),
            (
                "WARNING: CPU: 0 PID: 12 at net/core/dev.c:123 x+0x12/0x34",
                Some(Warn),
            ),
            ("Call Trace:", Some(Warn)),
            (" dump_stack_lvl+0x44/0x5c", None),
            (
                "app[12]: segfault at 0 ip 0000 sp 0000 error 4 in app[400000+1000]",
                Some(Warn),
            ),
            (
                "nf_conntrack: nf_conntrack: table full, dropping packet",
                Some(Warn),
            ),
            (
                "nfs: server 192.0.2.9 not responding, still trying",
                Some(Warn),
            ),
            (
                "NETDEV WATCHDOG: eth0 (e1000e): transmit queue 0 timed out",
                Some(Error),
            ),
            (
                "usb 1-1: new high-speed USB device number 2 using xhci_hcd",
                None,
            ),
            ("Linux version 6.1.0-40-amd64", None),
            ("[UFW BLOCK] IN=eth0 OUT= SRC=192.0.2.1 DST=192.0.2.2", None),
            ("device eth0 entered promiscuous mode", None),
            ("random: crng init done", None),
        ];
        for (message, level) in cases {
            assert_eq!(of_kernel(message), level, "{message}");
        }
    }

    #[test]
    fn an_error_of_the_system_ends_a_message() {
        let cases = [
            ("write /var/lib/shop/data: No space left on device", true),
            ("write /var/lib/shop/data: no space left on device", true),
            ("[Errno 28] No space left on device", true),
            ("[Errno 28] No space left on device: '/var/lib/x'", true),
            ("cannot write: No space left on device (os error 28)", true),
            ("cannot write: Read-only file system (30)", true),
            ("read error: Input/output error.", true),
            ("accept4: too many open files", true),
            ("msg=\"write x: no space left on device\"", true),
            ("No space left on device", true),
            ("there is no space left on device", false),
            ("open x: No such file or directory", false),
            ("x: Connection refused", false),
            ("", false),
            (")", false),
            ("größer (12)", false),
        ];
        for (message, is_one) in cases {
            assert_eq!(of_errno(message).is_some(), is_one, "{message}");
        }
    }
}
