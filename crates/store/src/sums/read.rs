//! Reading sums: which parts of a range come from where.

use std::borrow::Cow;

use schema::Timestamp;
use schema::micros::{DAY, HOUR};
use tokio_postgres::Client;

use super::{ALL, Sums};
use crate::series::pieces::{Form, Piece, RolledUp, hour_of, reach};
use crate::series::sql::{Param, Statement};
use crate::series::{Instant, ReadError};

const WHAT: &str = "sums";

/// From what the sums of a range were made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Origin {
    /// From samples alone.
    Samples,
    /// From hours, too.
    Hours,
    /// From days, too.
    Days,
}

/// The stored form of a part of a range.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stored {
    Samples,
    Hours,
    Days,
    Months,
}

/// A part of a range, `from <= ts < to`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Part {
    from: i64,
    to: i64,
    stored: Stored,
}

/// A range in parts.
#[derive(Clone, Debug)]
pub struct Parts(Vec<Part>);

/// What is kept, beside what is summed.
#[derive(Debug)]
struct Kept {
    rolled_up: RolledUp,
    raw_from: i64,
    hourly_from: i64,
    /// Start and end of each month.
    months: Vec<(i64, i64)>,
}

/// Reads from where each part of `from <= ts < to` is cheapest. Where samples are gone, a range begins and ends with whole hours, and where
/// hours are gone, with whole days (UTC). `interval` is that of the services of the host, microseconds.
///
/// # Errors
/// What the server reported.
pub async fn parts(
    client: &Client,
    host_id: i32,
    interval: i64,
    from: Timestamp,
    to: Timestamp,
) -> Result<Parts, ReadError> {
    let reach = reach(interval);
    let (from, to) = (from.as_micros(), to.as_micros());
    // Whole days, as either end may be moved to that of its own.
    let first = day_of(from);
    let kept = Kept::read(client, host_id, first, day_of(to) + DAY, reach).await?;
    Ok(Parts(kept.parts(from, to, reach)))
}

fn day_of(micros: i64) -> i64 {
    micros.div_euclid(DAY) * DAY
}

impl Kept {
    async fn read(
        client: &Client,
        host_id: i32,
        from: i64,
        to: i64,
        reach: i64,
    ) -> Result<Self, ReadError> {
        let params = [
            Param::Int4(host_id),
            Param::Time(Timestamp(from)),
            Param::Time(Timestamp(to)),
            Param::Time(Timestamp(from - reach * HOUR)),
        ];
        let sql = Statement {
            text: include_str!("kept.sql").to_owned(),
            params: params.to_vec(),
        };
        let (mut days, mut hours, mut changed) = (Vec::new(), Vec::new(), Vec::new());
        let (mut raw_from, mut hourly_from, mut months) = (i64::MIN, i64::MIN, Vec::new());
        let fault = |source| ReadError::new(WHAT, source);
        for row in sql.query(client, WHAT).await? {
            let kind: i32 = row.try_get(0).map_err(fault)?;
            let instant = |at: usize| -> Result<Option<i64>, ReadError> {
                let instant: Option<Instant> = row.try_get(at).map_err(fault)?;
                Ok(instant.map(|instant| instant.0.as_micros()))
            };
            let Some(at) = instant(1)? else { continue };
            match kind {
                0 => raw_from = at,
                1 => days.push(at),
                2 => hours.push(at),
                3 => changed.push(at),
                4 => hourly_from = at,
                _ => months.extend(instant(2)?.map(|end| (at, end))),
            }
        }
        months.sort_unstable();
        Ok(Self {
            rolled_up: RolledUp::of(days, hours, changed, raw_from),
            raw_from,
            hourly_from,
            months,
        })
    }

    fn parts(&self, from: i64, to: i64, reach: i64) -> Vec<Part> {
        let from = match hour_of(from) {
            hour if hour < self.hourly_from => day_of(from),
            hour if hour < self.raw_from => hour,
            _ => from,
        };
        // The last instant of the range, which lies in its last hour.
        let last = to - 1;
        let to = match hour_of(last) {
            hour if hour < self.hourly_from => day_of(last) + DAY,
            hour if hour < self.raw_from => hour + HOUR,
            _ => to,
        };
        let mut pieces: Vec<Piece> = Vec::new();
        let raw = |from, to| Piece {
            from,
            to,
            form: Form::Raw,
        };
        // Samples where the range begins or ends within an hour.
        let (first, end) = (hour_of(from + HOUR - 1), hour_of(to));
        if first > end {
            return vec![Part::of(&raw(from, to))];
        }
        if from < first {
            pieces.push(raw(from, first));
        }
        pieces.extend(self.rolled_up.pieces(first, end, reach, true));
        if end < to || pieces.is_empty() {
            pieces.push(raw(end, to));
        }
        let mut parts: Vec<Part> = Vec::new();
        for piece in &pieces {
            let added = match piece.form {
                Form::Days => self.by_months(piece),
                _ => vec![Part::of(piece)],
            };
            for part in added {
                match parts.last_mut() {
                    Some(last) if last.stored == part.stored => last.to = part.to,
                    _ => parts.push(part),
                }
            }
        }
        parts
    }

