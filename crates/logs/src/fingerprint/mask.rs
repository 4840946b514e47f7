//! From a message to the sequence of its words, with everything that varies masked.
//!
//! One pass over the bytes, no backtracking but for the end of a quotation, and the tokens lie in a
//! vector that is used again. What a word is, is decided where it ends, from the classes of the
//! bytes it holds and the byte that follows:
//!
//! | masked | example |
//! |---|---|
//! | quoted text; of a request the method stays | `"no such file"`, `"GET <*>"` |
//! | what holds a digit: numbers, addresses, identifiers, times | `10.0.0.7`, `blk_12`, `0x7f` |
//! | numbers with the unit after them | `12 kB` |
//! | true and false | `overlap:false` |
//! | URL, e-mail, path, name of three labels, name with port | `/etc/hosts`, `a.example.com` |
//! | IPv6 and MAC addresses whole, where a group holds letters only | `fe80::be:1` |
//! | dates with names of days and months | `Mon Jan 5` |
//! | what a redaction left | `…` |
//! | the value of `key=value` | `uid=0` |
//! | the name after *user*, *account*, *login* … | `user alice` |
//!
//! A number is kept where it says **what** happened rather than which: see [`super::code`].
//! Then `<*> (<*>)` and `<*> ()` become `<*>`, and so does a run of `<*>`, also across `,`, `:`,
//! `;`, `|`.

use super::token::{self, BLANK, BREAK, CLASS, DIGIT, DOT, Kind, LETTER, RARE, Token};
use super::{code, shape, words};

/// Most tokens of a sequence; the rest is one `<*>`. A message of 4096 characters has about 600.
const MOST: usize = 120;

/// The tokens of a message.
pub(super) fn scan(text: &str, tokens: &mut Vec<Token>) {
    tokens.clear();
    let mut scan = Scan {
        text,
        bytes: text.as_bytes(),
        at: 0,
        gap: false,
        named: false,
        number: false,
        request: 0,
        quotes_end: [usize::MAX; 2],
        tokens,
    };
    scan.run();
}

struct Scan<'a> {
    text: &'a str,
    bytes: &'a [u8],
    at: usize,
    /// A blank stands before what comes.
    gap: bool,
    /// What comes is a name.
    named: bool,
    /// The token before is a number on its own.
    number: bool,
    /// So many tokens from here may be the status of a request.
    request: u8,
    /// From here on no `"` and no `'` closes anything.
    quotes_end: [usize; 2],
    tokens: &'a mut Vec<Token>,
}

