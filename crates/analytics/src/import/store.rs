//! The transaction of a run.

use super::plausible::Sums;
use super::source::Source;
use super::{Import, ImportError, Outcome, Run};
use crate::delivery::{Statements, write_batch, zone_name};
use crate::visits::{Batch, StoredSite};
use jiff::civil::Date;
use pg::{PgError, Session};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;
use tokio_postgres::types::ToSql;

/// Deadline of a statement: adding up a day of millions of views takes a minute.
const DEADLINE: Duration = Duration::from_secs(1800);
/// Rows of sums stored with one statement.
const STEP: usize = 5_000;

/// What is known when a run begins.
pub(super) struct Known {
    pub(super) site: StoredSite,
    pub(super) digests: BTreeSet<Vec<u8>>,
    pub(super) days: BTreeMap<Date, Option<i64>>,
}

async fn execute(session: &Session, what: &str, sql: &str) -> Result<(), PgError> {
    session
        .run(what, DEADLINE, session.client.batch_execute(sql))
        .await
}

fn read<'a, T: tokio_postgres::types::FromSql<'a>>(
    row: &'a tokio_postgres::Row,
    at: usize,
) -> Result<T, PgError> {
    row.try_get(at).map_err(|source| PgError::Query {
        what: "read what was imported".to_owned(),
        source,
    })
}

/// Begins the transaction, registers the site, and reads what it has.
pub(super) async fn begin(
    session: &Session,
    maker: &Session,
    import: &Import<'_>,
) -> Result<Known, ImportError> {
    let site = import.site;
    execute(session, "begin", "BEGIN").await?;
    let number = if import.is_dry {
        let sql = "SELECT coalesce((SELECT site_id FROM collector.web_analytics_sites WHERE domain = $1), 0)";
        let params: [&(dyn ToSql + Sync); 1] = [&site.domain];
        let row = session.client.query_one(sql, &params);
        read(&session.run("look for the site", DEADLINE, row).await?, 0)?
    } else {
        let sql = "SELECT collector.web_analytics_register($1, $2, $3, $4, $5, $6)";
        let kept = import.retention;
        let zone = zone_name(&site.zone);
        let params: [&(dyn ToSql + Sync); 6] = [
            &site.domain,
            &zone,
            &site.hosts,
            &kept.raw_days,
            &kept.session_days,
            &kept.sum_days,
        ];
        // Not in the long transaction: the receiver registers the site when it starts.
        let row = maker.client.query_one(sql, &params);
        let id: i32 = read(&maker.run("register the site", DEADLINE, row).await?, 0)?;
        // Two imports into one site would not see each other's days.
        let sql = "SELECT pg_advisory_xact_lock(1886610288, $1)";
        session
            .run(
                "wait for another import",
                DEADLINE,
                session.client.query_one(sql, &[&id]),
            )
            .await?;
        id
    };
    let digests = session
        .run(
            "read what was imported",
            DEADLINE,
            session.client.query(
                "SELECT digest FROM collector.web_analytics_imports WHERE site_id = $1",
                &[&number],
            ),
        )
        .await?;
    let digests = digests
        .iter()
        .map(|row| read(row, 0))
        .collect::<Result<_, _>>()?;
    let days = session
        .run(
            "read what was counted",
            DEADLINE,
            session.client.query(include_str!("days.sql"), &[&number]),
        )
        .await?;
    let mut known = BTreeMap::new();
    for row in &days {
        let day: String = read(row, 0)?;
        if let Ok(day) = day.parse() {
            known.insert(day, read(row, 1)?);
        }
    }
    Ok(Known {
        site: StoredSite {
            id: number,
            zone: site.zone.clone(),
        },
        digests,
        days: known,
    })
}

/// Makes the partitions of a day.
pub(super) async fn make_partitions(session: &Session, day: Date) -> Result<(), PgError> {
    let day = day.to_string();
    let sql = "SELECT collector.web_analytics_partitions($1::text::date)";
    session
        .run(
            "make partitions",
            DEADLINE,
            session.client.query_one(sql, &[&day]),
        )
        .await?;
    Ok(())
}

/// Stores rows.
pub(super) async fn write(
    session: &Session,
    statements: &mut Statements,
    batch: &Batch,
) -> Result<(), PgError> {
    session
        .run(
            "store views",
            DEADLINE,
            write_batch(session, statements, batch),
        )
        .await
}

