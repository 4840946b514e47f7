//! What is between the time of a line and its message: level, process, thread, logger.
//!
//! ```text
//! [7] [ERROR] message                       gunicorn: a number in brackets is a process
//! 0 [ERROR] [MY-010119] [Server] message    MySQL
//! [12] WARNING C-0x55d0: message            PgBouncer
//! - name - ERROR - message                  Python
//! <TAB>error<TAB>file.go:128<TAB>message    zap
//! [main] ERROR org.example.Main -- message  Logback
//! ```
//!
//! The text is taken apart from its beginning, piece by piece, as long as each has one of the shapes of
//! [`piece`]; a level is one only where it follows such pieces, and only when it is set apart as levels
//! are: in brackets, in capitals, before a colon, a tab or a line. Where no level is found so, all of the
//! text is the message.

use std::borrow::Cow;

use super::{Draft, body, level};
use crate::event::Level;

/// Pieces before a level at most.
const PIECES: usize = 6;
/// Letters of a name, and of what is in brackets.
pub(crate) const NAME: usize = 128;

/// A level as it is in a text.
pub(crate) struct Mark<'a> {
    pub(crate) word: &'a str,
    pub(crate) level: Level,
    /// What is in the brackets beside it: a module or a thread.
    beside: &'a str,
    pub(crate) rest: &'a str,
}

