//! Plain text without what is a secret by its name, its shape or its place.
//!
//! One pass over the words of a text; each word is asked, the cheapest question first:
//!
//! | question | module | example |
//! |---|---|---|
//! | does its issuer mark it? | [`shapes`] | `ghp_…`, `eyJ….…`, `$2y$10$…` |
//! | is it the name of a secret, with a value? | [`names`], [`value`] | `DB_PASSWORD=x`, `\"token\":\"x\"`, `<pw>x</pw>` |
//! | does it announce a value in a sentence? | [`speech`] | `the password is x`, `Bearer x` |
//! | is it an option of a program that takes secrets? | [`commands`] | `mysql -px`, `curl -u me:x` |
//! | is it an argument that is one by its place? | [`arguments`] | `htpasswd -b f me x`, `echo me:x \| chpasswd` |
//! | is it the scheme of an address with a login? | [`address`] | `redis://:x@host` |
//! | is it a line of a file of passwords? | [`address`] | `host:5432:shop:me:x` |
//! | does a private key begin here? | [`pem`] | `-----BEGIN PRIVATE KEY-----` |
//!
//! The tables are the place for more. Every look ahead is either bounded or ends in a value that is
//! taken out and not examined again, so that the pass is linear.

mod address;
mod arguments;
mod commands;
mod names;
mod pem;
mod shapes;
mod speech;
mod value;

use std::borrow::Cow;

use crate::MARK;
use names::Strength;
pub use pem::Pem;

/// Returns the text with `…` in place of every secret.
#[must_use]
pub fn text(text: &str) -> String {
    clean(text).into_owned()
}

/// Does the same as [`text`]; borrowed when there is no secret.
#[must_use]
pub fn clean(text: &str) -> Cow<'_, str> {
    inspect(text).0
}

/// Does the same as [`clean`], and whether the text holds no secret whatever its numbers are: no word of it even
/// looks like a secret or the name of one, or what follows such a name settles it without a number. A number here
/// is digits and single dots between two of blank, comma, semicolon, `=` and brackets, or an end of the text.
#[must_use]
pub fn inspect(text: &str) -> (Cow<'_, str>, bool) {
    let bytes = text.as_bytes();
    let mut scan = Scan {
        text,
        program: None,
        ahead: Vec::new(),
        ahead_from: usize::MAX,
    };
    let mut out = String::new();
    let (mut kept, mut at) = (0, 0);
    let mut settled = true;
    while at < bytes.len() {
        if at >= scan.ahead_from {
            let (from, to) = scan.arrive(kept);
            if from < to && &text[from..to] != MARK {
                out.push_str(&text[kept..from]);
                out.push_str(MARK);
                (kept, at) = (to, at.max(to));
            }
            continue;
        }
        let class = CLASS[usize::from(bytes[at])];
        if class & (WORD | BEYOND) == 0 {
            if class == BREAK {
                scan.program = None;
            }
            at += 1;
            continue;
        }
        let mut end = at + 1;
        while end < bytes.len() && CLASS[usize::from(bytes[end])] == class {
            end += 1;
        }
        if class == WORD && scan.program.is_none() && is_plain(text, at, end) {
            at = end;
            continue;
        }
        settled &= class == WORD && is_settled(text, at, end);
        let secret = if class == WORD {
            scan.word(at, end)
        } else {
            None
        };
        let beyond = class == BEYOND || bytes.get(end).is_some_and(|byte| !byte.is_ascii());
        let secret = secret.or_else(|| if beyond { scan.foreign(at) } else { None });
        match secret.filter(|(from, to)| from < to && &text[*from..*to] != MARK) {
            Some((from, to)) if from >= kept => {
                out.push_str(&text[kept..from]);
                out.push_str(MARK);
                (kept, at) = (to, to);
            }
            _ => at = end,
        }
    }
    if kept == 0 {
        return (Cow::Borrowed(text), settled);
    }
    out.push_str(&text[kept..]);
    (Cow::Owned(out), false)
}

