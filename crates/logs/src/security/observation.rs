//! The content of one line, before it is counted.

use std::net::{IpAddr, Ipv6Addr};

/// The remote end of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Peer<'a> {
    /// The text in the line.
    pub(super) text: &'a str,
    /// The address; `None` for a host name. IPv4 addresses mapped into IPv6 are IPv4 addresses.
    pub(super) address: Option<IpAddr>,
}

impl<'a> Peer<'a> {
    /// Returns the peer of this text, if it may be one: an address, with or without a zone, or a host name.
    #[must_use]
    pub(super) fn parse(text: &'a str) -> Option<Self> {
        // Nearly always it is this and nothing else.
        if let Some(octets) = octets(text.as_bytes()) {
            let address = Some(IpAddr::from(octets));
            return Some(Self { text, address });
        }
        let text = text.trim_matches(['[', ']', '(', ')', ',', ';', '`', '\'', '"']);
        let text = text
            .strip_suffix(':')
            .filter(|text| !text.ends_with(':'))
            .unwrap_or(text);
        // A zone or the length of a network is after an address.
        let plain = memchr::memchr2(b'%', b'/', text.as_bytes()).map_or(text, |end| &text[..end]);
        if let Ok(address) = plain.parse::<IpAddr>() {
            let address = Some(address.to_canonical());
            return Some(Self { text, address });
        }
        let name = text.len() <= 253
            && text.contains('.')
            && text
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_'));
        name.then_some(Self {
            text,
            address: None,
        })
    }

    /// Returns the canonical address, or the host name.
    #[must_use]
    pub(super) fn shown(&self) -> String {
        match self.address {
            Some(IpAddr::V4(address)) => dotted(address.octets()),
            Some(IpAddr::V6(address)) => address.to_string(),
            None => self.text.to_owned(),
        }
    }

    /// Returns whether both are shown the same way.
    #[must_use]
    pub(super) fn same_as(&self, other: &Self) -> bool {
        self.address == other.address && (self.address.is_some() || self.text == other.text)
    }

    /// Returns the key for counting: the address; for IPv6 its /64, because one machine has all of it.
    #[must_use]
    pub(super) fn key(&self) -> u128 {
        match self.address {
            Some(IpAddr::V4(address)) => address.to_ipv6_mapped().to_bits(),
            Some(IpAddr::V6(address)) => address.to_bits() >> 64 << 64,
            // Host names are mapped to fc00::/8, which is not in use.
            None => {
                self.text
                    .bytes()
                    .fold(0xcbf2_9ce4_8422_2325, |hash: u128, byte| {
                        (hash ^ u128::from(byte.to_ascii_lowercase()))
                            .wrapping_mul(0x0100_0000_01b3)
                    })
                    >> 8
                    | 0xfc << 120
            }
        }
    }

    /// Returns the network that is counted, if it is more than the address.
    #[must_use]
    pub(super) fn network(&self) -> Option<String> {
        match self.address {
            Some(IpAddr::V6(address)) => {
                let net = Ipv6Addr::from_bits(address.to_bits() >> 64 << 64);
                Some(format!("{net}/64"))
            }
            _ => None,
        }
    }
}

/// Returns the address that the text is, in decimal numbers without leading zeros and nothing else.
fn octets(text: &[u8]) -> Option<[u8; 4]> {
    let mut octets = [0; 4];
    let mut rest = text;
    for (place, octet) in octets.iter_mut().enumerate() {
        if place > 0 {
            rest = rest.strip_prefix(b".")?;
        }
        let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
        if !(1..=3).contains(&digits) || digits > 1 && rest[0] == b'0' {
            return None;
        }
        let (number, after) = rest.split_at(digits);
        let number = number
            .iter()
            .fold(0, |sum, digit| sum * 10 + u16::from(digit - b'0'));
        *octet = u8::try_from(number).ok()?;
        rest = after;
    }
    rest.is_empty().then_some(octets)
}

/// Returns four numbers with dots between them. Findings have a dozen addresses each, and the formatter pads and
/// aligns every number.
fn dotted(octets: [u8; 4]) -> String {
    let mut out = String::with_capacity("255.255.255.255".len());
    for (place, octet) in octets.into_iter().enumerate() {
        if place > 0 {
            out.push('.');
        }
        let digits = [octet / 100, octet / 10 % 10, octet % 10];
        let first = digits.iter().position(|digit| *digit > 0).unwrap_or(2);
        out.extend(digits[first..].iter().map(|digit| char::from(b'0' + digit)));
    }
    out
}

