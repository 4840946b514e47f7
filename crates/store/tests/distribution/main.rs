//! The store can be distributed: where its tables lie, and what its statements are like.
//!
//! The statements are those of all `.sql` files and text literals of the programs, of newer migrations, and of the functions and
//! views of a migrated database. With `TESTKIT_CITUS_BIN` a store is distributed over three servers (`cluster`).
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod cluster;
mod rules;
mod tokens;

use std::fs;
use std::path::{Path, PathBuf};

use rules::{Local, breaches};
use store::distribution::{ANCHOR, Cluster, DistributeError, Placement, distribute, tables};

/// Files that may write `hosts`, and why.
const WRITE_HOSTS: &[(&str, &str)] = &[
    (
        "crates/store/src/writer/register_host.sql",
        "a machine's first connection",
    ),
    ("crates/store/src/writer/update_host.sql", "its news"),
    (
        "bins/pqcrypta/src/host/named.rs",
        "what an operator says of it",
    ),
    (
        "bins/pqcrypta/src/enroll_name.sql",
        "the name that it was let in under",
    ),
];
/// Breaches that are left, and why. An entry without its breach is a failure, too.
const LEFT: &[(&str, &str, &str)] = &[(
    "migrations/0047_open_days.sql",
    "a trigger is made",
    "of rows of sites, which the coordinator has",
)];
/// Migrations up to this one were written before the rules: of them only what they left is checked.
const OLD_MIGRATIONS: u32 = 42;
/// Folders that are no part of the programs, or speak with monitored servers instead of the store.
const OTHER: &[&str] = &[
    "tests",
    "benches",
    "examples",
    "testkit",
    "xtask",
    "ui",
    "fuzz",
    "target",
    "deploy",
    "fixtures",
    "node_modules",
    "collect",
    "health",
];

/// A session with a migrated database, which lives as long as the first value.
async fn migrated() -> (testkit::Database, pg::Session) {
    let database = testkit::migrated().await.unwrap();
    let session = testkit::connect(&database.target()).await.unwrap();
    (database, session)
}

async fn local(client: &tokio_postgres::Client) -> Local {
    let tables = tables(client).await.unwrap();
    let local = tables
        .into_iter()
        .filter(|table| table.placement == Placement::Coordinator);
    Local(local.map(|table| table.name).collect())
}

fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap();
        if path.is_dir() && !OTHER.contains(&name) && !name.starts_with('.') {
            files(&path, found);
        } else if matches!(
            path.extension().and_then(|one| one.to_str()),
            Some("sql" | "rs")
        ) && name != "tests.rs"
        {
            found.push(path);
        }
    }
}

/// Every statement of the programs with where it is.
fn statements() -> Vec<(String, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../..")
        .canonicalize()
        .unwrap();
    let mut paths = Vec::new();
    for folder in ["bins", "crates", "migrations"] {
        files(&root.join(folder), &mut paths);
    }
    paths.sort();
    let mut found = Vec::new();
    for path in paths {
        let place = path
            .strip_prefix(&root)
            .unwrap()
            .to_str()
            .unwrap()
            .to_owned();
        let text = fs::read_to_string(&path).unwrap();
        let number = place
            .strip_prefix("migrations/")
            .and_then(|name| name[..4].parse::<u32>().ok());
        if number.is_some_and(|number| number <= OLD_MIGRATIONS) {
            continue;
        }
        if place.ends_with(".sql") {
            found.push((place, text));
            continue;
        }
        for literal in tokens::literals(&text) {
            if literal.contains("collector.") && literal.contains(' ') {
                found.push((place.clone(), literal));
            }
        }
    }
    found
}

