//! `GET traffic/<question>`: the visits of a site.
//!
//! `site` names it, `from` and `to` its days, `compare` the other period, `f.<dimension>` filters. Days are whole days of the
//! site: a range of an hour is the day around it.

use axum::http::HeaderMap;
use axum::response::Response;
use schema::Timestamp;
use schema::micros::MINUTE;
use snapshot::marks::marks;
use store::series::{Instant, ReadError};
use store::traffic::{self, Asked, Comparison, DIMENSIONS, Filters, Further, Question, Site};
use tokio_postgres::Row;

use super::Params;
use crate::answers::Answer;
use crate::app::App;
use crate::error::ApiError;
use crate::range::{Range, range};
use crate::wire::Unit;
use crate::wire::series::Mark;
use crate::wire::traffic::{
    TrafficCount, TrafficCurve, TrafficDimension, TrafficFigure, TrafficLive, TrafficPoint,
    TrafficRefusal, TrafficSite, TrafficSites, TrafficSummary,
};

/// Up to here, days, the curve has a point an hour.
const HOURLY_DAYS: i32 = 3;
/// For how long equal questions about visits share an answer, microseconds: figures of days change slowly, and a page asks a dozen.
pub(crate) const SHARED: i64 = 5 * schema::micros::SECOND;
/// Minutes of the strip of the present.
const MINUTES: usize = 30;

/// Answers `GET traffic/<question>`.
///
/// # Errors
/// When there is no such question or site, a parameter does not parse, or the rows cannot be read.
pub async fn traffic(
    app: &App,
    name: &str,
    params: &Params,
    headers: &HeaderMap,
) -> Result<Response, ApiError> {
    let now = app.now();
    let key = format!(
        "traffic {name} {} {}",
        params.question(&[]),
        now.as_micros() / SHARED
    );
    let answer = match name {
        "sites" => app.answers.get(key, async || list_sites(app).await).await,
        "summary" => {
            let asked = asked(app, params).await?;
            let read = async || summarise(app, &asked).await;
            app.answers.get(key, read).await
        }
        "curve" => {
            let asked = asked(app, params).await?;
            let range = range(params.get("from"), params.get("to"), now)?;
            let host = app.host(params.get("host")).await?.map(|host| host.id);
            let read = async || draw(app, &asked, host, range).await;
            app.answers.get(key, read).await
        }
        "live" => {
            let site = site(app, params).await?;
            let read = async || show_live(app, &site, now).await;
            app.answers.get(key, read).await
        }
        _ => return Err(ApiError::NotFound("no such question")),
    };
    Ok(answer?.respond(headers, now))
}

/// Returns the parameters of a question about a site.
///
/// # Errors
/// When there is no such site, or one does not parse.
pub(crate) async fn asked(app: &App, params: &Params) -> Result<Asked, ApiError> {
    let comparison = match params.get("compare") {
        None => Comparison::default(),
        Some(word) => Comparison::parse(word)
            .ok_or_else(|| ApiError::bad("compare", "is previous, year or none"))?,
    };
    let mut filters = Filters::default();
    for (name, value) in params.iter() {
        if let Some(dimension) = name.strip_prefix("f.") {
            filters
                .add(dimension, value)
                .map_err(|error| ApiError::bad("f", &error.to_string()))?;
        }
    }
    let range = range(params.get("from"), params.get("to"), app.now())?;
    let site = site(app, params).await?;
    Ok(Asked {
        days: site.days(range.from, range.to),
        site,
        comparison,
        filters,
    })
}

/// Returns the site that is asked for, by default the first.
async fn site(app: &App, params: &Params) -> Result<Site, ApiError> {
    let sites = read_sites(app).await?;
    let found = match params.get("site") {
        None => sites.into_iter().next(),
        Some(domain) => sites.into_iter().find(|site| site.domain == domain),
    };
    found.ok_or(ApiError::NotFound("no such site"))
}

