//! A hit: a report after everything that needs the request is done, as it waits in the queue on disk.
//!
//! It holds a visitor's hash but neither address nor user agent, so these are never on a disk. It names words by their
//! text and the site by its name, so it is complete without the database. The form is JSON: fields that are
//! missing have their default and unknown ones are ignored, so a newer program reads what an older one wrote and the
//! other way round.

use crate::agent::{Browser, Device};
use crate::protocol::Happening;
use crate::source::Channel;
use serde::{Deserialize, Serialize};

/// A report of a page, as stored in the queue.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Hit {
    /// Name of the site.
    pub site: String,
    /// When it arrived, microseconds.
    pub at: i64,
    /// The visitor; without one the view is anonymous.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub visitor: Option<i64>,
    /// The view.
    pub view: i64,
    /// Key of the page.
    pub page: String,
    /// Title of the page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// Name of the source; empty for direct visits.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub source: String,
    /// Channel.
    pub channel: Channel,
    /// Referring page, host and path.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub referrer: Option<String>,
    /// Parameters of the campaign: source, medium, name, term, content.
    #[serde(default, skip_serializing_if = "is_empty")]
    pub utm: [Option<String>; 5],
    /// Browser, system and device.
    pub agent: HitAgent,
    /// Preferred language, such as `de` or `pt-BR`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub language: Option<String>,
    /// Country, two letters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub country: Option<String>,
    /// Number of the network.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub asn: Option<i32>,
    /// Width of the window.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub width: Option<i16>,
    /// Whether the visitor is probably a program.
    #[serde(default, skip_serializing_if = "is_false")]
    pub suspect: bool,
    /// Whether the visitor consented.
    #[serde(default, skip_serializing_if = "is_false")]
    pub consented: bool,
    /// Whether it is of a health check: it shows that reports arrive, and counts nowhere.
    #[serde(default, skip_serializing_if = "is_false")]
    pub synthetic: bool,
    /// What happened.
    pub events: Vec<HitEvent>,
}

/// Browser, system and device of a hit.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct HitAgent {
    /// Name of the browser, or empty.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub browser: String,
    /// Name of the system, or empty.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub os: String,
    /// Kind of device.
    pub device: Device,
}

/// An event of a hit.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct HitEvent {
    /// When it happened, microseconds, by the server's clock.
    pub at: i64,
    /// What happened.
    #[serde(flatten)]
    pub what: Happening,
}

impl From<Browser> for HitAgent {
    fn from(agent: Browser) -> Self {
        Self {
            browser: agent.browser,
            os: agent.os,
            device: agent.device,
        }
    }
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde passes fields by reference"
)]
const fn is_false(flag: &bool) -> bool {
    !*flag
}

fn is_empty(utm: &[Option<String>; 5]) -> bool {
    utm.iter().all(Option::is_none)
}

/// Parses the payload of a record of the queue.
///
/// # Errors
/// When it is not a list of hits.
pub fn parse(payload: &[u8]) -> serde_json::Result<Vec<Hit>> {
    serde_json::from_slice(payload)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hit_is_read_as_it_was_written() {
        let hit = Hit {
            site: "a.example".to_owned(),
            at: 1,
            visitor: Some(-2),
            view: i64::MIN,
            page: "/".to_owned(),
            title: Some("A".to_owned()),
            source: "Google".to_owned(),
            channel: Channel::Search,
            referrer: Some("google.com/".to_owned()),
            utm: [Some("x".to_owned()), None, None, None, None],
            agent: HitAgent::default(),
            language: Some("de".to_owned()),
            country: Some("DE".to_owned()),
            asn: Some(64_500),
            width: Some(1),
            suspect: true,
            consented: true,
            synthetic: false,
            events: vec![
                HitEvent {
                    at: 1,
                    what: Happening::View { status: Some(404) },
                },
                HitEvent {
                    at: 2,
                    what: Happening::Time {
                        engaged_ms: 1,
                        scroll_pct: None,
                    },
                },
            ],
        };
        let text = serde_json::to_string(&[&hit]).unwrap();
        assert_eq!(parse(text.as_bytes()).unwrap(), [hit]);
    }

    #[test]
    fn an_older_form_is_read() {
        let text = r#"[{"site":"a","at":1,"view":2,"page":"/","channel":"direct","agent":{"device":"mobile"},
                        "events":[{"at":1,"type":"view"}],"unknown":{"a":[1]}}]"#;
        let hits = parse(text.as_bytes()).unwrap();
        assert_eq!(
            (hits[0].visitor, hits[0].agent.device),
            (None, Device::Mobile)
        );
    }
}
