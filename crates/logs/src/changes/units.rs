//! Services of systemd, and the kernel that was booted.

use super::{Action, Change};
use crate::event::Event;

/// Beginnings of names of services that come and go with logins and timers, without a change of the host.
const PASSING: &[&str] = &["user@", "user-runtime-dir@", "run-", "systemd-"];

/// Reads a message of systemd's manager: `Started nginx.service - A high performance web server.` Since version 250 (and as
/// Debian configures older ones: not) the name of the unit comes first; a message with the description alone names no
/// unit and is no change here. Source: systemd's `job.c` and `service.c`.
pub(super) fn read(event: &Event) -> Option<Change<'_>> {
    if event.component != "systemd" {
        return None;
    }
    // `nginx.service: Failed with result 'exit-code'.`
    if let Some((unit, rest)) = event.message.split_once(": ") {
        let action = match rest {
            _ if rest.starts_with("Failed with result '") => Action::Failed,
            _ if rest.starts_with("Scheduled restart job, restart counter is at ") => {
                Action::Restarted
            }
            _ => return None,
        };
        return Some(Change::new("unit", service(unit)?, action));
    }
    let (verb, rest) = event.message.split_once(' ')?;
    let action = match verb {
        "Started" => Action::Started,
        "Stopped" => Action::Stopped,
        "Reloaded" => Action::Reloaded,
        _ => return None,
    };
    let unit = match rest.split_once(" - ") {
        Some((unit, _)) => unit,
        None => rest.strip_suffix('.')?,
    };
    Some(Change::new("unit", service(unit)?, action))
}

/// Returns the name of a service, if it is one that somebody runs.
fn service(unit: &str) -> Option<&str> {
    let name = unit.strip_suffix(".service")?;
    let is_plain = !name.is_empty() && !name.contains(char::is_whitespace);
    (is_plain && !PASSING.iter().any(|passing| name.starts_with(passing))).then_some(unit)
}

/// Reads the first message of a kernel: `Linux version 6.1.0-28-amd64 (…) …`.
pub(super) fn kernel(event: &Event) -> Option<Change<'_>> {
    if event.component != "kernel" {
        return None;
    }
    // A file of syslog may have the time since the boot before it.
    let message = match event.message.strip_prefix('[') {
        Some(rest) => rest.split_once("] ")?.1,
        None => &event.message,
    };
    let version = message.strip_prefix("Linux version ")?.split(' ').next()?;
    Some(Change::new("kernel", "Linux", Action::Booted).after(Some(version)))
}
