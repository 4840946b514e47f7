//! Splits a message into the sequence of its words, with variable parts masked.
//!
//! One pass over the bytes, without backtracking except for the end of a quotation; the vector of
//! tokens is reused. A word is classified at its end, from the classes of its
//! bytes and the byte that follows:
//!
//! | masked | example |
//! |---|---|
//! | quoted text, but for a word of state, the key of an object and the message itself; of a request the method stays | `"no such file"`, `"GET <*>"` |
//! | what holds a digit: numbers, addresses, identifiers, times | `10.0.0.7`, `blk_12`, `0x7f` |
//! | numbers with the unit after them | `12 kB` |
//! | true, false, null | `overlap:false` |
//! | URL, e-mail, path, name of a host | `/etc/hosts`, `db.example.com` |
//! | IPv6 and MAC addresses whole, where a group holds letters only | `fe80::be:1` |
//! | dates with names of days and months | `Mon Jan 5` |
//! | what a redaction left | `…` |
//! | the value of `key=value`, also where it is empty | `uid=0`, `rhost=` |
//! | the name after *user*, *account*, *login* … | `user alice` |
//!
//! A word with a digit stays where it is the name of a kind ([`shape::is_kind`]) or a key, and a
//! number where it states **what** happened rather than which ([`super::code`]). Signs around a value
//! are not part of the sequence: see [`super::sequence`].

use super::sequence::Sequence;
use super::token::{self, BLANK, BREAK, CLASS, DIGIT, DOT, Kind, LETTER, Token, WILD};
use super::{code, shape, words};

/// Maximum number of tokens of a sequence; the rest is one `<*>`. A message of 4096 characters has about 600.
const MOST: usize = 120;

/// Maximum length of a key in quotes, and of a value in brackets or typographic quotes.
const LONGEST_KEY: usize = 40;
const LONGEST_VALUE: usize = 256;

/// Quotation marks beyond ASCII, with their closing marks.
const QUOTES: &[(&str, &[&str])] = &[
    ("“", &["”"]),
    ("‘", &["’"]),
    ("„", &["“", "”"]),
    ("‚", &["‘", "’"]),
    ("«", &["»"]),
    ("»", &["«"]),
    ("‹", &["›"]),
    ("「", &["」"]),
    ("『", &["』"]),
    ("《", &["》"]),
];

/// Splits a message into its tokens. Returns whether every other message of the same skeleton has the same: no word
/// is there after which a number may be kept.
pub(super) fn scan(text: &str, tokens: &mut Vec<Token>) -> bool {
    let bytes = text.as_bytes();
    let mut scan = Scan {
        text,
        bytes,
        at: 0,
        gap: false,
        named: false,
        number: false,
        request: false,
        answer: 0,
        quotes_end: [usize::MAX; 3],
        text_end: usize::MAX,
        sequence: Sequence::new(tokens, bytes),
    };
    scan.run();
    let is_request = scan.request;
    let may_keep = |token: &Token| token.kind == Kind::Word && code::may_keep(token.bytes(text));
    !is_request && !tokens.iter().any(may_keep)
}

struct Scan<'a> {
    text: &'a str,
    bytes: &'a [u8],
    at: usize,
    /// A blank is before the next token.
    gap: bool,
    /// The next word is a name.
    named: bool,
    /// The token before is a number on its own.
    number: bool,
    /// A request was named.
    request: bool,
    /// Number of further tokens that may be the status of the request.
    answer: u8,
    /// From here on no `"`, no `'` and no `` ` `` closes anything.
    quotes_end: [usize; 3],
    /// The mark that closes a text in quotes whose words are examined.
    text_end: usize,
    sequence: Sequence<'a>,
}

