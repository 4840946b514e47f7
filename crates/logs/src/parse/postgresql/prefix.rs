//! `log_line_prefix`, read backwards: from the text that it made to the fields.
//!
//! PostgreSQL's documentation, *Error Reporting and Logging*, lists the escapes. Names of users,
//! databases and applications are chosen by clients and may hold any character, also what follows
//! them in the prefix. So the prefix is matched as a whole, up to the severity after it: the shortest
//! names win with which everything else fits.

use std::net::Ipv6Addr;

use super::super::time::{self, Clock, Stamp};

/// What Debian's packages set.
const DEFAULT: &str = "%m [%p] %q%u@%d ";
/// How often a match may be tried anew at another place.
const TRIES: u32 = 200;
/// Bytes of a name at most; `application_name`, user and database have 63, host names 255.
const NAME: usize = 300;

/// A compiled prefix.
#[derive(Debug)]
pub(crate) struct Prefix {
    items: Vec<Item>,
    /// Where processes without a session end (`%q`).
    short: Option<usize>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Item {
    Text(String),
    /// With the least number of characters that it takes.
    Field(Field, usize),
}

/// What the escapes stand for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Field {
    /// `%m`, `%t`: time stamp with zone.
    Time,
    /// `%n`: seconds since the epoch with a fraction.
    Epoch,
    /// `%s`: time stamp of the session's start.
    Start,
    /// `%p`
    Pid,
    /// `%a`
    Application,
    /// `%u`
    User,
    /// `%d`
    Database,
    /// `%r`, `%h`
    Client,
    /// `%b`
    Backend,
    /// `%i`
    Command,
    /// `%e`
    SqlState,
    /// `%c`
    Session,
    /// `%Q`
    Query,
    /// `%L`
    Local,
    /// Read and forgotten: `%l`, `%x`, `%v`, `%P`.
    Other,
}

const FIELDS: usize = Field::Other as usize + 1;

/// The fields of one line.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Fields<'a> {
    values: [&'a str; FIELDS],
    pub(crate) stamp: Option<Stamp>,
}

impl<'a> Fields<'a> {
    pub(crate) fn get(&self, field: Field) -> &'a str {
        self.values[field as usize]
    }
}

impl Default for Prefix {
    fn default() -> Self {
        Self::new(DEFAULT)
    }
}

impl Prefix {
    /// Compiles the text of the setting. As the server does, it passes over what it does not know.
    pub(crate) fn new(setting: &str) -> Self {
        let (mut items, mut short) = (Vec::new(), None);
        let mut chars = setting.chars().peekable();
        let mut text = String::new();
        while let Some(next) = chars.next() {
            if next != '%' {
                text.push(next);
                continue;
            }
            let mut width = 0_usize;
            while let Some(next) = chars.next_if(|c| *c == '-' || c.is_ascii_digit()) {
                let digit = next.to_digit(10).map_or(0, |digit| digit as usize);
                width = width.saturating_mul(10).saturating_add(digit).min(NAME);
            }
            let field = match chars.next() {
                Some('%') => {
                    text.push('%');
                    continue;
                }
                Some('q') => {
                    flush(&mut text, &mut items);
                    short.get_or_insert(items.len());
                    continue;
                }
                Some(letter) => of_letter(letter),
                None => None,
            };
            if let Some(field) = field {
                flush(&mut text, &mut items);
                items.push(Item::Field(field, width));
            }
        }
        flush(&mut text, &mut items);
        Self { items, short }
    }

    /// Returns the fields of a line and what follows them. `accepts` states whether that may follow a prefix.
    pub(crate) fn read<'a, T>(
        &self,
        line: &'a str,
        clock: &mut Clock,
        accepts: impl Fn(&'a str) -> Option<T>,
    ) -> Option<(Fields<'a>, T)> {
        for items in [Some(self.items.len()), self.short].into_iter().flatten() {
            let mut fields = Fields::default();
            let mut tries = TRIES;
            let found = matches(
                &self.items[..items],
                line,
                &mut fields,
                &mut tries,
                &accepts,
            );
            if let Some(found) = found {
                fields.stamp = stamp(&fields, clock);
                return Some((fields, found));
            }
        }
        None
    }
}

fn flush(text: &mut String, items: &mut Vec<Item>) {
    if !text.is_empty() {
        items.push(Item::Text(std::mem::take(text)));
    }
}

const fn of_letter(letter: char) -> Option<Field> {
    Some(match letter {
        'm' | 't' => Field::Time,
        'n' => Field::Epoch,
        's' => Field::Start,
        'p' => Field::Pid,
        'a' => Field::Application,
        'u' => Field::User,
        'd' => Field::Database,
        'r' | 'h' => Field::Client,
        'b' => Field::Backend,
        'i' => Field::Command,
        'e' => Field::SqlState,
        'c' => Field::Session,
        'Q' => Field::Query,
        'L' => Field::Local,
        'l' | 'x' | 'v' | 'P' => Field::Other,
        _ => return None,
    })
}

fn stamp(fields: &Fields<'_>, clock: &mut Clock) -> Option<Stamp> {
    let text = fields.get(Field::Time);
    if let Some((civil, end)) = time::iso(text) {
        let (zone, _) = time::named_zone(&text[end..]);
        return clock.stamp(civil, zone);
    }
    let (seconds, fraction) = fields.get(Field::Epoch).split_once('.')?;
    let millis: u32 = fraction.parse().ok().filter(|_| fraction.len() == 3)?;
    Some(clock.epoch(seconds.parse().ok()?, millis * 1000))
}

