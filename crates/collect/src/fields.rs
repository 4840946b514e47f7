//! Numbers and fields out of the kernel's text, as bytes.
//!
//! Nothing here fails loudly: what is not a number is `None`, and what is too large for its type
//! is the largest value of it. The kernel's counters are unsigned and PostgreSQL's are not, so
//! that [`stored`] is where the two meet.

/// The fields of a line, separated by any run of blanks.
pub(crate) fn fields(line: &[u8]) -> impl Iterator<Item = &[u8]> {
    line.split(u8::is_ascii_whitespace)
        .filter(|field| !field.is_empty())
}

/// The lines of a text; a last line without its newline counts.
pub(crate) fn lines(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    text.split(|&byte| byte == b'\n')
        .filter(|line| !line.is_empty())
}

/// A decimal number, saturating; `None` when it is empty or holds anything but digits.
pub(crate) fn number(field: &[u8]) -> Option<u64> {
    if field.is_empty() {
        return None;
    }
    field.iter().try_fold(0_u64, |value, &byte| {
        byte.is_ascii_digit().then(|| {
            value
                .saturating_mul(10)
                .saturating_add(u64::from(byte - b'0'))
        })
    })
}

/// As [`number`] for figures that may carry a minus sign; below zero is 0.
pub(crate) fn number_or_zero_below(field: &[u8]) -> Option<u64> {
    match field {
        [b'-', digits @ ..] => number(digits).map(|_| 0),
        digits => number(digits),
    }
}

/// A finite decimal fraction.
pub(crate) fn fraction(field: &[u8]) -> Option<f64> {
    let value: f64 = std::str::from_utf8(field).ok()?.parse().ok()?;
    value.is_finite().then_some(value)
}

/// A counter of the kernel as the database stores it, saturating.
pub(crate) fn stored(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

/// The bytes before and after the first `separator`.
pub(crate) fn split_once(text: &[u8], separator: u8) -> Option<(&[u8], &[u8])> {
    let at = text.iter().position(|&byte| byte == separator)?;
    Some((text.get(..at)?, text.get(at + 1..)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_saturate_and_refuse_everything_else() {
        let cases: [(&[u8], Option<u64>); 8] = [
            (b"0", Some(0)),
            (b"18446744073709551615", Some(u64::MAX)),
            (b"18446744073709551616", Some(u64::MAX)),
            (b"99999999999999999999999999", Some(u64::MAX)),
            (b"", None),
            (b"-1", None),
            (b"1.5", None),
            (b"12kB", None),
        ];
        for (text, value) in cases {
            assert_eq!(number(text), value, "{:?}", String::from_utf8_lossy(text));
        }
        assert_eq!(number_or_zero_below(b"-7"), Some(0));
        assert_eq!(number_or_zero_below(b"7"), Some(7));
        assert_eq!(number_or_zero_below(b"-"), None);
        assert_eq!(stored(u64::MAX), i64::MAX);
    }

    #[test]
    fn fractions_are_finite() {
        assert_eq!(fraction(b"0.25"), Some(0.25));
        for text in ["nan", "inf", "1e999", "", "x"] {
            assert_eq!(fraction(text.as_bytes()), None, "{text}");
        }
    }
}
