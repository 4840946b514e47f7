//! Which parts of a range are read from roll-ups, and which from samples.
//!
//! A bucket of whole hours is reduced from partials, and partials of hours, of days and of samples of hours add up. So
//! each hour of a range is read from where it is cheapest: its day, the hour, or its samples while it is open, changed since
//! it was rolled up, or not rolled up yet. The answer is that of the samples at every instant; before, during and after a
//! roll-up. Only for hours whose samples are gone there is no choice.

use std::collections::BTreeSet;

use schema::micros::{DAY, HOUR};
use schema::{SLOW_SECS, Timestamp};
use tokio_postgres::Client;

use super::slices::SLICE;
use super::sql::{Param, Statement};
use super::value::Instant;
use super::{MAX_STEP_INTERVALS, ReadError};

/// Most pieces that are read from samples; beyond, the shortest between two of them are read from samples, too.
const MOST_RAW: usize = 8;

/// The stored form of a piece.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// Samples.
    Raw,
    /// Slices of hours that are rolled up.
    Slices,
    /// Hours that are rolled up.
    Hours,
    /// Days that are rolled up.
    Days,
}

/// A part of a range, `from <= ts < to`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Piece {
    pub(crate) from: i64,
    pub(crate) to: i64,
    pub(crate) form: Form,
}

/// What is known of the roll-ups of a host within a range.
#[derive(Clone, Debug, Default)]
pub(crate) struct RolledUp {
    /// Days that are rolled up from the present state of their hours.
    days: BTreeSet<i64>,
    /// Hours that are rolled up, except those of these days.
    hours: BTreeSet<i64>,
    /// Hours that are rolled up with their slices.
    sliced: BTreeSet<i64>,
    /// Hours that got rows since, from a little before the range.
    changed: BTreeSet<i64>,
    /// Of the hours and days, those in which the host was sampled.
    sampled: BTreeSet<i64>,
    /// The first instant whose samples are kept.
    raw_from: i64,
}

/// Returns how many hours after its own a sample can change: a step begins up to [`MAX_STEP_INTERVALS`] intervals before
/// the hour that it counts in.
pub(crate) fn reach(interval: i64) -> i64 {
    let slowest = interval.max(i64::from(SLOW_SECS) * 1_000_000);
    (slowest * MAX_STEP_INTERVALS + HOUR - 1) / HOUR
}

/// Returns the start of the hour.
pub(crate) const fn hour_of(micros: i64) -> i64 {
    micros.div_euclid(HOUR) * HOUR
}

impl RolledUp {
    /// Returns what is rolled up by these days, hours and notes of changes.
    pub(crate) fn of(days: Vec<i64>, hours: Vec<i64>, changed: Vec<i64>, raw_from: i64) -> Self {
        Self {
            days: days.into_iter().collect(),
            hours: hours.into_iter().collect(),
            changed: changed.into_iter().collect(),
            raw_from,
            ..Self::default()
        }
    }

    /// Reads what is rolled up of `from..to`; days only if asked for.
    pub(super) async fn read(
        client: &Client,
        host_id: i32,
        from: i64,
        to: i64,
        reach: i64,
        days: bool,
    ) -> Result<Self, ReadError> {
        const WHAT: &str = "rollups";
        let sql = Self::statement(host_id, from, to, reach, days);
        let rows = sql.query(client, WHAT).await?;
        let mut found = Self {
            raw_from: i64::MIN,
            ..Self::default()
        };
        for row in rows {
            let fault = |source| ReadError::new(WHAT, source);
            let kind: i32 = row.try_get(0).map_err(fault)?;
            let at = row.try_get::<_, Option<Instant>>(1).map_err(fault)?;
            let is_sampled: bool = row.try_get(2).map_err(fault)?;
            let is_sliced: bool = row.try_get(3).map_err(fault)?;
            let Some(Instant(Timestamp(at))) = at else {
                continue;
            };
            match kind {
                0 => found.raw_from = at,
                1 => drop(found.days.insert(at)),
                2 => drop(found.hours.insert(at)),
                _ => drop(found.changed.insert(at)),
            }
            if is_sampled {
                found.sampled.insert(at);
            }
            if is_sliced {
                found.sliced.insert(at);
            }
        }
        Ok(found)
    }

