//! A session with a watched server: how it is opened and how a family is asked.

use std::collections::{HashMap, HashSet};
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use futures_util::TryStreamExt;
use pg::{PgError, Session, SessionOptions, Target};
use tokio_postgres::error::SqlState;
use tokio_postgres::types::{ToSql, Type};
use tokio_postgres::{Column, Row, RowStream, SimpleQueryMessage, Statement};

use super::Instance;
use super::family::{Family, family};
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
    kept: HashMap<&'static str, Kept>,
    /// Checks that failed on this session and are not asked together with others (`together.rs`).
    pub(super) alone: HashSet<&'static str>,
    /// Texts of statements of the slow tick, by family.
    texts: HashMap<&'static str, CachedText>,
    /// Where settings that are off were set when this session began, by name.
    pub(super) setting_sources: HashMap<String, String>,
    /// Whether the server has loaded the library of pg_stat_statements; it does so when it starts.
    pub(super) has_statements_library: Option<bool>,
}

/// A statement that stays prepared, and the text of it.
type Kept = (Arc<str>, Statement);

/// The text of a family's statement and what it was made for.
#[derive(Debug)]
struct CachedText {
    version: u32,
    /// Schema of the extension it reads, and the schema that is left out.
    schemas: [String; 2],
    sql: Arc<str>,
}

/// What is put into a statement.
pub(super) type Param<'a> = (&'a (dyn ToSql + Sync), Type);

/// A statement of the slow tick.
#[derive(Clone, Debug)]
pub(super) struct Question<'a> {
    /// The family it belongs to.
    pub(super) name: &'static str,
    /// Its text for this server.
    pub(super) sql: Arc<str>,
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

/// The answer of a family of the fast tick.
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

/// Returns whether a text could not be converted into the encoding of the session or of the database.
pub(super) fn is_about_encoding(error: &PgError) -> bool {
    error.sql_state().is_some_and(|state| {
        [
            SqlState::CHARACTER_NOT_IN_REPERTOIRE,
            SqlState::UNTRANSLATABLE_CHARACTER,
        ]
        .contains(state)
    })
}

