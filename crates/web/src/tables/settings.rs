//! The settings in use by the collector.

use store::series::{Instant, ReadError};
use tokio_postgres::types::{ToSql, Type};

use super::{Col, Line, Lines, Reading, Source, View};
use crate::wire::{Cell, Unit};

const COLUMNS: &[Col] = &[
    Col::new("key", "Setting", Unit::Text, "Section and name.").primary(),
    Col::new(
        "value",
        "Value",
        Unit::Text,
        "As it is in effect, with its unit; secrets are masked.",
    )
    .primary(),
    Col::new(
        "source",
        "Source",
        Unit::Text,
        "Where the value comes from.",
    )
    .primary(),
];

pub(super) const VIEW: View = View {
    name: "settings",
    title: "Effective settings",
    columns: COLUMNS,
    filters: &[],
    default_sort: "key",
    ranged: false,
    empty: "The collector has reported no settings.",
    families: &[],
    source: Source::Current(|reading| Box::pin(read(reading))),
};

/// Suffixes of keys with their units, and how many of a unit make the next one: the greatest unit of which the
/// value is a whole number is shown.
const UNITS: &[(&str, &[(&str, u64)])] = &[
    (
        "_secs",
        &[("s", 60), ("min", 60), ("h", 24), ("d", u64::MAX)],
    ),
    ("_days", &[("d", u64::MAX)]),
    ("_mb", &[("MiB", 1024), ("GiB", 1024), ("TiB", u64::MAX)]),
    (
        "chunk_size",
        &[("B", 1024), ("KiB", 1024), ("MiB", 1024), ("GiB", u64::MAX)],
    ),
];

/// Formats a value with the unit of its key: `10 s`, `100 MiB`.
fn with_unit(key: &str, value: String) -> String {
    let units = UNITS.iter().find(|(end, _)| key.ends_with(end));
    let (Some((_, units)), Ok(mut number)) = (units, value.parse::<u64>()) else {
        return value;
    };
    let mut unit = units[0].0;
    for pair in units.windows(2) {
        let ((_, size), (next, _)) = (pair[0], pair[1]);
        if number == 0 || number % size != 0 {
            break;
        }
        number /= size;
        unit = next;
    }
    format!("{number} {unit}")
}

pub(super) async fn read(reading: &Reading<'_>) -> Result<Lines, ReadError> {
    let at = Instant(reading.at);
    let params = [
        (&reading.host.id as &(dyn ToSql + Sync), Type::INT4),
        (&at, Type::TIMESTAMPTZ),
    ];
    let fault = |source| ReadError::new("settings", source);
    let sql = include_str!("../sql/settings.sql");
    let rows = reading
        .client
        .query_typed(sql, &params)
        .await
        .map_err(fault)?;
    let lines: Result<Vec<Line>, tokio_postgres::Error> = rows
        .iter()
        .map(|row| {
            let key: String = row.try_get(0)?;
            let cells = vec![
                Cell::Text(key.clone()),
                Cell::text(
                    row.try_get::<_, Option<String>>(1)?
                        .map(|value| with_unit(&key, value)),
                ),
                Cell::text(row.try_get(2)?),
            ];
            Ok(Line::new(key, cells, COLUMNS))
        })
        .collect();
    Ok(Lines {
        at: None,
        lines: lines.map_err(fault)?,
        ..Lines::default()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_have_the_unit_of_their_key() {
        for (key, value, expected) in [
            ("intervals.system_secs", "10", "10 s"),
            ("intervals.pg_extended_secs", "300", "5 min"),
            ("intervals.intel_secs", "90", "90 s"),
            ("intervals.app_secs", "0", "0 s"),
            ("retention.raw_days", "14", "14 d"),
            ("collector.queue_max_mb", "100", "100 MiB"),
            ("collector.queue_max_mb", "2048", "2 GiB"),
            ("logs.chunk_size", "262144", "256 KiB"),
            ("logs.chunk_size", "262143", "262143 B"),
            ("logs.batch_size", "5000", "5000"),
            ("intervals.system_secs", "soon", "soon"),
            ("database.host", "/run/postgresql", "/run/postgresql"),
        ] {
            assert_eq!(with_unit(key, value.to_owned()), expected, "{key}");
        }
    }
}
