//! Every expression of the catalogue has the value that PostgreSQL gives it.

use std::fmt::Write as _;

use schema::expr::{Columns, Expr};
use schema::{Cell, METRICS, Row, Series, TableDef};
use testkit::{Database, Dice};
use tokio_postgres::Client;

use crate::is_near;
use crate::rows::{extremes, recordset, sources};

/// Returns the expressions of a table that give numbers, and those that give text.
fn expressions(table: &TableDef) -> (Vec<&'static str>, Vec<&'static str>) {
    let (mut numbers, mut texts) = (Vec::new(), Vec::new());
    for metric in METRICS {
        if metric.series.table().name != table.name {
            continue;
        }
        match metric.series {
            Series::Level { expr, .. } => numbers.push(expr),
            Series::Steps { expr, identity, .. } => {
                numbers.push(expr);
                texts.push(identity);
            }
            Series::Share {
                part,
                whole,
                identity,
                ..
            } => {
                numbers.extend([part, whole]);
                texts.push(identity);
            }
            // Elements have columns of their own; the readings compare them.
            Series::Elements { .. } => continue,
        }
        texts.extend(metric.key);
    }
    for list in [&mut numbers, &mut texts] {
        list.sort_unstable();
        list.dedup();
        list.retain(|expr| !expr.is_empty());
    }
    (numbers, texts)
}

/// Compares the values of expressions for each of `rows` with those of the server.
async fn compare(client: &Client, rows: &[Row], numbers: &[&str], texts: &[&str]) {
    let columns: &dyn Columns = rows[0].table;
    let number = |sql: &&str| Expr::number(sql, columns).unwrap_or_else(|error| panic!("{error}"));
    let text = |sql: &&str| Expr::texts(sql, columns).unwrap_or_else(|error| panic!("{error}"));
    let bound: Vec<Expr> = numbers.iter().map(number).collect();
    let lists: Vec<Vec<Expr>> = texts.iter().map(text).collect();
    let mut query = "SELECT ordinality".to_owned();
    for sql in numbers {
        write!(query, ", ({sql})::float8").unwrap();
    }
    for sql in texts {
        // Elements of a list are compared as one array.
        write!(query, ", (SELECT array_agg(i::text) FROM jsonb_array_elements_text(jsonb_build_array({sql})) i)").unwrap();
    }
    write!(query, " FROM {} ORDER BY ordinality", recordset(rows)).unwrap();
    let found = client.query(&query, &[]).await.unwrap();
    assert_eq!(found.len(), rows.len());
    for (row, found) in rows.iter().zip(&found) {
        let place = |sql: &str| format!("{}: {sql} of {:?}", row.table.name, named(row, sql));
        for (nth, (sql, expr)) in numbers.iter().zip(&bound).enumerate() {
            let expected: Option<f64> = found.get(nth + 1);
            let value = expr.float8(&row.cells);
            assert!(
                is_near(value, expected),
                "{}: {value:?}, PostgreSQL {expected:?}",
                place(sql)
            );
        }
        for (nth, (sql, list)) in texts.iter().zip(&lists).enumerate() {
            let expected: Vec<Option<String>> = found.get(numbers.len() + nth + 1);
            let mut values = Vec::new();
            for expr in list {
                let mut value = String::new();
                let is_known = expr.write(&row.cells, &mut value);
                values.push(is_known.then_some(value));
            }
            assert_eq!(values, expected, "{}", place(sql));
        }
    }
}

/// The columns that an expression names, with their values.
fn named<'a>(row: &'a Row, sql: &'a str) -> Vec<(&'a str, &'a Cell)> {
    let columns = schema::expr::columns(sql);
    columns
        .filter_map(|name| Some((name, row.cells.get(row.table.find(name)?.0)?)))
        .collect()
}

async fn client() -> (Database, pg::Session) {
    let database = testkit::migrated().await.unwrap();
    let session = database.connect().await.unwrap();
    (database, session)
}

#[tokio::test]
async fn of_random_rows() {
    let (_database, session) = client().await;
    let mut dice = Dice::new(7);
    for table in sources() {
        let (numbers, texts) = expressions(table);
        let rows = extremes(&mut dice, table, 300);
        compare(&session.client, &rows, &numbers, &texts).await;
    }
}

/// The catalogue uses a part of the language; this is the rest.
#[tokio::test]
async fn of_the_language() {
    let (_database, session) = client().await;
    // Columns of all types, most of them nullable.
    let table = schema::table("db_metrics_raw").unwrap();
    let rows = extremes(&mut Dice::new(8), table, 300);
    let numbers = [
        "conn_total / 7 * 7 + -conn_idle",
        "- conn_total / nullif(conn_active, 0) - 2 * 3 - 1",
        "(conn_total + 0.5) / nullif(conn_active * 3, 0)",
        "conn_total / 2.0 / 3",
        "longest_query_secs::int8 + oldest_xact_secs::int8",
        "(conn_total * 0.5)::int8",
        "coalesce(version_num, conn_total, 0.5, 2)",
        "greatest(version_num, conn_total, longest_query_secs)",
        "least(version_num, 3, NULL)",
        "nullif(conn_total, conn_active)",
        "(version_num = 999)::int + (version_num <> 1)::int",
        "(conn_total IN (0, 1, conn_active))::int",
        "(conn_total NOT IN (0, conn_active))::int",
        "(conn_total > 1 AND NOT conn_active <= 5 OR up)::int",
        "(NOT in_recovery IS NULL AND conn_total IS NOT NULL)::int",
        "(in_recovery AND conn_total = 1 OR replay_paused)::int",
        "(in_recovery = replay_paused)::int",
        "(error IS NULL)::int + (started_at IS NULL)::int",
        "(error || instance = 'okok')::int",
        "(error IN ('ok', instance))::int",
        "CASE WHEN in_recovery THEN conn_total WHEN up THEN 0.25 ELSE longest_query_secs END / 3",
        "CASE WHEN in_recovery THEN conn_total WHEN up THEN 7 END / 2",
        "1e3 + 2.5e-1 * conn_total",
        "3000000000 + version_num",
        "NULL::float8 + 1",
    ];
    let texts = [
        "instance || '.' || conn_total || up",
        "(conn_total / 100) || 'xx', error, up",
        "CASE WHEN up THEN error ELSE 'it''s' || version_num END",
        "coalesce(error, instance)",
        "nullif(error, 'ok'), conn_total::text, (NOT up)::text",
        "conn_total, version_num || 'ä', NULL",
    ];
    compare(&session.client, &rows, &numbers, &texts).await;
}

