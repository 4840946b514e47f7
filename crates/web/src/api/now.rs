//! `GET now`: the state of one host, the only thing every page polls.

use std::sync::PoisonError;

use super::Params;
use crate::answers::Answer;
use crate::app::App;
use crate::database::Failure;
use crate::error::{ApiError, Trouble};
use crate::judge;
use crate::wire::now::Now;

/// Longest answer, bytes.
pub const LONGEST: usize = 16 * 1024;

/// The answer; from memory when the database does not answer.
///
/// # Errors
/// When the asked host does not parse or exist.
pub async fn now(app: &App, params: &Params) -> Result<Now, ApiError> {
    let asked = params.get("host");
    match read(app, asked).await {
        Ok(answer) => {
            let mut last = app.last.lock().unwrap_or_else(PoisonError::into_inner);
            last.insert(answer.host.id, answer.clone());
            Ok(answer)
        }
        Err(Trouble::Asker(error)) => Err(error),
        Err(Trouble::Database(failure)) => Ok(from_memory(app, asked, failure)),
    }
}

async fn read(app: &App, asked: Option<&str>) -> Result<Now, Trouble> {
    let host = app.host(asked).await?;
    let judged = match &host {
        Some(host) => Some(app.judgements.judged(&app.database, host).await?),
        None => None,
    };
    Ok(judge::compose(
        &app.context(host.as_ref()),
        host.as_ref(),
        judged.as_deref(),
    ))
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
                "the database refuses to answer; the server's log says why".to_owned(),
            )
        }
    };
    judge::unreachable(&context, last, since, &message)
}

/// The answer as it is sent: problems at the end of the list make way when it grows too long, and
/// the age, which changes all the time, changes no tag.
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
