//! An object that a check reported, and sentences about it.

use crate::memory::fields::Fields;
use crate::quoting;
use schema::{Row, Unit};
use serde_json::Value;

/// Longest name in a sentence, characters.
const NAME: usize = 80;

/// A row of db_check_raw.
#[derive(Clone, Copy, Debug)]
pub(super) struct Object<'a> {
    pub(super) instance: &'a str,
    /// Empty for the server as a whole.
    pub(super) database: &'a str,
    pub(super) check: &'a str,
    pub(super) object: &'a str,
    pub(super) value: Option<f64>,
    detail: &'a str,
}

impl<'a> Object<'a> {
    /// Reads a row.
    pub(super) fn of(row: &'a Row) -> Self {
        let fields = Fields(row);
        Self {
            instance: fields.text("instance"),
            database: fields.text("database"),
            check: fields.text("check_name"),
            object: fields.text("object"),
            value: fields.number("value"),
            detail: fields.json("detail"),
        }
    }

    /// Returns what the finding is about: server, database and object.
    pub(super) fn target(&self) -> String {
        match self.database {
            "" => format!("{}.{}", self.instance, self.object),
            database => format!("{}.{database}.{}", self.instance, self.object),
        }
    }

    /// Returns the other columns of the check.
    pub(super) fn detail(&self) -> Value {
        serde_json::from_str(self.detail).unwrap_or(Value::Null)
    }

    /// Returns where the object is: `database shop of store`, or the server alone.
    fn place(&self) -> String {
        let instance = words::cut(self.instance, NAME);
        match self.database {
            "" => instance,
            database => format!("database {} of {instance}", words::cut(database, NAME)),
        }
    }

    /// Fills a sentence: `{object}`, `{place}`, `{value}` with its unit, and columns of the check by name.
    pub(super) fn sentence(&self, form: &str, unit: Unit, detail: &Value) -> String {
        filled(form, |name| {
            Some(match name {
                "object" => words::cut(self.object, NAME),
                "place" => self.place(),
                "value" => self
                    .value
                    .map_or_else(|| "?".to_owned(), |value| words::value(value, unit)),
                column => shown(column, &detail[column]),
            })
        })
        .unwrap_or_default()
    }

    /// Fills a statement: `{relation}` is the object as schema and name, `{name}` as one identifier, `{literal}` as a
    /// literal. `None` where the object cannot be written that way.
    pub(super) fn statement(&self, form: &str) -> Option<String> {
        if form.is_empty() || self.object.chars().any(char::is_control) {
            return None;
        }
        filled(form, |name| match name {
            "relation" => quoting::qualified(self.object),
            "name" => Some(quoting::identifier(self.object)),
            "literal" => Some(quoting::literal(self.object)),
            _ => None,
        })
    }
}

/// Formats a column of a check in the unit that its name states.
fn shown(column: &str, value: &Value) -> String {
    let unit = match column {
        _ if column.ends_with("_secs") => Unit::Secs,
        _ if column.ends_with("_bytes") || column.ends_with("_len") => Unit::Bytes,
        _ => Unit::Count,
    };
    match value {
        Value::Number(number) => number
            .as_f64()
            .map_or_else(String::new, |number| words::value(number, unit)),
        Value::String(text) => words::cut(text, NAME),
        Value::Bool(flag) => flag.to_string(),
        _ => "?".to_owned(),
    }
}

/// Replaces what stands in braces.
fn filled(form: &str, of: impl Fn(&str) -> Option<String>) -> Option<String> {
    let mut text = String::with_capacity(form.len() + 40);
    let mut rest = form;
    while let Some((before, after)) = rest.split_once('{') {
        let (name, after) = after.split_once('}')?;
        text.push_str(before);
        text.push_str(&of(name)?);
        rest = after;
    }
    text.push_str(rest);
    Some(text)
}