/// Random expressions that PostgreSQL evaluates without an error: divisors are guarded, and nothing overflows. Numbers are
/// `int8` or `float8`, as `numeric` differs in digits that a subtraction can bring to the front.
struct Phrases<'a>(&'a mut Dice);

impl Phrases<'_> {
    fn one_of(&mut self, phrases: &[&str]) -> String {
        phrases[self.0.index(phrases.len())].to_owned()
    }

    /// Puts a phrase in parentheses, or leaves its parts to precedence.
    fn enclosed(&mut self, phrase: String) -> String {
        if self.0.one_in(2) {
            return phrase;
        }
        format!("({phrase})")
    }

    fn number(&mut self, is_float: bool, depth: u32) -> String {
        if depth == 0 {
            return self.one_of(if is_float {
                &[
                    "longest_query_secs",
                    "oldest_xact_secs",
                    "duration_ms",
                    "2.5::float8",
                ]
            } else {
                &[
                    "conn_total",
                    "conn_active",
                    "version_num::int8",
                    "7",
                    "NULL::int8",
                ]
            });
        }
        let a = self.number(is_float, depth - 1);
        let b = self.number(is_float, depth - 1);
        let phrase = match self.0.below(10) {
            0 => format!("{a} + {b}"),
            1 => format!("{a} - {b}"),
            2 if is_float => format!("{a} * {b}"),
            3 => format!("{a} / nullif({b}, 0)"),
            4 => format!("- {a}"),
            5 => format!("coalesce({a}, {b})"),
            6 => format!(
                "{}({a}, {b})",
                self.one_of(&["greatest", "least", "nullif"])
            ),
            7 if is_float => format!("({})::float8", self.number(false, depth - 1)),
            7 => format!("({})::int", self.condition(depth - 1)),
            _ => format!(
                "CASE WHEN {} THEN {a} ELSE {b} END",
                self.condition(depth - 1)
            ),
        };
        self.enclosed(phrase)
    }

    fn condition(&mut self, depth: u32) -> String {
        if depth == 0 {
            return self.one_of(&[
                "up",
                "in_recovery",
                "replay_paused",
                "error IS NULL",
                "true",
            ]);
        }
        let (is_a_float, is_b_float) = (self.0.one_in(2), self.0.one_in(2));
        let a = self.number(is_a_float, depth - 1);
        let b = self.number(is_b_float, depth - 1);
        let phrase = match self.0.below(8) {
            0 | 1 => {
                let comparison = self.one_of(&["=", "<>", "<", "<=", ">", ">="]);
                format!("{a} {comparison} {b}")
            }
            2 => format!("{a} IN (0, {b}, 7)"),
            3 => format!("{a} IS NOT NULL"),
            4 => format!("{} = {}", self.text(depth - 1), self.text(depth - 1)),
            5 => format!("NOT {}", self.condition(depth - 1)),
            6 => format!(
                "{} AND {}",
                self.condition(depth - 1),
                self.condition(depth - 1)
            ),
            _ => format!(
                "{} OR {}",
                self.condition(depth - 1),
                self.condition(depth - 1)
            ),
        };
        format!("({phrase})")
    }

    fn text(&mut self, depth: u32) -> String {
        if depth == 0 {
            return self.one_of(&["instance", "error", "epoch", "'o''k'", "NULL::text"]);
        }
        let (a, b) = (self.text(depth - 1), self.text(depth - 1));
        let phrase = match self.0.below(5) {
            0 => format!("{a} || {b}"),
            1 => format!("{a} || '.' || ({})", self.number(false, depth - 1)),
            2 => format!("coalesce({a}, {b})"),
            3 => format!("({})::text", self.condition(depth - 1)),
            _ => format!(
                "CASE WHEN {} THEN {a} ELSE {b} END",
                self.condition(depth - 1)
            ),
        };
        self.enclosed(phrase)
    }
}

#[tokio::test]
async fn of_random_expressions() {
    let (_database, session) = client().await;
    let table = schema::table("db_metrics_raw").unwrap();
    for seed in 20..26 {
        let mut dice = Dice::new(seed);
        let rows = extremes(&mut dice, table, 60);
        let mut phrases = Phrases(&mut dice);
        let numbers: Vec<String> = (0..60).map(|nth| phrases.number(nth % 2 == 0, 3)).collect();
        let texts: Vec<String> = (0..30).map(|_| phrases.text(3)).collect();
        let numbers: Vec<&str> = numbers.iter().map(String::as_str).collect();
        let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
        compare(&session.client, &rows, &numbers, &texts).await;
    }
}
