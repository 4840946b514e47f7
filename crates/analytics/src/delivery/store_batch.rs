//! The transaction that stores a batch.

use super::tuples::Tuples;
use crate::visits::{AnonymousRow, Batch, EventRow, SessionRow, TouchedView, ViewRow};
use bytes::Bytes;
use futures_util::SinkExt as _;
use pg::Session;
use schema::Timestamp;
use std::collections::{BTreeMap, HashMap};
use store::series::Instant;
use tokio_postgres::types::ToSql;
use tokio_postgres::{Client, Error, Statement};
use uuid::Uuid;

/// Statements of one connection.
#[derive(Debug, Default)]
pub(crate) struct Statements(HashMap<&'static str, Statement>);

impl Statements {
    async fn get(&mut self, client: &Client, sql: &'static str) -> Result<Statement, Error> {
        if let Some(statement) = self.0.get(sql) {
            return Ok(statement.clone());
        }
        let statement = client.prepare(sql).await?;
        self.0.insert(sql, statement.clone());
        Ok(statement)
    }
}

/// How far the queue is delivered before and after the transaction.
#[derive(Clone, Copy, Debug)]
pub(super) struct Progress {
    pub(super) writer: Uuid,
    pub(super) was: u64,
    pub(super) is: u64,
}

const ADVANCE: &str = "SELECT collector.web_analytics_advance($1::text::uuid, $2, $3)";
const VIEWS: &str = "COPY collector.web_analytics_page_views_raw (ts, session_ts, session_id, visitor_id, view_id, page_id, \
     site_id, engaged_ms, nth, status, scroll_pct, suspect, synthetic) FROM STDIN (FORMAT binary)";
const EVENTS: &str = "COPY collector.web_analytics_events_raw (ts, session_ts, session_id, visitor_id, view_id, page_id, \
     name_id, site_id, kind, suspect, synthetic, props) FROM STDIN (FORMAT binary)";
const ANONYMOUS: &str = "COPY collector.web_analytics_anonymous_views_raw (ts, view_id, page_id, source, site_id, engaged_ms, \
     status, scroll_pct, device, country) FROM STDIN (FORMAT binary)";
const REFUSED: &str = "COPY collector.web_analytics_refused_raw (ts, site_id, reason, detail, count) FROM STDIN (FORMAT binary)";
const TOUCH_SESSIONS: &str = "SELECT collector.web_analytics_touch_sessions($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, \
     $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24, $25, $26, $27, $28, $29)";
const TOUCH_VIEWS: &str = "SELECT collector.web_analytics_touch_views($1, $2, $3, $4, $5)";
const TOUCH_ANONYMOUS: &str = "SELECT collector.web_analytics_touch_anonymous($1, $2, $3, $4, $5)";
const SYNTHETIC: &str = "SELECT collector.web_analytics_synthetic($1)::text";
const TOUCH_WORDS: &str = "SELECT collector.web_analytics_touch_words($1, $2, $3, $4, $5)";

/// Stores a batch; returns whether the watermark was what it should be. Without `keep` everything is rolled back.
///
/// # Errors
/// When the server refuses; the transaction is still open then.
pub(super) async fn store(
    session: &Session,
    statements: &mut Statements,
    batch: &Batch,
    progress: &Progress,
    keep: bool,
) -> Result<bool, Error> {
    let client = &session.client;
    client.batch_execute("BEGIN").await?;
    if progress.is > progress.was {
        let statement = statements.get(client, ADVANCE).await?;
        let number = |lsn: u64| i64::try_from(lsn).unwrap_or(i64::MAX);
        let (writer, was, is) = (
            progress.writer.to_string(),
            number(progress.was),
            number(progress.is),
        );
        let row = client.query_one(&statement, &[&writer, &was, &is]).await?;
        if !row.try_get::<_, bool>(0)? {
            client.batch_execute("ROLLBACK").await?;
            return Ok(false);
        }
    }
    write(session, statements, batch).await?;
    client
        .batch_execute(if keep { "COMMIT" } else { "ROLLBACK" })
        .await?;
    Ok(true)
}

/// Stores the rows of a batch in the transaction that is open.
///
/// # Errors
/// When the server refuses.
pub(crate) async fn write(
    session: &Session,
    statements: &mut Statements,
    batch: &Batch,
) -> Result<(), Error> {
    let client = &session.client;
    for (sql, is_empty, tuples) in [
        (VIEWS, batch.views.is_empty(), views(&batch.views)),
        (EVENTS, batch.events.is_empty(), events(&batch.events)),
        (
            ANONYMOUS,
            batch.anonymous.is_empty(),
            anonymous(&batch.anonymous),
        ),
        (REFUSED, batch.refused.is_empty(), refused(batch)),
    ] {
        if !is_empty {
            copy(session, statements, sql, tuples).await?;
        }
    }
    touch_sessions(client, statements, batch).await?;
    touch_views(client, statements, TOUCH_VIEWS, &batch.views_touched).await?;
    touch_views(
        client,
        statements,
        TOUCH_ANONYMOUS,
        &batch.anonymous_touched,
    )
    .await?;
    touch_words(client, statements, batch).await?;
    for site in &batch.synthetic {
        let statement = statements.get(client, SYNTHETIC).await?;
        client.query_one(&statement, &[site]).await?;
    }
    Ok(())
}

/// Copies rows.
async fn copy(
    session: &Session,
    statements: &mut Statements,
    sql: &'static str,
    tuples: Tuples,
) -> Result<(), Error> {
    let client = &session.client;
    let statement = statements.get(client, sql).await?;
    let begun = client.copy_in::<_, Bytes>(&statement).await;
    if begun.is_err() {
        // The driver's answers lag one query after that: the connection is not to be used again.
        session.doom();
    }
    let mut sink = std::pin::pin!(begun?);
    for piece in tuples.finish() {
        sink.feed(piece).await?;
    }
    sink.finish().await?;
    Ok(())
}

fn views(rows: &[ViewRow]) -> Tuples {
    let mut tuples = Tuples::new();
    for row in rows {
        tuples
            .row(13)
            .time(row.ts)
            .time(row.session_ts)
            .int8(row.session_id)
            .int8(row.visitor_id)
            .int8(row.view_id)
            .int8(row.page_id)
            .int4(row.site)
            .int4(row.engaged_ms)
            .int2(row.nth)
            .int2(row.status)
            .int2(row.scroll_pct)
            .bool(row.suspect)
            .bool(false);
    }
    tuples
}

fn events(rows: &[EventRow]) -> Tuples {
    let mut tuples = Tuples::new();
    for row in rows {
        tuples
            .row(12)
            .time(row.ts)
            .time(row.session_ts)
            .int8(row.session_id)
            .int8(row.visitor_id)
            .int8(row.view_id)
            .int8(row.page_id)
            .int8(row.name_id)
            .int4(row.site)
            .int2(row.kind)
            .bool(row.suspect)
            .bool(false)
            .maybe(row.props.as_deref(), Tuples::json);
    }
    tuples
}

fn anonymous(rows: &[AnonymousRow]) -> Tuples {
    let mut tuples = Tuples::new();
    for row in rows {
        tuples
            .row(10)
            .time(row.ts)
            .int8(row.view_id)
            .int8(row.page_id)
            .maybe(row.source, Tuples::int8)
            .int4(row.site)
            .int4(row.engaged_ms)
            .int2(row.status)
            .int2(row.scroll_pct)
            .text(row.device)
            .maybe(row.country.as_deref(), Tuples::text);
    }
    tuples
}

fn refused(batch: &Batch) -> Tuples {
    let mut tuples = Tuples::new();
    for ((site, minute, refusal), count) in &batch.refused {
        tuples
            .row(5)
            .time(*minute)
            .int4(*site)
            .text(refusal.reason.as_str())
            .text(refusal.detail)
            .int8(*count);
    }
    tuples
}

/// Brings visits up to date: one array for each column.
async fn touch_sessions(
    client: &Client,
    statements: &mut Statements,
    batch: &Batch,
) -> Result<(), Error> {
    /// Returns a column.
    fn column<T>(rows: &[(i32, SessionRow)], of: impl Fn(&SessionRow) -> T) -> Vec<T> {
        rows.iter().map(|(_, row)| of(row)).collect()
    }
    let rows = &batch.sessions;
    if rows.is_empty() {
        return Ok(());
    }
    let sites: Vec<i32> = rows.iter().map(|(site, _)| *site).collect();
    let time = |of: fn(&SessionRow) -> i64| column(rows, |row| Instant(Timestamp(of(row))));
    let number = |of: fn(&SessionRow) -> Option<i64>| column(rows, of);
    let flag = |of: fn(&SessionRow) -> bool| column(rows, of);
    let text = |of: fn(&SessionRow) -> Option<&str>| -> Vec<Option<&str>> {
        rows.iter().map(|(_, row)| of(row)).collect()
    };
    let values: Vec<Box<dyn ToSql + Sync + Send + '_>> = vec![
        Box::new(sites),
        Box::new(time(|row| row.ts)),
        Box::new(column(rows, |row| row.session_id)),
        Box::new(time(|row| row.last_seen)),
        Box::new(column(rows, |row| row.visitor_id)),
        Box::new(column(rows, |row| row.entry)),
        Box::new(column(rows, |row| row.exit)),
        Box::new(number(|row| row.source)),
        Box::new(number(|row| row.referrer)),
        Box::new(number(|row| row.utm.as_ref()?[0])),
        Box::new(number(|row| row.utm.as_ref()?[1])),
        Box::new(number(|row| row.utm.as_ref()?[2])),
        Box::new(number(|row| row.utm.as_ref()?[3])),
        Box::new(number(|row| row.utm.as_ref()?[4])),
        Box::new(column(rows, |row| row.asn)),
        Box::new(column(rows, |row| row.engaged_ms)),
        Box::new(column(rows, |row| row.width)),
        Box::new(column(rows, |row| row.views)),
        Box::new(column(rows, |row| row.events)),
        Box::new(flag(|row| row.interactive)),
        Box::new(flag(|row| row.suspect)),
        Box::new(flag(|row| row.consented)),
        Box::new(flag(|_| false)),
        Box::new(text(|row| Some(row.traits.channel))),
        Box::new(text(|row| row.traits.browser.as_deref())),
        Box::new(text(|row| row.traits.os.as_deref())),
        Box::new(text(|row| Some(row.traits.device))),
        Box::new(text(|row| row.traits.language.as_deref())),
        Box::new(text(|row| row.traits.country.as_deref())),
    ];
    let params: Vec<&(dyn ToSql + Sync)> = values
        .iter()
        .map(|value| value.as_ref() as &(dyn ToSql + Sync))
        .collect();
    let statement = statements.get(client, TOUCH_SESSIONS).await?;
    client.query_one(&statement, &params).await?;
    Ok(())
}

