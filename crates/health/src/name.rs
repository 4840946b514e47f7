//! A name and its answers (RFC 1035): one query over UDP, over TCP where the answer does not fit.
//!
//! The query goes to one resolver, not through the library of the system, so that a resolver that does not answer can be
//! told from a name that does not exist. An answer is taken only from the address that was asked, with the number and
//! the question that were sent; everything in it is bounded, as anybody may have written it.

use std::fmt::Write as _;
use std::hash::{BuildHasher as _, Hasher as _, RandomState};
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};

use config::{HealthCheck, RecordType};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpStream, UdpSocket};

use crate::Failure;

/// Where the system's resolver is named.
const RESOLV_CONF: &str = "/etc/resolv.conf";
/// Records of an answer that are read.
const MOST_RECORDS: usize = 64;
/// Pointers of one name that are followed; each leads to an earlier place.
const MOST_POINTERS: usize = 16;
/// Class IN.
const INTERNET: u16 = 1;
/// Bits of the flags: an answer, and one that does not fit.
const IS_ANSWER: u8 = 0x80;
const IS_CUT: u8 = 0x02;

/// Returns a number that nobody can guess.
pub(crate) fn random() -> u64 {
    RandomState::new().build_hasher().finish()
}

/// Checks that a name has the expected answers.
pub(crate) async fn answers(check: &HealthCheck, name: &str) -> Result<(), Failure> {
    let resolver = if check.resolver.is_empty() {
        // A few lines of memory, as every program reads them.
        let text = std::fs::read_to_string(RESOLV_CONF);
        let text = text.map_err(|error| Failure::Unknown(format!("{RESOLV_CONF}: {error}")))?;
        first_resolver(&text)
    } else {
        config::resolver_address(&check.resolver)
    };
    let resolver = resolver.ok_or_else(|| Failure::Unknown("there is no resolver".to_owned()))?;
    let query = query(name, check.record);
    let found = ask(resolver, &query)
        .await
        .map_err(|error| Failure::Unknown(format!("the resolver {resolver}: {error}")))?;
    let found = read(&found, &query, check.record)?;
    if found.is_empty() {
        return Err(Failure::Down(format!(
            "the name has no {} record",
            check.record.as_str()
        )));
    }
    let wanted = check.answers.iter().map(|answer| normal(answer));
    match wanted.into_iter().find(|answer| !found.contains(answer)) {
        None => Ok(()),
        Some(missing) => Err(Failure::Down(format!(
            "{missing:?} is not among the answers {}",
            found.join(", ")
        ))),
    }
}

fn first_resolver(text: &str) -> Option<SocketAddr> {
    let mut named = text.lines().filter_map(|line| {
        let address = line.trim().strip_prefix("nameserver")?;
        // The scope of a link-local address is left out: it is asked through its only link.
        config::resolver_address(address.trim().split('%').next()?)
    });
    named.next()
}

async fn ask(resolver: SocketAddr, query: &[u8]) -> std::io::Result<Vec<u8>> {
    let local: SocketAddr = if resolver.is_ipv4() {
        (Ipv4Addr::UNSPECIFIED, 0).into()
    } else {
        (Ipv6Addr::UNSPECIFIED, 0).into()
    };
    let socket = UdpSocket::bind(local).await?;
    socket.connect(resolver).await?;
    socket.send(query).await?;
    let mut buffer = [0; 1500];
    loop {
        let length = socket.recv(&mut buffer).await?;
        let answer = &buffer[..length];
        // Others may send anything to this port.
        if answer.len() < 12 || answer[..2] != query[..2] || answer[2] & IS_ANSWER == 0 {
            continue;
        }
        if answer[2] & IS_CUT == 0 {
            return Ok(answer.to_vec());
        }
        return ask_whole(resolver, query).await;
    }
}

/// Asks over TCP, where an answer may have 64 KiB.
async fn ask_whole(resolver: SocketAddr, query: &[u8]) -> std::io::Result<Vec<u8>> {
    let mut stream = TcpStream::connect(resolver).await?;
    let length = u16::try_from(query.len()).unwrap_or_default();
    stream
        .write_all(&[&length.to_be_bytes(), query].concat())
        .await?;
    let length = stream.read_u16().await?;
    let mut answer = vec![0; usize::from(length)];
    stream.read_exact(&mut answer).await?;
    Ok(answer)
}