/// A piece of a head that is not the level.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Piece<'a> {
    /// Lines and arrows between other pieces.
    Rule,
    Process(&'a str),
    Number(&'a str),
    Thread(&'a str),
    Name(&'a str),
    /// Of no use here.
    Other,
}

/// What the pieces before a level say.
#[derive(Debug, Default)]
struct Pieces<'a> {
    process: &'a str,
    numbers: [&'a str; 2],
    thread: &'a str,
    name: &'a str,
    /// More than these fields hold.
    more: bool,
}

/// Takes level, names and message from what follows a time. `false` when there is no level.
pub(crate) fn read<'a>(text: &'a str, draft: &mut Draft<'a>) -> bool {
    let text = text.trim_start_matches([' ', ':', '|', ',', ';']);
    let tab = text.starts_with('\t');
    let text = text.trim_start_matches(['\t', ' ']);
    let (mut rest, mut apart) = (text, tab);
    let mut pieces = Pieces::default();
    for _ in 0..=PIECES {
        if let Some(mark) = mark(rest, apart).or_else(|| pieces.letter(rest)) {
            pieces.write(&mark, draft);
            if pieces.more {
                let head = text[..text.len() - rest.len()].trim_end_matches([' ', '-', '|', '\t']);
                draft.context.text("head", head);
            }
            draft.set_level(mark.word, mark.level);
            body::read(mark.rest, draft);
            return true;
        }
        let Some((piece, after)) = piece(rest) else {
            break;
        };
        pieces.add(piece);
        rest = after.trim_start_matches([' ', '\t', '|']);
        apart = after.len() > rest.len() && after[..after.len() - rest.len()].contains(['\t', '|']);
    }
    draft.level = level::leading(text);
    draft.message = Cow::Borrowed(text.strip_prefix("- ").unwrap_or(text));
    false
}

/// Returns the level of a message of syslog that is after numbers and brackets: `[12] [ERROR] …`,
/// `12 WARN …`, `[main] ERROR …`.
pub(crate) fn behind_ids(message: &str) -> Option<Level> {
    let mut rest = message;
    for _ in 0..2 {
        if !rest.starts_with(|first: char| matches!(first, '[' | '(') || first.is_ascii_digit()) {
            return None;
        }
        let (_, after) = piece(rest)?;
        rest = after.trim_start_matches([' ', ':']);
        if let Some(mark) = mark(rest, false) {
            return Some(mark.level);
        }
    }
    None
}

impl<'a> Pieces<'a> {
    fn add(&mut self, piece: Piece<'a>) {
        let (field, text) = match piece {
            Piece::Rule => return,
            Piece::Other => {
                self.more = true;
                return;
            }
            Piece::Process(id) => (&mut self.process, id),
            Piece::Number(number) if self.numbers[0].is_empty() => (&mut self.numbers[0], number),
            Piece::Number(number) => (&mut self.numbers[1], number),
            Piece::Thread(name) => (&mut self.thread, name),
            Piece::Name(name) => (&mut self.name, name),
        };
        self.more |= !field.is_empty();
        *field = text;
    }

    /// Parses `E Tag: message` after process and thread, as Android writes; `-1 ` after a thread in
    /// hexadecimal digits, as Ceph does.
    fn letter(&self, text: &'a str) -> Option<Mark<'a>> {
        if let [letter, b' ', ..] = text.as_bytes()
            && !self.numbers[1].is_empty()
        {
            let (tag, rest) = text[2..].split_once(':')?;
            let level = level::of_letter(*letter).filter(|_| tag.len() <= NAME)?;
            return Some(Mark {
                word: "",
                level,
                beside: tag.trim(),
                rest: rest.trim_start(),
            });
        }
        let rest = text.strip_prefix("-1 ")?;
        (self.thread.len() >= 8 && self.thread.bytes().all(|byte| byte.is_ascii_hexdigit()))
            .then_some(Mark {
                word: "",
                level: Level::Error,
                beside: "",
                rest: rest.trim_start(),
            })
    }

    fn write(&self, mark: &Mark<'a>, draft: &mut Draft<'a>) {
        // Of two numbers the first is the process.
        let (process, thread) = match (self.process, self.numbers) {
            ("", [process, thread]) if !thread.is_empty() => (process, thread),
            (process, [thread, _]) => (process, thread),
        };
        if !process.is_empty() {
            draft.pid = process.parse().ok();
            draft.context.digits("pid", process);
        }
        if !thread.is_empty() {
            draft.context.digits("thread", thread);
        }
        draft.context.text("thread_name", self.thread);
        draft.component = Cow::Borrowed(if mark.beside.is_empty() {
            self.name
        } else {
            draft.context.name("program", self.name);
            mark.beside
        });
    }
}

/// Returns the level at the beginning of a text. `apart` states that a tab or a line is before it.
pub(crate) fn mark(text: &str, apart: bool) -> Option<Mark<'_>> {
    match text.as_bytes().first()? {
        b'[' | b'<' | b'(' | b'{' => in_brackets(text),
        first if first.is_ascii_alphabetic() => word(text, apart),
        _ => None,
    }
}

/// Parses `[error]`, `<Warning>:`, `[core:error]`, `[Server thread/INFO]`, `(EE)`, `[E]`.
fn in_brackets(text: &str) -> Option<Mark<'_>> {
    let (inner, rest) = bracket(text)?;
    let inner = inner.trim();
    let rest = rest.strip_prefix(':').unwrap_or(rest);
    let rest = rest.trim_start_matches([' ', '-', '\t']);
    let found = |word, level, beside| {
        Some(Mark {
            word,
            level,
            beside,
            rest,
        })
    };
    if let Some(level) = level::of_name(inner) {
        return found(inner, level, "");
    }
    match *inner.as_bytes() {
        [letter] if text.starts_with('[') && letter.is_ascii_uppercase() => {
            found("", level::of_letter(letter)?, "")
        }
        [first, second] if text.starts_with('(') && first == second => {
            found("", level::of_letter(first)?, "")
        }
        _ => {
            if let Some((module, word)) = inner.split_once(':') {
                let level = level::of_word(word).filter(|_| !module.contains(' '))?;
                return found(word, level, module);
            }
            // A path may end in such a word, but not in capitals.
            let (one, other) = inner.rsplit_once('/')?;
            let is_word = |word: &str| level::of_capitals(word);
            match is_word(other) {
                Some(level) => found(other, level, one),
                None => found(one, is_word(one)?, other),
            }
        }
    }
}

/// Parses `ERROR …`, `Error: …`, `warn | …`, `info<TAB>`, `ERRO[0012] …`, `E! …`.
fn word(text: &str, apart: bool) -> Option<Mark<'_>> {
    let bytes = text.as_bytes();
    let end = bytes
        .iter()
        .take(16)
        .position(|byte| !byte.is_ascii_alphanumeric())
        .unwrap_or_else(|| bytes.len().min(16));
    let (word, after) = text.split_at(end);
    let found = |level, rest: &'static [char], skip: usize| {
        Some(Mark {
            word,
            level,
            beside: "",
            rest: after[skip..].trim_start_matches(rest),
        })
    };
    const GAP: &[char] = &[' ', '|', '-', '\t'];
    if end == 1 {
        return letter(bytes[0], after);
    }
    // Nearly all words end here: no level has another length.
    if !(3..=13).contains(&end) {
        return None;
    }
    let of_word = || level::of_word(word).or_else(|| short(word));
    let capitals = !word.bytes().any(|byte| byte.is_ascii_lowercase());
    match after.as_bytes() {
        [b':', b':', ..] => None,
        [b':', ..] => found(of_word()?, &[' ', '\t'], 1),
        [b'\t' | b'|', ..] => found(of_word()?, GAP, 0),
        [] if capitals || apart => found(level::of_word(word)?, GAP, 0),
        [b' ', next @ ..] => {
            let set_apart = capitals
                || apart
                || matches!(next, [b' ' | b'|' | b'\t', ..] | [b'-', b' ', ..])
                || is_tag(&after[1..]);
            let level = of_word().filter(|_| set_apart)?;
            found(level, GAP, 0)
        }
        [b',' | b'(', ..] if capitals => found(level::of_word(word)?, &[',', ' '], 0),
        [b'[', digits @ ..] if capitals => {
            let close = digits.iter().take(24).position(|byte| *byte == b']')?;
            let is_counter = close > 0
                && digits[..close]
                    .iter()
                    .all(|byte| matches!(byte, b'0'..=b'9' | b'-' | b':' | b'T' | b'Z' | b'+'));
            found(of_word().filter(|_| is_counter)?, &[' '], close + 2)
        }
        _ => None,
    }
}

