//! What a key is: the declaration from which parsing, environment overlay, checks, reload and the
//! reference page follow.

use std::collections::BTreeMap;

use crate::secret::Secret;

/// Most bytes of a text; more than any path, name or token has.
const MOST_BYTES: usize = 4096;

/// One key of the configuration file.
#[derive(Clone, Copy, Debug)]
pub struct Key {
    /// Section, e.g. `collector`.
    pub section: &'static str,
    /// Name inside the section, e.g. `batch_size`.
    pub name: &'static str,
    /// Section and name joined by a dot.
    pub path: &'static str,
    /// What the file holds for it.
    pub kind: Kind,
    /// Doc lines of the field.
    pub doc: &'static [&'static str],
    /// Environment variable that overrides the file.
    pub env: Option<&'static str>,
    /// Which values are accepted.
    pub check: Check,
    /// Whether a changed value takes effect without a restart.
    pub live: bool,
    /// Whether the section is written once for each entry, as `[[postgres]]`.
    pub listed: bool,
}

/// What the file holds for a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A text.
    Text,
    /// A text that is hidden wherever it is shown.
    Secret,
    /// A whole number.
    Int,
    /// `true` or `false`.
    Bool,
    /// A list of texts; comma separated in an environment variable.
    List,
    /// A table of texts by name; not to be had from an environment variable.
    Map,
}

/// Which values of the right type are accepted.
#[derive(Clone, Copy, Debug)]
pub enum Check {
    /// Every value of the type.
    Any,
    /// A number from the first to the second bound, both included.
    Range(i64, i64),
    /// A text that is not empty.
    Filled,
    /// Whatever this function accepts; it returns what is wrong.
    With(fn(&Value) -> Result<(), Problem>),
}

/// What is wrong with a value, and what to do about it. Never holds a secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// What is wrong, e.g. `is 0, outside 1…10000`.
    pub text: String,
    /// What to do, e.g. `choose a number from 1 to 10000`.
    pub remedy: String,
}

impl Problem {
    /// Returns a problem and its remedy.
    #[must_use]
    pub fn new(text: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            remedy: remedy.into(),
        }
    }
}

/// A value on its way between file, environment and typed field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// A text.
    Text(String),
    /// A text that is hidden.
    Secret(Secret),
    /// A text with a secret inside, and how it is shown without it.
    Masked(Secret, String),
    /// A whole number; wide, so that a number too large for its field is still named.
    Int(i128),
    /// `true` or `false`.
    Bool(bool),
    /// A list of texts.
    List(Vec<String>),
    /// Texts by name.
    Map(BTreeMap<String, String>),
}

impl Value {
    /// Returns the value as people read it; secrets are masked, nothing is shown as an empty text.
    #[must_use]
    pub fn shown(&self) -> String {
        match self {
            Self::Text(text) => text.clone(),
            Self::Secret(secret) if secret.is_empty() => String::new(),
            Self::Secret(_) => "***".to_owned(),
            Self::Masked(_, shown) => shown.clone(),
            Self::Int(number) => number.to_string(),
            Self::Bool(flag) => flag.to_string(),
            Self::List(items) => items.join(", "),
            Self::Map(entries) => {
                let pairs = entries
                    .iter()
                    .map(|(name, text)| format!("{name} = {text}"));
                pairs.collect::<Vec<_>>().join(", ")
            }
        }
    }

    /// Bytes of the longest text in it.
    fn longest(&self) -> usize {
        match self {
            Self::Text(text) => text.len(),
            Self::Secret(secret) | Self::Masked(secret, _) => secret.expose().len(),
            Self::List(items) => items.iter().map(String::len).max().unwrap_or(0),
            Self::Map(entries) => entries
                .iter()
                .map(|(name, text)| name.len().max(text.len()))
                .max()
                .unwrap_or(0),
            Self::Int(_) | Self::Bool(_) => 0,
        }
    }

    /// Returns the value as it is named in a message.
    pub(crate) fn described(&self) -> String {
        match self {
            Self::Text(text) => format!("the text {}", quoted(text)),
            Self::Secret(_) | Self::Masked(..) => "a secret".to_owned(),
            Self::Int(number) => format!("the number {number}"),
            Self::Bool(flag) => flag.to_string(),
            Self::List(_) => "a list".to_owned(),
            Self::Map(_) => "a table".to_owned(),
        }
    }

    /// Returns whether there is something in it that must not be seen.
    pub(crate) fn holds_secret(&self) -> bool {
        match self {
            Self::Secret(secret) => !secret.is_empty(),
            Self::Masked(whole, shown) => whole.expose() != shown,
            _ => false,
        }
    }
}

