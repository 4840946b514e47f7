//! What a page sends: one JSON object about one view of a page, with one to twenty events.
//!
//! ```json
//! {"v":1,"site":"example.org","url":"https://example.org/a","view":"9f2c…",
//!  "events":[{"type":"view"},{"type":"time","engaged_ms":12000,"scroll_pct":55}]}
//! ```
//!
//! Length, depth and shape are checked before anything is done with it. Numbers outside their range are clamped, texts are
//! cut and cleaned; what is of the wrong type or more than four times too long is refused, so that a fault of a page
//! is noticed. Fields that are not known are ignored: an older server understands a newer tracker.

use crate::page_url::{PageUrl, Referrer};
use crate::refusal::Refusal;
use crate::text;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::net::IpAddr;

/// Most bytes of a body. The largest that the tracker makes has twenty events of 200 bytes.
pub const LONGEST_BODY: usize = 8 * 1024;
/// Most events of a body.
const MOST_EVENTS: usize = 20;
/// Deepest nesting: a property of an event.
const DEEPEST: usize = 4;
/// Most characters of a title.
const LONGEST_TITLE: usize = 300;
/// Most characters of the name of an event.
const LONGEST_NAME: usize = 64;
/// Most properties of an event.
const MOST_PROPS: usize = 20;
/// Most characters of a property's name or value.
const LONGEST_PROP: usize = 255;
/// A text this many times longer than what is kept is a fault of the page.
const EXCESS: usize = 4;
/// Longest engagement of a view: four hours, as for visits.
const MOST_ENGAGED_MS: f64 = 14_400_000.0;
/// Widest screen.
const MOST_WIDTH: f64 = 20_000.0;
/// How long an event may have waited in a browser.
const MOST_AGE_MS: f64 = 600_000.0;
/// What an identifier of the program's own may not begin with.
const RESERVED_SESSION: &str = "health-check";

/// A report of a page, checked.
#[derive(Clone, Debug, PartialEq)]
pub struct Report {
    /// Name of the site.
    pub site: String,
    /// The page.
    pub page: PageUrl,
    /// Where the visitor came from.
    pub referrer: Option<Referrer>,
    /// Title of the page.
    pub title: Option<String>,
    /// Width of the window in CSS pixels.
    pub width: Option<i16>,
    /// The view.
    pub view: i64,
    /// The visitor's identifier of a session; there is one if the visitor consented.
    pub session: Option<String>,
    /// Whether it is a visit of the operator.
    pub is_own: bool,
    /// Whether it is of a health check.
    pub is_synthetic: bool,
    /// What a backend knows of the visitor.
    pub client: Option<Client>,
    /// What happened, in order.
    pub events: Vec<ReportedEvent>,
}

/// What a backend knows of a visitor. It counts only with the backend's secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Client {
    /// Address.
    pub address: IpAddr,
    /// User agent.
    pub user_agent: String,
    /// `Accept-Language`, or empty.
    pub language: String,
}

/// Something that happened during a view.
#[derive(Clone, Debug, PartialEq)]
pub struct ReportedEvent {
    /// How long ago, milliseconds.
    pub age_ms: u32,
    /// What.
    pub what: Happening,
}

/// What happened. It is stored in the queue in this form, too.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Happening {
    /// The view began.
    View {
        /// HTTP status of the page.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        status: Option<i16>,
    },
    /// Engagement so far.
    Time {
        /// Visible and focused, milliseconds since the view began.
        engaged_ms: i32,
        /// Deepest visible part of the page, percent.
        scroll_pct: Option<i16>,
    },
    /// Something the visitor did.
    Event {
        /// Its name.
        name: String,
        /// What kind of event.
        kind: EventKind,
        /// An object of scalars, as JSON.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        props: Option<String>,
        /// Whether it shows that a person is there.
        interactive: bool,
    },
}

/// Kind of an event.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EventKind {
    /// The page's own.
    #[default]
    Own,
    /// A link to another site.
    Outbound,
    /// A download.
    Download,
    /// A form.
    Form,
}

impl EventKind {
    /// Returns its number as stored.
    #[must_use]
    pub const fn code(self) -> i16 {
        match self {
            Self::Own => 0,
            Self::Outbound => 1,
            Self::Download => 2,
            Self::Form => 3,
        }
    }

    /// Returns the kind of an event that does not state one: the tracker names its own events after it.
    fn of_name(name: &str) -> Self {
        match name {
            "outbound" => Self::Outbound,
            "download" => Self::Download,
            "form" => Self::Form,
            _ => Self::Own,
        }
    }
}

