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
//! backslash takes either its meaning.
//! [`Function`] lists the functions. There is no more of it, on purpose: what a scrape needs is to
//! pick series, to add them up and to change units.

use std::fmt;

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
            return Err(format!("{path:?} is no path of names with dots between"));
        }
        match factor {
            Ok(factor) if f64::is_finite(factor) && factor > 0.0 => Ok(Self {
                path: path.to_owned(),
                factor,
            }),
            _ => Err("what follows the * is no positive number".to_owned()),
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

/// Which series.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Selector {
    /// Name of the metric.
    pub name: String,
    /// What its labels must be.
    pub matchers: Vec<Matcher>,
}

/// A condition on one label; a label that is not there is an empty text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Matcher {
    /// Name of the label.
    pub label: String,
    /// Whether the value must not be like the pattern.
    pub negated: bool,
    /// The alternatives, each as the texts between which anything may stand.
    alternatives: Vec<Vec<String>>,
}

impl Matcher {
    fn new(label: &str, negated: bool, pattern: &str) -> Self {
        let mut alternatives = vec![vec![String::new()]];
        let mut chars = pattern.chars();
        while let Some(c) = chars.next() {
            let (c, escaped) = match c {
                '\\' => (chars.next().unwrap_or('\\'), true),
                c => (c, false),
            };
            let Some(parts) = alternatives.last_mut() else {
                continue;
            };
            match c {
                '|' if !escaped => alternatives.push(vec![String::new()]),
                '*' if !escaped => parts.push(String::new()),
                c => {
                    if let Some(part) = parts.last_mut() {
                        part.push(c);
                    }
                }
            }
        }
        Self {
            label: label.to_owned(),
            negated,
            alternatives,
        }
    }

    /// Whether a label of this value fulfils it.
    #[must_use]
    pub fn admits(&self, value: &str) -> bool {
        self.alternatives.iter().any(|parts| is_like(parts, value)) != self.negated
    }
}

/// Whether `value` is these parts with anything between two of them.
fn is_like(parts: &[String], value: &str) -> bool {
    match parts {
        [whole] => whole == value,
        [first, between @ .., last] => {
            let Some(mut rest) = value.strip_prefix(first.as_str()) else {
                return false;
            };
            for part in between {
                match rest.find(part.as_str()) {
                    Some(at) => rest = &rest[at + part.len()..],
                    None => return false,
                }
            }
            rest.ends_with(last.as_str())
        }
        [] => false,
    }
}

/// What `map` may name beside columns: it makes rows of its own.
pub const ROWS: [&str; 2] = ["buckets", "endpoints"];

/// Deepest nesting of brackets.
const DEEPEST: usize = 16;

impl Expression {
    /// Parses `text`.
    ///
    /// # Errors
    /// What was expected where, in a few words.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut parser = Parser {
            rest: text,
            depth: 0,
        };
        let parsed = parser.expression()?;
        if parser.peek().is_some() {
            return Err(format!(
                "nothing more was expected before {:?}",
                parser.near()
            ));
        }
        Ok(parsed)
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

    /// Whether it can stand for a column of this name: `buckets` and `endpoints` are rows of their
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

struct Parser<'a> {
    rest: &'a str,
    depth: usize,
}

impl<'a> Parser<'a> {
    fn peek(&mut self) -> Option<char> {
        self.rest = self.rest.trim_start();
        self.rest.chars().next()
    }

    fn near(&self) -> String {
        self.rest.chars().take(20).collect()
    }