#[tokio::test]
async fn every_statement_works_on_distributed_tables() {
    let (_database, session) = migrated().await;
    let local = local(&session.client).await;
    let mut all = statements();
    assert!(all.len() > 200, "{} statements were found", all.len());
    let sql = "SELECT 'function ' || p.proname, p.prosrc FROM pg_proc p WHERE p.pronamespace = 'collector'::regnamespace
               UNION ALL
               SELECT 'view ' || c.relname, pg_get_viewdef(c.oid) FROM pg_class c
               WHERE c.relnamespace = 'collector'::regnamespace AND c.relkind IN ('v', 'm')";
    let rows = session.client.query(sql, &[]).await.unwrap();
    all.extend(rows.iter().map(|row| (row.get(0), row.get(1))));
    let mut found = Vec::new();
    let mut left: Vec<_> = LEFT.iter().collect();
    for (place, statement) in &all {
        for breach in breaches(statement, &local) {
            let may_write =
                breach == "hosts is written" && WRITE_HOSTS.iter().any(|(file, _)| file == place);
            let is_left = LEFT
                .iter()
                .any(|(file, known, _)| file == place && *known == breach);
            left.retain(|(file, known, _)| !(file == place && *known == breach));
            if !may_write && !is_left {
                found.push(format!("{place}: {breach}"));
            }
        }
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
    assert!(left.is_empty(), "no longer so: {left:?}");
}

#[test]
fn the_rules_find_what_breaks_them() {
    let local = Local(
        ["sealed_days", "schema_migrations"]
            .map(str::to_owned)
            .into(),
    );
    let cases: &[(&str, &[&str])] = &[
        // Questions about many hosts.
        ("SELECT h.hostname, (SELECT max(ts) FROM collector.heartbeat b WHERE b.host_id = h.host_id) FROM collector.hosts h",
         &["a question about many hosts starts at hosts"]),
        ("SELECT h.hostname, s.n FROM collector.hosts h LEFT JOIN LATERAL (SELECT 1 AS n FROM collector.heartbeat WHERE host_id = h.host_id) s ON true",
         &["hosts is on the outer side of a join", "hosts is not joined last: a table after it depends on it",
           "a question about many hosts starts at hosts"]),
        ("SELECT FROM collector.hosts h CROSS JOIN LATERAL (SELECT FROM collector.heartbeat b WHERE b.host_id = h.host_id) x",
         &["hosts is not joined last: a table after it depends on it", "a question about many hosts starts at hosts"]),
        ("SELECT count(f.rule) FROM collector.hosts LEFT JOIN collector.findings f ON f.host_id = hosts.host_id",
         &["hosts is on the outer side of a join"]),
        ("SELECT FROM collector.findings f RIGHT JOIN collector.hosts h ON f.host_id = h.host_id", &["hosts is on the outer side of a join"]),
        ("SELECT FROM (collector.findings f FULL JOIN collector.hosts AS h USING (host_id))", &["hosts is on the outer side of a join"]),
        ("SELECT 1 FROM collector.hosts h WHERE EXISTS (SELECT FROM collector.findings WHERE host_id = h.host_id)",
         &["a question about many hosts starts at hosts"]),
        ("SELECT 1 UNION ALL SELECT 2 FROM collector.hosts h WHERE h.host_id IN (SELECT 1 FROM collector.findings f WHERE f.host_id = h.host_id)",
         &["a question about many hosts starts at hosts"]),
        ("SELECT h.hostname, w.newest FROM (SELECT host_id, max(last_ts) AS newest FROM collector.spool_watermark GROUP BY host_id) w
          LEFT JOIN LATERAL (SELECT 1 FROM collector.heartbeat b WHERE b.host_id = w.host_id) b ON true JOIN collector.hosts h ON h.host_id = w.host_id", &[]),
        ("SELECT FROM collector.hosts h JOIN collector.rollups r ON r.host_id = h.host_id WHERE NOT EXISTS
          (SELECT FROM collector.changed_hours c WHERE c.host_id = r.host_id)", &[]),
        ("SELECT host_id FROM collector.hosts WHERE machine_id = $1", &[]),
        ("SELECT min(first_seen), (SELECT max(day) FROM collector.sealed_days d WHERE d.day < h.x) FROM collector.hosts h", &[]),
        // Subqueries of one host's rows.
        ("SELECT FROM pg_class c WHERE NOT EXISTS (SELECT FROM collector.changed_hours n WHERE n.bucket >= c.x)",
         &["a subquery depends on c without comparing host_id"]),
        ("SELECT FROM collector.findings f WHERE EXISTS (SELECT FROM collector.finding_marks m WHERE m.rule = f.rule)",
         &["a subquery depends on f without comparing host_id"]),
        ("SELECT FROM collector.findings f WHERE EXISTS (SELECT FROM collector.finding_marks m WHERE m.rule = f.rule AND m.host_id = f.host_id)", &[]),
        ("SELECT FROM collector.findings f WHERE EXISTS (SELECT FROM collector.finding_marks f WHERE f.rule = 'x')", &[]),
        ("SELECT FROM collector.findings f WHERE f.rule NOT IN (SELECT rule FROM collector.finding_marks)", &[]),
        ("UPDATE collector.findings f SET x = (SELECT max(m.until) FROM collector.finding_marks m WHERE m.rule = f.rule)",
         &["a subquery depends on f without comparing host_id"]),
        ("SELECT FROM collector.findings f WHERE EXISTS (SELECT FROM collector.sealed_days d WHERE d.day = f.day)", &[]),
        // Writing.
        ("UPDATE collector.hosts SET hostname = $1", &["hosts is written"]),
        ("WITH x AS (DELETE FROM collector.hosts RETURNING 1) SELECT FROM x", &["hosts is written"]),
        ("DELETE FROM collector.heartbeat WHERE ctid = ANY (ARRAY(SELECT ctid FROM collector.heartbeat WHERE host_id = 1))",
         &["rows of heartbeat are found by ctid without host_id"]),
        ("DELETE FROM collector.heartbeat WHERE host_id = 1 AND ctid = ANY (ARRAY(SELECT ctid FROM collector.heartbeat WHERE host_id = 1))", &[]),
        ("DELETE FROM collector.sealed_days WHERE ctid = $1", &[]),
        ("INSERT INTO collector.heartbeat DEFAULT VALUES", &["an insertion into heartbeat does not name host_id"]),
        ("INSERT INTO collector.heartbeat (ts) VALUES (now())", &["an insertion into heartbeat does not name host_id"]),
        ("INSERT INTO collector.heartbeat AS b (ts, host_id) VALUES (now(), $1)", &[]),
        ("INSERT INTO collector.heartbeat VALUES (now(), $1)", &[]),
        ("INSERT INTO collector.{} ({columns}) VALUES ({values})", &[]),
        ("INSERT INTO collector.schema_migrations (version) VALUES ($1) ON CONFLICT (version) DO UPDATE SET applied_at = now()", &[]),
        ("INSERT INTO collector.rollups (host_id) VALUES (1) ON CONFLICT (host_id) DO UPDATE SET rolled_at = now(), n = r.n + 1",
         &["DO UPDATE calls now()"]),
        ("INSERT INTO collector.rollups (host_id) VALUES (1) ON CONFLICT (host_id) DO UPDATE SET (a, b) = (excluded.a, coalesce(r.b, clock_timestamp()))",
         &["DO UPDATE calls clock_timestamp()"]),
        ("INSERT INTO collector.rollups (host_id) VALUES (1) ON CONFLICT (host_id) DO UPDATE SET a = (SELECT 1)", &["DO UPDATE has a subquery"]),
        ("INSERT INTO collector.rollups (host_id) VALUES (1) ON CONFLICT (host_id) DO UPDATE SET a = current_timestamp",
         &["DO UPDATE has current_timestamp"]),
        ("INSERT INTO collector.rollups AS r (host_id) VALUES (now()) ON CONFLICT (host_id) DO UPDATE
          SET a = greatest(r.a, excluded.a), b = CASE WHEN ($1 AND r.b IN (1, 2)) THEN excluded.b END RETURNING now()", &[]),
        ("CREATE TRIGGER x AFTER INSERT ON collector.heartbeat EXECUTE FUNCTION y()", &["a trigger is made"]),
        ("CREATE OR REPLACE TRIGGER x AFTER INSERT ON collector.heartbeat EXECUTE FUNCTION y()", &["a trigger is made"]),
        // Where statements hide.
        ("CREATE FUNCTION f() RETURNS void LANGUAGE plpgsql AS $$ BEGIN EXECUTE format('UPDATE collector.hosts SET x = %L', 'it''s'); END $$",
         &["hosts is written"]),
        ("-- UPDATE collector.hosts\nSELECT 'INSERT INTO x' /* DELETE FROM collector.hosts */", &[]),
    ];
    for (sql, expected) in cases {
        assert_eq!(breaches(sql, &local), *expected, "{sql}");
    }
}

#[tokio::test]
async fn every_table_has_a_place_and_the_keys_that_it_needs() {
    let (_database, session) = migrated().await;
    let tables = tables(&session.client).await.unwrap();
    assert_eq!(tables[0].placement, Placement::Everywhere);
    assert_eq!(tables[1].name, ANCHOR);
    let everywhere = tables
        .iter()
        .filter(|table| table.placement == Placement::Everywhere);
    assert_eq!(everywhere.count(), 1, "hosts alone is everywhere");
    let kept: Vec<&str> = tables
        .iter()
        .filter(|table| table.placement == Placement::Coordinator)
        .map(|table| table.name.as_str())
        .collect();
    // A table that is added here is one that belongs to no host, or that is found by something else; any other needs host_id in its keys.
    let (of_sites, others): (Vec<&str>, Vec<&str>) = kept
        .iter()
        .partition(|name| name.starts_with("web_analytics_"));
    assert!(!of_sites.is_empty());
    assert_eq!(
        others,
        [
            "retention_cuts",
            "schema_migrations",
            "sealed_days",
            "sealed_tables",
            "store_sizes",
            "store_tasks",
            "stray_days"
        ]
    );
    for table in tables
        .iter()
        .filter(|table| table.placement == Placement::ByHost)
    {
        let name = &table.name;
        assert!(
            table.narrow.is_empty(),
            "{name}: identities that are not bigint: {:?}",
            table.narrow
        );
        assert_eq!(table.triggers, 0, "{name} has triggers");
        for parent in &table.parents {
            let parent = tables.iter().find(|one| one.name == *parent).unwrap();
            assert!(
                parent.placement < Placement::Coordinator,
                "{name} refers to {}",
                parent.name
            );
        }
    }
    for table in tables
        .iter()
        .filter(|table| table.placement == Placement::Coordinator)
    {
        assert!(
            !table.parents.iter().any(|parent| parent == "hosts"),
            "{} refers to hosts",
            table.name
        );
    }
}

#[tokio::test]
async fn one_postgresql_is_refused_and_left_alone() {
    let (database, session) = migrated().await;
    let cluster = Cluster::read(&session.client).await.unwrap();
    assert_eq!(
        (cluster.extension.as_ref(), cluster.schema.as_ref()),
        (None, None)
    );
    assert_eq!(cluster.role, cluster.owner);
    let tables = "SELECT string_agg(relname, ' ' ORDER BY relname) FROM pg_class WHERE relnamespace = 'collector'::regnamespace";
    let before = database.sql(tables).await.unwrap();
    match distribute(&session.client, None, None).await {
        Err(DistributeError::Refused(refusal)) => {
            assert!(refusal.problem.contains("no extension citus"), "{refusal}");
            assert!(
                refusal.to_string().contains("nothing was changed"),
                "{refusal}"
            );
        }
        other => panic!("{other:?}"),
    }
    assert_eq!(database.sql(tables).await.unwrap(), before);
}
