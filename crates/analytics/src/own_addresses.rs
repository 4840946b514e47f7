//! The addresses behind the operator's host names, whose visits do not count.
//!
//! A name of dynamic DNS is looked up every [`EVERY`]. One that cannot be looked up keeps the addresses that it had: an outage of the
//! resolver must not count the operator. Of IPv6 the /64 counts, within which a machine changes its address by itself.

use crate::client_address::prefix;
use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// How often names are looked up.
pub const EVERY: Duration = Duration::from_secs(300);
/// Time for one name.
const WITHIN: Duration = Duration::from_secs(10);

/// Addresses by name, shared with what reads them.
#[derive(Clone, Debug, Default)]
pub struct OwnAddresses(Arc<Mutex<BTreeMap<String, Vec<IpAddr>>>>);

fn place(address: IpAddr) -> IpAddr {
    prefix(address.to_canonical(), 32, 64)
}

impl OwnAddresses {
    /// Notes the addresses of a name.
    pub fn set(&self, name: &str, addresses: impl IntoIterator<Item = IpAddr>) {
        let addresses = addresses.into_iter().map(place).collect();
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.insert(name.to_owned(), addresses);
    }

    /// Returns whether an address is one of the operator's.
    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.values().flatten().any(|own| *own == place(address))
    }

    /// Looks the names up.
    pub async fn look_up(&self, names: &[String]) {
        for name in names {
            let found = tokio::net::lookup_host((name.as_str(), 0));
            match tokio::time::timeout(WITHIN, found).await {
                Ok(Ok(found)) => self.set(name, found.map(|address| address.ip())),
                Ok(Err(error)) => {
                    tracing::debug!(name, %error, "a host of the operator is not known")
                }
                Err(_) => tracing::debug!(name, "the resolver gives no answer"),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn addresses_of_names_are_own() {
        let own = OwnAddresses::default();
        own.set(
            "home.example",
            ["192.0.2.7".parse().unwrap(), "2001:db8::1".parse().unwrap()],
        );
        for (address, wanted) in [
            ("192.0.2.7", true),
            ("::ffff:192.0.2.7", true),
            ("192.0.2.8", false),
            ("2001:db8::2", true),
            ("2001:db8:0:1::1", false),
        ] {
            assert_eq!(own.contains(address.parse().unwrap()), wanted, "{address}");
        }
        // A name that is not known keeps what it had.
        own.look_up(&["home.example".to_owned(), "localhost".to_owned()])
            .await;
        assert!(own.contains("192.0.2.7".parse().unwrap()));
        assert!(own.contains("127.0.0.1".parse().unwrap()) || own.contains("::1".parse().unwrap()));
    }
}
