//! The address of a page, reduced to what is stored: host, page key and campaign.
//!
//! A query may hold anything, from e-mail addresses to session tokens, so all of it is dropped but the parameters of
//! campaigns, two names by which links state their source, and the kind of an advertiser's click identifier (never the
//! identifier). A fragment is dropped too. What cannot be an address of a page is refused rather than repaired: other
//! schemes, user names, hosts that are not names.

use crate::host_name;
use crate::page_key::{LONGEST_KEY, bounded_key};
use crate::text;

/// Most bytes of an address.
pub const LONGEST_URL: usize = 2048;
/// Most characters of a campaign's parameter.
const LONGEST_PARAMETER: usize = 255;

/// Parameters of a campaign.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Campaign {
    /// `utm_source`.
    pub source: Option<String>,
    /// `utm_medium`.
    pub medium: Option<String>,
    /// `utm_campaign`.
    pub name: Option<String>,
    /// `utm_content`.
    pub content: Option<String>,
    /// `utm_term`.
    pub term: Option<String>,
    /// `ref` or `source`.
    pub hint: Option<String>,
    /// Whose click identifier the address holds.
    pub click: Option<Click>,
}

/// An advertiser's click identifier.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Click {
    /// Google Ads.
    Google,
    /// Microsoft Advertising.
    Bing,
    /// Meta; also on links that are not paid for.
    Facebook,
    /// TikTok.
    TikTok,
    /// X.
    X,
    /// LinkedIn.
    LinkedIn,
    /// Yandex Direct.
    Yandex,
}

/// Parameters whose presence shows an advertiser.
const CLICKS: &[(&str, Click)] = &[
    ("gclid", Click::Google),
    ("gbraid", Click::Google),
    ("wbraid", Click::Google),
    ("dclid", Click::Google),
    ("msclkid", Click::Bing),
    ("fbclid", Click::Facebook),
    ("ttclid", Click::TikTok),
    ("twclid", Click::X),
    ("li_fat_id", Click::LinkedIn),
    ("yclid", Click::Yandex),
];

/// The address of a page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PageUrl {
    /// Host in its one form, without port.
    pub host: String,
    /// Page key.
    pub key: String,
    /// Parameters that are kept.
    pub campaign: Campaign,
}

/// Why an address is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UrlError {
    /// It is longer than [`LONGEST_URL`].
    #[error("the address is too long")]
    TooLong,
    /// It is not http or https.
    #[error("the address is not http or https")]
    Scheme,
    /// It names a user.
    #[error("the address holds a user name")]
    UserInfo,
    /// Its host is not a host name.
    #[error("the address has no valid host")]
    Host,
}

impl PageUrl {
    /// Parses the address of a page.
    ///
    /// # Errors
    /// Why it is refused.
    pub fn parse(url: &str) -> Result<Self, UrlError> {
        let url = trimmed(url)?;
        let rest = strip_scheme(url, "https://")
            .or_else(|| strip_scheme(url, "http://"))
            .ok_or(UrlError::Scheme)?;
        let (host, path, query) = split(rest)?;
        Ok(Self {
            host,
            key: bounded_key(&normal_path(path)),
            campaign: Campaign::parse(query),
        })
    }
}

/// The address that a visit came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Referrer {
    /// Host in its one form, or the package of an Android app.
    pub host: String,
    /// Host and path, without query.
    pub address: String,
    /// Whether the host is an Android app.
    pub is_app: bool,
}

impl Referrer {
    /// Parses a referrer. One that is empty or not an address counts as none.
    #[must_use]
    pub fn parse(url: &str) -> Option<Self> {
        let url = trimmed(url).ok()?;
        if let Some(rest) = strip_scheme(url, "android-app://") {
            let package = rest.split(['/', '?', '#']).next()?;
            let package = host_name::canonical(package)?;
            return Some(Self {
                address: package.clone(),
                host: package,
                is_app: true,
            });
        }
        let rest = strip_scheme(url, "https://").or_else(|| strip_scheme(url, "http://"))?;
        let (host, path, _) = split(rest).ok()?;
        let mut address = host.clone();
        address.push_str(&normal_path(path));
        address.truncate(address.floor_char_boundary(LONGEST_KEY));
        Some(Self {
            host,
            address,
            is_app: false,
        })
    }
}

