//! CSV as RFC 4180 has it, with the line of each record for messages.

use std::collections::HashMap;
use std::io::{self, BufRead};

/// Most bytes of a record; exports have some kilobytes.
const MOST_BYTES: usize = 1 << 20;

/// A record with the line on which it begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Record {
    pub(super) line: u64,
    pub(super) fields: Vec<String>,
}

/// Reads records.
pub(super) struct Csv<R> {
    from: R,
    line: u64,
}

impl<R: BufRead> Csv<R> {
    pub(super) const fn new(from: R) -> Self {
        Self { from, line: 0 }
    }

    /// Returns the next record that is not empty.
    ///
    /// # Errors
    /// When the file cannot be read, or a quote is never closed.
    pub(super) fn next(&mut self) -> io::Result<Option<Record>> {
        loop {
            let mut text = Vec::new();
            let begins = self.line + 1;
            loop {
                let before = text.len();
                if self.from.read_until(b'\n', &mut text)? == 0 {
                    if before > 0 {
                        return Err(fault(begins, "a quote is not closed"));
                    }
                    return Ok(None);
                }
                self.line += 1;
                if text.len() > MOST_BYTES {
                    return Err(fault(begins, "the record is longer than a megabyte"));
                }
                // A line break within quotes is part of the field.
                if text.iter().filter(|byte| **byte == b'"').count() % 2 == 0 {
                    break;
                }
            }
            let text = String::from_utf8_lossy(&text);
            let text = text
                .trim_start_matches('\u{feff}')
                .trim_end_matches(['\r', '\n']);
            if !text.is_empty() {
                return Ok(Some(Record {
                    line: begins,
                    fields: fields(text),
                }));
            }
        }
    }
}

fn fault(line: u64, what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, format!("line {line}: {what}"))
}

fn fields(text: &str) -> Vec<String> {
    let mut fields = Vec::new();
    let mut field = String::new();
    let mut is_quoted = false;
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        match character {
            '"' if is_quoted && characters.peek() == Some(&'"') => {
                characters.next();
                field.push('"');
            }
            '"' => is_quoted = !is_quoted,
            ',' if !is_quoted => fields.push(std::mem::take(&mut field)),
            other => field.push(other),
        }
    }
    fields.push(field);
    fields
}

/// Where the columns of a file are.
#[derive(Clone, Debug, Default)]
pub(super) struct Columns(HashMap<String, usize>);

impl Columns {
    pub(super) fn of(header: &Record) -> Self {
        let names = header.fields.iter().enumerate();
        Self(
            names
                .map(|(at, name)| (name.trim().to_owned(), at))
                .collect(),
        )
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    /// Returns a field; empty where the file or the record does not have it.
    pub(super) fn get<'a>(&self, record: &'a Record, name: &str) -> &'a str {
        let field = self.0.get(name).and_then(|at| record.fields.get(*at));
        field.map_or("", String::as_str)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Vec<(u64, Vec<String>)> {
        let mut csv = Csv::new(text.as_bytes());
        let mut records = Vec::new();
        while let Some(record) = csv.next().unwrap() {
            records.push((record.line, record.fields));
        }
        records
    }

    #[test]
    fn records_are_read_with_their_lines() {
        let owned = |fields: &[&str]| {
            fields
                .iter()
                .map(|text| (*text).to_owned())
                .collect::<Vec<_>>()
        };
        assert_eq!(
            read("\u{feff}\"a\",b\r\n\r\n\"1,2\",\"say \"\"x\"\"\nagain\"\n,\n\"\",end"),
            [
                (1, owned(&["a", "b"])),
                (3, owned(&["1,2", "say \"x\"\nagain"])),
                (5, owned(&["", ""])),
                (6, owned(&["", "end"])),
            ]
        );
        assert_eq!(read(""), []);
    }

    #[test]
    fn a_quote_that_is_not_closed_is_named_with_its_line() {
        let mut csv = Csv::new("a\n\"b\nc\n".as_bytes());
        assert!(csv.next().unwrap().is_some());
        let error = csv.next().unwrap_err();
        assert!(error.to_string().starts_with("line 2: "), "{error}");
    }

    proptest::proptest! {
        #[test]
        fn nothing_panics(text in "[a\",\r\n]{0,40}") {
            let mut csv = Csv::new(text.as_bytes());
            while let Ok(Some(record)) = csv.next() {
                proptest::prop_assert!(!record.fields.is_empty());
            }
        }
    }
}
