//! The SQL expressions of the catalogue, evaluated without a database.
//!
//! A metric is read by an expression over the columns of a table, and has a key that is one. An [`Expr`] is parsed
//! once and bound to the positions of the columns, so that evaluation neither looks up names nor allocates.
//!
//! The language is what the catalogue needs: columns, numbers, text literals, `NULL`, `TRUE`, `FALSE`; `+ - * /`, `||`,
//! comparisons, `[NOT] IN`, `IS [NOT] NULL`, `NOT`, `AND`, `OR`; `CASE WHEN`, `coalesce`, `nullif`, `greatest`, `least`;
//! casts to `int`, `int8`, `float8` and `text`. It means what it means in PostgreSQL: types are inferred when the
//! expression is bound, NULL propagates, conditions have three values, integers are divided without a remainder. A test
//! of `insight` compares every expression of the catalogue with PostgreSQL.
//!
//! What differs:
//!
//! * `numeric` is computed as `float8`, so the last digits can differ.
//! * Where PostgreSQL fails, there is no value: division by zero, overflow. The catalogue guards divisors by `nullif`.
//! * What would depend on a locale or a precision is refused when the expression is bound: the order of text, the text of
//!   `float8` and `numeric`.

mod eval;
mod lex;
mod parse;
#[cfg(test)]
mod tests;
mod types;

pub use lex::columns;

use crate::{Cell, PgType, TableDef};
use eval::Node;
use parse::Parser;
use types::{Operand, Type};

/// An expression that is malformed, or does not fit the columns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExprError {
    /// The expression.
    pub sql: String,
    /// The byte at which the fault is.
    pub at: usize,
    /// What is wrong there.
    pub problem: String,
}

impl ExprError {
    fn new(sql: &str, at: usize, problem: impl Into<String>) -> Self {
        Self {
            sql: sql.to_owned(),
            at,
            problem: problem.into(),
        }
    }
}

impl std::fmt::Display for ExprError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let before = self.sql.get(..self.at).unwrap_or_default();
        let character = before.chars().count() + 1;
        write!(
            f,
            "{}, at character {character} of {:?}",
            self.problem, self.sql
        )
    }
}

impl std::error::Error for ExprError {}

/// What an expression can refer to.
pub trait Columns {
    /// Returns the position of a column among the cells, and its type.
    fn find(&self, name: &str) -> Option<(usize, PgType)>;
}

impl Columns for TableDef {
    fn find(&self, name: &str) -> Option<(usize, PgType)> {
        let index = self.columns.iter().position(|one| one.name == name)?;
        Some((index, self.columns[index].pg))
    }
}

/// The columns of the elements of a JSON array.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shape(Vec<(&'static str, PgType)>);

impl Shape {
    /// Parses a definition list such as `core int, idle float8`.
    ///
    /// # Errors
    /// When a column has no type, or one that elements cannot have.
    pub fn parse(sql: &'static str) -> Result<Self, ExprError> {
        let mut columns = Vec::new();
        let mut at = 0;
        for part in sql.split(',') {
            let mut words = part.split_whitespace();
            let (name, ty) = (words.next(), words.next());
            let pg = match ty {
                Some("int" | "int4" | "integer") => Some(PgType::Int4),
                Some("int8" | "bigint") => Some(PgType::Int8),
                Some("float8") => Some(PgType::Float8),
                Some("bool" | "boolean") => Some(PgType::Bool),
                Some("text") => Some(PgType::Text),
                _ => None,
            };
            match (name, pg, words.next()) {
                (Some(name), Some(pg), None) => columns.push((name, pg)),
                _ => return Err(ExprError::new(sql, at, "expected a column and its type")),
            }
            at += part.len() + 1;
        }
        Ok(Self(columns))
    }

    /// Returns the columns with their types, in the order of the cells.
    #[must_use]
    pub fn columns(&self) -> &[(&'static str, PgType)] {
        &self.0
    }
}

impl Columns for Shape {
    fn find(&self, name: &str) -> Option<(usize, PgType)> {
        let index = self.0.iter().position(|(known, _)| *known == name)?;
        Some((index, self.0[index].1))
    }
}

/// An expression that is bound to the positions of columns.
#[derive(Clone, Debug, PartialEq)]
pub struct Expr(Node);

impl Expr {
    /// Binds `(sql)::float8`.
    ///
    /// # Errors
    /// When it is malformed, names an unknown column, or applies an operator to types that it does not have; when the value
    /// is not a number.
    pub fn number(sql: &str, columns: &dyn Columns) -> Result<Self, ExprError> {
        let found = Parser::new(sql, columns).whole()?;
        Self::checked(sql, found, Type::is_number, "the value is not a number")
    }

    /// Binds `(sql)::text`.
    ///
    /// # Errors
    /// As [`Expr::number`], and when the text of the value depends on its precision.
    pub fn text(sql: &str, columns: &dyn Columns) -> Result<Self, ExprError> {
        let found = Parser::new(sql, columns).whole()?;
        Self::checked(sql, found, Type::is_text, "the value is not text")
    }

    /// Binds a list of expressions, separated by commas, each as text. An empty list is empty.
    ///
    /// # Errors
    /// As [`Expr::text`].
    pub fn texts(sql: &str, columns: &dyn Columns) -> Result<Vec<Self>, ExprError> {
        let list = Parser::new(sql, columns).list()?.into_iter();
        let texts = list.map(|one| Self::checked(sql, one, Type::is_text, "a value is not text"));
        texts.collect()
    }

    fn checked(
        sql: &str,
        found: Operand,
        fits: impl Fn(Type) -> bool,
        problem: &str,
    ) -> Result<Self, ExprError> {
        if fits(found.ty) {
            Ok(Self(found.node))
        } else {
            Err(ExprError::new(sql, 0, problem))
        }
    }

    /// Returns the value as `float8`; `None` for NULL.
    #[must_use]
    pub fn float8(&self, cells: &[Cell]) -> Option<f64> {
        self.0.value(cells).number()
    }

    /// Appends the value as text and returns true; leaves `out` alone and returns false when it is NULL.
    pub fn write(&self, cells: &[Cell], out: &mut String) -> bool {
        self.0.write(cells, out)
    }
}