/// Returns an address without blanks at its ends, as browsers read it.
fn trimmed(url: &str) -> Result<&str, UrlError> {
    if url.len() > LONGEST_URL {
        return Err(UrlError::TooLong);
    }
    Ok(url.trim_matches(|character: char| character <= ' '))
}

fn strip_scheme<'a>(url: &'a str, scheme: &str) -> Option<&'a str> {
    let start = url.get(..scheme.len())?;
    start
        .eq_ignore_ascii_case(scheme)
        .then(|| &url[scheme.len()..])
}

/// Splits what follows the scheme into host, path and query.
fn split(rest: &str) -> Result<(String, &str, &str), UrlError> {
    // A backslash is a slash to browsers; `https://own.example\@evil.example` is at the former.
    let end = rest.find(['/', '\\', '?', '#']).unwrap_or(rest.len());
    let (authority, rest) = rest.split_at(end);
    if authority.contains('@') {
        return Err(UrlError::UserInfo);
    }
    let host = match authority.rsplit_once(':') {
        Some((host, port)) if !port.contains(']') => {
            if !port.is_empty() && port.parse::<u16>().is_err() {
                return Err(UrlError::Host);
            }
            host
        }
        _ => authority,
    };
    let host = host_name::canonical(host).ok_or(UrlError::Host)?;
    let rest = rest.split('#').next().unwrap_or_default();
    let (path, query) = rest.split_once('?').unwrap_or((rest, ""));
    Ok((host, path, query))
}

/// Returns a path with `.` and `..` resolved, backslashes as slashes, and control characters removed. Percent codes stay
/// as they are, apart from those of a full stop in a segment of dots.
fn normal_path(path: &str) -> String {
    let clean: String = path
        .chars()
        .filter(|character| !text::is_control(*character))
        .map(|character| if character == '\\' { '/' } else { character })
        .collect();
    let mut segments: Vec<&str> = Vec::new();
    let mut ends_in_folder = true;
    for segment in clean.split('/').skip(1) {
        let dots = segment.to_ascii_lowercase().replace("%2e", ".");
        match dots.as_str() {
            "." => ends_in_folder = true,
            ".." => {
                segments.pop();
                ends_in_folder = true;
            }
            "" => ends_in_folder = true,
            _ => {
                segments.push(segment);
                ends_in_folder = false;
            }
        }
    }
    let mut normal = String::with_capacity(clean.len() + 1);
    for segment in &segments {
        normal.push('/');
        normal.push_str(segment);
    }
    if ends_in_folder {
        normal.push('/');
    }
    normal
}

impl Campaign {
    /// Reads the parameters that are kept; the first of each name counts.
    fn parse(query: &str) -> Self {
        let mut campaign = Self::default();
        for pair in query.split('&') {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let name = name.to_ascii_lowercase();
            if let Some((_, click)) = CLICKS.iter().find(|(known, _)| *known == name) {
                campaign.click = campaign.click.or(Some(*click));
                continue;
            }
            let slot = match name.as_str() {
                "utm_source" => &mut campaign.source,
                "utm_medium" => &mut campaign.medium,
                "utm_campaign" => &mut campaign.name,
                "utm_content" => &mut campaign.content,
                "utm_term" => &mut campaign.term,
                "ref" | "source" => &mut campaign.hint,
                _ => continue,
            };
            if slot.is_none() {
                let value = text::clean(&decode(value), LONGEST_PARAMETER);
                *slot = (!value.is_empty()).then_some(value);
            }
        }
        campaign
    }
}

