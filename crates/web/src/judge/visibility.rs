//! Statistics of a PostgreSQL server that our role cannot read: a warning with the fix, because the
//! figures that are read may be too good without them.

use std::collections::BTreeMap;

use schema::{Cell, Sample, Severity, Timestamp};
use store::series::{self, ReadError};
use tokio_postgres::Client;

use super::data::about;
use crate::hosts::Host;
use crate::wire::now::Problem;

/// The states of a gap that are a fault; statistics that are off or not installed are a choice.
const FAULTS: [&str; 3] = ["denied", "failed", "unreachable"];
/// Families that need grants beyond those of a monitoring role, and without which no other figure is
/// too good.
const OPTIONAL: [&str; 10] = [
    "archive_pending",
    "checkpoint_pressure",
    "cluster",
    "index_bloat_exact",
    "sequences",
    "sizes",
    "table_bloat",
    "table_bloat_exact",
    "temp_dir",
    "wal_dir",
];
/// Longest remedy, characters.
const LONGEST: usize = 400;
/// Longest title, characters.
const LONGEST_TITLE: usize = 160;
/// Longest note of a table, characters.
const LONGEST_NOTE: usize = 1000;

/// The gaps of one server.
#[derive(Default)]
struct ServerGaps {
    families: Vec<String>,
    remedies: Vec<String>,
}

/// Statistics that could not be read.
struct VisibilityGap {
    instance: String,
    database: String,
    family: String,
    state: String,
    message: String,
    remedy: String,
}

impl VisibilityGap {
    /// Returns the name of what is missing: `statements of app`.
    fn label(&self) -> String {
        match self.database.as_str() {
            "" => self.family.clone(),
            database => format!("{} of {database}", self.family),
        }
    }
}

/// Reads the gaps at the newest ticks before `at`.
async fn gaps(
    client: &Client,
    host: &Host,
    at: Timestamp,
) -> Result<Vec<VisibilityGap>, ReadError> {
    let from = Timestamp(at.as_micros() - 2 * host.app_interval);
    let to = Timestamp(at.as_micros() + 1);
    let columns = [
        "instance", "database", "family", "state", "message", "remedy",
    ];
    let rows = series::rows(
        client,
        schema::tables::VisibilityGap::TABLE,
        host.id,
        from,
        to,
        &columns,
    )
    .await?;
    let mut found: Vec<VisibilityGap> = Vec::new();
    // The newest row of each.
    for (_, cells) in rows.into_iter().rev() {
        let [
            Cell::Text(instance),
            Cell::Text(database),
            Cell::Text(family),
            Cell::Text(state),
            Cell::Text(message),
            Cell::Text(remedy),
        ] = cells.as_slice()
        else {
            continue;
        };
        let gap = VisibilityGap {
            instance: instance.to_string(),
            database: database.to_string(),
            family: family.to_string(),
            state: state.to_string(),
            message: message.to_string(),
            remedy: remedy.to_string(),
        };
        let is_same = |known: &VisibilityGap| {
            known.instance == gap.instance
                && known.database == gap.database
                && known.family == gap.family
        };
        if !found.iter().any(is_same) {
            found.push(gap);
        }
    }
    found.sort_by(|a, b| {
        let key = |gap: &VisibilityGap| {
            (
                gap.instance.clone(),
                gap.family.clone(),
                gap.database.clone(),
            )
        };
        key(a).cmp(&key(b))
    });
    Ok(found)
}

/// Returns why rows of these families are missing, with the fix; empty when none are.
pub(crate) async fn note(
    client: &Client,
    host: &Host,
    at: Timestamp,
    families: &[&str],
) -> Result<String, ReadError> {
    if families.is_empty() {
        return Ok(String::new());
    }
    let mut note = String::new();
    for gap in gaps(client, host, at).await? {
        // A server that is not reached has nothing of any family.
        let all = gap.state == "unreachable";
        if !all && !families.iter().any(|family| gap.family.starts_with(family)) {
            continue;
        }
        let line = format!("{}: {} {}", gap.instance, gap.message, gap.remedy);
        let line = line.trim_end();
        if note.chars().count() + line.chars().count() > LONGEST_NOTE {
            note.push_str(" …");
            break;
        }
        if !note.is_empty() {
            note.push('\n');
        }
        note.push_str(line);
    }
    Ok(note)
}

/// Returns one problem per server with missing statistics, as of its newest tick.
pub(super) async fn problems(
    client: &Client,
    host: &Host,
    at: Timestamp,
) -> Result<Vec<Problem>, ReadError> {
    let mut servers: BTreeMap<String, ServerGaps> = BTreeMap::new();
    for gap in gaps(client, host, at).await? {
        // A server that cannot be reached at all is reported by `db.up`.
        let is_down = gap.state == "unreachable" && gap.database.is_empty();
        let is_extra = gap.state == "denied" && OPTIONAL.contains(&gap.family.as_str());
        if is_down || is_extra || !FAULTS.contains(&gap.state.as_str()) {
            continue;
        }
        let label = gap.label();
        let gaps = servers.entry(gap.instance).or_default();
        for (list, word) in [
            (&mut gaps.families, label),
            (&mut gaps.remedies, gap.remedy),
        ] {
            if !word.is_empty() && !list.contains(&word) {
                list.push(word);
            }
        }
    }
    Ok(servers.into_iter().map(problem).collect())
}

/// The keywords with which a remedy that is a statement begins; any other remedy is a sentence.
const STATEMENTS: [&str; 5] = ["ALTER ", "CREATE ", "GRANT ", "SELECT ", "SET "];

fn problem((instance, gaps): (String, ServerGaps)) -> Problem {
    let (statements, sentences): (Vec<String>, Vec<String>) = gaps
        .remedies
        .into_iter()
        .partition(|remedy| STATEMENTS.iter().any(|begin| remedy.starts_with(begin)));
    let terminated = |statement: &String| format!("{};", statement.trim_end_matches(';'));
    let statements: Vec<String> = statements.iter().map(terminated).collect();
    let command = statements.join(" ");
    // A truncated statement is useless: the view has those that are too long.
    let command = if command.chars().count() > LONGEST {
        statements.into_iter().next().unwrap_or_default()
    } else {
        command
    };
    let fix = match (command.is_empty(), sentences.is_empty()) {
        (false, true) => "Run as an administrator of the server:".to_owned(),
        _ => words::cut(&sentences.join(" "), LONGEST),
    };
    Problem {
        title: words::cut(
            &format!(
                "{} unavailable on {instance}: {}",
                words::counted(gaps.families.len(), "statistic"),
                gaps.families.join(", ").replace('_', " ")
            ),
            LONGEST_TITLE,
        ),
        key: Some(instance.clone()),
        #[expect(clippy::cast_precision_loss, reason = "a handful")]
        value: Some(gaps.families.len() as f64),
        fix,
        command,
        ..about(&format!("blind@{instance}"), Severity::Warn, "postgres")
    }
}