/// Returns the level that a letter before `after` states: `E! text`, or of a line of MongoDB.
fn letter(letter: u8, after: &str) -> Option<Mark<'_>> {
    let skip = match after.as_bytes() {
        [b'!', b' ', ..] => 2,
        [b' ', ..] if is_mongo(after) => 1,
        _ => return None,
    };
    Some(Mark {
        word: "",
        level: level::of_letter(letter)?,
        beside: "",
        rest: after[skip..].trim_start(),
    })
}

/// Returns whether this is an abbreviation that is not a word of a language.
fn short(word: &str) -> Option<Level> {
    let is_word = ["note", "system", "success"]
        .iter()
        .any(|known| known.eq_ignore_ascii_case(word));
    level::of_name(word).filter(|_| !is_word)
}

/// Returns whether the text is ` NETWORK  [conn12] message`, after a letter, as MongoDB wrote before it wrote JSON.
fn is_mongo(text: &str) -> bool {
    let text = text.trim_start_matches(' ');
    let name = text
        .bytes()
        .take_while(|byte| byte.is_ascii_uppercase() || matches!(byte, b'_' | b'-'))
        .count();
    name > 0 && text[name..].starts_with(' ') && text[name..].trim_start().starts_with('[')
}

/// Returns whether the text is `vpxd[1234] …`: a program with its process.
fn is_tag(text: &str) -> bool {
    let name = text.bytes().take_while(is_plain).count();
    let digits = text.as_bytes().get(name + 1..).unwrap_or_default();
    let count = digits
        .iter()
        .take_while(|byte| byte.is_ascii_digit())
        .count();
    name > 0
        && text[name..].starts_with('[')
        && count > 0
        && digits.get(count).is_some_and(|byte| *byte == b']')
}