async fn read_sites(app: &App) -> Result<Vec<Site>, ApiError> {
    let read = app.database.read("sites", |session| async move {
        traffic::sites(&session.client).await
    });
    Ok(read.await?)
}

async fn list_sites(app: &App) -> Result<Answer, ApiError> {
    let sites = read_sites(app).await?;
    let sites = sites.into_iter().map(|site| TrafficSite {
        domain: site.domain,
        time_zone: site.time_zone,
        first_ms: site.first.map(Timestamp::as_millis),
    });
    let dimensions = DIMENSIONS.iter().map(|one| TrafficDimension {
        id: one.id,
        label: one.label,
    });
    Answer::new(&TrafficSites {
        now_ms: 0,
        sites: sites.collect(),
        dimensions: dimensions.collect(),
    })
}

/// The figures of the cards: column, name, unit, what it is.
const FIGURES: &[(&str, &str, Unit, &str)] = &[
    (
        "visitors",
        "Daily visitors",
        Unit::Count,
        "The sum of the visitors of each day: a visitor is known for one day, so who comes on two days counts twice.",
    ),
    (
        "visits",
        "Visits",
        Unit::Count,
        "A visit ends after thirty idle minutes and at the site's midnight.",
    ),
    ("views", "Views", Unit::Count, "Views of pages."),
    (
        "views_per_visit",
        "Views per visit",
        Unit::Ratio,
        "Views by visits.",
    ),
    (
        "bounce_pct",
        "Bounces",
        Unit::Percent,
        "Visits of one view, without anything interactive, engaged for less than ten seconds.",
    ),
    (
        "median_secs",
        "Visit, median",
        Unit::Secs,
        "Half of the visits took longer, from their first to their last sign; within 9 %.",
    ),
    (
        "capped_mean_secs",
        "Visit, mean",
        Unit::Secs,
        "Mean duration of a visit, each counted with four hours at most.",
    ),
    (
        "engaged_median_secs",
        "Engaged, median",
        Unit::Secs,
        "Half of the views were visible and focused for longer; within 9 %.",
    ),
];

async fn summarise(app: &App, asked: &Asked) -> Result<Answer, ApiError> {
    let read = app.database.read("traffic", |session| {
        let asked = asked.clone();
        async move {
            let rows = asked
                .ask(&session.client, Question::SUMMARY, Further::Nothing)
                .await?;
            let fault = |source| ReadError::new("traffic", source);
            let mut periods = [None, None];
            for row in &rows {
                let is_before: bool = row.try_get("compared").map_err(fault)?;
                let values: Result<Vec<_>, _> =
                    FIGURES.iter().map(|one| number(row, one.0)).collect();
                let capped: i64 = row.try_get("capped").map_err(fault)?;
                periods[usize::from(is_before)] = Some((values.map_err(fault)?, capped));
            }
            Ok(periods)
        }
    });
    let [shown, before] = read.await?;
    let value = |period: &Option<(Vec<Option<f64>>, i64)>, at: usize| {
        period
            .as_ref()
            .and_then(|(values, _)| values.get(at).copied().flatten())
    };
    let figures = FIGURES
        .iter()
        .enumerate()
        .map(|(at, (id, label, unit, what))| TrafficFigure {
            id,
            label,
            unit: *unit,
            what,
            value: value(&shown, at),
            before: value(&before, at),
        });
    let capped = shown.as_ref().map_or(0, |(_, capped)| *capped);
    let (first, last) = asked.days;
    let days = if first == last {
        format!("{first}")
    } else {
        format!("{first} to {last}")
    };
    let mut note = format!("Days of {}: {days}.", asked.site.time_zone);
    if capped > 0 {
        note.push_str(&format!(
            " {capped} visits of four hours or more count with four."
        ));
    }
    Answer::new(&TrafficSummary {
        now_ms: 0,
        figures: figures.collect(),
        is_compared: before.is_some(),
        note,
    })
}

