//! Events of an Umami export (`website_event.csv`, and `event_data.csv` for their properties) as hits.
//!
//! Umami knows a visitor for a month; here one lives for a day of the site, so its session and the day make the visitor. The order of
//! an export is not stated, so its events are put in order in memory: about a kilobyte each.

use super::csv::{Columns, Csv, Record};
use super::{Fault, Tally};
use crate::agent::Device;
use crate::day::Day;
use crate::hit::{Hit, HitAgent, HitEvent};
use crate::identity::consented_visitor;
use crate::page_url::{PageUrl, Referrer};
use crate::protocol::{EventKind, Happening};
use crate::settings::Site;
use crate::source::source;
use crate::text;
use crate::word::first_eight;
use jiff::tz::TimeZone;
use schema::Timestamp;
use sha2::{Digest as _, Sha256};
use std::collections::HashMap;
use std::io::BufRead;

/// Most characters of a title, of a name of an event, and of a property: as of reports.
const LONGEST_TITLE: usize = 300;
const LONGEST_NAME: usize = 64;
const LONGEST_PROP: usize = 255;
/// Most properties of an event.
const MOST_PROPS: usize = 20;

/// Names of browsers as Umami has them, and as they are called here.
const BROWSERS: &[(&str, &str)] = &[
    ("chrome", "Chrome"),
    ("crios", "Chrome"),
    ("chromium-webview", "Android WebView"),
    ("edge", "Edge"),
    ("edge-chromium", "Edge"),
    ("edge-ios", "Edge"),
    ("firefox", "Firefox"),
    ("fxios", "Firefox"),
    ("safari", "Safari"),
    ("ios", "Safari"),
    ("ios-webview", "Safari"),
    ("android", "Android Browser"),
    ("samsung", "Samsung Internet"),
    ("opera", "Opera"),
    ("opera-mini", "Opera"),
    ("yandexbrowser", "Yandex Browser"),
    ("facebook", "Facebook app"),
    ("instagram", "Instagram app"),
];

/// The same of systems, by the beginning of Umami's name.
const SYSTEMS: &[(&str, &str)] = &[
    ("windows", "Windows"),
    ("mac os", "macOS"),
    ("ios", "iOS"),
    ("android", "Android"),
    ("chrome os", "ChromeOS"),
    ("linux", "Linux"),
];

/// Returns what a value was before a spreadsheet was guarded against it: Umami puts an apostrophe before formulas.
fn plain(value: &str) -> &str {
    match value.strip_prefix('\'') {
        Some(rest) if rest.starts_with(['=', '+', '-', '@', '\t', '\r']) => rest,
        _ => value,
    }
}

/// Properties of events, by event.
pub(super) type Props = HashMap<i64, serde_json::Map<String, serde_json::Value>>;

fn id(text: &str) -> i64 {
    first_eight(&Sha256::digest(text.as_bytes()))
}

/// Reads properties.
pub(super) fn props(name: &str, from: impl BufRead, props: &mut Props) -> Result<(), Fault> {
    let mut csv = Csv::new(from);
    let Some(header) = Fault::reading(name, csv.next())? else {
        return Ok(());
    };
    let columns = Columns::of(&header);
    while let Some(record) = Fault::reading(name, csv.next())? {
        let key = text::clean(plain(columns.get(&record, "data_key")), LONGEST_PROP);
        let number = columns.get(&record, "number_value").parse::<f64>();
        let number = number.ok().and_then(serde_json::Number::from_f64);
        let written = plain(columns.get(&record, "string_value"));
        let value = match (number, written) {
            (Some(number), _) => number.into(),
            (None, "") => columns.get(&record, "date_value").into(),
            (None, written) => text::clean(written, LONGEST_PROP).into(),
        };
        let of_event = props
            .entry(id(columns.get(&record, "event_id")))
            .or_default();
        if of_event.len() < MOST_PROPS && !key.is_empty() {
            of_event.insert(key, value);
        }
    }
    Ok(())
}

/// Reads events as hits, in the order of time.
pub(super) fn hits(
    name: &str,
    from: impl BufRead,
    site: &Site,
    mut props: Props,
    tally: &mut Tally,
) -> Result<Vec<Hit>, Fault> {
    let mut csv = Csv::new(from);
    let Some(header) = Fault::reading(name, csv.next())? else {
        return Ok(Vec::new());
    };
    let columns = Columns::of(&header);
    for column in [
        "created_at",
        "session_id",
        "url_path",
        "event_type",
        "event_id",
    ] {
        if !columns.has(column) {
            let what = format!("has no column {column}");
            return Err(Fault::new(
                name,
                Some(header.line),
                &what,
                "export it again: website_event.csv of Umami 2 or 3 has it",
            ));
        }
    }
    let mut hits = Vec::new();
    while let Some(record) = Fault::reading(name, csv.next())? {
        let host = columns.get(&record, "hostname").to_ascii_lowercase();
        if !host.is_empty() && !site.has_host(&host) {
            tally.leave_out("of another host", name, record.line);
        } else if let Some(hit) = hit(name, &columns, &record, site, &mut props, tally)? {
            hits.push(hit);
        }
    }
    hits.sort_by_key(|hit| hit.at);
    attach(&mut hits, name, tally);
    Ok(hits)
}

