//! Random rows with everything that goes wrong in life: gaps, resets, missing figures, keys that come and go.

use std::collections::BTreeSet;

use schema::expr::Expr;
use schema::{
    Cell, Column, Every, METRICS, PgType, Role, Row, Series, TableDef, Timestamp, tables,
};
use serde_json::{Map, Value, json};
use testkit::{Database, Dice};

/// Sun, 20 Sep 2026 22:00 UTC: the rows cross a day, and so a partition.
const START: i64 = 1_789_941_600_000_000;

/// Words that expressions compare columns with, and others.
const WORDS: [&str; 10] = [
    "ok",
    "blocked",
    "limited",
    "denied",
    "lost",
    "reserved",
    "streaming",
    "x",
    "",
    "é.b",
];

/// Returns the tables that metrics are read from.
pub(crate) fn sources() -> Vec<&'static TableDef> {
    let mut names = BTreeSet::new();
    let tables = METRICS.iter().map(|metric| metric.series.table());
    tables.filter(|table| names.insert(table.name)).collect()
}

/// How often rows are taken.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pace {
    /// Microseconds between two ticks of the host.
    pub(crate) host: i64,
    /// Ticks of the host between two of services, and between two slow ones.
    pub(crate) services: usize,
    pub(crate) slow: usize,
    pub(crate) ticks: usize,
}

/// The instants of ticks with their numbers: some late, some missing, one gap.
pub(crate) fn instants(dice: &mut Dice, pace: Pace) -> Vec<(usize, i64)> {
    let gap = pace.ticks / 3..pace.ticks / 3 + 12;
    let mut found = Vec::new();
    for tick in 0..pace.ticks {
        let late = if dice.one_in(6) {
            dice.below(900_000)
        } else {
            0
        };
        let is_missing = dice.one_in(20) || gap.contains(&tick);
        if !is_missing {
            let late = i64::try_from(late).unwrap();
            found.push((
                tick,
                START + i64::try_from(tick).unwrap() * pace.host + late,
            ));
        }
    }
    found
}

/// A source of rows: the values of its key, whether it is there, and its counters.
struct Subject {
    key: Vec<Cell>,
    is_there: bool,
    epoch: u64,
    counters: Vec<i64>,
    steps: Vec<u64>,
}

/// Returns the expressions that identify the sources of each counter of a table.
fn identities(table: &TableDef) -> Vec<Vec<Expr>> {
    let of_table = METRICS
        .iter()
        .filter(|metric| metric.series.table().name == table.name);
    let identities = of_table.filter_map(|metric| {
        let identity = match metric.series {
            Series::Steps { identity, .. } | Series::Share { identity, .. } => identity,
            Series::Level { .. } | Series::Elements { .. } => return None,
        };
        let key = Expr::texts(metric.key.unwrap_or_default(), table).unwrap();
        let identity = Expr::texts(identity, table).unwrap();
        Some(key.into_iter().chain(identity).collect())
    });
    identities.collect()
}

/// Returns random subjects. No two are the same source of a counter: which of two samples of one instant is the one before
/// would be a matter of luck.
fn subjects(dice: &mut Dice, table: &TableDef) -> Vec<Subject> {
    let has_key = table.columns.iter().any(|column| column.role == Role::Key);
    let identities = identities(table);
    let mut seen = BTreeSet::new();
    let mut found: Vec<Subject> = Vec::new();
    for _ in 0..if has_key { 12 } else { 1 } {
        let cell = |column: &Column| match column.role {
            Role::Key => key_cell(dice, column),
            _ if column.name == "epoch" => Cell::Text("".into()),
            _ => Cell::Null,
        };
        let cells: Vec<Cell> = table.columns.iter().map(cell).collect();
        let mut sources = vec![format!("{cells:?}")];
        for (nth, identity) in identities.iter().enumerate() {
            let mut source = nth.to_string();
            for expr in identity {
                source.push('\0');
                expr.write(&cells, &mut source);
            }
            sources.push(source);
        }
        if sources.iter().any(|source| seen.contains(source)) {
            continue;
        }
        seen.extend(sources);
        let columns = table.columns.iter().zip(cells);
        let columns = columns.filter(|(column, _)| column.role == Role::Key);
        found.push(Subject {
            key: columns.map(|(_, cell)| cell).collect(),
            is_there: true,
            epoch: 0,
            counters: vec![0; table.columns.len()],
            steps: (0..table.columns.len())
                .map(|_| [1, 20, 3_000, 900_000][dice.index(4)])
                .collect(),
        });
    }
    found
}

