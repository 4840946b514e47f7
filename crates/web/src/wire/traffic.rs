//! The answers of `GET traffic/<question>`.

use serde::Serialize;
use ts_rs::TS;

use super::Unit;

/// The answer of `traffic/sites`.
#[derive(Clone, Debug, Serialize, TS)]
pub struct TrafficSites {
    /// The server's clock.
    pub now_ms: i64,
    /// Every site, by name.
    pub sites: Vec<TrafficSite>,
    /// What may be filtered by.
    pub dimensions: Vec<TrafficDimension>,
}

/// A site whose visits are counted.
#[derive(Clone, Debug, Serialize, TS)]
pub struct TrafficSite {
    /// Its domain, which the parameter `site` names.
    pub domain: String,
    /// The time zone of its days.
    pub time_zone: String,
    /// When it was first visited; null: never.
    pub first_ms: Option<i64>,
}

/// A property of visits by which figures are filtered: `f.<id>=value`.
#[derive(Clone, Copy, Debug, Serialize, TS)]
pub struct TrafficDimension {
    /// As in `f.<id>`.
    pub id: &'static str,
    /// Its name.
    pub label: &'static str,
}

/// The answer of `traffic/summary`.
#[derive(Clone, Debug, Serialize, TS)]
pub struct TrafficSummary {
    /// The server's clock.
    pub now_ms: i64,
    /// The figures, in their order.
    pub figures: Vec<TrafficFigure>,
    /// Whether they stand beside those of another period.
    pub is_compared: bool,
    /// What a reader has to know about them; "" for nothing.
    pub note: String,
}

/// A figure beside that of the compared period.
#[derive(Clone, Debug, Serialize, TS)]
pub struct TrafficFigure {
    /// Its column.
    pub id: &'static str,
    /// Its name.
    pub label: &'static str,
    /// Its unit.
    pub unit: Unit,
    /// What it is.
    pub what: &'static str,
    /// Null: nothing to compute it from.
    pub value: Option<f64>,
    /// Of the compared period.
    pub before: Option<f64>,
}

/// The answer of `traffic/curve`.
#[derive(Clone, Debug, Serialize, TS)]
pub struct TrafficCurve {
    /// The server's clock.
    pub now_ms: i64,
    /// Hours or days of the site.
    #[ts(type = "\"hour\" | \"day\"")]
    pub step: &'static str,
    /// The points, in the order of time.
    pub points: Vec<TrafficPoint>,
    /// Events of the chosen host within the range.
    pub marks: Vec<super::series::Mark>,
}

/// An hour or a day.
#[derive(Clone, Copy, Debug, Serialize, TS)]
pub struct TrafficPoint {
    /// Its start.
    pub at_ms: i64,
    /// Visitors of a day, or those whose visit began in the hour.
    pub visitors: i64,
    /// Visits that began in it.
    pub visits: i64,
    /// Views of pages.
    pub views: i64,
    /// The same of the compared period; null without one.
    pub visitors_before: Option<i64>,
    /// The same for views.
    pub views_before: Option<i64>,
}

/// The answer of `traffic/live`: the last minutes.
#[derive(Clone, Debug, Serialize, TS)]
pub struct TrafficLive {
    /// The server's clock.
    pub now_ms: i64,
    /// Visitors seen within the last five minutes.
    pub visitors: i64,
    /// Views of each of the last thirty minutes, the current one last.
    pub views: Vec<i64>,
    /// The pages they see, most first.
    pub pages: Vec<TrafficCount>,
    /// Where they came from, most first.
    pub sources: Vec<TrafficCount>,
    /// What was not counted within the last hour, most first.
    pub refusals: Vec<TrafficRefusal>,
}

/// How often something occurs.
#[derive(Clone, Debug, Serialize, TS)]
pub struct TrafficCount {
    /// What.
    pub name: String,
    /// How often.
    pub count: i64,
}

/// Events that were not counted.
#[derive(Clone, Debug, Serialize, TS)]
pub struct TrafficRefusal {
    /// Why.
    pub reason: String,
    /// What it was about.
    pub detail: String,
    /// How many.
    pub count: i64,
    /// The last time.
    pub last_ms: i64,
    /// What the owner of the site can do.
    pub remedy: String,
}