/// Makes the error of an answer whose values are not those of its statement.
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
        let sql = format!("{SETTINGS}; {AS_IT_IS}{WHERE_NOTHING_IS_CONVERTED}");
        let setting = session.client.simple_query(&sql);
        let set = session.run("set up a session", instance.timeout, setting);
        let is_set = |answer: &SimpleQueryMessage| matches!(answer, SimpleQueryMessage::Row(_));
        let is_raw = set.await?.iter().any(is_set);
        Ok(Self {
            session,
            is_raw,
            prepared: HashMap::new(),
            kept: HashMap::new(),
            alone: HashSet::new(),
            texts: HashMap::new(),
            setting_sources: HashMap::new(),
            has_statements_library: None,
        })
    }

    /// Returns the text of a family's statement, made by `make` unless it was made for the same version
    /// and schemas before.
    pub(super) fn text(
        &mut self,
        name: &'static str,
        version: u32,
        schemas: [&str; 2],
        make: impl FnOnce() -> Result<String, PgError>,
    ) -> Result<Arc<str>, PgError> {
        if let Some(text) = self.texts.get(name)
            && text.version == version
            && text.schemas == schemas
        {
            return Ok(Arc::clone(&text.sql));
        }
        let sql: Arc<str> = make()?.into();
        let text = CachedText {
            version,
            schemas: schemas.map(str::to_owned),
            sql: Arc::clone(&sql),
        };
        self.texts.insert(name, text);
        Ok(sql)
    }

    /// Asks a question and hands over the rows of its answer one by one, as they come. A statement that
    /// failed is prepared anew the next time.
    pub(super) async fn read(
        &mut self,
        question: Question<'_>,
        mut each: impl FnMut(&Row) -> Result<(), tokio_postgres::Error>,
    ) -> Result<(), PgError> {
        if self.is_raw {
            return self.stream(&question, |row| each(&row)).await;
        }
        // The server may give up in the middle: then it is asked again, for texts as they are.
        let mut rows = Vec::new();
        let mut collected = self.collect(&question, &mut rows).await;
        if self.switch_to_raw_text(collected.as_ref().err()).await {
            rows.clear();
            collected = self.collect(&question, &mut rows).await;
        }
        collected?;
        rows.iter().try_for_each(each).map_err(unreadable)
    }

    /// Asks questions whose answers are short: all are sent before the first answer is waited for, each a
    /// transaction of its own. Returns their answers in order.
    pub(super) async fn read_all(
        &mut self,
        questions: &[Question<'_>],
    ) -> Vec<Result<Vec<Row>, PgError>> {
        // Each also waits for those before it.
        let patience = PATIENCE * u32::try_from(questions.len()).unwrap_or(u32::MAX);
        let known: Vec<Option<Kept>> = questions
            .iter()
            .map(|question| self.take_kept(question))
            .collect();
        let link = &*self;
        let asking = questions.iter().zip(known).map(|(question, known)| {
            let mut rows = Vec::new();
            async move {
                let push = |row| {
                    rows.push(row);
                    Ok(())
                };
                let kept = link.stream_from(question, known, patience, push).await?;
                Ok((rows, kept))
            }
        });
        let answered: Vec<Result<_, PgError>> = futures_util::future::join_all(asking).await;
        let mut answers = Vec::with_capacity(questions.len());
        for (question, answer) in questions.iter().zip(answered) {
            answers.push(answer.map(|(rows, kept)| {
                self.kept.extend(kept.map(|kept| (question.name, kept)));
                rows
            }));
        }
        if self.is_raw {
            return answers;
        }
        // The server may give up at a text: then those are asked again, for texts as they are.
        for (question, answer) in questions.iter().zip(&mut answers) {
            let failed = answer
                .as_ref()
                .err()
                .filter(|error| is_about_encoding(error));
            if failed.is_some() && (self.switch_to_raw_text(failed).await || self.is_raw) {
                let mut rows = Vec::new();
                *answer = self.collect(question, &mut rows).await.map(|()| rows);
            }
        }
        answers
    }

    async fn collect(
        &mut self,
        question: &Question<'_>,
        rows: &mut Vec<Row>,
    ) -> Result<(), PgError> {
        self.stream(question, |row| {
            rows.push(row);
            Ok(())
        })
        .await
    }

    /// Has texts sent as they are from now on when this error is about one that could not be converted;
    /// returns whether it was.
    async fn switch_to_raw_text(&mut self, error: Option<&PgError>) -> bool {
        if self.is_raw || !error.is_some_and(is_about_encoding) {
            return false;
        }
        let asking = self.session.client.query_typed(AS_IT_IS, &[]);
        let set = self.session.run("set up a session", PATIENCE, asking).await;
        self.is_raw = set.is_ok();
        self.is_raw
    }

    /// Takes out the statement that was prepared for a question with this text.
    fn take_kept(&mut self, question: &Question<'_>) -> Option<Kept> {
        let known = self.kept.remove(question.name);
        known.filter(|(text, _)| *text == question.sql)
    }

    async fn stream(
        &mut self,
        question: &Question<'_>,
        each: impl FnMut(Row) -> Result<(), tokio_postgres::Error>,
    ) -> Result<(), PgError> {
        let known = self.take_kept(question);
        let kept = self.stream_from(question, known, PATIENCE, each).await?;
        self.kept.extend(kept.map(|kept| (question.name, kept)));
        Ok(())
    }

    /// Hands over the rows of an answer as they come; returns the statement that is to be kept.
    async fn stream_from(
        &self,
        question: &Question<'_>,
        known: Option<Kept>,
        patience: Duration,
        mut each: impl FnMut(Row) -> Result<(), tokio_postgres::Error>,
    ) -> Result<Option<Kept>, PgError> {
        let asking = async {
            let (rows, kept) = self.answer(question, known).await?;
            let mut rows = pin!(rows);
            while let Some(row) = rows.try_next().await? {
                each(row)?;
            }
            Ok(kept)
        };
        let what = format!("read {}", question.name);
        self.session.run(&what, patience, asking).await
    }

    /// Returns the answer while it comes in, and the statement that is to be kept.
    async fn answer(
        &self,
        question: &Question<'_>,
        known: Option<Kept>,
    ) -> Result<(RowStream, Option<Kept>), tokio_postgres::Error> {
        let client = &self.session.client;
        if !question.again {
            let rows = client.query_typed_raw(&question.sql, question.params.to_vec());
            return Ok((rows.await?, None));
        }
        let (text, statement) = match known {
            Some(known) => known,
            None => {
                let types: Vec<Type> = question.params.iter().map(|(_, is)| is.clone()).collect();
                let preparing = client.prepare_typed(&question.sql, &types);
                (Arc::clone(&question.sql), preparing.await?)
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

/// Returns which of these settings the server has and where each is set, as `pg_settings.source` names it.
pub(super) async fn setting_sources(
    link: &mut Link,
    names: &[String],
) -> Result<HashMap<String, String>, PgError> {
    let mut sources = HashMap::new();
    let Some(family) = family("setting_sources") else {
        return Ok(sources);
    };
    let question = Question {
        name: family.name,
        sql: statement(family, link.session.major_version())?.into(),
        params: &[(&names, Type::TEXT_ARRAY)],
        again: false,
    };
    link.read(question, |row| {
        sources.insert(row.try_get("name")?, row.try_get("source")?);
        Ok(())
    })
    .await?;
    Ok(sources)
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

/// Returns the statement of a family for a version.
pub(super) fn statement(family: &Family, version: u32) -> Result<String, PgError> {
    family.sql(version).ok_or_else(|| PgError::Answer {
        what: format!("read {}", family.name),
        answer: format!("version {version} is older than all that are understood"),
    })
}

/// Returns how the answers of a family fill its table.
pub(super) fn plan(family: &Family, columns: &[Column]) -> Result<Plan, PgError> {
    Plan::new(family.table, columns).map_err(|answer| PgError::Answer {
        what: format!("read {}", family.name),
        answer,
    })
}
