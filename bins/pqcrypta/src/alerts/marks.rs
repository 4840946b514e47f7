//! Acknowledging and dismissing findings.

use std::process::ExitCode;

use anyhow::{Context, Result};
use schema::Timestamp;
use schema::micros::{DAY, HOUR, MINUTE};
use store::findings::marks::{self, Mark};
use store::migrations;
use store::series::Instant;

use crate::settings::{Source, connect, refuse};

/// Longest time of a mark: what is to be forgotten for longer should be changed.
const LONGEST: i64 = 366 * DAY;

/// What is done with a finding.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum Action {
    /// Note that somebody knows of a finding
    ///
    /// It stays in every list. The mark belongs to the condition, so it is kept when that returns, and lapses when it has
    /// not held for a day.
    ///
    /// Exit status: 0 when it is noted, 1 when no open finding has this number, 2 when the database does not answer.
    Ack(Marking),
    /// Take a finding out of all lists and out of the exit status
    ///
    /// Until its condition has not held for a day, or for a given time. It is listed under Recommendations as dismissed.
    ///
    /// Exit status: 0 when it is noted, 1 when no open finding has this number, 2 when the database does not answer.
    Dismiss(Marking),
    /// Take back what was acknowledged or dismissed
    ///
    /// Exit status: 0 when it is done, 1 when the finding was not marked, 2 when the database does not answer.
    Undo(Undoing),
}

#[derive(Debug, clap::Args)]
pub(crate) struct Marking {
    /// Its number, as `pqcrypta alerts` prints it
    id: i64,
    /// For how long: 90m, 12h, 7d, 4w
    #[arg(long = "for", value_name = "SPAN", value_parser = parse_span)]
    span: Option<i64>,
    #[command(flatten)]
    source: Source,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Undoing {
    /// Its number
    id: i64,
    #[command(flatten)]
    source: Source,
}

/// Parses a span of time, microseconds.
fn parse_span(text: &str) -> Result<i64, String> {
    let wanted = || "a span is a number with m, h, d or w, as 7d, of at most 366 days".to_owned();
    let last = text.char_indices().last().map_or(0, |(at, _)| at);
    let (number, unit) = text.split_at(last);
    let unit = match unit {
        "m" => MINUTE,
        "h" => HOUR,
        "d" => DAY,
        "w" => 7 * DAY,
        _ => return Err(wanted()),
    };
    let span = number
        .parse::<u32>()
        .ok()
        .and_then(|number| i64::from(number).checked_mul(unit));
    span.filter(|span| (1..=LONGEST).contains(span))
        .ok_or_else(wanted)
}

/// Does it, and returns the exit status.
///
/// # Errors
/// When standard output cannot be written; a database that does not answer is a status.
pub(crate) async fn run(action: &Action) -> Result<ExitCode> {
    let (source, id) = match action {
        Action::Ack(marking) | Action::Dismiss(marking) => (&marking.source, marking.id),
        Action::Undo(undoing) => (&undoing.source, undoing.id),
    };
    let loaded = match source.load() {
        Ok(loaded) => loaded,
        Err(faults) => return Ok(refuse(&faults)),
    };
    let done = match apply(&loaded, action).await {
        Ok(done) => done,
        Err(error) => {
            crate::say(&format!("{error:#}"));
            return Ok(ExitCode::from(2));
        }
    };
    let said = match (action, done) {
        (Action::Ack(_), true) => format!("{id} is acknowledged\n"),
        (Action::Dismiss(_), true) => format!("{id} is dismissed\n"),
        (Action::Undo(_), true) => format!("{id} is open again\n"),
        (Action::Undo(_), false) => format!("{id} was not acknowledged or dismissed\n"),
        (_, false) => format!("no open finding has the number {id}\n"),
    };
    crate::print(&said)?;
    Ok(ExitCode::from(u8::from(!done)))
}

async fn apply(loaded: &config::Loaded, action: &Action) -> Result<bool> {
    let session = connect(loaded, "pqcrypta alerts").await?;
    let client = &session.client;
    migrations::check(client).await?;
    let (marking, mark) = match action {
        Action::Ack(marking) => (marking, Mark::Acknowledged),
        Action::Dismiss(marking) => (marking, Mark::Dismissed),
        Action::Undo(undoing) => {
            let undone = marks::unmark(client, undoing.id).await;
            return undone.context("cannot take it back");
        }
    };
    let until = match marking.span {
        Some(span) => {
            let at = client.query_one("SELECT now()", &[]).await;
            let at = at.map_err(crate::roles::server_words);
            let Instant(at) = at.context("cannot read the time")?.try_get(0)?;
            Some(Timestamp(at.as_micros() + span))
        }
        None => None,
    };
    let marked = marks::mark(client, marking.id, mark, until).await;
    marked.context("cannot note it")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_are_numbers_with_a_unit() {
        for (text, expected) in [
            ("90m", 90 * MINUTE),
            ("12h", 12 * HOUR),
            ("7d", 7 * DAY),
            ("52w", 364 * DAY),
        ] {
            assert_eq!(parse_span(text), Ok(expected));
        }
        for text in [
            "",
            "7",
            "d",
            "0d",
            "-1d",
            "7 d",
            "1.5h",
            "367d",
            "4294967295w",
            "7D",
            "é",
        ] {
            assert!(parse_span(text).is_err(), "{text}");
        }
    }
}
