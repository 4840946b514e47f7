//! The judge of logs with its life cycle, storing transitions as the writer does.
#![allow(clippy::unwrap_used, reason = "a test may fail")]

use insight::Lifecycle;
use insight::judge::Judge;
use insight::logs::LogJudge;
use schema::tables::FindingTransition;
use schema::{Cell, Sample, Timestamp};
use serde_json::{Map, Value};
use store::series::{Instant, ReadError};
use tokio_postgres::Client;

/// What a run led to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Run {
    /// Findings that hold.
    pub(crate) found: usize,
    /// Findings that were resolved.
    pub(crate) resolved: usize,
}

/// Evaluates the logs of a host, and keeps what is open between runs.
pub(crate) struct Logs {
    judge: LogJudge,
    lifecycle: Lifecycle,
}

impl Logs {
    pub(crate) fn new() -> Self {
        Self {
            judge: LogJudge::default(),
            lifecycle: Lifecycle::new(insight::rules()),
        }
    }

    /// Evaluates up to `at` and stores what follows.
    pub(crate) async fn evaluate(
        &mut self,
        client: &Client,
        host_id: i32,
        at: Timestamp,
    ) -> Result<Run, ReadError> {
        let facts = self.judge.fetch(client, host_id, at).await?;
        let evaluation = self.judge.evaluate(facts, &self.lifecycle, at);
        let found = evaluation.found.len();
        let transitions = self.lifecycle.reconcile(evaluation, at);
        let ended = transitions
            .iter()
            .filter(|(_, row)| row.resolved_at.is_some());
        let resolved = ended.count();
        store(client, host_id, transitions).await;
        Ok(Run { found, resolved })
    }
}

async fn store(client: &Client, host_id: i32, rows: Vec<(Timestamp, FindingTransition)>) {
    let instants: Vec<Instant> = rows.iter().map(|(ts, _)| Instant(*ts)).collect();
    let documents = rows.into_iter().map(|(ts, row)| document(host_id, ts, row));
    let documents = Value::Array(documents.collect()).to_string();
    let insert = "INSERT INTO collector.finding_transitions_raw \
                  SELECT * FROM jsonb_populate_recordset(NULL::collector.finding_transitions_raw, $1::text::jsonb)";
    client.execute(insert, &[&documents]).await.unwrap();
    let apply = "SELECT collector.apply_transitions($1, $2)";
    client.query(apply, &[&host_id, &instants]).await.unwrap();
}

fn document(host_id: i32, ts: Timestamp, row: FindingTransition) -> Value {
    let row = row.into_row(ts);
    let mut document = Map::new();
    document.insert("host_id".to_owned(), host_id.into());
    document.insert("ts".to_owned(), instant(ts));
    for (column, cell) in row.table.columns.iter().zip(row.cells) {
        let value = match cell {
            Cell::Null => Value::Null,
            Cell::Float(value) => value.into(),
            Cell::Int(value) => value.into(),
            Cell::Bool(value) => value.into(),
            Cell::Text(text) => Value::String(text.into()),
            Cell::Json(text) => serde_json::from_str(&text).unwrap(),
            Cell::Time(at) => instant(at),
        };
        document.insert(column.name.to_owned(), value);
    }
    Value::Object(document)
}

/// Formats an instant as `timestamptz` reads it.
fn instant(at: Timestamp) -> Value {
    let at = jiff::Timestamp::from_microsecond(at.as_micros()).unwrap();
    at.to_string().into()
}
