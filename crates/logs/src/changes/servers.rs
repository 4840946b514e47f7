//! Web servers that say that they were started or have read their configuration again.

use super::{Action, Change};
use crate::event::Event;

/// Reads Apache's error log. The numbers of the messages stand for them; the words differ between versions.
/// Source: `log_message_tags`, and mpm_common.c, event.c, prefork.c of httpd 2.4.
pub(super) fn apache(event: &Event) -> Option<Change<'_>> {
    let message = event.message.as_str();
    let action = match message.split_once(": ").map_or("", |(number, _)| number) {
        // configured -- resuming normal operations: worker, event and prefork.
        "AH00292" | "AH00489" | "AH00163" => Action::Started,
        // SIGUSR1 received. Doing graceful restart; SIGHUP received.
        "AH00297" | "AH00493" | "AH00171" | "AH00298" | "AH00494" | "AH00173" => Action::Reloaded,
        // caught SIGTERM, shutting down.
        "AH00295" | "AH00491" | "AH00169" => Action::Stopped,
        _ => return None,
    };
    Some(Change::new("server", "", action))
}

/// Reads nginx's error log at level notice, of which the parser has taken `12#12:`. Source: `ngx_process.c`.
pub(super) fn nginx(event: &Event) -> Option<Change<'_>> {
    event.pid?;
    // `signal 1 (SIGHUP) received from 7, reconfiguring`
    let rest = event.message.strip_prefix("signal ")?;
    if !event.component.is_empty() || !rest.contains(") received from ") {
        return None;
    }
    let action = match rest.rsplit_once(", ")?.1 {
        "reconfiguring" => Action::Reloaded,
        "exiting" | "shutting down" => Action::Stopped,
        _ => return None,
    };
    Some(Change::new("server", "", action))
}
