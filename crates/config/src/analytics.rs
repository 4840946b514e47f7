//! `[analytics]` and its lists: the sites whose visits are counted.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;

use crate::draft::Draft;
use crate::field::choice;
use crate::key::{Problem, Value, at, quoted};
use crate::machine::absolute;
use crate::secret::Secret;
use crate::section::section;
use crate::targets::plain_text;
use crate::url::{HttpUrl, is_host_name};

section! {
    /// Web analytics: where reports of pages are received, and what is stored of visitors.
    pub struct Analytics = "analytics" {
        /// Address and port; port 0 takes a free one. A proxy with TLS stands in front of it.
        listen: SocketAddr = SocketAddr::from((Ipv4Addr::LOCALHOST, 8089)) => env("ANALYTICS_LISTEN");
        /// Path below which everything lies; begins and ends with a slash.
        base_path: String = "/".to_owned() => env("ANALYTICS_BASE_PATH") with(crate::monitor::base_path) live();
        /// A further name under which the tracker is served, besides `pqcrypta-analytics.js`, such as `site.js`.
        script_name: String = String::new() => with(script_name) live();
        /// Directory of the queue; on a disk, owned by the program and closed to others.
        queue_dir: PathBuf = PathBuf::from("/var/lib/pqcrypta-analytics/queue") => env("ANALYTICS_QUEUE_DIR") with(absolute);
        /// Most megabytes the queue may take on disk. When they are used up, reports are refused until the
        /// database takes some; none that was acknowledged is given up.
        queue_max_mb: u64 = 256 => env("ANALYTICS_QUEUE_MAX_MB") range(16, 1_048_576);
        /// File of the secrets that tell visitors of a day apart; in a directory of a file system in memory
        /// (tmpfs), since they must not outlive the day. Elsewhere, and when empty, they are in memory only.
        salts_file: Option<PathBuf> = Some(PathBuf::from("/run/pqcrypta-analytics/salts")) => env("ANALYTICS_SALTS_FILE") with(absolute);
        /// Addresses or networks of proxies in front, such as `127.0.0.1` or `10.0.0.0/8`. Only what these
        /// state about a client counts.
        trusted_proxies: Vec<String> = vec!["127.0.0.1".to_owned(), "::1".to_owned()] => env("ANALYTICS_TRUSTED_PROXIES") with(networks) live();
        /// Header in which they state the client's address.
        client_address_header: String = "x-forwarded-for".to_owned() => with(header) live();
        /// Whether browsers that ask not to be tracked (GPC, DNT) are counted without a visit.
        respect_signals: bool = true => live();
        /// Addresses or networks of the operator, whose visits do not count.
        own_networks: Vec<String> = Vec::new() => with(networks) live();
        /// Host names of the operator, such as that of a home router, whose visits do not count; their addresses are looked up every
        /// five minutes.
        own_hosts: Vec<String> = Vec::new() => with(hosts) live();
        /// Secret with which backends report what they know of a visitor (`Authorization: Bearer SECRET`); at least 16 characters. None is
        /// accepted without it.
        backend_token: Secret = Secret::default() => env("ANALYTICS_BACKEND_TOKEN") with(token) live();
        /// Secret with which a supervisor on another machine reads the figures (`GET metrics`, `Authorization: Bearer SECRET`); at least
        /// 16 characters. This machine needs none.
        metrics_token: Secret = Secret::default() => env("ANALYTICS_METRICS_TOKEN") with(token) live();
        /// Where the collector reads these figures when the receiver is on another host, or behind a port that only it knows, such as
        /// `https://stats.example.org/metrics`; in the settings of one host. When empty, at `listen` on this host.
        metrics_url: Option<HttpUrl> = None => live();
        /// File of hosts, one in a line, that are known for spam; visits that state one as their source are refused. It is
        /// read again when it changes.
        spam_referrers: Option<PathBuf> = None => with(absolute) live();
        /// Database of countries by address, in the format MMDB (DB-IP, IPinfo, MaxMind); none without. It is read
        /// again when it changes.
        country_db: Option<PathBuf> = None => with(absolute) live();
        /// Database of networks by address, in the same format; none without.
        asn_db: Option<PathBuf> = None => with(absolute) live();
        /// Numbers of networks of data centres; visits from there are stored as suspect. Needs `asn_db`.
        datacentre_asns: Vec<String> = Vec::new() => with(numbers) live();
        /// Days for which views and events are kept.
        raw_days: u32 = 180 => range(2, 3650) live();
        /// Days for which visits are kept.
        session_days: u32 = 395 => range(2, 3650) live();
        /// Days for which sums are kept.
        sum_days: u32 = 760 => range(2, 36_500) live();
    } with {
        /// The sites: `[[analytics.site]]`.
        site: Vec<AnalyticsSite>;
        /// Titles of pages: `[[analytics.title]]`.
        title: Vec<AnalyticsTitle>;
        /// Goals: `[[analytics.goal]]`.
        goal: Vec<AnalyticsGoal>;
        /// Funnels: `[[analytics.funnel]]`.
        funnel: Vec<AnalyticsFunnel>;
    }
}

