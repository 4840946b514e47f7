//! A site with visits, questions about it, and the plain queries that answer the same.

use crate::visit_support::{self, Visit, random, register, store as keep};
use store::traffic::{Extra, LIVE, QUESTIONS, Question};
use testkit::{Database, Dice};

pub(crate) const ZONE: &str = "Europe/Berlin";
/// Days of the site that have visits, whole ones; the last has the change of clocks to winter.
pub(crate) const FIRST: &str = "2026-10-23";
pub(crate) const LAST: &str = "2026-10-25";
pub(crate) const NO_FILTER: &str = "NULL";

/// A site with three days of visits that are not added up, and the three days before with fewer.
pub(crate) async fn site() -> (Database, i64) {
    let database = testkit::migrated().await.unwrap();
    let site = register(&database, "example.org", ZONE).await;
    let mut dice = Dice::new(11);
    let mut visits = random(&mut dice, "2026-10-22Z", 96, 250);
    let before = random(&mut dice, "2026-10-19Z", 70, 60);
    visits.extend(before.into_iter().map(|visit| Visit {
        id: visit.id + 1000,
        ..visit
    }));
    keep(&database, site, &visits).await;
    // A visitor and a visit live one day of the site.
    database
        .sql(&format!(
            "UPDATE collector.web_analytics_page_views_raw SET ts = least(ts, collector.web_analytics_midnight({site}, collector.web_analytics_day({site}, session_ts) + 1) - interval '1 second'); \
             UPDATE collector.web_analytics_sessions_raw SET last_seen = least(last_seen, collector.web_analytics_midnight({site}, collector.web_analytics_day({site}, ts) + 1) - interval '1 second'); \
             UPDATE collector.web_analytics_sessions_raw SET visitor_id = visitor_id + 1000 * extract(day FROM ts AT TIME ZONE '{ZONE}')::int; \
             UPDATE collector.web_analytics_page_views_raw v SET visitor_id = s.visitor_id FROM collector.web_analytics_sessions_raw s WHERE s.session_id = v.session_id"
        ))
        .await
        .unwrap();
    database
        .sql(
            "INSERT INTO collector.web_analytics_events_raw (ts, session_ts, session_id, visitor_id, view_id, page_id, name_id, site_id, kind, suspect, synthetic, props) \
             SELECT ts + interval '1 second', ts, session_id, visitor_id, 0, entry, collector.word_id('event', 'signup'), site_id, 0, suspect, synthetic, \
                    jsonb_build_object('plan', CASE WHEN session_id % 3 = 0 THEN 'pro' ELSE 'free' END) \
             FROM collector.web_analytics_sessions_raw WHERE session_id % 5 = 0; \
             INSERT INTO collector.web_analytics_anonymous_views_raw (ts, view_id, page_id, site_id, engaged_ms, status, scroll_pct) \
             SELECT timestamptz '2026-10-24 08:00Z' + n * interval '1 hour', n, collector.word_id('page', '/'), 1, 0, 200, 0 FROM generate_series(1, 7) n",
        )
        .await
        .unwrap();
    let word = visit_support::word(site, "event", "signup", "2026-10-24 08:00Z");
    database.sql(&word).await.unwrap();
    (database, site)
}

pub(crate) async fn settle(database: &Database) {
    let settle =
        "SELECT collector.web_analytics_settle(site_id, day) FROM collector.web_analytics_due()";
    database.sql(settle).await.unwrap();
}

/// Returns the statement of who is there, without the instants.
pub(crate) fn live(site: &str) -> String {
    let sql = LIVE.sql.replace("$1", site);
    format!("SELECT kind, word, title, count FROM ({sql}) live")
}

pub(crate) fn question(name: &str) -> Question {
    let mut all = QUESTIONS.iter().chain([&LIVE]);
    *all.find(|question| question.name == name).unwrap()
}

/// Returns an example of the sixth parameter, and its type.
pub(crate) fn example(extra: Extra) -> (&'static str, &'static str) {
    match extra {
        Extra::Grain => ("text", "'day'"),
        Extra::Campaign => ("text", "'utm_source'"),
        Extra::Event => ("text", "'signup'"),
        Extra::Page => ("text", "'/a/'"),
        Extra::Goals => (
            "jsonb",
            r#"'[{"name": "signs up", "event": "signup"}, {"name": "reads b", "page": "/b*"}]'"#,
        ),
        Extra::Steps => (
            "jsonb",
            r#"'[{"page": "/"}, {"page": "/a/"}, {"event": "signup"}]'"#,
        ),
    }
}

/// Asks a question about days of the site, with a value for the sixth parameter, and returns the given columns.
pub(crate) async fn ask_with(
    database: &Database,
    name: &str,
    columns: &str,
    (compare, filters): (&str, &str),
    sixth: Option<&str>,
) -> Vec<String> {
    let question = question(name);
    let (kind, value) = question
        .extra
        .map_or((String::new(), String::new()), |extra| {
            let (kind, example) = example(extra);
            (
                format!(", {kind}"),
                format!(", {}", sixth.unwrap_or(example)),
            )
        });
    let session = database.connect().await.unwrap();
    let prepare = format!(
        "PREPARE question (int4, date, date, text, jsonb{kind}) AS {}",
        question.sql
    );
    session.client.batch_execute(&prepare).await.unwrap();
    // The columns by their names, whatever their order.
    let sql = format!(
        "CREATE TEMP TABLE answer AS EXECUTE question (1, '{FIRST}', '{LAST}', '{compare}', {filters}{value}); SELECT {columns} FROM answer"
    );
    let found = testkit::texts(&session.client, &sql).await.unwrap();
    session.close(std::time::Duration::from_secs(5)).await;
    found
}

pub(crate) async fn ask(
    database: &Database,
    name: &str,
    columns: &str,
    filters: &str,
) -> Vec<String> {
    ask_with(database, name, columns, ("none", filters), None).await
}

/// The visits of the days, as rows `s` of a plain query.
pub(crate) fn plain(columns: &str, condition: &str, rest: &str) -> String {
    format!(
        "SELECT {columns} FROM collector.web_analytics_sessions_raw s \
         LEFT JOIN collector.web_analytics_words f ON f.site_id = s.site_id AND f.word_id = s.source \
         WHERE s.site_id = 1 AND NOT s.synthetic AND NOT s.suspect AND (s.ts AT TIME ZONE '{ZONE}')::date BETWEEN '{FIRST}' AND '{LAST}' \
         AND {condition} {rest}"
    )
}

/// The same of views `v`.
pub(crate) fn plain_views(columns: &str, rest: &str) -> String {
    format!(
        "SELECT {columns} FROM collector.web_analytics_page_views_raw v JOIN collector.web_analytics_words w ON w.site_id = v.site_id AND w.word_id = v.page_id \
         WHERE v.site_id = 1 AND NOT v.synthetic AND NOT v.suspect AND (v.ts AT TIME ZONE '{ZONE}')::date BETWEEN '{FIRST}' AND '{LAST}' {rest}"
    )
}
