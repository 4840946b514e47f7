//! Elements of JSON arrays as rows.

use schema::expr::Shape;
use schema::{Cell, CellType as _, PgType};
use serde_json::Value;

/// Returns the elements of a document as cells in the order of `shape`, as `jsonb_to_recordset` does: none where the
/// document is not an array, and NULL for what an element lacks.
pub(super) fn elements(document: &str, shape: &Shape) -> Vec<Vec<Cell>> {
    let Ok(Value::Array(elements)) = serde_json::from_str(document) else {
        return Vec::new();
    };
    let row = |element: &Value| {
        let cells = shape.columns().iter();
        cells
            .map(|(name, pg)| cell(element.get(name), *pg))
            .collect()
    };
    elements.iter().map(row).collect()
}

/// Returns a member as a cell of a type; NULL where it is of another one, which PostgreSQL rejects.
fn cell(member: Option<&Value>, pg: PgType) -> Cell {
    let Some(member) = member else {
        return Cell::Null;
    };
    match pg {
        PgType::Float8 => member.as_f64().into_cell(),
        PgType::Int8 | PgType::Int4 => member.as_i64().into_cell(),
        PgType::Bool => member.as_bool().into_cell(),
        PgType::Text => match member {
            Value::Null => Cell::Null,
            Value::String(text) => text.clone().into_cell(),
            other => other.to_string().into_cell(),
        },
        PgType::Jsonb | PgType::Timestamptz => Cell::Null,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_become_cells_by_name() {
        let shape = Shape::parse("core int, idle float8, name text").unwrap();
        let document = r#"[{"idle": 1.5, "core": 0}, {"core": "x", "name": 7, "idle": null}]"#;
        assert_eq!(
            elements(document, &shape),
            [
                vec![Cell::Int(0), Cell::Float(1.5), Cell::Null],
                vec![Cell::Null, Cell::Null, Cell::Text("7".into())],
            ]
        );
        for document in ["{}", "null", "[", "7"] {
            assert!(elements(document, &shape).is_empty(), "{document}");
        }
    }
}