/// Returns a number of any type.
fn number(row: &Row, column: &str) -> Result<Option<f64>, tokio_postgres::Error> {
    #[expect(clippy::cast_precision_loss, reason = "counts are far below 2^53")]
    if let Ok(value) = row.try_get::<_, Option<i64>>(column) {
        return Ok(value.map(|value| value as f64));
    }
    row.try_get(column)
}

async fn draw(
    app: &App,
    asked: &Asked,
    host: Option<i32>,
    range: Range,
) -> Result<Answer, ApiError> {
    let days = (asked.days.1 - asked.days.0).get_days() + 1;
    let step = if days <= HOURLY_DAYS { "hour" } else { "day" };
    let read = app.database.read("traffic", |session| {
        let asked = asked.clone();
        async move {
            let client = &session.client;
            let rows = asked.ask(client, Question::CURVE, Further::Text(step));
            let marks = async {
                match host {
                    Some(host) => marks(client, host, range.from, range.to).await,
                    None => Ok(Vec::new()),
                }
            };
            let (rows, marks) = tokio::try_join!(rows, marks)?;
            let points = rows.iter().map(point).collect::<Result<Vec<_>, _>>();
            let points = points.map_err(|source| ReadError::new("traffic", source))?;
            Ok((points, marks))
        }
    });
    let (points, marks) = read.await?;
    let marks = marks.into_iter().map(|mark| Mark {
        at_ms: mark.at.as_millis(),
        text: mark.text,
        severity: mark.severity,
    });
    Answer::new(&TrafficCurve {
        now_ms: 0,
        step,
        points,
        marks: marks.collect(),
    })
}

fn point(row: &Row) -> Result<TrafficPoint, tokio_postgres::Error> {
    let at: Instant = row.try_get("bucket")?;
    Ok(TrafficPoint {
        at_ms: at.0.as_millis(),
        visitors: row.try_get("visitors")?,
        visits: row.try_get("visits")?,
        views: row.try_get("views")?,
        visitors_before: row.try_get("compared_visitors")?,
        views_before: row.try_get("compared_views")?,
    })
}

async fn show_live(app: &App, site: &Site, now: Timestamp) -> Result<Answer, ApiError> {
    let site = site.id;
    let read = app.database.read("traffic", |session| async move {
        let client = &session.client;
        let fault = |source| ReadError::new("traffic", source);
        let rows = traffic::ask_live(client, site).await?;
        let rows = rows.iter().map(|row| {
            let words: (Option<String>, Option<String>) =
                (row.try_get("word")?, row.try_get("title")?);
            let kind: String = row.try_get("kind")?;
            let last: Option<Instant> = row.try_get("last")?;
            Ok((kind, words, row.try_get::<_, i64>("count")?, last))
        });
        rows.collect::<Result<Vec<_>, _>>().map_err(fault)
    });
    let mut answer = TrafficLive {
        now_ms: 0,
        visitors: 0,
        views: vec![0; MINUTES],
        pages: Vec::new(),
        sources: Vec::new(),
        refusals: Vec::new(),
    };
    for (kind, (word, title), count, last) in read.await? {
        let name = word.unwrap_or_default();
        match kind.as_str() {
            "visitors" => answer.visitors = count,
            "minute" => {
                let ago = last.map(|last| (now.as_micros() - last.0.as_micros()).max(0) / MINUTE);
                let at = ago.and_then(|ago| usize::try_from(ago).ok());
                if let Some(slot) = at.and_then(|at| MINUTES.checked_sub(at + 1)) {
                    answer.views[slot] += count;
                }
            }
            "page" => answer.pages.push(TrafficCount { name, count }),
            "source" => answer.sources.push(TrafficCount { name, count }),
            _ => answer.refusals.push(TrafficRefusal {
                remedy: traffic::remedy(&name).to_owned(),
                reason: traffic::reason(&name).to_owned(),
                detail: title.unwrap_or_default(),
                count,
                last_ms: last.map_or(0, |last| last.0.as_millis()),
            }),
        }
    }
    Answer::new(&answer)
}
