//! From the text of the file to values by key. Syntax errors, unknown keys and values of the wrong
//! type are all found in one pass; what is recovered after a syntax error is looked at too.

use std::collections::{BTreeMap, BTreeSet};

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::file::line_of;
use crate::key::{Key, Kind, Problem, Slot, Value, at, cut, quoted};
use crate::secret::Secret;

/// The content of a file.
#[derive(Default)]
pub(crate) struct Parsed {
    /// Values of known keys, with their lines.
    pub(crate) values: Vec<(Slot, usize, Value)>,
    /// Lines of the names inside tables of texts, by path.
    pub(crate) places: Vec<(String, usize)>,
    /// Lines of the entries of each list that there is.
    pub(crate) lists: BTreeMap<&'static str, Vec<usize>>,
    /// What is wrong: line, key, problem.
    pub(crate) faults: Vec<(usize, Option<String>, Problem)>,
}

/// Parses `text` against the declared `keys`.
pub(crate) fn parse(text: &str, keys: &[&'static Key]) -> Parsed {
    let mut parsed = Parsed::default();
    let (table, errors) = DeTable::parse_recoverable(text);
    for error in errors {
        let line = error
            .span()
            .map_or(1, |span| line_of(text.as_bytes(), span.start));
        // Only the message: the error's own display quotes the line, which may hold a password.
        let problem = if error.message() == "duplicate key" {
            Problem::new("is there twice", "keep one of them")
        } else {
            let remedy = match lacks_quotes(text, line, keys) {
                true => {
                    "put text in quotes, as in name = \"text\"; nothing of the file is used until then"
                }
                false => "fix the line; nothing of the file is used until then",
            };
            Problem::new(
                format!("is not TOML: {}", error.message().replace('\n', ", ")),
                remedy,
            )
        };
        let slot = slot_at(text, line, keys);
        parsed
            .faults
            .push((line, slot.map(|slot| slot.path()), problem));
    }
    let broken: BTreeSet<usize> = parsed.faults.iter().map(|(line, ..)| *line).collect();
    let mut walk = Walk {
        text,
        keys,
        broken,
        parsed,
    };
    for (name, value) in table.get_ref() {
        walk.section(name.get_ref(), name.span().start, value);
    }
    walk.parsed
}

struct Walk<'a> {
    text: &'a str,
    keys: &'a [&'static Key],
    broken: BTreeSet<usize>,
    parsed: Parsed,
}

impl Walk<'_> {
    fn section(&mut self, name: &str, at: usize, value: &Spanned<DeValue<'_>>) {
        let line = line_of(self.text.as_bytes(), at);
        if self.list(name, line, value) {
            return;
        }
        let known = self.keys.iter().any(|key| key.section == name);
        match value.get_ref() {
            DeValue::Table(table) if known => {
                for (key, value) in table {
                    let line = self.line(key.span().start);
                    if !self.list(&format!("{name}.{}", key.get_ref()), line, value) {
                        self.key(name, None, key.get_ref(), line, value);
                    }
                }
            }
            _ if known => self.fault(
                line,
                name,
                Problem::new(
                    "is not a section",
                    format!("write [{name}] on a line of its own"),
                ),
            ),
            DeValue::Table(_) | DeValue::Array(_) => {
                let sections: BTreeSet<&str> = self.keys.iter().map(|key| key.section).collect();
                let near = nearest(name, sections);
                let remedy = match self.keys.iter().find(|key| Some(key.section) == near) {
                    Some(key) => format!("did you mean {}?", key.header()),
                    None => "remove it".to_owned(),
                };
                self.fault(line, name, Problem::new("is not a section", remedy));
            }
            _ => self.unknown(line, "", None, name),
        }
    }

    fn line(&self, at: usize) -> usize {
        line_of(self.text.as_bytes(), at)
    }

    /// Reads a list; returns whether this is the name of one.
    fn list(&mut self, name: &str, line: usize, value: &Spanned<DeValue<'_>>) -> bool {
        let Some(key) = self
            .keys
            .iter()
            .find(|key| key.listed && key.section == name)
            .copied()
        else {
            return false;
        };
        let wrong = || {
            Problem::new(
                "is a list",
                format!("write {} before each entry", key.header()),
            )
        };
        let DeValue::Array(items) = value.get_ref() else {
            self.fault(line, name, wrong());
            return true;
        };
        for (entry, item) in items.iter().enumerate() {
            let line = self.line(item.span().start);
            self.parsed.lists.entry(key.section).or_default().push(line);
            let DeValue::Table(table) = item.get_ref() else {
                self.fault(line, name, wrong());
                continue;
            };
            for (key, value) in table {
                let line = self.line(key.span().start);
                self.key(name, Some(entry), key.get_ref(), line, value);
            }
        }
        true
    }

    fn key(
        &mut self,
        section: &str,
        entry: Option<usize>,
        name: &str,
        line: usize,
        value: &Spanned<DeValue<'_>>,
    ) {
        let found = self
            .keys
            .iter()
            .find(|key| key.section == section && key.name == name);
        let Some(key) = found.copied() else {
            return self.unknown(line, section, entry, name);
        };
        let slot = Slot { key, entry };
        if let (Kind::Map, DeValue::Table(table)) = (key.kind, value.get_ref()) {
            for name in table.keys() {
                let path = format!("{}.{}", slot.path(), name.get_ref());
                self.parsed
                    .places
                    .push((path, self.line(name.span().start)));
            }
        }
        match read(key, value.get_ref()) {
            Ok(value) => self.parsed.values.push((slot, line, value)),
            Err(problem) => self.fault(line, &slot.path(), problem),
        }
    }

    fn unknown(&mut self, line: usize, section: &str, entry: Option<usize>, name: &str) {
        let here = self.keys.iter().filter(|key| key.section == section);
        let elsewhere = self.keys.iter().find(|key| key.name == name);
        let remedy = if let Some(key) = elsewhere {
            format!("it belongs in the section {}", key.header())
        } else if let Some(near) = nearest(name, here.map(|key| key.name)) {
            format!("did you mean {near}?")
        } else if let Some(near) = nearest(name, self.keys.iter().map(|key| key.name)) {
            format!("did you mean {near}?")
        } else {
            "remove it".to_owned()
        };
        let path = match (section, entry) {
            ("", _) => name.to_owned(),
            (section, None) => format!("{section}.{name}"),
            (section, Some(entry)) => at(section, entry, name),
        };
        self.fault(line, &path, Problem::new("is not a key", remedy));
    }

    fn fault(&mut self, line: usize, key: &str, problem: Problem) {
        // What a broken line recovers to adds nothing.
        if !self.broken.contains(&line) {
            // A name in quotes can hold anything.
            let name = key.chars().all(|c| c.is_ascii_graphic()) && key.len() <= 80;
            let shown = if name { key.to_owned() } else { quoted(key) };
            self.parsed.faults.push((line, Some(shown), problem));
        }
    }
}

