//! How many requests an address, its network, and everybody together may send.
//!
//! Token buckets, in memory only. An address is an IPv4 address or an IPv6 /64, which is what one household or machine has; its
//! network is the /24 or the /48. The network's bucket is asked first, so a range of addresses cannot fill the table.

use crate::client_address::prefix;
use std::collections::HashMap;
use std::net::IpAddr;
use std::time::Duration;

/// What one kind of key may send.
#[derive(Clone, Copy, Debug)]
struct Allowance {
    /// Requests a second.
    rate: f64,
    /// Requests at once.
    burst: f64,
}

/// A reader who clicks fast sends two or three requests a second; tabs that are restored together, dozens.
const ADDRESS: Allowance = Allowance {
    rate: 10.0,
    burst: 60.0,
};
/// A large office behind one network, with the burst in the same proportion.
const NETWORK: Allowance = Allowance {
    rate: 200.0,
    burst: 1200.0,
};
/// Twice what was to be accepted a second on two cores.
const EVERYBODY: Allowance = Allowance {
    rate: 20_000.0,
    burst: 20_000.0,
};
/// Most buckets of one kind: 3 MiB. When all are in use, further keys are limited by their network and the total alone.
const MOST_BUCKETS: usize = 65_536;

/// A bucket: what is left at an instant.
#[derive(Clone, Copy, Debug)]
struct Bucket {
    left: f64,
    at: Duration,
}

impl Bucket {
    const fn full(allowance: Allowance, now: Duration) -> Self {
        Self {
            left: allowance.burst,
            at: now,
        }
    }

    fn take(&mut self, allowance: Allowance, now: Duration) -> bool {
        let elapsed = now.saturating_sub(self.at).as_secs_f64();
        self.left = (self.left + elapsed * allowance.rate).min(allowance.burst);
        self.at = self.at.max(now);
        let is_enough = self.left >= 1.0;
        if is_enough {
            self.left -= 1.0;
        }
        is_enough
    }

    fn is_full(&self, allowance: Allowance, now: Duration) -> bool {
        now.saturating_sub(self.at).as_secs_f64() * allowance.rate + self.left >= allowance.burst
    }
}

/// The buckets.
#[derive(Debug)]
pub struct Rates {
    everybody: Bucket,
    networks: HashMap<IpAddr, Bucket>,
    addresses: HashMap<IpAddr, Bucket>,
}

impl Default for Rates {
    fn default() -> Self {
        Self {
            everybody: Bucket::full(EVERYBODY, Duration::ZERO),
            networks: HashMap::new(),
            addresses: HashMap::new(),
        }
    }
}

impl Rates {
    /// Counts a request at an instant of a monotonic clock; returns whether it is allowed.
    pub fn allows(&mut self, address: IpAddr, now: Duration) -> bool {
        take(&mut self.networks, prefix(address, 24, 48), NETWORK, now)
            && take(&mut self.addresses, prefix(address, 32, 64), ADDRESS, now)
            && self.everybody.take(EVERYBODY, now)
    }
}

fn take(
    buckets: &mut HashMap<IpAddr, Bucket>,
    key: IpAddr,
    allowance: Allowance,
    now: Duration,
) -> bool {
    if let Some(bucket) = buckets.get_mut(&key) {
        return bucket.take(allowance, now);
    }
    if buckets.len() >= MOST_BUCKETS {
        // A full bucket is as good as none.
        buckets.retain(|_, bucket| !bucket.is_full(allowance, now));
        if buckets.len() >= MOST_BUCKETS {
            return true;
        }
    }
    let mut bucket = Bucket::full(allowance, now);
    let is_allowed = bucket.take(allowance, now);
    buckets.insert(key, bucket);
    is_allowed
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::{Ipv4Addr, Ipv6Addr};

    #[test]
    fn an_address_has_a_burst_and_a_rate() {
        let mut rates = Rates::default();
        let address = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1));
        let allowed = |rates: &mut Rates, ms: u64| rates.allows(address, Duration::from_millis(ms));
        assert_eq!((0..100).filter(|_| allowed(&mut rates, 0)).count(), 60);
        assert_eq!((0..100).filter(|_| allowed(&mut rates, 1000)).count(), 10);
        // A clock that stands still or goes back gives nothing.
        assert!(!allowed(&mut rates, 500));
        assert!(rates.allows(
            IpAddr::V4(Ipv4Addr::new(192, 0, 2, 2)),
            Duration::from_secs(1)
        ));
    }

    #[test]
    fn a_million_addresses_of_a_network_are_one_network() {
        let mut rates = Rates::default();
        let base = Ipv6Addr::new(0x2001, 0xdb8, 1, 0, 0, 0, 0, 0).to_bits();
        let allowed = (0..1_000_000_u128)
            .filter(|host| {
                let address = Ipv6Addr::from_bits(base | (host << 44));
                rates.allows(IpAddr::V6(address), Duration::from_secs(1))
            })
            .count();
        assert!(allowed <= 1200, "{allowed}");
        assert!(rates.addresses.len() <= 1200);
    }

    #[test]
    fn the_table_is_bounded() {
        let mut rates = Rates::default();
        for number in 0..200_000_u32 {
            let now = Duration::from_micros(u64::from(number) * 60);
            rates.allows(IpAddr::V4(Ipv4Addr::from_bits(number << 12)), now);
        }
        assert!(rates.addresses.len() <= MOST_BUCKETS && rates.networks.len() <= MOST_BUCKETS);
    }
}
