//! Each rule of what counts is watched: without it the figures of a known day are others.
#![allow(clippy::unwrap_used, reason = "a test may fail")]

mod visit_support;

use testkit::Database;
use visit_support::{View, Visit, lines, register, store};

/// Replaces a part of the definition of a view or function; the part has to be there. Releases before 18 name the table of each
/// column of a view, which is taken away.
fn instead(kind: &str, name: &str, part: &str, other: &str) -> String {
    let (define, create) = match kind {
        "view" => (
            format!(
                "regexp_replace(pg_get_viewdef('collector.{name}'::regclass), 'web_analytics_\\w+_raw\\.', '', 'g')"
            ),
            format!("'CREATE OR REPLACE VIEW collector.{name} AS ' || "),
        ),
        _ => (
            format!("pg_get_functiondef('collector.{name}'::regproc)"),
            String::new(),
        ),
    };
    format!(
        "DO $do$ DECLARE was text := {define}; BEGIN ASSERT strpos(was, $m${part}$m$) > 0, was; EXECUTE {create}replace(was, $m${part}$m$, $m${other}$m$); END $do$"
    )
}

/// The figures of 2 March in Berlin, after a change of the schema.
async fn figures(change: Option<String>) -> String {
    let database: Database = testkit::migrated().await.unwrap();
    if let Some(change) = change {
        database.sql(&change).await.unwrap();
    }
    let site = register(&database, "example.org", "Europe/Berlin").await;
    let visit = |id, at: &str, last: &str| {
        let mut visit = Visit::new(id, id, vec![View::new(at, "/"), View::new(at, "/a/")]);
        visit.last_seen = last.to_owned();
        visit
    };
    let mut check = visit(2, "2026-03-02 09:00:00Z", "2026-03-02 09:00:10Z");
    check.synthetic = true;
    let mut program = visit(3, "2026-03-02 09:00:00Z", "2026-03-02 09:00:20Z");
    program.suspect = true;
    let visits = [
        // Of six hours, of a health check, of a program.
        visit(1, "2026-03-02 08:00:00Z", "2026-03-02 14:00:00Z"),
        check,
        program,
        // After midnight in Berlin, and after the next one.
        visit(4, "2026-03-01 23:30:00Z", "2026-03-01 23:31:00Z"),
        visit(5, "2026-03-02 23:30:00Z", "2026-03-02 23:31:00Z"),
    ];
    store(&database, site, &visits).await;
    let events = "INSERT INTO collector.web_analytics_events_raw (ts, session_ts, session_id, visitor_id, view_id, page_id, name_id, site_id, kind, suspect, synthetic) \
                  SELECT ts, ts, session_id, visitor_id, 0, entry, 1, site_id, 0, suspect, synthetic FROM collector.web_analytics_sessions_raw";
    database.sql(events).await.unwrap();
    database
        .sql(&format!(
            "SELECT collector.web_analytics_settle({site}, '2026-03-02')"
        ))
        .await
        .unwrap();
    let sums = |dimension: i64, columns: &str| {
        format!(
            "SELECT {columns} FROM collector.web_analytics_span({site}, '2026-03-02', '2026-03-02', 'none') d, \
             collector.web_analytics_sums({site}, d.since, d.until, '{{{dimension}}}') s"
        )
    };
    // A health check of now is no visit of today.
    let arrives = format!("SELECT collector.web_analytics_synthetic({site})");
    database.sql(&arrives).await.unwrap();
    let today = "SELECT count(*) FROM collector.web_analytics_sessions_real WHERE last_seen > now() - interval '1 hour'";
    let visits = sums(0, "s.visitors, s.visits, s.views, s.capped_secs");
    let mut found = lines(&database, &visits).await;
    for (dimension, views) in [(1, "sum(s.views)"), (21, "sum(s.views)")] {
        found.extend(lines(&database, &sums(dimension, views)).await);
    }
    found.extend(lines(&database, today).await);
    found.join(", ")
}

#[tokio::test]
async fn what_counts_depends_on_each_rule() {
    let right = "2 2 4 14460, 4, 2, 0";
    assert_eq!(figures(None).await, right);
    let real = |rows: &str, condition: &str| {
        instead(
            "view",
            &format!("web_analytics_{rows}_real"),
            condition,
            "true",
        )
    };
    let of = |function: &str, part: &str, other: &str| {
        let name = format!("web_analytics_{function}");
        instead("function", &name, part, other)
    };
    for (rule, change) in [
        (
            "cap",
            instead(
                "view",
                "web_analytics_sessions_real",
                "capped_secs,",
                "duration_secs AS capped_secs,",
            ),
        ),
        ("visits of health checks", real("sessions", "NOT synthetic")),
        (
            "views of health checks",
            real("page_views", "NOT synthetic"),
        ),
        ("events of health checks", real("events", "NOT synthetic")),
        ("visits of programs", real("sessions", "NOT suspect")),
        ("views of programs", real("page_views", "NOT suspect")),
        ("events of programs", real("events", "NOT suspect")),
        (
            "the mark of a health check",
            of(
                "synthetic",
                "false, true, 'direct'",
                "false, false, 'direct'",
            ),
        ),
        (
            "midnight",
            of("midnight", "AT TIME ZONE s.time_zone", "AT TIME ZONE 'UTC'"),
        ),
    ] {
        assert_ne!(figures(Some(change)).await, right, "{rule}");
    }
}
