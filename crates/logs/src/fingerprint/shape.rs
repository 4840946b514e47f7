//! What a word is by its letters alone.

use super::token::{BLANK, BREAK, CLASS, DOT, RARE, SLASH};
use super::words;

/// Most groups of an address: a fingerprint of a key has 32.
const GROUPS: u32 = 40;

/// Most digits of a word that is the name of a kind, as `nvme0n1` or `enp0s3`.
const DIGITS: usize = 3;

/// Longest word that is examined for a name with digits.
const LONGEST: usize = 40;

/// Returns whether a word with signs in it names one thing of many: a path, an address, a host.
pub(super) fn is_name(word: &[u8], seen: u8) -> bool {
    if seen & SLASH != 0 && is_path(word) {
        return true;
    }
    if seen & RARE != 0 {
        let marked = memchr::memmem::find(word, redact::MARK.as_bytes()).is_some();
        let mail = memchr::memchr(b'@', word).is_some_and(|at| at > 0 && at + 1 < word.len());
        let backslashes = memchr::memchr_iter(b'\\', word).count();
        if marked || mail || backslashes >= 2 {
            return true;
        }
    }
    seen & DOT != 0 && is_host(word)
}

/// Returns whether a word with a slash is a path: it begins at the root, here or at home, has three
/// parts, or ends with a file name. `Input/output` and `text/plain` are not.
fn is_path(word: &[u8]) -> bool {
    if word[0] == b'/' || word.starts_with(b"./") || word.starts_with(b"../") {
        return true;
    }
    if word.starts_with(b"~/") {
        return true;
    }
    let parts = word.split(|byte| *byte == b'/').count();
    let last = word.rsplit(|byte| *byte == b'/').next().unwrap_or_default();
    let last = last.strip_suffix(b".").unwrap_or(last);
    parts > 2 || last.is_empty() || memchr::memchr(b'.', last).is_some_and(|at| at > 0)
}

/// Returns whether a word with dots is the name of a host. A dotted identifier (a package, a property,
/// an intent) is written the same way; a host ends with a domain of the top level.
fn is_host(word: &[u8]) -> bool {
    let host = word.split(|byte| *byte == b'/').next().unwrap_or(word);
    let host = host.strip_suffix(b".").unwrap_or(host);
    let mut labels = 0;
    for label in host.split(|byte| *byte == b'.') {
        let sign = |byte: &u8| matches!(byte, b'-' | b'_');
        let small = |byte: &u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || sign(byte);
        if label.is_empty() || sign(&label[0]) || !label.iter().all(small) {
            return false;
        }
        labels += 1;
    }
    let last = host.rsplit(|byte| *byte == b'.').next().unwrap_or_default();
    labels >= 2 && words::is_domain(last) || labels >= 3 && words::is_late_domain(last)
}

/// Returns whether a dotted word before a `:` is the name of a host with its port, or of a place in a
/// program with its line: a number of at least two digits follows. In `object.field:12` it has two
/// parts, with capitals as a rule; and `main.c:12` states what rather than which.
pub(super) fn has_place(word: &[u8], rest: &[u8]) -> bool {
    let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let ends = !rest.get(digits).is_some_and(u8::is_ascii_alphanumeric);
    let parts = word.split(|byte| *byte == b'.');
    let parts = parts.filter(|part| !part.is_empty()).count();
    let small = !word.iter().any(u8::is_ascii_uppercase);
    let last = word.rsplit(|byte| *byte == b'.').next().unwrap_or_default();
    (2..=5).contains(&digits)
        && ends
        && parts >= if small { 2 } else { 3 }
        && !words::is_source(last)
}

