//! Conversion of instants and cells from and to PostgreSQL.

use std::error::Error;

use bytes::BytesMut;
use schema::{Cell, PgType, Timestamp};
use tokio_postgres::Row;
use tokio_postgres::types::{FromSql, IsNull, ToSql, Type, to_sql_checked};

/// Microseconds from 1970 to 2000, the epoch of PostgreSQL.
const PG_EPOCH: i64 = 946_684_800_000_000;

/// A `timestamptz`. Infinities become the ends of the range.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Instant(pub Timestamp);

impl ToSql for Instant {
    fn to_sql(&self, _: &Type, out: &mut BytesMut) -> Result<IsNull, Box<dyn Error + Sync + Send>> {
        let micros = self.0.as_micros().saturating_sub(PG_EPOCH);
        out.extend_from_slice(&micros.to_be_bytes());
        Ok(IsNull::No)
    }

    fn accepts(ty: &Type) -> bool {
        *ty == Type::TIMESTAMPTZ
    }

    to_sql_checked!();
}

impl<'a> FromSql<'a> for Instant {
    fn from_sql(_: &Type, raw: &'a [u8]) -> Result<Self, Box<dyn Error + Sync + Send>> {
        let micros = i64::from_be_bytes(raw.try_into()?);
        Ok(Self(Timestamp(micros.saturating_add(PG_EPOCH))))
    }

    fn accepts(ty: &Type) -> bool {
        *ty == Type::TIMESTAMPTZ
    }
}

/// Returns the expression that selects a column so that [`cell`] can read it.
pub(super) fn selected(name: &str, pg: PgType) -> String {
    match pg {
        PgType::Jsonb => format!("{name}::text AS {name}"),
        _ => name.to_owned(),
    }
}

/// Reads the cell at `index` of a row whose column is of type `pg`.
pub(super) fn cell(row: &Row, index: usize, pg: PgType) -> Result<Cell, tokio_postgres::Error> {
    fn or_null<T>(value: Option<T>, make: impl FnOnce(T) -> Cell) -> Cell {
        value.map_or(Cell::Null, make)
    }
    Ok(match pg {
        PgType::Float8 => or_null(row.try_get::<_, Option<f64>>(index)?, Cell::Float),
        PgType::Int8 => or_null(row.try_get(index)?, Cell::Int),
        PgType::Int4 => or_null(row.try_get::<_, Option<i32>>(index)?, |value| {
            Cell::Int(i64::from(value))
        }),
        PgType::Bool => or_null(row.try_get(index)?, Cell::Bool),
        PgType::Text => or_null(row.try_get::<_, Option<Box<str>>>(index)?, Cell::Text),
        PgType::Jsonb => or_null(row.try_get::<_, Option<Box<str>>>(index)?, Cell::Json),
        PgType::Timestamptz => or_null(row.try_get::<_, Option<Instant>>(index)?, |value| {
            Cell::Time(value.0)
        }),
    })
}
