//! Security events of the host, derived from its logs.
//!
//! ```text
//! event ─ read: content of a line ─ session: lines of one process ─ tally: windows ─ rule: finding
//! ```
//!
//! * `sshd`, `fail2ban`, `firewall` and `elevation` know the forms of messages. A form determines where the
//!   address is; nothing is searched for, because names and reasons in a message are untrusted text.
//! * `session` joins the lines of a process, so that an attempt counts once, however many lines it writes.
//! * `elevation` recognises failures that may still succeed; `doubts` holds them until they are settled.
//! * `rules` declares thresholds. [`Watch`] counts.
//!
//! **A forged line raises nothing.** A message counts only if its program wrote it, and the program
//! is trusted only where the parser finds its name by its position in the line (`READERS`). In the
//! journal, lines of login sessions do not count as sshd's: `logger -t sshd` there has no effect.
//! A local user who writes to the system log's socket under another name cannot be recognised
//! where only a file of that log is read.

mod doubts;
mod elevation;
mod entries;
mod fail2ban;
mod firewall;
mod json;
mod names;
mod observation;
mod rules;
mod session;
mod sshd;
mod sweep;
mod tally;
mod watch;

#[cfg(test)]
mod tests;

pub use rules::{RULES, Rule};
pub use watch::{Counted, Watch};

use crate::event::Event;
use observation::Observation;

type Read = for<'a> fn(&'a str) -> Option<Observation<'a>>;

/// Programs whose messages are read, and the parsers for which they count.
struct Reader {
    /// Parsers that find the program by its position.
    parsers: &'static [&'static str],
    /// Names of the program.
    programs: &'static [&'static str],
    read: Read,
}

/// Parsers of the system's own log.
const SYSTEM: &[&str] = &["syslog", "journalctl"];

const READERS: &[Reader] = &[
    Reader {
        parsers: SYSTEM,
        programs: sshd::PROGRAMS,
        read: sshd::read,
    },
    Reader {
        parsers: SYSTEM,
        programs: &["kernel", "ulogd"],
        read: firewall::read,
    },
    Reader {
        parsers: SYSTEM,
        programs: &["sudo", "sudo-rs"],
        read: elevation::sudo,
    },
    Reader {
        parsers: SYSTEM,
        programs: &["su", "su-l"],
        read: elevation::su,
    },
    Reader {
        parsers: SYSTEM,
        programs: &["fail2ban", "fail2ban-server", "fail2ban.actions"],
        read: fail2ban::read,
    },
    Reader {
        parsers: &["fail2ban"],
        programs: &["fail2ban.actions", "actions"],
        read: fail2ban::read,
    },
];

/// Maximum length of a program's name followed by that of a PAM module.
const LONGEST: usize = 48;

/// Returns the content of an event, if its program is one of [`READERS`].
fn read<'a>(parser: &str, event: &'a Event) -> Option<Observation<'a>> {
    let (program, message) = program(parser, event);
    if program.is_empty() || program.len() > LONGEST {
        return None;
    }
    let (program, message) = without_module(program, message);
    let reader = READERS
        .iter()
        .find(|reader| reader.programs.contains(&program) && reader.parsers.contains(&parser))?;
    if program.starts_with("sshd")
        && (event.unit.starts_with("session-") || event.unit.starts_with("user@"))
    {
        return None;
    }
    (reader.read)(message)
}

/// Returns the program of an event. Some daemons write `[sshd]` where the tag stands.
fn program<'a>(parser: &str, event: &'a Event) -> (&'a str, &'a str) {
    if event.component.is_empty() && parser == "syslog" {
        let tagged = event
            .message
            .strip_prefix('[')
            .and_then(|rest| rest.split_once(']'));
        if let Some((program, message)) = tagged {
            let message = message.strip_prefix(':').unwrap_or(message);
            return (program, message.trim_start());
        }
    }
    let path = event.component.as_str();
    let name = memchr::memrchr(b'/', path.as_bytes()).map_or(path, |slash| &path[slash + 1..]);
    (name, &event.message)
}

/// Returns a program and its message without the name of a PAM module that wrote for it, which old ones put after
/// the program's, `sshd(pam_unix)[7]: authentication failure; …`, or before the message,
/// `sshd[7]: (pam_unix) authentication failure; …`.
fn without_module<'a>(program: &'a str, message: &'a str) -> (&'a str, &'a str) {
    let program = match program.strip_suffix(')') {
        Some(inner) => inner.split_once("(pam_").map_or(program, |(name, _)| name),
        None => program,
    };
    let message = match message.strip_prefix("(pam_") {
        Some(rest) => rest.split_once(") ").map_or(message, |(_, text)| text),
        None => message,
    };
    (program, message)
}
