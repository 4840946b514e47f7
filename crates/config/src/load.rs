//! Loading: default, file, environment, credential, then the checks over several keys.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::environment::Environment;
use crate::faults::{Fault, Faults, Place};
use crate::file::{self, Fingerprint};
use crate::key::{Key, Kind, Problem, Slot, Value};
use crate::machine::Machine;
use crate::secret::Secret;
use crate::{Config, DEFAULT_PATH, PATH_VARIABLE, checks, password, targets, toml_file};

/// A configuration that passed every check, and how it came about.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// The settings.
    pub config: Config,
    /// What is doubtful but works.
    pub warnings: Vec<Fault>,
    /// Every setting as text, for people; secrets are masked.
    pub effective: Vec<Setting>,
    /// The file that was looked for.
    pub path: PathBuf,
    /// What the file was when it was read.
    pub fingerprint: Fingerprint,
    /// The files that secrets came from, and what they were.
    pub secret_files: Vec<(PathBuf, Fingerprint)>,
}

/// One setting as it is in use.
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
    /// One word: `default`, `file`, `env` or `credential`.
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

/// A configuration on its way, with what was found wrong so far.
pub(crate) struct Draft {
    pub(crate) config: Config,
    pub(crate) path: PathBuf,
    /// Lines of the secrets that the file holds, whether they are used or not.
    pub(crate) secrets_in_file: BTreeMap<String, usize>,
    /// Files that secrets were taken from.
    pub(crate) secret_files: Vec<(PathBuf, Fingerprint)>,
    origins: BTreeMap<String, Origin>,
    faults: Vec<Fault>,
    warnings: Vec<Fault>,
}

impl Draft {
    pub(crate) fn origin(&self, key: &str) -> Origin {
        self.origins.get(key).cloned().unwrap_or(Origin::Default)
    }

    pub(crate) fn set_origin(&mut self, key: impl Into<String>, origin: Origin) {
        self.origins.insert(key.into(), origin);
    }

    /// The value of `key` is refused.
    pub(crate) fn fault(&mut self, key: &str, problem: Problem) {
        let fault = self.about(key, problem);
        self.faults.push(fault);
    }

    /// What a file says about `key` is refused.
    pub(crate) fn fault_at(&mut self, place: Place, key: &str, problem: Problem) {
        self.faults.push(Fault {
            place,
            key: Some(key.to_owned()),
            problem,
        });
    }

    /// The value of `key` is doubtful.
    pub(crate) fn warn(&mut self, key: &str, problem: Problem) {
        let warning = self.about(key, problem);
        self.warnings.push(warning);
    }

    fn about(&self, key: &str, problem: Problem) -> Fault {
        Fault {
            place: match self.origin(key) {
                Origin::Default => Place::Default,
                Origin::File(line) | Origin::Entry(line) => {
                    Place::File(self.path.clone(), Some(line))
                }
                Origin::Variable(name) => Place::Variable(name),
                Origin::Credential(path) => Place::File(path, None),
            },
            key: Some(key.to_owned()),
            problem,
        }
    }

    fn set(&mut self, slot: Slot, value: Value, origin: Origin) {
        self.set_origin(slot.path(), origin);
        if let Err(problem) = self.config.set(slot, value) {
            self.fault(&slot.path(), problem);
        }
    }

    fn read_file(&mut self, text: &str) {
        let keys: Vec<&'static Key> = Config::keys().collect();
        let parsed = toml_file::parse(text, &keys);
        for (name, entries) in parsed.lists {
            if let Some(list) = self.config.list_mut(name) {
                list.reset(entries.len());
            }
            for (entry, line) in entries.into_iter().enumerate() {
                // What is wrong with a key that an entry lacks is said where the entry begins.
                for key in keys.iter().filter(|key| key.listed && key.section == name) {
                    let slot = Slot {
                        key,
                        entry: Some(entry),
                    };
                    self.set_origin(slot.path(), Origin::Entry(line));
                }
            }
        }
        for (path, line) in parsed.places {
            self.set_origin(path, Origin::File(line));
        }
        for (line, key, problem) in parsed.faults {
            self.faults.push(Fault {
                place: Place::File(self.path.clone(), Some(line)),
                key,
                problem,
            });
        }
        for (slot, line, value) in parsed.values {
            let given = value.holds_secret();
            self.set(slot, value, Origin::File(line));
            // Some addresses turn out to hold none; what is refused may hold one.
            let kept = self.config.get(slot).filter(|value| value.shown() != "");
            if given && kept.is_none_or(|value| value.holds_secret()) {
                self.secrets_in_file.insert(slot.path(), line);
            }
        }
    }

