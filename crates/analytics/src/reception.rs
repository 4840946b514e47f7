//! From a report to a hit: everything that needs the request, and nothing that needs the queue.
//!
//! The server and the import of access logs both come here, so a line of a log counts, or is refused, as the request would have
//! been.

use crate::agent::{self, Agent, Hints};
use crate::day::Day;
use crate::hit::{Hit, HitAgent, HitEvent};
use crate::identity::consented_visitor;
use crate::networks::Databases;
use crate::page_url::{PageUrl, Referrer};
use crate::protocol::Report;
use crate::refusal::{Reason, Refusal};
use crate::settings::{Consent, Settings, Site};
use crate::source::{Channel, source};
use schema::Timestamp;
use std::net::IpAddr;

/// What is known of the sender of a request. Address and user agent stay here.
#[derive(Debug)]
pub struct Sender<'a> {
    /// Address of the client.
    pub address: IpAddr,
    /// User agent.
    pub user_agent: &'a [u8],
    /// Hints of the browser.
    pub hints: Hints<'a>,
    /// `Accept-Language`.
    pub language: &'a str,
    /// `Origin`; `null` when it is not text.
    pub origin: Option<&'a str>,
    /// `Referer`.
    pub referer: Option<&'a str>,
    /// Whether the browser fetches ahead of time.
    pub is_prefetch: bool,
    /// Whether the browser asks not to be tracked.
    pub asks_for_privacy: bool,
    /// Whether headers contradict each other.
    pub is_contradictory: bool,
    /// Whether the tracker sent it; a pixel has no origin.
    pub is_script: bool,
}

/// What a hit depends on besides the request.
#[derive(Clone, Copy, Debug)]
pub struct Reception<'a> {
    /// The settings.
    pub settings: &'a Settings,
    /// Countries and networks.
    pub databases: &'a Databases,
}

impl Reception<'_> {
    /// Makes a hit of a report that arrived `now`; `visitor` tells who the sender is on a day.
    ///
    /// # Errors
    /// Why it does not count.
    pub fn hit(
        &self,
        site: &Site,
        sender: &Sender<'_>,
        report: Report,
        now: Timestamp,
        visitor: impl FnOnce(&Day) -> Result<i64, Refusal>,
    ) -> Result<Hit, Refusal> {
        check_origin(site, sender, &report.page)?;
        if site.consent == Consent::Off {
            return Err(Reason::Off.into());
        }
        if report.is_synthetic {
            return Ok(synthetic(site, report, now));
        }
        let day = Day::of(now, &site.zone);
        let agent = check_agent(sender, day.date.year())?;
        let is_own = self
            .settings
            .own_networks
            .iter()
            .any(|network| network.contains(sender.address))
            || self.settings.own_addresses.contains(sender.address);
        if report.is_own || is_own {
            return Err(Reason::OwnVisit.into());
        }
        let referrer = report
            .referrer
            .filter(|referrer| !site.is_internal(&referrer.host));
        if referrer
            .as_ref()
            .is_some_and(|referrer| self.databases.is_spam(referrer))
        {
            return Err(Reason::SpamReferrer.into());
        }
        let wants_none = self.settings.respect_signals && sender.asks_for_privacy;
        let (visitor, consented) = match (site.consent, &report.session) {
            _ if wants_none => (None, false),
            (Consent::Consented, Some(session)) => (
                Some(consented_visitor(&site.domain, day.date, session)),
                true,
            ),
            (Consent::Consented, None) => (None, false),
            _ => (Some(visitor(&day)?), false),
        };
        let found = source(&report.page.campaign, referrer.as_ref());
        let campaign = report.page.campaign;
        // What waited in a browser over midnight counts from midnight: a visitor lives for one day.
        let instant = |age_ms: u32| Timestamp(now.0 - i64::from(age_ms) * 1000).max(day.start).0;
        let events = report.events.into_iter().map(|event| HitEvent {
            at: instant(event.age_ms),
            what: event.what,
        });
        let asn = self.databases.network(sender.address);
        let is_datacentre =
            asn.is_some_and(|number| self.settings.datacentre_asns.contains(&number));
        let suspect = agent.suspect || is_datacentre;
        Ok(Hit {
            site: site.domain.clone(),
            at: now.0,
            visitor,
            view: report.view,
            page: report.page.key,
            title: report.title,
            source: found.name,
            channel: found.channel,
            referrer: referrer.map(|referrer| referrer.address),
            utm: [
                campaign.source,
                campaign.medium,
                campaign.name,
                campaign.content,
                campaign.term,
            ],
            agent: HitAgent::from(agent),
            language: language(sender.language),
            country: self.databases.country(sender.address),
            asn: asn.and_then(|number| i32::try_from(number).ok()),
            width: report.width,
            suspect,
            consented,
            synthetic: false,
            events: events.collect(),
        })
    }
}

