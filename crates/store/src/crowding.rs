//! Sessions of a host that the database has no room for.
//!
//! A limit of connections (of the role, of the database, of the server) that is lower than the sessions a host needs stops no
//! delivery: what needs a further session waits and tries again. Who was refused one notes it in the shared status, so that all
//! refusals are one finding; the writer asks, over the session that it has, which limit is reached.

use std::collections::BTreeMap;

use tokio_postgres::{Client, Error};

/// Sessions that a host may have at once: delivery, logs, one for all jobs, and the store's own statistics, when it is this host that
/// collects them; and for moments one that is ending, and one in another database of the store's server. Most of the time it has one.
pub const SESSIONS: u32 = 6;

/// What a session is for.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Purpose {
    /// Delivery of what is queued.
    Delivery,
    /// Storing of log lines.
    Logs,
    /// Findings, objectives, roll-ups, baselines and upkeep.
    Jobs,
    /// Statistics of the store's server, by the name of the instance.
    Statistics(String),
}

/// A limit of connections.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Limit {
    /// That of a role.
    Role(String, i32),
    /// That of a database.
    Database(String, i32),
    /// That of the server, without what it reserves.
    Server(i32),
}

/// Sessions that are refused, and why.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Crowding {
    /// The server's words, by what the session is for.
    pub refused: BTreeMap<Purpose, String>,
    /// The limit that is reached; `None` until it is known.
    pub limit: Option<Limit>,
}

impl Crowding {
    /// Notes how opening a session ended: with the server's words when it had no room. Returns whether a first one is
    /// refused (`Some(true)`) or none any more (`Some(false)`), so that it is logged once.
    pub fn note(&mut self, purpose: Purpose, refusal: Option<String>) -> Option<bool> {
        let before = self.is_any();
        match refusal {
            Some(words) => self.refused.insert(purpose, words),
            None => self.refused.remove(&purpose),
        };
        if !self.is_any() {
            self.limit = None;
        }
        (before != self.is_any()).then_some(!before)
    }

    /// Returns whether a session is refused.
    #[must_use]
    pub fn is_any(&self) -> bool {
        !self.refused.is_empty()
    }
}

/// Reads which limit leaves least room.
///
/// # Errors
/// The error that the server reported.
pub async fn limit(client: &Client) -> Result<Limit, Error> {
    let row = client.query_one(include_str!("crowding.sql"), &[]).await?;
    let (kind, name, most): (&str, String, i32) =
        (row.try_get(0)?, row.try_get(1)?, row.try_get(2)?);
    Ok(match kind {
        "role" => Limit::Role(name, most),
        "database" => Limit::Database(name, most),
        _ => Limit::Server(most),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_refusal_and_the_end_of_the_last_are_news() {
        let mut crowding = Crowding::default();
        let words = || Some("too many connections for role \"one\"".to_owned());
        assert_eq!(crowding.note(Purpose::Jobs, None), None);
        assert_eq!(crowding.note(Purpose::Jobs, words()), Some(true));
        assert_eq!(crowding.note(Purpose::Logs, words()), None);
        crowding.limit = Some(Limit::Role("one".to_owned(), 1));
        assert_eq!(crowding.note(Purpose::Jobs, None), None);
        assert!(crowding.limit.is_some());
        assert_eq!(crowding.note(Purpose::Logs, None), Some(false));
        assert_eq!(crowding, Crowding::default());
    }

    /// The limit that is reached is named, whichever of the three it is.
    #[tokio::test]
    async fn the_limit_with_the_least_room_is_named() {
        let database = testkit::migrated().await.unwrap();
        let target = database.target();
        let role = format!("crowd_of_{}", target.database);
        database
            .sql(&format!("CREATE ROLE {role} LOGIN"))
            .await
            .unwrap();
        let mut own = target.clone();
        own.user.clone_from(&role);
        let session = pg::connect(&own, &pg::SessionOptions::default(), "test")
            .await
            .unwrap();
        let client = &session.client;
        assert!(matches!(limit(client).await.unwrap(), Limit::Server(most) if most > 3));
        let name = &target.database;
        database
            .sql(&format!("ALTER DATABASE {name} CONNECTION LIMIT 7"))
            .await
            .unwrap();
        assert_eq!(
            limit(client).await.unwrap(),
            Limit::Database(name.clone(), 7)
        );
        database
            .sql(&format!("ALTER ROLE {role} CONNECTION LIMIT 1"))
            .await
            .unwrap();
        assert_eq!(limit(client).await.unwrap(), Limit::Role(role.clone(), 1));
        session.close(std::time::Duration::from_secs(5)).await;
        database.sql(&format!("DROP ROLE {role}")).await.unwrap();
    }
}
