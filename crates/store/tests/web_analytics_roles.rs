//! What the roles may do with visits of web sites, as `pqcrypta migrate` grants it.
#![allow(clippy::unwrap_used, reason = "a test may fail")]

mod visit_support;

use store::traffic::QUESTIONS;
use testkit::Database;
use tokio_postgres::error::SqlState;
use visit_support::{View, Visit, register, store as keep};

/// Insufficient privilege.
const REFUSED: &str = "42501";

/// A migrated database with a site, a visit, and roles of its own: they belong to the whole server.
async fn prepared() -> (Database, String) {
    let database = testkit::migrated().await.unwrap();
    let site = register(&database, "example.org", "UTC").await;
    keep(
        &database,
        site,
        &[Visit::new(
            1,
            1,
            vec![View::new("2026-05-01 10:00:00Z", "/")],
        )],
    )
    .await;
    let name = database.name().to_owned();
    let create: String = ["writer", "reader", "ingest"]
        .iter()
        .map(|role| format!("CREATE ROLE {name}_{role}; SET pqcrypta.{role} = '{name}_{role}'; "))
        .collect();
    let grant = include_str!("../../../bins/pqcrypta/src/roles.sql");
    database.sql(&format!("{create} {grant}")).await.unwrap();
    (database, name)
}

async fn outcome(database: &Database, role: &str, sql: &str) -> Option<SqlState> {
    let session = database.connect().await.unwrap();
    let role = format!("SET ROLE {role}");
    session.client.batch_execute(&role).await.unwrap();
    let result = session.client.batch_execute(sql).await;
    session.close(std::time::Duration::from_secs(5)).await;
    result
        .err()
        .map(|error| error.code().unwrap_or_else(|| panic!("{error}")).clone())
}

/// Returns the functions with the rights of the schema's owner that a role may execute.
async fn lent(database: &Database, role: &str) -> Vec<String> {
    let sql = format!(
        "SELECT DISTINCT p.proname FROM pg_proc p WHERE p.pronamespace = 'collector'::regnamespace AND p.prosecdef AND p.prorettype <> 'trigger'::regtype \
         AND has_function_privilege('{role}', p.oid, 'EXECUTE') ORDER BY 1"
    );
    visit_support::lines(database, &sql).await
}

const RAW: [&str; 5] = [
    "sessions",
    "page_views",
    "events",
    "anonymous_views",
    "refused",
];
const INSERT: [(&str, &str); 4] = [
    (
        "page_views",
        "(ts, session_ts, session_id, visitor_id, view_id, page_id, site_id, engaged_ms, nth, status, scroll_pct, suspect, synthetic) VALUES (now(), now(), 1, 1, 1, 1, 1, 0, 1, 0, 0, false, false)",
    ),
    (
        "events",
        "(ts, session_ts, session_id, visitor_id, view_id, page_id, name_id, site_id, kind, suspect, synthetic) VALUES (now(), now(), 1, 1, 1, 1, 1, 1, 0, false, false)",
    ),
    (
        "anonymous_views",
        "(ts, view_id, page_id, site_id, engaged_ms, status, scroll_pct) VALUES (now(), 1, 1, 1, 0, 0, 0)",
    ),
    (
        "refused",
        "(ts, site_id, reason, count) VALUES (now(), 1, 'bot', 1)",
    ),
];

/// Who faces the Internet adds events and reads no table.
#[tokio::test]
async fn ingest_adds_and_reads_nothing() {
    let (database, name) = prepared().await;
    let role = format!("{name}_ingest");
    let visit = Visit::new(2, 2, vec![View::new("2026-05-01 11:00:00Z", "/a/")]);
    let may = [
        "SELECT collector.web_analytics_register('other.example', 'UTC', '{}')".to_owned(),
        "SELECT collector.web_analytics_partitions((now() AT TIME ZONE 'UTC')::date)".to_owned(),
        "SELECT collector.web_analytics_delivered('00000000-0000-0000-0000-000000000001')".to_owned(),
        "SELECT collector.web_analytics_advance('00000000-0000-0000-0000-000000000001', 0, 1)".to_owned(),
        visit.touch(1),
        "SELECT collector.web_analytics_touch_views('{1}', '{2026-05-01 10:00Z}', '{1000}', '{99000}', '{99}')".to_owned(),
        "SELECT collector.web_analytics_touch_anonymous('{1}', '{2026-05-01 10:00Z}', '{1000}', '{99000}', '{99}')".to_owned(),
        visit_support::word(1, "page", "/a/", "2026-05-01 10:00Z"),
        "SELECT * FROM collector.web_analytics_live(1, now())".to_owned(),
        "SELECT * FROM collector.web_analytics_live_views(1, now())".to_owned(),
        "SELECT collector.web_analytics_settle(site_id, day) FROM collector.web_analytics_due()".to_owned(),
        "SELECT collector.web_analytics_begin_open()".to_owned(),
        "SELECT collector.web_analytics_pack('2026-05-01')".to_owned(),
        "SELECT collector.web_analytics_synthetic(1)".to_owned(),
    ];
    for sql in &may {
        assert_eq!(outcome(&database, &role, sql).await, None, "{sql}");
    }
    let lent = lent(&database, &role).await;
    let called = |name: &String| may.iter().any(|sql| sql.contains(&format!("{name}(")));
    let unknown: Vec<&String> = lent.iter().filter(|name| !called(name)).collect();
    assert!(
        unknown.is_empty(),
        "{unknown:?} are lent and not tried here"
    );
    assert_eq!(lent.len(), 15, "{lent:?}");
    for (table, row) in INSERT {
        let insert = format!("INSERT INTO collector.web_analytics_{table}_raw {row}");
        assert_eq!(outcome(&database, &role, &insert).await, None, "{table}");
    }
    let tables = "SELECT c.relname, c.relkind = 'v' FROM pg_class c WHERE c.relnamespace = 'collector'::regnamespace AND c.relkind IN ('r', 'p', 'v')";
    let tables = database.sql(tables).await.unwrap();
    assert!(tables.len() > 60, "{}", tables.len());
    for row in tables {
        let (table, is_view) = (row[0].as_ref().unwrap(), row[1].as_deref() == Some("t"));
        let read = format!("SELECT 1 FROM collector.{table}");
        let delete = format!("DELETE FROM collector.{table}");
        for sql in std::iter::once(read).chain((!is_view).then_some(delete)) {
            let refused = outcome(&database, &role, &sql).await;
            assert_eq!(refused.as_ref().map(SqlState::code), Some(REFUSED), "{sql}");
        }
    }
    for sql in [
        "INSERT INTO collector.web_analytics_sessions_raw (ts) VALUES (now())",
        "INSERT INTO collector.web_analytics_days (bucket) VALUES (now())",
        "UPDATE collector.web_analytics_page_views_raw SET engaged_ms = 0",
        "TRUNCATE collector.web_analytics_page_views_raw",
        "SELECT collector.web_analytics_note('{1}', '{2026-05-01}')",
        "SELECT collector.web_analytics_begin(1, '2026-05-01 10:00Z')",
        "SELECT collector.web_analytics_unbegin('{1}', '{2026-05-01}', '{1}')",
        "SELECT collector.ensure_partition('heartbeat', '2026-05-01')",
        "SELECT collector.expire_rows('web_analytics_words', 'visit_sums', 0)",
    ] {
        let refused = outcome(&database, &role, sql).await;
        assert_eq!(refused.as_ref().map(SqlState::code), Some(REFUSED), "{sql}");
    }
}