/// Returns the value as the kind of the key demands; the range is checked when it is set.
fn read(key: &Key, value: &DeValue<'_>) -> Result<Value, Problem> {
    match (key.kind, value) {
        (Kind::Text, DeValue::String(text)) => Ok(Value::Text(text.to_string())),
        (Kind::Secret, DeValue::String(text)) => Ok(Value::Secret(Secret::new(text.to_string()))),
        (Kind::Bool, DeValue::Boolean(flag)) => Ok(Value::Bool(*flag)),
        (Kind::Int, DeValue::Integer(number)) => {
            i128::from_str_radix(number.as_str(), number.radix())
                .map(Value::Int)
                .map_err(|_| key.wrong(&format!("the number {}", cut(number.as_str()))))
        }
        (Kind::List, DeValue::Array(items)) => items
            .iter()
            .map(|item| match item.get_ref() {
                DeValue::String(text) => Ok(text.to_string()),
                other => Err(key.wrong(&format!("a list with {}", described(other)))),
            })
            .collect::<Result<_, _>>()
            .map(Value::List),
        (Kind::Map, DeValue::Table(table)) => table
            .iter()
            .map(|(name, item)| match item.get_ref() {
                DeValue::String(text) => Ok((name.get_ref().to_string(), text.to_string())),
                other => Err(key.wrong(&format!("a table with {}", described(other)))),
            })
            .collect::<Result<_, _>>()
            .map(Value::Map),
        (_, other) => Err(key.wrong(&described(other))),
    }
}

fn described(value: &DeValue<'_>) -> String {
    match value {
        DeValue::String(text) => format!("the text {}", quoted(text)),
        DeValue::Integer(number) => format!("the number {}", cut(number.as_str())),
        DeValue::Float(number) => format!("the number {}", cut(number.as_str())),
        DeValue::Boolean(flag) => flag.to_string(),
        DeValue::Datetime(_) => "a date".to_owned(),
        DeValue::Array(_) => "a list".to_owned(),
        DeValue::Table(_) => "a table".to_owned(),
    }
}

/// Returns the name most like `name`, when it is like enough to be meant.
pub(crate) fn nearest<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let flat = |text: &str| text.to_ascii_lowercase().replace(['_', '-'], "");
    let wanted = flat(name);
    known
        .into_iter()
        .map(|candidate| (strsim::jaro_winkler(&wanted, &flat(candidate)), candidate))
        .filter(|(likeness, _)| *likeness > 0.86)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, candidate)| candidate)
}

/// Returns the declared key that line `line` sets, as far as the raw text shows.
fn slot_at(text: &str, line: usize, keys: &[&'static Key]) -> Option<Slot> {
    let lines: Vec<&str> = text.lines().take(line).collect();
    let name = lines.last()?.split('=').next()?.trim();
    let header = |line: &&str| Some(line.trim().strip_prefix('[')?.split(']').next()?.to_owned());
    let section = lines.iter().rev().find_map(header)?;
    let listed = section.starts_with('[');
    let title = section.trim_start_matches('[').trim();
    let key = keys
        .iter()
        .find(|key| key.section == title && key.name == name && key.listed == listed)?;
    let same = lines
        .iter()
        .filter(|line| header(line).as_ref() == Some(&section));
    let entry = listed.then(|| same.count() - 1);
    Some(Slot { key, entry })
}

/// Returns whether the value in a broken line is a text without quotes: that of a key which takes one, or of an unknown key when it has a
/// letter.
fn lacks_quotes(text: &str, line: usize, keys: &[&'static Key]) -> bool {
    let value = text.lines().nth(line - 1).and_then(|line| {
        let (_, value) = line.split_once('=')?;
        Some(value.trim())
    });
    let Some(value) = value.filter(|value| !value.is_empty()) else {
        return false;
    };
    if value.starts_with(['"', '\'', '[', '{', '#']) {
        return false;
    }
    match slot_at(text, line, keys) {
        Some(slot) => matches!(slot.key.kind, Kind::Text | Kind::Secret),
        None => value.contains(char::is_alphabetic),
    }
}