    fn read_environment(&mut self, environment: &Environment) {
        for key in Config::keys() {
            let Some(name) = key.env else { continue };
            let Some(raw) = environment.raw(name) else {
                continue;
            };
            let value = match raw.to_str() {
                Some(text) => value_of(key, text),
                None => Err(Problem::new("is not UTF-8", "write it as plain text")),
            };
            match value {
                Ok(value) => self.set(key.into(), value, Origin::Variable(name)),
                Err(problem) => {
                    self.set_origin(key.path, Origin::Variable(name));
                    self.fault(key.path, problem);
                }
            }
        }
    }

    fn effective(&self) -> Vec<Setting> {
        let slots = self.config.slots().into_iter();
        slots
            .map(|slot| Setting {
                key: slot.path(),
                value: self
                    .config
                    .get(slot)
                    .map(|value| value.shown())
                    .unwrap_or_default(),
                origin: match self.origin(&slot.path()) {
                    Origin::Entry(_) => Origin::Default,
                    origin => origin,
                },
                live: slot.key.live,
            })
            .collect()
    }
}

/// What the text of a variable stands for.
fn value_of(key: &Key, text: &str) -> Result<Value, Problem> {
    let trimmed = text.trim();
    match key.kind {
        Kind::Text => Ok(Value::Text(trimmed.to_owned())),
        Kind::Secret => Ok(Value::Secret(Secret::new(text))),
        Kind::Int => trimmed
            .parse()
            .map(Value::Int)
            .map_err(|_| key.wrong(&Value::Text(trimmed.to_owned()).described())),
        Kind::Bool => match trimmed.to_ascii_lowercase().as_str() {
            "true" | "1" | "yes" | "on" => Ok(Value::Bool(true)),
            "false" | "0" | "no" | "off" => Ok(Value::Bool(false)),
            _ => Err(key.wrong(&Value::Text(trimmed.to_owned()).described())),
        },
        Kind::List => Ok(Value::List(
            trimmed
                .split(',')
                .map(|item| item.trim().to_owned())
                .filter(|item| !item.is_empty())
                .collect(),
        )),
        Kind::Map => Err(key.wrong("a text")),
    }
}

impl Config {
    /// Loads the file at `path`, or the one that `COLLECTOR_CONFIG` names, or the default one, and
    /// lays the environment over it. A missing file is a fault only when it was named.
    ///
    /// # Errors
    /// Everything that is wrong, together.
    pub fn load(path: Option<&Path>, environment: &Environment) -> Result<Loaded, Faults> {
        Self::load_on(path, environment, &Machine::this())
    }

    /// [`Config::load`] with the machine's answers given, for tests.
    ///
    /// # Errors
    /// Everything that is wrong, together.
    pub fn load_on(
        path: Option<&Path>,
        environment: &Environment,
        machine: &Machine,
    ) -> Result<Loaded, Faults> {
        let named = path
            .map(Path::to_owned)
            .or_else(|| environment.raw(PATH_VARIABLE).map(PathBuf::from));
        let must_exist = named.is_some();
        let mut draft = Draft {
            config: Self::default(),
            path: named.unwrap_or_else(|| PathBuf::from(DEFAULT_PATH)),
            secrets_in_file: BTreeMap::new(),
            secret_files: Vec::new(),
            origins: BTreeMap::new(),
            faults: Vec::new(),
            warnings: Vec::new(),
        };
        let whole = |path: &Path, line, problem| {
            Faults(vec![Fault {
                place: Place::File(path.to_owned(), line),
                key: None,
                problem,
            }])
        };
        let content =
            file::config(&draft.path).map_err(|problem| whole(&draft.path, None, problem))?;
        if content.is_none() && must_exist {
            let missing = Problem::new(
                "is not there",
                "create it, or name no file to run with the defaults",
            );
            return Err(whole(&draft.path, None, missing));
        }
        if let Some(content) = &content {
            let text = file::decode(&content.bytes)
                .map_err(|(line, problem)| whole(&draft.path, line, problem))?;
            draft.read_file(text);
        }
        draft.read_environment(environment);
        password::resolve(&mut draft, environment);
        password::resolve_entries(&mut draft);
        let open_mode = content
            .as_ref()
            .filter(|content| content.is_open_to_others())
            .map(|content| content.mode);
        checks::secrets(&mut draft, open_mode);
        checks::keys_together(&mut draft);
        targets::check(&mut draft);
        checks::queue(&mut draft, machine);
        if !draft.faults.is_empty() {
            // In the order in which a person goes through the file.
            draft.faults.sort_by_key(|fault| match fault.place {
                Place::File(_, line) => line.unwrap_or(0),
                _ => usize::MAX,
            });
            return Err(Faults(draft.faults));
        }
        Ok(Loaded {
            effective: draft.effective(),
            config: draft.config,
            warnings: draft.warnings,
            path: draft.path,
            fingerprint: content.map_or(Fingerprint::MISSING, |content| content.fingerprint()),
            secret_files: draft.secret_files,
        })
    }
}
