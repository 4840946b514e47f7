//! Tables of a Plausible export as sums of days.
//!
//! The export has sums of days, not visits, so filters, funnels and hours of these days are unknown. A word that the export does not
//! state (a language, say) is the unknown one, so that the parts of a day add up to the day.

use super::csv::{Columns, Csv, Record};
use super::{Fault, Tally};
use crate::bounded_key;
use crate::page_url::{Campaign, Referrer};
use crate::settings::Site;
use crate::source::source;
use crate::text;
use jiff::civil::Date;
use std::collections::BTreeMap;
use std::io::BufRead;

/// Most characters of a word.
const LONGEST_WORD: usize = 512;

/// Figures of a word and day.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Figures {
    pub(super) visitors: i64,
    pub(super) visits: i64,
    pub(super) views: i64,
    pub(super) bounces: i64,
    pub(super) entries: i64,
    pub(super) exits: i64,
    pub(super) capped_secs: i64,
}

impl Figures {
    fn add(&mut self, other: &Self) {
        self.visitors = self.visitors.saturating_add(other.visitors);
        self.visits = self.visits.saturating_add(other.visits);
        self.views = self.views.saturating_add(other.views);
        self.bounces = self.bounces.saturating_add(other.bounces);
        self.entries = self.entries.saturating_add(other.entries);
        self.exits = self.exits.saturating_add(other.exits);
        self.capped_secs = self.capped_secs.saturating_add(other.capped_secs);
    }

    /// Returns what of these figures the others do not have.
    fn without(&self, others: &Self) -> Self {
        let rest = |whole: i64, part: i64| whole.saturating_sub(part).max(0);
        Self {
            visitors: rest(self.visitors, others.visitors),
            visits: rest(self.visits, others.visits),
            views: rest(self.views, others.views),
            bounces: rest(self.bounces, others.bounces),
            entries: rest(self.entries, others.entries),
            exits: rest(self.exits, others.exits),
            capped_secs: rest(self.capped_secs, others.capped_secs),
        }
    }
}

/// A word of a day: dimension (its name in `collector.web_analytics_dimensions`), text, second text.
pub(super) type Word = (Date, &'static str, String, Option<String>);

/// Sums of days.
#[derive(Debug, Default)]
pub(super) struct Sums(pub(super) BTreeMap<Word, Figures>);

/// Dimensions of visits, each of which has every visit.
const OF_VISITS: &[&str] = &[
    "source",
    "referrer",
    "channel",
    "utm_source",
    "utm_medium",
    "utm_campaign",
    "utm_term",
    "utm_content",
    "browser",
    "os",
    "browser_os",
    "device",
    "language",
    "country",
    "asn",
    "width",
    "consent",
];

impl Sums {
    fn add(
        &mut self,
        day: Date,
        dimension: &'static str,
        word: &str,
        title: Option<&str>,
        figures: &Figures,
    ) {
        let word = text::clean(word, LONGEST_WORD);
        let title = title.map(|title| text::clean(title, LONGEST_WORD));
        self.0
            .entry((day, dimension, word, title))
            .or_default()
            .add(figures);
    }

    /// Returns the days that have sums of visits.
    pub(super) fn days(&self) -> Vec<Date> {
        let of_visits = self
            .0
            .keys()
            .filter(|(_, dimension, ..)| *dimension == "visit");
        of_visits.map(|(day, ..)| *day).collect()
    }

    /// Adds what the words of a dimension lack to the unknown word, and forgets days without sums of visits.
    pub(super) fn complete(&mut self) {
        let days = self.days();
        self.0.retain(|(day, ..), _| days.contains(day));
        for day in days {
            let whole = self
                .0
                .get(&(day, "visit", String::new(), None))
                .copied()
                .unwrap_or_default();
            for dimension in OF_VISITS {
                let mut stated = Figures::default();
                let from = (day, *dimension, String::new(), None);
                let words = self
                    .0
                    .range(from..)
                    .take_while(|((of, name, ..), _)| *of == day && name == dimension);
                words.for_each(|(_, figures)| stated.add(figures));
                let rest = whole.without(&stated);
                if rest.visits > 0 {
                    let title = (*dimension == "browser_os").then_some("");
                    self.add(day, dimension, "", title, &rest);
                }
            }
        }
    }
}

/// Adds a table of an export.
pub(super) fn add(
    name: &str,
    table: &'static str,
    from: impl BufRead,
    site: &Site,
    sums: &mut Sums,
    tally: &mut Tally,
) -> Result<u64, Fault> {
    let mut csv = Csv::new(from);
    let Some(header) = Fault::reading(name, csv.next())? else {
        return Ok(0);
    };
    let columns = Columns::of(&header);
    let wanted: &[&str] = match table {
        "imported_visitors" => &["date", "visitors", "pageviews", "visits"],
        "imported_pages" => &["date", "page", "visitors", "pageviews"],
        "imported_entry_pages" => &["date", "entry_page", "entrances"],
        "imported_exit_pages" => &["date", "exit_page", "exits"],
        "imported_custom_events" => &["date", "name", "events"],
        _ => &["date", "visits"],
    };
    if let Some(missing) = wanted.iter().find(|column| !columns.has(column)) {
        let what = format!("has no column {missing}");
        return Err(Fault::new(
            name,
            Some(header.line),
            &what,
            "export it again: Plausible's Imports & Exports writes it",
        ));
    }
    let mut records = 0;
    while let Some(record) = Fault::reading(name, csv.next())? {
        let row = Row {
            name,
            columns: &columns,
            record: &record,
        };
        let day = row.day()?;
        if table == "imported_pages" {
            let host = columns.get(&record, "hostname").to_ascii_lowercase();
            if !host.is_empty() && !site.has_host(&host) {
                tally.leave_out("of another host", name, record.line);
                continue;
            }
        }
        row.add(table, day, site, sums)?;
        records += 1;
    }
    Ok(records)
}

/// A record with what is needed to read it and to name its faults.
struct Row<'a> {
    name: &'a str,
    columns: &'a Columns,
    record: &'a Record,
}