    /// Returns the statement of [`read`](Self::read).
    pub(super) fn statement(host_id: i32, from: i64, to: i64, reach: i64, days: bool) -> Statement {
        let mut sql = Statement::default();
        let host = sql.bind(Param::Int4(host_id));
        let from_at = sql.bind(Param::Time(Timestamp(from)));
        let to_at = sql.bind(Param::Time(Timestamp(to)));
        let early = sql.bind(Param::Time(Timestamp(from - reach * HOUR)));
        debug_assert_eq!(
            [&host, &from_at, &to_at, &early].map(String::as_str),
            ["$1", "$2", "$3", "$4"]
        );
        sql.text = match days {
            true => include_str!("rolled_up_days.sql").to_owned(),
            false => include_str!("rolled_up_hours.sql").to_owned(),
        };
        sql
    }

    /// Returns whether a sample that arrived lately may belong to a span or to a step that ends in it.
    fn has_changed(&self, from: i64, to: i64, reach: i64) -> bool {
        self.changed.range(from - reach * HOUR..to).next().is_some()
    }

    /// Returns the pieces of `from..to`, oldest first; whole days only if `days`.
    pub(crate) fn pieces(&self, from: i64, to: i64, reach: i64, days: bool) -> Vec<Piece> {
        let mut pieces: Vec<Piece> = Vec::new();
        let mut at = hour_of(from);
        while at < to {
            let (form, end) = self.form(at, to, reach, days);
            match pieces.last_mut() {
                Some(last) if last.form == form => last.to = end,
                _ => pieces.push(Piece {
                    from: at,
                    to: end,
                    form,
                }),
            }
            at = end;
        }
        // Samples end where the range does; a stored hour counts whole.
        if let Some(last) = pieces.last_mut().filter(|last| last.form == Form::Raw) {
            last.to = last.to.min(to);
        }
        few(pieces)
    }

    /// Returns the pieces of `from..to` where buckets consist of slices, where there are any, oldest first. `from` is the start of
    /// a slice.
    pub(super) fn fine_pieces(&self, from: i64, to: i64, reach: i64, slices: bool) -> Vec<Piece> {
        self.pieces_within_hours(from, to, reach, false, slices)
    }

    /// Returns the pieces of `from..to` in which the highest values are found: hours that lie in it, and of others slices, where there
    /// are any and `from` is the start of one, or samples.
    pub(super) fn ranked_pieces(&self, from: i64, to: i64, reach: i64, slices: bool) -> Vec<Piece> {
        self.pieces_within_hours(from, to, reach, true, slices)
    }

    fn pieces_within_hours(
        &self,
        from: i64,
        to: i64,
        reach: i64,
        hours: bool,
        slices: bool,
    ) -> Vec<Piece> {
        let mut pieces: Vec<Piece> = Vec::new();
        let mut at = from;
        while at < to {
            let hour = hour_of(at);
            let end = to.min(hour + HOUR);
            // A slice counts whole, so what is less is read from samples.
            let whole = end - end.rem_euclid(SLICE);
            let has_changed = self.has_changed(hour, hour + HOUR, reach);
            let is_rolled_up = !has_changed && self.hours.contains(&hour);
            let is_sliced = slices && !has_changed && self.sliced.contains(&hour);
            let (form, end) = if hours && is_rolled_up && end - at == HOUR {
                (Form::Hours, end)
            } else if is_sliced && whole > at {
                (Form::Slices, whole)
            } else {
                (Form::Raw, end)
            };
            match pieces.last_mut() {
                Some(last) if last.form == form => last.to = end,
                _ => pieces.push(Piece {
                    from: at,
                    to: end,
                    form,
                }),
            }
            at = end;
        }
        few(pieces)
    }

