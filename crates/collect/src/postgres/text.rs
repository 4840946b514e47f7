//! Texts of a watched server, whatever bytes they are.
//!
//! A name, a statement or a comment is in the encoding of the session that wrote it, and nobody checks
//! it again: in a database in SQL_ASCII any bytes do, and what all databases share (names of databases
//! and roles, statements of sessions) holds the encodings of all. Bytes that are not UTF-8 are written as
//! `\xE9`: a replacement character would give two tables one name.

use std::error::Error;

use tokio_postgres::Row;
use tokio_postgres::types::{FromSql, Type};

/// A text of the server.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Text(pub(super) String);

impl<'a> FromSql<'a> for Text {
    fn from_sql(_: &Type, raw: &'a [u8]) -> Result<Self, Box<dyn Error + Sync + Send>> {
        Ok(Self(readable(raw)))
    }

    fn accepts(found: &Type) -> bool {
        <&str as FromSql<'_>>::accepts(found)
    }
}

/// A text of the server that is JSON: within its strings a backslash is written twice.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct JsonText(pub(super) String);

impl<'a> FromSql<'a> for JsonText {
    fn from_sql(_: &Type, raw: &'a [u8]) -> Result<Self, Box<dyn Error + Sync + Send>> {
        Ok(Self(written(raw, "\\\\x")))
    }

    fn accepts(found: &Type) -> bool {
        <&str as FromSql<'_>>::accepts(found)
    }
}

/// Reads the bytes as text.
fn readable(raw: &[u8]) -> String {
    written(raw, "\\x")
}

/// Reads the bytes as text, each that is not valid behind this mark.
fn written(raw: &[u8], mark: &str) -> String {
    let mut text = String::with_capacity(raw.len());
    for chunk in raw.utf8_chunks() {
        text.push_str(chunk.valid());
        for byte in chunk.invalid() {
            text.push_str(mark);
            for half in [byte >> 4, byte & 15] {
                text.extend(char::from_digit(u32::from(half), 16));
            }
        }
    }
    text
}

/// Returns the text in a column.
///
/// # Errors
/// When the column is not a text, or NULL.
pub(super) fn text(row: &Row, column: &str) -> Result<String, tokio_postgres::Error> {
    row.try_get::<_, Text>(column).map(|text| text.0)
}

#[cfg(test)]
mod tests {
    use super::{readable, written};

    #[test]
    fn an_invalid_byte_costs_itself_alone() {
        let cases: [(&[u8], &str); 6] = [
            (b"plain", "plain"),
            ("größe".as_bytes(), "größe"),
            (b"cam\xe9", "cam\\xe9"),
            (b"\xff\xfe", "\\xff\\xfe"),
            (b"gar\xe7on \xc3\xa9", "gar\\xe7on é"),
            (b"cut \xe2\x82", "cut \\xe2\\x82"),
        ];
        for (raw, expected) in cases {
            assert_eq!(readable(raw), expected);
        }
        assert_eq!(written(b"{\"a\": \"\xe9\"}", "\\\\x"), r#"{"a": "\\xe9"}"#);
    }
}
