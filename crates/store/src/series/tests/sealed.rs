//! Sealed rows are those that were stored: for every metric, at every instant, and bit for bit.

use schema::micros::{DAY, HOUR};
use schema::{Cell, METRICS, Role, TABLES, TableDef, VIEWS};
use testkit::Dice;

use super::super::buckets::answer;
use super::history::{BEGIN, asks, compare, host, note, roll_up, seed, ticks};
use super::*;

/// Returns the stored tables that are sealed.
fn sealed() -> impl Iterator<Item = &'static TableDef> {
    TABLES
        .iter()
        .copied()
        .filter(|table| table.sealed.is_some())
}

/// Returns what readers call them: their own names, or those of their views.
fn read() -> Vec<&'static TableDef> {
    let is_sealed = |table: &&TableDef| sealed().any(|one| one.name == table.instants());
    TABLES
        .iter()
        .chain(VIEWS)
        .copied()
        .filter(is_sealed)
        .collect()
}

/// Seals every day that is there, as often as hours are missing.
async fn seal_all(database: &Database) {
    for table in sealed() {
        for day in ["2025-10-25", "2025-10-26", "2025-10-27"] {
            let name = table.name;
            let missing =
                format!("select count(*)::text from collector.seal_day('{name}', '{day}')");
            let seal = format!(
                "select collector.seal_hour('{name}', m.host_id, m.bucket) from collector.seal_day('{name}', '{day}') m"
            );
            database.sql(&seal).await.unwrap();
            let left = database.sql(&missing).await.unwrap()[0][0].clone();
            assert_eq!(left.as_deref(), Some("0"), "{name} {day}");
        }
        let left = format!("select count(*)::text from collector.{}", table.name);
        let left = database.sql(&left).await.unwrap()[0][0].clone();
        assert_eq!(left.as_deref(), Some("0"), "{}", table.name);
    }
}

/// Every column of every row, as the database prints it.
async fn rows_of(client: &tokio_postgres::Client, table: &TableDef) -> Vec<String> {
    let names: Vec<&str> = table.columns.iter().map(|column| column.name).collect();
    let sql = format!(
        "SELECT ROW(ts, host_id, {})::text FROM collector.{} ORDER BY 1",
        names.join(", "),
        table.relation()
    );
    let rows = client.query(&sql, &[]).await.unwrap();
    rows.iter().map(|row| row.get(0)).collect()
}

/// What readers of single instants and of ranges get.
async fn instants(client: &tokio_postgres::Client) -> Vec<String> {
    let mut found = Vec::new();
    for table in read() {
        let columns: Vec<&str> = table.columns.iter().map(|column| column.name).collect();
        for hour in (1..36).step_by(3) {
            let to = Timestamp(BEGIN + hour * HOUR + 17 * SECOND);
            let from = Timestamp(to.as_micros() - 600 * SECOND);
            let mut tick = rows::tick(client, table, 1, from, to, &columns)
                .await
                .unwrap();
            let sort = |rows: &mut Vec<Vec<Cell>>| rows.sort_by_key(|row| format!("{row:?}"));
            sort(&mut tick.rows);
            found.push(format!("{} {hour} {tick:?}", table.name));
            let ranged = rows::rows(client, table, 1, from, to, &columns)
                .await
                .unwrap();
            let mut ranged: Vec<String> = ranged.iter().map(|row| format!("{row:?}")).collect();
            ranged.sort();
            found.push(format!("{} {hour} {ranged:?}", table.name));
        }
    }
    for hour in [3, 20, 31] {
        let metrics: Vec<_> = METRICS.iter().collect();
        let at = Timestamp(BEGIN + hour * HOUR);
        let latest = latest(client, 1, &metrics, at, 300 * SECOND).await.unwrap();
        found.extend(latest.iter().map(|one| {
            // Sums of floats depend on the order of rows.
            let value = one.value.map(|value| format!("{value:.6e}"));
            format!("{hour} {} {:?} {value:?}", one.metric.id(), one.key)
        }));
    }
    found
}