    fn form(&self, at: i64, to: i64, reach: i64, days: bool) -> (Form, i64) {
        let (day, hour) = (at + DAY, at + HOUR);
        if days && self.days.contains(&at) && hour_of(to + HOUR - 1) >= day {
            let kept = day > self.raw_from;
            if !(kept && self.has_changed(at, day, reach)) {
                return (Form::Days, day);
            }
        }
        let start = at.div_euclid(DAY) * DAY;
        let is_rolled_up = self.hours.contains(&at) || self.days.contains(&start);
        let is_stored = is_rolled_up && !self.has_changed(at, hour, reach);
        if is_stored || at < self.raw_from {
            (Form::Hours, hour)
        } else {
            (Form::Raw, hour)
        }
    }

    /// Returns the spans of stored pieces in which the host was not sampled.
    pub(super) fn unsampled(&self, piece: &Piece) -> Vec<(i64, i64)> {
        let length = match piece.form {
            Form::Raw => return Vec::new(),
            Form::Slices | Form::Hours => HOUR,
            Form::Days => DAY,
        };
        let mut spans: Vec<(i64, i64)> = Vec::new();
        let mut at = piece.from;
        while at < piece.to {
            let day = at.div_euclid(DAY) * DAY;
            let by_day = self.days.contains(&day) && self.sampled.contains(&day);
            if !by_day && !self.sampled.contains(&at) {
                match spans.last_mut() {
                    Some((_, end)) if *end == at => *end = at + length,
                    _ => spans.push((at, at + length)),
                }
            }
            at += length;
        }
        spans
    }
}

