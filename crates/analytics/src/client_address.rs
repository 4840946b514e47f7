//! Where a request comes from: the peer, or what a trusted proxy states.
//!
//! A proxy appends the address that it saw to a header, so what stands at its right end was written by the proxy nearest
//! to us and what stands further left by anybody. The header counts only if the peer is a trusted proxy; then hops are read
//! from the right, and the first that is not itself a trusted proxy is the client. What cannot be read ends the search at
//! the last trusted hop. Nothing in a request's body is an address.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

/// Most hops that are read; chains of proxies have two or three.
const MOST_HOPS: usize = 32;

/// A network.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Network {
    address: u128,
    bits: u8,
    is_v4: bool,
}

/// A text that is not a network.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not an address or a network")]
pub struct NetworkError(String);

impl FromStr for Network {
    type Err = NetworkError;

    fn from_str(text: &str) -> Result<Self, NetworkError> {
        let wrong = || NetworkError(text.to_owned());
        let (address, bits) = match text.split_once('/') {
            Some((address, bits)) => (address, Some(bits.parse().map_err(|_| wrong())?)),
            None => (text, None),
        };
        let address: IpAddr = address.parse().map_err(|_| wrong())?;
        let most = if address.is_ipv4() { 32 } else { 128 };
        let bits: u8 = bits.unwrap_or(most);
        if bits > most {
            return Err(wrong());
        }
        let (number, is_v4) = number(address);
        Ok(Self {
            address: number & mask(bits, is_v4),
            bits,
            is_v4,
        })
    }
}

impl Network {
    /// Returns whether an address lies in it.
    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        let (number, is_v4) = number(address.to_canonical());
        is_v4 == self.is_v4 && number & mask(self.bits, is_v4) == self.address
    }
}

const fn number(address: IpAddr) -> (u128, bool) {
    match address {
        IpAddr::V4(address) => (address.to_bits() as u128, true),
        IpAddr::V6(address) => (address.to_bits(), false),
    }
}

const fn mask(bits: u8, is_v4: bool) -> u128 {
    let width = if is_v4 { 32 } else { 128 };
    let all = if is_v4 { u32::MAX as u128 } else { u128::MAX };
    if bits == 0 {
        0
    } else {
        all & (u128::MAX << (width - bits as u32))
    }
}

/// Returns the first so many bits of an address, the others zero.
#[must_use]
pub const fn prefix(address: IpAddr, v4_bits: u8, v6_bits: u8) -> IpAddr {
    match address {
        IpAddr::V4(address) => {
            let bits = (address.to_bits() as u128 & mask(v4_bits, true)) as u32;
            IpAddr::V4(Ipv4Addr::from_bits(bits))
        }
        IpAddr::V6(address) => IpAddr::V6(Ipv6Addr::from_bits(
            address.to_bits() & mask(v6_bits, false),
        )),
    }
}

/// Returns the address of the client. `stated` are the values of the configured header, in their order.
#[must_use]
pub fn client<'a>(
    peer: IpAddr,
    stated: impl DoubleEndedIterator<Item = &'a str>,
    trusted: &[Network],
) -> IpAddr {
    let is_trusted = |address: IpAddr| trusted.iter().any(|network| network.contains(address));
    let mut client = peer.to_canonical();
    if !is_trusted(client) {
        return client;
    }
    let hops = stated
        .rev()
        .flat_map(|value| value.rsplit(','))
        .take(MOST_HOPS);
    for hop in hops {
        let Some(address) = hop_address(hop) else {
            return client;
        };
        client = address;
        if !is_trusted(client) {
            return client;
        }
    }
    client
}

/// Reads a hop: an address, perhaps with a port or in quotes.
fn hop_address(hop: &str) -> Option<IpAddr> {
    let hop = hop.trim().trim_matches('"');
    let bare = match hop.strip_prefix('[') {
        Some(rest) => rest.split(']').next()?,
        // One colon is a port; more are an IPv6 address.
        None if hop.bytes().filter(|byte| *byte == b':').count() == 1 => hop.split(':').next()?,
        None => hop,
    };
    let address: IpAddr = bare.parse().ok()?;
    Some(address.to_canonical())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_client_is_the_right_most_untrusted_hop() {
        let trusted: Vec<Network> = ["10.0.0.0/8", "::1", "fd00::/8"]
            .iter()
            .map(|text| text.parse().unwrap())
            .collect();
        let thousand = format!("{}9.9.9.9", "1.1.1.1, ".repeat(1000));
        for (peer, stated, wanted) in [
            ("203.0.113.7", vec!["8.8.8.8"], "203.0.113.7"),
            ("10.0.0.1", vec![], "10.0.0.1"),
            ("10.0.0.1", vec!["8.8.8.8"], "8.8.8.8"),
            ("10.0.0.1", vec!["6.6.6.6, 8.8.8.8"], "8.8.8.8"),
            ("10.0.0.1", vec!["6.6.6.6, 8.8.8.8, 10.0.0.2"], "8.8.8.8"),
            ("10.0.0.1", vec!["6.6.6.6", "8.8.8.8"], "8.8.8.8"),
            ("10.0.0.1", vec!["10.0.0.3, 10.0.0.2"], "10.0.0.3"),
            ("10.0.0.1", vec!["6.6.6.6, unknown"], "10.0.0.1"),
            ("10.0.0.1", vec!["6.6.6.6, _hidden, 10.0.0.2"], "10.0.0.2"),
            ("10.0.0.1", vec![""], "10.0.0.1"),
            ("10.0.0.1", vec!["8.8.8.8:1234"], "8.8.8.8"),
            ("10.0.0.1", vec!["\"[2001:db8::1]:443\""], "2001:db8::1"),
            ("10.0.0.1", vec!["2001:db8::1"], "2001:db8::1"),
            ("10.0.0.1", vec!["::ffff:8.8.8.8"], "8.8.8.8"),
            ("::ffff:10.0.0.1", vec!["8.8.8.8"], "8.8.8.8"),
            ("::1", vec!["fd00::1"], "fd00::1"),
            ("10.0.0.1", vec![thousand.as_str()], "9.9.9.9"),
        ] {
            let found = client(peer.parse().unwrap(), stated.iter().copied(), &trusted);
            assert_eq!(found.to_string(), wanted, "{peer} {stated:?}");
        }
    }

    #[test]
    fn networks_are_read() {
        for text in [
            "",
            "10.0.0.0/33",
            "::/129",
            "10.0.0",
            "10.0.0.0/x",
            "example.org",
        ] {
            assert!(text.parse::<Network>().is_err(), "{text}");
        }
        let all: Network = "0.0.0.0/0".parse().unwrap();
        assert!(all.contains("8.8.8.8".parse().unwrap()) && !all.contains("::1".parse().unwrap()));
        assert_eq!(
            prefix("1.2.3.4".parse().unwrap(), 24, 48).to_string(),
            "1.2.3.0"
        );
        assert_eq!(
            prefix("2001:db8:1:2:3::4".parse().unwrap(), 32, 64).to_string(),
            "2001:db8:1:2::"
        );
    }

    proptest::proptest! {
        #[test]
        fn nothing_panics(stated in "\\PC{0,60}") {
            let trusted = ["0.0.0.0/0".parse().unwrap()];
            let found = client("10.0.0.1".parse().unwrap(), std::iter::once(stated.as_str()), &trusted);
            proptest::prop_assert!(found.to_canonical() == found);
        }
    }
}
