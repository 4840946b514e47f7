//! What a word is by its letters alone.

use super::token::{BLANK, BREAK, CLASS, DOT, RARE, SLASH, WILD};

/// Most groups of an address: a fingerprint of a key has 32.
const GROUPS: u32 = 40;

/// Whether a word without digits, but with signs, names one thing of many.
pub(super) fn is_name(word: &[u8], seen: u8) -> bool {
    if seen & SLASH != 0 && word.len() > 1 {
        let path = word[0] == b'/'
            || word.starts_with(b"./")
            || word.starts_with(b"../")
            || word.starts_with(b"~/");
        if path {
            return true;
        }
    }
    if seen & RARE != 0 {
        let marked = memchr::memmem::find(word, redact::MARK.as_bytes()).is_some()
            || memchr::memmem::find(word, WILD.as_bytes()).is_some();
        let mail = memchr::memchr(b'@', word).is_some_and(|at| at > 0 && at + 1 < word.len());
        let backslashes = memchr::memchr_iter(b'\\', word).count();
        if marked || mail || backslashes >= 2 {
            return true;
        }
    }
    if seen & DOT != 0 {
        let host = word.split(|byte| *byte == b'/').next().unwrap_or(word);
        let host = host.strip_suffix(b".").unwrap_or(host);
        let labels = host.split(|byte| *byte == b'.');
        let mut count = 0;
        for label in labels {
            if label.is_empty() || !label[0].is_ascii_alphanumeric() {
                return false;
            }
            count += 1;
        }
        return count >= 3;
    }
    false
}

/// A number with signs around it: `-3`, `<1`, `~2.5`.
pub(super) fn is_quantity(word: &[u8]) -> bool {
    word.iter().all(|byte| {
        byte.is_ascii_digit() || matches!(byte, b'.' | b'-' | b'+' | b'<' | b'>' | b'~')
    })
}

/// The end of the IPv6 or MAC address that begins at `start`. Groups of digits alone are masked
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
