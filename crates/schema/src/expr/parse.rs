//! Parses an expression, binds its columns and checks its types in one pass.
//!
//! One function per level of precedence, the loosest first, as in the manual of PostgreSQL ("Operator Precedence").

use super::eval::{Cast, Comparison, Node, Operation};
use super::lex::{Lexeme, Lexer, Token, is_reserved};
use super::types::{self, Operand, Type};
use super::{Columns, ExprError};

/// Deepest nesting of parentheses, calls and `CASE`, so that they do not exhaust the stack.
const MAX_DEPTH: usize = 64;

pub(super) struct Parser<'a> {
    sql: &'a str,
    tokens: std::iter::Peekable<Lexer<'a>>,
    columns: &'a dyn Columns,
    depth: usize,
}

type Parsed = Result<Operand, ExprError>;

impl<'a> Parser<'a> {
    pub(super) fn new(sql: &'a str, columns: &'a dyn Columns) -> Self {
        Self {
            sql,
            tokens: Lexer::new(sql).peekable(),
            columns,
            depth: 0,
        }
    }

    /// Parses one expression up to the end.
    pub(super) fn whole(mut self) -> Parsed {
        let found = self.expression()?;
        self.end()?;
        Ok(found)
    }

    /// Parses expressions separated by commas; none when there is only space.
    pub(super) fn list(mut self) -> Result<Vec<Operand>, ExprError> {
        let mut found = Vec::new();
        if self.tokens.peek().is_some() {
            found = self.operands()?;
        }
        self.end()?;
        Ok(found)
    }

    fn end(&mut self) -> Result<(), ExprError> {
        match self.tokens.peek().map(|next| next.at) {
            None => Ok(()),
            Some(at) => Err(self.fault(at, "expected an operator or the end")),
        }
    }

    fn fault(&self, at: usize, problem: impl Into<String>) -> ExprError {
        ExprError::new(self.sql, at, problem)
    }

    /// Returns the byte at which the next token begins.
    fn at(&mut self) -> usize {
        self.tokens.peek().map_or(self.sql.len(), |next| next.at)
    }

    fn takes_symbol(&mut self, symbol: &str) -> bool {
        let is_next = |next: &Lexeme<'_>| matches!(next.token, Token::Symbol(one) if one == symbol);
        self.tokens.next_if(is_next).is_some()
    }

    fn takes_word(&mut self, word: &str) -> bool {
        let is_next = |next: &Lexeme<'_>| matches!(next.token, Token::Word(one) if one.eq_ignore_ascii_case(word));
        self.tokens.next_if(is_next).is_some()
    }

    fn expect_symbol(&mut self, symbol: &str) -> Result<(), ExprError> {
        if self.takes_symbol(symbol) {
            return Ok(());
        }
        let at = self.at();
        Err(self.fault(at, format!("expected {symbol}")))
    }

    fn expect_word(&mut self, word: &str) -> Result<(), ExprError> {
        if self.takes_word(word) {
            return Ok(());
        }
        let at = self.at();
        Err(self.fault(at, format!("expected {word}")))
    }

    /// Names the place in the expression at which the types do not fit.
    fn typed(&self, at: usize, typed: Result<Operand, &'static str>) -> Parsed {
        typed.map_err(|problem| self.fault(at, problem))
    }

    fn expression(&mut self) -> Parsed {
        if self.depth == MAX_DEPTH {
            let at = self.at();
            return Err(self.fault(at, "nested too deeply"));
        }
        self.depth += 1;
        let found = self.or();
        self.depth -= 1;
        found
    }

    fn or(&mut self) -> Parsed {
        let mut left = self.and()?;
        loop {
            let at = self.at();
            if !self.takes_word("or") {
                return Ok(left);
            }
            let right = self.and()?;
            left = self.typed(at, types::logical(Node::Or, left, right))?;
        }
    }

    fn and(&mut self) -> Parsed {
        let mut left = self.not()?;
        loop {
            let at = self.at();
            if !self.takes_word("and") {
                return Ok(left);
            }
            let right = self.not()?;
            left = self.typed(at, types::logical(Node::And, left, right))?;
        }
    }

    fn not(&mut self) -> Parsed {
        let mut count = 0;
        let at = self.at();
        while self.takes_word("not") {
            count += 1;
        }
        let mut found = self.is()?;
        for _ in 0..count {
            found = self.typed(at, types::not(found))?;
        }
        Ok(found)
    }

    fn is(&mut self) -> Parsed {
        let mut found = self.comparison()?;
        while self.takes_word("is") {
            let is_negated = self.takes_word("not");
            self.expect_word("null")?;
            let is_null = Node::IsNull(Box::new(found.node));
            let node = if is_negated {
                Node::Not(Box::new(is_null))
            } else {
                is_null
            };
            found = Operand::new(node, Type::Bool);
        }
        Ok(found)
    }

    fn comparison(&mut self) -> Parsed {
        const COMPARISONS: [(&str, Comparison); 7] = [
            ("=", Comparison::Equal),
            ("<>", Comparison::NotEqual),
            ("!=", Comparison::NotEqual),
            ("<=", Comparison::LessOrEqual),
            (">=", Comparison::GreaterOrEqual),
            ("<", Comparison::Less),
            (">", Comparison::Greater),
        ];
        let left = self.membership()?;
        let at = self.at();
        let Some((_, comparison)) = COMPARISONS
            .iter()
            .find(|(symbol, _)| self.takes_symbol(symbol))
        else {
            return Ok(left);
        };
        let right = self.membership()?;
        self.typed(at, types::comparison(*comparison, left, right))
    }

