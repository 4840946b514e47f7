//! Checks that are asked together, in one statement.
//!
//! Most checks are small: to begin, to end and to answer a statement costs the server and us as much as the check
//! itself. So those that come at every slow tick travel as the branches of one statement, on the session
//! that stays and keeps it prepared.
//!
//! A statement fails as a whole. Then each of its checks is asked alone, at the same tick, so that one that fails
//! costs no other; it is left out of the statement on this session until it succeeded alone.

use std::sync::Arc;

use pg::PgError;
use tokio_postgres::Row;

use super::family::{Due, Family};
use super::link::{Question, unreadable};
use super::visit::{Visit, is_check};

/// A family with its answer.
pub(super) type Answered = (&'static Family, Result<Vec<Row>, PgError>);

/// What the statements about the server and about the database are called among those of a session.
const NAMES: [&str; 2] = ["server_checks", "database_checks"];

/// Families in one statement, in the order of its branches.
struct Together {
    members: Vec<&'static Family>,
    sql: Arc<str>,
}

impl Visit<'_> {
    /// Asks families with short answers: what can be asked together is one statement, and all statements are
    /// sent at once. Returns the answers in the order of the families.
    pub(super) async fn ask_short(&mut self, families: &[&'static Family]) -> Vec<Answered> {
        let Some(together) = self.together(families) else {
            return self.ask_noting(families).await;
        };
        let is_member = |family: &Family| has(&together.members, family);
        let others: Vec<_> = families.iter().copied().filter(|f| !is_member(f)).collect();
        let question = Question {
            name: NAMES[usize::from(!self.context.database.is_empty())],
            sql: Arc::clone(&together.sql),
            params: &[],
            again: true,
        };
        let (mut answers, rows) = self.ask_all(&others, Some(question)).await;
        self.note_alone(&answers);
        match rows.and_then(|rows| split(&together.members, rows)) {
            Ok(parts) => answers.extend(parts),
            Err(_) => answers.extend(self.ask_noting(&together.members).await),
        }
        let place = |(family, _): &Answered| families.iter().position(|f| f.name == family.name);
        answers.sort_by_key(place);
        answers
    }

    /// Returns the families that can be asked together; `None` when these are fewer than two.
    fn together(&mut self, families: &[&'static Family]) -> Option<Together> {
        let mut members = Vec::new();
        let mut sql = String::new();
        for family in families.iter().copied() {
            if !self.stays || !can_join(family) || self.link.alone.contains(family.name) {
                continue;
            }
            let Ok(text) = self.sql(family) else {
                continue;
            };
            match members.is_empty() {
                // By this line our statements are known among those of others.
                true => sql.extend(text.lines().next().into_iter().chain(["\n(\n"])),
                false => sql.push_str("\nUNION ALL (\n"),
            }
            sql.extend([&*text, "\n)"]);
            members.push(family);
        }
        (members.len() > 1).then(|| Together {
            members,
            sql: sql.into(),
        })
    }

    /// Asks families one by one, and remembers which of them can be asked together the next time.
    async fn ask_noting(&mut self, families: &[&'static Family]) -> Vec<Answered> {
        let (answers, _) = self.ask_all(families, None).await;
        self.note_alone(&answers);
        answers
    }

    fn note_alone(&mut self, answers: &[Answered]) {
        for (family, answer) in answers.iter().filter(|(family, _)| can_join(family)) {
            match answer {
                Ok(_) => self.link.alone.remove(family.name),
                Err(_) => self.link.alone.insert(family.name),
            };
        }
    }
}

/// Whether a family is a check that comes at every slow tick and reads what every server has.
fn can_join(family: &Family) -> bool {
    is_check(family) && family.due == Due::Always && family.extension.is_none()
}

fn has(members: &[&'static Family], family: &Family) -> bool {
    members.iter().any(|member| member.name == family.name)
}

/// Gives each family its rows.
fn split(members: &[&'static Family], rows: Vec<Row>) -> Result<Vec<Answered>, PgError> {
    let mut parts: Vec<Answered> = members
        .iter()
        .map(|family| (*family, Ok(Vec::new())))
        .collect();
    for row in rows {
        let name: &str = row.try_get("check_name").map_err(unreadable)?;
        let mut all = parts.iter_mut();
        if let Some((_, Ok(part))) = all.find(|(family, _)| family.name == name) {
            part.push(row);
        }
    }
    Ok(parts)
}