/// Returns the piece at the beginning of a text, and what follows it.
pub(crate) fn piece(text: &str) -> Option<(Piece<'_>, &str)> {
    let bytes = text.as_bytes();
    match bytes.first()? {
        b'[' | b'(' | b'<' | b'{' => {
            let (inner, rest) = bracket(text)?;
            let rest = rest.strip_prefix(':').unwrap_or(rest);
            if !(rest.is_empty() || rest.starts_with([' ', '[', '(', '{', '<', '\t', '|'])) {
                return None;
            }
            let inner = inner.trim();
            let id = inner.strip_prefix("pid ").unwrap_or(inner);
            let id = id.trim_start_matches("id=");
            let piece = match bytes[0] {
                _ if is_number(id) => Piece::Process(id),
                b'[' | b'(' => Piece::Thread(inner),
                _ => Piece::Other,
            };
            Some((piece, rest))
        }
        b'-' | b'>' | b'*' => {
            let rest = text.trim_start_matches(['-', '>', '*']);
            rest.starts_with(' ').then_some((Piece::Rule, rest))
        }
        b'0'..=b'9' => {
            let end = bytes.iter().take_while(|b| b.is_ascii_digit()).count();
            let rest = &text[end..];
            if let Some(rest) = rest.strip_prefix([' ', '\t', ':', '|']) {
                return Some((Piece::Number(&text[..end]), rest));
            }
            hexadecimal(text)
        }
        b'a'..=b'f' => hexadecimal(text).or_else(|| name(text)),
        first if first.is_ascii_alphabetic() || *first == b'_' => name(text),
        _ => None,
    }
}

/// Parses `7f12d0a3e700 `: a thread.
fn hexadecimal(text: &str) -> Option<(Piece<'_>, &str)> {
    let (word, rest) = text.split_once([' ', '\t'])?;
    let digits = word.strip_prefix("0x").unwrap_or(word);
    let is_one = (8..=16).contains(&digits.len())
        && digits.bytes().all(|byte| byte.is_ascii_hexdigit())
        && digits.bytes().any(|byte| byte.is_ascii_digit());
    is_one.then_some((Piece::Thread(word), rest))
}

/// Returns a name that is set apart as one: with parts (`a.b`, `a/b`, `a_b`), with a process (`a[7]`), before a
/// colon, a dash, a line, or filled up with blanks.
fn name(text: &str) -> Option<(Piece<'_>, &str)> {
    let end = text
        .bytes()
        .take(NAME + 1)
        .position(|byte| matches!(byte, b' ' | b'\t' | b'|'))
        .filter(|end| (1..=NAME).contains(end))?;
    let (word, rest) = text.split_at(end);
    if let Some((program, id)) = word
        .strip_suffix(':')
        .unwrap_or(word)
        .strip_suffix(']')
        .and_then(|word| word.split_once('['))
    {
        let plain = program.bytes().all(|byte| is_plain(&byte)) && is_number(id);
        return plain.then_some((Piece::Name(program), rest));
    }
    if let Some(tag) = word.strip_suffix(':') {
        let plain = !tag.is_empty() && tag.bytes().all(|byte| is_plain(&byte));
        return plain.then_some((Piece::Name(tag), rest));
    }
    if word == "pid" {
        let (id, rest) = rest.trim_start().split_once([' ', ':'])?;
        return is_number(id).then_some((Piece::Process(id), rest));
    }
    if !word
        .bytes()
        .all(|byte| is_plain(&byte) || b":@$=#()".contains(&byte))
    {
        return None;
    }
    if word.contains('=') {
        return Some((Piece::Other, rest));
    }
    let has_parts = word.contains(['.', '/', '_', '@', '$', ':']) && !word.ends_with('.');
    let filled_up = rest.starts_with("  ") || rest.starts_with(['\t', '|']);
    // A host, before a program with its process.
    let dashed = rest.starts_with(" - ") || is_tag(rest.trim_start());
    let known = matches!(word, "root" | "main" | "child");
    (has_parts || filled_up || dashed || known).then_some((Piece::Name(word), rest))
}

fn is_plain(byte: &u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.' | b'/')
}

pub(crate) fn is_number(text: &str) -> bool {
    !text.is_empty() && text.len() <= 20 && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// Returns what is in the brackets at the beginning, and what follows them.
pub(crate) fn bracket(text: &str) -> Option<(&str, &str)> {
    let (open, close) = match text.as_bytes().first()? {
        b'[' => (b'[', b']'),
        b'<' => (b'<', b'>'),
        b'(' => (b'(', b')'),
        b'{' => (b'{', b'}'),
        _ => return None,
    };
    let within = &text.as_bytes()[1..text.len().min(NAME + 2)];
    let end = within
        .iter()
        .position(|byte| *byte == close || *byte == open)?;
    (within[end] == close).then(|| (&text[1..=end], &text[end + 2..]))
}
