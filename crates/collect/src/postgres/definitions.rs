//! Definitions of indexes, made by the server once.
//!
//! Making one takes the server as long as everything else it reports of an index, and it hardly ever
//! changes: so the known ones are sent with the question, and the server leaves them out. They are known by the identifier
//! of the index, which survives renaming a column or a table; hence all are made anew once an hour
//! (`cache.rs`), and in a new session, which may lead to another server. Those of indexes that are no
//! longer among the rows are forgotten.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use tokio_postgres::Row;

use super::fill::Draft;
use super::text::Text;

/// Characters of a definition that are kept.
const LONGEST: usize = 1000;

/// Definitions of a database, while its indexes come in.
#[derive(Clone, Debug, Default)]
pub(super) struct Definitions {
    /// When all of them were made, on the monotonic clock.
    pub(super) since: Duration,
    known: HashMap<i64, Arc<str>>,
    met: HashMap<i64, Arc<str>>,
}

impl Definitions {
    /// Begins without any.
    pub(super) fn new(since: Duration) -> Self {
        Self {
            since,
            ..Self::default()
        }
    }

    /// Returns the identifiers of the indexes whose definitions the server may leave out.
    pub(super) fn known(&self) -> Vec<i64> {
        self.known.keys().copied().collect()
    }

    /// Puts the definition into the row of an index: the one given, or else the one that is known. One
    /// that the server could not make, as somebody holds a lock, is empty and not remembered.
    ///
    /// # Errors
    /// When a value cannot be read.
    pub(super) fn complete(
        &mut self,
        answer: &Row,
        draft: &mut Draft,
    ) -> Result<(), tokio_postgres::Error> {
        let relation: i64 = answer.try_get("relation")?;
        let text = match answer.try_get::<_, Option<Text>>("definition")? {
            Some(Text(made)) => Arc::from(made.chars().take(LONGEST).collect::<String>()),
            None => self.known.get(&relation).cloned().unwrap_or_default(),
        };
        draft.set("definition", text.to_string());
        if !text.is_empty() {
            self.met.insert(relation, text);
        }
        Ok(())
    }

    /// Returns those of the indexes that were met, for the next time.
    pub(super) fn finish(self) -> Self {
        Self {
            known: self.met,
            ..Self::new(self.since)
        }
    }
}