/// An owned [`Peer`]. An address needs no further memory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum OwnedPeer {
    /// By address.
    Address(IpAddr),
    /// By host name, as in the line.
    Name(Box<str>),
}

impl OwnedPeer {
    /// Copies a peer.
    #[must_use]
    pub(super) fn new(peer: &Peer<'_>) -> Self {
        match peer.address {
            Some(address) => Self::Address(address),
            None => Self::Name(peer.text.into()),
        }
    }

    /// Returns the peer.
    #[must_use]
    pub(super) fn peer(&self) -> Peer<'_> {
        match self {
            Self::Address(address) => Peer {
                text: "",
                address: Some(*address),
            },
            Self::Name(name) => Peer {
                text: name,
                address: None,
            },
        }
    }
}

/// Forms of lines about an attempt. One attempt may write several: it is counted by the form with the
/// highest count, not once for each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// `Failed METHOD for`: one for each attempt.
    Failed,
    /// `Failed none for`: the question which methods there are.
    None,
    /// `error: PAM: Authentication failure for`.
    Pam,
    /// `pam_unix(sshd:auth): authentication failure`: counts if nothing else does and no login follows.
    PamModule,
    /// `Invalid user`.
    Invalid,
    /// Refused before an attempt: not allowed, refused connect.
    Refused,
    /// The limit of attempts, the client's giving up, a close while authenticating.
    Ended,
}

impl Form {
    /// How many there are.
    pub(super) const COUNT: usize = 7;
}

/// The kind of event that a line reports.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum What {
    /// A login failed.
    Failed(Form),
    /// A connection without a login attempt.
    Probe,
    /// A login succeeded.
    Accepted {
        /// Whether by password rather than by key.
        guessable: bool,
    },
    /// The listening daemon refused or ended the connection of another process before a login.
    Dropped,
    /// A connection; its address belongs to the process.
    Connected,
    /// A connection that ended without a reason.
    Closed,
    /// An address was banned.
    Ban {
        /// Whether it was restored after a restart of fail2ban.
        restored: bool,
    },
    /// A ban ended.
    Unban,
    /// The firewall dropped a packet.
    Blocked,
    /// A user became another user.
    Became,
    /// A PAM module reports a failure to become another user, which the program may still overrule.
    Doubted,
    /// A user failed to become another user.
    Denied {
        /// Whether because no rule allows it, rather than because of a wrong password.
        forbidden: bool,
    },
}

/// The security-relevant content of one line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Observation<'a> {
    /// Kind of event.
    pub(super) what: What,
    /// The remote end, if the line has it.
    pub(super) peer: Option<Peer<'a>>,
    /// Another remote end that the line may mean; used if it is that of the process.
    pub(super) other: Option<Peer<'a>>,
    /// The account.
    pub(super) user: Option<&'a str>,
    /// Number of occurrences: a line may stand for several.
    pub(super) times: u32,
    /// Jail, port or target account, depending on the kind.
    pub(super) detail: Option<&'a str>,
}

impl<'a> Observation<'a> {
    /// Creates an observation without a remote end.
    #[must_use]
    pub(super) const fn new(what: What) -> Self {
        Self {
            what,
            peer: None,
            other: None,
            user: None,
            times: 1,
            detail: None,
        }
    }

    /// Creates an observation with remote end and account.
    #[must_use]
    pub(super) const fn of(what: What, peer: Option<Peer<'a>>, user: Option<&'a str>) -> Self {
        Self {
            what,
            peer,
            other: None,
            user,
            times: 1,
            detail: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    use std::net::Ipv4Addr;

    #[test]
    fn an_address_is_read_and_shown_as_the_library_does_it() {
        for octet in 0..=255 {
            let numbers = [octet, 255 - octet, 10, octet / 2];
            let shown = Ipv4Addr::from(numbers).to_string();
            assert_eq!(dotted(numbers), shown);
            assert_eq!(octets(shown.as_bytes()), Some(numbers));
        }
        for text in [
            "",
            "1",
            "1.2.3",
            "1.2.3.",
            "1.2.3.4.",
            "1.2.3.4.5",
            ".1.2.3",
            "01.2.3.4",
            "00.0.0.0",
            "256.1.1.1",
            "1.2.3.1000",
            "1.2.3.4x",
            "1.2..4",
            "-1.2.3.4",
            "1.2.3.4:5",
        ] {
            assert_eq!(
                octets(text.as_bytes()),
                text.parse().ok().map(|address: Ipv4Addr| address.octets()),
                "{text}"
            );
            assert_eq!(octets(text.as_bytes()), None, "{text}");
        }
    }
}