impl Scan<'_> {
    fn run(&mut self) {
        while self.at < self.bytes.len() {
            let byte = self.bytes[self.at];
            let class = CLASS[usize::from(byte)];
            if class & BLANK != 0 {
                self.blank(byte);
            } else if self.tokens.len() >= MOST {
                self.at = self.bytes.len();
                self.wild(self.bytes.len());
            } else if class & BREAK != 0 {
                self.separator(byte);
            } else {
                self.word();
            }
        }
    }

    fn byte(&self, at: usize) -> u8 {
        self.bytes.get(at).copied().unwrap_or(0)
    }

    /// Blanks, and terminal sequences as one.
    fn blank(&mut self, byte: u8) {
        self.at += 1;
        self.gap = true;
        if byte == 0x1b && self.byte(self.at) == b'[' {
            self.at += 1;
            while matches!(self.byte(self.at), b'0'..=b'?') {
                self.at += 1;
            }
            if matches!(self.byte(self.at), b'@'..=b'~') {
                self.at += 1;
            }
        }
    }

    fn separator(&mut self, byte: u8) {
        match byte {
            b'"' if self.quoted(b'"') => return,
            b'\'' if self.opens_quote() && self.quoted(b'\'') => return,
            b':' if self.byte(self.at + 1) == b':' => {
                if let Some(end) = shape::address(self.bytes, self.at) {
                    return self.masked(end);
                }
            }
            _ => {}
        }
        self.named &= matches!(byte, b'=' | b':');
        self.number = false;
        self.fixed(self.at, self.at + 1);
        self.at += 1;
    }

    /// Whether the `'` here begins a quotation: it does not within a word.
    fn opens_quote(&self) -> bool {
        self.at == 0 || !self.bytes[self.at - 1].is_ascii_alphanumeric()
    }

    /// The quotation that begins here, if it ends.
    fn quoted(&mut self, quote: u8) -> bool {
        let which = usize::from(quote == b'\'');
        let mut from = self.at + 1;
        if from >= self.quotes_end[which] {
            return false;
        }
        let end = loop {
            let Some(found) = memchr::memchr(quote, &self.bytes[from..]) else {
                self.quotes_end[which] = self.at;
                return false;
            };
            let end = from + found;
            let inside = if quote == b'"' {
                self.bytes[end - 1] == b'\\' && end > self.at + 1
            } else {
                self.byte(end + 1).is_ascii_alphanumeric()
            };
            if !inside {
                break end;
            }
            from = end + 1;
        };
        let inner = self.at + 1;
        let method = inner
            + self.bytes[inner..end]
                .iter()
                .take_while(|byte| byte.is_ascii_uppercase())
                .count();
        if self.byte(method) == b' ' && words::is_method(&self.bytes[inner..method]) {
            self.fixed(self.at, inner);
            self.fixed(inner, method);
            self.gap = true;
            self.wild(end);
            self.fixed(end, end + 1);
            self.request = 4;
            self.at = end + 1;
        } else {
            self.masked(end + 1);
        }
        true
    }

    /// The word that begins here.
    fn word(&mut self) {
        let start = self.at;
        let mut seen = 0;
        let mut at = start;
        while at < self.bytes.len() {
            let class = CLASS[usize::from(self.bytes[at])];
            if class & (BLANK | BREAK) != 0 {
                break;
            }
            seen |= class;
            at += 1;
        }
        if seen & DOT != 0
            && let Some(length) = token::leader(&self.bytes[start..at])
        {
            at = start + length;
            seen = token::classes_of(&self.bytes[start..at]);
        }
        let word = &self.bytes[start..at];
        self.request = self.request.saturating_sub(1);
        if self.byte(at) == b':'
            && let Some(end) = self.through_colon(start, at)
        {
            return self.masked(end);
        }
        if seen & DIGIT != 0 {
            let number = seen == DIGIT;
            if self.is_code(start, at) {
                self.number = false;
                self.fixed(start, at);
                self.at = at;
                return;
            }
            self.masked(at);
            self.number = number || shape::is_quantity(word);
            return;
        }
        if (seen & !LETTER != 0 && shape::is_name(word, seen)) || self.varies(word, seen, at) {
            return self.masked(at);
        }
        self.named = words::is_named(word);
        self.number = false;
        if seen & LETTER != 0 && words::is_method(word) {
            self.request = 6;
        }
        self.push(
            if seen & (LETTER | RARE) != 0 {
                Kind::Word
            } else {
                Kind::Fixed
            },
            start,
            at,
        );
        self.at = at;
        if self.byte(at) == b'=' {
            self.value();
        }
    }

    /// Whether the word is one of the numbers that are kept.
    fn is_code(&self, start: usize, end: usize) -> bool {
        let place = code::Place {
            tokens: self.tokens,
            text: self.text,
            request: self.request > 0,
            next: self.byte(end),
        };
        code::is_kept(&place, &self.bytes[start..end])
    }

    /// What goes on through the `:` at `at`: a URL, an address, a name with its port, a drive.
    fn through_colon(&self, start: usize, at: usize) -> Option<usize> {
        if self.byte(at + 1) == b'/' && self.byte(at + 2) == b'/' {
            return Some(self.until(at + 3, b"\"'<>,;)]}|"));
        }
        if at - start <= 4
            && let Some(end) = shape::address(self.bytes, start)
        {
            return Some(end);
        }
        if self.byte(at + 1) == b'\\' && at - start == 1 {
            return Some(self.until(at + 1, b"\"'<>,;:()[]{}|="));
        }
        let word = &self.bytes[start..at];
        // `host:port`; in `object.field:value` there are capitals as a rule.
        let labels = word.split(|byte| *byte == b'.');
        let labels = labels.filter(|label| !label.is_empty()).count();
        let small = !word.iter().any(u8::is_ascii_uppercase);
        (labels >= 2 && small && self.byte(at + 1).is_ascii_digit()).then_some(at)
    }

    /// Where the word ends that goes on from `at` to a blank or one of `stops`.
    fn until(&self, at: usize, stops: &[u8]) -> usize {
        let rest = self.bytes.get(at..).unwrap_or_default();
        at + rest
            .iter()
            .position(|byte| CLASS[usize::from(*byte)] & BLANK != 0 || stops.contains(byte))
            .unwrap_or(rest.len())
    }

    /// Whether a word varies because of the words around it.
    fn varies(&self, word: &[u8], seen: u8, end: usize) -> bool {
        let key = self.byte(end) == b'=';
        if self.named && !key && !words::is_function(word) && seen & LETTER != 0 {
            return true;
        }
        if self.number && self.gap && words::is_unit(word) {
            return true;
        }
        if seen == LETTER {
            if words::is_boolean(word) {
                return true;
            }
            if word.len() >= 8 && word.iter().all(|byte| matches!(byte, b'a'..=b'f')) {
                return true;
            }
            let next = self
                .bytes
                .get(self.until_not_blank(end)..)
                .unwrap_or_default();
            let date = match next.first() {
                Some(b'0'..=b'9') => true,
                Some(b'A'..=b'Z') => next.get(..3).is_some_and(words::is_date),
                _ => false,
            };
            if date && words::is_date(word) {
                return true;
            }
        }
        false
    }

    fn until_not_blank(&self, mut at: usize) -> usize {
        while matches!(self.byte(at), b' ' | b',') {
            at += 1;
        }
        at.min(self.bytes.len())
    }

    /// The value after the `=` here.
    fn value(&mut self) {
        let from = self.at + 1;
        let first = self.byte(from);
        let class = CLASS[usize::from(first)];
        if from >= self.bytes.len() || class & BLANK != 0 || matches!(first, b'=' | b'>') {
            return;
        }
        self.fixed(self.at, from);
        self.at = from;
        if matches!(first, b'"' | b'\'') && self.quoted(first) {
            return;
        }
        let end = self.until(from, b",;()[]{}\"'|");
        if end == from {
            return;
        }
        if self.is_code(from, end) {
            self.fixed(from, end);
            self.at = end;
        } else {
            self.masked(end);
        }
    }

    /// A masked token from here to `end`.
    fn masked(&mut self, end: usize) {
        self.wild(end);
        self.at = end;
        self.named = false;
        self.number = false;
    }

    fn wild(&mut self, end: usize) {
        let gap = std::mem::take(&mut self.gap);
        let mut last = self.tokens.len();
        while last > 0 && self.tokens[last - 1].is(b",:;|", self.bytes) {
            last -= 1;
        }
        if last > 0 && self.tokens[last - 1].kind == Kind::Wild {
            self.tokens.truncate(last);
            return;
        }
        let gap = gap && !self.tokens.is_empty();
        let span = (self.at, end);
        self.tokens
            .push(Token::new(Kind::Wild, gap, span, self.bytes));
    }

    fn fixed(&mut self, start: usize, end: usize) {
        self.push(Kind::Fixed, start, end);
        let count = self.tokens.len();
        if self.bytes[start] == b')' && end == start + 1 {
            // `<*> (<*>)` and `<*> ()`: one size in two units, a name and its address.
            let inner = usize::from(count >= 4 && self.tokens[count - 2].kind == Kind::Wild);
            let opening = count.wrapping_sub(2 + inner);
            if opening < count
                && opening > 0
                && self.tokens[opening].is(b"(", self.bytes)
                && self.tokens[opening - 1].kind == Kind::Wild
            {
                self.tokens.truncate(opening);
            }
        }
    }

    fn push(&mut self, kind: Kind, start: usize, end: usize) {
        let gap = std::mem::take(&mut self.gap);
        let gap = gap && !self.tokens.is_empty();
        self.tokens
            .push(Token::new(kind, gap, (start, end), self.bytes));
    }
}