fn key_cell(dice: &mut Dice, column: &Column) -> Cell {
    match column.pg {
        // A metric is of the objects of one check.
        PgType::Text if column.name == "check_name" => {
            Cell::Text(["sequences", "settings"][dice.index(2)].into())
        }
        PgType::Text => Cell::Text(["main", "b.c", ""][dice.index(3)].into()),
        PgType::Bool => Cell::Bool(dice.one_in(2)),
        // Statuses of answers and process ids; small, so that keys have several sources.
        _ => Cell::Int(i64::try_from(200 + 50 * dice.below(4)).unwrap()),
    }
}

/// Returns a random value of a column that is neither a key nor counted.
fn level(dice: &mut Dice, column: &Column) -> Cell {
    if column.nullable && dice.one_in(8) {
        return Cell::Null;
    }
    match column.pg {
        PgType::Float8 if dice.one_in(10) => Cell::Float(0.0),
        PgType::Float8 => Cell::Float(dice.unit() * 1000.0),
        PgType::Int8 | PgType::Int4 => {
            let bound = [1, 3, 2_000, 2_000_000][dice.index(4)];
            Cell::Int(i64::try_from(dice.below(bound)).unwrap())
        }
        PgType::Bool => Cell::Bool(dice.one_in(2)),
        PgType::Text => Cell::Text(WORDS[dice.index(WORDS.len())].into()),
        PgType::Timestamptz => Cell::Time(Timestamp(START)),
        PgType::Jsonb => Cell::Json(document(dice).into()),
    }
}

/// Returns an array of elements as those of `cpu_cores`, and sometimes something else.
fn document(dice: &mut Dice) -> String {
    if dice.one_in(10) {
        return "{\"core\": 1}".to_owned();
    }
    let mut cores = Vec::new();
    for core in 0..3_u64 {
        let mut element = Map::new();
        if !dice.one_in(20) {
            element.insert("core".to_owned(), core.into());
        }
        for name in ["idle", "iowait", "user"] {
            if !dice.one_in(10) {
                element.insert(name.to_owned(), (dice.unit() * 50.0).into());
            }
        }
        cores.push(Value::Object(element));
    }
    Value::Array(cores).to_string()
}

/// Returns a counter that grows, stands still, falls or is missing; an amount likewise.
fn counted(dice: &mut Dice, column: &Column, counter: &mut i64, step: u64) -> Cell {
    let amount = i64::try_from(if dice.one_in(3) { 0 } else { dice.below(step) }).unwrap();
    *counter += amount;
    if dice.one_in(60) {
        *counter = amount;
    }
    if column.nullable && dice.one_in(15) {
        return Cell::Null;
    }
    let value = if column.role == Role::Amount {
        amount
    } else {
        *counter
    };
    match column.pg {
        #[expect(clippy::cast_precision_loss, reason = "small numbers")]
        PgType::Float8 => Cell::Float(value as f64 * 0.1),
        _ => Cell::Int(value),
    }
}

fn row(
    dice: &mut Dice,
    table: &'static TableDef,
    subject: &mut Subject,
    at: i64,
    is_slow: bool,
) -> Row {
    let mut key = subject.key.clone().into_iter();
    let mut cells = Vec::new();
    for (nth, column) in table.columns.iter().enumerate() {
        let is_slow_column = tables::SLOW_COLUMNS.contains(&(table.name, column.name));
        cells.push(match (column.role, column.name) {
            (Role::Key, _) => key.next().unwrap(),
            // A letter, which is stored as a number.
            (_, "state") if table.samples.is_some() => Cell::Text("S".into()),
            (_, "state") if table.name == "health_checks_raw" => {
                Cell::Text(["up", "slow", "down", "unknown"][dice.index(4)].into())
            }
            (_, "epoch") => Cell::Text(subject.epoch.to_string().into()),
            (_, "interval_secs") => Cell::Float([0.0, 10.0, 299.5, 300.0][dice.index(4)]),
            _ if is_slow_column && !is_slow => Cell::Null,
            (Role::Counter | Role::Amount, _) => {
                counted(dice, column, &mut subject.counters[nth], subject.steps[nth])
            }
            (Role::Gauge | Role::Detail, _) => level(dice, column),
        });
    }
    Row {
        table,
        ts: Timestamp(at),
        cells: cells.into(),
    }
}