fn number_of(record: RecordType) -> u16 {
    match record {
        RecordType::A => 1,
        RecordType::Ns => 2,
        RecordType::Cname => 5,
        RecordType::Mx => 15,
        RecordType::Txt => 16,
        RecordType::Aaaa => 28,
    }
}

pub(crate) fn query(name: &str, record: RecordType) -> Vec<u8> {
    let mut out = random().to_be_bytes()[..2].to_vec();
    // Recursion is wanted; one question.
    out.extend_from_slice(&[1, 0, 0, 1, 0, 0, 0, 0, 0, 0]);
    for label in name.trim_end_matches('.').split('.') {
        let label = &label.as_bytes()[..label.len().min(63)];
        out.push(u8::try_from(label.len()).unwrap_or_default());
        out.extend_from_slice(label);
    }
    out.push(0);
    out.extend_from_slice(&number_of(record).to_be_bytes());
    out.extend_from_slice(&INTERNET.to_be_bytes());
    out
}

/// Returns the answers of this type as text.
pub(crate) fn read(
    answer: &[u8],
    query: &[u8],
    record: RecordType,
) -> Result<Vec<String>, Failure> {
    let broken = || Failure::Unknown("the resolver's answer cannot be read".to_owned());
    let header = answer.get(..12).ok_or_else(broken)?;
    match header[3] & 0x0f {
        0 => {}
        2 => {
            return Err(Failure::Down(
                "the servers of the name do not answer (SERVFAIL)".to_owned(),
            ));
        }
        3 => return Err(Failure::Down("there is no such name (NXDOMAIN)".to_owned())),
        code => {
            return Err(Failure::Unknown(format!(
                "the resolver refuses (code {code})"
            )));
        }
    }
    let question = &query[12..];
    let asked = answer.get(12..12 + question.len()).ok_or_else(broken)?;
    if header[4..6] != [0, 1] || !asked.eq_ignore_ascii_case(question) {
        return Err(broken());
    }
    let count = usize::from(u16::from_be_bytes([header[6], header[7]]));
    let mut at = 12 + question.len();
    let mut found = Vec::new();
    for _ in 0..count.min(MOST_RECORDS) {
        let (kind, data) = next_record(answer, &mut at).ok_or_else(broken)?;
        if kind == number_of(record) {
            found.push(text_of(answer, data, record).ok_or_else(broken)?);
        }
    }
    Ok(found)
}

/// Reads a record and moves behind it; returns its type and where its data is.
fn next_record(answer: &[u8], at: &mut usize) -> Option<(u16, std::ops::Range<usize>)> {
    let (_, after) = name_at(answer, *at)?;
    let head = answer.get(after..after + 10)?;
    let kind = u16::from_be_bytes([head[0], head[1]]);
    let from = after + 10;
    let to = from + usize::from(u16::from_be_bytes([head[8], head[9]]));
    answer.get(from..to)?;
    *at = to;
    Some((kind, from..to))
}

fn text_of(answer: &[u8], data: std::ops::Range<usize>, record: RecordType) -> Option<String> {
    let bytes = answer.get(data.clone())?;
    Some(match record {
        RecordType::A => Ipv4Addr::from(<[u8; 4]>::try_from(bytes).ok()?).to_string(),
        RecordType::Aaaa => Ipv6Addr::from(<[u8; 16]>::try_from(bytes).ok()?).to_string(),
        RecordType::Cname | RecordType::Ns => name_at(answer, data.start)?.0,
        RecordType::Mx => {
            let preference = u16::from_be_bytes([*bytes.first()?, *bytes.get(1)?]);
            format!("{preference} {}", name_at(answer, data.start + 2)?.0)
        }
        RecordType::Txt => {
            let mut text = Vec::new();
            let mut rest = bytes;
            while let Some((&length, after)) = rest.split_first() {
                let part = after.get(..usize::from(length))?;
                text.extend_from_slice(part);
                rest = &after[part.len()..];
            }
            String::from_utf8_lossy(&text).into_owned()
        }
    })
}

