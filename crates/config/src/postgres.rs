//! `[[postgres]]`: the servers whose statistics are collected.

use std::path::PathBuf;

use crate::key::{Problem, Value, quoted};
use crate::pg_url::PgUrl;
use crate::secret::Secret;
use crate::section::section;

section! {
    /// A PostgreSQL server whose statistics are collected, written once for each. Without any, there
    /// is one, named `store`: the server of `[database]`.
    pub struct Postgres = ["postgres"] {
        /// Name of the server in every view; small letters, digits, `-` and `_`.
        name: String = String::new() => with(name) live();
        /// Where it is and who logs in, as `postgresql://USER@HOST:PORT/DATABASE` or, over a Unix
        /// socket, `postgresql:///DATABASE?host=/DIRECTORY&user=USER`. Left out, it is the server
        /// and role of `[database]`. TLS as there: verified, or not at all for this machine.
        url: Option<PgUrl> = None => live();
        /// Password, when it is not part of the address; better kept in `password_file`.
        password: Secret = Secret::default() => live();
        /// File that holds the password and nothing else.
        password_file: Option<PathBuf> = None => with(crate::machine::absolute) live();
        /// Databases to look into; all but templates when empty.
        databases: Vec<String> = Vec::new() => with(databases) live();
        /// Whether the tables and statements of the collector itself are reported, too. Left out, they
        /// are in no list, count, chart or advice.
        include_own: bool = false => live();
    }
}

impl Postgres {
    /// Returns the server of `[database]`, which is watched when no other is named.
    #[must_use]
    pub fn store() -> Self {
        Self {
            name: "store".to_owned(),
            ..Self::default()
        }
    }
}

/// Names of servers and targets: they become keys of rows, parts of addresses and labels.
pub(crate) fn name(value: &Value) -> Result<(), Problem> {
    /// As in the documentation of the key.
    const LONGEST: usize = 40;
    let Value::Text(name) = value else {
        return Ok(());
    };
    let plain = |byte: u8| {
        byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'-' | b'_')
    };
    if name.is_empty() {
        Err(Problem::new(
            "is empty",
            "give each entry a name of its own",
        ))
    } else if name.len() > LONGEST || !name.bytes().all(plain) {
        Err(Problem::new(
            format!("{} is not a name", quoted(name)),
            format!("use at most {LONGEST} small letters, digits, - and _"),
        ))
    } else {
        Ok(())
    }
}

fn databases(value: &Value) -> Result<(), Problem> {
    /// NAMEDATALEN - 1 of the servers' own limit.
    const LONGEST: usize = 63;
    let Value::List(names) = value else {
        return Ok(());
    };
    let bad = |name: &&String| {
        name.is_empty() || name.len() > LONGEST || name.chars().any(char::is_control)
    };
    match names.iter().find(bad) {
        Some(name) => Err(Problem::new(
            format!(
                "lists {}, which is not the name of a database",
                quoted(name)
            ),
            "write the names as psql -l shows them",
        )),
        None => Ok(()),
    }
}
