//! Changes of a host: marks on charts and the table.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use common::{START, serve, sql_time};
use serde_json::json;

#[tokio::test]
async fn changes_are_marks_and_rows() {
    let database = common::empty().await;
    database
        .sql(&"INSERT INTO collector.hosts (machine_id, hostname) VALUES ('m', 'web1');
             INSERT INTO collector.spool_watermark (host_id, writer, seq, progress) VALUES (1, gen_random_uuid(), 1, '{}');
             SELECT collector.ensure_partition('change_markers', (%START% AT TIME ZONE 'UTC')::date - 1);
             SELECT collector.ensure_partition('change_markers', (%START% AT TIME ZONE 'UTC')::date);
             -- In the middle of minutes, so that what belongs together is within one.
             CREATE TABLE at AS SELECT date_trunc('minute', %START% - interval '20 minutes') + interval '10 seconds' AS ts;
             INSERT INTO collector.change_markers (ts, host_id, kind, subject, action, before, after, source)
             SELECT ts + secs * interval '1 second', host, kind, subject, action, before, after, source FROM at, (VALUES
                 (0, 1, 'package', 'nginx', 'upgraded', '1.26.1', '1.26.2', 'packages'),
                 (60, 1, 'package', 'a', 'upgraded', '1', '2', 'packages'),
                 (61, 1, 'package', 'b', 'upgraded', '1', '2', 'packages'),
                 (62, 1, 'package', 'c', 'upgraded', '1', '2', 'packages'),
                 (63, 1, 'package', 'd', 'upgraded', '1', '2', 'packages'),
                 (120, 1, 'setting', 'work_mem', 'changed', NULL, NULL, 'postgresql'),
                 -- Seen by the collector later: the same change.
                 (300, 1, 'setting', 'work_mem', 'changed', '4096', '8192', 'store'),
                 (180, 1, 'unit', 'nginx.service', 'failed', NULL, NULL, 'units'),
                 (200, 2, 'unit', 'other.service', 'failed', NULL, NULL, 'units')
             ) c (secs, host, kind, subject, action, before, after, source);
             -- A timer starts it each minute.
             INSERT INTO collector.change_markers (ts, host_id, kind, subject, action, source)
             SELECT ts - i * interval '1 minute', 1, 'unit', 'check.service', 'started', 'units' FROM at, generate_series(1, 30) i"
            .replace("%START%", &sql_time(START)))
        .await
        .unwrap();
    let server = serve(&database);
    let range = format!("from={}&to={START}", START - 3_600_000);
    let answer = server.ask(&format!("series?m=system.load_1&{range}")).await;
    let marks = answer["marks"].as_array().unwrap().iter();
    let marks: Vec<String> = marks
        .map(|mark| {
            format!(
                "{} {}",
                mark["severity"].as_str().unwrap(),
                mark["text"].as_str().unwrap()
            )
        })
        .collect();
    assert_eq!(
        marks,
        [
            "info nginx upgraded to 1.26.2",
            "info 4 packages upgraded: a, b, c …",
            "info work_mem changed from 4096 to 8192",
            "warn nginx.service failed",
        ]
    );
    let table = server.ask(&format!("table/changes?{range}")).await;
    assert_eq!(table["total"], 38);
    let kinds = &table["facets"]["kind"];
    assert_eq!(
        (&kinds["package"], &kinds["setting"]),
        (&json!(5), &json!(2))
    );
}
