//! Removes secrets from text before it is stored.
//!
//! * [`sql`] is for statements of PostgreSQL. Constants are data, and in utility statements they are
//!   passwords, so that **no constant and no comment** comes through: `'…'` replaces a text, `…`
//!   a number. `pg_stat_statements` normalises the constants of queries itself but leaves those of utility
//!   statements alone, and `pg_stat_activity` normalises nothing.
//! * [`text`] is for everything else: lines of logs, messages. What is known to be a secret by its
//!   name, by its shape or by its place is replaced by `…`, the rest stays as it is.
//!
//! Both are one pass over the bytes without backtracking, and linear in the length of the text.
//! Where a text is ambiguous (a quote that nothing closes, a backslash before a quote that may or may
//! not escape it) everything from there on is treated as a secret. Both may be applied twice: what is
//! redacted stays as it is.

mod sql;
mod text;

pub use sql::{constants, is_sql, quoted_sql, sql};
pub use text::{Pem, clean, inspect, text, value};

/// The mark in place of a secret.
pub const MARK: &str = "…";
