//! What fail2ban, the kernel's packet filter, sudo and su say.

use super::seen::{Peer, Seen, What};

/// fail2ban's own log and its lines in a system log: `[sshd] Ban 192.0.2.7`. Behind the program may
/// stand the logger and a level.
pub(super) fn fail2ban(message: &str) -> Option<Seen<'_>> {
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
    let mut seen = Seen::of(what, Peer::parse(address.trim()), None);
    seen.peer?;
    seen.detail = Some(jail);
    Some(seen)
}

/// Words of a log prefix that say the packet went through.
const PASSED: &[&str] = &["ACCEPT", "ALLOW", "AUDIT", "PASS", "PERMIT"];

/// A packet that the packet filter logged: `[UFW BLOCK] IN=eth0 OUT= MAC=… SRC=… DST=… PROTO=TCP DPT=22`.
/// The text before `IN=` is whatever the administrator gave; a packet is taken for dropped unless
/// that says otherwise. What comes behind is the kernel's.
pub(super) fn firewall(message: &str) -> Option<Seen<'_>> {
    let at = message.find("IN=")?;
    let (prefix, packet) = message.split_at(at);
    if !(prefix.is_empty() || prefix.ends_with([' ', ':', ']'])) || !packet.contains(" OUT=") {
        return None;
    }
    let prefix = prefix.to_ascii_uppercase();
    if PASSED.iter().any(|word| prefix.contains(word)) {
        return None;
    }
    let field = |name: &str| {
        let mut fields = packet.split(' ');
        fields
            .find_map(|field| field.strip_prefix(name))
            .filter(|value| !value.is_empty())
    };
    let mut seen = Seen::of(What::Blocked, Peer::parse(field("SRC=")?), None);
    seen.peer.filter(|peer| peer.address.is_some())?;
    seen.detail = field("DPT=");
    Some(seen)
}

/// Why sudo refuses, with whether a rule is missing.
const SUDO: &[(&str, bool)] = &[
    ("user NOT in sudoers", true),
    ("user NOT authorized on host", true),
    ("command not allowed", true),
    ("incorrect password attempt", false),
];

/// sudo: `alice : 3 incorrect password attempts ; TTY=pts/0 ; …`, and what its PAM module says.
pub(super) fn sudo(message: &str) -> Option<Seen<'_>> {
    if message.starts_with("pam_") {
        return module(message);
    }
    let (user, rest) = message.trim_start().split_once(" : ")?;
    let reason = rest.split(" ;").next().unwrap_or(rest);
    let (_, forbidden) = SUDO.iter().find(|(words, _)| reason.contains(words))?;
    let mut seen = Seen::of(
        What::Denied {
            forbidden: *forbidden,
        },
        None,
        Some(user),
    );
    seen.times = reason
        .split(' ')
        .next()
        .and_then(|times| times.parse().ok())
        .unwrap_or(1);
    seen.detail = rest
        .split(" ; ")
        .find_map(|field| field.strip_prefix("USER="))
        .map(str::trim);
    Some(seen)
}

/// su: `FAILED SU (to root) alice on pts/0`, `BAD SU alice to root on /dev/ttyp0`, and its PAM module.
pub(super) fn su(message: &str) -> Option<Seen<'_>> {
    let (user, target) = if let Some(rest) = message.strip_prefix("FAILED SU (to ") {
        let (target, rest) = rest.split_once(") ")?;
        (rest.split(' ').next()?, target)
    } else if let Some(rest) = message.strip_prefix("BAD SU ") {
        let (user, rest) = rest.split_once(" to ")?;
        (user, rest.split(' ').next()?)
    } else if let Some(rest) = message.strip_prefix("failed: ") {
        let (_, rest) = rest.split_once(" changing from ")?;
        rest.split_once(" to ")?
    } else {
        return module(message);
    };
    let mut seen = Seen::of(What::Denied { forbidden: false }, None, Some(user));
    seen.detail = Some(target);
    Some(seen)
}

/// `pam_unix(su:auth): authentication failure; … ruser=alice rhost=  user=root`.
fn module(message: &str) -> Option<Seen<'_>> {
    let text = match message.strip_prefix("pam_") {
        Some(rest) => rest.split_once("): ")?.1,
        None => message,
    };
    let fields = text.strip_prefix("authentication failure;")?;
    let field = |name: &str| {
        let (_, behind) = fields.split_once(name)?;
        Some(behind.split(' ').next().unwrap_or(behind)).filter(|value| !value.is_empty())
    };
    let user = field(" ruser=").or_else(|| field(" logname="));
    let target = field(" user=");
    let mut seen = Seen::of(What::Denied { forbidden: false }, None, user.or(target));
    seen.detail = target;
    Some(seen)
}
