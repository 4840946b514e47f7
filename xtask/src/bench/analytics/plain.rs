//! The baseline: one row per view, stored one by one and asked in plain SQL.

use super::site::Generated;
use super::{CLOSE_WITHIN, Figures, Options};
use crate::bench::{figure, number};
use std::time::{Duration, Instant};
use testkit::Server;
use tokio::task::JoinSet;

const TABLE: &str = include_str!("plain.sql");
const QUESTIONS: &str = include_str!("plain_questions.sql");
/// Sessions that store views, as a server with a pool has.
const SESSIONS: usize = 16;

pub(super) async fn measure(
    site: &Generated,
    options: &Options,
    out: &mut Figures,
) -> anyhow::Result<()> {
    let session = site.session().await?;
    let client = &session.client;
    client.batch_execute(TABLE).await?;
    client.batch_execute("VACUUM ANALYZE plain.view").await?;
    let bytes = "SELECT pg_total_relation_size('plain.view') / count(*)::float8 FROM plain.view";
    let bytes = number(&site.server, bytes).await?;
    out.add(figure("baseline: bytes a view", bytes, "bytes", None));
    let (first, _, today) = site.days;
    for question in QUESTIONS.split("-- ").skip(1) {
        let (name, sql) = question.split_once('\n').unwrap_or((question, ""));
        let sql = sql
            .replace("$from", &format!("timestamptz '{first} 00:00Z'"))
            .replace("$to", &format!("timestamptz '{today} 00:00Z'"));
        let mut took = f64::INFINITY;
        // The second time everything is in a cache.
        for _ in 0..2 {
            let begun = Instant::now();
            client.simple_query(&sql).await?;
            took = took.min(begun.elapsed().as_secs_f64() * 1e3);
        }
        out.add(figure(format!("baseline: {name}"), took, "ms", None));
    }
    session.close(CLOSE_WITHIN).await;
    let rate = store_one_by_one(Duration::from_secs(options.seconds)).await?;
    let what =
        format!("baseline: views stored a second, one transaction each, {SESSIONS} sessions");
    out.add(figure(what, rate, "views/s", None));
    Ok(())
}

/// Returns how many views a second a server that syncs takes, each acknowledged when its transaction is.
async fn store_one_by_one(time: Duration) -> anyhow::Result<f64> {
    let server = Server::builder()
        .fsync()
        .setting("shared_buffers", "128MB")
        .setting("max_wal_size", "4GB")
        .start()?;
    // The table alone: there is nothing to fill it from.
    let table = TABLE.split("INSERT").next().unwrap_or(TABLE);
    let indexes = TABLE.find("CREATE INDEX").map_or("", |at| &TABLE[at..]);
    server.sql(table).await?;
    server.sql(indexes).await?;
    let begun = Instant::now();
    let mut sessions = JoinSet::new();
    for _ in 0..SESSIONS {
        let target = server.target();
        sessions.spawn(async move {
            let options = pg::SessionOptions::for_deadline(Duration::from_secs(60));
            let session = pg::connect(&target, &options, "bench").await?;
            let sql = "INSERT INTO plain.view VALUES (1, now(), gen_random_uuid(), gen_random_uuid(), '/page/1/', 'Page 1', 'source-1', 'Chrome', 'Linux', \
                       'desktop', '1440x900', 'de-DE', 'DE', NULL)";
            let insert = session.client.prepare(sql).await?;
            let mut stored = 0_u64;
            while begun.elapsed() < time {
                stored += session.client.execute(&insert, &[]).await?;
            }
            session.close(CLOSE_WITHIN).await;
            anyhow::Ok(stored)
        });
    }
    let mut stored = 0;
    while let Some(one) = sessions.join_next().await {
        stored += one??;
    }
    Ok(stored as f64 / begun.elapsed().as_secs_f64())
}
