//! csvlog and jsonlog.

use super::super::Parsed;
use super::super::time::Clock;

/// A record of csvlog that goes on in the next line.
#[derive(Debug, Default)]
pub(crate) struct Record {}

impl Record {
    /// What is held, as text.
    pub(crate) fn take(&mut self) -> String {
        String::new()
    }
}

/// What the line is, if it belongs to a record.
pub(crate) fn line<'a>(_: &mut Record, _: &'a str, _: &mut Clock) -> Option<Parsed<'a>> {
    None
}