/// Returns whether a word with digits is the name of a kind of things rather than of one of many:
/// `IPv4`, `eth0`, `ext4`, `log4j`, `sha256`. Such a name has single digits glued to letters; a name
/// of something that is counted (`node7`, `worker3`), a letter with a digit in a longer name
/// (`rack_A8`), a longer number and what begins with a digit say which.
pub(super) fn is_kind(word: &[u8]) -> bool {
    if word.len() > LONGEST || word[0].is_ascii_digit() {
        return false;
    }
    let bare = word.strip_suffix(b".").unwrap_or(word);
    if words::is_versioned(bare) {
        return true;
    }
    // `dump3.gz` is a file.
    if memchr::memchr_iter(b'.', bare).count() == 1 {
        return false;
    }
    let digits = word.iter().filter(|byte| byte.is_ascii_digit()).count();
    let one_of_many = |part: &[u8]| matches!(part, [b'A'..=b'Z', b'0'..=b'9']) && bare.len() > 2;
    let mut parts = bare.split(|byte| b"-_./$+@\\".contains(byte));
    digits <= DIGITS && parts.all(|part| is_kind_part(part) && !one_of_many(part))
        || bare
            .split(|byte| b"-_./".contains(byte))
            .all(|part| words::is_versioned(part) || is_letters(part))
}

fn is_letters(part: &[u8]) -> bool {
    part.iter().all(u8::is_ascii_alphabetic)
}

fn is_kind_part(part: &[u8]) -> bool {
    if is_letters(part) {
        return true;
    }
    if !part[0].is_ascii_alphabetic() || !part.iter().all(u8::is_ascii_alphanumeric) {
        return false;
    }
    let pair = part
        .windows(2)
        .any(|pair| pair.iter().all(u8::is_ascii_digit));
    let hex = part.len() >= 5 && part.iter().all(u8::is_ascii_hexdigit);
    let stem = part.split_last().map_or(part, |(_, stem)| stem);
    !pair && !hex && !words::is_counted(stem)
}

/// Returns whether a word with digits may be a key: a name with a short number.
pub(super) fn is_key(word: &[u8]) -> bool {
    let digits = word.iter().filter(|byte| byte.is_ascii_digit()).count();
    (word[0].is_ascii_alphabetic() || word[0] == b'_') && digits <= DIGITS && word.len() <= LONGEST
}

/// Returns whether a word is a number with signs around it: `-3`, `~2.5`.
pub(super) fn is_quantity(word: &[u8]) -> bool {
    word.iter()
        .all(|byte| byte.is_ascii_digit() || matches!(byte, b'.' | b'-' | b'+' | b'~'))
}

/// Returns the end of the IPv6 or MAC address that begins at `start`. Groups of digits alone are masked
/// anyway; an address is found whole so that a group of letters does not stay.
pub(super) fn address(bytes: &[u8], start: usize) -> Option<usize> {
    let (mut at, mut groups, mut colons) = (start, 0_u32, 0_u32);
    let (mut double, mut digits) = (false, false);
    let mut pairs = true;
    loop {
        let group = at;
        while at < bytes.len() && bytes[at].is_ascii_hexdigit() && at - group <= 4 {
            digits |= bytes[at].is_ascii_digit();
            at += 1;
        }
        match at - group {
            0 => {}
            1..=4 => {
                groups += 1;
                pairs &= at - group == 2;
            }
            _ => return None,
        }
        if groups > GROUPS || colons > GROUPS {
            return None;
        }
        if bytes.get(at) != Some(&b':') {
            break;
        }
        if bytes.get(at + 1) == Some(&b':') {
            double = true;
            at += 1;
        }
        colons += 1;
        at += 1;
    }
    // What follows belongs to it, when it is a zone, a length or an IPv4 address at the end.
    let rest = at;
    while at < bytes.len() && CLASS[usize::from(bytes[at])] & (BLANK | BREAK) == 0 {
        at += 1;
    }
    let zone = bytes.get(rest) == Some(&b'%');
    if !zone && bytes[rest..at].iter().any(u8::is_ascii_alphabetic) {
        return None;
    }
    let mac = pairs && groups >= 6 && !double;
    let long = groups >= 8 && colons >= 7;
    ((double && digits && groups >= 1) || mac || long).then_some(at)
}
