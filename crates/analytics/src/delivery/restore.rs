//! What a connection begins with: sites, watermark, visits. And what it looks after: partitions and sums.

use super::{DEADLINE, DeliveryError, Retention, SETTLE_DEADLINE, now, zone_name};
use crate::settings::Site;
use crate::source::Channel;
use crate::visits::{KEPT_MICROS, RestoredView, SessionRow, StoredSite, Traits, Visits};
use jiff::civil::Date;
use pg::{Session, SessionOptions, Target};
use schema::Timestamp;
use std::collections::{BTreeMap, HashMap};
use std::time::Duration;
use store::series::Instant;
use tokio_postgres::Row;
use tokio_postgres::types::{FromSql, ToSql};
use uuid::Uuid;

/// Registers the sites; returns them by name.
pub(super) async fn register(
    session: &Session,
    sites: &[Site],
    retention: Retention,
) -> Result<BTreeMap<String, StoredSite>, DeliveryError> {
    let sql = "SELECT collector.web_analytics_register($1, $2, $3, $4, $5, $6)";
    let mut stored = BTreeMap::new();
    for site in sites {
        let (raw, visits, sums) = (
            retention.raw_days,
            retention.session_days,
            retention.sum_days,
        );
        let zone = zone_name(&site.zone);
        let params: [&(dyn ToSql + Sync); 6] =
            [&site.domain, &zone, &site.hosts, &raw, &visits, &sums];
        let row = session.client.query_one(sql, &params);
        let row = session.run("register a site", DEADLINE, row).await?;
        let id = read(&row, 0, "register a site")?;
        stored.insert(
            site.domain.clone(),
            StoredSite {
                id,
                zone: site.zone.clone(),
            },
        );
    }
    let made = session
        .client
        .query_one("SELECT collector.web_analytics_partitions(NULL)", &[]);
    session.run("make partitions", DEADLINE, made).await?;
    partitions(session).await?;
    Ok(stored)
}

/// Makes the partitions of the days around today.
pub(super) async fn partitions(session: &Session) -> Result<(), DeliveryError> {
    /// The queue may hold hits of a week's outage; two days ahead, midnight needs nothing.
    const DAYS: std::ops::RangeInclusive<i32> = -7..=2;
    let today = jiff::Timestamp::from_microsecond(now().0).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
    let today = jiff::tz::TimeZone::UTC.to_datetime(today).date();
    let days: Vec<String> = DAYS
        .filter_map(|days| today.checked_add(jiff::Span::new().days(days)).ok())
        .map(|day: Date| day.to_string())
        .collect();
    let sql = "SELECT collector.web_analytics_partitions(day::date) FROM unnest($1::text[]) day";
    session
        .run(
            "make partitions",
            DEADLINE,
            session.client.query(sql, &[&days]),
        )
        .await?;
    Ok(())
}

/// Returns the number of the last delivered record of a queue.
pub(super) async fn watermark(session: &Session, writer: Uuid) -> Result<u64, DeliveryError> {
    let sql = "SELECT collector.web_analytics_delivered($1::text::uuid)";
    let writer = writer.to_string();
    let row = session
        .run(
            "read the watermark",
            DEADLINE,
            session.client.query_one(sql, &[&writer]),
        )
        .await?;
    let seq: i64 = read(&row, 0, "read the watermark")?;
    Ok(u64::try_from(seq).unwrap_or(0))
}

/// Reads the visits that may go on, as of an instant.
pub(super) async fn visits(
    session: &Session,
    sites: &BTreeMap<String, StoredSite>,
    from: Option<i64>,
) -> Result<Visits, DeliveryError> {
    let from = from.unwrap_or(i64::MAX).min(now().0);
    let since = Instant(Timestamp(from - KEPT_MICROS));
    let mut visits = Visits::default();
    for site in sites.values() {
        let what = "read visits that are under way";
        let sql = "SELECT * FROM collector.web_analytics_live($1, $2)";
        let rows = session
            .run(
                what,
                DEADLINE,
                session.client.query(sql, &[&site.id, &since]),
            )
            .await?;
        let mut visitors = HashMap::new();
        for row in &rows {
            let row = visit(&mut visits, row).map_err(|source| failed(what, source))?;
            visitors.insert(row.session_id, row.visitor_id);
            visits.restore_visit(site.id, row);
        }
        let sql = "SELECT ts, view_id, page_id, session_id, engaged_ms, scroll_pct, is_anonymous \
                   FROM collector.web_analytics_live_views($1, $2)";
        let rows = session
            .run(
                what,
                DEADLINE,
                session.client.query(sql, &[&site.id, &since]),
            )
            .await?;
        for row in &rows {
            let (id, view) = view(row, &visitors).map_err(|source| failed(what, source))?;
            visits.restore_view(site.id, id, view);
        }
    }
    Ok(visits)
}

