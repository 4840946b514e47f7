//! From text to an [`Expression`]: a recursive descent of one function per line of the grammar.

use super::{Expression, Function, Matcher, Operator, Selector};

/// Deepest nesting of brackets.
const DEEPEST: usize = 16;

/// Parses the whole of `text`.
pub(super) fn parse(text: &str) -> Result<Expression, String> {
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
                    return Err(format!("{share} is not a share from 0 to 1"));
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
                    "{name:?} is not a function; there are sum, avg, max, rate, since, mean, \
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
    fn a_fault_of_an_expression_states_its_place() {
        for (text, words) in [
            ("", "a name was expected"),
            ("sum(a", "\")\" was expected"),
            (
                "sum(a) sum(b)",
                "nothing more was expected before \"sum(b)\"",
            ),
            ("total(a)", "\"total\" is not a function"),
            ("quantile(95, a)", "not a share"),
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
    fn a_damaged_expression_is_read_or_refused() {
        let whole = "quantile(0.95, a:b{c!=\"d*|\\é\",e=\"f\"}) * 1000 - (by(g, h, i) or 2) / 3";
        Expression::parse(whole).unwrap();
        for (at, _) in whole.char_indices() {
            drop(Expression::parse(&whole[..at]));
            drop(Expression::parse(&whole[at..]));
            for other in ["(", "\"", "é", "o", "\\", " "] {
                drop(Expression::parse(&format!(
                    "{}{other}{}",
                    &whole[..at],
                    &whole[at..]
                )));
            }
        }
    }
}
