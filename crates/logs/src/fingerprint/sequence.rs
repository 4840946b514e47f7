//! The canonical form of a sequence, without signs around values.
//!
//! Programs write a value bare, in brackets, in quotes or after a `#`, and lists with any
//! separator; which of them states nothing about the event. So tokens are added through [`Sequence`],
//! which keeps one form for all of them, whether they come from a message, from a template, or from
//! a template whose place was opened:
//!
//! | written | kept |
//! |---|---|
//! | `[<*>]`, `(<*>)`, `{<*>}`, `<<*>>`, `#<*>`, `##<*>` | `<*>` |
//! | `<*>, <*>`, `<*> - <*>`, `<*>:<*>`, `<*> <*>`, `<*> (<*>)` | `<*>` |
//! | an empty value: `[]`, `{}`, `[<*> - -]`, `<*> ()`, `key=,`, `key: ,` | `<*>`, `key=<*>,`, `key:<*>,` |
//! | a full stop after a value | dropped |

use super::token::{BREAK, CLASS, Kind, Token};

/// Signs between two values of a list, a range, a sum or a path.
const JOINERS: &[u8] = b",:;|-/&+=~*";

/// Adds tokens to a sequence.
pub(super) struct Sequence<'a> {
    tokens: &'a mut Vec<Token>,
    text: &'a [u8],
}

impl<'a> Sequence<'a> {
    /// Begins a sequence of words of `text`; what was in `tokens` is dropped.
    pub(super) fn new(tokens: &'a mut Vec<Token>, text: &'a [u8]) -> Self {
        tokens.clear();
        Self { tokens, text }
    }

    /// Returns the tokens so far.
    pub(super) fn tokens(&self) -> &[Token] {
        self.tokens
    }

    /// Adds a token; `gap`: whether a blank is before it.
    pub(super) fn push(&mut self, kind: Kind, gap: bool, span: (usize, usize)) {
        match kind {
            Kind::Wild => self.wild(gap, span),
            Kind::Word => self.add(Token::new(kind, gap, span, self.text)),
            Kind::Fixed => self.fixed(Token::new(kind, gap, span, self.text)),
        }
    }

    /// Adds a token of another sequence over the same text.
    pub(super) fn again(&mut self, token: Token) {
        match token.kind {
            Kind::Wild => self.wild_token(token),
            Kind::Word => self.add(token),
            Kind::Fixed => self.fixed(token),
        }
    }

    fn add(&mut self, mut token: Token) {
        token.gap = match self.tokens.last() {
            None => false,
            Some(last) => {
                let is_after_value = last.kind == Kind::Wild && token.kind == Kind::Word;
                token.gap || is_after_value || self.would_join(last, &token)
            }
        };
        self.tokens.push(token);
    }

    /// Returns whether two words would read as one in the template, because the sign between them is not
    /// part of the sequence: `state"idle"`.
    fn would_join(&self, last: &Token, next: &Token) -> bool {
        let is_separator =
            |byte: Option<&u8>| byte.is_none_or(|byte| CLASS[usize::from(*byte)] & BREAK != 0);
        last.kind != Kind::Wild
            && next.kind != Kind::Wild
            && last.span().1 < next.span().0
            && !is_separator(last.bytes_of(self.text).last())
            && !is_separator(next.bytes_of(self.text).first())
    }

    fn wild(&mut self, gap: bool, span: (usize, usize)) {
        self.wild_token(Token::new(Kind::Wild, gap, span, self.text));
    }

    fn wild_token(&mut self, mut token: Token) {
        while self.ends_with(b"#") {
            token.gap |= self.tokens.pop().is_some_and(|hash| hash.gap);
        }
        let mut last = self.tokens.len();
        while last > 0 && self.tokens[last - 1].is(JOINERS, self.text) {
            last -= 1;
        }
        match last.checked_sub(1).map(|last| self.tokens[last].kind) {
            Some(Kind::Wild) => self.tokens.truncate(last),
            _ => {
                let word = self
                    .tokens
                    .last()
                    .is_some_and(|last| last.kind == Kind::Word);
                token.gap |= word;
                self.add(token);
            }
        }
    }

    fn fixed(&mut self, mut token: Token) {
        let opener: &[u8] = match token.bytes_of(self.text) {
            b")" => b"(",
            b"]" => b"[",
            b"}" => b"{",
            b">" => b"<",
            b"," | b";" | b"|" => b"",
            word => {
                let stop = !token.gap && word.iter().all(|byte| b".!?".contains(byte));
                let value = self.tokens.last().map(|last| last.kind);
                if !(stop && value == Some(Kind::Wild)) {
                    self.add(token);
                }
                return;
            }
        };
        if self.ends_with(b":=") && opener != b"<" {
            self.wild(false, token.span());
            token.gap = false;
        }
        if opener.is_empty() || !self.closed(opener) {
            self.add(token);
        }
    }

    /// Puts the value itself in the place of a value in brackets, or of an empty pair of them, when
    /// the closing one comes.
    fn closed(&mut self, opener: &[u8]) -> bool {
        let dashes = self.tokens.iter().rev();
        let dashes = dashes.take_while(|token| token.is(b"-", self.text)).count();
        let mut at = self.tokens.len() - dashes;
        let value = at > 0 && self.tokens[at - 1].kind == Kind::Wild;
        at -= usize::from(value);
        let Some(at) = at.checked_sub(1) else {
            return false;
        };
        let open = self.tokens[at];
        if !open.is(opener, self.text) {
            return false;
        }
        // `main()` is the name of a function.
        let glued = !open.gap && at > 0 && self.tokens[at - 1].kind == Kind::Word;
        if !value && dashes == 0 && glued {
            return false;
        }
        self.tokens.truncate(at);
        self.wild(open.gap, open.span());
        true
    }

    fn ends_with(&self, separators: &[u8]) -> bool {
        let last = self.tokens.last();
        last.is_some_and(|last| last.is(separators, self.text))
    }
}