/// The body as it is read.
#[derive(Deserialize)]
struct Body {
    v: u64,
    site: String,
    url: String,
    #[serde(rename = "ref")]
    referrer: Option<String>,
    title: Option<String>,
    width: Option<f64>,
    view: String,
    session: Option<String>,
    #[serde(default)]
    ignore: bool,
    #[serde(default)]
    synthetic: bool,
    client: Option<BodyClient>,
    events: Vec<BodyEvent>,
}

#[derive(Deserialize)]
struct BodyClient {
    address: String,
    user_agent: String,
    #[serde(default)]
    language: String,
}

#[derive(Deserialize)]
struct BodyEvent {
    #[serde(rename = "type")]
    kind_of: String,
    age_ms: Option<f64>,
    status: Option<f64>,
    engaged_ms: Option<f64>,
    scroll_pct: Option<f64>,
    name: Option<String>,
    kind: Option<String>,
    props: Option<BTreeMap<String, serde_json::Value>>,
    interactive: Option<bool>,
}

/// Parses a body.
///
/// # Errors
/// The refusal, with the field that it concerns.
pub fn parse(body: &[u8]) -> Result<Report, Refusal> {
    if body.len() > LONGEST_BODY {
        return Err(crate::refusal::Reason::TooLarge.into());
    }
    if depth(body) > DEEPEST {
        return Err(Refusal::invalid("depth"));
    }
    let body: Body = serde_json::from_slice(body).map_err(|_| Refusal::invalid("json"))?;
    if body.v != 1 {
        return Err(Refusal::invalid("v"));
    }
    if body.events.is_empty() || body.events.len() > MOST_EVENTS {
        return Err(Refusal::invalid("events"));
    }
    let referrer = body.referrer.as_deref().and_then(Referrer::parse);
    let events = body
        .events
        .into_iter()
        .map(event)
        .collect::<Result<_, _>>()?;
    Ok(Report {
        site: site(&body.site)?,
        page: page(&body.url)?,
        referrer,
        title: body
            .title
            .map(|title| bounded(&title, LONGEST_TITLE, "title"))
            .transpose()?
            .filter(|title| !title.is_empty()),
        width: body
            .width
            .map(|width| clamped(width, MOST_WIDTH, "width"))
            .transpose()?
            .filter(|width| *width > 0),
        view: view(&body.view)?,
        session: body.session.map(session).transpose()?,
        is_own: body.ignore,
        is_synthetic: body.synthetic,
        client: body.client.map(client).transpose()?,
        events,
    })
}

/// Returns the report of the pixel, which a page without scripts loads: a view with an identifier of the server's.
///
/// # Errors
/// The refusal, with the parameter that it concerns.
pub fn pixel(query: &str, view: i64) -> Result<Report, Refusal> {
    let value = |wanted: &str| {
        let pairs = query.split('&').filter_map(|pair| pair.split_once('='));
        let found = pairs.into_iter().find(|(name, _)| *name == wanted);
        found.map(|(_, value)| crate::page_url::decode(value))
    };
    Ok(Report {
        site: site(&value("site").unwrap_or_default())?,
        page: page(&value("url").unwrap_or_default())?,
        referrer: value("ref").as_deref().and_then(Referrer::parse),
        title: value("title")
            .map(|title| bounded(&title, LONGEST_TITLE, "title"))
            .transpose()?
            .filter(|title| !title.is_empty()),
        width: None,
        view,
        session: None,
        is_own: false,
        is_synthetic: false,
        client: None,
        events: vec![ReportedEvent {
            age_ms: 0,
            what: Happening::View { status: None },
        }],
    })
}

fn client(body: BodyClient) -> Result<Client, Refusal> {
    Ok(Client {
        address: body
            .address
            .parse()
            .map_err(|_| Refusal::invalid("client"))?,
        user_agent: body.user_agent,
        language: body.language,
    })
}

fn event(body: BodyEvent) -> Result<ReportedEvent, Refusal> {
    let age_ms = body
        .age_ms
        .map_or(Ok(0.0), |age| finite(age, MOST_AGE_MS, "age_ms"))? as u32;
    let what = match body.kind_of.as_str() {
        "view" => Happening::View {
            // Anything else is not a status of HTTP.
            status: body
                .status
                .filter(|status| (100.0..600.0).contains(status))
                .map(|status| status as i16),
        },
        "time" => Happening::Time {
            engaged_ms: finite(
                body.engaged_ms.ok_or(Refusal::invalid("engaged_ms"))?,
                MOST_ENGAGED_MS,
                "engaged_ms",
            )? as i32,
            scroll_pct: body
                .scroll_pct
                .map(|pct| clamped(pct, 100.0, "scroll_pct"))
                .transpose()?,
        },
        "event" => happened(body)?,
        _ => return Err(Refusal::invalid("type")),
    };
    Ok(ReportedEvent { age_ms, what })
}

