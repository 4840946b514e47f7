//! A session with a watched server: how it is opened and how a family is asked.

use std::collections::HashMap;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use futures_util::TryStreamExt;
use pg::{PgError, Session, SessionOptions, Target};
use tokio_postgres::error::SqlState;
use tokio_postgres::types::{ToSql, Type};
use tokio_postgres::{Column, Row, RowStream, Statement};

use super::Instance;
use super::family::Family;
use super::fill::{Draft, Plan};

/// What the server shows in pg_stat_activity, and what our statements leave out.
const APPLICATION: &str = "pqcrypta-collector";
/// The oldest release whose views are known.
pub(super) const OLDEST: u32 = 15;
/// No statement of ours runs longer.
const STATEMENT_TIMEOUT: Duration = Duration::from_secs(5);
/// No statement of ours waits longer for a lock: whoever holds one is at work.
const LOCK_TIMEOUT: Duration = Duration::from_millis(500);
/// How long the client waits for a statement of the slow tick, which the server ends after 5 s.
const PATIENCE: Duration = Duration::from_secs(6);
/// Compiling would cost more than any of our statements, and a parallel worker is one of theirs. What
/// is prepared is planned once: at a small server planning is nine tenths of what a statement costs.
const SETTINGS: &str = "SET jit = off; SET max_parallel_workers_per_gather = 0; \
                        SET plan_cache_mode = force_generic_plan";

/// Takes texts as they are: the server checks and converts what it sends, and a single byte that is no text
/// costs a whole answer. In UTF-8 and in an encoding that is none there is nothing to convert.
const AS_IT_IS: &str = "SELECT set_config('client_encoding', 'SQL_ASCII', false)";
const WHERE_NOTHING_IS_CONVERTED: &str =
    " WHERE current_setting('server_encoding') IN ('UTF8', 'SQL_ASCII')";

/// A session with the statements prepared on it.
#[derive(Debug)]
pub(super) struct Link {
    pub(super) session: Session,
    /// Whether texts come as they are; otherwise the server converts them until it fails to.
    is_raw: bool,
    prepared: HashMap<&'static str, Arc<Prepared>>,
    /// Those of the slow tick, by family, with the text that was prepared.
    kept: HashMap<&'static str, (String, Statement)>,
}

/// What is put into a statement.
pub(super) type Param<'a> = (&'a (dyn ToSql + Sync), Type);

/// A statement of the slow tick.
#[derive(Clone, Copy, Debug)]
pub(super) struct Question<'a> {
    /// The family it belongs to.
    pub(super) name: &'static str,
    /// Its text for this server.
    pub(super) sql: &'a str,
    /// What is put into it.
    pub(super) params: &'a [Param<'a>],
    /// Whether it comes again on this session, soon enough to stay prepared.
    pub(super) again: bool,
}

/// A family's statement on a session: planned once, as planning costs more than running.
#[derive(Debug)]
pub(super) struct Prepared {
    statement: Statement,
    pub(super) plan: Plan,
}

/// What a family of the fast tick said.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) prepared: Arc<Prepared>,
    pub(super) rows: Vec<Row>,
}

impl Answer {
    /// Fills a row of ours with the first row of the answer.
    pub(super) fn fill_one(&self, draft: &mut Draft) -> Result<(), PgError> {
        let row = self.rows.first();
        row.map_or(Ok(()), |row| self.prepared.plan.fill(row, draft))
            .map_err(unreadable)
    }
}

/// Whether a text could not be converted into the encoding of the session or of the database.
pub(super) fn is_about_encoding(error: &PgError) -> bool {
    error.sql_state().is_some_and(|state| {
        [
            SqlState::CHARACTER_NOT_IN_REPERTOIRE,
            SqlState::UNTRANSLATABLE_CHARACTER,
        ]
        .contains(state)
    })
}

/// An answer whose values are not what the statement says.
pub(super) fn unreadable(source: tokio_postgres::Error) -> PgError {
    PgError::Query {
        what: "read an answer".to_owned(),
        source,
    }
}

impl Link {
    /// Opens a session that reads only, within the instance's time-out.
    pub(super) async fn open(instance: &Instance, target: &Target) -> Result<Self, PgError> {
        let options = SessionOptions {
            connect_timeout: instance.timeout,
            statement_timeout: STATEMENT_TIMEOUT.min(instance.timeout.mul_f64(0.8)),
            lock_timeout: LOCK_TIMEOUT,
            read_only: true,
            ..SessionOptions::default()
        };
        let session = pg::connect(target, &options, APPLICATION).await?;
        if session.major_version() < OLDEST {
            return Err(PgError::Answer {
                what: format!("collect from {target}"),
                answer: format!(
                    "PostgreSQL {} is older than {OLDEST}, the oldest that is understood",
                    session.major_version()
                ),
            });
        }
        let setting = async {
            session.client.batch_execute(SETTINGS).await?;
            let sql = format!("{AS_IT_IS}{WHERE_NOTHING_IS_CONVERTED}");
            session.client.query_typed(&sql, &[]).await
        };
        let set = session.run("set up a session", instance.timeout, setting);
        let is_raw = !set.await?.is_empty();
        Ok(Self {
            session,
            is_raw,
            prepared: HashMap::new(),
            kept: HashMap::new(),
        })
    }

