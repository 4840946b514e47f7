//! Marks on charts: starts and ends of the collector, boots, and what was changed on the host.

use schema::{Severity, Timestamp};
use store::series::{Instant, ReadError};
use tokio_postgres::types::{ToSql, Type};
use tokio_postgres::{Client, Row};

/// An event of the host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mark {
    /// When.
    pub at: Timestamp,
    /// A description.
    pub text: String,
    /// Its severity.
    pub severity: Severity,
}

/// Reads the marks of a host within a range.
///
/// # Errors
/// When the statement fails.
pub async fn marks(
    client: &Client,
    host_id: i32,
    from: Timestamp,
    to: Timestamp,
) -> Result<Vec<Mark>, ReadError> {
    let (from, to) = (Instant(from), Instant(to));
    let params = [
        (&host_id as &(dyn ToSql + Sync), Type::INT4),
        (&from, Type::TIMESTAMPTZ),
        (&to, Type::TIMESTAMPTZ),
    ];
    let fault = |source| ReadError::new("marks", source);
    let rows = client.query_typed(include_str!("marks.sql"), &params);
    let rows = rows.await.map_err(fault)?;
    let marks = rows.iter().map(|row| mark(row).map_err(fault));
    marks.collect()
}

fn mark(row: &Row) -> Result<Mark, tokio_postgres::Error> {
    let at: Instant = row.try_get("at")?;
    let kind: &str = row.try_get("kind")?;
    let (text, severity) = match row.try_get::<_, Option<&str>>("action")? {
        Some(action) => (
            sentence(&Change {
                kind,
                action,
                subjects: row.try_get("subjects")?,
                others: row.try_get("others")?,
                before: row.try_get("before")?,
                after: row.try_get("after")?,
            }),
            match action {
                "failed" => Severity::Warn,
                _ => Severity::Info,
            },
        ),
        None => {
            let (text, severity) = match kind {
                "started" => ("Collector started", Severity::Info),
                "stopped" => ("Collector stopped", Severity::Warn),
                "vanished" => ("Collector vanished", Severity::Critical),
                _ => ("Host booted", Severity::Warn),
            };
            (text.to_owned(), severity)
        }
    };
    Ok(Mark {
        at: at.0,
        text,
        severity,
    })
}

/// Changes of one kind within a minute.
#[derive(Debug)]
struct Change<'a> {
    kind: &'a str,
    action: &'a str,
    subjects: Vec<&'a str>,
    others: i64,
    /// Version or value before and after, of a single change.
    before: Option<&'a str>,
    after: Option<&'a str>,
}

/// Longest version or value in a mark, characters.
const LONGEST: usize = 24;

/// Describes changes: `nginx upgraded to 1.26.2`, `8 packages upgraded: a, b, c …`. The number comes first, as a label on a
/// chart is cut.
fn sentence(change: &Change<'_>) -> String {
    let names = change.subjects.iter().map(|name| words::cut(name, 40));
    let names = names.collect::<Vec<String>>().join(", ");
    if change.others > 0 {
        let named = i64::try_from(change.subjects.len()).unwrap_or(0);
        let all = words::counted(change.others.saturating_add(named), change.kind);
        return format!("{all} {}: {names} …", change.action);
    }
    let short = |value: &str| words::cut(value, LONGEST);
    let action = change.action;
    match (change.kind, change.before, change.after) {
        ("setting", Some(before), Some(after)) => {
            format!(
                "{names} {action} from {} to {}",
                short(before),
                short(after)
            )
        }
        ("setting", None, Some(after)) => format!("{names} {action} to {}", short(after)),
        ("package", _, Some(after)) if action != "installed" => {
            format!("{names} {action} to {}", short(after))
        }
        ("kernel", _, Some(after)) => format!("{names} {} {action}", short(after)),
        _ => format!("{names} {action}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changes_are_said_in_a_few_words() {
        let change = |kind, action, subjects: &[&'static str], others, before, after| {
            sentence(&Change {
                kind,
                action,
                subjects: subjects.to_vec(),
                others,
                before,
                after,
            })
        };
        let said = [
            change(
                "package",
                "upgraded",
                &["nginx"],
                0,
                Some("1.26.1"),
                Some("1.26.2"),
            ),
            change("package", "upgraded", &["a", "b", "c"], 5, None, None),
            change("package", "installed", &["nginx"], 0, None, Some("1.26.2")),
            change("package", "removed", &["nginx"], 0, Some("1.26.1"), None),
            change("unit", "failed", &["nginx.service"], 0, None, None),
            change(
                "unit",
                "started",
                &["a.service", "b.service"],
                0,
                None,
                None,
            ),
            change(
                "setting",
                "changed",
                &["work_mem"],
                0,
                Some("4096"),
                Some("8192"),
            ),
            change("setting", "changed", &["work_mem"], 0, None, Some("8MB")),
            change(
                "kernel",
                "booted",
                &["Linux"],
                0,
                None,
                Some("6.1.0-28-amd64"),
            ),
            change("schema", "altered", &["table public.orders"], 0, None, None),
            change("unit", "started", &["a", "b", "c"], 1, None, None),
        ];
        assert_eq!(
            said,
            [
                "nginx upgraded to 1.26.2",
                "8 packages upgraded: a, b, c …",
                "nginx installed",
                "nginx removed",
                "nginx.service failed",
                "a.service, b.service started",
                "work_mem changed from 4096 to 8192",
                "work_mem changed to 8MB",
                "Linux 6.1.0-28-amd64 booted",
                "table public.orders altered",
                "4 units started: a, b, c …",
            ]
        );
    }
}
