//! A configuration on its way from the defaults through file and environment to what is in force.
//!
//! A [`Draft`] is filled by its sources in turn, then examined by the checks, which add faults and warnings;
//! [`Draft::finish`] turns it into a [`Loaded`] unless there are faults.

use std::collections::BTreeMap;
use std::path::PathBuf;

use crate::Config;
use crate::environment::Environment;
use crate::faults::{Fault, Faults, Place};
use crate::file::Fingerprint;
use crate::key::{Key, Kind, Problem, Slot, Value};
use crate::origin::{Origin, Setting};
use crate::secret::Secret;
use crate::toml_file;

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

impl Loaded {
    /// Returns whether there was a file; without one only defaults, environment and credentials count.
    #[must_use]
    pub fn has_file(&self) -> bool {
        self.fingerprint != Fingerprint::MISSING
    }
}

/// A configuration that is being loaded, with the faults found so far.
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
    /// Begins with the defaults, for the file at this path.
    pub(crate) fn new(path: PathBuf) -> Self {
        Self {
            config: Config::default(),
            path,
            secrets_in_file: BTreeMap::new(),
            secret_files: Vec::new(),
            origins: BTreeMap::new(),
            faults: Vec::new(),
            warnings: Vec::new(),
        }
    }

    /// Returns where the value of `key` comes from.
    pub(crate) fn origin(&self, key: &str) -> Origin {
        self.origins.get(key).cloned().unwrap_or(Origin::Default)
    }

    /// Notes where the value of `key` comes from.
    pub(crate) fn set_origin(&mut self, key: impl Into<String>, origin: Origin) {
        self.origins.insert(key.into(), origin);
    }

    /// Refuses the value of `key`.
    pub(crate) fn fault(&mut self, key: &str, problem: Problem) {
        let fault = self.about(key, problem);
        self.faults.push(fault);
    }

    /// Refuses what a file holds for `key`.
    pub(crate) fn fault_at(&mut self, place: Place, key: &str, problem: Problem) {
        self.faults.push(Fault {
            place,
            key: Some(key.to_owned()),
            problem,
        });
    }

    /// Warns of the value of `key`.
    pub(crate) fn warn(&mut self, key: &str, problem: Problem) {
        let warning = self.about(key, problem);
        self.warnings.push(warning);
    }

    /// Returns a fault at the place that the value of `key` comes from.
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

    /// Sets a value; one that is refused is a fault.
    fn set(&mut self, slot: Slot, value: Value, origin: Origin) {
        self.set_origin(slot.path(), origin);
        if let Err(problem) = self.config.set(slot, value) {
            self.fault(&slot.path(), problem);
        }
    }

    /// Lays the text of the file over it.
    pub(crate) fn read_file(&mut self, text: &str) {
        let keys: Vec<&'static Key> = Config::keys().collect();
        let parsed = toml_file::parse(text, &keys);
        for (name, entries) in parsed.lists {
            if let Some(list) = self.config.list_mut(name) {
                list.reset(entries.len());
            }
            for (entry, line) in entries.into_iter().enumerate() {
                // What is wrong with a key that an entry lacks is reported where the entry begins.
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

    /// Lays the environment over it.
    pub(crate) fn read_environment(&mut self, environment: &Environment) {
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

    /// Returns every setting as text.
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

    /// Returns the faults, in the order in which a person goes through the file; else what was loaded.
    pub(crate) fn finish(mut self, fingerprint: Fingerprint) -> Result<Loaded, Faults> {
        if !self.faults.is_empty() {
            self.faults.sort_by_key(|fault| match fault.place {
                Place::File(_, line) => line.unwrap_or(0),
                _ => usize::MAX,
            });
            return Err(Faults(self.faults));
        }
        Ok(Loaded {
            effective: self.effective(),
            config: self.config,
            warnings: self.warnings,
            path: self.path,
            fingerprint,
            secret_files: self.secret_files,
        })
    }
}

/// Parses the text of a variable.
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