fn happened(body: BodyEvent) -> Result<Happening, Refusal> {
    let name = bounded(&body.name.unwrap_or_default(), LONGEST_NAME, "name")?;
    if name.is_empty() {
        return Err(Refusal::invalid("name"));
    }
    let kind = match body.kind.as_deref() {
        None => EventKind::of_name(&name),
        Some("own") => EventKind::Own,
        Some("outbound") => EventKind::Outbound,
        Some("download") => EventKind::Download,
        Some("form") => EventKind::Form,
        Some(_) => return Err(Refusal::invalid("kind")),
    };
    Ok(Happening::Event {
        name,
        kind,
        props: body.props.map(props).transpose()?.flatten(),
        interactive: body.interactive.unwrap_or(true),
    })
}

/// Returns properties as a JSON object of scalars.
fn props(props: BTreeMap<String, serde_json::Value>) -> Result<Option<String>, Refusal> {
    if props.len() > MOST_PROPS {
        return Err(Refusal::invalid("props"));
    }
    let mut object = serde_json::Map::new();
    for (name, value) in props {
        let name = bounded(&name, LONGEST_PROP, "props")?;
        let value = match value {
            serde_json::Value::String(text) => {
                serde_json::Value::String(bounded(&text, LONGEST_PROP, "props")?)
            }
            serde_json::Value::Object(_) | serde_json::Value::Array(_) => {
                return Err(Refusal::invalid("props"));
            }
            serde_json::Value::Null => continue,
            scalar => scalar,
        };
        if !name.is_empty() {
            object.insert(name, value);
        }
    }
    Ok((!object.is_empty()).then(|| serde_json::Value::Object(object).to_string()))
}

fn site(site: &str) -> Result<String, Refusal> {
    if site.is_empty() || site.len() > 253 {
        return Err(Refusal::invalid("site"));
    }
    Ok(site.to_ascii_lowercase())
}

fn page(url: &str) -> Result<PageUrl, Refusal> {
    if url.contains('\0') {
        return Err(Refusal::invalid("url"));
    }
    PageUrl::parse(url).map_err(|_| Refusal::invalid("url"))
}

/// Returns the number of a view: sixteen hexadecimal digits.
///
/// # Errors
/// The refusal of anything else.
pub fn view(view: &str) -> Result<i64, Refusal> {
    let is_hex = view.len() == 16 && view.bytes().all(|byte| byte.is_ascii_hexdigit());
    let number = is_hex.then(|| u64::from_str_radix(view, 16).ok()).flatten();
    number.map(u64::cast_signed).ok_or(Refusal::invalid("view"))
}

fn session(session: String) -> Result<String, Refusal> {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    let is_valid = (16..=64).contains(&session.len())
        && session.bytes().all(is_plain)
        && !session.starts_with(RESERVED_SESSION);
    is_valid
        .then_some(session)
        .ok_or(Refusal::invalid("session"))
}

/// Returns a text cleaned and cut; one that is far too long, or holds a zero byte, is refused.
fn bounded(text: &str, characters: usize, field: &'static str) -> Result<String, Refusal> {
    if text.len() > EXCESS * characters || text.contains('\0') {
        return Err(Refusal::invalid(field));
    }
    Ok(text::clean(text, characters))
}

/// Returns a number clamped to 0 and a bound.
fn finite(number: f64, most: f64, field: &'static str) -> Result<f64, Refusal> {
    if number.is_finite() {
        Ok(number.clamp(0.0, most))
    } else {
        Err(Refusal::invalid(field))
    }
}

fn clamped(number: f64, most: f64, field: &'static str) -> Result<i16, Refusal> {
    finite(number, most, field).map(|number| number as i16)
}

/// Returns how deep a text of JSON is nested.
fn depth(body: &[u8]) -> usize {
    let (mut depth, mut deepest, mut in_text, mut is_escaped) = (0_usize, 0, false, false);
    for byte in body {
        match byte {
            _ if is_escaped => is_escaped = false,
            b'\\' if in_text => is_escaped = true,
            b'"' => in_text = !in_text,
            b'{' | b'[' if !in_text => {
                depth += 1;
                deepest = deepest.max(depth);
            }
            b'}' | b']' if !in_text => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    deepest
}

#[cfg(test)]
mod tests;