/// Matches items one after the other. A name ends where the text after it does; where that fits in
/// several places, they are tried in order.
fn matches<'a, T>(
    items: &[Item],
    text: &'a str,
    fields: &mut Fields<'a>,
    tries: &mut u32,
    accepts: &impl Fn(&'a str) -> Option<T>,
) -> Option<T> {
    *tries = tries.checked_sub(1)?;
    let Some((item, after)) = items.split_first() else {
        return accepts(text);
    };
    let (field, width) = match item {
        Item::Text(literal) => {
            let rest = text.strip_prefix(literal.as_str())?;
            return matches(after, rest, fields, tries, accepts);
        }
        Item::Field(field, width) => (*field, *width),
    };
    if !is_name(field) {
        let (value, rest) = text.split_at(fixed(field, width, text)?);
        fields.values[field as usize] = value.trim();
        return matches(after, rest, fields, tries, accepts);
    }
    matches_name((field, width), after, text, fields, tries, accepts)
}

/// Matches a name, and then the items after it.
fn matches_name<'a, T>(
    (field, width): (Field, usize),
    after: &[Item],
    text: &'a str,
    fields: &mut Fields<'a>,
    tries: &mut u32,
    accepts: &impl Fn(&'a str) -> Option<T>,
) -> Option<T> {
    if field == Field::Client {
        // Parts of a prefix may be parted by colons, as those of an address are.
        for end in addresses(text) {
            fields.values[field as usize] = &text[..end];
            let found = matches(after, &text[end..], fields, tries, accepts);
            if found.is_some() {
                return found;
            }
        }
    }
    let limit = NAME.min(text.len());
    // Looking further would be in vain, for each of the tries.
    let reach = boundary(text, 2 * NAME);
    // A name fills its width with blanks, before or after it.
    let mut from = boundary(text, width);
    loop {
        let end = match after.first() {
            Some(Item::Text(literal)) => from + text[from..reach].find(literal.as_str())?,
            // Two names without anything between: the first takes the word.
            Some(Item::Field(..)) => text[..reach].find(' ').unwrap_or(reach),
            None => from + text[from..reach].find(char::is_uppercase)?,
        };
        if end > limit {
            return None;
        }
        fields.values[field as usize] = text[..end].trim();
        let found = matches(after, &text[end..], fields, tries, accepts);
        if found.is_some() {
            return found;
        }
        from = end + text[end..].chars().next().map_or(1, char::len_utf8);
        if from > limit || matches!(after.first(), Some(Item::Field(..))) {
            return None;
        }
    }
}

/// Returns the first boundary of characters at or after a place; the end when the text is shorter.
fn boundary(text: &str, at: usize) -> usize {
    let mut at = at.min(text.len());
    while !text.is_char_boundary(at) {
        at += 1;
    }
    at
}

/// Returns where an IPv6 address that the text begins with may end, with its zone and its port; the longest first.
fn addresses(text: &str) -> impl Iterator<Item = usize> {
    /// Letters of an address at most, that of a mapped IPv4 address.
    const ADDRESS: usize = 45;
    let bytes = text.as_bytes();
    let run = bytes
        .iter()
        .take(ADDRESS)
        .take_while(|byte| byte.is_ascii_hexdigit() || matches!(byte, b':' | b'.'))
        .count();
    let colons = bytes[..run].iter().filter(|byte| **byte == b':').count();
    let longest = if colons < 2 { 0 } else { run };
    (2..=longest).rev().filter_map(move |end| {
        text[..end].parse::<Ipv6Addr>().ok()?;
        let rest = &text[end..];
        let zone = rest.strip_prefix('%').map_or(0, |zone| {
            1 + zone
                .bytes()
                .take_while(|byte| {
                    byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-')
                })
                .count()
        });
        let port = rest[zone..]
            .strip_prefix('(')
            .and_then(|port| port.find(')'))
            .map_or(0, |end| end + 2);
        Some(end + zone + port)
    })
}

/// Returns whether a field is a name, which any text may be.
const fn is_name(field: Field) -> bool {
    matches!(
        field,
        Field::Application
            | Field::User
            | Field::Database
            | Field::Client
            | Field::Local
            | Field::Backend
            | Field::Command
    )
}

/// Bytes of a field that has its own form, with the blanks that its width makes.
fn fixed(field: Field, width: usize, text: &str) -> Option<usize> {
    let blanks = text.len() - text.trim_start_matches(' ').len();
    let rest = &text[blanks..];
    let of = |allowed: fn(&u8) -> bool| rest.bytes().take_while(allowed).count();
    let length = match field {
        Field::Time | Field::Start => {
            let (_, end) = time::iso(rest)?;
            end + time::named_zone(&rest[end..]).1
        }
        Field::Epoch => of(|byte| byte.is_ascii_digit() || *byte == b'.'),
        Field::SqlState => of(u8::is_ascii_alphanumeric),
        Field::Session => of(|byte| byte.is_ascii_hexdigit() || *byte == b'.'),
        Field::Query => of(|byte| byte.is_ascii_digit() || *byte == b'-'),
        _ => of(|byte| byte.is_ascii_digit() || *byte == b'/'),
    };
    // Nothing is printed for what a process lacks, but for its width.
    if length == 0 {
        return Some(width.min(blanks));
    }
    let mut length = blanks + length;
    while length < width && text.as_bytes().get(length) == Some(&b' ') {
        length += 1;
    }
    Some(length)
}