/// Who answers questions reads views and sums, and no row of a visit that is not real.
#[tokio::test]
async fn the_reader_reads_views_and_sums() {
    let (database, name) = prepared().await;
    let role = format!("{name}_reader");
    for question in QUESTIONS {
        let (kind, value) = match question.extra {
            None => ("", ""),
            Some(store::traffic::Extra::Goals) => {
                (", jsonb", r#", '[{"name": "a", "page": "/"}]'"#)
            }
            Some(store::traffic::Extra::Steps) => {
                (", jsonb", r#", '[{"page": "/"}, {"event": "a"}]'"#)
            }
            Some(store::traffic::Extra::Grain) => (", text", ", 'day'"),
            Some(_) => (", text", ", 'utm_source'"),
        };
        for filters in [
            "NULL",
            r#"'[{"dimension": "page", "values": ["/"]}, {"dimension": "event", "values": ["a*"], "not": true}]'"#,
        ] {
            let sql = format!(
                "PREPARE q (int4, date, date, text, jsonb{kind}) AS {}; EXECUTE q (1, '2026-04-30', '2026-05-02', 'previous', {filters}{value})",
                question.sql
            );
            assert_eq!(
                outcome(&database, &role, &sql).await,
                None,
                "{}",
                question.name
            );
        }
    }
    for view in [
        "sessions",
        "page_views",
        "events",
        "sessions_real",
        "days",
        "hours",
        "sites",
        "words",
        "settled",
        "refused",
        "dimensions",
    ] {
        let sql = format!("SELECT * FROM collector.web_analytics_{view}");
        assert_eq!(outcome(&database, &role, &sql).await, None, "{view}");
    }
    for table in RAW {
        let sql = format!("SELECT 1 FROM collector.web_analytics_{table}_raw");
        let refused = outcome(&database, &role, &sql).await;
        assert_eq!(refused.as_ref().map(SqlState::code), Some(REFUSED), "{sql}");
    }
    assert_eq!(lent(&database, &role).await, Vec::<String>::new());
    for sql in [
        "SELECT collector.web_analytics_settle(1, '2026-05-01')",
        "SELECT collector.web_analytics_begin(1, '2026-05-01 10:00Z')",
        "SELECT collector.web_analytics_register('x', 'UTC', '{}')",
        "DELETE FROM collector.web_analytics_days",
        "SELECT 1 FROM collector.web_analytics_spools",
    ] {
        let refused = outcome(&database, &role, sql).await;
        assert_eq!(refused.as_ref().map(SqlState::code), Some(REFUSED), "{sql}");
    }
}

/// The collector's role runs health checks and removes what is expired.
#[tokio::test]
async fn the_writer_keeps_the_store_and_runs_health_checks() {
    let (database, name) = prepared().await;
    let role = format!("{name}_writer");
    for sql in [
        "SELECT collector.web_analytics_synthetic(1)",
        "SELECT collector.expire_partition('web_analytics_sessions_raw', 'visits', (extract(epoch FROM now()) * 1000000)::bigint)",
        "SELECT collector.expire_rows('web_analytics_words', 'visit_sums', (extract(epoch FROM now()) * 1000000)::bigint)",
    ] {
        assert_eq!(outcome(&database, &role, sql).await, None, "{sql}");
    }
    let raw = "SELECT 1 FROM collector.web_analytics_sessions_raw";
    let refused = outcome(&database, &role, raw).await;
    assert_eq!(refused.as_ref().map(SqlState::code), Some(REFUSED));
}
