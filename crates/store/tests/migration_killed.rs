//! P24: migrations killed at any statement, and run twice at once, end with the same schema.

#![allow(clippy::unwrap_used, reason = "a test")]

mod common;

use testkit::migrate;

/// Everything a migration makes, as one text.
const SCHEMA: &str = "
    select md5(string_agg(line, E'\\n' order by line)) from (
        select format('column %s.%s %s %s %s', c.relname, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull, a.attnum) as line
        from pg_attribute a join pg_class c on c.oid = a.attrelid
        where c.relnamespace = 'collector'::regnamespace and a.attnum > 0 and not a.attisdropped
        union all
        select 'index ' || indexdef from pg_indexes where schemaname = 'collector'
        union all
        select 'function ' || pg_get_functiondef(oid) from pg_proc where pronamespace = 'collector'::regnamespace and prokind <> 'a'
        union all
        select format('aggregate %s %s %s', a.aggfnoid::regprocedure, a.aggtransfn, a.agginitval) from pg_aggregate a
        join pg_proc p on p.oid = a.aggfnoid where p.pronamespace = 'collector'::regnamespace
        union all
        select 'constraint ' || conrelid::regclass || ' ' || pg_get_constraintdef(oid) from pg_constraint
        where connamespace = 'collector'::regnamespace
        union all
        select 'migration ' || version || name || sha256 from collector.schema_migrations) lines";

async fn empty() -> testkit::Database {
    testkit::database("empty", async |_| Ok::<(), String>(()))
        .await
        .unwrap()
}

async fn schema(database: &testkit::Database) -> String {
    database.sql(SCHEMA).await.unwrap()[0][0].clone().unwrap()
}

/// The kills are at each statement in the nightly tier, else at every eighth, in the everyday tiers at every 24th, as each
/// needs a database: 0.4 s.
#[expect(
    clippy::disallowed_methods,
    reason = "how long tests take is not a setting of the collector"
)]
fn every() -> usize {
    match std::env::var("FAULTS").as_deref() {
        Ok("few") => 24,
        Ok("nightly" | "release") => 1,
        _ => 8,
    }
}

#[tokio::test]
async fn p24_killed_at_any_statement_a_second_run_ends_with_the_same_schema() {
    let reference = empty().await;
    migrate(&reference.target()).await.unwrap();
    let wanted = schema(&reference).await;
    let mut killed = 0;
    for statement in (1..).step_by(every()) {
        let database = empty().await;
        // The server ends the session at the given statement of those that define something. Comments do not: there is one for
        // each column.
        database
            .sql(&format!(
                "create sequence public.defined; \
                 create function public.die() returns event_trigger language plpgsql as $$ begin \
                     if tg_tag <> 'COMMENT' and nextval('public.defined') = {statement} then perform pg_terminate_backend(pg_backend_pid()); end if; \
                 end $$; \
                 create event trigger die on ddl_command_end execute function public.die()"
            ))
            .await
            .unwrap();
        let first = migrate(&database.target()).await;
        database
            .sql("drop event trigger die; drop function public.die(); drop sequence public.defined")
            .await
            .unwrap();
        if first.is_ok() {
            break;
        }
        killed += 1;
        migrate(&database.target()).await.unwrap();
        assert_eq!(
            schema(&database).await,
            wanted,
            "after a kill at statement {statement}"
        );
    }
    assert!(
        killed * every() > 300,
        "only {killed} statements were reached"
    );
}

#[tokio::test]
async fn p24_two_runs_at_once_take_turns() {
    let database = empty().await;
    let target = database.target();
    let (one, two) = tokio::join!(migrate(&target), migrate(&target));
    one.unwrap();
    two.unwrap();
    migrate(&target).await.unwrap();
}

#[tokio::test]
async fn an_edited_migration_is_refused() {
    let database = common::database().await;
    database
        .sql("update collector.schema_migrations set sha256 = 'edited'")
        .await
        .unwrap();
    let error = migrate(&database.target()).await.unwrap_err().to_string();
    assert!(error.contains("foundation"), "{error}");
}

/// One declaration feeds the tables: what is declared is what a migrated database has.
#[tokio::test]
async fn declared_tables_are_the_migrated_ones() {
    let database = common::database().await;
    for table in schema::TABLES {
        let sql = format!(
            "select column_name, data_type, is_nullable from information_schema.columns \
             where table_schema = 'collector' and table_name = '{}' order by ordinal_position",
            table.name
        );
        let found: Vec<(String, String, bool)> = database
            .sql(&sql)
            .await
            .unwrap()
            .into_iter()
            .map(|row| {
                let cell = |i: usize| row[i].clone().unwrap_or_default();
                (cell(0), cell(1), cell(2) == "YES")
            })
            .collect();
        let mut declared = vec![
            (
                "ts".to_owned(),
                "timestamp with time zone".to_owned(),
                false,
            ),
            ("host_id".to_owned(), "integer".to_owned(), false),
        ];
        declared.extend(
            table
                .columns
                .iter()
                .map(|c| (c.name.to_owned(), c.pg.sql().to_owned(), c.nullable)),
        );
        assert_eq!(found, declared, "{}", table.name);
    }
}