/// Reads more from samples where that makes fewer pieces.
fn few(mut pieces: Vec<Piece>) -> Vec<Piece> {
    loop {
        let raw = |piece: &&Piece| piece.form == Form::Raw;
        if pieces.iter().filter(raw).count() <= MOST_RAW {
            return pieces;
        }
        // Between two pieces of samples lies what has samples, too.
        let between = (1..pieces.len() - 1).filter(|at| {
            pieces[*at].form != Form::Raw
                && pieces[*at - 1].form == Form::Raw
                && pieces[*at + 1].form == Form::Raw
        });
        let Some(at) = between.min_by_key(|at| pieces[*at].to - pieces[*at].from) else {
            return pieces;
        };
        pieces[at - 1].to = pieces[at + 1].to;
        pieces.drain(at..=at + 1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Form::{Days, Hours, Raw, Slices};

    const D: i64 = 20_000 * DAY;

    fn rolled_up(days: &[i64], hours: &[i64], changed: &[i64], raw_from: i64) -> RolledUp {
        let set = |of: &[i64], unit: i64| of.iter().map(|n| D + n * unit).collect();
        RolledUp {
            days: set(days, DAY),
            hours: set(hours, HOUR),
            sliced: set(hours, HOUR),
            changed: set(changed, HOUR),
            sampled: BTreeSet::new(),
            raw_from,
        }
    }

    fn pieces(rolled_up: &RolledUp, from: i64, to: i64) -> Vec<(i64, i64, Form)> {
        let found = rolled_up.pieces(D + from * HOUR, D + to * HOUR, 1, true);
        let hours = |micros: i64| (micros - D) / HOUR;
        let short = |piece: &Piece| (hours(piece.from), hours(piece.to), piece.form);
        found.iter().map(short).collect()
    }

    #[test]
    fn each_hour_is_read_from_where_it_is_cheapest() {
        let hours: Vec<i64> = (0..10).collect();
        for (case, state, to, expected) in [
            (
                "open hour",
                rolled_up(&[], &hours, &[], 0),
                12,
                vec![(0, 10, Hours), (10, 12, Raw)],
            ),
            (
                "a late row reaches the next hour",
                rolled_up(&[], &hours, &[4], 0),
                10,
                vec![(0, 4, Hours), (4, 6, Raw), (6, 10, Hours)],
            ),
            (
                "its samples are gone",
                rolled_up(&[], &[0, 1, 5], &[4], D + 5 * HOUR),
                7,
                vec![(0, 5, Hours), (5, 7, Raw)],
            ),
            (
                "days",
                rolled_up(&[0, 1], &[48], &[], 0),
                49,
                vec![(0, 48, Days), (48, 49, Hours)],
            ),
            (
                "part of a day",
                rolled_up(&[0, 1], &[], &[], 0),
                30,
                vec![(0, 24, Days), (24, 30, Hours)],
            ),
            (
                "a day with a late row",
                rolled_up(&[0, 1], &[], &[30], 0),
                48,
                vec![
                    (0, 24, Days),
                    (24, 30, Hours),
                    (30, 32, Raw),
                    (32, 48, Hours),
                ],
            ),
        ] {
            assert_eq!(pieces(&state, 0, to), expected, "{case}");
        }
    }

    #[test]
    fn many_changed_hours_make_few_pieces() {
        let hours: Vec<i64> = (0..200).collect();
        let changed: Vec<i64> = (0..200).step_by(5).collect();
        let found = pieces(&rolled_up(&[], &hours, &changed, 0), 0, 200);
        let raw = found.iter().filter(|(.., form)| *form == Raw).count();
        assert!(raw <= MOST_RAW, "{found:?}");
        assert_eq!((found[0].0, found[found.len() - 1].1), (0, 200));
        assert!(
            found.windows(2).all(|pair| pair[0].1 == pair[1].0),
            "{found:?}"
        );
    }

    #[test]
    fn slices_are_read_where_they_lie_in_the_range() {
        let state = rolled_up(&[], &[0, 1, 2, 3], &[3], 0);
        let found = |from: i64, to: i64, hours| {
            let found = match hours {
                true => state.ranked_pieces(D + from, D + to, 1, true),
                false => state.fine_pieces(D + from, D + to, 1, true),
            };
            let short = |piece: &Piece| (piece.from - D, piece.to - D, piece.form);
            found.iter().map(short).collect::<Vec<_>>()
        };
        let (slice, hour) = (SLICE, HOUR);
        for (case, from, to, hours, expected) in [
            (
                "whole hours",
                0,
                3 * hour,
                false,
                vec![(0, 3 * hour, Slices)],
            ),
            (
                "the same, to rank",
                0,
                3 * hour,
                true,
                vec![(0, 3 * hour, Hours)],
            ),
            (
                "parts of hours",
                hour - slice,
                2 * hour + slice,
                true,
                vec![
                    (hour - slice, hour, Slices),
                    (hour, 2 * hour, Hours),
                    (2 * hour, 2 * hour + slice, Slices),
                ],
            ),
            (
                "part of a slice",
                hour,
                hour + 3 * slice + 1,
                true,
                vec![
                    (hour, hour + 3 * slice, Slices),
                    (hour + 3 * slice, hour + 3 * slice + 1, Raw),
                ],
            ),
            (
                "an hour that has changed, and those after it",
                2 * hour,
                5 * hour,
                false,
                vec![(2 * hour, 3 * hour, Slices), (3 * hour, 5 * hour, Raw)],
            ),
        ] {
            assert_eq!(found(from, to, hours), expected, "{case}");
        }
    }

    #[test]
    fn samples_end_with_the_range() {
        let state = rolled_up(&[], &[0], &[], 0);
        let found = state.pieces(D, D + HOUR + 5, 1, true);
        assert_eq!(found[1].to, D + HOUR + 5);
        let found = state.pieces(D, D + 5, 1, true);
        assert_eq!(found[0].to, D + HOUR);
    }

    #[test]
    fn a_step_reaches_as_many_hours_as_six_intervals() {
        let minute = 60_000_000;
        assert_eq!(reach(10_000_000), 1);
        assert_eq!(reach(10 * minute), 1);
        assert_eq!(reach(11 * minute), 2);
        assert_eq!(reach(60 * minute), 6);
    }
}