    fn take(&mut self, token: &str) -> bool {
        self.peek();
        match self.rest.strip_prefix(token) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    fn expect(&mut self, token: &str) -> Result<(), String> {
        if self.take(token) {
            return Ok(());
        }
        Err(format!("{token:?} was expected before {:?}", self.near()))
    }

    fn word(&mut self) -> Result<&'a str, String> {
        self.peek();
        let end = self
            .rest
            .find(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '_' | ':')))
            .unwrap_or(self.rest.len());
        let (word, rest) = self.rest.split_at(end);
        if word.is_empty() || word.starts_with(|c: char| c.is_ascii_digit()) {
            return Err(format!("a name was expected before {:?}", self.near()));
        }
        self.rest = rest;
        Ok(word)
    }

    fn number(&mut self) -> Result<f64, String> {
        self.peek();
        let end = self
            .rest
            .find(|c: char| !(c.is_ascii_digit() || c == '.'))
            .unwrap_or(self.rest.len());
        let (digits, rest) = self.rest.split_at(end);
        match digits.parse::<f64>() {
            Ok(number) if number.is_finite() => {
                self.rest = rest;
                Ok(number)
            }
            _ => Err(format!("a number was expected before {:?}", self.near())),
        }
    }

    fn expression(&mut self) -> Result<Expression, String> {
        self.depth += 1;
        if self.depth > DEEPEST {
            return Err(format!("brackets are nested deeper than {DEEPEST}"));
        }
        let mut left = self.sum()?;
        while self.peek() == Some('o') {
            self.expect("or")?;
            left = Expression::Both(Box::new(left), Operator::Or, Box::new(self.sum()?));
        }
        self.depth -= 1;
        Ok(left)
    }

    fn sum(&mut self) -> Result<Expression, String> {
        let mut left = self.product()?;
        loop {
            let operator = match self.peek() {
                Some('+') => Operator::Add,
                Some('-') => Operator::Subtract,
                _ => return Ok(left),
            };
            self.rest = &self.rest[1..];
            left = Expression::Both(Box::new(left), operator, Box::new(self.product()?));
        }
    }

    fn product(&mut self) -> Result<Expression, String> {
        let mut left = self.atom()?;
        loop {
            let operator = match self.peek() {
                Some('*') => Operator::Multiply,
                Some('/') => Operator::Divide,
                _ => return Ok(left),
            };
            self.rest = &self.rest[1..];
            left = Expression::Both(Box::new(left), operator, Box::new(self.atom()?));
        }
    }

    fn atom(&mut self) -> Result<Expression, String> {
        match self.peek() {
            Some('(') => {
                self.expect("(")?;
                let inner = self.expression()?;
                self.expect(")")?;
                Ok(inner)
            }
            Some(c) if c.is_ascii_digit() => self.number().map(Expression::Number),
            _ => self.call(),
        }
    }

    fn call(&mut self) -> Result<Expression, String> {
        let name = self.word()?;
        self.expect("(")?;
        let function = match name {
            "sum" => Function::Sum,
            "avg" => Function::Avg,
            "max" => Function::Max,
            "rate" => Function::Rate,
            "since" => Function::Since,
            "mean" => Function::Mean,
            "buckets" => Function::Buckets,
            "quantile" => {
                let share = self.number()?;
                if !(0.0..=1.0).contains(&share) {
                    return Err(format!("{share} is no share from 0 to 1"));
                }
                self.expect(",")?;
                Function::Quantile(share)
            }
            "by" => {
                let endpoint = self.word()?.to_owned();
                self.expect(",")?;
                let status = self.word()?.to_owned();
                self.expect(",")?;
                Function::By(endpoint, status)
            }
            _ => {
                return Err(format!(
                    "{name:?} is no function; there are sum, avg, max, rate, since, mean, \
                     quantile, buckets and by"
                ));
            }
        };
        let selector = self.selector()?;
        self.expect(")")?;
        Ok(Expression::Call(function, selector))
    }

    fn selector(&mut self) -> Result<Selector, String> {
        let name = self.word()?.to_owned();
        let mut matchers = Vec::new();
        if self.take("{") {
            while !self.take("}") {
                let label = self.word()?;
                let negated = self.take("!");
                self.expect("=")?;
                self.expect("\"")?;
                let (pattern, rest) = self
                    .rest
                    .split_once('"')
                    .ok_or_else(|| "a pattern has no end".to_owned())?;
                self.rest = rest;
                matchers.push(Matcher::new(label, negated, pattern));
                if !self.take(",") {
                    self.expect("}")?;
                    break;
                }
            }
        }
        Ok(Selector { name, matchers })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn selector(name: &str) -> Selector {
        Selector {
            name: name.to_owned(),
            matchers: Vec::new(),
        }
    }

    #[test]
    fn an_expression_binds_as_arithmetic_does() {
        let parsed = Expression::parse("sum(a) + sum(b) * 1000 or 2").unwrap();
        let call = |name| Box::new(Expression::Call(Function::Sum, selector(name)));
        let product = Expression::Both(
            call("b"),
            Operator::Multiply,
            Box::new(Expression::Number(1000.0)),
        );
        let sum = Expression::Both(call("a"), Operator::Add, Box::new(product));
        let whole = Expression::Both(
            Box::new(sum),
            Operator::Or,
            Box::new(Expression::Number(2.0)),
        );
        assert_eq!(parsed, whole);
    }

    #[test]
    fn what_is_no_expression_says_where() {
        for (text, words) in [
            ("", "a name was expected"),
            ("sum(a", "\")\" was expected"),
            (
                "sum(a) sum(b)",
                "nothing more was expected before \"sum(b)\"",
            ),
            ("total(a)", "\"total\" is no function"),
            ("quantile(95, a)", "no share"),
            ("quantile(a)", "a number was expected"),
            ("sum(a{b=\"c})", "no end"),
            ("sum(a{b})", "\"=\" was expected"),
            ("1 +", "a name was expected"),
            ("1.2.3", "a number was expected"),
            (&"(".repeat(5000), "nested deeper"),
        ] {
            let problem = Expression::parse(text).unwrap_err();
            assert!(problem.contains(words), "{text}: {problem}");
        }
    }

    #[test]
    fn a_pattern_is_alternatives_with_gaps() {
        for (pattern, value, admitted) in [
            ("2*|304", "200", true),
            ("2*|304", "304", true),
            ("2*|304", "404", false),
            ("*", "", true),
            ("", "", true),
            ("a*b*c", "aXbYc", true),
            ("a*b*c", "abc", true),
            ("a*b*c", "acb", false),
            ("ab*b", "ab", false),
            ("*.5", "1.5", true),
            (r"\*", "*", true),
            (r"\*", "a", false),
            (r"a\|b|c", "a|b", true),
            (r"a\|b|c", "b", false),
            (r"a\", r"a\", true),
        ] {
            for negated in [false, true] {
                let matcher = Matcher::new("", negated, pattern);
                assert_eq!(
                    matcher.admits(value),
                    admitted != negated,
                    "{pattern} {value}"
                );
            }
        }
    }

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
