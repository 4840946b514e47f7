//! Loading: default, file, environment, credential, then the checks over several keys.

use std::path::{Path, PathBuf};

use crate::draft::{Draft, Loaded};
use crate::environment::Environment;
use crate::faults::{Fault, Faults, Place};
use crate::file::{self, Fingerprint};
use crate::key::Problem;
use crate::machine::Machine;
use crate::{Config, DEFAULT_PATH, PATH_VARIABLE, analytics, checks, password, targets};

impl Config {
    /// Loads the file at `path`, or the one that `COLLECTOR_CONFIG` names, or the default one, and
    /// lays the environment over it. A missing file is a fault only when it was named.
    ///
    /// # Errors
    /// Everything that is wrong, together.
    pub fn load(path: Option<&Path>, environment: &Environment) -> Result<Loaded, Faults> {
        Self::load_on(path, environment, &Machine::this())
    }

    /// Loads as [`Config::load`] does, with the machine's answers given, for tests.
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
        let mut draft = Draft::new(named.unwrap_or_else(|| PathBuf::from(DEFAULT_PATH)));
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
        analytics::check(&mut draft);
        checks::queue(&mut draft, machine);
        draft.finish(content.map_or(Fingerprint::MISSING, |content| content.fingerprint()))
    }
}
