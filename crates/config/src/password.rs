//! Where the password of the database comes from, and those of the entries of lists.

use std::path::{Path, PathBuf};

use crate::environment::Environment;
use crate::faults::Place;
use crate::file;
use crate::key::{Problem, Value, at};
use crate::load::{Draft, Origin};

/// Name of the credential below `$CREDENTIALS_DIRECTORY`.
const CREDENTIAL: &str = "db_password";

const PASSWORD: &str = "database.password";
const PASSWORD_FILE: &str = "database.password_file";

/// Puts the password into the draft, from the best of its sources.
pub(crate) fn resolve(draft: &mut Draft, environment: &Environment) {
    let (direct, file) = (draft.origin(PASSWORD), draft.origin(PASSWORD_FILE));
    let has_direct = !draft.config.database.password.is_empty();
    let path = draft.config.database.password_file.clone();
    let ambiguous = match (&direct, &file) {
        (Origin::Variable(_), Origin::Variable(_)) => true,
        (Origin::File(_), Origin::File(_)) => has_direct && path.is_some(),
        _ => false,
    };
    if ambiguous {
        draft.fault(
            PASSWORD,
            Problem::new(
                "is given twice, here and by a file (DB_PASS_FILE or password_file)",
                "keep one of them",
            ),
        );
        return;
    }
    if let Some(directory) = environment.raw("CREDENTIALS_DIRECTORY") {
        let path = Path::new(directory).join(CREDENTIAL);
        if file::credential_exists(&path) {
            // systemd chooses its mode.
            return take(draft, path, false);
        }
    }
    if let Some(path) = path
        && !(matches!(direct, Origin::Variable(_)) && matches!(file, Origin::File(_)))
    {
        take(draft, path, true);
    }
}

/// Puts what the files of the entries hold into the draft: passwords of servers, tokens of targets.
pub(crate) fn resolve_entries(draft: &mut Draft) {
    let slots = draft.config.slots();
    for (section, secret, file, others) in [
        ("postgres", "password", "password_file", &["url"][..]),
        ("scrape.target", "token", "token_file", &[]),
    ] {
        for slot in &slots {
            let Some(entry) = slot.entry else { continue };
            if slot.key.section != section || slot.key.name != secret {
                continue;
            }
            let path = slot.path();
            let given = |name: &&str| {
                let other = slots
                    .iter()
                    .find(|other| other.path() == at(section, entry, name));
                let value = other.and_then(|other| draft.config.get(*other));
                value.is_some_and(|value| match value {
                    Value::Text(text) => !text.is_empty(),
                    value => value.holds_secret(),
                })
            };
            let sources: Vec<&str> = [secret, file]
                .into_iter()
                .chain(others.iter().copied())
                .filter(given)
                .collect();
            if sources.len() > 1 {
                let problem = Problem::new(
                    format!("has its secret in {}", sources.join(" and in ")),
                    "keep one of them",
                );
                draft.fault(&at(section, entry, sources[0]), problem);
            } else if sources == [file] {
                let found = slots
                    .iter()
                    .find(|other| other.path() == at(section, entry, file));
                let Some(Value::Text(name)) = found.and_then(|other| draft.config.get(*other))
                else {
                    continue;
                };
                let name = PathBuf::from(name);
                let taken = file::secret(&name, true)
                    .and_then(|secret| draft.config.set(*slot, Value::Secret(secret)));
                match taken {
                    Ok(()) => draft.set_origin(path, Origin::Credential(name)),
                    Err(problem) => draft.fault_at(Place::File(name, None), &path, problem),
                }
            }
        }
    }
}

fn take(draft: &mut Draft, path: PathBuf, check_mode: bool) {
    match file::secret(&path, check_mode) {
        Ok(secret) => {
            draft.config.database.password = secret;
            draft.set_origin(PASSWORD, Origin::Credential(path));
        }
        Err(problem) => draft.fault_at(Place::File(path, None), PASSWORD, problem),
    }
}
