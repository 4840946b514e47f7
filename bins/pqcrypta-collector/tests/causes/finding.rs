//! Findings as the database has them.

use super::Expected;
use tokio_postgres::{Client, SimpleQueryMessage};

/// A finding.
#[derive(Debug)]
pub(crate) struct Finding {
    pub(crate) rule: String,
    pub(crate) target: String,
    severity: String,
    message: String,
    metric: String,
    steps: String,
    command: String,
    cause: String,
    pub(crate) is_confirmed: bool,
    pub(crate) is_resolved: bool,
}

/// Returns all findings, the oldest first.
pub(crate) async fn all(client: &Client) -> Vec<Finding> {
    let query = "SELECT rule, target, severity, message, metric, array_to_string(steps, ' '), \
                        coalesce(command, action_sql), nullif(cause_rule, 'correlation'), confirmed_at, resolved_at \
                 FROM collector.findings ORDER BY finding_id";
    let rows = client.simple_query(query).await.unwrap();
    let finding = |message: &SimpleQueryMessage| {
        let SimpleQueryMessage::Row(row) = message else {
            return None;
        };
        let text = |column| row.get(column).unwrap_or_default().to_owned();
        Some(Finding {
            rule: text(0),
            target: text(1),
            severity: text(2),
            message: text(3),
            metric: text(4),
            steps: text(5),
            command: text(6),
            cause: text(7),
            is_confirmed: row.get(8).is_some(),
            is_resolved: row.get(9).is_some(),
        })
    };
    rows.iter().filter_map(finding).collect()
}

impl Finding {
    /// Lists what is not as expected.
    pub(crate) fn differences(&self, expected: &Expected) -> Vec<String> {
        let pairs = [
            ("severity", &*self.severity, expected.severity),
            ("metric", &*self.metric, expected.metric),
            ("command", &*self.command, &*expected.command),
            ("cause", &*self.cause, ""),
        ];
        let unequal = pairs.iter().filter(|(_, is, should)| is != should);
        let unequal = unequal.map(|(what, is, should)| format!("{what} is {is:?}, not {should:?}"));
        let begins = [
            ("message", &self.message, &*expected.message),
            ("steps", &self.steps, expected.step),
        ];
        let lacking = begins.iter().filter(|(_, is, should)| !is.contains(should));
        let lacking =
            lacking.map(|(what, is, should)| format!("{what} is {is:?}, without {should:?}"));
        let all = unequal.chain(lacking);
        all.map(|one| format!("{} {}: {one}", self.rule, self.target))
            .collect()
    }
}
