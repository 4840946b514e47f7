//! `GET logs`: lines of logs, filtered, searched, in pages that continue after a line, or as CSV.
//!
//! A page holds the newest lines first. The next one continues before its last line (`before`) or after its
//! first one (`after`), or lies around a line (`around`); a page after which there is nothing newer is the
//! first one. A search may end a page early: `older` then continues where it stopped, and `searched_ms`
//! reports how far it came.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::{IntoResponse, Response};
use schema::Timestamp;

use super::Params;
use crate::answers::Answer;
use crate::app::App;
use crate::csv;
use crate::database::Failure;
use crate::error::ApiError;
use crate::hosts::Host;
use crate::lines::{
    Counts, Filter, Key, LinePage, LineQuery, LogLine, counts, family, find, kept_from,
};
use crate::range::{Range, range};
use crate::wire::Cell;
use crate::wire::logs::{LogRow, LogsAnswer};

/// Longest search.
const LONGEST_SEARCH: usize = 256;
/// Lines of a page.
const PAGE: i64 = 50;
/// Most lines of a page.
const MOST: i64 = 500;
/// Lines of a CSV, and how many are read at a time.
const EXPORTED: usize = 50_000;
const EXPORTED_AT_ONCE: usize = 5_000;

/// Returns a line as it is sent.
fn row(line: LogLine) -> LogRow {
    LogRow {
        id: line.key.text(),
        ts_ms: Timestamp(line.key.ts).as_millis(),
        source: line.source().to_owned(),
        level: line.level,
        component: line.component,
        message: line.message,
        message_chars: line.message_chars,
        context: line.context,
        fingerprint: line.fingerprint,
    }
}

/// Where the page begins.
#[derive(Clone, Debug)]
enum PageStart {
    First,
    Before(Key),
    /// Before the instant that a search reached.
    Until(Timestamp),
    After(Key),
    Around(Key),
}

struct LogsQuery {
    range: Range,
    filter: Filter,
    /// The requested pattern, before the patterns merged into it are known.
    pattern: Option<String>,
    start: PageStart,
    limit: usize,
    /// Whether to count the lines of the range.
    counts: bool,
}

/// Answers `GET logs`.
///
/// # Errors
/// When a parameter does not parse or the lines cannot be read.
pub async fn logs(app: &App, params: &Params, headers: &HeaderMap) -> Result<Response, ApiError> {
    let now = app.now();
    let question = LogsQuery::parse(params, now)?;
    let is_csv = match params.get("format") {
        None | Some("json") => false,
        Some("csv") => true,
        Some(_) => return Err(ApiError::bad("format", "is json or csv")),
    };
    let host = app.host(params.get("host")).await?;
    let host = host.as_ref();
    if is_csv {
        return export(app, host, question).await;
    }
    let mut name = format!("logs {}", params.question(&["host"]));
    // Lines arrive independently of samples; equal requests of one second share an answer.
    let _infallible = write!(
        name,
        " {:?} {}",
        host.map(|host| host.id),
        now.as_millis() / 1000
    );
    let answer = app.answers.get(name, async || {
        let answer = match host {
            Some(host) => read(app, host, question).await?,
            None => Page::default().answer(None, None),
        };
        Answer::new(&answer)
    });
    Ok(answer.await?.respond(headers, now))
}

impl LogsQuery {
    fn parse(params: &Params, now: Timestamp) -> Result<Self, ApiError> {
        // Leading and trailing spaces are significant, unless there is nothing else.
        let text = params.get("q").filter(|text| !text.trim().is_empty());
        let text = text.unwrap_or_default();
        if text.chars().count() > LONGEST_SEARCH {
            return Err(ApiError::bad("q", "is longer than 256 characters"));
        }
        let chosen = |name: &str| {
            let values = params.iter().filter(|(known, _)| *known == name);
            let values: Vec<String> = values.map(|(_, value)| value.to_owned()).collect();
            (!values.is_empty()).then_some(values)
        };
        let limit = params.number("limit", PAGE, 1, MOST)?;
        Ok(Self {
            range: range(params.get("from"), params.get("to"), now)?,
            filter: Filter {
                levels: chosen("f.level"),
                sources: chosen("f.source"),
                fingerprints: None,
                text: text.to_owned(),
            },
            pattern: params.get("pattern").map(str::to_owned),
            start: PageStart::parse(params)?,
            limit: usize::try_from(limit).unwrap_or(1),
            counts: params.number("counts", 1, 0, 1)? == 1,
        })
    }
}