/// Stores sums of days.
pub(super) async fn write_sums(
    session: &Session,
    maker: &Session,
    site: &StoredSite,
    sums: &Sums,
    days: &[Date],
) -> Result<(), PgError> {
    let texts: Vec<String> = days.iter().map(Date::to_string).collect();
    let params: [&(dyn ToSql + Sync); 1] = [&texts];
    let sql = include_str!("sums_partitions.sql");
    let made = maker.client.query(sql, &params);
    maker.run("make partitions", DEADLINE, made).await?;
    execute(session, "prepare sums", include_str!("sums_begin.sql")).await?;
    let rows: Vec<_> = sums.0.iter().collect();
    for part in rows.chunks(STEP) {
        let text = |of: fn(&super::plausible::Word) -> String| {
            part.iter().map(|(word, _)| of(word)).collect::<Vec<_>>()
        };
        let number = |of: fn(&super::plausible::Figures) -> i64| {
            part.iter()
                .map(|(_, figures)| of(figures))
                .collect::<Vec<_>>()
        };
        let titles: Vec<Option<&str>> = part
            .iter()
            .map(|((.., title), _)| title.as_deref())
            .collect();
        let (days, dimensions, words) = (
            text(|word| word.0.to_string()),
            text(|word| word.1.to_owned()),
            text(|word| word.2.clone()),
        );
        let (visitors, visits, views) = (
            number(|f| f.visitors),
            number(|f| f.visits),
            number(|f| f.views),
        );
        let (bounces, entries, exits, secs) = (
            number(|f| f.bounces),
            number(|f| f.entries),
            number(|f| f.exits),
            number(|f| f.capped_secs),
        );
        let params: [&(dyn ToSql + Sync); 11] = [
            &days,
            &dimensions,
            &words,
            &titles,
            &visitors,
            &visits,
            &views,
            &bounces,
            &entries,
            &exits,
            &secs,
        ];
        session
            .run(
                "collect sums",
                DEADLINE,
                session
                    .client
                    .execute(include_str!("sums_add.sql"), &params),
            )
            .await?;
    }
    session
        .run(
            "store sums",
            DEADLINE,
            session
                .client
                .execute(include_str!("sums_store.sql"), &[&site.id]),
        )
        .await?;
    let sql = include_str!("sums_note.sql");
    session
        .run(
            "note days",
            DEADLINE,
            session.client.execute(sql, &[&site.id, &texts]),
        )
        .await?;
    Ok(())
}

/// Adds up the days that are over, notes what was imported, and commits; a dry run ends without a trace.
pub(super) async fn finish(
    run: &mut Run<'_>,
    done: &[&Source],
    outcome: &mut Outcome,
) -> Result<(), ImportError> {
    let session = run.session;
    outcome.days.extend(run.until.keys());
    if run.import.is_dry {
        execute(session, "end", "ROLLBACK").await?;
        return Ok(());
    }
    for (day, until) in &run.until {
        let day = day.to_string();
        let params: [&(dyn ToSql + Sync); 3] = [&run.site.id, &day, until];
        session
            .run(
                "note a day",
                DEADLINE,
                session
                    .client
                    .execute(include_str!("day_note.sql"), &params),
            )
            .await?;
        let sql = "SELECT collector.web_analytics_settle($1, $2::text::date)";
        session
            .run(
                "add up a day",
                DEADLINE,
                session.client.query_one(sql, &[&run.site.id, &day]),
            )
            .await?;
    }
    for source in done {
        let digest = source.digest.as_slice();
        let params: [&(dyn ToSql + Sync); 4] =
            [&run.site.id, &digest, &source.kind.as_str(), &source.name];
        let sql = "INSERT INTO collector.web_analytics_imports (site_id, digest, kind, name) VALUES ($1, $2, $3, $4)";
        session
            .run(
                "note a file",
                DEADLINE,
                session.client.execute(sql, &params),
            )
            .await?;
    }
    execute(session, "commit the import", "COMMIT").await?;
    for day in &run.made {
        // The room for updates is not needed. Somebody who reads the day just now keeps it, which costs space alone.
        let day = day.to_string();
        let params: [&(dyn ToSql + Sync); 1] = [&day];
        let sql = "SELECT collector.web_analytics_pack($1::text::date)";
        let packed = run.maker.client.query_one(sql, &params);
        if let Err(error) = run.maker.run("pack a day", DEADLINE, packed).await {
            tracing::debug!(error = %pg::causes(&error), day, "a day is not packed");
        }
    }
    Ok(())
}