impl Scan<'_> {
    fn run(&mut self) {
        while self.at < self.bytes.len() {
            let byte = self.bytes[self.at];
            let class = CLASS[usize::from(byte)];
            if class & BLANK != 0 {
                self.blank(byte);
            } else if self.sequence.tokens().len() >= MOST {
                self.masked(self.bytes.len());
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

    /// Passes over a blank, and over a terminal sequence as one.
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
            _ if self.at == self.text_end => {
                (self.at, self.gap) = (self.at + 1, true);
                return;
            }
            b'"' | b'`' if self.quoted(byte, true) => return,
            b'\'' if self.opens_quote() && self.quoted(byte, true) => return,
            b':' if self.byte(self.at + 1) == b':' => {
                if let Some(end) = shape::address(self.bytes, self.at) {
                    return self.masked(end);
                }
            }
            b'<' if self.bytes[self.at..].starts_with(WILD.as_bytes()) => {
                return self.masked(self.at + WILD.len());
            }
            // A limit, `<1 s`, unless it closes as brackets do.
            b'<' | b'>' if self.byte(self.at + 1).is_ascii_digit() && !self.is_closed() => {
                self.at += 1;
                return;
            }
            b'=' if self.assigns() => return self.value(),
            _ => {}
        }
        self.named &= matches!(byte, b'=' | b':' | b'<');
        self.number = false;
        self.push(Kind::Fixed, self.at + 1);
    }

    /// Returns whether the `'` here begins a quotation: it does not within a word.
    fn opens_quote(&self) -> bool {
        self.at == 0 || !self.bytes[self.at - 1].is_ascii_alphanumeric()
    }

    /// Returns whether the value after the `<` here is closed by `>`.
    fn is_closed(&self) -> bool {
        self.byte(self.until(self.at + 1, b"<>(){}[]\"'`,;=")) == b'>'
    }

    /// Returns whether the `=` here is between a key and its value: not in `==`, `=>`, `!=`.
    fn assigns(&self) -> bool {
        let last = self.sequence.tokens().last();
        last.is_some_and(|last| last.kind == Kind::Word)
            && !matches!(self.byte(self.at + 1), b'=' | b'>' | b'~')
    }

    /// Takes the quotation that begins here, if it ends. With `words`, a word that states what happened
    /// and the key of an object stay.
    fn quoted(&mut self, quote: u8, words: bool) -> bool {
        let Some(end) = self.closing(quote) else {
            return false;
        };
        let inner = self.at + 1;
        if self.is_text(end + 1) {
            (self.at, self.text_end) = (inner, end);
            return true;
        }
        let content = &self.bytes[inner..end];
        let method = content
            .iter()
            .take_while(|byte| byte.is_ascii_uppercase())
            .count();
        let is_word = words && (words::is_state(content) || self.is_key(content, end + 1));
        if content.get(method) == Some(&b' ') && words::is_method(&content[..method]) {
            self.at = inner;
            self.push(Kind::Fixed, inner + method);
            self.gap = true;
            self.masked(end);
            (self.request, self.answer) = (true, 4);
        } else if is_word {
            self.at = inner;
            self.number = false;
            self.push(Kind::Word, end);
        } else {
            self.masked(end);
        }
        self.at = end + 1;
        true
    }

    /// Returns where the quotation that begins here is closed.
    fn closing(&mut self, quote: u8) -> Option<usize> {
        let which = match quote {
            b'"' => 0,
            b'\'' => 1,
            _ => 2,
        };
        let mut from = self.at + 1;
        if from >= self.quotes_end[which] {
            return None;
        }
        loop {
            let rest = &self.bytes[from..];
            // GNU programs quote `so'.
            let found = match quote {
                b'`' => memchr::memchr2(quote, b'\'', rest),
                _ => memchr::memchr(quote, rest),
            };
            let Some(found) = found else {
                self.quotes_end[which] = self.at;
                return None;
            };
            let end = from + found;
            let inside = if quote == b'"' {
                self.bytes[end - 1] == b'\\' && end > self.at + 1
            } else {
                self.byte(end + 1).is_ascii_alphanumeric()
            };
            if !inside {
                return Some(end);
            }
            from = end + 1;
        }
    }

    /// Returns whether a quoted text is the message itself: it is the value of a key that states it, or
    /// keys follow and no word is before it. `after` is the end of it.
    fn is_text(&self, after: usize) -> bool {
        let tokens = self.sequence.tokens();
        if let [.., key, sign] = tokens
            && sign.is(b":=", self.bytes)
        {
            return key.kind == Kind::Word && words::is_text(key.bytes(self.text));
        }
        let next = self.until_not_blank(after);
        next > after
            && self.is_assigned(next)
            && tokens.iter().all(|token| token.kind != Kind::Word)
    }

    /// Returns whether a quoted text is a key of an object, as in JSON; `after` is the end of it.
    fn is_key(&self, content: &[u8], after: usize) -> bool {
        let tokens = self.sequence.tokens();
        tokens.last().is_some_and(|last| last.is(b"{,", self.bytes))
            && tokens.iter().any(|token| token.is(b"{", self.bytes))
            && self.byte(self.until_not_blank(after)) == b':'
            && content.len() <= LONGEST_KEY
            && content
                .first()
                .is_some_and(|first| first.is_ascii_alphabetic() || *first == b'_')
            && shape::is_key(content)
            && content
                .iter()
                .all(|byte| CLASS[usize::from(*byte)] & (BLANK | BREAK) == 0)
    }

    /// Takes the word that begins here.
    fn word(&mut self) {
        let start = self.at;
        let (mut seen, mut at) = (0, start);
        while at < self.bytes.len() {
            let class = CLASS[usize::from(self.bytes[at])];
            if class & (BLANK | BREAK) != 0 {
                break;
            }
            if self.bytes[at] >= 0xc2
                && let Some(end) = self.typographic(at)
            {
                if at == start {
                    return self.masked(end);
                }
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
        let next = self.byte(at);
        self.answer = self.answer.saturating_sub(1);
        if next == b':'
            && let Some(end) = self.through_colon(start, at, seen)
        {
            return self.masked(end);
        }
        let key = next == b'=';
        if self.named && words::is_function(word) && self.is_double_gap() {
            self.masked(start);
        }
        let named = self.named
            && !matches!(next, b'=' | b'(')
            && seen & LETTER != 0
            && !words::is_function(word);
        if named || seen & !LETTER != 0 && shape::is_name(word, seen) {
            return self.masked(at);
        }
        if seen & DIGIT != 0 {
            return self.word_with_digit(at, seen, key);
        }
        if self.varies(word, seen, at) {
            return self.masked(at);
        }
        self.named = words::is_named(word);
        self.number = false;
        let kind = Kind::of(word, seen);
        if kind == Kind::Fixed && seen & LETTER != 0 {
            (self.request, self.answer) = (true, 6);
        }
        self.push(kind, at);
    }

    /// Takes the word with a digit that goes from here to `at`.
    fn word_with_digit(&mut self, at: usize, seen: u8, key: bool) {
        let word = &self.bytes[self.at..at];
        if self.is_code(self.at, at) {
            (self.number, self.named, self.answer) = (false, false, 0);
            self.push(Kind::Fixed, at);
        } else if shape::is_kind(word) || key && shape::is_key(word) {
            (self.number, self.named) = (false, false);
            self.push(Kind::Word, at);
        } else {
            let number = seen == DIGIT || shape::is_quantity(word);
            if seen == DIGIT && word.len() == 3 {
                // This was the status.
                self.answer = 0;
            }
            self.masked(at);
            self.number = number;
        }
    }

    /// Returns where the quotation ends that begins here with a mark beyond ASCII.
    fn typographic(&self, at: usize) -> Option<usize> {
        let rest = &self.bytes[at..];
        let (open, close) = QUOTES
            .iter()
            .find(|(open, _)| rest.starts_with(open.as_bytes()))?;
        let rest = &rest[..rest.len().min(LONGEST_VALUE)];
        let ends = close.iter().filter_map(|close| {
            let found = memchr::memmem::find(&rest[open.len()..], close.as_bytes())?;
            Some(at + open.len() + found + close.len())
        });
        ends.min()
    }

    /// Returns whether two blanks are before what comes: a value between them is empty.
    fn is_double_gap(&self) -> bool {
        let blank = |at: Option<usize>| at.is_some_and(|at| self.byte(at) == b' ');
        blank(self.at.checked_sub(1)) && blank(self.at.checked_sub(2))
    }

    /// Returns whether the word is one of the numbers that are kept.
    fn is_code(&self, start: usize, end: usize) -> bool {
        let place = code::Place {
            tokens: self.sequence.tokens(),
            text: self.text,
            request: self.request,
            answer: self.answer > 0,
            rest: &self.bytes[end..],
        };
        code::is_kept(&place, &self.bytes[start..end])
    }

    /// Returns the end of what continues through the `:` at `at`: a URL, an address, a drive, a name with
    /// a port or a line.
    fn through_colon(&self, start: usize, at: usize, seen: u8) -> Option<usize> {
        if self.byte(at + 1) == b'/' && self.byte(at + 2) == b'/' {
            return Some(self.until(at + 3, b"\"'`<>,;)]}|"));
        }
        if at - start <= 4
            && let Some(end) = shape::address(self.bytes, start)
        {
            return Some(end);
        }
        if self.byte(at + 1) == b'\\' && at - start == 1 {
            return Some(self.until(at + 1, b"\"'`<>,;:()[]{}|="));
        }
        if seen & DOT != 0 && shape::has_place(&self.bytes[start..at], &self.bytes[at + 1..]) {
            return Some(at);
        }
        None
    }

    /// Returns where the word ends that continues from `at` to a blank or one of `stops`.
    fn until(&self, at: usize, stops: &[u8]) -> usize {
        let rest = self.bytes.get(at..).unwrap_or_default();
        at + rest
            .iter()
            .position(|byte| CLASS[usize::from(*byte)] & BLANK != 0 || stops.contains(byte))
            .unwrap_or(rest.len())
    }

    /// Returns whether a word without digits varies because of its letters or of what is around it.
    fn varies(&self, word: &[u8], seen: u8, end: usize) -> bool {
        if self.number && self.gap && words::is_unit(word) {
            return true;
        }
        if seen != LETTER {
            // The root, and what stands for a value that is not shown.
            return word == b"/" || word.len() > 1 && word.iter().all(|byte| *byte == b'*');
        }
        if words::is_constant(word) {
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
        date && words::is_date(word)
    }

    fn until_not_blank(&self, mut at: usize) -> usize {
        while matches!(self.byte(at), b' ' | b',') {
            at += 1;
        }
        at.min(self.bytes.len())
    }

    /// Takes the `=` here and the value after it, which may be empty.
    fn value(&mut self) {
        self.named = false;
        self.number = false;
        self.push(Kind::Fixed, self.at + 1);
        let glued = self.at;
        let mut from = glued;
        while CLASS[usize::from(self.byte(from))] & BLANK != 0 && from < self.bytes.len() {
            from += 1;
        }
        let first = self.byte(from);
        if from >= self.bytes.len() || from > glued && self.is_assigned(from) {
            return self.masked(glued);
        }
        self.at = from;
        if matches!(first, b'"' | b'\'' | b'`') && self.quoted(first, false) {
            return;
        }
        let end = match first {
            b'[' | b'(' | b'{' | b'<' => self.bracketed(from),
            _ => self.until(from, b",;()[]{}<>\"'`|"),
        };
        if end == from {
            return;
        }
        if self.is_code(from, end) {
            self.push(Kind::Fixed, end);
        } else {
            self.masked(end);
        }
    }

    /// Returns whether what begins here is the key of another value.
    fn is_assigned(&self, from: usize) -> bool {
        let end = self.until(from, b",;()[]{}<>\"'`|:#=");
        end > from && self.byte(end) == b'='
    }

    /// Returns the end of the value in brackets that begins here; `from` where it is more than a value.
    fn bracketed(&self, from: usize) -> usize {
        let close = match self.byte(from) {
            b'[' => b']',
            b'(' => b')',
            b'{' => b'}',
            _ => b'>',
        };
        let rest = &self.bytes[from + 1..];
        let rest = &rest[..rest.len().min(LONGEST_VALUE)];
        let end = rest
            .iter()
            .position(|byte| *byte == close || b"=[({<".contains(byte));
        match end {
            Some(end) if rest[end] == close => from + end + 2,
            _ => from,
        }
    }

    /// Adds a masked token from here to `end`.
    fn masked(&mut self, end: usize) {
        self.named = false;
        self.number = false;
        self.push(Kind::Wild, end);
    }

    /// Adds a token from here to `end`.
    fn push(&mut self, kind: Kind, end: usize) {
        let gap = std::mem::take(&mut self.gap);
        self.sequence.push(kind, gap, (self.at, end));
        self.at = end;
    }
}