impl LogsQuery {
    /// Looks up the patterns that were merged into the requested one.
    async fn resolve(&mut self, app: &App, host: &Host) -> Result<(), Failure> {
        if let Some(pattern) = &self.pattern {
            let read = app.database.read("log_patterns", |session| async move {
                family(&session.client, host.id, pattern).await
            });
            self.filter.fingerprints = Some(read.await?);
        }
        Ok(())
    }
}

impl PageStart {
    fn parse(params: &Params) -> Result<Self, ApiError> {
        let mut start = Self::First;
        for name in ["before", "after", "around"] {
            let Some(text) = params.get(name) else {
                continue;
            };
            if !matches!(start, Self::First) {
                return Err(ApiError::bad(
                    name,
                    "only one of before, after and around is accepted",
                ));
            }
            let key = Key::parse(text);
            start = match (name, key, text.parse::<i64>()) {
                ("before", Some(key), _) => Self::Before(key),
                ("before", None, Ok(micros)) => Self::Until(Timestamp(micros)),
                ("after", Some(key), _) => Self::After(key),
                ("around", Some(key), _) => Self::Around(key),
                _ => return Err(ApiError::bad(name, "not the id of a line")),
            };
        }
        Ok(start)
    }
}

/// Lines, the newest first, and where the next pages begin.
#[derive(Default)]
struct Page {
    lines: Vec<LogLine>,
    older: Option<String>,
    has_newer: bool,
    searched: Option<Timestamp>,
}

impl Page {
    fn answer(self, kept_from: Option<Timestamp>, counts: Option<Counts>) -> LogsAnswer {
        let first = self.lines.first().map(|line| line.key.text());
        let (matched, facets) = counts.map_or((None, BTreeMap::new()), |counts| {
            (Some(counts.matched), counts.facets)
        });
        LogsAnswer {
            now_ms: 0,
            older: self.older,
            newer: first.filter(|_| self.has_newer),
            searched_ms: self.searched.map(Timestamp::as_millis),
            kept_from_ms: kept_from.map(Timestamp::as_millis),
            matched,
            facets,
            rows: self.lines.into_iter().map(row).collect(),
        }
    }

    /// Appends the lines found at the older end; one line more than is shown means that there is
    /// another page.
    fn end(mut self, mut found: LinePage, limit: usize) -> Self {
        let more = found.lines.len() > limit;
        found.lines.truncate(limit);
        self.lines.extend(found.lines);
        self.searched = found.searched;
        self.older = match self.searched {
            Some(edge) => Some(edge.as_micros().to_string()),
            None => self
                .lines
                .last()
                .filter(|_| more)
                .map(|line| line.key.text()),
        };
        self
    }
}

async fn read(app: &App, host: &Host, mut question: LogsQuery) -> Result<LogsAnswer, ApiError> {
    question.resolve(app, host).await?;
    let question = &question;
    let page = page(app, host, question);
    if !question.counts {
        return Ok(page.await?.answer(None, None));
    }
    let is_searched = question.pattern.is_some() || !question.filter.text.is_empty();
    let counted = app.database.read("log_counts", |session| async move {
        let LogsQuery { range, filter, .. } = question;
        let client = &session.client;
        let kept = kept_from(client, host.id, *range).await?;
        if is_searched {
            return Ok((kept, None));
        }
        let counts = counts(client, host.id, *range, filter, kept).await?;
        Ok((kept, Some(counts)))
    });
    let (page, counted) = tokio::join!(page, counted);
    let (kept, counts) = counted?;
    Ok(page?.answer(kept, counts))
}

async fn search(app: &App, query: &LineQuery<'_>) -> Result<LinePage, Failure> {
    let read = app.database.read("log_entries", |session| async move {
        find(&session.client, query).await
    });
    read.await
}

