//! Taking over a changed file while running.

use std::collections::BTreeSet;
use std::path::PathBuf;

use crate::Config;
use crate::draft::Loaded;
use crate::environment::Environment;
use crate::faults::Faults;
use crate::file::{self, Fingerprint};
use crate::key::{Slot, Value};
use crate::machine::Machine;

/// What differs between the settings in use and those of a file read again.
#[derive(Clone, Debug, Default)]
pub struct Reload {
    /// Changed keys, in the order of the reference.
    pub changes: Vec<Change>,
}

/// One changed key.
#[derive(Clone, Debug)]
pub struct Change {
    /// The key, and of which entry; `slot.key.live` states whether the new value is applied without
    /// a restart. A list is applied as a whole: its keys are all live, or none is.
    pub slot: Slot,
    /// Value in use, as text; secrets are masked.
    pub from: String,
    /// Value of the file, as text; secrets are masked.
    pub to: String,
}

impl Reload {
    /// Compares the settings in use with new ones.
    #[must_use]
    pub fn between(running: &Config, new: &Config) -> Self {
        let shown = |value: Option<Value>| value.map(|value| value.shown()).unwrap_or_default();
        let mut slots = new.slots();
        // Entries that are there no more.
        let gone = running.slots().into_iter();
        slots.extend(gone.filter(|slot| new.get(*slot).is_none()));
        let changes = slots
            .into_iter()
            .filter_map(|slot| {
                let (from, to) = (running.get(slot), new.get(slot));
                // An empty key of an entry that was added or removed is not a change.
                let is_change =
                    from != to && (shown(from.clone()), shown(to.clone())) != Default::default();
                is_change.then(|| Change {
                    slot,
                    from: shown(from),
                    to: shown(to),
                })
            })
            .collect();
        Self { changes }
    }

    /// Changes that are applied while running.
    pub fn live(&self) -> impl Iterator<Item = &Change> {
        self.changes.iter().filter(|change| change.slot.key.live)
    }

    /// Changes that wait for a restart.
    pub fn waiting(&self) -> impl Iterator<Item = &Change> {
        self.changes.iter().filter(|change| !change.slot.key.live)
    }

    /// Returns the settings to go on with: `new` where a key is applied while running, `running` elsewhere.
    #[must_use]
    pub fn apply(&self, running: &Config, new: &Config) -> Config {
        let mut next = running.clone();
        let listed = |change: &&Change| change.slot.entry.is_some();
        let lists: BTreeSet<&str> = self
            .live()
            .filter(listed)
            .map(|change| change.slot.key.section)
            .collect();
        let mut slots: Vec<Slot> = self
            .live()
            .filter(|change| !listed(change))
            .map(|change| change.slot)
            .collect();
        for list in new.lists() {
            let name = list.blank().name();
            if !lists.contains(name) {
                continue;
            }
            if let Some(list_now) = next.list_mut(name) {
                list_now.reset(list.entries().len());
            }
            let entries = new.slots().into_iter();
            slots.extend(entries.filter(|slot| slot.entry.is_some() && slot.key.section == name));
        }
        for slot in slots {
            if let Some(value) = new.get(slot) {
                // It was accepted when `new` was loaded; should it not be, the old value stays.
                drop(next.set(slot, value));
            }
        }
        next
    }
}

/// Looks whether the file has changed, or one that it takes a secret from: a password is renewed in its
/// own file. They are small, so that their bytes are compared: an editor that keeps time and size cannot
/// fool it.
#[derive(Debug)]
pub struct Watch {
    path: PathBuf,
    environment: Environment,
    machine: Machine,
    seen: Fingerprint,
    secrets: Vec<(PathBuf, Fingerprint)>,
    faults: Option<Faults>,
}

/// What a look at the file found.
#[derive(Debug)]
pub enum Polled {
    /// Nothing new, or the same faults as before.
    Unchanged,
    /// The file cannot be used; the settings in use stay. It is read again at the next look, since
    /// it may be half-written.
    Faulty(Faults),
    /// The file has changed and is good.
    Changed(Box<Loaded>, Reload),
}

impl Watch {
    /// Watches the file that `loaded` came from.
    #[must_use]
    pub fn new(loaded: &Loaded, environment: Environment, machine: Machine) -> Self {
        Self {
            path: loaded.path.clone(),
            environment,
            machine,
            seen: loaded.fingerprint,
            secrets: loaded.secret_files.clone(),
            faults: None,
        }
    }

    /// Reads the files and compares them with what was read last; `running` are the settings in use.
    pub fn poll(&mut self, running: &Config) -> Polled {
        let now = match file::config(&self.path) {
            Ok(content) => content.map_or(Fingerprint::MISSING, |content| content.fingerprint()),
            // Loading names the problem.
            Err(_) => Fingerprint::MISSING,
        };
        let mut secrets = self.secrets.iter();
        let same = secrets.all(|(path, seen)| Fingerprint::of_secret(path) == *seen);
        if now == self.seen && same && self.faults.is_none() {
            return Polled::Unchanged;
        }
        self.read(running)
    }

    /// Reads the files, changed or not, on request; faults are reported again.
    pub fn reread(&mut self, running: &Config) -> Polled {
        self.faults = None;
        self.read(running)
    }

    fn read(&mut self, running: &Config) -> Polled {
        match Config::load_on(Some(&self.path), &self.environment, &self.machine) {
            Ok(loaded) => {
                self.faults = None;
                self.seen = loaded.fingerprint;
                self.secrets.clone_from(&loaded.secret_files);
                let reload = Reload::between(running, &loaded.config);
                if reload.changes.is_empty() {
                    return Polled::Unchanged;
                }
                Polled::Changed(Box::new(loaded), reload)
            }
            Err(faults) => {
                if self.faults.as_ref() == Some(&faults) {
                    return Polled::Unchanged;
                }
                self.faults = Some(faults.clone());
                Polled::Faulty(faults)
            }
        }
    }

    /// Returns the faults of the file as it is now, as long as it cannot be used.
    #[must_use]
    pub fn faults(&self) -> Option<&Faults> {
        self.faults.as_ref()
    }
}
