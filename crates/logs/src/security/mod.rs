//! What events mean for the security of the host.
//!
//! ```text
//! event ─ read: what a line says ─ session: lines of one process ─ tally: windows ─ rule: a finding
//! ```
//!
//! * `sshd`, `fail2ban`, `firewall` and `elevation` know the forms of messages. A form says where the
//!   address stands; nothing is searched for, because names and reasons in a message are a stranger's text.
//! * `session` joins the lines of a process, so that an attempt counts once, whatever is logged of it.
//! * `elevation` knows a failure that may not be one; `doubts` holds it until that is known.
//! * `rules` declares what is worth a row. [`Watch`] counts.
//!
//! **A forged line raises nothing.** A message counts only when its program wrote it, and the program
//! is believed only where the parser finds its name by its place in the line (`READERS`). In the
//! journal, a login's session cannot speak for sshd: whoever runs `logger -t sshd` there is not heard.
//! What cannot be told apart is a local user who writes to the system log's socket under another name,
//! where only a file of it is read.

mod doubts;
mod elevation;
mod fail2ban;
mod firewall;
mod json;
mod names;
mod rules;
mod seen;
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
use seen::Seen;

type Read = for<'a> fn(&'a str) -> Option<Seen<'a>>;

/// Whose messages are read, and where.
struct Reader {
    /// Parsers that find the program by its place.
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

/// Longest name of a program with that of a PAM module behind it.
const LONGEST: usize = 48;

/// What an event says, if its program is one of [`READERS`].
fn read<'a>(parser: &str, event: &'a Event) -> Option<Seen<'a>> {
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

/// The program of an event. Some daemons write `[sshd]` where the tag stands.
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
    let name = event.component.rsplit('/').next().unwrap_or_default();
    (name, &event.message)
}

/// A program and its message without the name of a PAM module that wrote for it, which old ones put behind
/// the program's, `sshd(pam_unix)[7]: authentication failure; …`, or before the message,
/// `sshd[7]: (pam_unix) authentication failure; …`.
fn without_module<'a>(program: &'a str, message: &'a str) -> (&'a str, &'a str) {
    let program = match program.split_once("(pam_") {
        Some((name, module)) if module.ends_with(')') => name,
        _ => program,
    };
    let message = match message.strip_prefix("(pam_") {
        Some(rest) => rest.split_once(") ").map_or(message, |(_, text)| text),
        None => message,
    };
    (program, message)
}
