//! Tables of the visits of a site: a question of [`store::traffic`] and its columns, matched by name.
//!
//! They are of whole days of a site rather than of a host, and filters of visits change what is counted, so the statement takes
//! them. A line is named by the texts of its first columns.

use store::series::ReadError;
use store::traffic::{Asked, Further, Question};
pub use store::traffic::{Funnel, Goal, Step};
use tokio_postgres::Client;

use super::{Col, Line, Lines, Source, View, stored};
use crate::wire::{Cell, Unit};

/// What a statement takes besides days and filters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum More {
    /// Nothing.
    Nothing,
    /// The parameter of a campaign.
    Campaign(&'static str),
    /// The event that is filtered by; none: every event.
    Event,
    /// The page that is filtered by; none: the front page.
    Page,
    /// The goals of the site.
    Goals,
    /// Each funnel of the site in turn.
    Funnels,
}

/// A question whose rows are lines.
#[derive(Clone, Copy, Debug)]
pub struct Traffic {
    /// The question.
    pub question: Question,
    /// What it takes besides.
    pub more: More,
}

/// What is configured for sites.
#[derive(Clone, Debug, Default)]
pub struct Definitions {
    /// Goals.
    pub goals: Vec<Goal>,
    /// Funnels.
    pub funnels: Vec<Funnel>,
}

/// Returns whether what is configured for a site, or for all, concerns the one that is asked about.
fn concerns(site: Option<&str>, asked: &Asked) -> bool {
    site.is_none_or(|site| site == asked.site.domain)
}

/// Reads the lines of a table.
pub(crate) async fn read(
    client: &Client,
    view: &View,
    table: Traffic,
    asked: &Asked,
    definitions: &Definitions,
) -> Result<Lines, ReadError> {
    let mut lines = Lines::default();
    let mut add = |rows: &[tokio_postgres::Row], first: Option<&Funnel>| {
        let read = stored::lines(rows, view.columns, view.filters);
        let read = read.map_err(|source| ReadError::new(view.name, source))?;
        lines.lines.extend(read.into_iter().map(|line| match first {
            Some(funnel) => of_funnel(line, funnel),
            None => named(line),
        }));
        Ok(())
    };
    let question = table.question;
    let further = match table.more {
        More::Nothing => Further::Nothing,
        More::Campaign(parameter) => Further::Text(parameter),
        More::Event => Further::Text(asked.filters.first("event").unwrap_or_default()),
        More::Page => Further::Text(asked.filters.first("page").unwrap_or("/")),
        More::Goals => {
            let goals = definitions.goals.iter();
            let goals: Vec<&Goal> = goals
                .filter(|goal| concerns(goal.site.as_deref(), asked))
                .collect();
            if !goals.is_empty() {
                let further = Further::Goals(&goals);
                add(&asked.ask(client, question, further).await?, None)?;
            }
            return Ok(lines);
        }
        More::Funnels => {
            let funnels = definitions.funnels.iter();
            for funnel in funnels.filter(|funnel| concerns(funnel.site.as_deref(), asked)) {
                let further = Further::Steps(funnel);
                add(&asked.ask(client, question, further).await?, Some(funnel))?;
            }
            return Ok(lines);
        }
    };
    add(&asked.ask(client, question, further).await?, None)?;
    Ok(lines)
}

/// Names a line by its texts.
fn named(mut line: Line) -> Line {
    let texts = line.cells.iter().filter_map(|cell| match cell {
        Cell::Text(text) => Some(text.as_str()),
        Cell::Bool(true) => Some("1"),
        Cell::Bool(false) => Some("0"),
        _ => None,
    });
    line.id = texts.collect::<Vec<_>>().join("\u{1f}");
    line
}

