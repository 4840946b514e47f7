//! What one line says, before it is counted.

use std::net::{IpAddr, Ipv6Addr};

/// Who is at the other end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Peer<'a> {
    /// As the line has it.
    pub(super) text: &'a str,
    /// The address; `None` for a host name. IPv4 addresses mapped into IPv6 are IPv4 addresses.
    pub(super) address: Option<IpAddr>,
}

impl<'a> Peer<'a> {
    /// The peer of this text, if it may be one: an address, with or without a zone, or a host name.
    #[must_use]
    pub(super) fn parse(text: &'a str) -> Option<Self> {
        let text = text.trim_matches(['[', ']', '(', ')', ',', ';', '`', '\'', '"']);
        let text = text
            .strip_suffix(':')
            .filter(|text| !text.ends_with(':'))
            .unwrap_or(text);
        // A zone or the length of a network stands behind an address.
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

    /// The address as it is shown: canonical, or the host name.
    #[must_use]
    pub(super) fn shown(&self) -> String {
        self.address
            .map_or_else(|| self.text.to_owned(), |address| address.to_string())
    }

    /// Whether it is shown alike.
    #[must_use]
    pub(super) fn same_as(&self, other: &Self) -> bool {
        self.address == other.address && (self.address.is_some() || self.text == other.text)
    }

    /// What is counted together: the address; of IPv6 the /64, because one machine has all of it.
    #[must_use]
    pub(super) fn key(&self) -> u128 {
        match self.address {
            Some(IpAddr::V4(address)) => address.to_ipv6_mapped().to_bits(),
            Some(IpAddr::V6(address)) => address.to_bits() >> 64 << 64,
            // Host names lie in fc00::/8, where nobody has an address.
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

    /// The network that is counted, where it is not the address alone.
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

/// Who is at the other end, kept. An address takes no memory beside this.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Known {
    /// By address.
    Address(IpAddr),
    /// By a host name, as the line has it.
    Name(Box<str>),
}

impl Known {
    /// Keeps a peer.
    #[must_use]
    pub(super) fn new(peer: &Peer<'_>) -> Self {
        match peer.address {
            Some(address) => Self::Address(address),
            None => Self::Name(peer.text.into()),
        }
    }

    /// The peer that is kept.
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

/// Lines of one connection that tell of the same attempt: an attempt is counted by the form that
/// counts most, not once for each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// `Failed METHOD for`: one for each attempt.
    Failed,
    /// `Failed none for`: the question which methods there are.
    None,
    /// `error: PAM: Authentication failure for`.
    Pam,
    /// `pam_unix(sshd:auth): authentication failure`: counts when nothing else does and nobody gets in.
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

/// What a line says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum What {
    /// A login failed.
    Failed(Form),
    /// Someone knocked without trying to log in.
    Probe,
    /// Someone logged in; whether with something that can be guessed.
    Accepted {
        /// A password, as against a key.
        guessable: bool,
    },
    /// A connection that the daemon that listens refused or ended before a login. It is another process's.
    Dropped,
    /// A connection that has not told more; its address belongs to the process.
    Connected,
    /// A connection that ended without telling why.
    Closed,
    /// An address was banned.
    Ban {
        /// Again, after a restart of fail2ban.
        restored: bool,
    },
    /// A ban ended.
    Unban,
    /// The firewall dropped a packet.
    Blocked,
    /// Someone became another user.
    Became,
    /// A module says that someone could not become another user; the program may yet say otherwise.
    Doubted,
    /// Someone who may not become another user tried.
    Denied {
        /// Not for a wrong password, but because no rule allows it.
        forbidden: bool,
    },
}

/// What one line says, and about whom.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Seen<'a> {
    /// What.
    pub(super) what: What,
    /// The other end, where the line has it.
    pub(super) peer: Option<Peer<'a>>,
    /// Another end that the line may mean. It does when the process is known to talk to it.
    pub(super) other: Option<Peer<'a>>,
    /// The account it is about.
    pub(super) user: Option<&'a str>,
    /// How often: a line may stand for several.
    pub(super) times: u32,
    /// Jail, port or target account, by what was seen.
    pub(super) detail: Option<&'a str>,
}

impl<'a> Seen<'a> {
    /// Seen once, of nobody known.
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

    /// With the other end.
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