fn visit(visits: &mut Visits, row: &Row) -> Result<SessionRow, tokio_postgres::Error> {
    let mut text = |name: &str| -> Result<Option<std::sync::Arc<str>>, tokio_postgres::Error> {
        let text: Option<String> = row.try_get(name)?;
        Ok(text.map(|text| visits.shared(&text)))
    };
    let (browser, os) = (text("browser")?, text("os")?);
    let (language, country) = (text("language")?, text("country")?);
    let channel: String = row.try_get("channel")?;
    let device: Option<String> = row.try_get("device")?;
    let traits = Traits {
        channel: Channel::stored(&channel),
        browser,
        os,
        device: crate::agent::Device::stored(device.as_deref().unwrap_or_default()),
        language,
        country,
    };
    let exit: Option<i64> = row.try_get("exit")?;
    let entry: Option<i64> = row.try_get("entry")?;
    let utm: [Option<i64>; 5] = [
        row.try_get("utm_source")?,
        row.try_get("utm_medium")?,
        row.try_get("utm_campaign")?,
        row.try_get("utm_term")?,
        row.try_get("utm_content")?,
    ];
    Ok(SessionRow {
        ts: micros(row, "ts")?,
        session_id: row.try_get("session_id")?,
        last_seen: micros(row, "last_seen")?,
        visitor_id: row.try_get("visitor_id")?,
        entry: entry.unwrap_or_default(),
        exit: exit.unwrap_or_default(),
        source: row.try_get("source")?,
        referrer: row.try_get("referrer")?,
        utm: utm.iter().any(Option::is_some).then(|| Box::new(utm)),
        asn: row.try_get("asn")?,
        engaged_ms: row.try_get("engaged_ms")?,
        width: row.try_get("width")?,
        views: row.try_get("views")?,
        events: row.try_get("events")?,
        interactive: row.try_get("interactive")?,
        suspect: row.try_get("suspect")?,
        consented: row.try_get("consented")?,
        traits: visits.in_common(traits),
    })
}

fn view(
    row: &Row,
    visitors: &HashMap<i64, i64>,
) -> Result<(i64, RestoredView), tokio_postgres::Error> {
    let is_anonymous: bool = row.try_get("is_anonymous")?;
    let session_id: Option<i64> = row.try_get("session_id")?;
    let session_id = session_id.unwrap_or_default();
    let view = RestoredView {
        ts: micros(row, "ts")?,
        page: row.try_get("page_id")?,
        // The visit of a view may be too old to go on; then its visitor is of no use, but it is not anonymous.
        visitor: (!is_anonymous).then(|| visitors.get(&session_id).copied().unwrap_or_default()),
        session_id,
        engaged_ms: row.try_get("engaged_ms")?,
        scroll_pct: row.try_get("scroll_pct")?,
    };
    Ok((row.try_get("view_id")?, view))
}

fn micros(row: &Row, name: &str) -> Result<i64, tokio_postgres::Error> {
    row.try_get::<_, Instant>(name).map(|instant| instant.0.0)
}

/// Adds up the days that are over and the beginnings of open ones, in a session with more patience.
pub(super) async fn settle(target: &Target) -> Result<(), DeliveryError> {
    let options = SessionOptions::for_deadline(SETTLE_DEADLINE);
    let session = pg::connect(target, &options, "pqcrypta-analytics sums").await?;
    let what = "add up days that are over";
    let due = session.client.query(
        "SELECT site_id, day::text FROM collector.web_analytics_due()",
        &[],
    );
    for row in session.run(what, SETTLE_DEADLINE, due).await? {
        let site: i32 = read(&row, 0, what)?;
        let day: String = read(&row, 1, what)?;
        let sql = "SELECT collector.web_analytics_settle($1, $2::text::date)";
        let params: [&(dyn ToSql + Sync); 2] = [&site, &day];
        session
            .run(
                what,
                SETTLE_DEADLINE,
                session.client.query_one(sql, &params),
            )
            .await?;
    }
    let begun = session
        .client
        .query_one("SELECT collector.web_analytics_begin_open()", &[]);
    session
        .run("add up the open day", SETTLE_DEADLINE, begun)
        .await?;
    // The partitions of two days ago change no more, but for rows that come very late.
    let packed = session.client.query("SELECT collector.web_analytics_pack((now() AT TIME ZONE 'UTC')::date - days) FROM generate_series(2, 3) days", &[]);
    session
        .run("rewrite partitions that are full", SETTLE_DEADLINE, packed)
        .await?;
    session.close(Duration::from_secs(1)).await;
    Ok(())
}

fn read<'a, T: FromSql<'a>>(row: &'a Row, at: usize, what: &str) -> Result<T, DeliveryError> {
    row.try_get(at).map_err(|source| failed(what, source))
}

fn failed(what: &str, source: tokio_postgres::Error) -> DeliveryError {
    pg::PgError::Query {
        what: what.to_owned(),
        source,
    }
    .into()
}