/// Puts the names of a funnel and of its step in front of a line; the statement knows their numbers.
fn of_funnel(mut line: Line, funnel: &Funnel) -> Line {
    let number = match line.cells.get(1) {
        Some(Cell::Int(number)) => usize::try_from(*number).unwrap_or(0),
        _ => 0,
    };
    line.id = format!("{}\u{1f}{number}", funnel.name);
    line.cells[0] = Cell::Text(funnel.name.clone());
    let step = funnel.steps.get(number.wrapping_sub(1));
    line.cells[2] = Cell::text(step.map(Step::label));
    line
}

const VISITORS: Col = Col::new(
    "visitors",
    "Visitors",
    Unit::Count,
    "Daily visitors: a visitor is known for one day of the site.",
)
.primary();
const VISITS: Col = Col::new(
    "visits",
    "Visits",
    Unit::Count,
    "Visits that began in these days.",
);
const VIEWS: Col = Col::new("views", "Views", Unit::Count, "Views of pages.").summed();
const SHARE: Col = Col::new("share_pct", "Share", Unit::Percent, "Its share of all.").primary();
const BOUNCE: Col = Col::new(
    "bounce_pct",
    "Bounces",
    Unit::Percent,
    "Visits of one view without anything interactive, engaged for less than ten seconds.",
);
const MEAN: Col = Col::new(
    "capped_mean_secs",
    "Mean visit",
    Unit::Secs,
    "Mean duration of a visit, each counted with four hours at most.",
);
const BEFORE: Col = Col::new(
    "compared_visitors",
    "Visitors before",
    Unit::Count,
    "Visitors of the compared period.",
);
const TITLE: Col = Col::new("title", "Title", Unit::Text, "Its newest title.");
const PAGE: Col = Col::new(
    "page",
    "Page",
    Unit::Text,
    "Its path, without query and with a slash at its end.",
)
.primary();

const NO_VISITS: &str = "No visits in these days.";

macro_rules! by_word {
    ($($name:ident = $view:literal, $title:literal, $statement:ident, $more:expr, [$($column:expr),*], $empty:expr;)*) => {
        $(pub(super) const $name: View = View {
            name: $view,
            title: $title,
            columns: &[$($column),*, VISITORS, VISITS, VIEWS, SHARE, BOUNCE, MEAN, BEFORE],
            filters: &[],
            default_sort: "-visitors",
            ranged: true,
            empty: $empty,
            families: &[],
            source: Source::Traffic(Traffic { question: Question::$statement, more: $more }),
        };)*
    };
}

/// Returns the column of a text.
const fn word(id: &'static str, label: &'static str, what: &'static str) -> Col {
    Col::new(id, label, Unit::Text, what).primary()
}

by_word! {
    SOURCES = "traffic_sources", "Sources", SOURCES, More::Nothing,
        [word("source", "Source", "The site or program that led here; none: the address was typed or the source is hidden.")], NO_VISITS;
    CHANNELS = "traffic_channels", "Channels", CHANNELS, More::Nothing,
        [word("channel", "Channel", "Kind of the source: search, social, email, paid, referral, campaign, direct.")], NO_VISITS;
    REFERRERS = "traffic_referrers", "Referrers", REFERRERS, More::Nothing,
        [word("referrer", "Referrer", "The page whose link was followed, without its query.")], NO_VISITS;
    CAMPAIGNS = "traffic_campaigns", "Campaigns", CAMPAIGNS, More::Campaign("utm_campaign"),
        [word("campaign", "Campaign", "utm_campaign of the first page.")], "No visit named a campaign in these days.";
    CAMPAIGN_SOURCES = "traffic_campaign_sources", "Campaign sources", CAMPAIGNS, More::Campaign("utm_source"),
        [word("campaign", "Source", "utm_source of the first page.")], "No visit named the source of a campaign in these days.";
    CAMPAIGN_MEDIUMS = "traffic_campaign_mediums", "Campaign mediums", CAMPAIGNS, More::Campaign("utm_medium"),
        [word("campaign", "Medium", "utm_medium of the first page.")], "No visit named the medium of a campaign in these days.";
    COUNTRIES = "traffic_countries", "Countries", COUNTRIES, More::Nothing,
        [word("country", "Country", "By the visitor's network; unknown without a file of countries.")], NO_VISITS;
    ISPS = "traffic_isps", "Networks", ISPS, More::Nothing,
        [word("asn", "Network", "Number of the visitor's network; unknown without a file of networks.")], NO_VISITS;
    LANGUAGES = "traffic_languages", "Languages", LANGUAGES, More::Nothing,
        [word("language", "Language", "First language of the browser.")], NO_VISITS;
    DEVICES = "traffic_devices", "Devices", DEVICES, More::Nothing,
        [word("device", "Device", "Kind of device.")], NO_VISITS;
    WIDTHS = "traffic_widths", "Widths", WIDTHS, More::Nothing,
        [word("width", "Width", "Class of the window's width.")], NO_VISITS;
    BROWSERS = "traffic_browsers", "Browsers", BROWSERS, More::Nothing,
        [word("browser", "Browser", "The browser."), word("os", "System", "The operating system.")], NO_VISITS;
}

