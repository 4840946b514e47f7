//! The reader against a real server, and its SQL as reviewers read it.

mod brute;
mod history;
mod sealed;
mod seed;
mod shares;
mod statements;

use std::time::Duration;

use schema::{Metric, Timestamp};
use testkit::Database;

use super::*;

const SECOND: i64 = 1_000_000;
/// Sun, 20 Sep 2026 22:00 UTC: the seeded hours cross a day, and so a partition.
const START: Timestamp = Timestamp(1_789_941_600 * SECOND);
const INTERVAL: i64 = 10 * SECOND;

fn at(secs: f64) -> Timestamp {
    #[expect(clippy::cast_possible_truncation, reason = "seconds of a test")]
    let micros = (secs * 1e6).round() as i64;
    Timestamp(START.as_micros() + micros)
}

fn metric(id: &str) -> &'static Metric {
    schema::metric(id).unwrap_or_else(|| panic!("{id}"))
}

async fn database() -> Database {
    testkit::migrated().await.unwrap()
}

/// Opens a session like the dashboard's, with more patience: how long an answer takes on a busy machine is not what is tested.
async fn session(database: &Database) -> pg::Session {
    let patience = Duration::from_secs(120);
    let options = pg::SessionOptions {
        statement_timeout: patience,
        transaction_timeout: patience,
        ..pg::SessionOptions::reader()
    };
    pg::connect(&database.target(), &options, "test")
        .await
        .unwrap()
}
