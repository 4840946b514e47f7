//! Where a visit came from: the name of the source and the channel.
//!
//! The order is: what the link itself states (`utm_source`, then `ref` or `source`), then the referrer, else direct. Names
//! of known engines, networks and apps are folded by one table, so `www.google.de`, `google.co.uk` and the Android app
//! are one source; any other host is its own source, without `www.`. The channel follows from the medium and the click
//! identifier of a campaign, else from the table.

use crate::host_name::without_www;
use crate::page_url::{Campaign, Click, Referrer};

/// How a visit came about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Channel {
    /// No referrer and no campaign.
    Direct,
    /// A search engine, unpaid.
    Search,
    /// A social network, unpaid.
    Social,
    /// A video site.
    Video,
    /// An assistant that answers with links.
    Assistant,
    /// A letter.
    Email,
    /// An advertisement.
    Paid,
    /// A campaign of another kind.
    Campaign,
    /// Any other site.
    Referral,
}

impl Channel {
    /// Returns its name as stored.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Direct => "direct",
            Self::Search => "search",
            Self::Social => "social",
            Self::Video => "video",
            Self::Assistant => "assistant",
            Self::Email => "email",
            Self::Paid => "paid",
            Self::Campaign => "campaign",
            Self::Referral => "referral",
        }
    }

    /// Returns the stored name of a channel; that of [`Channel::Referral`] for one that is not known.
    #[must_use]
    pub fn stored(name: &str) -> &'static str {
        let all = [
            Self::Direct,
            Self::Search,
            Self::Social,
            Self::Video,
            Self::Assistant,
            Self::Email,
            Self::Paid,
            Self::Campaign,
        ];
        let known = all.into_iter().find(|channel| channel.as_str() == name);
        known.unwrap_or(Self::Referral).as_str()
    }
}

