//! The words that the masks and the grouping treat separately. One table each, in alphabetical order
//! and in lower case, so that a word is looked up by bisection.
//!
//! The tables are general: they hold words of English, of HTTP, of operating systems and of SQL, and
//! none that only one program writes.

/// Words after which a name stands.
#[rustfmt::skip]
const NAMED: &[&str] = &[
    "account", "login", "logname", "ruser", "user", "username",
];

/// Words that are not names, although they are after one of [`NAMED`].
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

/// Words that state what happened. Events that differ in one of them are different events, so a place
/// that one of them was seen in stays closed.
#[rustfmt::skip]
const STATES: &[&str] = &[
    "abort", "aborted", "accepted", "active", "added", "allowed", "attached", "authenticated",
    "available", "banned", "began", "begin", "blocked", "broken", "cancelled", "changed",
    "close", "closed", "closing", "complete", "completed", "connect", "connected", "connecting",
    "corrected", "corrupt", "crashed", "created", "dead", "deleted", "denied", "detached",
    "died", "disabled", "disconnect", "disconnected", "done", "down", "dropped", "enabled",
    "end", "ended", "error", "established", "exit", "exited", "expired", "fail", "failed",
    "failure", "fatal", "finish", "finished", "found", "full", "granted", "healthy",
    "idle", "ignored", "inactive", "initialized", "interrupted", "invalid", "joined", "killed",
    "leaving", "left", "listening", "lock", "locked", "login", "logout", "lost", "missing",
    "mounted", "off", "offline", "ok", "on", "online", "open", "opened", "opening", "panic",
    "paused", "pending", "read", "reading", "ready", "received", "receiving", "recovered",
    "refused", "registered", "rejected", "released", "removed", "reset", "resolved",
    "restarted", "resumed", "retry", "rollback", "running", "sending", "sent", "shutdown",
    "skipped", "sleeping", "start", "started", "starting", "stop", "stopped", "stopping",
    "succeeded", "success", "successful", "successfully", "suspended", "terminated",
    "terminating", "timeout", "unavailable", "unblocked", "unhealthy", "unknown",
    "unlocked", "unmounted", "unregistered", "up", "updated", "valid", "waiting", "warning",
    "write", "writing",
];

/// Things that are counted: with a number after it, such a word states which of them.
#[rustfmt::skip]
const COUNTED: &[&str] = &[
    "app", "attempt", "batch", "block", "broker", "chunk", "client", "col", "column",
    "conn", "connection", "container", "core", "cpu", "db", "executor", "follower", "group",
    "host", "id", "instance", "item", "job", "leader", "line", "machine", "member", "no",
    "node", "num", "number", "object", "part", "partition", "peer", "piece", "pod", "pool",
    "port", "proc", "process", "queue", "rank", "replica", "req", "request", "rev", "row",
    "segment", "server", "session", "shard", "slave", "slot", "stage", "step", "storage",
    "task", "test", "thread", "tid", "topic", "try", "uid", "user", "vm", "web", "worker",
];

/// Names of kinds with a longer number in them, or with one that is alone.
#[rustfmt::skip]
const VERSIONED: &[&str] = &[
    "aarch64", "aes128", "aes192", "aes256", "amd64", "arm64", "armv7l", "base32", "base58",
    "base64", "bzip2", "crc32", "crc32c", "ed25519", "fat16", "fat32", "float32", "float64",
    "h264", "h265", "http/2", "http/3", "i386", "i486", "i586", "i686", "int16", "int32",
    "int64", "iso-8859-1", "latin1", "ppc64", "ppc64le", "riscv64", "s390x", "sha-1",
    "sha-256", "sha-512", "sha224", "sha256", "sha384", "sha512", "uint16", "uint32", "uint64",
    "utf-16", "utf-32", "utf-8", "utf16", "utf32", "win32", "win64", "x11", "x509", "x64",
    "x86", "x86-64", "x86_64",
];

