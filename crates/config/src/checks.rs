//! Checks that look at more than one value, or at the machine.

use std::fs;
use std::os::unix::fs::MetadataExt;

use crate::Config;
use crate::database::SslMode;
use crate::draft::Draft;
use crate::faults::Place;
use crate::key::Problem;
use crate::machine::Machine;
use crate::monitor::Monitor;
use crate::origin::Origin;
use crate::url::is_loopback;

/// Secrets in a file that others may read, or in the environment. `open_mode` is the mode of a file
/// that is open to others.
pub(crate) fn secrets(draft: &mut Draft, open_mode: Option<u32>) {
    let slots = draft.config.slots().into_iter();
    for path in slots
        .filter(|slot| slot.key.is_secret())
        .map(|slot| slot.path())
    {
        let origin = draft.origin(&path);
        let line = draft.secrets_in_file.get(&path).copied();
        if let (Some(mode), Some(line)) = (open_mode, line)
            && !matches!(origin, Origin::Credential(_))
        {
            let file = draft.path.clone();
            let problem = Problem::new(
                format!("is a secret in a file that others may read (mode {mode:04o})"),
                format!(
                    "run chmod 600 {}, or keep the secret in a systemd credential",
                    file.display()
                ),
            );
            draft.fault_at(Place::File(file, Some(line)), &path, problem);
        }
        if matches!(origin, Origin::Variable(_)) {
            draft.warn(
                &path,
                Problem::new(
                    "is a secret that /proc/PID/environ and systemctl show",
                    "use LoadCredential= or a file",
                ),
            );
        }
    }
}

/// Values that do not fit together.
pub(crate) fn keys_together(draft: &mut Draft) {
    let Config {
        database,
        retention,
        monitor,
        ..
    } = draft.config.clone();
    if database.sslmode == SslMode::Disable && !database.is_socket() && !is_loopback(&database.host)
    {
        draft.fault(
            "database.sslmode",
            Problem::new(
                format!("is disable, and {} is another machine", database.host),
                r#"write "auto" or "verify-full""#,
            ),
        );
    }
    for (low_key, low, high_key, high) in [
        (
            "retention.raw_days",
            retention.raw_days,
            "retention.hourly_days",
            retention.hourly_days,
        ),
        (
            "retention.hourly_days",
            retention.hourly_days,
            "retention.daily_days",
            retention.daily_days,
        ),
    ] {
        if low > high {
            // Where the person has written something, not at the default.
            let at = match draft.origin(high_key) {
                Origin::Default => low_key,
                _ => high_key,
            };
            draft.fault(
                at,
                Problem::new(
                    format!("{low_key} is {low} and {high_key} is {high}"),
                    "keep raw_days ≤ hourly_days ≤ daily_days",
                ),
            );
        }
    }
    if let Err(problem) = Monitor::check_listen(monitor.listen) {
        draft.fault("monitor.listen", problem);
    }
}

/// Checks the directory of the queue and the room for it.
pub(crate) fn queue(draft: &mut Draft, machine: &Machine) {
    const DIR: &str = "collector.queue_dir";
    let dir = draft.config.collector.queue_dir.clone();
    if !dir.is_absolute() {
        // Refused when it was set.
        return;
    }
    // Nothing there: it is created with mode 0700.
    if let Ok(found) = fs::symlink_metadata(&dir) {
        let problem = if found.is_symlink() {
            Some(Problem::new(
                format!("{} is a symbolic link", dir.display()),
                "name the directory itself",
            ))
        } else if !found.is_dir() {
            Some(Problem::new(
                format!("{} is not a directory", dir.display()),
                "name a directory",
            ))
        } else if found.mode() & 0o002 != 0 {
            Some(Problem::new(
                format!("{} is writable by everybody", dir.display()),
                format!("run chmod 700 {}", dir.display()),
            ))
        } else {
            None
        };
        if let Some(problem) = problem {
            draft.fault(DIR, problem);
        }
    }
    if machine.is_memory(&dir) {
        draft.warn(
            DIR,
            Problem::new(
                format!(
                    "{} is kept in memory and does not survive a restart",
                    dir.display()
                ),
                "name a directory on a disk",
            ),
        );
    }
    let wanted = draft.config.collector.queue_max_mb;
    if let Some(free) = machine.free_mb(&dir) {
        let most = (free / 2).max(4);
        if wanted > most {
            draft.config.collector.queue_max_mb = most;
            draft.warn(
                "collector.queue_max_mb",
                Problem::new(
                    format!(
                        "is {wanted}, more than half of the {free} MB free there; {most} is used"
                    ),
                    "free some space or choose less",
                ),
            );
        }
    }
}
