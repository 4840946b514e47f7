//! Settings taken from the configuration.

use super::{Consent, Settings, Site};
use crate::delivery::Retention;
use crate::host_name;
use crate::own_addresses::OwnAddresses;
use config::{AnalyticsConsent, Config, Fault, Faults, Loaded, Place, Problem};
use jiff::tz::TimeZone;
use std::collections::HashSet;
use std::io;
use std::path::Path;

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
///
/// # Errors
/// When a file that the configuration names cannot be read.
pub fn server(config: &Config) -> io::Result<Settings> {
    let own = &config.analytics;
    let networks = |texts: &[String]| {
        // Checked when the configuration was loaded.
        texts.iter().filter_map(|text| text.parse().ok()).collect()
    };
    Ok(Settings {
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
        spam_referrers: match &own.spam_referrers {
            Some(path) => hosts(path)?,
            None => HashSet::new(),
        },
    })
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

/// Reads a list of hosts, one in a line; `#` begins a comment. They are kept in their one form, as those of referrers are. A line that is
/// no host is left out.
///
/// # Errors
/// When the file cannot be read.
pub fn hosts(path: &Path) -> io::Result<HashSet<String>> {
    let text = std::fs::read_to_string(path).map_err(|error| {
        io::Error::new(
            error.kind(),
            format!("cannot read {}: {error}", path.display()),
        )
    })?;
    let hosts = text
        .lines()
        .filter_map(|line| line.split('#').next())
        .map(str::trim);
    Ok(hosts.filter_map(host_name::canonical).collect())
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::page_url::Referrer;

    #[test]
    fn hosts_of_spam_are_found_as_referrers_state_them() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("spam.txt");
        std::fs::write(
            &path,
            "# known\nSpam.example \n\nпример.рф # paid\n10.0.0.1\nnot a host\n",
        )
        .unwrap();
        let settings = Settings {
            spam_referrers: hosts(&path).unwrap(),
            ..Settings::default()
        };
        assert_eq!(settings.spam_referrers.len(), 3);
        let is_spam = |url: &str| Referrer::parse(url).is_some_and(|one| settings.is_spam(&one));
        for (url, wanted) in [
            ("https://spam.example/a", true),
            ("http://WWW.Spam.Example:8080/", true),
            ("https://пример.рф/", true),
            ("https://www.xn--e1afmkfd.xn--p1ai/", true),
            ("https://10.0.0.1/", true),
            ("https://nospam.example/", false),
            ("https://spam.example.org/", false),
        ] {
            assert_eq!(is_spam(url), wanted, "{url}");
        }
    }
}