impl Key {
    /// Returns a key that accepts every value, has no variable and needs a restart.
    pub(crate) const fn new(
        section: &'static str,
        name: &'static str,
        path: &'static str,
        kind: Kind,
        doc: &'static [&'static str],
        listed: bool,
    ) -> Self {
        Self {
            section,
            name,
            path,
            kind,
            doc,
            env: None,
            check: Check::Any,
            live: false,
            listed,
        }
    }

    /// Lets this environment variable override it.
    pub(crate) const fn env(mut self, name: &'static str) -> Self {
        self.env = Some(name);
        self
    }

    /// Accepts the numbers from `low` to `high`.
    pub(crate) const fn range(mut self, low: i64, high: i64) -> Self {
        self.check = Check::Range(low, high);
        self
    }

    /// Refuses an empty text.
    pub(crate) const fn filled(mut self) -> Self {
        self.check = Check::Filled;
        self
    }

    /// Accepts what `check` accepts.
    pub(crate) const fn with(mut self, check: fn(&Value) -> Result<(), Problem>) -> Self {
        self.check = Check::With(check);
        self
    }

    /// Marks it as applied while running.
    pub(crate) const fn live(mut self) -> Self {
        self.live = true;
        self
    }

    /// Returns the line that begins the section in the file.
    #[must_use]
    pub fn header(&self) -> String {
        if self.listed {
            format!("[[{}]]", self.section)
        } else {
            format!("[{}]", self.section)
        }
    }

    /// Returns whether the value is hidden wherever it is shown.
    #[must_use]
    pub fn is_secret(&self) -> bool {
        self.kind == Kind::Secret
    }

    /// Returns what a person must write, e.g. `a whole number from 1 to 10000`.
    #[must_use]
    pub fn wanted(&self) -> String {
        match (self.kind, self.check) {
            (Kind::Text | Kind::Secret, _) => "a text in double quotes".to_owned(),
            (Kind::Int, Check::Range(low, high)) => {
                format!("a whole number from {low} to {high}, without quotes")
            }
            (Kind::Int, _) => "a whole number, without quotes".to_owned(),
            (Kind::Bool, _) => "true or false, without quotes".to_owned(),
            (Kind::List, _) => r#"a list of texts, e.g. ["one", "two"]"#.to_owned(),
            (Kind::Map, _) => format!("texts by name below [{}.{}]", self.section, self.name),
        }
    }

    /// Returns whether `value` has the right kind and passes the check.
    pub(crate) fn admit(&self, value: &Value) -> Result<(), Problem> {
        let fits = matches!(
            (self.kind, value),
            (Kind::Text, Value::Text(_))
                | (Kind::Secret, Value::Secret(_) | Value::Masked(..))
                | (Kind::Int, Value::Int(_))
                | (Kind::Bool, Value::Bool(_))
                | (Kind::List, Value::List(_))
                | (Kind::Map, Value::Map(_))
        );
        if !fits {
            return Err(self.wrong(&value.described()));
        }
        if value.longest() > MOST_BYTES {
            return Err(Problem::new(
                format!("is longer than {MOST_BYTES} bytes"),
                "write a shorter text",
            ));
        }
        self.accepts(value)
    }

    /// Returns the problem of a value that is `found` instead of what is wanted.
    pub(crate) fn wrong(&self, found: &str) -> Problem {
        let text = if self.is_secret() {
            "has the wrong type".to_owned()
        } else {
            format!("is {found}")
        };
        Problem::new(text, format!("write {}", self.wanted()))
    }

    /// Applies the check to a value of the right kind.
    fn accepts(&self, value: &Value) -> Result<(), Problem> {
        match (self.check, value) {
            (Check::Range(low, high), Value::Int(number)) => {
                if (i128::from(low)..=i128::from(high)).contains(number) {
                    Ok(())
                } else {
                    Err(Problem::new(
                        format!("is {number}, outside {low}…{high}"),
                        format!("choose a number from {low} to {high}"),
                    ))
                }
            }
            (Check::Filled, Value::Text(text)) if text.trim().is_empty() => Err(Problem::new(
                "is empty",
                "give a value, or leave the key out for the default",
            )),
            (Check::With(check), value) => check(value),
            _ => Ok(()),
        }
    }
}

/// One key in one place: that of a section, or that of one entry of a list.
#[derive(Clone, Copy, Debug)]
pub struct Slot {
    /// The key.
    pub key: &'static Key,
    /// Which entry of the list, from 0; `None` for a key that is there once.
    pub entry: Option<usize>,
}

impl Slot {
    /// Returns how people name it: `collector.batch_size`, `postgres[1].url`; entries are counted from 1.
    #[must_use]
    pub fn path(&self) -> String {
        match self.entry {
            Some(entry) => at(self.key.section, entry, self.key.name),
            None => self.key.path.to_owned(),
        }
    }
}

impl From<&'static Key> for Slot {
    fn from(key: &'static Key) -> Self {
        Self { key, entry: None }
    }
}

/// Returns the path of `name` in an entry of the list `section`.
pub(crate) fn at(section: &str, entry: usize, name: &str) -> String {
    format!("{section}[{}].{name}", entry + 1)
}

/// Most characters of a value that a message repeats.
const MOST_SHOWN: usize = 60;

/// Returns `text` cut to a length that fits a message.
pub(crate) fn cut(text: &str) -> String {
    match text.char_indices().nth(MOST_SHOWN) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

/// Returns `text` in quotes, cut to a length that fits a message.
pub(crate) fn quoted(text: &str) -> String {
    match text.char_indices().nth(MOST_SHOWN) {
        Some((end, _)) => format!("{:?}…", &text[..end]),
        None => format!("{text:?}"),
    }
}
