//! What of a PostgreSQL server our role cannot see: a warning with what mends it, because every
//! figure beside may be too good.

use std::collections::BTreeMap;

use schema::tables::BlindSpot;
use schema::{Cell, Sample, Timestamp};
use store::series::{self, ReadError};
use tokio_postgres::Client;

use super::data::about;
use crate::api::Severity;
use crate::api::now::Problem;
use crate::hosts::Host;
use crate::words;

/// The states of a blind spot that are a fault; what is off or not installed is a choice.
const FAULTS: [&str; 3] = ["denied", "failed", "unreachable"];
/// Longest remedy, characters.
const LONGEST: usize = 400;

/// Blind spots of one server.
#[derive(Default)]
struct Spots {
    families: Vec<String>,
    remedies: Vec<String>,
}

/// One problem per server that hides something, as its newest tick tells.
pub(super) async fn blind(
    client: &Client,
    host: &Host,
    at: Timestamp,
) -> Result<Vec<Problem>, ReadError> {
    let from = Timestamp(at.as_micros() - 2 * host.interval);
    let to = Timestamp(at.as_micros() + 1);
    let columns = ["instance", "database", "family", "state", "remedy"];
    let rows = series::rows(client, BlindSpot::TABLE, host.id, from, to, &columns).await?;
    let mut servers: BTreeMap<String, Spots> = BTreeMap::new();
    for (_, cells) in rows {
        let [
            Cell::Text(instance),
            Cell::Text(database),
            Cell::Text(family),
            Cell::Text(state),
            Cell::Text(remedy),
        ] = cells.as_slice()
        else {
            continue;
        };
        // A server that is not reached at all is told by its own metric.
        if !FAULTS.contains(&&**state) || (&**state == "unreachable" && database.is_empty()) {
            continue;
        }
        let family = match &**database {
            "" => family.to_string(),
            database => format!("{family} of {database}"),
        };
        let spots = servers.entry(instance.to_string()).or_default();
        for (list, word) in [
            (&mut spots.families, family),
            (&mut spots.remedies, remedy.to_string()),
        ] {
            if !word.is_empty() && !list.contains(&word) {
                list.push(word);
            }
        }
    }
    Ok(servers.into_iter().map(problem).collect())
}

fn problem((instance, spots): (String, Spots)) -> Problem {
    let named = match spots.families.as_slice() {
        [] => String::new(),
        [one] => format!(": {one}"),
        [first, rest @ ..] => format!(": {first} and {} more", rest.len()),
    };
    let many = words::counted(spots.families.len(), "kind");
    let mut fix: String = spots.remedies.join(" ");
    if fix.chars().count() > LONGEST {
        fix = fix.chars().take(LONGEST - 1).chain(['…']).collect();
    }
    Problem {
        title: format!("PostgreSQL {instance} hides {many} of statistics{named}"),
        key: Some(instance.clone()),
        #[expect(clippy::cast_precision_loss, reason = "a handful")]
        value: Some(spots.families.len() as f64),
        fix,
        ..about(&format!("blind@{instance}"), Severity::Warn, "postgres")
    }
}
