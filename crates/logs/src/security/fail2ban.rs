//! Bans of fail2ban.

use super::observation::{Observation, Peer, What};

/// Reads fail2ban's own log and its lines in a system log: `[sshd] Ban 192.0.2.7`. The program
/// may be followed by the logger and a level.
pub(super) fn read(message: &str) -> Option<Observation<'_>> {
    let message = match message.split_once("]: ") {
        Some((logger, rest)) if logger.starts_with("fail2ban.") => rest,
        _ => message,
    };
    let message = ["NOTICE", "WARNING", "INFO"]
        .iter()
        .find_map(|level| message.strip_prefix(level))
        .unwrap_or(message);
    let (jail, action) = message.trim_start().strip_prefix('[')?.split_once("] ")?;
    let (what, address) = [
        ("Ban ", What::Ban { restored: false }),
        ("Restore Ban ", What::Ban { restored: true }),
        ("Unban ", What::Unban),
    ]
    .into_iter()
    .find_map(|(begins, what)| Some((what, action.strip_prefix(begins)?)))?;
    let mut seen = Observation::of(what, Peer::parse(address.trim()), None);
    seen.peer?;
    seen.detail = Some(jail);
    Some(seen)
}
