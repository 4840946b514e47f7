//! `GET table/<name>`: rows, filtered, sorted and in pages, or all of them as CSV.

use std::collections::{BTreeMap, HashMap};
use std::fmt::Write as _;
use std::sync::Arc;

use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::{IntoResponse, Response};
use schema::{Severity, Timestamp};

use super::Params;
use crate::answers::Answer;
use crate::api::traffic::{SHARED, asked};
use crate::app::App;
use crate::csv;
use crate::error::ApiError;
use crate::hosts::Host;
use crate::range::{instant, range};
use crate::tables::fleet;
use crate::tables::traffic as visits;
use crate::tables::{Asked, Line, Lines, Source, View, view};
use crate::wire::table::{TableAnswer, TableRow};
use crate::wire::{Cell, Unit};
use words::round;

/// Longest search.
const LONGEST_SEARCH: usize = 256;

/// The parameters of a request.
struct TableQuery {
    sort: (usize, bool),
    search: String,
    filters: Vec<(&'static str, Vec<String>)>,
    limit: usize,
    page: usize,
    is_csv: bool,
}

/// Answers `GET table/<name>`.
///
/// # Errors
/// When there is no such table, a parameter does not parse, or the rows cannot be read.
pub async fn table(
    app: &App,
    name: &str,
    params: &Params,
    headers: &HeaderMap,
) -> Result<Response, ApiError> {
    let view = view(name).ok_or(ApiError::NotFound("no such table"))?;
    let mut question = TableQuery::parse(view, params)?;
    let now = app.now();
    if let Source::Traffic(table) = view.source {
        return table_of_visits(app, (view, table), &question, params, headers).await;
    }
    if let Source::Fleet = view.source {
        let lines = fleet::lines(&*app.fleet().await?);
        // Verdicts have an order of their own.
        question.sort.0 = fleet::sorted_by(question.sort.0);
        if question.is_csv {
            return Ok(as_csv(view, &question, &lines));
        }
        return Ok(Answer::new(&shape(view, &question, &lines))?.respond(headers, now));
    }
    let at = params
        .get("at")
        .map(|at| instant("at", at, now))
        .transpose()?;
    let range = range(params.get("from"), params.get("to"), now)?;
    let asked = Asked {
        at,
        range: (range.from, range.to),
        row: params.get("id"),
    };
    let host = app.host(params.get("host")).await?;
    let host = host.as_ref();
    if question.is_csv {
        let lines = read(app, view, host, asked, now).await?;
        return Ok(as_csv(view, &question, &lines));
    }
    let mut key = format!("table {name} {}", params.question(&["host", "at"]));
    let _infallible = write!(
        key,
        " {} {:?} {}",
        host.map_or_else(String::new, Host::stamp),
        at,
        // Rows that are not samples (runs, settings) may change between samples.
        now.as_millis() / 10_000,
    );
    let answer = app.answers.get(key, async || {
        let lines = read(app, view, host, asked, now).await?;
        Answer::new(&shape(view, &question, &lines))
    });
    Ok(answer.await?.respond(headers, now))
}

/// Answers for a table of the visits of a site.
async fn table_of_visits(
    app: &App,
    (view, table): (&'static View, visits::Traffic),
    question: &TableQuery,
    params: &Params,
    headers: &HeaderMap,
) -> Result<Response, ApiError> {
    let now = app.now();
    let asked = asked(app, params).await?;
    let read = async || {
        let read = app.database.read(view.name, |session| {
            let (asked, definitions) = (asked.clone(), Arc::clone(&app.settings.definitions));
            async move { visits::read(&session.client, view, table, &asked, &definitions).await }
        });
        read.await.map_err(ApiError::from)
    };
    if question.is_csv {
        return Ok(as_csv(view, question, &read().await?));
    }
    let key = format!(
        "table {} {} {}",
        view.name,
        params.question(&["host", "at"]),
        now.as_micros() / SHARED
    );
    let answer = app.answers.get(key, async || {
        Answer::new(&shape(view, question, &read().await?))
    });
    Ok(answer.await?.respond(headers, now))
}

async fn read(
    app: &App,
    view: &View,
    host: Option<&Host>,
    asked: Asked<'_>,
    now: Timestamp,
) -> Result<Lines, ApiError> {
    let Some(host) = host else {
        return Ok(Lines {
            note: "No collector has delivered a sample yet.".to_owned(),
            ..Lines::default()
        });
    };
    let read = app.database.read(view.name, |session| async move {
        view.read(&session.client, host, asked, now).await
    });
    Ok(read.await?)
}

impl TableQuery {
    fn parse(view: &View, params: &Params) -> Result<Self, ApiError> {
        let sort = params
            .get("sort")
            .filter(|sort| !sort.is_empty())
            .unwrap_or(view.default_sort);
        let (column, descending) = match sort.strip_prefix('-') {
            Some(column) => (column, true),
            None => (sort, false),
        };
        let at = view.columns.iter().position(|known| known.id == column);
        let at = at.ok_or_else(|| ApiError::bad("sort", "names no column of this table"))?;
        let search = params.get("q").unwrap_or_default();
        if search.chars().count() > LONGEST_SEARCH {
            return Err(ApiError::bad("q", "is longer than 256 characters"));
        }
        let mut filters: Vec<(&'static str, Vec<String>)> = Vec::new();
        for (name, value) in params.iter() {
            let Some(filter) = name.strip_prefix("f.") else {
                continue;
            };
            // Those of visits change what is counted, not which lines are shown.
            if matches!(view.source, Source::Traffic(_)) {
                continue;
            }
            let filter = view.filters.iter().find(|known| known.id == filter);
            let filter =
                filter.ok_or_else(|| ApiError::bad("f", "names no filter of this table"))?;
            match filters.iter_mut().find(|(known, _)| *known == filter.id) {
                Some((_, values)) => values.push(value.to_owned()),
                None => filters.push((filter.id, vec![value.to_owned()])),
            }
        }
        let limit = match params.number("limit", 25, 1, 100)? {
            ..=25 => 25,
            26..=50 => 50,
            _ => 100,
        };
        Ok(Self {
            sort: (at, descending),
            search: search.trim().to_lowercase(),
            filters,
            limit,
            page: usize::try_from(params.number("page", 0, 0, 1_000_000)?).unwrap_or(0),
            is_csv: match params.get("format") {
                None | Some("json") => false,
                Some("csv") => true,
                Some(_) => return Err(ApiError::bad("format", "is json or csv")),
            },
        })
    }

    fn finds(&self, line: &Line) -> bool {
        self.search.is_empty()
            || line.cells.iter().any(|cell| match cell {
                Cell::Text(text) => text.to_lowercase().contains(&self.search),
                _ => false,
            })
    }

    /// Returns whether a line passes the filters, ignoring the filter `but`.
    fn passes(&self, line: &Line, but: Option<&str>) -> bool {
        self.filters
            .iter()
            .filter(|(filter, _)| Some(*filter) != but)
            .all(|(filter, values)| {
                line.tags
                    .iter()
                    .any(|tag| tag.filter == *filter && values.contains(&tag.value))
            })
    }

    /// Returns the matching lines, sorted. Unknown values come last in both directions.
    fn select<'a>(&self, lines: &'a Lines) -> Vec<&'a Line> {
        let mut found: Vec<&Line> = lines
            .lines
            .iter()
            .filter(|line| self.finds(line) && self.passes(line, None))
            .collect();
        let (at, descending) = self.sort;
        found.sort_by(|a, b| {
            let (a_cell, b_cell) = (&a.cells[at], &b.cells[at]);
            let by_null = a_cell.is_null().cmp(&b_cell.is_null());
            let by_value = a_cell.order(b_cell);
            let by_value = if descending {
                by_value.reverse()
            } else {
                by_value
            };
            by_null.then(by_value).then_with(|| a.id.cmp(&b.id))
        });
        found
    }
}

fn shape(view: &View, question: &TableQuery, lines: &Lines) -> TableAnswer {
    let found = question.select(lines);
    let pages = found.len().div_ceil(question.limit);
    let page = question.page.min(pages.saturating_sub(1));
    let mut facets: BTreeMap<&'static str, BTreeMap<String, usize>> = BTreeMap::new();
    let mut severities: BTreeMap<&'static str, BTreeMap<String, Severity>> = BTreeMap::new();
    let mut passing: HashMap<(&str, &str), bool> = HashMap::new();
    for line in lines.lines.iter().filter(|line| question.finds(line)) {
        for tag in &line.tags {
            let passes = *passing
                .entry((line.id.as_str(), tag.filter))
                .or_insert_with(|| question.passes(line, Some(tag.filter)));
            if !passes {
                continue;
            }
            *facets
                .entry(tag.filter)
                .or_default()
                .entry(tag.value.clone())
                .or_default() += 1;
            let worst = severities.entry(tag.filter).or_default();
            let worst = worst.entry(tag.value.clone()).or_insert(Severity::Ok);
            *worst = (*worst).max(tag.severity);
        }
    }
    let sums = sums(view, &found);
    TableAnswer {
        now_ms: 0,
        at_ms: lines.at.map(Timestamp::as_millis),
        total: lines.lines.len(),
        matched: found.len(),
        page,
        pages,
        rows: found
            .into_iter()
            .skip(page * question.limit)
            .take(question.limit)
            .map(|line| TableRow {
                id: line.id.clone(),
                cells: line.cells.clone(),
                severities: line.severities.clone(),
                severity: line.severity(),
            })
            .collect(),
        facets,
        filter_severities: severities,
        sums,
        source: lines.source,
        note: lines.note.clone(),
    }
}

/// Returns the sums of additive columns over the lines of all pages.
fn sums(view: &View, found: &[&Line]) -> BTreeMap<&'static str, f64> {
    #[expect(
        clippy::cast_precision_loss,
        reason = "a sum of seven digits that matter"
    )]
    let number = |cell: &Cell| match cell {
        Cell::Int(value) => Some(*value as f64),
        Cell::Float(value) => Some(*value),
        Cell::Null | Cell::Bool(_) | Cell::Text(_) => None,
    };
    let summed = view
        .columns
        .iter()
        .enumerate()
        .filter(|(_, column)| column.summed);
    summed
        .filter_map(|(at, column)| {
            let values = found.iter().filter_map(|line| number(&line.cells[at]));
            values
                .reduce(|a, b| a + b)
                .map(|sum| (column.id, round(sum)))
        })
        .collect()
}

fn as_csv(view: &View, question: &TableQuery, lines: &Lines) -> Response {
    let mut text = String::new();
    csv::line(&mut text, view.columns.iter().map(|column| column.id));
    for line in question.select(lines) {
        let fields: Vec<String> = line
            .cells
            .iter()
            .zip(view.columns)
            .map(|(cell, column)| csv::field(cell, column.unit == Unit::TimeMs))
            .collect();
        csv::line(&mut text, fields.iter().map(String::as_str));
    }
    let mut response = text.into_response();
    let headers = response.headers_mut();
    let kind = HeaderValue::from_static("text/csv; charset=utf-8; header=present");
    headers.insert(header::CONTENT_TYPE, kind);
    let name = format!("attachment; filename=\"{}.csv\"", view.name);
    if let Ok(name) = HeaderValue::from_str(&name) {
        headers.insert(header::CONTENT_DISPOSITION, name);
    }
    response
}
