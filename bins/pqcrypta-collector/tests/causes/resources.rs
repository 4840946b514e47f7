//! A process that the kernel kills for lack of memory, in a control group with little of it.

use super::{Cause, Expected};
use std::fs;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::Command;

const LIMIT: &str = "16777216";
/// Signal 9.
const KILLED: i32 = 9;

/// Where memory is limited, by version of control groups: the directory, and the file of the limit.
const GROUPS: [(&str, &str); 2] = [
    ("/sys/fs/cgroup", "memory.max"),
    ("/sys/fs/cgroup/memory", "memory.limit_in_bytes"),
];

/// A control group; removed with this value.
pub(crate) struct OutOfMemory {
    group: PathBuf,
}

impl OutOfMemory {
    /// Returns none where no memory can be limited, and prints why.
    pub(crate) fn new() -> Option<Self> {
        let mut faults = Vec::new();
        for (root, limit) in GROUPS {
            let group = Path::new(root).join(format!("pqcrypta-test-{}", std::process::id()));
            let made = fs::create_dir(&group);
            let cause = Self { group };
            let file = cause.group.join(limit);
            // An ordinary directory takes any file.
            let limited = made
                .and_then(|()| fs::metadata(&file))
                .and_then(|_| fs::write(&file, LIMIT));
            match limited {
                Ok(()) => {
                    // Where there is swap, it would only become slow.
                    drop(fs::write(cause.group.join("memory.swap.max"), "0"));
                    drop(fs::write(
                        cause.group.join("memory.memsw.limit_in_bytes"),
                        LIMIT,
                    ));
                    return Some(cause);
                }
                Err(error) => faults.push(format!("{}: {error}", file.display())),
            }
        }
        println!(
            "SKIPPED: a process killed for lack of memory, as memory cannot be limited here: {}",
            faults.join(", ")
        );
        None
    }
}

impl Drop for OutOfMemory {
    fn drop(&mut self) {
        // It may not be there.
        drop(fs::remove_dir(&self.group));
    }
}

impl Cause for OutOfMemory {
    fn begin(&mut self) {
        // `tail` wants a whole line of /dev/zero; the second limit protects the machine if the first one does nothing.
        let script = "echo $$ > \"$0/cgroup.procs\" && ulimit -v 1000000 && exec tail /dev/zero";
        let status = Command::new("sh")
            .args(["-c", script])
            .arg(&self.group)
            .status()
            .unwrap();
        assert_eq!(status.signal(), Some(KILLED), "{status}");
    }

    fn expected(&self) -> Expected {
        Expected {
            rule: "system.oom_kills_per_sec",
            target: String::new(),
            severity: "warn",
            message: "killed by the OOM killer in the last 10 min".to_owned(),
            metric: "system.oom_kills_per_sec",
            step: "dmesg names the victim",
            command: "journalctl -k --since -1h | grep -i 'killed process'".to_owned(),
            confirm_secs: 0,
        }
    }

    fn end(&mut self) {}

    fn has_end(&self) -> bool {
        // Its window is ten minutes.
        super::is_nightly()
    }
}