#[tokio::test]
async fn sealed_rows_are_read_as_they_were_stored() {
    let (database, mut dice) = (database().await, Dice::new(19));
    host(&database).await;
    let made = testkit::partitions("2025-10-25", "2025-10-27");
    database.sql(&made).await.unwrap();
    let ticks = ticks(&mut dice);
    let (late, timely): (Vec<Timestamp>, Vec<Timestamp>) = ticks
        .iter()
        .partition(|tick| tick.as_micros() / (300 * SECOND) % 40 == 7);
    seed(&database, &mut dice, &timely).await;
    let session = pg::connect(&database.target(), &pg::SessionOptions::default(), "test").await;
    let session = session.unwrap();
    let client = &session.client;
    // One row is there twice, and values that compare as equal are not the same.
    let odd = "insert into collector.process_samples \
        select ts, host_id, thread_count, process, rss_bytes, vsz_bytes, case n when 1 then 0.0 when 2 then '-0' end::float8, \
               read_bytes_total, write_bytes_total, fd_count, state_count \
        from (select * from collector.process_samples order by ts, process limit 1) s, generate_series(1, 3) n; \
        insert into collector.process_samples \
        select ts + n * interval '1 s', host_id, 1, process, 1, 1, case n when 1 then 0.0 when 2 then '-0' end::float8, \
               NULL, NULL, NULL, 339 \
        from (select * from collector.process_samples order by ts desc, process limit 1) s, generate_series(1, 2) n";
    database.sql(odd).await.unwrap();

    let (mut before, mut expected) = (Vec::new(), Vec::new());
    for table in read() {
        before.push(rows_of(client, table).await);
    }
    for ask in asks() {
        expected.push((answer(client, &ask, None).await, ask));
    }
    let at_instants = instants(client).await;
    seal_all(&database).await;
    for (table, before) in read().into_iter().zip(&before) {
        assert!(before.len() > 300, "{}", table.name);
        assert_eq!(rows_of(client, table).await, *before, "{}", table.name);
    }
    for (expected, ask) in &expected {
        let found = answer(client, ask, None).await;
        compare("sealed", ask, &found, expected);
    }
    assert_eq!(instants(client).await, at_instants);

    // Late rows, read beside and then with the others.
    let made = testkit::partitions("2025-10-25", "2025-10-27");
    database.sql(&made).await.unwrap();
    seed(&database, &mut dice, &late).await;
    let (mut before, mut expected) = (Vec::new(), Vec::new());
    for table in read() {
        before.push(rows_of(client, table).await);
    }
    for ask in asks() {
        expected.push((answer(client, &ask, None).await, ask));
    }
    let at_instants = instants(client).await;
    seal_all(&database).await;
    for (table, before) in read().into_iter().zip(before) {
        assert_eq!(rows_of(client, table).await, before, "{}", table.name);
    }
    for (expected, ask) in expected {
        let found = answer(client, &ask, None).await;
        compare("sealed again", &ask, &found, &expected);
    }
    assert_eq!(instants(client).await, at_instants);

    // Roll-ups of sealed rows are those of rows.
    note(&database, &ticks).await;
    roll_up(client).await;
    for ask in asks() {
        let expected = answer(client, &ask, None).await;
        compare("rolled up", &ask, &buckets(client, &ask).await, &expected);
    }
}

/// A range reads the days it lies in, and the hours of them.
#[tokio::test]
async fn sealed_days_are_read_where_they_are_asked_for() {
    let database = database().await;
    let session = session(&database).await;
    let made = testkit::partitions("2025-10-20", "2025-10-23");
    database.sql(&made).await.unwrap();
    for table in read() {
        let columns: Vec<&str> = table.columns.iter().map(|column| column.name).collect();
        let from = Timestamp(1_761_004_800 * SECOND + DAY + 5 * HOUR);
        let sql = rows::statement(table, 1, from, Timestamp(from.as_micros() + HOUR), &columns);
        let mut explain = sql.clone();
        explain.text = format!("EXPLAIN (COSTS OFF) {}", sql.text);
        let plan = explain.query(&session.client, "plan").await.unwrap();
        let plan: Vec<String> = plan.iter().map(|row| row.get(0)).collect();
        let scans = plan.iter().filter(|line| line.contains("_sealed_2025"));
        let scans: Vec<&String> = scans.collect();
        assert!(
            !scans.is_empty() && scans.iter().all(|line| line.contains("_sealed_20251022")),
            "{}: {}",
            table.name,
            plan.join("\n")
        );
    }
}

/// The database seals what is declared, and tells series apart by their key columns.
#[tokio::test]
async fn what_is_declared_is_sealed() {
    let database = database().await;
    let mut expected: Vec<String> = sealed()
        .map(|table| {
            let keys = table
                .columns
                .iter()
                .filter(|column| column.role == Role::Key);
            let keys: Vec<&str> = keys.map(|column| column.name).collect();
            format!("{} {}", table.name, keys.join(","))
        })
        .collect();
    expected.sort();
    let found = "select table_name || ' ' || array_to_string(keys, ',') from collector.sealed_tables order by 1";
    let found: Vec<String> = database
        .sql(found)
        .await
        .unwrap()
        .into_iter()
        .flatten()
        .flatten()
        .collect();
    assert_eq!(found, expected);
}
