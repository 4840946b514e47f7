//! The language, and that the whole catalogue is written in it.

use super::eval::Value;
use super::*;
use crate::tables::LogSource;
use crate::{METRICS, Sample, Series};

/// Columns of each type, and their cells.
fn shape() -> Shape {
    Shape::parse("n int, m int8, f float8, t text, b bool, missing int, unknown bool").unwrap()
}

fn cells() -> [Cell; 7] {
    [
        Cell::Int(7),
        Cell::Int(9_000_000_000),
        Cell::Float(2.5),
        Cell::Text("it's".into()),
        Cell::Bool(true),
        Cell::Null,
        Cell::Null,
    ]
}

fn bound(sql: &str) -> Result<Expr, ExprError> {
    let found = Parser::new(sql, &shape()).whole()?;
    Ok(Expr(found.node))
}

fn value(sql: &str) -> String {
    let expr = bound(sql).unwrap_or_else(|error| panic!("{error}"));
    match expr.0.value(&cells()) {
        Value::Null => "NULL".to_owned(),
        Value::Bool(value) => value.to_string(),
        Value::Int(value) => value.to_string(),
        Value::Float(value) => format!("{value:?}"),
        Value::Text(text) => format!("'{text}'"),
        Value::Present => "present".to_owned(),
    }
}

#[test]
fn values_are_those_of_postgresql() {
    for (sql, expected) in [
        ("n", "7"),
        ("n + m", "9000000007"),
        ("n / 2", "3"),
        ("-n / 2", "-3"),
        ("n / 2.0", "3.5"),
        ("100.0 * n / 8", "87.5"),
        ("f * 2 - n", "-2.0"),
        ("1 - 2 - 3 * -4", "11"),
        ("2 * (n + 1)", "16"),
        ("2e2 + 1", "201.0"),
        ("n + missing", "NULL"),
        ("n / 0", "NULL"),
        ("f / 0", "NULL"),
        ("n / nullif(n - 7, 0)", "NULL"),
        ("2147483647 + 1", "NULL"),
        ("2147483647 + 1::int8", "2147483648"),
        ("coalesce(missing, 3) + n", "10"),
        ("coalesce(missing, missing)", "NULL"),
        ("greatest(n, missing, 9)", "9"),
        ("least(f, n)", "2.5"),
        ("nullif(n, 7)", "NULL"),
        ("nullif(n, missing)", "7"),
        ("b::int::float8", "1.0"),
        ("(NOT b)::int", "0"),
        ("unknown::int", "NULL"),
        ("f::int", "2"),
        ("2.5::int", "3"),
        ("1e30::int8", "NULL"),
        ("t || '-' || n || b", "'it''s-7true'"),
        ("t || NULL", "NULL"),
        ("(n / 2) || 'xx'", "'3xx'"),
        ("m::text || ''", "'9000000000'"),
        ("t = 'it''s'", "true"),
        ("t <> 'x'", "true"),
        ("t IN ('x', 'it''s')", "true"),
        ("n IN (1, missing)", "NULL"),
        ("n NOT IN (1, 2)", "true"),
        ("n NOT IN (7, missing)", "false"),
        ("n = 7.0", "true"),
        ("n + 1 >= f * 2 AND b", "true"),
        ("missing = missing", "NULL"),
        ("missing IS NULL", "true"),
        ("t IS NOT NULL", "true"),
        ("unknown AND false", "false"),
        ("unknown AND b", "NULL"),
        ("unknown OR b", "true"),
        ("unknown OR false", "NULL"),
        ("NOT unknown", "NULL"),
        ("NOT n = 7", "false"),
        ("CASE WHEN unknown THEN 1 WHEN b THEN 2.0 ELSE 3 END", "2.0"),
        ("CASE WHEN unknown THEN 1 END", "NULL"),
        ("case when n > 3 then t else 'small' end", "'it's'"),
    ] {
        let expected = expected.replace("''", "'");
        assert_eq!(value(sql), expected, "{sql}");
    }
}

