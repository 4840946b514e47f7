//! Where the password of the database comes from, and those of the entries of lists.

use std::path::{Path, PathBuf};

use crate::draft::Draft;
use crate::environment::Environment;
use crate::faults::Place;
use crate::file;
use crate::key::{Key, Problem, Slot, Value, at};
use crate::origin::Origin;
use crate::{HealthCheck, Postgres, ScrapeTarget};

/// Names of the credential below `$CREDENTIALS_DIRECTORY`: that of `LoadCredential=db_password:…`, and the one that
/// `LoadCredential=pqcrypta:DIRECTORY` gives a file of that name in the directory (systemd.exec(5)).
const CREDENTIALS: [&str; 2] = ["db_password", "pqcrypta_db_password"];

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
        let paths = CREDENTIALS.map(|name| Path::new(directory).join(name));
        let given = paths.into_iter().find(|path| file::credential_exists(path));
        if let Some(path) = given {
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
    for (entry, server) in draft.config.postgres.clone().into_iter().enumerate() {
        let in_url = server.url.is_some_and(|url| url.has_password());
        let given = [
            ("password", !server.password.is_empty()),
            ("password_file", server.password_file.is_some()),
            ("url", in_url),
        ];
        take_entry(draft, Postgres::KEYS, entry, given, server.password_file);
    }
    for (entry, target) in draft.config.scrape.target.clone().into_iter().enumerate() {
        let given = [
            ("token", !target.token.is_empty()),
            ("token_file", target.token_file.is_some()),
            ("url", false),
        ];
        take_entry(draft, ScrapeTarget::KEYS, entry, given, target.token_file);
    }
    for (entry, check) in draft.config.health.check.clone().into_iter().enumerate() {
        let given = [
            ("password", !check.password.is_empty()),
            ("password_file", check.password_file.is_some()),
            ("target", false),
        ];
        take_entry(draft, HealthCheck::KEYS, entry, given, check.password_file);
    }
}

/// Takes the secret of an entry from its file, when that is its only source; `given` names the key
/// of the secret first, and which of its sources there are.
fn take_entry(
    draft: &mut Draft,
    keys: &'static [Key],
    entry: usize,
    given: [(&str, bool); 3],
    file: Option<PathBuf>,
) {
    let sources: Vec<&str> = given.iter().filter(|one| one.1).map(|one| one.0).collect();
    if let [first, _, ..] = sources.as_slice() {
        let text = format!("has its secret in {}", sources.join(" and in "));
        let path = at(keys[0].section, entry, first);
        draft.fault(&path, Problem::new(text, "keep one of them"));
        return;
    }
    let key = keys.iter().find(|key| key.name == given[0].0);
    let (Some(file), Some(key)) = (file, key) else {
        return;
    };
    let slot = Slot {
        key,
        entry: Some(entry),
    };
    let taken = file::secret(&file, true).and_then(|(secret, fingerprint)| {
        draft.secret_files.push((file.clone(), fingerprint));
        draft.config.set(slot, Value::Secret(secret))
    });
    match taken {
        Ok(()) => draft.set_origin(slot.path(), Origin::Credential(file)),
        Err(problem) => draft.fault_at(Place::File(file, None), &slot.path(), problem),
    }
}

fn take(draft: &mut Draft, path: PathBuf, check_mode: bool) {
    match file::secret(&path, check_mode) {
        Ok((secret, fingerprint)) => {
            draft.config.database.password = secret;
            draft.secret_files.push((path.clone(), fingerprint));
            draft.set_origin(PASSWORD, Origin::Credential(path));
        }
        Err(problem) => draft.fault_at(Place::File(path, None), PASSWORD, problem),
    }
}
