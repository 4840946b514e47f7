//! The table of statements against itself and against a real server of whatever version there is.

use std::collections::{BTreeMap, BTreeSet};

use schema::Sample;
use schema::tables::{CheckSample, DbSample, SessionSample, StatementText};
use testkit::Server;

use super::epoch::{CLUSTER, CRASH};
use super::family::{Asked, FAMILIES, Family, MARK, family, rendered};
use super::fill::Plan;

/// What the collector itself knows of a row.
const CONTEXT: &[&str] = &["instance", "database", "epoch"];
/// Columns of the server's row that no statement gives.
const MEASURED: &[&str] = &["up", "duration_ms", "error"];
/// Columns of a session's row that come from the tree.
const TREE: &[&str] = &["root_pid", "blocked_by", "depth", "victims"];
/// Columns of what statements cost that come from two looks.
const LOOKS: &[&str] = &["major", "interval_secs", "evicted", "entries", "extension"];
/// Columns that a release before 16 does not have at all.
const NEWER: &[&str] = &[
    "extends",
    "extend_bytes",
    "evictions",
    "reuses",
    "fsync_ms_total",
];

#[test]
fn names_are_unique_files_ascend_and_say_what_they_ask() {
    let mut names = BTreeSet::new();
    for family in FAMILIES {
        assert!(names.insert(family.name), "{} twice", family.name);
        assert!(
            family.files.is_sorted_by_key(|(oldest, _)| *oldest),
            "{}",
            family.name
        );
        for (_, sql) in family.files {
            assert!(
                sql.starts_with("-- ") && sql.contains('?'),
                "{}",
                family.name
            );
            assert!(sql.lines().all(|line| line.len() <= 120), "{}", family.name);
        }
        assert_eq!(stray_mark(family), None, "{}", family.name);
        assert!(
            family.sql(u32::MAX).is_some(),
            "a newer one takes the newest"
        );
        assert!(family.sql(0).is_none());
        for version in 15..20 {
            let grant = rendered(family.grant, version);
            assert_eq!(grant.lines().count(), 1, "{} of {version}", family.name);
        }
    }
    let inside = [
        "surroundings",
        "setting_sources",
        "epoch",
        "extensions",
        "catalogue",
        "sizes",
        "statement_store",
        "statements",
        "statement_texts",
        "statement_sightings",
        "foreign_texts",
    ];
    for name in inside {
        assert_eq!(
            family(name).map(|family| family.asked),
            Some(Asked::Inside),
            "{name}"
        );
    }
    let first = FAMILIES[..2].iter().map(|family| family.name);
    assert_eq!(
        first.collect::<Vec<_>>(),
        [CLUSTER, CRASH],
        "the others need them"
    );
}

/// A line with a mark that no version understands.
fn stray_mark(family: &Family) -> Option<&str> {
    let versions = || (15..20).chain(105..115);
    let lines = family.files.iter().flat_map(|(_, sql)| sql.lines());
    let mut marked = lines.filter(|line| line.contains(MARK));
    marked.find(|line| {
        let text = line.split(MARK).next().unwrap_or_default().trim_end();
        let taken = |version: u32| family.sql(version).is_some_and(|sql| sql.contains(text));
        !versions().any(taken)
    })
}

#[test]
fn a_mark_takes_a_line_from_versions_that_do_not_understand_it() {
    let marked = |sql: &'static str| Family {
        files: Box::leak(Box::new([(15, sql)])),
        ..*FAMILIES.first().unwrap()
    };
    let family = marked("a\nb -- @since 17\nc -- @before 17\nd -- @since 16 before 18");
    let cases = [
        (15, "a\nc\n"),
        (16, "a\nc\nd\n"),
        (17, "a\nb\nd\n"),
        (18, "a\nb\n"),
    ];
    for (version, expected) in cases {
        assert_eq!(family.sql(version).as_deref(), Some(expected), "{version}");
    }
    assert_eq!(stray_mark(&family), None);
    for wrong in ["b -- @since", "b -- @from 16", "b -- @since x"] {
        assert_eq!(stray_mark(&marked(wrong)), Some(wrong));
    }
}

/// Columns of the answer of a family on this server, by whether its table has them.
async fn columns(
    session: &pg::Session,
    family: &'static Family,
    extensions: &[(String, u32)],
) -> BTreeSet<String> {
    let version = match family.extension {
        None => session.major_version(),
        Some(wanted) => {
            extensions
                .iter()
                .find(|(name, _)| name == wanted)
                .unwrap()
                .1
        }
    };
    let sql = family
        .sql(version)
        .unwrap()
        .replace("{schema}", "public")
        .replace("{own}", "'0'::oid");
    let statement = session
        .client
        .prepare(&sql)
        .await
        .unwrap_or_else(|error| panic!("{}: {error:?}", family.name));
    Plan::new(family.table, statement.columns())
        .unwrap_or_else(|odd| panic!("{}: {odd}", family.name));
    statement
        .columns()
        .iter()
        .map(|column| column.name().to_owned())
        .collect()
}

#[tokio::test]
async fn every_statement_fills_its_table_on_this_version() {
    let server = Server::builder()
        .setting("shared_preload_libraries", "pg_stat_statements")
        .start()
        .unwrap();
    server
        .sql("CREATE EXTENSION pg_stat_statements")
        .await
        .unwrap();
    server.sql("CREATE EXTENSION pgstattuple").await.unwrap();
    let options = pg::SessionOptions::default();
    let session = pg::connect(&server.target(), &options, "test")
        .await
        .unwrap();
    let installed = server
        .sql("SELECT extname, extversion FROM pg_extension")
        .await
        .unwrap();
    let extensions: Vec<(String, u32)> = installed
        .into_iter()
        .filter_map(|row| {
            let mut cells = row.into_iter().flatten();
            let (name, version) = (cells.next()?, cells.next()?);
            let (major, minor) = version.split_once('.')?;
            Some((
                name,
                major.parse::<u32>().ok()? * 100 + minor.parse::<u32>().ok()?,
            ))
        })
        .collect();
    let mut filled: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
    for family in FAMILIES {
        let found = columns(&session, family, &extensions).await;
        if family.table.name == CheckSample::TABLE.name && family.asked != Asked::Inside {
            assert!(
                found.contains("object") && found.contains("value"),
                "{}",
                family.name
            );
            continue;
        }
        filled.entry(family.table.name).or_default().extend(found);
    }
    filled.remove(CheckSample::TABLE.name);
    for (name, found) in filled {
        let table = schema::table(name).unwrap();
        let mut missing: Vec<&str> = table
            .columns
            .iter()
            .map(|column| column.name)
            .filter(|column| !found.contains(*column) && !CONTEXT.contains(column))
            .collect();
        let known: &[&str] = match name {
            _ if name == DbSample::TABLE.name => MEASURED,
            _ if name == SessionSample::TABLE.name => TREE,
            _ if name == StatementText::TABLE.name || name.starts_with("statement_") => LOOKS,
            "io_metrics_raw" if session.major_version() < 16 => NEWER,
            _ => &[],
        };
        missing.retain(|column| !known.contains(column));
        assert!(missing.is_empty(), "{name}: nobody fills {missing:?}");
    }
}