macro_rules! views {
    ($($name:ident = $view:literal, $title:literal, $statement:ident, $more:expr, $sort:literal, $empty:expr, [$($column:expr),* $(,)?];)*) => {
        $(pub(super) const $name: View = View {
            name: $view,
            title: $title,
            columns: &[$($column),*],
            filters: &[],
            default_sort: $sort,
            ranged: true,
            empty: $empty,
            families: &[],
            source: Source::Traffic(Traffic { question: Question::$statement, more: $more }),
        };)*
    };
}

views! {
    PAGES = "traffic_pages", "Pages", PAGES, More::Nothing, "-visitors", NO_VISITS, [
        PAGE,
        TITLE,
        VISITORS,
        VISITS,
        VIEWS,
        SHARE,
        Col::new("exit_pct", "Exits", Unit::Percent, "Visits that ended here, of those that saw it."),
        BEFORE,
    ];
    ENTRIES = "traffic_entries", "Entry pages", ENTRIES, More::Nothing, "-entries", NO_VISITS, [
        PAGE,
        TITLE,
        Col::new("entries", "Entries", Unit::Count, "Visits that began here.").primary().summed(),
        SHARE,
        BOUNCE,
        MEAN,
        Col::new("compared_entries", "Entries before", Unit::Count, "The same of the compared period."),
    ];
    EXITS = "traffic_exits", "Exit pages", EXITS, More::Nothing, "-exits", NO_VISITS, [
        PAGE,
        TITLE,
        Col::new("exits", "Exits", Unit::Count, "Visits that ended here.").primary().summed(),
        VISITS,
        Col::new("exit_pct", "Of its visits", Unit::Percent, "Visits that ended here, of those that saw it."),
        SHARE,
        Col::new("compared_exits", "Exits before", Unit::Count, "The same of the compared period."),
    ];
    ENGAGED = "traffic_engaged", "Engaged time", ENGAGED, More::Nothing, "-views", "No page has ten views in these days.", [
        PAGE,
        TITLE,
        VIEWS,
        Col::new("median_secs", "Median", Unit::Secs, "Half of its views were engaged for longer; visible and focused.").primary(),
        Col::new("p75_secs", "75 %", Unit::Secs, "A quarter of its views were engaged for longer."),
        Col::new("engaged_pct", "10 s or more", Unit::Percent, "Views engaged for ten seconds or more.").primary(),
        Col::new("compared_median_secs", "Median before", Unit::Secs, "The same of the compared period."),
    ];
    SCROLL = "traffic_scroll", "Scroll depth", SCROLL, More::Nothing, "-views", "No depth was measured in these days.", [
        PAGE,
        TITLE,
        VIEWS,
        Col::new("mean_pct", "Mean", Unit::Percent, "Mean depth of what was seen of it.").primary(),
        Col::new("reached_25_pct", "25 %", Unit::Percent, "Views that reached a quarter of it."),
        Col::new("reached_50_pct", "50 %", Unit::Percent, "Views that reached its half."),
        Col::new("reached_75_pct", "75 %", Unit::Percent, "Views that reached three quarters of it."),
        Col::new("reached_90_pct", "90 %", Unit::Percent, "Views that reached nine tenths of it.").primary(),
        Col::new("compared_mean_pct", "Mean before", Unit::Percent, "The same of the compared period."),
    ];
    MISSING = "traffic_missing", "Not found", MISSING, More::Nothing, "-count", "No page was missing in these days.", [
        PAGE,
        word("referrer", "Linked from", "The page whose link led there."),
        VISITORS,
        Col::new("count", "Views", Unit::Count, "Views that ended in 404.").primary().summed(),
        Col::new("compared_count", "Before", Unit::Count, "The same of the compared period."),
    ];
    FLOW = "traffic_flow", "Before and after", FLOW, More::Page, "-views", "No visit saw this page in these days.", [
        Col::new("is_before", "Before", Unit::Bool, "Whether it was seen just before the page that is filtered by, the front page without a filter; else just after it.").primary(),
        Col::new("page", "Page", Unit::Text, "Its path; none: the visit began or ended there.").primary(),
        TITLE,
        VIEWS,
        SHARE,
    ];
    CONSENT = "traffic_consent", "Consent", CONSENT, More::Nothing, "compared", NO_VISITS, [
        Col::new("compared", "Before", Unit::Bool, "Whether the line is of the compared period.").primary(),
        Col::new("consented", "Consented", Unit::Count, "Visits with consent.").primary(),
        Col::new("cookieless", "Cookieless", Unit::Count, "Visits counted without anything on the device."),
        VISITS,
        Col::new("anonymous", "Anonymous views", Unit::Count, "Views of nobody: without consent, or of a browser that asks not to be tracked."),
        Col::new("consented_pct", "Consented", Unit::Percent, "Of visits and anonymous views.").primary(),
    ];
    EVENTS = "traffic_events", "Events", EVENTS, More::Nothing, "-visitors", "No events in these days.", [
        word("event", "Event", "Its name; outbound, download and form are the tracker's own."),
        VISITORS,
        VISITS,
        Col::new("count", "Times", Unit::Count, "How often it happened.").primary().summed(),
        BEFORE,
        Col::new("compared_count", "Times before", Unit::Count, "The same of the compared period."),
    ];
    PROPS = "traffic_props", "Properties of events", PROPS, More::Event, "-count", "No event has properties in these days.", [
        word("event", "Event", "Its name."),
        word("key", "Property", "Its name."),
        word("value", "Value", "Its value."),
        VISITORS,
        Col::new("count", "Times", Unit::Count, "How often an event had it.").primary(),
        Col::new("share_pct", "Share", Unit::Percent, "Of events with the property."),
        Col::new("compared_count", "Times before", Unit::Count, "The same of the compared period."),
    ];
    GOALS = "traffic_goals", "Goals", GOALS, More::Goals, "-visitors", "No goal is configured for this site: see [[analytics.goal]].", [
        word("goal", "Goal", "Its name."),
        VISITORS,
        Col::new("count", "Times", Unit::Count, "How often it was met.").primary(),
        Col::new("conversion_pct", "Conversion", Unit::Percent, "Visitors that met it, of all.").primary(),
        BEFORE,
        Col::new("compared_count", "Times before", Unit::Count, "The same of the compared period."),
        Col::new("compared_conversion_pct", "Conversion before", Unit::Percent, "The same of the compared period."),
    ];
    FUNNELS = "traffic_funnels", "Funnels", FUNNELS, More::Funnels, "funnel", "No funnel is configured for this site: see [[analytics.funnel]].", [
        word("funnel", "Funnel", "Its name."),
        Col::new("step", "Step", Unit::Count, "Its number."),
        word("what", "What", "The page or event."),
        VISITORS,
        Col::new("of_first_pct", "Of the first", Unit::Percent, "Visitors that came this far, of those of the first step.").primary(),
        Col::new("of_previous_pct", "Of the step before", Unit::Percent, "Visitors that came this far, of those of the step before."),
        BEFORE,
    ];
}
