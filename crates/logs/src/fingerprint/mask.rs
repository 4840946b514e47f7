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
//!
//! A template is the tokens as text again. [`split`] makes the same tokens of it, so what the
//! database holds is enough to go on after a restart.

use super::{code, words};

/// What stands for the masked.
pub(super) const WILD: &str = "<*>";

/// Most tokens of a sequence; the rest is one `<*>`. A message of 4096 characters has about 600.
const MOST: usize = 120;

const BLANK: u8 = 1;
const BREAK: u8 = 2;
const DIGIT: u8 = 4;
const LETTER: u8 = 8;
const DOT: u8 = 16;
const SLASH: u8 = 32;
/// `@`, `*`, `\` and bytes beyond ASCII: a word with one of them is looked at more closely.
const RARE: u8 = 64;

const CLASS: [u8; 256] = classes();

const fn classes() -> [u8; 256] {
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        table[byte] = match byte as u8 {
            0..=b' ' | 127 => BLANK,
            b'=' | b',' | b';' | b':' | b'(' | b')' | b'[' | b']' | b'{' | b'}' | b'"' | b'\''
            | b'|' | b'#' => BREAK,
            b'0'..=b'9' => DIGIT,
            b'a'..=b'z' | b'A'..=b'Z' => LETTER,
            b'.' => DOT,
            b'/' => SLASH,
            b'@' | b'*' | b'\\' | 128.. => RARE,
            _ => 0,
        };
        byte += 1;
    }
    table
}

/// What a token is to the grouping.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// A word of letters: its place may open when many others are seen there.
    Word,
    /// A separator, a sign, a code that is kept: its place never opens.
    Fixed,
    /// Masked.
    Wild,
}

/// A word of a sequence.
#[derive(Clone, Copy, Debug)]
pub(super) struct Token {
    pub(super) kind: Kind,
    /// Whether a blank stands before it.
    pub(super) gap: bool,
    start: u32,
    end: u32,
    /// Of the text, or of [`WILD`].
    pub(super) hash: u64,
}

impl Token {
    /// The word as it stands in `text`.
    pub(super) fn bytes<'a>(&self, text: &'a str) -> &'a [u8] {
        &text.as_bytes()[self.start as usize..self.end as usize]
    }

    /// What the token adds to the hash of its sequence when it stands at `place`.
    pub(super) fn part(&self, place: usize) -> u64 {
        part(self.hash, place, self.gap)
    }

    /// The same for a masked token in its place.
    pub(super) fn wild_part(&self, place: usize) -> u64 {
        part(WILD_HASH, place, self.gap)
    }

    /// The token with its text masked.
    pub(super) fn open(&mut self) {
        self.kind = Kind::Wild;
        self.hash = WILD_HASH;
    }
}

/// Hash of a masked token; no word is likely to have it.
pub(super) const WILD_HASH: u64 = 0x2a2a_2a2a_2a2a_2a2a;

/// The sum of the parts is the hash of a sequence, so that a sequence with one place open is one
/// subtraction and one addition away.
fn part(hash: u64, place: usize, gap: bool) -> u64 {
    let turned = hash.rotate_left(29) ^ (place as u64 * 2 + u64::from(gap)).wrapping_mul(SEED);
    (turned ^ (turned >> 32)).wrapping_mul(0x9fb2_1c65_1e98_df25)
}

const SEED: u64 = 0x9e37_79b9_7f4a_7c15;

/// Hash of a word: eight bytes at a time.
fn hash(bytes: &[u8]) -> u64 {
    let mut state = bytes.len() as u64 ^ SEED;
    let (chunks, rest) = bytes.as_chunks::<8>();
    for chunk in chunks {
        state = (state ^ u64::from_le_bytes(*chunk)).wrapping_mul(SEED);
        state ^= state >> 32;
    }
    let mut last = 0;
    for byte in rest {
        last = last << 8 | u64::from(*byte);
    }
    state = (state ^ last).wrapping_mul(SEED);
    state ^ (state >> 29)
}

/// The hash of a sequence.
pub(super) fn sum(tokens: &[Token]) -> u64 {
    tokens
        .iter()
        .enumerate()
        .fold(0, |sum, (place, token)| sum.wrapping_add(token.part(place)))
}