/// Returns the value of a field of this name, as a structured log has it.
#[must_use]
pub fn value<'a>(name: &str, content: &'a str) -> Cow<'a, str> {
    let secret = names::may_be(
        name.trim_end_matches(|c: char| !c.is_ascii_alphabetic())
            .as_bytes(),
    ) && names::strength(name).is_some_and(|strength| {
        let separator = value::Separator {
            from: 0,
            sentence: false,
            data: true,
            encoded: false,
            colon: true,
        };
        let whole = value::Value {
            from: 0,
            to: content.len(),
            quoted: true,
        };
        value::is_secret(
            content,
            value::Name {
                part: names::last_part(name),
                whole: true,
            },
            strength,
            separator,
            whole,
        )
    });
    if secret {
        Cow::Borrowed(MARK)
    } else {
        clean(content)
    }
}

const WORD: u8 = 1;
/// What ends a command of a shell.
const BREAK: u8 = 2;
/// Part of a character beyond ASCII.
const BEYOND: u8 = 4;

/// What bytes are: words are of letters and digits of ASCII, `_` and `-`.
static CLASS: [u8; 256] = {
    let mut table = [BEYOND; 256];
    let mut byte = 0_u8;
    while byte < 128 {
        table[byte as usize] = match byte {
            b'_' | b'-' => WORD,
            b'\n' | b';' | b'|' => BREAK,
            _ if byte.is_ascii_alphanumeric() => WORD,
            _ => 0,
        };
        byte += 1;
    }
    table
};

/// What may be asked of a word because of the byte after it.
const NOTHING: u8 = 0;
/// Whether it is a name.
const NAME: u8 = 1;
/// Whether it is a name or announces something.
const SPOKEN: u8 = 2;
/// Whether it is the first part of a key.
const PART: u8 = 3;
/// Whether it is the end of an address of [`shapes`], or the beginning of a key.
const HOOK: u8 = 4;
/// Whether it is a name, the scheme of an address or a field of a line of passwords.
const COLON: u8 = 5;
/// Anything.
const ANYTHING: u8 = 6;

/// By the byte after a word.
static ASKED: [u8; 256] = {
    let follows = follows();
    let mut table = [NOTHING; 256];
    let mut byte = 0;
    while byte < 256 {
        table[byte] = match byte as u8 {
            b' ' | b'\t' => SPOKEN,
            b'.' => PART,
            b'/' => HOOK,
            b':' => COLON,
            b'$' | b'}' | b'+' | 128.. => ANYTHING,
            _ if follows[byte] != 0 => NAME,
            _ => NOTHING,
        };
        byte += 1;
    }
    table
};

/// Returns whether [`Scan::word`] has no answer for this word: nearly every word of a log is plain.
fn is_plain(text: &str, at: usize, end: usize) -> bool {
    is_nothing(text, at, end) && !commands::is_program(&text.as_bytes()[at..end])
}

/// Returns whether a word is nothing but perhaps the name of a program, by its first and last letters, its length
/// and the byte after it.
fn is_nothing(text: &str, at: usize, end: usize) -> bool {
    let bytes = text.as_bytes();
    let word = &bytes[at..end];
    let asked = bytes
        .get(end)
        .map_or(NOTHING, |next| ASKED[usize::from(*next)]);
    let [first, _, ..] = word else {
        return !matches!(asked, HOOK | COLON | ANYTHING);
    };
    if may_be_marked(word, asked == PART) {
        return false;
    }
    match asked {
        NOTHING | PART => true,
        NAME => !names::may_be(trimmed(word)),
        SPOKEN => !names::may_be(trimmed(word)) && !speech::may_begin(word),
        HOOK => !shapes::may_be_hook(word) && shapes::unnamed(text, at).is_none(),
        COLON => {
            !first.is_ascii_digit()
                && *first != b'b'
                && bytes.get(end + 1) != Some(&b'/')
                && !bytes[..at].ends_with(b":")
                && !names::may_be(trimmed(word))
        }
        _ => false,
    }
}

/// Returns whether a word of at least two letters may be an option or a key, by its own letters.
fn may_be_marked(word: &[u8], dotted: bool) -> bool {
    word[0] == b'-'
        || word.len() >= shapes::SHORTEST_UNNAMED
        || (word.len() >= shapes::SHORTEST || dotted) && shapes::may_begin(word[0], word[1])
}