    /// Asks a question and hands over the rows of its answer one by one, as they come. A statement that
    /// failed is prepared anew the next time.
    pub(super) async fn read(
        &mut self,
        question: Question<'_>,
        mut each: impl FnMut(&Row) -> Result<(), tokio_postgres::Error>,
    ) -> Result<(), PgError> {
        if self.is_raw {
            return self.stream(question, |row| each(&row)).await;
        }
        // The server may give up in the middle: then it is asked again, for texts as they are.
        let mut rows = Vec::new();
        let mut collected = self.collect(question, &mut rows).await;
        if self.switch_to_raw_text(collected.as_ref().err()).await {
            rows.clear();
            collected = self.collect(question, &mut rows).await;
        }
        collected?;
        rows.iter().try_for_each(each).map_err(unreadable)
    }

    async fn collect(
        &mut self,
        question: Question<'_>,
        rows: &mut Vec<Row>,
    ) -> Result<(), PgError> {
        self.stream(question, |row| {
            rows.push(row);
            Ok(())
        })
        .await
    }

    /// Has texts sent as they are from now on when this error is about one that could not be converted;
    /// whether it was.
    async fn switch_to_raw_text(&mut self, error: Option<&PgError>) -> bool {
        if self.is_raw || !error.is_some_and(is_about_encoding) {
            return false;
        }
        let asking = self.session.client.query_typed(AS_IT_IS, &[]);
        let set = self.session.run("set up a session", PATIENCE, asking).await;
        self.is_raw = set.is_ok();
        self.is_raw
    }

    async fn stream(
        &mut self,
        question: Question<'_>,
        mut each: impl FnMut(Row) -> Result<(), tokio_postgres::Error>,
    ) -> Result<(), PgError> {
        let known = self.kept.remove(question.name);
        let known = known.filter(|(text, _)| text == question.sql);
        let asking = async {
            let (rows, statement) = self.answer(question, known).await?;
            let mut rows = pin!(rows);
            while let Some(row) = rows.try_next().await? {
                each(row)?;
            }
            Ok(statement)
        };
        let what = format!("read {}", question.name);
        let statement = self.session.run(&what, PATIENCE, asking).await?;
        self.kept
            .extend(statement.map(|known| (question.name, known)));
        Ok(())
    }

    /// The answer while it comes in, and the statement that is to be kept.
    async fn answer(
        &self,
        question: Question<'_>,
        known: Option<(String, Statement)>,
    ) -> Result<(RowStream, Option<(String, Statement)>), tokio_postgres::Error> {
        let client = &self.session.client;
        if !question.again {
            let rows = client.query_typed_raw(question.sql, question.params.to_vec());
            return Ok((rows.await?, None));
        }
        let (text, statement) = match known {
            Some(known) => known,
            None => {
                let types: Vec<Type> = question.params.iter().map(|(_, is)| is.clone()).collect();
                let preparing = client.prepare_typed(question.sql, &types);
                (question.sql.to_owned(), preparing.await?)
            }
        };
        let values = question
            .params
            .iter()
            .map(|(value, _)| *value as &dyn ToSql);
        let rows = client.query_raw(&statement, values).await?;
        Ok((rows, Some((text, statement))))
    }

    /// Asks every family at once: all statements are sent before the first answer is waited for, each
    /// a transaction of its own. A family that failed is prepared anew the next time.
    pub(super) async fn ask(
        &mut self,
        families: impl Iterator<Item = &'static Family>,
        deadline: Duration,
    ) -> Vec<(&'static Family, Result<Answer, PgError>)> {
        let session = &self.session;
        let questions: Vec<_> = families
            .map(|family| {
                let known = self.prepared.remove(family.name);
                async move { (family, question(session, family, known, deadline).await) }
            })
            .collect();
        let answers = futures_util::future::join_all(questions).await;
        for (family, answer) in &answers {
            if let Ok(answer) = answer {
                let prepared = Arc::clone(&answer.prepared);
                self.prepared.insert(family.name, prepared);
            }
        }
        // The next tick has what could not be converted at this one.
        let errors = answers
            .iter()
            .filter_map(|(_, answer)| answer.as_ref().err());
        if let Some(error) = errors.into_iter().find(|error| is_about_encoding(error)) {
            self.switch_to_raw_text(Some(error)).await;
        }
        answers
    }
}

async fn question(
    session: &Session,
    family: &Family,
    known: Option<Arc<Prepared>>,
    deadline: Duration,
) -> Result<Answer, PgError> {
    let what = format!("read {}", family.name);
    let prepared = match known {
        Some(prepared) => prepared,
        None => {
            let sql = statement(family, session.major_version())?;
            let preparing = session.client.prepare(&sql);
            let statement = session.run(&what, deadline, preparing).await?;
            let plan = plan(family, statement.columns())?;
            Arc::new(Prepared { statement, plan })
        }
    };
    let asking = session.client.query(&prepared.statement, &[]);
    let rows = session.run(&what, deadline, asking).await?;
    Ok(Answer { prepared, rows })
}

/// The statement of a family for a version.
pub(super) fn statement(family: &Family, version: u32) -> Result<String, PgError> {
    family.sql(version).ok_or_else(|| PgError::Answer {
        what: format!("read {}", family.name),
        answer: format!("version {version} is older than all that are understood"),
    })
}

/// How the answers of a family fill its table.
pub(super) fn plan(family: &Family, columns: &[Column]) -> Result<Plan, PgError> {
    Plan::new(family.table, columns).map_err(|answer| PgError::Answer {
        what: format!("read {}", family.name),
        answer,
    })
}