/// The sequence as text: its template.
pub(super) fn render(tokens: &[Token], text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for (place, token) in tokens.iter().enumerate() {
        if token.gap && place > 0 {
            out.push(' ');
        }
        if token.kind == Kind::Wild {
            out.push_str(WILD);
        } else {
            // Tokens begin and end at ASCII bytes or at the ends of characters.
            out.push_str(
                text.get(token.start as usize..token.end as usize)
                    .unwrap_or(WILD),
            );
        }
    }
    out
}

/// The tokens of a template.
pub(super) fn split(template: &str, tokens: &mut Vec<Token>) {
    tokens.clear();
    let bytes = template.as_bytes();
    let (mut at, mut gap) = (0, false);
    while at < bytes.len() {
        let start = at;
        let class = CLASS[usize::from(bytes[at])];
        if class & BLANK != 0 {
            (at, gap) = (at + 1, true);
            continue;
        }
        let mut token = Token {
            kind: Kind::Fixed,
            gap: gap && !tokens.is_empty(),
            start: start as u32,
            end: 0,
            hash: 0,
        };
        gap = false;
        if bytes[at..].starts_with(WILD.as_bytes()) {
            at += WILD.len();
            token.open();
        } else if class & BREAK != 0 {
            at += 1;
        } else {
            let mut seen = 0;
            while at < bytes.len() {
                let class = CLASS[usize::from(bytes[at])];
                if class & (BLANK | BREAK) != 0 || bytes[at..].starts_with(WILD.as_bytes()) {
                    break;
                }
                seen |= class;
                at += 1;
            }
            if seen & (LETTER | RARE) != 0 && seen & DIGIT == 0 {
                token.kind = Kind::Word;
            }
        }
        token.end = at as u32;
        if token.kind != Kind::Wild {
            token.hash = hash(&bytes[start..at]);
        }
        tokens.push(token);
    }
}

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
            if self.byte(self.at) >= b'@' {
                self.at += 1;
            }
        }
    }

    fn separator(&mut self, byte: u8) {
        match byte {
            b'"' if self.quoted(b'"') => return,
            b'\'' if self.opens_quote() && self.quoted(b'\'') => return,
            b':' if self.byte(self.at + 1) == b':' => {
                if let Some(end) = address(self.bytes, self.at) {
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
        let word = &self.bytes[start..at];
        self.request = self.request.saturating_sub(1);
        if self.byte(at) == b':'
            && let Some(end) = self.through_colon(start, at)
        {
            return self.masked(end);
        }
        if seen & DIGIT != 0 {
            let number = seen == DIGIT;
            if code::is_kept(self.tokens, self.text, word, self.request > 0) {
                self.number = false;
                self.fixed(start, at);
                self.at = at;
                return;
            }
            self.masked(at);
            self.number = number || is_quantity(word);
            return;
        }
        if (seen & !LETTER != 0 && self.is_name(word, seen, at)) || self.varies(word, seen, at) {
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

    /// What goes on through the `:` at `at`: a URL, an address, a name with its port, a drive.
    fn through_colon(&self, start: usize, at: usize) -> Option<usize> {
        if self.byte(at + 1) == b'/' && self.byte(at + 2) == b'/' {
            return Some(self.until(at + 3, b"\"'<>,;)]}|"));
        }
        if at - start <= 4
            && let Some(end) = address(self.bytes, start)
        {
            return Some(end);
        }
        if self.byte(at + 1) == b'\\' && at - start == 1 {
            return Some(self.until(at + 1, b"\"'<>,;:()[]{}|="));
        }
        let word = &self.bytes[start..at];
        let labels = word
            .split(|byte| *byte == b'.')
            .filter(|label| !label.is_empty())
            .count();
        (labels >= 2 && self.byte(at + 1).is_ascii_digit()).then_some(at)
    }

    /// Where the word ends that goes on from `at` to a blank or one of `stops`.
    fn until(&self, at: usize, stops: &[u8]) -> usize {
        let rest = self.bytes.get(at..).unwrap_or_default();
        at + rest
            .iter()
            .position(|byte| CLASS[usize::from(*byte)] & BLANK != 0 || stops.contains(byte))
            .unwrap_or(rest.len())
    }

    /// Whether a word without digits, but with signs, names one thing of many.
    fn is_name(&self, word: &[u8], seen: u8, _end: usize) -> bool {
        if seen & SLASH != 0 && word.len() > 1 {
            let path = word[0] == b'/'
                || word.starts_with(b"./")
                || word.starts_with(b"../")
                || word.starts_with(b"~/");
            if path {
                return true;
            }
        }
        if seen & RARE != 0 {
            let marked = memchr::memmem::find(word, redact::MARK.as_bytes()).is_some()
                || memchr::memmem::find(word, WILD.as_bytes()).is_some();
            let mail = memchr::memchr(b'@', word).is_some_and(|at| at > 0 && at + 1 < word.len());
            let backslashes = memchr::memchr_iter(b'\\', word).count();
            if marked || mail || backslashes >= 2 {
                return true;
            }
        }
        if seen & DOT != 0 {
            let host = word.split(|byte| *byte == b'/').next().unwrap_or(word);
            let host = host.strip_suffix(b".").unwrap_or(host);
            let labels = host.split(|byte| *byte == b'.');
            let mut count = 0;
            for label in labels {
                if label.is_empty() || !label[0].is_ascii_alphanumeric() {
                    return false;
                }
                count += 1;
            }
            return count >= 3;
        }
        false
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
        if code::is_kept(self.tokens, self.text, &self.bytes[from..end], false) {
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
        while last > 0 && self.is(last - 1, b",:;|") {
            last -= 1;
        }
        if last > 0 && self.tokens[last - 1].kind == Kind::Wild {
            self.tokens.truncate(last);
            return;
        }
        self.tokens.push(Token {
            kind: Kind::Wild,
            gap: gap && !self.tokens.is_empty(),
            start: self.at as u32,
            end: end as u32,
            hash: WILD_HASH,
        });
    }

    /// Whether the token is one of these separators.
    fn is(&self, place: usize, separators: &[u8]) -> bool {
        let token = &self.tokens[place];
        token.kind == Kind::Fixed
            && token.end == token.start + 1
            && separators.contains(&self.bytes[token.start as usize])
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
                && self.is(opening, b"(")
                && self.tokens[opening - 1].kind == Kind::Wild
            {
                self.tokens.truncate(opening);
            }
        }
    }

    fn push(&mut self, kind: Kind, start: usize, end: usize) {
        let gap = std::mem::take(&mut self.gap);
        self.tokens.push(Token {
            kind,
            gap: gap && !self.tokens.is_empty(),
            start: start as u32,
            end: end as u32,
            hash: hash(&self.bytes[start..end]),
        });
    }
}

/// A number with signs around it: `-3`, `<1`, `~2.5`.
fn is_quantity(word: &[u8]) -> bool {
    word.iter().all(|byte| {
        byte.is_ascii_digit() || matches!(byte, b'.' | b'-' | b'+' | b'<' | b'>' | b'~')
    })
}

/// The end of the IPv6 or MAC address that begins at `start`. Groups of digits alone are masked
/// anyway; an address is found whole so that a group of letters does not stay.
fn address(bytes: &[u8], start: usize) -> Option<usize> {
    let (mut at, mut groups, mut colons, mut double, mut digits) = (start, 0, 0, false, false);
    let mut pairs = true;
    loop {
        let group = at;
        while at < bytes.len() && bytes[at].is_ascii_hexdigit() && at - group <= 4 {
            digits |= bytes[at].is_ascii_digit();
            at += 1;
        }
        match at - group {
            0 => {}
            1..=4 => {
                groups += 1;
                pairs &= at - group == 2;
            }
            _ => return None,
        }
        if bytes.get(at) != Some(&b':') {
            break;
        }
        if bytes.get(at + 1) == Some(&b':') {
            double = true;
            at += 1;
        }
        colons += 1;
        at += 1;
    }
    // What follows belongs to it, when it is a zone, a length or an IPv4 address at the end.
    let rest = at;
    while at < bytes.len() && CLASS[usize::from(bytes[at])] & (BLANK | BREAK) == 0 {
        at += 1;
    }
    let zone = bytes.get(rest) == Some(&b'%');
    if !zone && bytes[rest..at].iter().any(u8::is_ascii_alphabetic) {
        return None;
    }
    let mac = pairs && groups >= 6 && !double;
    let long = groups >= 8 && colons >= 7;
    ((double && digits && groups >= 1) || mac || long).then_some(at)
}