    fn membership(&mut self) -> Parsed {
        let found = self.concatenation()?;
        let at = self.at();
        // `x NOT IN (…)`; another NOT cannot follow an operand.
        let is_negated = self.takes_word("not");
        if !is_negated && !self.takes_word("in") {
            return Ok(found);
        }
        if is_negated {
            self.expect_word("in")?;
        }
        self.expect_symbol("(")?;
        let list = self.operands()?;
        self.expect_symbol(")")?;
        let found = self.typed(at, types::membership(found, list))?;
        if is_negated {
            return self.typed(at, types::not(found));
        }
        Ok(found)
    }

    fn concatenation(&mut self) -> Parsed {
        let mut left = self.sum()?;
        loop {
            let at = self.at();
            if !self.takes_symbol("||") {
                return Ok(left);
            }
            let right = self.sum()?;
            left = self.typed(at, types::concatenation(left, right))?;
        }
    }

    fn sum(&mut self) -> Parsed {
        let mut left = self.product()?;
        loop {
            let at = self.at();
            let operation = if self.takes_symbol("+") {
                Operation::Add
            } else if self.takes_symbol("-") {
                Operation::Subtract
            } else {
                return Ok(left);
            };
            let right = self.product()?;
            left = self.typed(at, types::arithmetic(operation, left, right))?;
        }
    }

    fn product(&mut self) -> Parsed {
        let mut left = self.signed()?;
        loop {
            let at = self.at();
            let operation = if self.takes_symbol("*") {
                Operation::Multiply
            } else if self.takes_symbol("/") {
                Operation::Divide
            } else {
                return Ok(left);
            };
            let right = self.signed()?;
            left = self.typed(at, types::arithmetic(operation, left, right))?;
        }
    }

    fn signed(&mut self) -> Parsed {
        let at = self.at();
        let mut is_negative = false;
        loop {
            if self.takes_symbol("-") {
                is_negative = !is_negative;
            } else if !self.takes_symbol("+") {
                break;
            }
        }
        let found = self.cast()?;
        if is_negative {
            return self.typed(at, types::negative(found));
        }
        Ok(found)
    }

    fn cast(&mut self) -> Parsed {
        let mut found = self.primary()?;
        loop {
            if !self.takes_symbol("::") {
                return Ok(found);
            }
            let at = self.at();
            let cast = match self.tokens.next().map(|lexeme| lexeme.token) {
                Some(Token::Word("int" | "int4" | "integer")) => Cast::Int4,
                Some(Token::Word("int8" | "bigint")) => Cast::Int8,
                Some(Token::Word("float8")) => Cast::Float8,
                Some(Token::Word("text")) => Cast::Text,
                _ => return Err(self.fault(at, "expected int, int8, float8 or text")),
            };
            found = self.typed(at, types::cast(cast, found))?;
        }
    }

    fn primary(&mut self) -> Parsed {
        let at = self.at();
        match self.tokens.next().map(|lexeme| lexeme.token) {
            Some(Token::Number(digits)) => {
                let number = types::number(digits);
                number.ok_or_else(|| self.fault(at, "not a number"))
            }
            Some(Token::Text(text)) => {
                let text = text.replace("''", "'").into_boxed_str();
                Ok(Operand::new(Node::Text(text), Type::Literal))
            }
            Some(Token::Symbol("(")) => {
                let found = self.expression()?;
                self.expect_symbol(")")?;
                Ok(found)
            }
            Some(Token::Word(word)) => self.word(at, word),
            None => Err(self.fault(at, "expected a value at the end")),
            Some(_) => Err(self.fault(at, "expected a value")),
        }
    }

    fn word(&mut self, at: usize, word: &str) -> Parsed {
        if is_reserved(word) {
            return match word.to_ascii_lowercase().as_str() {
                "null" => Ok(Operand::new(Node::Null, Type::Null)),
                "true" => Ok(Operand::new(Node::Bool(true), Type::Bool)),
                "false" => Ok(Operand::new(Node::Bool(false), Type::Bool)),
                "case" => self.case(at),
                _ => Err(self.fault(at, "expected a value")),
            };
        }
        if self.takes_symbol("(") {
            let list = self.operands()?;
            self.expect_symbol(")")?;
            return self.typed(at, types::call(word, list));
        }
        let Some((index, pg)) = self.columns.find(word) else {
            return Err(self.fault(at, format!("there is no column {word}")));
        };
        Ok(Operand::new(Node::Column(index), Type::of(pg)))
    }

    fn operands(&mut self) -> Result<Vec<Operand>, ExprError> {
        let mut list = vec![self.expression()?];
        while self.takes_symbol(",") {
            list.push(self.expression()?);
        }
        Ok(list)
    }

    fn case(&mut self, at: usize) -> Parsed {
        let mut arms = Vec::new();
        while self.takes_word("when") {
            let condition = self.expression()?;
            self.expect_word("then")?;
            arms.push((condition, self.expression()?));
        }
        if arms.is_empty() {
            return Err(self.fault(at, "expected when after case"));
        }
        let otherwise = if self.takes_word("else") {
            self.expression()?
        } else {
            Operand::new(Node::Null, Type::Null)
        };
        self.expect_word("end")?;
        self.typed(at, types::case(arms, otherwise))
    }
}
