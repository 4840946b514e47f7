//! When certificates expire.
//!
//! The chain has been verified by the TLS library; from its bytes only names and validity are read (RFC 5280, section 4.1). Servers often
//! send certificates that are not part of the verified chain, such as an old cross-signed one: what counts is the path from the server's own
//! certificate by issuer and subject, without the root, whose expiry no client looks at.

use rustls::pki_types::CertificateDer;
use schema::Timestamp;

/// Certificates in a chain: more than any authority issues.
const LONGEST: usize = 8;

const SEQUENCE: u8 = 0x30;
const VERSION: u8 = 0xa0;
const UTC_TIME: u8 = 0x17;
const GENERALIZED_TIME: u8 = 0x18;

/// What is read of a certificate.
struct Certificate<'a> {
    issuer: &'a [u8],
    subject: &'a [u8],
    not_after: Timestamp,
}

/// Returns when the first certificate of the chain expires; `None` where the server's own cannot be read, whatever is known of others.
pub(crate) fn first_expiry(presented: &[CertificateDer<'_>]) -> Option<Timestamp> {
    let (own, others) = presented.split_first()?;
    let own = read(own)?;
    let others = others.iter().take(LONGEST - 1);
    let others: Vec<Certificate<'_>> = others.filter_map(|one| read(one)).collect();
    let mut current = &own;
    let mut first = current.not_after;
    for _ in 0..others.len() {
        let issued = |other: &&Certificate<'_>| {
            other.subject == current.issuer && other.issuer != other.subject
        };
        let Some(issuer) = others.iter().find(issued) else {
            break;
        };
        first = first.min(issuer.not_after);
        current = issuer;
    }
    Some(first)
}

fn read(der: &[u8]) -> Option<Certificate<'_>> {
    let (mut certificate, _) = element(der, SEQUENCE)?;
    let mut body = take(&mut certificate, SEQUENCE)?;
    if body.first() == Some(&VERSION) {
        take(&mut body, VERSION)?;
    }
    // Serial number and algorithm of the signature.
    skip(&mut body)?;
    skip(&mut body)?;
    let issuer = take(&mut body, SEQUENCE)?;
    let mut validity = take(&mut body, SEQUENCE)?;
    skip(&mut validity)?;
    let subject = take(&mut body, SEQUENCE)?;
    let not_after = match validity.first()? {
        &UTC_TIME => {
            let text = std::str::from_utf8(take(&mut validity, UTC_TIME)?).ok()?;
            // Two digits mean 1950 to 2049.
            let century = if text.get(..2)? >= "50" { "19" } else { "20" };
            time(&format!("{century}{text}"))?
        }
        _ => time(std::str::from_utf8(take(&mut validity, GENERALIZED_TIME)?).ok()?)?,
    };
    Some(Certificate {
        issuer,
        subject,
        not_after,
    })
}

/// Reads `YYYYMMDDHHMMSSZ`.
fn time(text: &str) -> Option<Timestamp> {
    let digits = text.strip_suffix('Z')?;
    if digits.len() != 14 || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let number = |from: usize, to: usize| digits.get(from..to)?.parse::<i8>().ok();
    let year = digits.get(..4)?.parse().ok()?;
    let date = jiff::civil::Date::new(year, number(4, 6)?, number(6, 8)?).ok()?;
    let time = jiff::civil::Time::new(number(8, 10)?, number(10, 12)?, number(12, 14)?, 0).ok()?;
    let zoned = date
        .to_datetime(time)
        .to_zoned(jiff::tz::TimeZone::UTC)
        .ok()?;
    Some(Timestamp(zoned.timestamp().as_microsecond()))
}

/// Takes the contents of an element with this tag from the front.
fn take<'a>(bytes: &mut &'a [u8], tag: u8) -> Option<&'a [u8]> {
    let (contents, rest) = element(bytes, tag)?;
    *bytes = rest;
    Some(contents)
}

fn skip(bytes: &mut &[u8]) -> Option<()> {
    let tag = *bytes.first()?;
    take(bytes, tag).map(|_contents| ())
}

/// Returns the contents of the first element, which must have this tag, and what follows it.
fn element(bytes: &[u8], tag: u8) -> Option<(&[u8], &[u8])> {
    let (&found, rest) = bytes.split_first()?;
    let (&first, rest) = rest.split_first()?;
    if found != tag {
        return None;
    }
    let (length, rest) = if first < 0x80 {
        (usize::from(first), rest)
    } else {
        // A certificate has fewer than 2^24 bytes.
        let count = usize::from(first & 0x7f);
        if !(1..=3).contains(&count) || rest.len() < count {
            return None;
        }
        let (length, rest) = rest.split_at(count);
        let length = length
            .iter()
            .fold(0, |sum, byte| sum << 8 | usize::from(*byte));
        (length, rest)
    };
    (rest.len() >= length).then(|| rest.split_at(length))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_or_refused() {
        for (text, expected) in [
            ("20260101000000Z", Some(1_767_225_600)),
            ("20491231235959Z", Some(2_524_607_999)),
            ("19700101000000Z", Some(0)),
            ("20260101000000", None),
            ("20261301000000Z", None),
            ("2026010100000Z", None),
            ("+0260101000000Z", None),
            ("２０２６0101Z", None),
        ] {
            assert_eq!(time(text).map(|at| at.0 / 1_000_000), expected, "{text}");
        }
    }

    #[test]
    fn of_a_certificate_that_cannot_be_read_another_one_tells_nothing() {
        let [whole, _] = testkit::Identity::self_signed("a.example").unwrap().der();
        let chain = |parts: &[&[u8]]| {
            let parts: Vec<_> = parts.iter().map(|one| CertificateDer::from(*one)).collect();
            first_expiry(&parts)
        };
        assert!(chain(&[&whole]).is_some());
        assert!(chain(&[&whole, b"damaged"]).is_some());
        assert_eq!(chain(&[b"damaged", &whole]), None);
        assert_eq!(chain(&[]), None);
    }

    #[test]
    fn damaged_bytes_are_refused_and_never_panic() {
        let [whole, _] = testkit::Identity::self_signed("a.example").unwrap().der();
        assert!(read(&whole).is_some());
        for end in 0..whole.len().min(200) {
            assert!(read(&whole[..end]).is_none(), "{end}");
        }
        for at in 0..whole.len().min(300) {
            for value in [0, 0x7f, 0x80, 0x84, 0xff] {
                let mut damaged = whole.clone();
                damaged[at] = value;
                let _read = read(&damaged);
            }
        }
    }
}
