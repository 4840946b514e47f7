//! Watching a real server: what each tick gives, as each role.

mod common;

use common::{Ticks, builder, cell, instance, int, text};
use schema::Cell;
use schema::tables::{BlindSpot, CollectorRun, DatabaseSample, DbSample};

#[tokio::test]
async fn a_tick_tells_about_the_server_and_each_database() {
    let server = builder().start().unwrap();
    let mut ticks = Ticks::new(instance(&server));
    let rows = ticks.fast().await;
    let row = rows.one::<DbSample>();
    assert_eq!(*cell(row, "up"), Cell::Bool(true), "{rows:#?}");
    assert_eq!(*cell(row, "error"), Cell::Null, "{rows:#?}");
    assert!(int(row, "version_num") >= 150_000);
    assert_eq!(int(row, "conn_total"), 0);
    let database = rows.with::<DatabaseSample>("database", "postgres");
    assert!(int(database, "xact_commit") > 0);
    assert_eq!(*cell(database, "blk_read_ms_total"), Cell::Null);
    let off = rows.with::<BlindSpot>("family", "track_io_timing");
    assert_eq!(text(off, "state"), "off");
    let run = rows.one::<CollectorRun>();
    assert_eq!(text(run, "collector"), "postgres");
    assert_eq!(text(run, "outcome"), "ok");
    ticks.watcher.close().await;
}
