//! `[collector]`: batches, deadlines and the queue on disk.

use std::path::PathBuf;
use std::time::Duration;

use crate::section::section;

section! {
    /// Batches, deadlines and the queue on disk that holds samples until the database has them.
    pub struct Collector = "collector" {
        /// Records of the queue, one per class and tick, that a transaction takes at most.
        batch_size: u32 = 50 => env("BATCH_SIZE") range(1, 10_000) live();
        /// Seconds after which a statement is given up, so that nothing waits behind it.
        query_timeout_secs: u32 = 10 => env("QUERY_TIMEOUT_SECS") range(1, 300) live();
        /// Directory of the queue; on a disk, owned by the collector and closed to others.
        queue_dir: PathBuf = PathBuf::from("/var/lib/pqcrypta-collector/queue") => env("QUEUE_DIR") with(crate::machine::absolute);
        /// Most megabytes the queue may take on disk.
        queue_max_mb: u64 = 100 => env("QUEUE_MAX_MB") range(4, 1_048_576) live();
        /// Distinct log messages counted separately per source and hour; the rest are counted together.
        max_fingerprints_per_source: u32 = 1000 => env("MAX_FINGERPRINTS_PER_SOURCE") range(10, 1_000_000) live();
        /// Processes that are always recorded, besides those that use the most memory.
        processes: Vec<String> = watched() => with(names) live();
        /// Processes with less resident memory than so many MiB are summed by name, those apart that are
        /// watched, use one percent of a core or more, or wait for a device; 0 sums none. For hosts with
        /// thousands of processes, each of which is a row a tick otherwise.
        process_floor_mb: u32 = 0 => range(0, 1_048_576) live();
        /// File in which the collector tells about itself after each tick, for the textfile collector of node_exporter, which wants
        /// a name in `.prom`; absent: none.
        textfile: Option<PathBuf> = None => env("TEXTFILE") with(prom) live();
    }
}

impl Collector {
    /// Returns how long a statement may take.
    #[must_use]
    pub fn query_timeout(&self) -> Duration {
        Duration::from_secs(u64::from(self.query_timeout_secs))
    }
}

/// An absolute path in `.prom`: node_exporter reads no other, so that what is being written is not read.
fn prom(value: &crate::key::Value) -> Result<(), crate::key::Problem> {
    crate::machine::absolute(value)?;
    match value {
        crate::key::Value::Text(text) if !text.is_empty() && !text.ends_with(".prom") => {
            Err(crate::key::Problem::new(
                format!("{} does not end in .prom", crate::key::quoted(text)),
                "name a file such as /var/lib/prometheus/node-exporter/pqcrypta.prom",
            ))
        }
        _ => Ok(()),
    }
}

fn watched() -> Vec<String> {
    [
        "pqcrypta-proxy",
        "pqcrypta-api",
        "pqcrypta-collector",
        "postgres",
        "apache2",
        "php-fpm",
    ]
    .map(str::to_owned)
    .to_vec()
}

/// Names of processes: filled, without a slash, and not too many.
fn names(value: &crate::key::Value) -> Result<(), crate::key::Problem> {
    const MOST: usize = 200;
    let crate::key::Value::List(names) = value else {
        return Ok(());
    };
    if names.len() > MOST {
        return Err(crate::key::Problem::new(
            format!("lists {} names, more than {MOST}", names.len()),
            "list only the processes that must never be missing",
        ));
    }
    match names
        .iter()
        .find(|name| name.trim().is_empty() || name.contains(['/', '\0', '\n']))
    {
        Some(name) => Err(crate::key::Problem::new(
            format!(
                "lists {}, which is not the name of a process",
                crate::key::quoted(name)
            ),
            "write the name as ps shows it, without its directory",
        )),
        None => Ok(()),
    }
}