impl Row<'_> {
    fn get(&self, column: &str) -> &str {
        self.columns.get(self.record, column)
    }

    fn fault(&self, column: &str, wanted: &str) -> Fault {
        let what = format!("{column} {:?} is not {wanted}", self.get(column));
        Fault::new(
            self.name,
            Some(self.record.line),
            &what,
            "export it again, or take the line out",
        )
    }

    fn day(&self) -> Result<Date, Fault> {
        self.get("date")
            .parse()
            .map_err(|_| self.fault("date", "a day like 2026-11-23"))
    }

    /// Returns a number; 0 where the export does not have it.
    fn number(&self, column: &str) -> Result<i64, Fault> {
        match self.get(column) {
            "" => Ok(0),
            text => text
                .parse::<i64>()
                .ok()
                .filter(|number| (0..=i64::from(i32::MAX)).contains(number))
                .ok_or_else(|| self.fault(column, "a count")),
        }
    }

    /// Returns the figures of visits.
    fn visits(&self) -> Result<Figures, Fault> {
        let visits = self.number("visits")?;
        Ok(Figures {
            visitors: self.number("visitors")?,
            visits,
            views: self.number("pageviews")?,
            bounces: self.number("bounces")?,
            entries: visits,
            exits: visits,
            // Of each visit four hours count at most; the export has their sum alone.
            capped_secs: self
                .number("visit_duration")?
                .min(visits.saturating_mul(14_400)),
        })
    }

    fn add(&self, table: &str, day: Date, site: &Site, sums: &mut Sums) -> Result<(), Fault> {
        match table {
            "imported_visitors" => sums.add(day, "visit", "", None, &self.visits()?),
            "imported_browsers" => sums.add(
                day,
                "browser",
                browser(self.get("browser")),
                None,
                &self.visits()?,
            ),
            "imported_operating_systems" => sums.add(
                day,
                "os",
                system(self.get("operating_system")),
                None,
                &self.visits()?,
            ),
            "imported_devices" => {
                let device = match self.get("device") {
                    "Mobile" => "mobile",
                    "Tablet" => "tablet",
                    "Desktop" | "Laptop" | "Ultra-wide" => "desktop",
                    _ => "",
                };
                sums.add(day, "device", device, None, &self.visits()?);
            }
            "imported_locations" => {
                sums.add(day, "country", self.get("country"), None, &self.visits()?)
            }
            "imported_sources" => self.add_source(day, site, sums)?,
            "imported_pages" => {
                let figures = Figures {
                    visitors: self.number("visitors")?,
                    // Older exports do not state it.
                    visits: self.number("visits")?.max(self.number("visitors")?),
                    views: self.number("pageviews")?,
                    ..Figures::default()
                };
                sums.add(day, "page", &bounded_key(self.get("page")), None, &figures);
            }
            "imported_entry_pages" => {
                let figures = Figures {
                    entries: self.number("entrances")?,
                    bounces: self.number("bounces")?,
                    capped_secs: self.number("visit_duration")?,
                    ..Figures::default()
                };
                sums.add(
                    day,
                    "page",
                    &bounded_key(self.get("entry_page")),
                    None,
                    &figures,
                );
            }
            "imported_exit_pages" => {
                let figures = Figures {
                    exits: self.number("exits")?,
                    ..Figures::default()
                };
                sums.add(
                    day,
                    "page",
                    &bounded_key(self.get("exit_page")),
                    None,
                    &figures,
                );
            }
            "imported_custom_events" => self.add_event(day, sums)?,
            _ => {}
        }
        Ok(())
    }

    fn add_source(&self, day: Date, site: &Site, sums: &mut Sums) -> Result<(), Fault> {
        let figures = self.visits()?;
        let stated =
            |column: &str| Some(self.get(column).to_owned()).filter(|text| !text.is_empty());
        let campaign = Campaign {
            source: stated("utm_source"),
            medium: stated("utm_medium"),
            name: stated("utm_campaign"),
            content: stated("utm_content"),
            term: stated("utm_term"),
            ..Campaign::default()
        };
        let referrer = stated("referrer")
            .and_then(|address| Referrer::parse(&format!("https://{address}")))
            .filter(|referrer| !site.is_internal(&referrer.host));
        let found = source(&campaign, referrer.as_ref());
        // Their table knows names that the referrer does not show.
        let name = match (found.name.is_empty(), self.get("source")) {
            (true, theirs) if theirs != "Direct / None" => theirs.to_owned(),
            _ => found.name,
        };
        let channel = match (name.is_empty(), found.channel.as_str()) {
            (false, "direct") => "referral",
            (_, channel) => channel,
        };
        sums.add(day, "source", &name, None, &figures);
        sums.add(day, "channel", channel, None, &figures);
        sums.add(
            day,
            "referrer",
            referrer.as_ref().map_or("", |referrer| &referrer.address),
            None,
            &figures,
        );
        for (dimension, text) in [
            ("utm_source", &campaign.source),
            ("utm_medium", &campaign.medium),
            ("utm_campaign", &campaign.name),
            ("utm_term", &campaign.term),
            ("utm_content", &campaign.content),
        ] {
            sums.add(
                day,
                dimension,
                text.as_deref().unwrap_or_default(),
                None,
                &figures,
            );
        }
        Ok(())
    }

    fn add_event(&self, day: Date, sums: &mut Sums) -> Result<(), Fault> {
        let visitors = self.number("visitors")?;
        let figures = Figures {
            visitors,
            visits: visitors,
            views: self.number("events")?,
            ..Figures::default()
        };
        if self.get("name") == "404" {
            sums.add(
                day,
                "missing",
                &bounded_key(self.get("path")),
                Some(""),
                &figures,
            );
            return Ok(());
        }
        let name = match self.get("name") {
            "Outbound Link: Click" => "outbound",
            "File Download" => "download",
            "Form: Submission" => "form",
            name => name,
        };
        sums.add(day, "event", &text::clean(name, 64), None, &figures);
        Ok(())
    }
}

/// Returns a browser by the name that it has here.
fn browser(theirs: &str) -> &str {
    match theirs {
        "Microsoft Edge" => "Edge",
        "Samsung Browser" => "Samsung Internet",
        "Mobile App" | "(not set)" => "",
        "Facebook" => "Facebook app",
        "Instagram" => "Instagram app",
        other => other,
    }
}

/// Returns a system by the name that it has here.
fn system(theirs: &str) -> &str {
    match theirs {
        "Mac" => "macOS",
        "GNU/Linux" | "Ubuntu" | "Fedora" => "Linux",
        "Chrome OS" => "ChromeOS",
        "(not set)" => "",
        other => other,
    }
}
