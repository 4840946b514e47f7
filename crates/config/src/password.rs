//! Where the password of the database comes from.

use std::path::{Path, PathBuf};

use crate::environment::Environment;
use crate::faults::Place;
use crate::file;
use crate::key::Problem;
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

fn take(draft: &mut Draft, path: PathBuf, check_mode: bool) {
    match file::secret(&path, check_mode) {
        Ok(secret) => {
            draft.config.database.password = secret;
            draft.set_origin(PASSWORD, Origin::Credential(path));
        }
        Err(problem) => draft.fault_at(Place::File(path, None), PASSWORD, problem),
    }
}
