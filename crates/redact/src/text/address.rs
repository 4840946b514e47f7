//! Logins within addresses: `scheme://user:password@host`, and lines of `.pgpass`:
//! `host:port:database:user:password`.

/// Bytes of an address that are examined.
const MOST: usize = 1024;

/// Returns the password, or the user where that is the secret. `from` is after `://`.
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

/// Returns the password of a line of `.pgpass`. The word is its port, or follows one that is `*`.
pub(super) fn password_file(text: &str, at: usize, end: usize) -> Option<(usize, usize)> {
    const LONGEST_HOST: usize = 253;
    let bytes = text.as_bytes();
    let is_port = |word: &str| {
        matches!(word.len(), 4 | 5) && word.parse::<u16>().is_ok_and(|port| port >= 1000)
    };
    if !bytes[..at].ends_with(b":") || !(bytes[..at].ends_with(b"*:") || is_port(&text[at..end])) {
        return None;
    }
    let ends = |c: char| c.is_whitespace() || matches!(c, '"' | '\'' | '`' | '<' | '>');
    let mut from = at.saturating_sub(LONGEST_HOST);
    while !text.is_char_boundary(from) {
        from += 1;
    }
    let begins = |c: char| ends(c) || matches!(c, '=' | ',' | '(' | '[');
    if let Some((before, c)) = text[from..at].char_indices().rfind(|(_, c)| begins(*c)) {
        from += before + c.len_utf8();
    }
    let mut most = (from + MOST).min(text.len());
    while !text.is_char_boundary(most) {
        most -= 1;
    }
    let whole = &text[from..most];
    let whole = &whole[..whole.find(ends).unwrap_or(whole.len())];
    let fields: Vec<&str> = whole.splitn(5, ':').collect();
    let [host, port, database, user, password] = fields[..] else {
        return None;
    };
    let named = |name: &str| {
        let begins = name.starts_with(|c: char| c.is_alphabetic() || c == '_');
        name == "*"
            || begins
                && name
                    .chars()
                    .all(|c| c.is_alphanumeric() || "_-.@$".contains(c))
    };
    let is_host = !host.is_empty()
        && (host == "*"
            || host
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || "._-/".contains(c)));
    // An address of IPv6 has groups of up to four digits.
    let group =
        |field: &str| field.len() <= 4 && field.bytes().all(|byte| byte.is_ascii_hexdigit());
    let address = [host, database, user].into_iter().all(group);
    let fits = is_host
        && (port == "*" || is_port(port))
        && named(database)
        && named(user)
        && !address
        && !password.is_empty()
        && !password.ends_with(':');
    let to = from + whole.len();
    fits.then(|| (to - password.len(), to))
}

/// Returns whether a text begins as a host does, up to its port or path.
fn is_host(text: &str) -> bool {
    let end = text.find(['/', '?', ':', '#', ',']).unwrap_or(text.len());
    let host = &text[..end];
    host == "localhost"
        || host.starts_with('[')
        || (host.contains('.') && !host.contains('@'))
        || (end > 0 && text[end..].starts_with(':'))
}