/// Reads a name, in small letters without the last dot; returns where what follows it begins.
fn name_at(answer: &[u8], mut at: usize) -> Option<(String, usize)> {
    let mut name = String::new();
    let mut after = None;
    let mut pointers = 0;
    loop {
        let length = *answer.get(at)?;
        match length >> 6 {
            0 if length == 0 => return Some((name, after.unwrap_or(at + 1))),
            0 => {
                let from = at + 1;
                at = from + usize::from(length);
                if !name.is_empty() {
                    name.push('.');
                }
                for byte in answer.get(from..at)? {
                    match byte {
                        b'!'..=b'~' if *byte != b'.' => {
                            name.push(char::from(byte.to_ascii_lowercase()))
                        }
                        // Writing to a text cannot fail.
                        _ => write!(name, "\\{byte:03}").unwrap_or_default(),
                    }
                }
                if name.len() > 1024 {
                    return None;
                }
            }
            3 => {
                let low = usize::from(*answer.get(at + 1)?);
                let to = usize::from(length & 0x3f) << 8 | low;
                pointers += 1;
                if to >= at || pointers > MOST_POINTERS {
                    return None;
                }
                after.get_or_insert(at + 2);
                at = to;
            }
            _ => return None,
        }
    }
}

/// Returns an expected answer as [`text_of`] writes it.
fn normal(answer: &str) -> String {
    let address = answer.parse::<std::net::IpAddr>();
    address.map_or_else(
        |_| answer.trim_end_matches('.').to_ascii_lowercase(),
        |address| address.to_string(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An answer to a query: these records, each a name, a type and data.
    fn answer(query: &[u8], code: u8, records: &[(&[u8], u16, &[u8])]) -> Vec<u8> {
        let mut out = query.to_vec();
        out[2] |= IS_ANSWER;
        out[3] = code;
        out[7] = u8::try_from(records.len()).unwrap();
        for (name, kind, data) in records {
            out.extend_from_slice(name);
            out.extend_from_slice(&kind.to_be_bytes());
            out.extend_from_slice(&[0, 1, 0, 0, 0, 60]);
            out.extend_from_slice(&u16::try_from(data.len()).unwrap().to_be_bytes());
            out.extend_from_slice(data);
        }
        out
    }

    /// A pointer to the name of the question.
    const SAME: &[u8] = &[0xc0, 12];

    #[test]
    fn answers_become_text() {
        for (record, data, expected) in [
            (RecordType::A, &[192, 0, 2, 1][..], "192.0.2.1"),
            (
                RecordType::Aaaa,
                &[0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1],
                "2001:db8::1",
            ),
            (RecordType::Cname, b"\x03WWW\xc0\x0c", "www.shop.example"),
            (RecordType::Ns, b"\x02ns\xc0\x0c", "ns.shop.example"),
            (
                RecordType::Mx,
                b"\0\x0a\x04mail\xc0\x0c",
                "10 mail.shop.example",
            ),
            (RecordType::Txt, b"\x02v=\x01x", "v=x"),
        ] {
            let query = query("shop.example", record);
            let text = answer(&query, 0, &[(SAME, number_of(record), data)]);
            assert_eq!(read(&text, &query, record), Ok(vec![expected.to_owned()]));
        }
    }

    #[test]
    fn what_a_code_means() {
        let query = query("shop.example", RecordType::A);
        for (code, is_down) in [(2, true), (3, true), (5, false), (1, false)] {
            let failure = read(&answer(&query, code, &[]), &query, RecordType::A).unwrap_err();
            assert_eq!(matches!(failure, Failure::Down(_)), is_down, "{failure:?}");
        }
    }

    #[test]
    fn damaged_answers_are_refused_and_never_panic() {
        let query = query("shop.example", RecordType::Mx);
        let whole = answer(
            &query,
            0,
            &[
                (SAME, 15, b"\0\x0a\x04mail\xc0\x0c"),
                (SAME, 15, b"\0\x05\xc0\x0c"),
            ],
        );
        assert_eq!(
            read(&whole, &query, RecordType::Mx).map(|found| found.len()),
            Ok(2)
        );
        for end in 0..whole.len() {
            assert!(
                read(&whole[..end], &query, RecordType::Mx).is_err(),
                "{end}"
            );
        }
        for at in 0..whole.len() {
            for value in [0, 1, 12, 0x3f, 0x40, 0xc0, 0xff] {
                let mut damaged = whole.clone();
                damaged[at] = value;
                drop(read(&damaged, &query, RecordType::Mx));
            }
        }
        let loops = answer(&query, 0, &[(&[0xc0, 0xff], 15, b"x")]);
        assert!(read(&loops, &query, RecordType::Mx).is_err());
    }

    #[test]
    fn the_first_resolver_is_that_of_the_system() {
        let text = "# comment\nsearch example\nnameserver fe80::1%eth0\nnameserver 192.0.2.2\n";
        assert_eq!(first_resolver(text), Some("[fe80::1]:53".parse().unwrap()));
        assert_eq!(first_resolver("options edns0\n"), None);
    }
}
