//! How many files this process may have open, and how many of them may be logs.
//!
//! A process starts with a soft limit of 1,024, mostly, and may raise it to its hard limit. Half of what
//! it then has is for logs, a quarter for files of processes that stay open between ticks. The rest is for
//! what must never fail for want of a descriptor: reading procfs, connections, the spool, and files that
//! are opened while a rotation is followed.

use rustix::io::Errno;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Raises the soft limit to the hard one. Returns the new limit.
///
/// # Errors
/// When the system refuses.
pub fn raise() -> Result<usize, Errno> {
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    // Without a hard limit that of the kernel applies, for which "infinity" may not be requested.
    if current != maximum && maximum.is_some() {
        let current = maximum;
        setrlimit(Resource::Nofile, Rlimit { current, maximum })?;
    }
    Ok(limit())
}

/// Returns the limit in force.
#[must_use]
pub fn limit() -> usize {
    let limit = getrlimit(Resource::Nofile).current;
    limit.map_or(usize::MAX, |limit| {
        usize::try_from(limit).unwrap_or(usize::MAX)
    })
}

/// Returns how many files of logs may be open.
#[must_use]
pub fn for_logs() -> usize {
    limit() / 2
}

/// Returns how many files of processes may stay open.
#[must_use]
pub fn for_processes() -> usize {
    limit() / 4
}
