//! Groups read back: cut into rows, shown, fitted to a table.

use super::{Group, HOST_OFFSET, PG_EPOCH_MICROS, TupleError};
use bytes::{BufMut, Bytes, BytesMut};
use schema::{PgType, TableDef, Timestamp};

impl Group {
    /// Walks all tuples, so that later code may trust the layout.
    pub(super) fn check(&self) -> Result<(), TupleError> {
        let expected = self.columns.len() + 2;
        let mut seen = 0;
        let mut at = 0;
        while at < self.tuples.len() {
            let (found, end) = tuple_end(&self.tuples, at).ok_or(TupleError::Short("a tuple"))?;
            if found != expected || end - at < HOST_OFFSET + 4 {
                return Err(TupleError::Fields {
                    table: self.table.clone(),
                    found,
                    expected,
                });
            }
            seen += 1;
            at = end;
        }
        if seen == self.rows {
            Ok(())
        } else {
            Err(TupleError::Short("the tuples"))
        }
    }

    /// Returns the byte ranges of the tuples.
    pub(super) fn spans(&self) -> impl Iterator<Item = (usize, usize)> {
        let mut at = 0;
        std::iter::from_fn(move || {
            let (_, end) = tuple_end(&self.tuples, at)?;
            let span = (at, end);
            at = end;
            Some(span)
        })
    }

    /// Returns the tuples with the host's number set, in pieces of whole tuples: each but the last has `least`
    /// bytes, and more only by less than a tuple.
    pub fn pieces_for(&self, host_id: i32, least: usize) -> impl Iterator<Item = Bytes> {
        let mut at = 0_usize;
        std::iter::from_fn(move || {
            let start = at;
            if self.host_id == host_id {
                at = start.saturating_add(least).min(self.tuples.len());
                return (at > start).then(|| self.tuples.slice(start..at));
            }
            while at - start < least
                && let Some((_, end)) = tuple_end(&self.tuples, at)
            {
                at = end;
            }
            let mut piece = BytesMut::from(&self.tuples[start..at]);
            let mut tuple = 0;
            while let Some((_, end)) = tuple_end(&piece, tuple) {
                let host = tuple + HOST_OFFSET;
                piece[host..host + 4].copy_from_slice(&host_id.to_be_bytes());
                tuple = end;
            }
            (at > start).then(|| piece.freeze())
        })
    }

    /// Returns the fields of each tuple as COPY and Bind both take them, `None` for NULL: `ts`, `host_id`
    /// (still 0), then those of the columns.
    pub fn fields(&self) -> impl Iterator<Item = Vec<Option<&[u8]>>> {
        self.spans().map(|(start, end)| {
            let mut rest = self.tuples.get(start + 2..end).unwrap_or_default();
            let mut fields = Vec::with_capacity(self.columns.len() + 2);
            while let Some((head, tail)) = rest.split_first_chunk::<4>() {
                // A negative length is NULL; the others were checked against the tuple's end.
                let (field, next) = match usize::try_from(i32::from_be_bytes(*head)) {
                    Ok(length) if length <= tail.len() => {
                        let (field, next) = tail.split_at(length);
                        (Some(field), next)
                    }
                    _ => (None, tail),
                };
                fields.push(field);
                rest = next;
            }
            fields
        })
    }

    /// Returns the rows `from..to` as a group of their own.
    #[must_use]
    pub fn slice(&self, from: u32, to: u32) -> Self {
        let offset = |row: u32| {
            self.spans()
                .nth(row as usize)
                .map_or(self.tuples.len(), |(at, _)| at)
        };
        let (start, end) = (offset(from), offset(to));
        Self {
            table: self.table.clone(),
            columns: self.columns.clone(),
            rows: to.min(self.rows).saturating_sub(from),
            tuples: self.tuples.slice(start..end),
            host_id: self.host_id,
        }
    }

    /// Leaves out the columns that `table` does not have with this type; the group as it is where
    /// all fit, which is the rule.
    #[must_use]
    pub fn fit(self, table: &TableDef) -> Self {
        let keep: Vec<bool> = self
            .columns
            .iter()
            .map(|(name, pg)| table.column(name).is_some_and(|column| column.pg == *pg))
            .collect();
        if keep.iter().all(|keep| *keep) {
            return self;
        }
        let mut tuples = BytesMut::with_capacity(self.tuples.len());
        let kept = keep.iter().filter(|keep| **keep).count();
        for (start, end) in self.spans() {
            tuples.put_i16((kept + 2) as i16);
            let mut at = start + 2;
            for field in 0..self.columns.len() + 2 {
                let next = field_end(&self.tuples, at).unwrap_or(end);
                if field < 2 || keep[field - 2] {
                    tuples.extend_from_slice(&self.tuples[at..next]);
                }
                at = next;
            }
        }
        let columns = self
            .columns
            .into_iter()
            .zip(&keep)
            .filter(|(_, keep)| **keep)
            .map(|(column, _)| column)
            .collect();
        Self {
            table: self.table,
            columns,
            rows: self.rows,
            tuples: tuples.freeze(),
            host_id: self.host_id,
        }
    }