/// Endings of the names of source files.
#[rustfmt::skip]
const SOURCES: &[&str] = &[
    "c", "cc", "cpp", "cs", "cxx", "erl", "ex", "go", "h", "hpp", "java", "js", "kt", "lua",
    "php", "pl", "py", "rb", "rs", "scala", "sh", "sql", "swift", "ts",
];

/// Domains of the top level by which the name of a host is known: those that are hardly the last
/// part of an identifier or of a file name.
#[rustfmt::skip]
const DOMAINS: &[&str] = &[
    "ar", "arpa", "au", "be", "bg", "br", "ca", "ch", "cl", "cn", "com", "cz", "de", "dk",
    "edu", "ee", "es", "eu", "example", "fi", "fr", "gov", "gr", "hk", "hr", "hu", "ie",
    "il", "internal", "intranet", "ir", "jp", "kr", "lan", "local", "localdomain", "lt",
    "lu", "lv", "mil", "mx", "net", "nl", "nz", "onion", "org", "pl", "pt", "ro", "ru",
    "se", "sg", "sk", "th", "tr", "tw", "ua", "uk", "vn", "za",
];

/// Domains that are words as well: of a host they are the third label or a later one.
#[rustfmt::skip]
const LATE_DOMAINS: &[&str] = &[
    "ai", "at", "biz", "cc", "cloud", "co", "corp", "dev", "home", "in", "info", "invalid",
    "io", "it", "me", "name", "no", "online", "site", "test", "tv", "us", "xyz",
];

/// Units that are apart from their number.
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

/// Returns a word as one number, small letters, first letter highest: numbers are in the order of the words.
/// 0 for what is in no table because it is too long.
const fn packed(word: &[u8]) -> u128 {
    if word.len() > LONGEST {
        return 0;
    }
    let mut number = 0;
    let mut at = 0;
    while at < word.len() {
        number = number << 8 | word[at].to_ascii_lowercase() as u128;
        at += 1;
    }
    number << ((8 * (LONGEST - word.len())) % 128)
}

const fn table<const N: usize>(words: &[&str]) -> [u128; N] {
    let mut numbers = [0; N];
    let mut at = 0;
    while at < N {
        numbers[at] = packed(words[at].as_bytes());
        at += 1;
    }
    numbers
}

macro_rules! tables {
    ($($name:ident = $words:ident;)*) => {
        $(static $name: [u128; $words.len()] = table($words);)*
    };
}

tables! {
    NAMED_TABLE = NAMED;
    FUNCTION_TABLE = FUNCTION;
    STATES_TABLE = STATES;
    UNITS_TABLE = UNITS;
    DATES_TABLE = DATES;
    COUNTED_TABLE = COUNTED;
    VERSIONED_TABLE = VERSIONED;
    SOURCES_TABLE = SOURCES;
    DOMAINS_TABLE = DOMAINS;
    LATE_DOMAINS_TABLE = LATE_DOMAINS;
}

fn in_table(table: &[u128], word: &[u8]) -> bool {
    table.binary_search(&packed(word)).is_ok()
}

/// Returns whether a name comes after the word.
pub(super) fn is_named(word: &[u8]) -> bool {
    // Asked for every word: the first letter decides most.
    matches!(word.len(), 4..=8)
        && matches!(word[0] | 0x20, b'a' | b'l' | b'r' | b'u')
        && in_table(&NAMED_TABLE, word)
}

/// Returns whether the word cannot be a name.
pub(super) fn is_function(word: &[u8]) -> bool {
    in_table(&FUNCTION_TABLE, word)
}

/// Returns whether the word states what happened: it is in the table, or ends like a past
/// participle.
pub(super) fn is_state(word: &[u8]) -> bool {
    let word = word.strip_suffix(b".").unwrap_or(word);
    let ending = word.len().checked_sub(2).map(|from| &word[from..]);
    let participle = word.len() >= 6
        && ending.is_some_and(|ending| ending.eq_ignore_ascii_case(b"ed"))
        && word.iter().all(u8::is_ascii_alphabetic);
    participle || in_table(&STATES_TABLE, word)
}

