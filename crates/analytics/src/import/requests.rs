//! Requests of an access log as reports of views.
//!
//! A view is a page that was asked for and shown: `GET`, and an answer of 200, 304 or 404. What pages are made of (styles, scripts, images)
//! is no view, nor is what only a redirect answered.

use crate::agent::Hints;
use crate::page_url::{PageUrl, Referrer};
use crate::protocol::{Happening, Report, ReportedEvent};
use crate::reception::Sender;
use crate::settings::Site;
use crate::word::first_eight;
use schema::Timestamp;
use sha2::{Digest as _, Sha256};
use std::borrow::Cow;

/// A request of an access log.
#[derive(Clone, Debug)]
pub struct Request<'a> {
    /// The host that was asked, without port; empty where the log does not state it.
    pub host: Cow<'a, str>,
    /// Address of the client.
    pub client: Cow<'a, str>,
    /// When it was answered.
    pub at: Timestamp,
    /// Method.
    pub method: Cow<'a, str>,
    /// Path with its query.
    pub target: Cow<'a, str>,
    /// Status of the answer.
    pub status: u16,
    /// Page of the link, or empty.
    pub referer: Cow<'a, str>,
    /// User agent, or empty.
    pub agent: Cow<'a, str>,
}

/// Endings of files that are pages.
const PAGES: &[&str] = &[
    "html", "htm", "xhtml", "shtml", "php", "asp", "aspx", "jsp", "cgi", "do",
];

/// Returns why a request is no view; nothing where it is one.
pub(super) fn left_out(
    site: &Site,
    request: &Request<'_>,
    without: &[String],
) -> Option<&'static str> {
    let path = request.target.split(['?', '#']).next().unwrap_or_default();
    let file = path.rsplit('/').next().unwrap_or_default();
    let ending = file
        .rsplit_once('.')
        .map(|(_, ending)| ending.to_ascii_lowercase());
    let host = request.host.to_ascii_lowercase();
    if !host.is_empty() && !site.has_host(&host) {
        Some("of another host")
    } else if request.method != "GET" {
        Some("no GET")
    } else if !matches!(request.status, 200 | 304 | 404) {
        Some("not answered with a page")
    } else if ending.is_some_and(|ending| !PAGES.contains(&ending.as_str())) {
        Some("no page: a file that pages are made of")
    } else if without.iter().any(|pattern| matches(pattern, path)) {
        Some("left out by --without")
    } else {
        None
    }
}

/// Returns whether a path is meant by a pattern, in which `*` stands for any text.
fn matches(pattern: &str, path: &str) -> bool {
    let mut parts = pattern.split('*');
    let Some(mut rest) = parts.next().and_then(|first| path.strip_prefix(first)) else {
        return false;
    };
    let parts: Vec<&str> = parts.collect();
    let Some((last, inner)) = parts.split_last() else {
        return rest.is_empty();
    };
    for part in inner {
        match rest.find(part) {
            Some(at) => rest = &rest[at + part.len()..],
            None => return false,
        }
    }
    rest.ends_with(last)
}

/// Returns the report that a script on the page would have sent; nothing where the page's address is none.
pub(super) fn report(site: &Site, request: &Request<'_>, view: i64) -> Option<Report> {
    let host = if request.host.is_empty() {
        site.hosts
            .first()
            .map_or(site.domain.as_str(), String::as_str)
    } else {
        request.host.as_ref()
    };
    let path = if request.target.starts_with('/') {
        request.target.as_ref()
    } else {
        // The absolute form, as proxies are asked.
        let (_, rest) = request.target.split_once("://")?;
        rest.find('/').map_or("/", |at| &rest[at..])
    };
    let status = i16::try_from(request.status)
        .ok()
        .filter(|status| *status == 404);
    Some(Report {
        site: site.domain.clone(),
        page: PageUrl::parse(&format!("https://{host}{path}")).ok()?,
        referrer: Referrer::parse(&request.referer),
        title: None,
        width: None,
        view,
        session: None,
        is_own: false,
        is_synthetic: false,
        client: None,
        events: vec![ReportedEvent {
            age_ms: 0,
            what: Happening::View { status },
        }],
    })
}

/// Returns what the log tells of the visitor; nothing where the client is no address.
pub(super) fn sender<'a>(request: &'a Request<'_>) -> Option<Sender<'a>> {
    Some(Sender {
        address: request.client.parse().ok()?,
        user_agent: request.agent.as_bytes(),
        hints: Hints::default(),
        language: "",
        origin: None,
        referer: None,
        is_prefetch: false,
        asks_for_privacy: false,
        is_contradictory: false,
        is_script: false,
    })
}

/// Returns the identifier of the view of a line: the same whenever the file is read.
pub(super) fn view_id(file: &[u8; 32], line: u64) -> i64 {
    let mut hash = Sha256::new();
    hash.update(file);
    hash.update(line.to_be_bytes());
    first_eight(&hash.finalize())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_have_stars() {
        for (pattern, path, wanted) in [
            ("/api/*", "/api/x", true),
            ("/api/*", "/apix", false),
            ("*.json", "/a/b.json", true),
            ("/a/*/c", "/a/b/c", true),
            ("/a/*/c", "/a/c", false),
            ("/a", "/a", true),
            ("/a", "/ab", false),
            ("*", "/", true),
        ] {
            assert_eq!(matches(pattern, path), wanted, "{pattern} {path}");
        }
    }
}