fn check_agent(sender: &Sender<'_>, year: i16) -> Result<agent::Browser, Refusal> {
    if sender.is_prefetch {
        return Err(Reason::Prefetch.into());
    }
    let bot = |detail| Refusal::new(Reason::Bot, detail);
    if sender.is_contradictory {
        return Err(bot("contradictory"));
    }
    if sender.hints.is_headless() {
        return Err(bot("headless"));
    }
    match agent::scan(sender.user_agent, &sender.hints, year) {
        Agent::Browser(browser) => Ok(browser),
        Agent::Bot(kind) => Err(bot(kind.as_str())),
    }
}

/// Returns the hit of a health check. Of the sender nothing is asked but the origin: anybody may make a check, as it counts nowhere.
fn synthetic(site: &Site, report: Report, now: Timestamp) -> Hit {
    Hit {
        site: site.domain.clone(),
        at: now.0,
        visitor: None,
        view: report.view,
        page: report.page.key,
        title: None,
        source: String::new(),
        channel: Channel::Direct,
        referrer: None,
        utm: [const { None }; 5],
        agent: HitAgent::default(),
        language: None,
        country: None,
        asn: None,
        width: None,
        suspect: false,
        consented: false,
        synthetic: true,
        events: Vec::new(),
    }
}

/// Checks that a page of the site sent the report.
fn check_origin(site: &Site, sender: &Sender<'_>, page: &PageUrl) -> Result<(), Refusal> {
    let foreign = |detail| Refusal::new(Reason::ForeignOrigin, detail);
    if !site.has_host(&page.host) {
        return Err(foreign("url"));
    }
    match (sender.origin, sender.referer) {
        (Some(origin), _) => {
            let host = origin_host(origin).ok_or(foreign("origin"))?;
            if site.has_host(&host) {
                Ok(())
            } else {
                Err(foreign("origin"))
            }
        }
        (None, Some(referer)) => {
            let host = Referrer::parse(referer).ok_or(foreign("referer"))?.host;
            if site.has_host(&host) {
                Ok(())
            } else {
                Err(foreign("referer"))
            }
        }
        // A browser states the origin of every POST; of an image it may state nothing.
        (None, None) if sender.is_script => Err(foreign("origin")),
        (None, None) => Ok(()),
    }
}

/// Returns the host of an origin.
pub(crate) fn origin_host(origin: &str) -> Option<String> {
    let origin = origin
        .split_once("://")
        .map(|(scheme, _)| scheme)
        .filter(|scheme| matches!(*scheme, "http" | "https"))
        .and(Some(origin))?;
    PageUrl::parse(origin).ok().map(|page| page.host)
}

/// Returns the first language of a list, with its region.
fn language(accepted: &str) -> Option<String> {
    let first = accepted.split([',', ';']).next()?.trim();
    let mut parts = first.split('-');
    let language = parts.next().filter(|part| {
        (2..=3).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_alphabetic())
    })?;
    let region =
        parts.find(|part| part.len() == 2 && part.bytes().all(|byte| byte.is_ascii_alphabetic()));
    let language = language.to_ascii_lowercase();
    Some(match region {
        Some(region) => format!("{language}-{}", region.to_ascii_uppercase()),
        None => language,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_language_is_its_tag_and_region() {
        for (accepted, wanted) in [
            ("de-AT,de;q=0.9,en;q=0.8", Some("de-AT")),
            ("en", Some("en")),
            ("zh-Hans-CN", Some("zh-CN")),
            ("*", None),
            ("", None),
            ("=cmd()", None),
            ("english", None),
        ] {
            assert_eq!(language(accepted).as_deref(), wanted, "{accepted}");
        }
    }

    #[test]
    fn an_origin_is_a_scheme_and_a_host() {
        for (origin, wanted) in [
            ("https://Example.org", Some("example.org")),
            ("http://127.0.0.1:8080", Some("127.0.0.1")),
            ("null", None),
            ("file://", None),
            ("https://example.org@evil.example", None),
        ] {
            assert_eq!(origin_host(origin).as_deref(), wanted, "{origin}");
        }
    }
}
