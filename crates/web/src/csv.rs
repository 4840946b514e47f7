//! Tables as RFC 4180 text.

use crate::times;
use crate::wire::Cell;

/// Appends a line, terminated by CR LF.
pub fn line<'a>(out: &mut String, fields: impl IntoIterator<Item = &'a str>) {
    for (at, field) in fields.into_iter().enumerate() {
        if at > 0 {
            out.push(',');
        }
        if field.contains([',', '"', '\n', '\r']) {
            out.push('"');
            out.push_str(&field.replace('"', "\"\""));
            out.push('"');
        } else {
            out.push_str(field);
        }
    }
    out.push_str("\r\n");
}

/// Formats a cell: numbers raw, instants in ISO 8601. Text that a spreadsheet would evaluate as a
/// formula is prefixed by an apostrophe.
#[must_use]
pub fn field(cell: &Cell, is_time: bool) -> String {
    match cell {
        Cell::Null => String::new(),
        Cell::Bool(value) => value.to_string(),
        Cell::Int(value) if is_time => times::iso(*value),
        Cell::Int(value) => value.to_string(),
        Cell::Float(value) => value.to_string(),
        Cell::Text(text) => {
            let formula = text.starts_with(['=', '+', '-', '@', '\t', '\r']);
            let number = text.parse::<f64>().is_ok_and(f64::is_finite);
            if formula && !number {
                format!("'{text}")
            } else {
                text.clone()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_quoted_where_needed() {
        let mut out = String::new();
        line(&mut out, ["a", "b,c", "say \"hi\"", "two\nlines", ""]);
        assert_eq!(out, "a,\"b,c\",\"say \"\"hi\"\"\",\"two\nlines\",\r\n");
    }

    #[test]
    fn formulas_are_text() {
        for (text, expected) in [
            ("=1+1", "'=1+1"),
            ("+cmd|' /C calc'!A0", "'+cmd|' /C calc'!A0"),
            ("@SUM(A1)", "'@SUM(A1)"),
            ("-2", "-2"),
            ("-x", "'-x"),
            ("\t=1", "'\t=1"),
            ("\r=1", "'\r=1"),
            ("-inf", "'-inf"),
            ("plain", "plain"),
            ("", ""),
        ] {
            assert_eq!(field(&Cell::Text(text.to_owned()), false), expected);
        }
        assert_eq!(field(&Cell::Int(-5), false), "-5");
        assert_eq!(field(&Cell::Int(0), true), "1970-01-01T00:00:00.000Z");
        assert_eq!(field(&Cell::Null, false), "");
    }
}
