//! Statistics of a PostgreSQL server that our role cannot read: why rows of a table are missing, with the fix. The
//! collector has the finding about them.

use schema::{Cell, Sample, Timestamp};
use store::series::{self, ReadError};
use tokio_postgres::Client;

use crate::hosts::Host;

/// Longest note of a table, characters.
const LONGEST_NOTE: usize = 1000;

/// Statistics that could not be read.
struct VisibilityGap {
    instance: String,
    database: String,
    family: String,
    state: String,
    message: String,
    remedy: String,
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
pub(super) async fn note(
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