    /// Returns the instants of the tuples, in order.
    pub fn instants(&self) -> impl Iterator<Item = Timestamp> {
        self.spans().map(|(at, _)| ts_at(&self.tuples, at))
    }

    /// Returns the instant of the first tuple.
    #[must_use]
    pub fn first_ts(&self) -> Option<Timestamp> {
        self.spans().next().map(|(at, _)| ts_at(&self.tuples, at))
    }

    /// Returns each row as a JSON object in one line, `ts` as microseconds since the epoch, with its tuple.
    pub fn rows_as_json(&self) -> impl Iterator<Item = (String, Timestamp, Bytes)> {
        self.spans().map(|(start, end)| {
            let ts = ts_at(&self.tuples, start);
            let mut object = serde_json::Map::new();
            object.insert("ts_us".to_owned(), ts.as_micros().into());
            let mut at = field_end(&self.tuples, start + 2)
                .and_then(|at| field_end(&self.tuples, at))
                .unwrap_or(end);
            for (name, pg) in &self.columns {
                let next = field_end(&self.tuples, at).unwrap_or(end);
                let value = if next >= at + 4 {
                    &self.tuples[at + 4..next]
                } else {
                    &[]
                };
                let null = self.tuples.get(at..at + 4) == Some(&(-1_i32).to_be_bytes()[..]);
                object.insert(
                    name.clone(),
                    if null {
                        serde_json::Value::Null
                    } else {
                        json_value(*pg, value)
                    },
                );
                at = next;
            }
            (
                serde_json::Value::Object(object).to_string(),
                ts,
                self.tuples.slice(start..end),
            )
        })
    }
}

fn json_value(pg: PgType, bytes: &[u8]) -> serde_json::Value {
    let eight = || <[u8; 8]>::try_from(bytes).ok();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    match pg {
        PgType::Float8 => eight().map_or(serde_json::Value::Null, |b| f64::from_be_bytes(b).into()),
        PgType::Int8 => eight().map_or(serde_json::Value::Null, |b| i64::from_be_bytes(b).into()),
        PgType::Timestamptz => eight().map_or(serde_json::Value::Null, |b| {
            i64::from_be_bytes(b).saturating_add(PG_EPOCH_MICROS).into()
        }),
        PgType::Int4 => <[u8; 4]>::try_from(bytes)
            .map_or(serde_json::Value::Null, |b| i32::from_be_bytes(b).into()),
        PgType::Bool => (bytes.first() == Some(&1)).into(),
        PgType::Text => text(bytes).into(),
        PgType::Jsonb => {
            let body = bytes.get(1..).unwrap_or_default();
            serde_json::from_slice(body).unwrap_or_else(|_| text(body).into())
        }
    }
}

fn ts_at(tuples: &[u8], at: usize) -> Timestamp {
    let bytes = tuples
        .get(at + 6..at + 14)
        .and_then(|bytes| <[u8; 8]>::try_from(bytes).ok());
    Timestamp(bytes.map_or(0, |bytes| {
        i64::from_be_bytes(bytes).saturating_add(PG_EPOCH_MICROS)
    }))
}

/// Fields and end of the tuple at `at`.
fn tuple_end(tuples: &[u8], at: usize) -> Option<(usize, usize)> {
    let fields = tuples.get(at..at + 2)?;
    let fields = usize::try_from(i16::from_be_bytes([fields[0], fields[1]])).ok()?;
    let mut end = at + 2;
    for _ in 0..fields {
        end = field_end(tuples, end)?;
    }
    Some((fields, end))
}

fn field_end(tuples: &[u8], at: usize) -> Option<usize> {
    let length = <[u8; 4]>::try_from(tuples.get(at..at + 4)?).ok()?;
    let length = usize::try_from(i32::from_be_bytes(length)).unwrap_or(0);
    at.checked_add(4 + length)
        .filter(|end| *end <= tuples.len())
}