async fn touch_views(
    client: &Client,
    statements: &mut Statements,
    sql: &'static str,
    rows: &[TouchedView],
) -> Result<(), Error> {
    if rows.is_empty() {
        return Ok(());
    }
    let sites: Vec<i32> = rows.iter().map(|row| row.site).collect();
    let ts: Vec<Instant> = rows.iter().map(|row| Instant(Timestamp(row.ts))).collect();
    let ids: Vec<i64> = rows.iter().map(|row| row.view_id).collect();
    let engaged: Vec<i32> = rows.iter().map(|row| row.engaged_ms).collect();
    let scrolled: Vec<i16> = rows.iter().map(|row| row.scroll_pct).collect();
    let statement = statements.get(client, sql).await?;
    client
        .query_one(&statement, &[&sites, &ts, &ids, &engaged, &scrolled])
        .await?;
    Ok(())
}

async fn touch_words(
    client: &Client,
    statements: &mut Statements,
    batch: &Batch,
) -> Result<(), Error> {
    // A page whose title changed within the batch is there twice: the newest counts.
    let newest: BTreeMap<_, _> = batch
        .words
        .iter()
        .map(|row| ((row.site, row.kind, row.word.as_str()), row))
        .collect();
    if newest.is_empty() {
        return Ok(());
    }
    let sites: Vec<i32> = newest.values().map(|row| row.site).collect();
    let kinds: Vec<&str> = newest.values().map(|row| row.kind.as_str()).collect();
    let words: Vec<&str> = newest.values().map(|row| row.word.as_str()).collect();
    let titles: Vec<Option<&str>> = newest.values().map(|row| row.title.as_deref()).collect();
    let ts: Vec<Instant> = newest
        .values()
        .map(|row| Instant(Timestamp(row.ts)))
        .collect();
    let statement = statements.get(client, TOUCH_WORDS).await?;
    client
        .query_one(&statement, &[&sites, &kinds, &words, &titles, &ts])
        .await?;
    Ok(())
}
