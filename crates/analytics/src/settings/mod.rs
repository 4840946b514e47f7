//! Settings, as the parts of this crate need them.

pub mod configured;

use crate::client_address::Network;
use crate::own_addresses::OwnAddresses;
use config::Secret;
use jiff::tz::TimeZone;
use std::collections::HashSet;

/// What is stored of visitors.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Consent {
    /// Nothing.
    Off,
    /// Visits, without anything on the visitor's device.
    #[default]
    Cookieless,
    /// Visits of those who consented; views of the others, anonymous.
    Consented,
}

/// A site.
#[derive(Clone, Debug)]
pub struct Site {
    /// Its name.
    pub domain: String,
    /// Hosts whose pages belong to it.
    pub hosts: Vec<String>,
    /// Its time zone, in which its days are.
    pub zone: TimeZone,
    /// What is stored of visitors.
    pub consent: Consent,
    /// Further hosts that are no source, such as a shop's payment pages.
    pub internal_hosts: Vec<String>,
}

impl Site {
    /// Returns whether a page of this host belongs to the site.
    #[must_use]
    pub fn has_host(&self, host: &str) -> bool {
        self.hosts.iter().any(|known| known == host)
    }

    /// Returns whether a visit from this host comes from the site itself.
    #[must_use]
    pub fn is_internal(&self, host: &str) -> bool {
        self.has_host(host) || self.internal_hosts.iter().any(|known| known == host)
    }
}

/// Settings of the server.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// Path below which everything lies; begins and ends with a slash.
    pub base_path: String,
    /// A further name of the tracker.
    pub script_name: Option<String>,
    /// The sites.
    pub sites: Vec<Site>,
    /// Proxies whose header counts.
    pub trusted_proxies: Vec<Network>,
    /// The header in which they state the client, in lower case.
    pub client_address_header: String,
    /// Whether a browser that asks not to be tracked is counted without a visit.
    pub respect_signals: bool,
    /// Where the operator's own visits come from.
    pub own_networks: Vec<Network>,
    /// The same by host name.
    pub own_hosts: Vec<String>,
    /// Their addresses, as far as they are looked up.
    pub own_addresses: OwnAddresses,
    /// The secret of backends; empty where none may report.
    pub backend_token: Secret,
    /// The secret of supervisors on other machines; empty where none may ask.
    pub metrics_token: Secret,
    /// Networks of data centres, by number.
    pub datacentre_asns: HashSet<u32>,
}
