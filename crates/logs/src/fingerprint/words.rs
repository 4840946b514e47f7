//! The words that the masks and the grouping treat apart. One table each, in alphabetical order and
//! in small letters, so that a word is looked up by bisection.
//!
//! The tables are general: they hold words of English, of HTTP, of operating systems and of SQL, and
//! none that only one program writes.

/// Words after which a name stands.
#[rustfmt::skip]
const NAMED: &[&str] = &[
    "account", "login", "logname", "ruser", "user", "username",
];

/// Words that are no names, although they stand after one of [`NAMED`].
#[rustfmt::skip]
const FUNCTION: &[&str] = &[
    "a", "about", "account", "all", "already", "an", "and", "are", "as", "at", "authentication",
    "by", "can", "cannot", "closed", "connected", "created", "data", "database", "denied",
    "did", "disconnected", "does", "exists", "expired", "failed", "failure", "for", "from",
    "group", "had", "has", "have", "id", "in", "into", "invalid", "is", "limit", "list",
    "locked", "logged", "login", "logout", "may", "mode", "name", "names", "no", "none", "not",
    "of", "on", "opened", "or", "password", "request", "requested", "session", "space", "to",
    "unknown", "was", "were", "which", "will", "with", "without",
];

/// Words that tell what happened. Events that differ in one of them are different events, so a place
/// that one of them was seen in stays closed.
#[rustfmt::skip]
const STATES: &[&str] = &[
    "abort", "aborted", "accepted", "active", "added", "allowed", "attached", "authenticated",
    "available", "banned", "began", "begin", "blocked", "broken", "cancelled", "changed",
    "close", "closed", "closing", "complete", "completed", "connect", "connected", "connecting",
    "corrected", "corrupt", "crashed", "created", "dead", "deleted", "denied", "detached",
    "died", "disabled", "disconnect", "disconnected", "done", "down", "dropped", "enabled",
    "end", "ended", "error", "established", "exit", "exited", "expired", "fail", "failed",
    "failure", "false", "fatal", "finish", "finished", "found", "full", "granted", "healthy",
    "idle", "ignored", "inactive", "initialized", "interrupted", "invalid", "joined", "killed",
    "leaving", "left", "listening", "lock", "locked", "login", "logout", "lost", "missing",
    "mounted", "off", "offline", "ok", "on", "online", "open", "opened", "opening", "panic",
    "paused", "pending", "read", "reading", "ready", "received", "receiving", "recovered",
    "refused", "registered", "rejected", "released", "removed", "reset", "resolved",
    "restarted", "resumed", "retry", "rollback", "running", "sending", "sent", "shutdown",
    "skipped", "sleeping", "start", "started", "starting", "stop", "stopped", "stopping",
    "succeeded", "success", "successful", "successfully", "suspended", "terminated",
    "terminating", "timeout", "true", "unavailable", "unblocked", "unhealthy", "unknown",
    "unlocked", "unmounted", "unregistered", "up", "updated", "valid", "waiting", "warning",
    "write", "writing",
];

/// Units that stand apart from their number.
#[rustfmt::skip]
const UNITS: &[&str] = &[
    "%", "b", "byte", "bytes", "d", "day", "days", "gb", "gib", "h", "hour", "hours", "hz",
    "kb", "kib", "m", "mb", "mib", "microseconds", "milliseconds", "min", "mins", "minute",
    "minutes", "ms", "ns", "s", "sec", "second", "seconds", "secs", "tb", "us",
];

/// Beginnings of the names of days and months; the whole word is one or its first three letters.
#[rustfmt::skip]
const DATES: &[&str] = &[
    "apr", "april", "aug", "august", "dec", "december", "feb", "february", "fri", "friday",
    "jan", "january", "jul", "july", "jun", "june", "mar", "march", "may", "mon", "monday",
    "nov", "november", "oct", "october", "sat", "saturday", "sep", "september", "sun", "sunday",
    "thu", "thursday", "tue", "tuesday", "wed", "wednesday",
];

/// Methods of HTTP, as they are written.
#[rustfmt::skip]
const METHODS: &[&str] = &[
    "CONNECT", "DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT", "TRACE",
];

/// The longest word of any table.
const LONGEST: usize = 16;

fn in_table(table: &[&str], word: &[u8]) -> bool {
    if word.is_empty() || word.len() > LONGEST {
        return false;
    }
    let mut small = [0; LONGEST];
    let small = &mut small[..word.len()];
    small.copy_from_slice(word);
    small.make_ascii_lowercase();
    table
        .binary_search_by(|entry| entry.as_bytes().cmp(small))
        .is_ok()
}

/// Whether a name comes after the word.
pub(super) fn is_named(word: &[u8]) -> bool {
    // Asked for every word: the first letter decides most.
    matches!(word.len(), 4..=8)
        && matches!(word[0] | 0x20, b'a' | b'l' | b'r' | b'u')
        && in_table(NAMED, word)
}

/// Whether the word is none that could be a name.
pub(super) fn is_function(word: &[u8]) -> bool {
    in_table(FUNCTION, word)
}

/// Whether the word says what happened.
pub(super) fn is_state(word: &[u8]) -> bool {
    in_table(STATES, word)
}

/// Whether the word is the unit of the number before it.
pub(super) fn is_unit(word: &[u8]) -> bool {
    in_table(UNITS, word)
}

/// Whether the word, written with a capital, names a day or a month.
pub(super) fn is_date(word: &[u8]) -> bool {
    matches!(word.len(), 3..=9) && word[0].is_ascii_uppercase() && in_table(DATES, word)
}

/// Whether the word is a method of HTTP.
pub(super) fn is_method(word: &[u8]) -> bool {
    matches!(word.len(), 3..=7) && METHODS.iter().any(|method| method.as_bytes() == word)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_are_in_order_and_short_enough() {
        for table in [NAMED, FUNCTION, STATES, UNITS, DATES] {
            assert!(table.is_sorted(), "{table:?}");
            for word in table {
                assert!(word.len() <= LONGEST, "{word}");
                assert_eq!(word.to_ascii_lowercase(), *word);
                assert!(in_table(table, word.as_bytes()), "{word}");
            }
        }
    }
}
