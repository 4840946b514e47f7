//! Settings taken from the configuration.

use super::{Consent, Settings, Site};
use crate::delivery::Retention;
use crate::networks::Files;
use crate::own_addresses::OwnAddresses;
use config::{AnalyticsConsent, Config, Fault, Faults, Loaded, Place, Problem};
use jiff::tz::TimeZone;

/// Checks what only a program with a database of zones can: that the time zones exist.
///
/// # Errors
/// Those that do not.
pub fn check(loaded: &Loaded) -> Result<(), Faults> {
    let sites = loaded.config.analytics.site.iter().enumerate();
    let unknown = sites.filter(|(_, site)| TimeZone::get(&site.time_zone).is_err());
    let faults: Vec<Fault> = unknown
        .map(|(entry, site)| Fault {
            place: Place::File(loaded.path.clone(), None),
            key: Some(format!("analytics.site[{}].time_zone", entry + 1)),
            problem: Problem::new(
                format!("{:?} is not a time zone of this machine", site.time_zone),
                "write it as Europe/Berlin, or install tzdata",
            ),
        })
        .collect();
    if faults.is_empty() {
        Ok(())
    } else {
        Err(Faults(faults))
    }
}

/// Returns the settings of the server.
#[must_use]
pub fn server(config: &Config) -> Settings {
    let own = &config.analytics;
    let networks = |texts: &[String]| {
        // Checked when the configuration was loaded.
        texts.iter().filter_map(|text| text.parse().ok()).collect()
    };
    Settings {
        base_path: own.base_path.clone(),
        script_name: Some(own.script_name.clone()).filter(|name| !name.is_empty()),
        sites: own.site.iter().map(site).collect(),
        trusted_proxies: networks(&own.trusted_proxies),
        client_address_header: own.client_address_header.to_ascii_lowercase(),
        respect_signals: own.respect_signals,
        own_networks: networks(&own.own_networks),
        own_hosts: own.own_hosts.clone(),
        own_addresses: OwnAddresses::default(),
        backend_token: own.backend_token.clone(),
        metrics_token: own.metrics_token.clone(),
        datacentre_asns: own
            .datacentre_asns
            .iter()
            .filter_map(|text| text.parse().ok())
            .collect(),
    }
}

fn site(site: &config::AnalyticsSite) -> Site {
    Site {
        domain: site.domain.to_ascii_lowercase(),
        hosts: site.all_hosts(),
        zone: TimeZone::get(&site.time_zone).unwrap_or(TimeZone::UTC),
        consent: match site.consent {
            AnalyticsConsent::Off => Consent::Off,
            AnalyticsConsent::Cookieless => Consent::Cookieless,
            AnalyticsConsent::Consented => Consent::Consented,
        },
        internal_hosts: site
            .internal_hosts
            .iter()
            .map(|host| host.to_ascii_lowercase())
            .collect(),
    }
}

/// Returns where the files are that the operator brings.
#[must_use]
pub fn files(config: &Config) -> Files {
    let own = &config.analytics;
    Files {
        country: own.country_db.clone(),
        asn: own.asn_db.clone(),
        spam: own.spam_referrers.clone(),
    }
}

/// Returns for how long rows are kept.
#[must_use]
pub fn retention(config: &Config) -> Retention {
    let days = |days: u32| i32::try_from(days).unwrap_or(i32::MAX);
    Retention {
        raw_days: days(config.analytics.raw_days),
        session_days: days(config.analytics.session_days),
        sum_days: days(config.analytics.sum_days),
    }
}
