//! Host names: lower case, without a final full stop, and letters outside ASCII as punycode (RFC 3492), so that a
//! homograph of a known name is visible as what it is.

/// Parameters of RFC 3492, section 5.
const BASE: u32 = 36;
const T_MIN: u32 = 1;
const T_MAX: u32 = 26;
const SKEW: u32 = 38;
const DAMP: u32 = 700;
const INITIAL_BIAS: u32 = 72;
const INITIAL_N: u32 = 128;

/// Most bytes of a host name (RFC 1035).
const LONGEST: usize = 253;

/// Returns a host name in its one form; `None` when it is not a host name. An IPv6 address is in brackets.
#[must_use]
pub fn canonical(host: &str) -> Option<String> {
    if let Some(address) = host.strip_prefix('[') {
        let address: std::net::Ipv6Addr = address.strip_suffix(']')?.parse().ok()?;
        return Some(format!("[{address}]"));
    }
    let host = host.strip_suffix('.').unwrap_or(host);
    let mut name = String::with_capacity(host.len());
    for label in host.split(['.', '\u{3002}']) {
        if !name.is_empty() {
            name.push('.');
        }
        let label: String = label.chars().flat_map(char::to_lowercase).collect();
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
        let is_word = |character: char| character.is_alphanumeric() || character == '-';
        if label.is_ascii() {
            if label.is_empty() || label.len() > 63 || !label.bytes().all(is_plain) {
                return None;
            }
            name.push_str(&label);
        } else if label.chars().all(|c| {
            is_word(c) || !c.is_ascii() && !crate::text::is_control(c) && !c.is_whitespace()
        }) {
            name.push_str("xn--");
            name.push_str(&punycode(&label)?);
        } else {
            return None;
        }
        if name.len() > LONGEST {
            return None;
        }
    }
    (!name.is_empty()).then_some(name)
}

/// Returns a name without a leading `www.`.
#[must_use]
pub fn without_www(host: &str) -> &str {
    host.strip_prefix("www.").unwrap_or(host)
}

/// Encodes a label; `None` when it is too long for the encoding's numbers.
fn punycode(label: &str) -> Option<String> {
    let code_points: Vec<u32> = label.chars().map(u32::from).collect();
    let mut out: String = label.chars().filter(char::is_ascii).collect();
    let basic = u32::try_from(out.len()).ok()?;
    if basic > 0 {
        out.push('-');
    }
    let (mut n, mut delta, mut bias, mut done) = (INITIAL_N, 0_u32, INITIAL_BIAS, basic);
    while (done as usize) < code_points.len() {
        let next = *code_points.iter().filter(|point| **point >= n).min()?;
        delta = delta.checked_add((next - n).checked_mul(done + 1)?)?;
        n = next;
        for point in &code_points {
            if *point < n {
                delta = delta.checked_add(1)?;
            }
            if *point == n {
                let mut q = delta;
                let mut k = BASE;
                loop {
                    let threshold = k.saturating_sub(bias).clamp(T_MIN, T_MAX);
                    if q < threshold {
                        break;
                    }
                    out.push(digit(threshold + (q - threshold) % (BASE - threshold)));
                    q = (q - threshold) / (BASE - threshold);
                    k += BASE;
                }
                out.push(digit(q));
                bias = adapt(delta, done + 1, done == basic);
                delta = 0;
                done += 1;
            }
        }
        delta = delta.checked_add(1)?;
        n += 1;
    }
    (out.len() <= 59).then_some(out)
}

fn adapt(delta: u32, points: u32, is_first: bool) -> u32 {
    let mut delta = if is_first { delta / DAMP } else { delta / 2 };
    delta += delta / points;
    let mut k = 0;
    while delta > ((BASE - T_MIN) * T_MAX) / 2 {
        delta /= BASE - T_MIN;
        k += BASE;
    }
    k + (BASE - T_MIN + 1) * delta / (delta + SKEW)
}

fn digit(value: u32) -> char {
    char::from_digit(if value < 26 { value + 10 } else { value - 26 }, 36).unwrap_or('0')
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn names_have_one_form() {
        for (host, wanted) in [
            ("Example.ORG", Some("example.org")),
            ("example.org.", Some("example.org")),
            ("bücher.example", Some("xn--bcher-kva.example")),
            ("BÜCHER.example", Some("xn--bcher-kva.example")),
            ("münchen.de", Some("xn--mnchen-3ya.de")),
            // The first letter is Cyrillic.
            ("аpple.com", Some("xn--pple-43d.com")),
            ("中国.cn", Some("xn--fiqs8s.cn")),
            ("пример.рф", Some("xn--e1afmkfd.xn--p1ai")),
            ("[::1]", Some("[::1]")),
            ("[0:0::1]", Some("[::1]")),
            ("127.0.0.1", Some("127.0.0.1")),
            ("my_host", Some("my_host")),
            ("", None),
            (".", None),
            ("a..b", None),
            ("a b", None),
            ("a%00b", None),
            ("[::1", None),
            ("[evil]", None),
            ("a\u{202e}b", None),
        ] {
            assert_eq!(canonical(host).as_deref(), wanted, "{host:?}");
        }
        assert_eq!(canonical(&"a".repeat(64)), None);
        assert_eq!(canonical(&"a.".repeat(200)), None);
    }

    proptest! {
        #[test]
        fn a_form_is_its_own_form(host in "\\PC{0,40}") {
            if let Some(name) = canonical(&host) {
                prop_assert!(name.is_ascii());
                prop_assert_eq!(canonical(&name), Some(name.clone()));
            }
        }
    }
}
