//! Parameters of the types that questions take besides those of the driver.

use std::error::Error;

use bytes::{BufMut as _, BytesMut};
use jiff::civil::Date;
use serde_json::Value;
use tokio_postgres::types::{IsNull, ToSql, Type, to_sql_checked};

/// The first day of the server's calendar.
const EPOCH: Date = jiff::civil::date(2000, 1, 1);
/// The version of the binary form of `jsonb`.
const JSONB: u8 = 1;

/// A day: `date`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Day(pub(crate) Date);

impl ToSql for Day {
    fn to_sql(&self, _: &Type, out: &mut BytesMut) -> Result<IsNull, Box<dyn Error + Sync + Send>> {
        let days = (self.0 - EPOCH).get_days();
        out.put_i32(days);
        Ok(IsNull::No)
    }

    fn accepts(ty: &Type) -> bool {
        *ty == Type::DATE
    }

    to_sql_checked!();
}

/// A document: `jsonb`; `None` is NULL.
#[derive(Clone, Debug)]
pub(crate) struct Json(pub(crate) Option<Value>);

impl ToSql for Json {
    fn to_sql(&self, _: &Type, out: &mut BytesMut) -> Result<IsNull, Box<dyn Error + Sync + Send>> {
        let Some(value) = &self.0 else {
            return Ok(IsNull::Yes);
        };
        out.put_u8(JSONB);
        serde_json::to_writer(out.writer(), value)?;
        Ok(IsNull::No)
    }

    fn accepts(ty: &Type) -> bool {
        *ty == Type::JSONB
    }

    to_sql_checked!();
}
