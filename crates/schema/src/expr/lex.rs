//! Splits an expression into tokens.

/// What a token is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Token<'a> {
    /// A column, a function, a type or a word of SQL.
    Word(&'a str),
    /// A number without sign.
    Number(&'a str),
    /// The content of a text literal; quotes in it are doubled.
    Text(&'a str),
    /// An operator, a parenthesis or a comma.
    Symbol(&'static str),
    /// What no expression contains.
    Unknown(char),
}

/// A token with the byte at which it begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Lexeme<'a> {
    pub(super) at: usize,
    pub(super) token: Token<'a>,
}

/// Operators and punctuation; those of two characters first.
const SYMBOLS: [&str; 16] = [
    "||", "::", "<>", "<=", ">=", "!=", "<", ">", "=", "+", "-", "*", "/", "(", ")", ",",
];

/// The words that are never columns.
const RESERVED: [&str; 13] = [
    "case", "when", "then", "else", "end", "and", "or", "not", "null", "is", "in", "true", "false",
];

/// Returns whether a word is part of the language.
pub(super) fn is_reserved(word: &str) -> bool {
    RESERVED
        .iter()
        .any(|reserved| word.eq_ignore_ascii_case(reserved))
}

/// The tokens of an expression, in order.
#[derive(Clone, Debug)]
pub(super) struct Lexer<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Lexer<'a> {
    pub(super) const fn new(text: &'a str) -> Self {
        Self { text, at: 0 }
    }

    /// Takes characters as long as `belongs` holds.
    fn take(&mut self, belongs: impl Fn(char) -> bool) -> &'a str {
        let rest = &self.text[self.at..];
        let length = rest.find(|c| !belongs(c)).unwrap_or(rest.len());
        self.at += length;
        &rest[..length]
    }

    fn number(&mut self) -> &'a str {
        let start = self.at;
        self.take(|c| c.is_ascii_digit() || c == '.');
        let rest = &self.text[self.at..];
        if let Some(exponent) = rest.strip_prefix(['e', 'E']) {
            let unsigned = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
            if unsigned.starts_with(|c: char| c.is_ascii_digit()) {
                self.at = self.text.len() - unsigned.len();
                self.take(|c| c.is_ascii_digit());
            }
        }
        &self.text[start..self.at]
    }

    /// Returns the content of a text literal, whose first quote was taken; `None` without a last one.
    fn literal(&mut self) -> Option<&'a str> {
        let start = self.at;
        loop {
            self.take(|c| c != '\'');
            let rest = &self.text[self.at..];
            if rest.starts_with("''") {
                self.at += 2;
            } else if rest.is_empty() {
                return None;
            } else {
                self.at += 1;
                return Some(&self.text[start..self.at - 1]);
            }
        }
    }
}

impl<'a> Iterator for Lexer<'a> {
    type Item = Lexeme<'a>;

    fn next(&mut self) -> Option<Lexeme<'a>> {
        self.take(char::is_whitespace);
        let at = self.at;
        let rest = &self.text[at..];
        let first = rest.chars().next()?;
        let symbol = SYMBOLS.iter().find(|symbol| rest.starts_with(**symbol));
        let token = if let Some(symbol) = symbol {
            self.at += symbol.len();
            Token::Symbol(symbol)
        } else if first.is_ascii_digit() {
            Token::Number(self.number())
        } else if first.is_ascii_alphabetic() || first == '_' {
            Token::Word(self.take(|c| c.is_ascii_alphanumeric() || c == '_'))
        } else {
            self.at += first.len_utf8();
            let literal = if first == '\'' { self.literal() } else { None };
            literal.map_or(Token::Unknown(first), Token::Text)
        };
        Some(Lexeme { at, token })
    }
}

/// Returns the columns that an expression, or a list of them, names: in order, repeated ones repeatedly.
pub fn columns(sql: &str) -> impl Iterator<Item = &str> {
    let mut tokens = Lexer::new(sql).map(|lexeme| lexeme.token).peekable();
    let mut is_type = false;
    std::iter::from_fn(move || {
        loop {
            let token = tokens.next()?;
            let is_named = !std::mem::replace(&mut is_type, token == Token::Symbol("::"));
            let is_called = tokens.peek() == Some(&Token::Symbol("("));
            if let Token::Word(word) = token
                && is_named
                && !is_called
                && !is_reserved(word)
            {
                return Some(word);
            }
        }
    })
}