section! {
    /// A site whose visits are counted, written once for each. One process counts a site.
    pub struct AnalyticsSite = ["analytics.site"] {
        /// Name of the site, as `data-site` of its script has it: its main domain.
        domain: String = String::new() => with(host) live();
        /// Hosts whose pages belong to it; without any, the domain, and the same with `www.` in front.
        hosts: Vec<String> = Vec::new() => with(hosts) live();
        /// Its time zone, as `Europe/Berlin`; its days begin at midnight there.
        time_zone: String = "UTC".to_owned() => with(zone) live();
        /// `cookieless`: visits are counted without anything on the visitor's device. `consented`: visits of those
        /// who consented, and anonymous views of the others. `off`: nothing is stored.
        consent: AnalyticsConsent = AnalyticsConsent::Cookieless => live();
        /// `asked`: a visitor of a site with `consent = "consented"` has to consent first. `granted`: consent is
        /// taken for granted, which the law of many countries does not allow.
        consent_default: AnalyticsConsentDefault = AnalyticsConsentDefault::Asked => live();
        /// Further hosts that are no source of visits, such as those of a payment.
        internal_hosts: Vec<String> = Vec::new() => with(hosts) live();
    }
}

section! {
    /// The title of a page that no visitor's browser has reported yet.
    pub struct AnalyticsTitle = ["analytics.title"] {
        /// Domain of the site; every site when empty.
        site: String = String::new() => ;
        /// Path of the page.
        path: String = String::new() => with(path);
        /// Its title.
        title: String = String::new() => with(filled);
    }
}

section! {
    /// Something a visit is to achieve: a page that is seen, or an event.
    pub struct AnalyticsGoal = ["analytics.goal"] {
        /// Domain of the site; every site when empty.
        site: String = String::new() => ;
        /// Name of the goal.
        name: String = String::new() => with(filled);
        /// Path of the page; `*` stands for any text.
        page: String = String::new() => ;
        /// Name of the event.
        event: String = String::new() => ;
    }
}

section! {
    /// Steps that visits are to take in this order.
    pub struct AnalyticsFunnel = ["analytics.funnel"] {
        /// Domain of the site; every site when empty.
        site: String = String::new() => ;
        /// Name of the funnel.
        name: String = String::new() => with(filled);
        /// Two to eight steps: a path, such as `/cart/`, or `event:` and the name of one.
        steps: Vec<String> = Vec::new() => with(steps);
    }
}

choice! {
    /// What is stored of visitors.
    pub enum AnalyticsConsent {
        /// Visits, without anything on the device.
        Cookieless = "cookieless",
        /// Visits with consent, anonymous views without.
        Consented = "consented",
        /// Nothing.
        Off = "off",
    }
}

choice! {
    /// What holds until a visitor answers.
    pub enum AnalyticsConsentDefault {
        /// No consent.
        Asked = "asked",
        /// Consent.
        Granted = "granted",
    }
}

impl AnalyticsSite {
    /// Returns the hosts whose pages belong to the site.
    #[must_use]
    pub fn all_hosts(&self) -> Vec<String> {
        let domain = self.domain.to_ascii_lowercase();
        if self.hosts.is_empty() {
            let with_www = format!("www.{domain}");
            return vec![domain, with_www];
        }
        self.hosts
            .iter()
            .map(|host| host.to_ascii_lowercase())
            .collect()
    }
}

