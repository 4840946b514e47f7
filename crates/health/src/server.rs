//! A PostgreSQL server: whether a role can log in and gets an answer.

use std::time::Duration;

use config::{Database, HealthCheck, PgUrl, Postgres};
use pg::{SessionOptions, Target};

use crate::{Facts, Failure, is_resolver_silent};

const APPLICATION: &str = "pqcrypta-health-check";

/// Checks that the role of the address logs in and `SELECT 1` is answered.
pub(crate) async fn answers(
    check: &HealthCheck,
    url: &PgUrl,
    timeout: Duration,
    facts: &mut Facts,
) -> Result<(), Failure> {
    let failed = |error: &pg::PgError| {
        let text = pg::causes(error);
        if is_resolver_silent(&text) {
            Failure::Unknown(text)
        } else {
            Failure::Down(text)
        }
    };
    let server = Postgres {
        name: check.name.clone(),
        url: Some(url.clone()),
        password: check.password.clone(),
        ..Postgres::default()
    };
    let store = Database {
        ssl_root_cert: check.root_cert.clone(),
        ..Database::default()
    };
    let target = Target::watched(&server, &store).map_err(|error| failed(&error))?;
    let options = SessionOptions {
        connect_timeout: timeout,
        read_only: true,
        ..SessionOptions::for_deadline(timeout)
    };
    // The driver resolves the name and reports it when that fails; from here on it is the server that is waited for.
    facts.is_resolved = true;
    let session = pg::connect(&target, &options, APPLICATION).await;
    let session = session.map_err(|error| failed(&error))?;
    let answer = session.client.query_one("SELECT 1", &[]).await;
    let result = answer.map_err(|error| Failure::Down(pg::causes(&error)));
    session.close(Duration::from_millis(200)).await;
    result.map(|_row| ())
}
