//! What of a PostgreSQL server our role cannot see: a warning with what mends it, because every
//! figure beside may be too good.

use std::collections::BTreeMap;

use schema::tables::VisibilityGap;
use schema::{Cell, Sample, Severity, Timestamp};
use store::series::{self, ReadError};
use tokio_postgres::Client;

use super::data::about;
use crate::hosts::Host;
use crate::wire::now::Problem;
use crate::words;

/// The states of a blind spot that are a fault; what is off or not installed is a choice.
const FAULTS: [&str; 3] = ["denied", "failed", "unreachable"];
/// What wants grants beyond those of a monitoring role and hides no more than itself: nothing beside
/// is too good without it.
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

/// Blind spots of one server.
#[derive(Default)]
struct Spots {
    families: Vec<String>,
    remedies: Vec<String>,
}

/// A gap in our sight.
struct Spot {
    instance: String,
    database: String,
    family: String,
    state: String,
    message: String,
    remedy: String,
}

impl Spot {
    /// What cannot be seen: `statements of app`.
    fn place(&self) -> String {
        match self.database.as_str() {
            "" => self.family.clone(),
            database => format!("{} of {database}", self.family),
        }
    }
}

/// Gaps at the newest ticks before `at`.
async fn spots(client: &Client, host: &Host, at: Timestamp) -> Result<Vec<Spot>, ReadError> {
    let from = Timestamp(at.as_micros() - 2 * host.app_interval);
    let to = Timestamp(at.as_micros() + 1);
    let columns = [
        "instance", "database", "family", "state", "message", "remedy",
    ];
    let rows = series::rows(client, VisibilityGap::TABLE, host.id, from, to, &columns).await?;
    let mut found: Vec<Spot> = Vec::new();
    // The newest word about each.
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
        let spot = Spot {
            instance: instance.to_string(),
            database: database.to_string(),
            family: family.to_string(),
            state: state.to_string(),
            message: message.to_string(),
            remedy: remedy.to_string(),
        };
        let is_same = |known: &Spot| {
            known.instance == spot.instance
                && known.database == spot.database
                && known.family == spot.family
        };
        if !found.iter().any(is_same) {
            found.push(spot);
        }
    }
    found.sort_by(|a, b| {
        let key = |spot: &Spot| {
            (
                spot.instance.clone(),
                spot.family.clone(),
                spot.database.clone(),
            )
        };
        key(a).cmp(&key(b))
    });
    Ok(found)
}

/// Why rows of these families are missing, with what mends it; empty when nothing is.
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
    for spot in spots(client, host, at).await? {
        // A server that is not reached has nothing of any family.
        let all = spot.state == "unreachable";
        if !all
            && !families
                .iter()
                .any(|family| spot.family.starts_with(family))
        {
            continue;
        }
        let line = format!("{}: {} {}", spot.instance, spot.message, spot.remedy);
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

/// One problem per server that hides something, as its newest tick tells.
pub(super) async fn blind(
    client: &Client,
    host: &Host,
    at: Timestamp,
) -> Result<Vec<Problem>, ReadError> {
    let mut servers: BTreeMap<String, Spots> = BTreeMap::new();
    for spot in spots(client, host, at).await? {
        // A server that is not reached at all is told by its own metric.
        let is_down = spot.state == "unreachable" && spot.database.is_empty();
        let is_extra = spot.state == "denied" && OPTIONAL.contains(&spot.family.as_str());
        if is_down || is_extra || !FAULTS.contains(&spot.state.as_str()) {
            continue;
        }
        let place = spot.place();
        let spots = servers.entry(spot.instance).or_default();
        for (list, word) in [
            (&mut spots.families, place),
            (&mut spots.remedies, spot.remedy),
        ] {
            if !word.is_empty() && !list.contains(&word) {
                list.push(word);
            }
        }
    }
    Ok(servers.into_iter().map(problem).collect())
}

/// What a statement that mends a gap begins with; any other remedy is a sentence.
const STATEMENTS: [&str; 5] = ["ALTER ", "CREATE ", "GRANT ", "SELECT ", "SET "];

fn problem((instance, spots): (String, Spots)) -> Problem {
    let (statements, sentences): (Vec<String>, Vec<String>) = spots
        .remedies
        .into_iter()
        .partition(|remedy| STATEMENTS.iter().any(|begin| remedy.starts_with(begin)));
    let terminated = |statement: &String| format!("{};", statement.trim_end_matches(';'));
    let statements: Vec<String> = statements.iter().map(terminated).collect();
    let command = statements.join(" ");
    // Half a statement is none: what is too long is in the view.
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
                words::counted(spots.families.len(), "statistic"),
                spots.families.join(", ").replace('_', " ")
            ),
            LONGEST_TITLE,
        ),
        key: Some(instance.clone()),
        #[expect(clippy::cast_precision_loss, reason = "a handful")]
        value: Some(spots.families.len() as f64),
        fix,
        command,
        ..about(&format!("blind@{instance}"), Severity::Warn, "postgres")
    }
}