#[test]
fn faults_name_expression_and_place() {
    for (sql, expected) in [
        ("n + x", "there is no column x, at character 5 of \"n + x\""),
        (
            "n +",
            "expected a value at the end, at character 4 of \"n +\"",
        ),
        (
            "'ä' || ?",
            "expected a value, at character 8 of \"'ä' || ?\"",
        ),
        (
            "n t",
            "expected an operator or the end, at character 3 of \"n t\"",
        ),
        ("(n", "expected ), at character 3 of \"(n\""),
        ("n + t", "not a number, at character 3 of \"n + t\""),
        (
            "t < 'a'",
            "the order of text is that of a locale, at character 3 of \"t < 'a'\"",
        ),
        (
            "f || t",
            "not text, or a number whose text depends on its precision, at character 3 of \"f || t\"",
        ),
        (
            "n = 'x'",
            "values of different types, at character 3 of \"n = 'x'\"",
        ),
        ("NOT n", "not a condition, at character 1 of \"NOT n\""),
        (
            "b::float8",
            "a value of this type is not cast, at character 4 of \"b::float8\"",
        ),
        (
            "sum(n)",
            "not a function that expressions may call, at character 1 of \"sum(n)\"",
        ),
        (
            "case n end",
            "expected when after case, at character 1 of \"case n end\"",
        ),
        ("'open", "expected a value, at character 1 of \"'open\""),
        ("1.2.3", "not a number, at character 1 of \"1.2.3\""),
    ] {
        let error = bound(sql).unwrap_err();
        assert_eq!(error.to_string(), expected);
    }
    let deep = format!("{}n{}", "(".repeat(10_000), ")".repeat(10_000));
    let error = bound(&deep).unwrap_err();
    assert_eq!(error.problem, "nested too deeply");
    for shape in ["", "n", "n date", "n int x", "n int, "] {
        assert!(Shape::parse(shape).is_err(), "{shape}");
    }
}

#[test]
fn what_is_bound_has_the_type_asked_for() {
    for (sql, is_number, is_text) in [
        ("n", true, true),
        ("f", true, false),
        ("100.0 * n", true, false),
        ("t", false, true),
        ("b", false, true),
        ("NULL", true, true),
    ] {
        assert_eq!(Expr::number(sql, &shape()).is_ok(), is_number, "{sql}");
        assert_eq!(Expr::text(sql, &shape()).is_ok(), is_text, "{sql}");
    }
    assert_eq!(Expr::texts("", &shape()).unwrap(), []);
    assert_eq!(Expr::texts("t, n || '.'", &shape()).unwrap().len(), 2);
    assert!(Expr::texts("t, f", &shape()).is_err());
    assert!(Expr::texts("t,", &shape()).is_err());
}

#[test]
fn a_key_is_written_whole_or_not_at_all() {
    let mut text = "before ".to_owned();
    let known = Expr::text("t || '.' || n", &shape()).unwrap();
    let unknown = Expr::text("t || '.' || missing", &shape()).unwrap();
    assert!(!unknown.write(&cells(), &mut text));
    assert!(known.write(&cells(), &mut text));
    assert_eq!(text, "before it's.7");
}

#[test]
fn columns_are_the_names_of_values() {
    let found = |sql| columns(sql).collect::<Vec<_>>().join(" ");
    assert_eq!(
        found("CASE WHEN a IS NULL THEN coalesce(b, 'c') END::int8, a || d::text"),
        "a b a d"
    );
}

#[test]
fn every_expression_of_the_catalogue_binds() {
    for metric in METRICS {
        let check = || -> Result<(), ExprError> {
            let table = metric.series.table();
            let mut columns: &dyn Columns = table;
            let elements;
            match metric.series {
                Series::Level { expr, .. } => drop(Expr::number(expr, table)?),
                Series::Steps { expr, identity, .. } => {
                    Expr::number(expr, table)?;
                    Expr::texts(identity, table)?;
                }
                Series::Share {
                    part,
                    whole,
                    identity,
                    ..
                } => {
                    Expr::number(part, table)?;
                    Expr::number(whole, table)?;
                    Expr::texts(identity, table)?;
                }
                Series::Elements { shape, expr, .. } => {
                    elements = Shape::parse(shape)?;
                    columns = &elements;
                    Expr::number(expr, columns)?;
                }
            }
            Expr::text(metric.key.unwrap_or("NULL"), columns)?;
            Ok(())
        };
        check().unwrap_or_else(|error| panic!("{}: {error}", metric.id()));
    }
}

#[test]
fn columns_have_the_position_of_their_cells() {
    let readable = crate::metric("log.readable").unwrap();
    let Series::Level { expr, .. } = readable.series else {
        panic!("a level");
    };
    let expr = Expr::number(expr, LogSource::TABLE).unwrap();
    for (status, expected) in [("ok", 1.0), ("limited", 1.0), ("denied", 0.0)] {
        let row = LogSource {
            status: status.to_owned(),
            ..LogSource::default()
        };
        assert_eq!(expr.float8(&row.into_cells()), Some(expected), "{status}");
    }
}