/// Returns the rows of a table, of ticks that it is sampled at.
pub(crate) fn rows(
    dice: &mut Dice,
    table: &'static TableDef,
    instants: &[(usize, i64)],
    pace: Pace,
    is_of_service: bool,
) -> Vec<Row> {
    let every = match table.every {
        Every::Slow => pace.slow,
        Every::Tick if is_of_service => pace.services,
        Every::Tick => 1,
    };
    let mut subjects = subjects(dice, table);
    let mut found = Vec::new();
    for (tick, at) in instants.iter().filter(|(tick, _)| tick % every == 0) {
        for subject in &mut subjects {
            if dice.one_in(25) {
                subject.is_there = !subject.is_there;
            }
            if dice.one_in(40) {
                subject.epoch += 1;
            }
            if subject.is_there && !dice.one_in(12) {
                found.push(row(dice, table, subject, *at, tick % pace.slow == 0));
            }
        }
    }
    found
}

/// Returns rows of no instant in particular whose cells are at their limits, for expressions.
pub(crate) fn extremes(dice: &mut Dice, table: &'static TableDef, count: usize) -> Vec<Row> {
    let extreme = |dice: &mut Dice, column: &Column| match column.pg {
        PgType::Int4 | PgType::Int8 if dice.one_in(2) => {
            let bounds: [i64; 6] = [0, 1, -1, 999, -7, 1_000_000_007];
            Cell::Int(bounds[dice.index(bounds.len())])
        }
        PgType::Int8 if dice.one_in(4) => Cell::Int(-123_456_789_012_345_678),
        PgType::Float8 if dice.one_in(4) => {
            let bounds = [0.0, -0.5, 1e-9, 1e15, 33.333_333_333_333_336];
            Cell::Float(bounds[dice.index(bounds.len())])
        }
        _ => level(dice, column),
    };
    let row = |dice: &mut Dice| Row {
        table,
        ts: Timestamp(START),
        cells: table
            .columns
            .iter()
            .map(|column| extreme(dice, column))
            .collect(),
    };
    (0..count).map(|_| row(dice)).collect()
}

/// Returns rows as a FROM item with the columns of their table, in their order, and `ts`.
pub(crate) fn recordset(rows: &[Row]) -> String {
    let table = rows[0].table;
    let document: Vec<Value> = rows
        .iter()
        .map(|row| {
            let mut members = Map::from_iter([("ts".to_owned(), json!(row.ts.as_micros()))]);
            for (column, cell) in table.columns.iter().zip(&row.cells) {
                members.insert(column.name.to_owned(), member(cell));
            }
            Value::Object(members)
        })
        .collect();
    // Instants are microseconds.
    let columns = table.columns.iter().map(|column| {
        let ty = match column.pg {
            PgType::Timestamptz => "bigint",
            pg => pg.sql(),
        };
        format!("{} {ty}", column.name)
    });
    let columns: Vec<String> = columns.collect();
    format!(
        "ROWS FROM (jsonb_to_recordset($doc${}$doc$::jsonb) AS (ts bigint, {})) WITH ORDINALITY",
        Value::Array(document),
        columns.join(", ")
    )
}

fn member(cell: &Cell) -> Value {
    match cell {
        Cell::Null => Value::Null,
        Cell::Float(value) => json!(value),
        Cell::Int(value) => json!(value),
        Cell::Bool(value) => json!(value),
        Cell::Text(text) => json!(text),
        Cell::Json(text) => serde_json::from_str(text).unwrap(),
        Cell::Time(at) => json!(at.as_micros()),
    }
}

/// Stores rows of one table.
pub(crate) async fn store(database: &Database, rows: &[Row]) {
    let instant = |name: &str| format!("'epoch'::timestamptz + {name} * interval '1 microsecond'");
    for rows in rows.chunks(1000) {
        let table = rows[0].table;
        let names: Vec<&str> = table.columns.iter().map(|column| column.name).collect();
        let values = table.columns.iter().map(|column| match column.pg {
            PgType::Timestamptz => instant(column.name),
            _ => column.name.to_owned(),
        });
        let values: Vec<String> = values.collect();
        let insert = format!(
            "INSERT INTO collector.{} (ts, host_id, {}) SELECT {}, 1, {} FROM {}",
            table.name,
            names.join(", "),
            instant("ts"),
            values.join(", "),
            recordset(rows)
        );
        database.sql(&insert).await.unwrap();
    }
}