/// Name, channel, and hosts of a source. A host matches itself and its subdomains; one that ends in `.*` any top-level
/// domain, of one label or two (`google.co.uk`). Packages of Android apps are matched as they are.
type Known = (&'static str, Channel, &'static [&'static str]);

const SOURCES: &[Known] = &[
    (
        "Google",
        Channel::Search,
        &[
            "google.*",
            "com.google.android.googlequicksearchbox",
            "googlequicksearchbox",
        ],
    ),
    ("Bing", Channel::Search, &["bing.com", "com.microsoft.bing"]),
    (
        "DuckDuckGo",
        Channel::Search,
        &["duckduckgo.com", "com.duckduckgo.mobile.android"],
    ),
    ("Yahoo", Channel::Search, &["search.yahoo.com", "yahoo.*"]),
    ("Yandex", Channel::Search, &["yandex.*", "ya.ru"]),
    ("Baidu", Channel::Search, &["baidu.com"]),
    (
        "Ecosia",
        Channel::Search,
        &["ecosia.org", "com.ecosia.android"],
    ),
    ("Qwant", Channel::Search, &["qwant.com"]),
    ("Startpage", Channel::Search, &["startpage.com"]),
    ("Brave Search", Channel::Search, &["search.brave.com"]),
    ("Kagi", Channel::Search, &["kagi.com"]),
    ("Mojeek", Channel::Search, &["mojeek.com"]),
    ("Naver", Channel::Search, &["naver.com"]),
    ("Seznam", Channel::Search, &["seznam.cz"]),
    ("Sogou", Channel::Search, &["sogou.com"]),
    ("MetaGer", Channel::Search, &["metager.de", "metager.org"]),
    (
        "ChatGPT",
        Channel::Assistant,
        &["chatgpt.com", "chat.openai.com"],
    ),
    ("Claude", Channel::Assistant, &["claude.ai"]),
    (
        "Gemini",
        Channel::Assistant,
        &["gemini.google.com", "bard.google.com"],
    ),
    ("Copilot", Channel::Assistant, &["copilot.microsoft.com"]),
    ("Perplexity", Channel::Assistant, &["perplexity.ai"]),
    ("Mistral", Channel::Assistant, &["chat.mistral.ai"]),
    (
        "Facebook",
        Channel::Social,
        &["facebook.com", "fb.com", "fb.me", "com.facebook.katana"],
    ),
    (
        "Instagram",
        Channel::Social,
        &["instagram.com", "com.instagram.android"],
    ),
    ("Threads", Channel::Social, &["threads.net", "threads.com"]),
    (
        "X",
        Channel::Social,
        &["x.com", "twitter.com", "t.co", "com.twitter.android"],
    ),
    (
        "LinkedIn",
        Channel::Social,
        &["linkedin.com", "lnkd.in", "com.linkedin.android"],
    ),
    (
        "Reddit",
        Channel::Social,
        &["reddit.com", "redd.it", "com.reddit.frontpage"],
    ),
    ("Hacker News", Channel::Social, &["news.ycombinator.com"]),
    ("Lobsters", Channel::Social, &["lobste.rs"]),
    (
        "Mastodon",
        Channel::Social,
        &[
            "mastodon.social",
            "mastodon.online",
            "fosstodon.org",
            "hachyderm.io",
        ],
    ),
    ("Bluesky", Channel::Social, &["bsky.app", "go.bsky.app"]),
    ("Pinterest", Channel::Social, &["pinterest.*", "pin.it"]),
    ("TikTok", Channel::Social, &["tiktok.com"]),
    (
        "Telegram",
        Channel::Social,
        &[
            "t.me",
            "telegram.org",
            "telegram.me",
            "org.telegram.messenger",
        ],
    ),
    (
        "WhatsApp",
        Channel::Social,
        &["whatsapp.com", "wa.me", "com.whatsapp"],
    ),
    (
        "Discord",
        Channel::Social,
        &["discord.com", "discordapp.com"],
    ),
    ("Slack", Channel::Social, &["slack.com", "com.slack"]),
    ("VK", Channel::Social, &["vk.com", "vk.ru"]),
    ("Xing", Channel::Social, &["xing.com"]),
    ("Quora", Channel::Social, &["quora.com"]),
    ("Stack Overflow", Channel::Referral, &["stackoverflow.com"]),
    ("GitHub", Channel::Referral, &["github.com"]),
    ("GitLab", Channel::Referral, &["gitlab.com"]),
    ("Wikipedia", Channel::Referral, &["wikipedia.org"]),
    (
        "YouTube",
        Channel::Video,
        &["youtube.com", "youtu.be", "com.google.android.youtube"],
    ),
    ("Vimeo", Channel::Video, &["vimeo.com"]),
    ("Twitch", Channel::Video, &["twitch.tv"]),
    (
        "Gmail",
        Channel::Email,
        &["mail.google.com", "com.google.android.gm"],
    ),
    (
        "Outlook",
        Channel::Email,
        &[
            "outlook.live.com",
            "outlook.office.com",
            "outlook.office365.com",
            "com.microsoft.office.outlook",
        ],
    ),
    ("Yahoo Mail", Channel::Email, &["mail.yahoo.com"]),
    ("Proton Mail", Channel::Email, &["mail.proton.me"]),
    ("Feedly", Channel::Referral, &["feedly.com"]),
];

/// Other texts of `utm_source` and `ref` that mean a known source.
const ALIASES: &[(&str, &str)] = &[
    ("fb", "Facebook"),
    ("ig", "Instagram"),
    ("twitter", "X"),
    ("hn", "Hacker News"),
    ("hackernews", "Hacker News"),
    ("yt", "YouTube"),
    ("chatgpt.com", "ChatGPT"),
];

/// The source of a visit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// Its name; empty for direct visits.
    pub name: String,
    /// Its channel.
    pub channel: Channel,
}

/// Returns the source of a visit. `referrer` is `None` for the site's own pages.
#[must_use]
pub fn source(campaign: &Campaign, referrer: Option<&Referrer>) -> Source {
    let stated = campaign.source.as_deref().or(campaign.hint.as_deref());
    let found = match (stated, referrer) {
        (Some(stated), _) => named(stated),
        (None, Some(referrer)) => of_host(&referrer.host),
        (None, None) => None,
    };
    let name = match (found, stated, referrer) {
        (Some((name, _)), ..) => name.to_owned(),
        (None, Some(stated), _) => stated.to_lowercase(),
        (None, None, Some(referrer)) => without_www(&referrer.host).to_owned(),
        (None, None, None) => String::new(),
    };
    let usual = match found {
        Some((_, channel)) => channel,
        None if campaign.source.is_some() => Channel::Campaign,
        None if stated.is_some() || referrer.is_some() => Channel::Referral,
        None => Channel::Direct,
    };
    Source {
        name,
        channel: of_campaign(campaign).unwrap_or(usual),
    }
}

/// Returns the channel that a campaign states.
fn of_campaign(campaign: &Campaign) -> Option<Channel> {
    // Facebook's identifier is on every link that leaves it.
    if campaign.click.is_some_and(|click| click != Click::Facebook) {
        return Some(Channel::Paid);
    }
    let medium = campaign.medium.as_deref()?.to_lowercase();
    let is = |words: &[&str]| words.contains(&medium.as_str());
    if medium.starts_with("paid")
        || is(&[
            "cpc",
            "ppc",
            "cpm",
            "cpv",
            "cpa",
            "display",
            "banner",
            "retargeting",
            "ads",
            "ad",
        ])
    {
        Some(Channel::Paid)
    } else if is(&["email", "e-mail", "e_mail", "mail", "newsletter"]) {
        Some(Channel::Email)
    } else if is(&["social", "social-media", "social_media", "sm"]) {
        Some(Channel::Social)
    } else if is(&["video"]) {
        Some(Channel::Video)
    } else if is(&["organic", "search"]) {
        Some(Channel::Search)
    } else {
        None
    }
}

/// Returns the known source that a parameter names.
fn named(text: &str) -> Option<(&'static str, Channel)> {
    let lower = text.to_lowercase();
    let alias = ALIASES.iter().find(|(alias, _)| *alias == lower);
    let wanted = alias.map_or(text, |(_, name)| name);
    let known = SOURCES
        .iter()
        .find(|(name, ..)| name.eq_ignore_ascii_case(wanted));
    known
        .map(|(name, channel, _)| (*name, *channel))
        .or_else(|| of_host(&lower))
}

/// Returns the known source of a host; the longest matching host counts, so `mail.google.com` is not the engine.
fn of_host(host: &str) -> Option<(&'static str, Channel)> {
    let matches = SOURCES.iter().flat_map(|(name, channel, hosts)| {
        let lengths = hosts
            .iter()
            .filter_map(|pattern| match_length(host, pattern));
        lengths.max().map(|length| (length, (*name, *channel)))
    });
    matches
        .max_by_key(|(length, _)| *length)
        .map(|(_, found)| found)
}

/// Returns the length of the part of a host that a pattern matches.
fn match_length(host: &str, pattern: &str) -> Option<usize> {
    let Some(label) = pattern.strip_suffix(".*") else {
        let rest = host.strip_suffix(pattern)?;
        return (rest.is_empty() || rest.ends_with('.')).then_some(pattern.len());
    };
    let labels: Vec<&str> = host.split('.').collect();
    // The label stands before one label of a top-level domain, or two short ones (co.uk, com.br).
    let (tail, at) = match labels.as_slice() {
        [.., name, second, top] if *name == label && second.len() <= 3 && top.len() == 2 => {
            (second.len() + top.len() + 2, true)
        }
        [.., name, top] if *name == label => (top.len() + 1, true),
        _ => (0, false),
    };
    at.then_some(label.len() + tail)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::page_url::PageUrl;

    #[derive(serde::Deserialize)]
    struct Case {
        url: String,
        referrer: Option<String>,
        source: String,
        channel: Channel,
    }

    #[test]
    fn sources_are_those_of_the_fixture() {
        let text = include_str!("../../../fixtures/analytics/sources.json");
        let cases: Vec<Case> = serde_json::from_str(text).unwrap();
        for case in cases {
            let page = PageUrl::parse(&case.url).unwrap();
            let referrer = case.referrer.as_deref().and_then(Referrer::parse);
            let found = source(&page.campaign, referrer.as_ref());
            let context = format!("{} from {:?}", case.url, case.referrer);
            assert_eq!(found.name, case.source, "{context}");
            assert_eq!(found.channel, case.channel, "{context}");
        }
    }

    #[test]
    fn names_and_hosts_are_unique() {
        let mut names: Vec<&str> = SOURCES.iter().map(|(name, ..)| *name).collect();
        let mut hosts: Vec<&str> = SOURCES
            .iter()
            .flat_map(|(.., hosts)| hosts.iter().copied())
            .collect();
        for list in [&mut names, &mut hosts] {
            let count = list.len();
            list.sort_unstable();
            list.dedup();
            assert_eq!(list.len(), count);
        }
        assert!(ALIASES.iter().all(|(_, name)| names.contains(name)));
    }
}