/// Decodes a value of a query; what is not UTF-8 becomes the replacement character.
pub(crate) fn decode(value: &str) -> String {
    let bytes = value.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        let code = (*byte == b'%')
            .then(|| value.get(at + 1..at + 3))
            .flatten()
            .filter(|code| code.bytes().all(|digit| digit.is_ascii_hexdigit()))
            .and_then(|code| u8::from_str_radix(code, 16).ok());
        match code {
            Some(code) => {
                out.push(code);
                at += 3;
            }
            None => {
                out.push(if *byte == b'+' { b' ' } else { *byte });
                at += 1;
            }
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_page_is_its_host_and_key() {
        for (url, host, key) in [
            ("https://example.org", "example.org", "/"),
            ("HTTPS://Example.org:8443/a?x=1#y", "example.org", "/a/"),
            ("http://example.org//a//b.php", "example.org", "/a/b.php"),
            ("https://example.org/a/../b/./c/", "example.org", "/b/c/"),
            ("https://example.org/a/%2e%2E/b", "example.org", "/b/"),
            ("https://example.org/../../etc", "example.org", "/etc/"),
            ("https://example.org\\a\\b", "example.org", "/a/b/"),
            ("https://example.org/%00", "example.org", "/%00/"),
            ("https://example.org/a\u{202e}b\u{0}", "example.org", "/ab/"),
            ("https://bücher.example/ü", "xn--bcher-kva.example", "/ü/"),
            ("https://[::1]:80/a", "[::1]", "/a/"),
            ("  https://example.org/a  ", "example.org", "/a/"),
        ] {
            let page = PageUrl::parse(url).unwrap();
            assert_eq!(
                (page.host.as_str(), page.key.as_str()),
                (host, key),
                "{url}"
            );
        }
    }

    #[test]
    fn what_is_not_a_page_is_refused() {
        let long = format!("https://example.org/{}", "a".repeat(LONGEST_URL));
        for (url, error) in [
            ("", UrlError::Scheme),
            ("javascript:alert(1)", UrlError::Scheme),
            ("data:text/html,x", UrlError::Scheme),
            ("file:///etc/passwd", UrlError::Scheme),
            ("//example.org/", UrlError::Scheme),
            ("/a", UrlError::Scheme),
            ("https://user@example.org/", UrlError::UserInfo),
            ("https://user:secret@example.org/", UrlError::UserInfo),
            ("https://example.org:evil/", UrlError::Host),
            ("https://:80/", UrlError::Host),
            ("https:///a", UrlError::Host),
            ("https://exa mple.org/", UrlError::Host),
            (long.as_str(), UrlError::TooLong),
        ] {
            assert_eq!(PageUrl::parse(url), Err(error), "{url}");
        }
    }

    #[test]
    fn only_campaigns_are_kept_of_a_query() {
        let url = "https://example.org/?email=a%40b.c&UTM_Source=News+letter&utm_medium=e%2Dmail&utm_campaign=\
                   &utm_term=%ff&ref=x&source=y&gclid=secret&token=secret&utm_source=second";
        let page = PageUrl::parse(url).unwrap();
        let campaign = Campaign {
            source: Some("News letter".to_owned()),
            medium: Some("e-mail".to_owned()),
            term: Some("\u{fffd}".to_owned()),
            hint: Some("x".to_owned()),
            click: Some(Click::Google),
            ..Campaign::default()
        };
        assert_eq!(page.campaign, campaign);
        assert!(!format!("{page:?}").contains("secret"));
    }

    #[test]
    fn a_referrer_has_no_query() {
        for (url, wanted) in [
            (
                "https://www.google.com/search?q=secret",
                Some(("www.google.com", "www.google.com/search")),
            ),
            (
                "android-app://com.google.android.gm/",
                Some(("com.google.android.gm", "com.google.android.gm")),
            ),
            ("https://user:pw@evil.example/", None),
            ("about:blank", None),
            ("", None),
        ] {
            let found = Referrer::parse(url);
            let found = found
                .as_ref()
                .map(|found| (found.host.as_str(), found.address.as_str()));
            assert_eq!(found, wanted, "{url}");
        }
    }

    proptest! {
        #[test]
        fn nothing_panics_and_keys_are_bounded(url in "(https?://)?\\PC{0,80}") {
            if let Ok(page) = PageUrl::parse(&url) {
                prop_assert!(page.key.len() <= LONGEST_KEY);
                prop_assert!(page.host.is_ascii());
            }
            drop((Referrer::parse(&url), decode(&url)));
        }
    }
}