    /// Takes the months that lie in a piece of days.
    fn by_months(&self, piece: &Piece) -> Vec<Part> {
        let part = |from, to, stored| Part { from, to, stored };
        let (mut parts, mut at) = (Vec::new(), piece.from);
        for (from, to) in self.months.iter().copied() {
            if from < at || to > piece.to {
                continue;
            }
            if at < from {
                parts.push(part(at, from, Stored::Days));
            }
            parts.push(part(from, to, Stored::Months));
            at = to;
        }
        if at < piece.to {
            parts.push(part(at, piece.to, Stored::Days));
        }
        parts
    }
}

impl Part {
    fn of(piece: &Piece) -> Self {
        Self {
            from: piece.from,
            to: piece.to,
            stored: match piece.form {
                Form::Raw => Stored::Samples,
                Form::Slices | Form::Hours => Stored::Hours,
                Form::Days => Stored::Days,
            },
        }
    }
}

/// The instants of a statement, numbered from its other parameters on.
#[derive(Debug)]
struct Instants {
    first: usize,
    found: Vec<Timestamp>,
}

impl Instants {
    fn bind(&mut self, micros: i64) -> String {
        let at = Timestamp(micros);
        let known = self.found.iter().position(|known| *known == at);
        let at = known.unwrap_or_else(|| {
            self.found.push(at);
            self.found.len() - 1
        });
        format!("${}", self.first + at)
    }
}

impl Parts {
    /// Returns from what the sums are made: the coarsest.
    #[must_use]
    pub fn origin(&self) -> Origin {
        let origins = self.0.iter().map(|part| match part.stored {
            Stored::Samples => Origin::Samples,
            Stored::Hours => Origin::Hours,
            Stored::Days | Stored::Months => Origin::Days,
        });
        origins.max().unwrap_or(Origin::Samples)
    }

    /// Replaces each `{sums NAME}` of a statement whose `$1` is the host (int4) by a relation with the keys and sums of that name; there may be
    /// several rows of a key, which add up. Returns the parameters that follow the `params` that it has (timestamptz).
    #[must_use]
    pub fn expand<'a>(&self, sql: &'a str, params: usize) -> (Cow<'a, str>, Vec<Timestamp>) {
        let mut text = Cow::Borrowed(sql);
        let mut instants = Instants {
            first: params + 1,
            found: Vec::new(),
        };
        for sums in ALL {
            let mark = format!("{{sums {}}}", sums.name);
            if text.contains(&mark) {
                let relation = self.relation(sums, &mut instants);
                text = Cow::Owned(text.replace(&mark, &relation));
            }
        }
        (text, instants.found)
    }

    fn relation(&self, sums: &Sums, instants: &mut Instants) -> String {
        let (name, names) = (sums.name, format!("{}, {}", sums.keys, sums.names()));
        let parts = self.0.iter().map(|part| {
            let (from, to) = (instants.bind(part.from), instants.bind(part.to));
            let stored = match part.stored {
                Stored::Samples => {
                    let early = part.from - HOUR;
                    let hour = instants.bind(hour_of(part.from));
                    let (early, early_hour) =
                        (instants.bind(early), instants.bind(hour_of(early)));
                    let samples = sums.of_samples(&from, &to, &hour, &early, &early_hour);
                    return format!("SELECT {names} FROM (\n{samples}\n) samples");
                }
                Stored::Hours => format!("{name}_hours WHERE true"),
                Stored::Days => format!("{name}_days WHERE grain = 'day'"),
                Stored::Months => format!("{name}_days WHERE grain = 'month'"),
            };
            format!("SELECT {names} FROM collector.{stored} AND host_id = $1 AND bucket >= {from} AND bucket < {to}")
        });
        let parts: Vec<String> = parts.collect();
        format!("(\n{}\n)", parts.join("\nUNION ALL\n"))
    }
}
