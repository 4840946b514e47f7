//! Sessions for which the database has no room: noted where every part of the collector sees it, and logged once.

use store::crowding::Purpose;
use store::host::OpenError;
use store::status::SharedStatus;

/// Notes how opening a session ended.
pub(crate) fn note(status: &SharedStatus, purpose: Purpose, error: Option<&OpenError>) {
    let refusal = error
        .filter(|error| error.is_crowded())
        .map(ToString::to_string);
    note_refusal(status, purpose, refusal);
}

/// Notes how opening a session ended: with the server's words where it had no room.
pub(crate) fn note_refusal(status: &SharedStatus, purpose: Purpose, refusal: Option<String>) {
    let words = refusal.clone().unwrap_or_default();
    match status.note_room(purpose, refusal) {
        Some(true) => tracing::warn!(
            error = words,
            "the database has no room for a further session; what needs one waits"
        ),
        Some(false) => tracing::info!("the database has room for every session again"),
        None => {}
    }
}