/// Checks what has to be right about an entry as a whole, or about all of them.
pub(crate) fn check(draft: &mut Draft) {
    let analytics = draft.config.analytics.clone();
    if let Some(url) = &analytics.metrics_url {
        let has_token = !analytics.metrics_token.is_empty();
        plain_text(
            draft,
            "analytics.metrics_url",
            url,
            "metrics_token",
            has_token,
        );
    }
    let mut domains: Vec<String> = Vec::new();
    for (entry, site) in analytics.site.iter().enumerate() {
        let domain = site.domain.to_ascii_lowercase();
        if domain.is_empty() {
            draft.fault(
                &at("analytics.site", entry, "domain"),
                Problem::new("is missing", "write domain = \"example.org\""),
            );
        } else if domains.contains(&domain) {
            draft.fault(
                &at("analytics.site", entry, "domain"),
                Problem::new(
                    format!("{} is there twice", quoted(&domain)),
                    "keep one of the two",
                ),
            );
        }
        domains.push(domain);
        if site.consent_default == AnalyticsConsentDefault::Granted {
            draft.warn(
                &at("analytics.site", entry, "consent_default"),
                Problem::new(
                    "takes consent for granted, which the law of many countries does not allow",
                    "write \"asked\", or leave it out",
                ),
            );
        }
    }
    for (entry, goal) in analytics.goal.iter().enumerate() {
        if goal.page.is_empty() == goal.event.is_empty() {
            draft.fault(
                &at("analytics.goal", entry, "page"),
                Problem::new(
                    "and event: exactly one of them has to be there",
                    "name a page or an event",
                ),
            );
        }
    }
    let missing = |list: &[(&'static str, bool)], entry: usize| {
        let empty = list.iter().find(|(_, is_empty)| *is_empty);
        empty.map(|(key, _)| (*key, entry))
    };
    let titles = analytics
        .title
        .iter()
        .enumerate()
        .filter_map(|(entry, title)| {
            missing(
                &[
                    ("path", title.path.is_empty()),
                    ("title", title.title.is_empty()),
                ],
                entry,
            )
            .map(|found| ("analytics.title", found))
        });
    let goals = analytics
        .goal
        .iter()
        .enumerate()
        .filter_map(|(entry, goal)| {
            missing(&[("name", goal.name.is_empty())], entry).map(|found| ("analytics.goal", found))
        });
    let funnels = analytics
        .funnel
        .iter()
        .enumerate()
        .filter_map(|(entry, funnel)| {
            missing(
                &[
                    ("name", funnel.name.is_empty()),
                    ("steps", funnel.steps.is_empty()),
                ],
                entry,
            )
            .map(|found| ("analytics.funnel", found))
        });
    for (list, (key, entry)) in titles.chain(goals).chain(funnels) {
        draft.fault(
            &at(list, entry, key),
            Problem::new("is missing", format!("write {key}")),
        );
    }
    let titles = analytics.title.iter().map(|title| &title.site);
    let goals = analytics.goal.iter().map(|goal| &goal.site);
    let funnels = analytics.funnel.iter().map(|funnel| &funnel.site);
    let named: Vec<(&str, usize, String)> = [
        ("analytics.title", titles.cloned().collect::<Vec<_>>()),
        ("analytics.goal", goals.cloned().collect()),
        ("analytics.funnel", funnels.cloned().collect()),
    ]
    .into_iter()
    .flat_map(|(list, sites)| {
        sites
            .into_iter()
            .enumerate()
            .map(move |(entry, site)| (list, entry, site))
    })
    .collect();
    for (list, entry, site) in named {
        if !site.is_empty() && !domains.contains(&site.to_ascii_lowercase()) {
            draft.fault(
                &at(list, entry, "site"),
                Problem::new(
                    format!("{} is not the domain of a site", quoted(&site)),
                    "name one of [[analytics.site]]",
                ),
            );
        }
    }
}

/// Checks each text of a list.
fn each(
    value: &Value,
    is_right: impl Fn(&str) -> bool,
    what: &str,
    remedy: &str,
) -> Result<(), Problem> {
    let Value::List(texts) = value else {
        return Ok(());
    };
    match texts.iter().find(|text| !is_right(text)) {
        Some(text) => Err(Problem::new(
            format!("lists {}, which is not {what}", quoted(text)),
            remedy,
        )),
        None => Ok(()),
    }
}

/// Checks a text.
fn one(
    value: &Value,
    is_right: impl Fn(&str) -> bool,
    what: &str,
    remedy: &str,
) -> Result<(), Problem> {
    match value {
        Value::Text(text) if !is_right(text) => Err(Problem::new(
            format!("{} is not {what}", quoted(text)),
            remedy,
        )),
        _ => Ok(()),
    }
}

fn is_network(text: &str) -> bool {
    let (address, bits) = text.split_once('/').unwrap_or((text, ""));
    let Ok(address) = address.parse::<IpAddr>() else {
        return false;
    };
    let most = if address.is_ipv4() { 32 } else { 128 };
    bits.is_empty() && !text.contains('/') || bits.parse::<u8>().is_ok_and(|bits| bits <= most)
}

fn networks(value: &Value) -> Result<(), Problem> {
    each(
        value,
        is_network,
        "an address or a network",
        "write it as 192.0.2.1, 10.0.0.0/8 or 2001:db8::/32",
    )
}

fn numbers(value: &Value) -> Result<(), Problem> {
    each(
        value,
        |text| text.parse::<u32>().is_ok(),
        "the number of a network",
        "write it without AS, as 64500",
    )
}

fn hosts(value: &Value) -> Result<(), Problem> {
    each(
        value,
        is_host_name,
        "a host name",
        "write the name alone, without scheme, port and path",
    )
}

fn host(value: &Value) -> Result<(), Problem> {
    one(
        value,
        |text| text.is_empty() || is_host_name(text),
        "a domain",
        "write it without scheme and path, as example.org",
    )
}

fn token(value: &Value) -> Result<(), Problem> {
    /// Fewer can be guessed.
    const LEAST: usize = 16;
    match value {
        Value::Secret(secret) if !secret.is_empty() && secret.expose().len() < LEAST => {
            Err(Problem::new(
                format!("has fewer than {LEAST} characters"),
                "make one with: openssl rand -hex 32",
            ))
        }
        _ => Ok(()),
    }
}

fn zone(value: &Value) -> Result<(), Problem> {
    let is_plain = |text: &str| {
        !text.is_empty()
            && text.bytes().all(|byte| {
                byte.is_ascii_alphanumeric() || matches!(byte, b'/' | b'_' | b'-' | b'+')
            })
    };
    one(
        value,
        is_plain,
        "a time zone",
        "write it as Europe/Berlin or UTC",
    )
}

fn path(value: &Value) -> Result<(), Problem> {
    one(
        value,
        |text| text.is_empty() || text.starts_with('/'),
        "a path",
        "begin it with a slash",
    )
}

fn filled(value: &Value) -> Result<(), Problem> {
    one(value, |text| !text.trim().is_empty(), "a text", "write one")
}

fn header(value: &Value) -> Result<(), Problem> {
    let is_name = |text: &str| {
        !text.is_empty()
            && text
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    };
    one(
        value,
        is_name,
        "the name of a header",
        "write it as x-forwarded-for",
    )
}

fn script_name(value: &Value) -> Result<(), Problem> {
    let is_name = |text: &str| {
        text.is_empty()
            || text.ends_with(".js")
                && text
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.'))
    };
    one(
        value,
        is_name,
        "the name of a script",
        "write it as site.js",
    )
}

fn steps(value: &Value) -> Result<(), Problem> {
    each(
        value,
        |text| {
            text.starts_with('/')
                || text
                    .strip_prefix("event:")
                    .is_some_and(|name| !name.is_empty())
        },
        "a step",
        "write a path, or event: and a name",
    )?;
    match value {
        Value::List(steps) if !(2..=8).contains(&steps.len()) && !steps.is_empty() => Err(
            Problem::new(format!("has {} steps", steps.len()), "write two to eight"),
        ),
        _ => Ok(()),
    }
}