/// Returns whether the word is something of which there are many with a number each.
pub(super) fn is_counted(word: &[u8]) -> bool {
    in_table(&COUNTED_TABLE, word)
}

/// Returns whether the word is the name of a kind, with a number in it.
pub(super) fn is_versioned(word: &[u8]) -> bool {
    matches!(word.len(), 3..=10) && in_table(&VERSIONED_TABLE, word)
}

/// Returns whether the value of this key is a text.
pub(super) fn is_text(key: &[u8]) -> bool {
    matches!(key.len(), 3..=7) && is_one_of(key, &["event", "message", "msg"])
}

/// Returns whether the word is the ending of the name of a source file.
pub(super) fn is_source(word: &[u8]) -> bool {
    in_table(&SOURCES_TABLE, word)
}

/// Returns whether the word is a domain of the top level.
pub(super) fn is_domain(word: &[u8]) -> bool {
    in_table(&DOMAINS_TABLE, word)
}

/// Returns whether the word is a domain of the top level when two labels are before it.
pub(super) fn is_late_domain(word: &[u8]) -> bool {
    in_table(&LATE_DOMAINS_TABLE, word)
}

/// Returns whether the word is the unit of the number before it.
pub(super) fn is_unit(word: &[u8]) -> bool {
    word.len() <= LONGEST && in_table(&UNITS_TABLE, word)
}

/// Returns whether the word is a truth value, or what a language prints for no value.
pub(super) fn is_constant(word: &[u8]) -> bool {
    match word.len() {
        3 => is_one_of(word, &["nil", "nan"]),
        4 => is_one_of(word, &["true", "null"]) || word == b"None",
        5 => is_one_of(word, &["false"]),
        9 => is_one_of(word, &["undefined"]),
        _ => false,
    }
}

/// Returns whether the word, written with a capital, names a day or a month.
pub(super) fn is_date(word: &[u8]) -> bool {
    matches!(word.len(), 3..=9) && word[0].is_ascii_uppercase() && in_table(&DATES_TABLE, word)
}

/// Returns whether the word is a method of HTTP.
pub(super) fn is_method(word: &[u8]) -> bool {
    matches!(word.len(), 3..=7)
        && word[1].is_ascii_uppercase()
        && matches!(word[0], b'C' | b'D' | b'G' | b'H' | b'O' | b'P' | b'T')
        && METHODS.iter().any(|method| method.as_bytes() == word)
}

/// Returns whether the word is one of these, in small letters.
pub(super) fn is_one_of(word: &[u8], words: &[&str]) -> bool {
    words
        .iter()
        .any(|one| one.len() == word.len() && one.as_bytes().eq_ignore_ascii_case(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_found_in_any_case() {
        assert!(is_state(b"Opened") && is_state(b"retry") && is_unit(b"kB") && is_named(b"User"));
        assert!(is_date(b"Sep") && is_function(b"NOT") && is_method(b"GET"));
        assert!(!is_state(b"amber") && !is_state(b"") && !is_state(b"a word of more than sixteen"));
        assert!(!is_date(b"sep") && !is_method(b"get"));
    }

    #[test]
    fn tables_are_in_order_and_short_enough() {
        let tables = [
            NAMED,
            FUNCTION,
            STATES,
            UNITS,
            DATES,
            COUNTED,
            VERSIONED,
            SOURCES,
            DOMAINS,
            LATE_DOMAINS,
        ];
        for table in tables {
            let pair = table.windows(2).find(|pair| pair[0] >= pair[1]);
            assert_eq!(pair, None);
            for word in table {
                assert!(word.len() <= LONGEST, "{word}");
                assert_eq!(word.to_ascii_lowercase(), *word);
            }
        }
    }
}
