//! `GET now`: the state of one host, the only request that every page polls.

use std::sync::PoisonError;

use super::Params;
use crate::answers::Answer;
use crate::app::App;
use crate::database::Failure;
use crate::error::{ApiError, RequestError};
use crate::judge;
use crate::wire::now::{FleetNow, Now};

/// Longest answer, bytes.
pub const LONGEST: usize = 16 * 1024;

/// Returns the state of a host; the last known one when the database does not answer.
///
/// # Errors
/// When the host does not parse or exist.
pub async fn now(app: &App, params: &Params) -> Result<Now, ApiError> {
    let asked = params.get("host");
    match read(app, asked).await {
        Ok(answer) => {
            let mut last = app.last.lock().unwrap_or_else(PoisonError::into_inner);
            last.insert(answer.host.id, answer.clone());
            Ok(answer)
        }
        Err(RequestError::Request(error)) => Err(error),
        Err(RequestError::Database(failure)) => Ok(from_memory(app, asked, failure)),
    }
}

async fn read(app: &App, asked: Option<&str>) -> Result<Now, RequestError> {
    let host = app.host(asked).await?;
    let evaluation = match &host {
        Some(host) => Some(app.evaluations.of(&app.database, host).await?),
        None => None,
    };
    let mut answer = judge::compose(
        &app.context(host.as_ref()),
        host.as_ref(),
        evaluation.as_deref(),
    );
    answer.fleet = fleet(app).await?;
    Ok(answer)
}

/// Returns the verdict over all hosts, if there are several. The answer about one host does not fail because of the others.
async fn fleet(app: &App) -> Result<Option<FleetNow>, Failure> {
    let hosts = app.hosts().await?.len();
    if hosts < 2 {
        return Ok(None);
    }
    Ok(Some(match app.fleet().await {
        Ok(fleet) => fleet.verdict(),
        Err(failure) => {
            tracing::warn!(?failure, "the state of all hosts cannot be read");
            judge::unread(hosts)
        }
    }))
}

fn from_memory(app: &App, asked: Option<&str>, failure: Failure) -> Now {
    let context = app.context(None);
    let now = context.now;
    let last = {
        let last = app.last.lock().unwrap_or_else(PoisonError::into_inner);
        match asked.and_then(|asked| asked.parse::<i32>().ok()) {
            Some(id) => last.get(&id).cloned(),
            None => last
                .values()
                .max_by_key(|now| now.freshness.newest_ms)
                .cloned(),
        }
    };
    let (since, message) = match failure {
        Failure::Unreachable { since, message } => (since, message),
        Failure::Timeout { what } => {
            tracing::warn!(what, "the state of now took longer than its budget");
            (now, "the database takes too long to answer".to_owned())
        }
        Failure::Refused { what, cause } => {
            tracing::error!(what, cause, "the state of now cannot be read");
            (
                now,
                "the database rejected the query; see the server's log".to_owned(),
            )
        }
    };
    judge::unreachable(&context, last, since, &message)
}

/// Serialises the answer: problems at the end of the list are dropped when it is too long, and the age,
/// which always changes, is not part of the tag.
///
/// # Errors
/// When it cannot be serialised.
pub fn answer(mut now: Now) -> Result<Answer, ApiError> {
    let mut answer = Answer::new(&now)?;
    while answer.size() > LONGEST && now.problems.pop().is_some() {
        answer = Answer::new(&now)?;
    }
    now.freshness.age_secs = None;
    Ok(answer.tagged_as(&Answer::new(&now)?))
}
