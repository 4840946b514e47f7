//! Logins within addresses: `scheme://user:password@host`.

/// Bytes of an address that are looked at.
const MOST: usize = 1024;

/// The password, or the user where that is the secret. `from` is behind `://`.
pub(super) fn login(text: &str, from: usize) -> Option<(usize, usize)> {
    let mut most = (from + MOST).min(text.len());
    while !text.is_char_boundary(most) {
        most -= 1;
    }
    let rest = &text[from..most];
    let ends = |c: char| c.is_whitespace() || matches!(c, '"' | '\'' | '<' | '>' | '`' | '\\');
    let whole = &rest[..rest.find(ends).unwrap_or(rest.len())];
    let authority = whole.find(['/', '?', '#']).unwrap_or(whole.len());
    let colon = whole[..authority].find(':')?;
    let at = match whole[..authority].rfind('@') {
        // `pa@ss/word@host`: another password than the standard allows.
        Some(at) => whole
            .rfind('@')
            .filter(|last| is_host(&whole[last + 1..]) && !is_host(&whole[at + 1..]))
            .unwrap_or(at),
        // `pa/ss@host`; what follows the colon of a host is a number.
        None => {
            let port = &whole[colon + 1..authority];
            if port.bytes().all(|byte| byte.is_ascii_digit()) {
                return None;
            }
            whole.rfind('@')?
        }
    };
    if at <= colon {
        return None;
    }
    // GitHub takes a token as the user.
    let token_first = matches!(&whole[colon + 1..at], "x-oauth-basic" | "");
    Some(if token_first {
        (from, from + colon)
    } else {
        (from + colon + 1, from + at)
    })
}

/// Whether a text begins as a host does, up to its port or path.
fn is_host(text: &str) -> bool {
    let end = text.find(['/', '?', ':', '#', ',']).unwrap_or(text.len());
    let host = &text[..end];
    host == "localhost"
        || host.starts_with('[')
        || (host.contains('.') && !host.contains('@'))
        || (end > 0 && text[end..].starts_with(':'))
}
