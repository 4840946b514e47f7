//! How a column is had from what a target serves: the language of `[scrape.target.map]`.
//!
//! In a JSON body a value has a path, see [`JsonPath`]. Of the series of a Prometheus or OpenMetrics
//! body it is an expression:
//!
//! ```text
//! expression = sum ["or" expression]            the first of them that is there
//! sum        = product {("+" | "-") product}
//! product    = atom {("*" | "/") atom}
//! atom       = NUMBER | "(" expression ")" | FUNCTION "(" arguments ")"
//! selector   = NAME ["{" LABEL ("=" | "!=") "\"" PATTERN "\"" {"," …} "}"]
//! ```
//!
//! A pattern is a list of alternatives, cut by `|`, in which `*` stands for any text: `"2*|304"`. A
//! backslash takes either its meaning. The alternative `@internal` stands for names of what serves
//! statistics, metrics and health checks.
//! [`Function`] lists the functions. There is no more of it, on purpose: what a scrape needs is to
//! pick series, to add them up and to change units.

mod internal;
mod parser;
mod selector;

use std::fmt;

pub use selector::{Matcher, Selector};

/// Where a value is in a JSON body: `latency.p95_ms`, or `memory_mb * 1048576` to change the unit.
#[derive(Clone, Debug, PartialEq)]
pub struct JsonPath {
    /// Names from the outside in, joined by dots.
    pub path: String,
    /// What the value is multiplied by.
    pub factor: f64,
}

impl JsonPath {
    /// Parses `text`.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn parse(text: &str) -> Result<Self, String> {
        let (path, factor) = match text.split_once(" * ") {
            Some((path, factor)) => (path, factor.trim().parse()),
            None => (text, Ok(1.0)),
        };
        let path = path.trim();
        let plain = |part: &str| !part.is_empty() && !part.contains(char::is_whitespace);
        if !path.split('.').all(plain) {
            return Err(format!("{path:?} is not a path of names with dots between"));
        }
        match factor {
            Ok(factor) if f64::is_finite(factor) && factor > 0.0 => Ok(Self {
                path: path.to_owned(),
                factor,
            }),
            _ => Err("what follows the * is not a positive number".to_owned()),
        }
    }
}

/// What a column is made of.
#[derive(Clone, Debug, PartialEq)]
pub enum Expression {
    /// A constant.
    Number(f64),
    /// A function of the series that a selector names.
    Call(Function, Selector),
    /// Two values and what is done with them.
    Both(Box<Self>, Operator, Box<Self>),
}

/// Between two values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operator {
    /// `+`.
    Add,
    /// `-`.
    Subtract,
    /// `*`.
    Multiply,
    /// `/`; nothing when the divisor is zero.
    Divide,
    /// `or`: the left one if it is there, else the right one.
    Or,
}

/// What is made of the series of a selector.
#[derive(Clone, Debug, PartialEq)]
pub enum Function {
    /// `sum(s)`: all added up.
    Sum,
    /// `avg(s)`: their plain mean.
    Avg,
    /// `max(s)`: the largest.
    Max,
    /// `rate(s)`: growth of their sum per second since the previous scrape.
    Rate,
    /// `since(s)`: seconds from the smallest of them, a Unix time, until now.
    Since,
    /// `mean(h)`: growth of `h_sum` by growth of `h_count` since the previous scrape.
    Mean,
    /// `quantile(0.95, h)`: of a summary as it is; of a histogram from the growth of its buckets
    /// since the previous scrape.
    Quantile(f64),
    /// `buckets(h)`: the buckets of a histogram; for `buckets` alone, times a number if need be.
    Buckets,
    /// `by(endpoint, status, s)`: one row for each pair of these two labels; for `endpoints` alone.
    By(String, String),
}

/// What `map` may name beside columns: it makes rows of its own.
pub const ROWS: [&str; 2] = ["buckets", "endpoints"];

impl Expression {
    /// Parses `text`.
    ///
    /// # Errors
    /// What was expected where, in a few words.
    pub fn parse(text: &str) -> Result<Self, String> {
        parser::parse(text)
    }

    /// Shows every selector in it.
    pub fn visit(&self, seen: &mut impl FnMut(&Selector)) {
        match self {
            Self::Number(_) => {}
            Self::Call(_, selector) => seen(selector),
            Self::Both(left, _, right) => {
                left.visit(seen);
                right.visit(seen);
            }
        }
    }

    /// Returns whether it can stand for a column of this name: `buckets` and `endpoints` are rows of their
    /// own and have functions of their own; every other column is a number.
    #[must_use]
    pub fn fits(&self, column: &str) -> bool {
        match (column, self) {
            ("buckets", Self::Both(left, Operator::Multiply, right)) => {
                matches!(
                    (&**left, &**right),
                    (Self::Call(Function::Buckets, _), Self::Number(_))
                )
            }
            ("buckets", Self::Call(Function::Buckets, _))
            | ("endpoints", Self::Call(Function::By(..), _)) => true,
            ("buckets" | "endpoints", _) => false,
            _ => self.is_number(),
        }
    }

    fn is_number(&self) -> bool {
        match self {
            Self::Number(_) => true,
            Self::Call(function, _) => !matches!(function, Function::Buckets | Function::By(..)),
            Self::Both(left, _, right) => left.is_number() && right.is_number(),
        }
    }
}

impl fmt::Display for Operator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Add => "+",
            Self::Subtract => "-",
            Self::Multiply => "*",
            Self::Divide => "/",
            Self::Or => "or",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_json_path_is_names_and_perhaps_a_factor() {
        for (text, path, factor) in [
            ("a", "a", 1.0),
            ("a.b-c.d", "a.b-c.d", 1.0),
            (" a.b * 1000 ", "a.b", 1000.0),
            ("a * 0.5", "a", 0.5),
        ] {
            let parsed = JsonPath::parse(text).unwrap();
            assert_eq!((parsed.path.as_str(), parsed.factor), (path, factor));
        }
        for text in [
            "",
            ".",
            "a..b",
            "a b",
            "a * b",
            "a * 0",
            "a * inf",
            "sum(a) + 1",
        ] {
            assert!(JsonPath::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn rows_have_functions_of_their_own() {
        for (column, text, fits) in [
            ("buckets", "buckets(h) * 1000", true),
            ("buckets", "buckets(h)", true),
            ("buckets", "sum(h)", false),
            ("endpoints", "by(path, code, c)", true),
            ("endpoints", "sum(c)", false),
            ("request_total", "sum(c)", true),
            ("request_total", "buckets(h)", false),
            ("request_total", "1 + by(a, b, c)", false),
        ] {
            let parsed = Expression::parse(text).unwrap();
            assert_eq!(parsed.fits(column), fits, "{column} = {text}");
        }
    }
}