/// Gives events the view that their visitor had last: Umami does not state it. An event without any is left out.
fn attach(hits: &mut Vec<Hit>, name: &str, tally: &mut Tally) {
    let mut views: HashMap<i64, i64> = HashMap::new();
    hits.retain_mut(|hit| {
        let Some(visitor) = hit.visitor else {
            return true;
        };
        match hit.events.first().map(|event| &event.what) {
            Some(Happening::Event { .. }) => match views.get(&visitor) {
                Some(view) => {
                    hit.view = *view;
                    true
                }
                None => {
                    tally.leave_out("an event before any view", name, 0);
                    false
                }
            },
            _ => {
                views.insert(visitor, hit.view);
                true
            }
        }
    });
}

fn hit(
    name: &str,
    columns: &Columns,
    record: &Record,
    site: &Site,
    props: &mut Props,
    tally: &mut Tally,
) -> Result<Option<Hit>, Fault> {
    let get = |column: &str| plain(columns.get(record, column));
    let line = Some(record.line);
    let at = instant(get("created_at")).ok_or_else(|| {
        let what = format!("created_at {:?} is no time", get("created_at"));
        Fault::new(
            name,
            line,
            &what,
            "it should be like 2026-11-23 00:10:49, in UTC",
        )
    })?;
    let session = get("session_id");
    let domain = site
        .hosts
        .first()
        .map_or(site.domain.as_str(), String::as_str);
    let host = Some(get("hostname"))
        .filter(|host| !host.is_empty())
        .unwrap_or(domain);
    let url = format!(
        "https://{host}{}?{}",
        get("url_path"),
        get("url_query").trim_start_matches('?')
    );
    let Ok(page) = PageUrl::parse(&url) else {
        tally.leave_out("no address of a page", name, record.line);
        return Ok(None);
    };
    let what = match get("event_type") {
        "1" => Happening::View { status: None },
        "2" => Happening::Event {
            name: text::clean(get("event_name"), LONGEST_NAME),
            kind: EventKind::Own,
            props: props
                .remove(&id(columns.get(record, "event_id")))
                .map(|props| serde_json::Value::Object(props).to_string()),
            interactive: true,
        },
        _ => {
            tally.leave_out("neither view nor event", name, record.line);
            return Ok(None);
        }
    };
    let referrer = Some(get("referrer_domain"))
        .filter(|domain| !domain.is_empty())
        .and_then(|domain| Referrer::parse(&format!("https://{domain}{}", get("referrer_path"))))
        .filter(|referrer| !site.is_internal(&referrer.host));
    let found = source(&page.campaign, referrer.as_ref());
    let day = Day::of(Timestamp(at), &site.zone);
    let stated = |column: &str| Some(get(column).to_owned()).filter(|text| !text.is_empty());
    let campaign = page.campaign;
    Ok(Some(Hit {
        site: site.domain.clone(),
        at,
        visitor: Some(consented_visitor(&site.domain, day.date, session)),
        view: id(columns.get(record, "event_id")),
        page: page.key,
        title: stated("page_title").map(|title| text::clean(&title, LONGEST_TITLE)),
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
        agent: agent(get("browser"), get("os"), get("device")),
        language: stated("language").filter(|text| text.len() <= 35 && text.is_ascii()),
        country: stated("country")
            .filter(|text| text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_uppercase())),
        asn: None,
        width: None,
        suspect: false,
        consented: false,
        synthetic: false,
        events: vec![HitEvent { at, what }],
    }))
}

fn agent(browser: &str, os: &str, device: &str) -> HitAgent {
    let (browser, os) = (browser.to_ascii_lowercase(), os.to_ascii_lowercase());
    let named = BROWSERS.iter().find(|(theirs, _)| *theirs == browser);
    let system = SYSTEMS.iter().find(|(theirs, _)| os.starts_with(theirs));
    HitAgent {
        browser: named.map_or("", |(_, ours)| ours).to_owned(),
        os: system.map_or("", |(_, ours)| ours).to_owned(),
        device: match device.to_ascii_lowercase().as_str() {
            "mobile" => Device::Mobile,
            "tablet" => Device::Tablet,
            "smarttv" | "console" => Device::Tv,
            _ => Device::Desktop,
        },
    }
}

/// Reads `2026-11-23 00:10:49`, perhaps with fractions, `T` or a zone; UTC where none is stated.
pub(super) fn instant(text: &str) -> Option<i64> {
    let text = text.trim();
    if let Ok(stamp) = text.parse::<jiff::Timestamp>() {
        return Some(stamp.as_microsecond());
    }
    let civil: jiff::civil::DateTime = text.parse().ok()?;
    Some(TimeZone::UTC.to_timestamp(civil).ok()?.as_microsecond())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read() {
        for (text, wanted) in [
            ("2026-11-23 00:10:49", Some(1_795_392_649_000_000)),
            ("2026-11-23T00:10:49.250Z", Some(1_795_392_649_250_000)),
            ("2026-11-23 01:10:49+01:00", Some(1_795_392_649_000_000)),
            ("yesterday", None),
            ("", None),
        ] {
            assert_eq!(instant(text), wanted, "{text}");
        }
    }

    #[test]
    fn what_was_guarded_is_as_it_was() {
        assert_eq!(plain("'=cmd()"), "=cmd()");
        assert_eq!(plain("'quoted'"), "'quoted'");
    }
}