/// Returns whether the answer of [`Scan::word`] depends on no number of the text, where no program before it takes
/// options: the word is nothing, or a word of a sentence that settles what it is; and a program only by its name.
fn is_settled(text: &str, at: usize, end: usize) -> bool {
    if let Some(options) = commands::of_program(text, at, end)
        && !(options.is_empty() && arguments::is_settled(text, at, end))
    {
        return false;
    }
    if is_nothing(text, at, end) {
        return true;
    }
    let bytes = text.as_bytes();
    let word = &bytes[at..end];
    let rest = bytes[end..].trim_ascii_start();
    word.len() > 1
        && word[0].is_ascii_alphabetic()
        && !may_be_marked(word, false)
        && matches!(bytes.get(end), Some(b' ' | b'\t'))
        && !matches!(rest.first(), Some(b'=' | b':' | 0x80..))
        && !bytes[..at].ends_with(b".")
        && !bytes[..at].ends_with(b":")
        && speech::is_settled(text, at, end)
}

/// What may follow a name: a separator, a quote, a blank, the beginning of an entity.
static FOLLOWS: [u8; 256] = follows();

const fn follows() -> [u8; 256] {
    let mut table = [0; 256];
    let mut at = 0;
    let bytes = b"=: \t\"'`\\%&>(";
    while at < bytes.len() {
        table[bytes[at] as usize] = 1;
        at += 1;
    }
    let mut byte = 128;
    while byte < 256 {
        table[byte] = 1;
        byte += 1;
    }
    table
}

fn in_word(byte: u8) -> bool {
    CLASS[usize::from(byte)] == WORD
}

/// A secret: where it begins and ends.
type Range = (usize, usize);

struct Scan<'a> {
    text: &'a str,
    /// The program whose command line this is.
    program: Option<commands::Options>,
    /// Secrets that this command passes further on, the last first, and where the next of them begins.
    ahead: Vec<Range>,
    ahead_from: usize,
}

