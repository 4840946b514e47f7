//! What a page and its browser send to the receiver of web analytics, and lines of access logs.

use crate::seeds::{choosing, files};
use analytics::agent::{self, Agent, Hints};
use analytics::client_address::{Network, client};
use analytics::page_url::{PageUrl, Referrer};
use analytics::{LONGEST_KEY, page_key, protocol};
use std::net::{IpAddr, Ipv4Addr};

/// What the first byte chooses.
const CHOICES: [fn(&[u8]); 6] = [body, pixel, address, user_agent, proxies, line];

/// Reads the input as what its first byte chooses.
pub(crate) fn run(input: &[u8]) {
    if let Some((choice, rest)) = input.split_first() {
        CHOICES[usize::from(*choice) % CHOICES.len()](rest);
    }
}

/// A report of a page: what is accepted is within its bounds.
fn body(input: &[u8]) {
    let Ok(report) = protocol::parse(input) else {
        return;
    };
    assert!((1..=20).contains(&report.events.len()));
    bounded(&report.page);
    let title = report.title.unwrap_or_default();
    assert!(title.chars().count() <= 300 && !title.contains(char::is_control));
    assert!(
        !report
            .session
            .is_some_and(|session| session.starts_with("health-check"))
    );
}

fn pixel(input: &[u8]) {
    if let Ok(report) = protocol::pixel(&String::from_utf8_lossy(input), 1) {
        bounded(&report.page);
    }
}

/// The address of a page: its key is written in one way, and so is what follows from it.
fn address(input: &[u8]) {
    let text = String::from_utf8_lossy(input);
    if let Ok(page) = PageUrl::parse(&text) {
        bounded(&page);
        let again = PageUrl::parse(&format!("https://{}{}", page.host, page.key));
        assert_eq!(again.map(|page| page.host), Ok(page.host), "{text:?}");
    }
    if let Some(referrer) = Referrer::parse(&text) {
        assert!(referrer.address.len() <= LONGEST_KEY + referrer.host.len());
        assert!(!referrer.address.contains(['?', '#']), "{referrer:?}");
    }
    let key = page_key(&text).into_owned();
    assert_eq!(page_key(&key), key, "{text:?}");
}

fn bounded(page: &PageUrl) {
    assert!(
        page.key.len() <= LONGEST_KEY && page.key.starts_with('/'),
        "{page:?}"
    );
    assert!(!page.key.contains(['?', '#', '\0']), "{page:?}");
    assert!(
        page.host.is_ascii() && !page.host.contains(char::is_uppercase),
        "{page:?}"
    );
}

/// A user agent: what is stored of it are words of ours.
fn user_agent(input: &[u8]) {
    let hints = Hints {
        brands: "\"Chromium\";v=\"140\"",
        platform: "\"Linux\"",
        mobile: "?0",
    };
    for hints in [Hints::default(), hints] {
        if let Agent::Browser(browser) = agent::scan(input, &hints, 2026) {
            assert!(
                browser.browser.len() <= 32 && browser.os.len() <= 32,
                "{browser:?}"
            );
        }
    }
}

/// The header of proxies: an address that none of ours wrote counts only from a trusted peer.
fn proxies(input: &[u8]) {
    let text = String::from_utf8_lossy(input);
    let stated = text.split('\n');
    let peer = IpAddr::V4(Ipv4Addr::new(203, 0, 113, 7));
    assert_eq!(client(peer, stated.clone(), &[]), peer);
    let trusted: Vec<Network> = ["203.0.113.0/24", "10.0.0.0/8", "fd00::/8"]
        .iter()
        .filter_map(|text| text.parse().ok())
        .collect();
    let found = client(peer, stated, &trusted);
    assert_eq!(found.to_canonical(), found);
}

/// A line of an access log.
fn line(input: &[u8]) {
    let text = String::from_utf8_lossy(input);
    for line in text.lines() {
        if let Some(request) = logs::parse::request(line) {
            assert!(request.status <= 999);
            assert!(!request.method.contains(' '));
        }
    }
}

/// Returns what browsers and servers write, for each choice.
pub(crate) fn seeds() -> Vec<Vec<u8>> {
    let mut seeds = Vec::new();
    for text in [
        r#"{"v":1,"site":"example.org","url":"https://example.org/a?utm_source=x","width":1440,"view":"9f2c000000000001","events":[{"type":"view","status":404},{"type":"time","engaged_ms":12000,"scroll_pct":55},{"type":"event","name":"signup","props":{"plan":"pro","n":1}}]}"#,
        r#"{"v":1,"site":"example.org","url":"https://example.org/","view":"0000000000000001","session":"abcdefghijklmnop","ref":"https://www.google.com/","title":"A","events":[{"type":"event","name":"x","kind":"outbound","age_ms":10}]}"#,
        r#"{"v":1,"site":"a","url":"http://a/","view":"0000000000000001","synthetic":true,"events":[{"type":"view"}]}"#,
    ] {
        seeds.push(choosing(0, text.as_bytes()));
    }
    seeds.push(choosing(1, b"site=example.org&url=https%3A%2F%2Fexample.org%2Fa&ref=https%3A%2F%2Fwww.google.com%2F&title=A+b"));
    for url in [
        "https://example.org/a/../b/./c.html?utm_source=x&gclid=y#z",
        "https://b\u{fc}cher.example:8443/%C3%BC//d",
        "android-app://com.google.android.gm/",
        "http://[2001:db8::1]:80/",
    ] {
        seeds.push(choosing(2, url.as_bytes()));
    }
    for (_, content) in files("analytics", "agents.json") {
        let agents = content
            .split(|byte| *byte == b'"')
            .filter(|part| part.starts_with(b"Mozilla/"));
        seeds.extend(agents.take(20).map(|agent| choosing(3, agent)));
    }
    seeds.push(choosing(3, b"curl/8.5.0"));
    seeds.push(choosing(
        4,
        b"6.6.6.6, 10.0.0.2\n\"[2001:db8::1]:443\", unknown, 10.0.0.1",
    ));
    for folder in ["logs/access", "logs/caddy"] {
        seeds.extend(
            files(folder, ".log")
                .into_iter()
                .map(|(_, content)| choosing(5, &content)),
        );
    }
    seeds
}
