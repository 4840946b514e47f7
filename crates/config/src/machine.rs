//! What the checks ask the machine.

use std::path::Path;

use crate::key::{Problem, Value};

/// Accepts an absolute path, and an empty text for keys that may be left out.
pub(crate) fn absolute(value: &Value) -> Result<(), Problem> {
    match value {
        Value::Text(text) if text.is_empty() || Path::new(text).is_absolute() => Ok(()),
        Value::Text(text) => Err(Problem::new(
            format!("{} is relative", crate::key::quoted(text)),
            "write the whole path, beginning with a slash",
        )),
        _ => Ok(()),
    }
}