impl Scan<'_> {
    /// Adds secrets that follow further on.
    fn expect(&mut self, secrets: Vec<Range>) {
        if secrets.is_empty() {
            return;
        }
        self.ahead.extend(secrets);
        self.ahead.sort_unstable_by(|a, b| b.cmp(a));
        self.ahead.dedup();
        self.ahead_from = self.ahead.last().map_or(usize::MAX, |(from, _)| *from);
    }

    /// Takes the next secret of [`Self::ahead`], without what is taken out already.
    fn arrive(&mut self, kept: usize) -> Range {
        let (from, to) = self.ahead.pop().unwrap_or_default();
        self.ahead_from = self.ahead.last().map_or(usize::MAX, |(from, _)| *from);
        (from.max(kept), to)
    }

    /// Returns the secret that the word at this place is, or that follows it. Nearly every word is decided
    /// by its first or last letters, so that a line without secrets costs little more than a look at
    /// each of its bytes.
    fn word(&mut self, at: usize, end: usize) -> Option<Range> {
        let bytes = self.text.as_bytes();
        let word = &bytes[at..end];
        if let Some(to) = shapes::key(self.text, at, end) {
            return Some((at, to));
        }
        if let Some(found) = shapes::unnamed(self.text, at) {
            return Some(found);
        }
        if let Some(options) = commands::of_program(self.text, at, end) {
            self.program = Some(options).filter(|options| !options.is_empty());
            self.expect(arguments::secrets(self.text, at, end));
        }
        if let Some(options) = self.program
            && let Some(found) = commands::secret(options, self.text, at)
        {
            return Some(found);
        }
        let next = bytes.get(end).copied().unwrap_or(b'.');
        match next {
            b':' if bytes[end..].starts_with(b"://") => return address::login(self.text, end + 3),
            b'/' if shapes::may_be_hook(word) => return shapes::hook(self.text, end),
            b'$' | b'}' => return shapes::hash(self.text, at, end),
            b' ' if word == pem::BEGIN => return pem::body(self.text, at),
            _ => {}
        }
        if next == b':'
            && let Some(found) = address::password_file(self.text, at, end)
        {
            return Some(found);
        }
        // What cannot follow a name is the quickest to see.
        if FOLLOWS[usize::from(next)] == 0 {
            return None;
        }
        if matches!(next, b' ' | b'\t') {
            return self.before_blank(at, end);
        }
        if names::may_be(trimmed(word)) {
            return self
                .named(at, end)
                .or_else(|| speech::secret(self.text, at, end));
        }
        None
    }

    /// Returns the secret that follows a word and a blank: a sentence continues there, unless a separator
    /// follows or the word is an option.
    fn before_blank(&self, at: usize, end: usize) -> Option<Range> {
        let bytes = self.text.as_bytes();
        let word = &bytes[at..end];
        let separator = bytes[end..]
            .iter()
            .find(|byte| !matches!(byte, b' ' | b'\t'));
        let option = word[0] == b'-' || bytes[..at].ends_with(b".") || bytes[..at].ends_with(b":");
        let named = matches!(separator, Some(b'=' | b':' | 0x80..)) || option;
        let may_be_name = names::may_be(trimmed(word));
        if named
            && may_be_name
            && let Some(secret) = self.named(at, end)
        {
            return Some(secret);
        }
        if may_be_name || speech::may_begin(word) {
            speech::secret(self.text, at, end)
        } else {
            None
        }
    }

    /// Returns the value of the name at this place.
    fn named(&self, at: usize, end: usize) -> Option<Range> {
        let text = self.text;
        let word = &text[at..end];
        // What is left of `%22` before a name in a query string.
        let word = match text[..at].ends_with('%') {
            true if word.len() > 2 => &word[2..],
            _ => word,
        };
        // A property of Java's: `-Dpass=x`.
        let word = word.strip_prefix("-D").unwrap_or(word);
        let strength = match names::strength(word)? {
            Strength::Loose if self.qualified(at) => Strength::Strong,
            strength => strength,
        };
        let part = names::last_part(word.trim_end_matches(|c: char| !c.is_ascii_alphabetic()));
        if let Some(content) = self.element(at, end) {
            return (strength != Strength::Loose).then_some(content);
        }
        let Some(separator) = value::separator(text, end) else {
            return self.argument(at, end, strength);
        };
        let header = separator.colon && !separator.data;
        if header && part.eq_ignore_ascii_case("cookie") {
            return self.rest_of_header(at, separator);
        }
        if part.eq_ignore_ascii_case("authorization")
            && let Some(found) = self.credentials(at, separator)
        {
            return Some(found);
        }
        // The shell's working directory, as sudo logs it.
        if matches!(word, "PWD" | "OLDPWD") && text[separator.from..].starts_with('/') {
            return None;
        }
        // Of a name whose value may be none, no more is read than shows it.
        let most = if strength == Strength::Strong {
            usize::MAX
        } else {
            value::SHOWN
        };
        let found = value::value(text, separator.from, separator.encoded, most);
        value::is_secret(
            text,
            value::Name {
                part,
                whole: part.len() == word.len(),
            },
            strength,
            separator,
            found,
        )
        .then(|| {
            let whole = value::value(text, separator.from, separator.encoded, usize::MAX);
            (whole.from, whole.to)
        })
    }

    /// Returns whether the word before makes a name of this one: "API key".
    fn qualified(&self, at: usize) -> bool {
        const NEAR: usize = 24;
        let Some(before) = self.text[..at].strip_suffix(' ') else {
            return false;
        };
        let bytes = before.as_bytes();
        let length = bytes
            .iter()
            .rev()
            .take(NEAR)
            .take_while(|byte| in_word(**byte))
            .count();
        names::holds(names::QUALIFYING, &before[before.len() - length..])
    }

    /// Returns the content of an element: `<password>x</password>`.
    fn element(&self, at: usize, end: usize) -> Option<Range> {
        const ATTRIBUTES: usize = 128;
        let bytes = self.text.as_bytes();
        let start = self.dotted(at);
        if bytes[..start].ends_with(b"&lt;") && bytes[end..].starts_with(b"&gt;") {
            let from = end + "&gt;".len();
            return self.text[from..]
                .find(['&', '\n'])
                .map(|to| (from, from + to));
        }
        let opened = start.checked_sub(1).map(|at| bytes[at]) == Some(b'<');
        if !opened || !matches!(bytes.get(end), Some(b'>' | b' ')) {
            return None;
        }
        let near = &bytes[end..(end + ATTRIBUTES).min(bytes.len())];
        let from = end + near.iter().position(|byte| *byte == b'>')? + 1;
        if bytes[from - 2] == b'/' {
            return None;
        }
        let rest = &self.text[from..];
        let to = rest
            .find(['<', '\n'])
            .filter(|to| rest[*to..].starts_with("</"))?;
        Some((from, from + to))
    }

    /// Returns where the name begins whose last part begins here: `--spring.datasource.password`.
    fn dotted(&self, at: usize) -> usize {
        const MOST: usize = 96;
        let before = &self.text.as_bytes()[at.saturating_sub(MOST)..at];
        at - before
            .iter()
            .rev()
            .take_while(|byte| in_word(**byte) || matches!(byte, b'.' | b':'))
            .count()
    }

    /// Returns the argument of an option: `--password x`.
    fn argument(&self, at: usize, end: usize, strength: Strength) -> Option<Range> {
        let text = self.text;
        let option = &text[self.dotted(at)..end];
        let is_negated = option.trim_start_matches('-').starts_with("no-");
        if !option.starts_with('-') || is_negated || strength == Strength::Loose {
            return None;
        }
        let rest = text[end..].strip_prefix(' ')?.trim_start_matches(' ');
        let found = value::value(text, text.len() - rest.len(), false, usize::MAX);
        let content = &text[found.from..found.to];
        let harmless = content.starts_with('-')
            || names::holds(names::LITERALS, content)
            || names::holds(names::STATES, content)
            || (strength == Strength::Weak && names::holds(names::HARMLESS, content));
        (!harmless).then_some((found.from, found.to))
    }

    /// Keeps the scheme of `Authorization: Bearer x`; of most schemes more than a word follows.
    fn credentials(&self, at: usize, separator: value::Separator) -> Option<Range> {
        let rest = &self.text[separator.from..];
        let scheme = rest.bytes().take_while(|byte| in_word(*byte)).count();
        let value = rest[scheme..].strip_prefix(' ')?;
        // A scheme that is not a word of the list below is one all the same, a sentence is not.
        let simple = names::holds(
            &["bearer", "basic", "token", "apikey", "key"],
            &rest[..scheme],
        );
        if scheme == 0 || names::holds(names::STATES, &rest[..scheme]) && !simple {
            return None;
        }
        let from = self.text.len() - value.len();
        let mut inner = value.trim_start_matches(' ');
        // More than a few are a text made to take long.
        for _ in 0..4 {
            let word = inner.bytes().take_while(|byte| in_word(*byte)).count();
            match inner[word..].strip_prefix(' ') {
                Some(rest) if speech::is_scheme(&inner[..word]) => {
                    inner = rest.trim_start_matches(' ')
                }
                _ => break,
            }
        }
        if simple {
            let found = value::value(self.text, self.text.len() - inner.len(), false, usize::MAX);
            return Some((found.from, found.to));
        }
        self.rest_of_header(at, value::Separator { from, ..separator })
    }

    /// Returns up to the end of the line, or of the quotes in which the header stands.
    fn rest_of_header(&self, at: usize, separator: value::Separator) -> Option<Range> {
        let rest = &self.text[separator.from..];
        let first = rest.split([' ', '\n']).next().unwrap_or_default();
        if names::holds(names::STATES, first) {
            return None;
        }
        let outer = self.text[..at]
            .chars()
            .next_back()
            .filter(|c| matches!(c, '"' | '\'' | '`'));
        let end = rest
            .find(|c| c == '\n' || Some(c) == outer)
            .unwrap_or(rest.len());
        let end = end
            - rest[..end]
                .bytes()
                .rev()
                .take_while(|byte| *byte == b'\\')
                .count();
        Some((separator.from, separator.from + end))
    }

    /// Returns the value of a name beyond ASCII. Asked at the beginning of a run of such letters only.
    fn foreign(&self, at: usize) -> Option<Range> {
        const MOST: usize = 256;
        let bytes = self.text.as_bytes();
        if at
            .checked_sub(1)
            .is_some_and(|at| CLASS[usize::from(bytes[at])] & (WORD | BEYOND) != 0)
        {
            return None;
        }
        let mut end = at;
        while end < bytes.len()
            && end < at + MOST
            && CLASS[usize::from(bytes[end])] & (WORD | BEYOND) != 0
        {
            end += 1;
        }
        while !self.text.is_char_boundary(end) {
            end -= 1;
        }
        speech::foreign(self.text, at, end)
    }
}

/// Returns the word without digits, `_` and `-` at its end.
fn trimmed(word: &[u8]) -> &[u8] {
    let mut end = word.len();
    while end > 0 && !word[end - 1].is_ascii_alphabetic() {
        end -= 1;
    }
    &word[..end]
}

#[cfg(test)]
mod tests;
