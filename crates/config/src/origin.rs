//! Settings in use and where their values come from.

use std::path::PathBuf;

/// A setting in use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Setting {
    /// The key, e.g. `collector.batch_size` or `postgres[1].url`.
    pub key: String,
    /// Its value as text; a secret is `***`, or empty when there is none.
    pub value: String,
    /// Where the value comes from.
    pub origin: Origin,
    /// Whether a change is applied without a restart.
    pub live: bool,
}

/// Where a value in use comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// The declaration.
    Default,
    /// A line of the file.
    File(usize),
    /// The declaration, in an entry that begins at this line of the file.
    Entry(usize),
    /// An environment variable.
    Variable(&'static str),
    /// A file that holds the secret.
    Credential(PathBuf),
}

impl Origin {
    /// Returns the word for it: `default`, `file`, `env` or `credential`.
    #[must_use]
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Default | Self::Entry(_) => "default",
            Self::File(_) => "file",
            Self::Variable(_) => "env",
            Self::Credential(_) => "credential",
        }
    }
}