async fn page(app: &App, host: &Host, question: &LogsQuery) -> Result<Page, Failure> {
    let limit = question.limit;
    let query = &LineQuery {
        host_id: host.id,
        from: question.range.from,
        to: question.range.to,
        filter: &question.filter,
        before: None,
        after: None,
        is_rising: false,
        limit: limit + 1,
    };
    let (query, has_newer) = match &question.start {
        PageStart::First => (query.clone(), false),
        PageStart::Before(key) => {
            let before = Some(key);
            (
                LineQuery {
                    before,
                    ..query.clone()
                },
                true,
            )
        }
        PageStart::Until(edge) => {
            let to = (*edge).min(query.to);
            (
                LineQuery {
                    to,
                    ..query.clone()
                },
                true,
            )
        }
        PageStart::After(key) => match page_after(app, query, key, limit).await? {
            Some(page) => return Ok(page),
            None => (query.clone(), false),
        },
        PageStart::Around(key) => return page_around(app, query, key, limit).await,
    };
    let page = Page {
        has_newer,
        ..Page::default()
    };
    Ok(page.end(search(app, &query).await?, limit))
}

/// Returns the page of the oldest lines after `key`; `None` when there are fewer than a page, so that
/// the first page has them.
async fn page_after(
    app: &App,
    query: &LineQuery<'_>,
    key: &Key,
    limit: usize,
) -> Result<Option<Page>, Failure> {
    let (after, is_rising) = (Some(key), true);
    let query = LineQuery {
        after,
        is_rising,
        ..query.clone()
    };
    let mut found = search(app, &query).await?;
    let is_full = found.lines.len() > limit;
    if !is_full && (found.searched.is_none() || found.lines.is_empty()) {
        return Ok(None);
    }
    found.lines.truncate(limit);
    found.lines.reverse();
    Ok(Some(Page {
        older: found.lines.last().map(|line| line.key.text()),
        lines: found.lines,
        has_newer: true,
        searched: None,
    }))
}

/// Returns the page with the line `key` in its middle.
async fn page_around(
    app: &App,
    query: &LineQuery<'_>,
    key: &Key,
    limit: usize,
) -> Result<Page, Failure> {
    let half = limit / 2;
    let (after, is_rising) = (Some(key), true);
    let newer = LineQuery {
        after,
        is_rising,
        limit: half + 1,
        ..query.clone()
    };
    let mut newer = search(app, &newer).await?.lines;
    let has_newer = newer.len() > half;
    newer.truncate(half);
    newer.reverse();
    let rest = limit - newer.len();
    let through = key.after();
    let before = Some(&through);
    let older = LineQuery {
        before,
        limit: rest + 1,
        ..query.clone()
    };
    let found = search(app, &older).await?;
    let page = Page {
        lines: newer,
        has_newer,
        ..Page::default()
    };
    Ok(page.end(found, rest))
}

/// Returns up to [`EXPORTED`] lines as CSV, with raw values.
async fn export(
    app: &App,
    host: Option<&Host>,
    mut question: LogsQuery,
) -> Result<Response, ApiError> {
    let mut text = String::new();
    csv::line(
        &mut text,
        [
            "ts",
            "source",
            "level",
            "component",
            "message",
            "context",
            "pattern",
        ],
    );
    question.limit = EXPORTED_AT_ONCE;
    question.start = PageStart::First;
    if let Some(host) = host {
        question.resolve(app, host).await?;
    }
    let mut written = 0;
    while let Some(host) = host.filter(|_| written < EXPORTED) {
        let page = page(app, host, &question).await?;
        written += page.lines.len();
        for line in &page.lines {
            let of = |text: &str| csv::field(&Cell::Text(text.to_owned()), false);
            let fields = [
                csv::field(&Cell::Int(Timestamp(line.key.ts).as_millis()), true),
                of(line.source()),
                of(&line.level),
                of(&line.component),
                of(&line.message),
                of(line.context.as_deref().unwrap_or_default()),
                of(&line.fingerprint),
            ];
            csv::line(&mut text, fields.iter().map(String::as_str));
        }
        question.start = match page
            .older
            .as_deref()
            .map(|older| (Key::parse(older), older.parse()))
        {
            Some((Some(key), _)) => PageStart::Before(key),
            Some((None, Ok(micros))) => PageStart::Until(Timestamp(micros)),
            _ => break,
        };
    }
    let mut response = text.into_response();
    let headers = response.headers_mut();
    let kind = HeaderValue::from_static("text/csv; charset=utf-8; header=present");
    headers.insert(header::CONTENT_TYPE, kind);
    let name = HeaderValue::from_static("attachment; filename=\"logs.csv\"");
    headers.insert(header::CONTENT_DISPOSITION, name);
    Ok(response)
}
