//! Records that were given up, reported as a record.

use schema::{Class, Timestamp};

use super::format::{class_code, class_of, u32_at, u64_at};
use crate::ranges::RangeSet;

/// Why records are lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Reason {
    /// The budget was reached.
    Overflow,
    /// Bytes changed or tore.
    Damage,
    /// A file vanished.
    Missing,
    /// The database knew these numbers already, of other content.
    Superseded,
    /// The disk refused; they were held in memory and that ran out.
    SpoolDown,
}

impl Reason {
    const ALL: [Self; 5] = [
        Self::Overflow,
        Self::Damage,
        Self::Missing,
        Self::Superseded,
        Self::SpoolDown,
    ];

    /// Returns the word in `data_gaps`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Overflow => "overflow",
            Self::Damage => "damage",
            Self::Missing => "missing",
            Self::Superseded => "superseded",
            Self::SpoolDown => "spool_down",
        }
    }

    /// Returns whether the loss was found afterwards, so that the time of its records is to be inferred.
    pub(crate) const fn is_unseen(self) -> bool {
        matches!(self, Self::Damage | Self::Missing)
    }

    const fn code(self) -> u8 {
        match self {
            Self::Overflow => 1,
            Self::Damage => 2,
            Self::Missing => 3,
            Self::Superseded => 4,
            Self::SpoolDown => 5,
        }
    }
}

/// Records that the spool gave up, by number. The database may have some of them all the same; only the rest is
/// a gap.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Loss {
    /// The stream.
    pub class: Class,
    /// The numbers; empty for records that never had one ([`Reason::SpoolDown`]). An upper bound
    /// where damage made them uncountable.
    pub lsns: RangeSet,
    /// Not before this instant.
    pub from_ts: Timestamp,
    /// Not after this instant, as far as is known.
    pub to_ts: Timestamp,
    /// Least number of records.
    pub records: u64,
    /// Number of rows; `None` when that is unknown.
    pub rows: Option<u64>,
    /// Why.
    pub reason: Reason,
}

const FIXED: usize = 40;
const PER_RANGE: usize = 16;

impl Loss {
    /// Returns the most ranges that keep an encoded loss within `bytes`.
    pub(super) const fn ranges_within(bytes: usize) -> usize {
        let ranges = bytes.saturating_sub(FIXED) / PER_RANGE;
        if ranges == 0 { 1 } else { ranges }
    }

    /// Adds another loss of the same class and reason.
    pub(super) fn merge(&mut self, other: &Self) {
        self.lsns = self.lsns.union(&other.lsns);
        self.from_ts = self.from_ts.min(other.from_ts);
        self.to_ts = self.to_ts.max(other.to_ts);
        self.records = self.records.saturating_add(other.records);
        self.rows = self.rows.zip(other.rows).map(|(a, b)| a.saturating_add(b));
    }

    /// Closes the narrowest gaps between ranges until there are at most `ranges`. A gap with a
    /// number that is on disk stays open: that record is still to be delivered.
    pub(super) fn coarsen(&mut self, ranges: usize, present: &RangeSet) {
        while self.lsns.range_count() > ranges {
            let starts = self.lsns.iter().skip(1).map(|r| r.start);
            let gaps = self.lsns.iter().map(|r| r.end).zip(starts);
            let closable = gaps.filter(|gap| present.next_from(gap.0).is_none_or(|p| p >= gap.1));
            let Some((from, to)) = closable.min_by_key(|gap| gap.1 - gap.0) else {
                return;
            };
            self.lsns.insert(from..to);
        }
    }

    pub(super) fn encode(&self) -> Vec<u8> {
        let count = u32::try_from(self.lsns.range_count()).unwrap_or(u32::MAX);
        let rows = self.rows.unwrap_or(u64::MAX);
        let mut out = Vec::with_capacity(FIXED + PER_RANGE * self.lsns.range_count());
        out.extend_from_slice(&[class_code(self.class), self.reason.code(), 0, 0]);
        out.extend_from_slice(&count.to_le_bytes());
        out.extend_from_slice(&self.from_ts.0.to_le_bytes());
        out.extend_from_slice(&self.to_ts.0.to_le_bytes());
        out.extend_from_slice(&self.records.to_le_bytes());
        out.extend_from_slice(&rows.to_le_bytes());
        for range in self.lsns.iter() {
            out.extend_from_slice(&range.start.to_le_bytes());
            out.extend_from_slice(&range.end.to_le_bytes());
        }
        out
    }

    /// Reads the payload of a record of kind loss; `None` when it is not one.
    #[must_use]
    pub fn decode(bytes: &[u8]) -> Option<Self> {
        let count = u32_at(bytes.get(..FIXED)?, 4) as usize;
        if bytes.len() != FIXED + count.checked_mul(PER_RANGE)? {
            return None;
        }
        let lsns = bytes[FIXED..]
            .chunks_exact(PER_RANGE)
            .map(|pair| u64_at(pair, 0)..u64_at(pair, 8))
            .collect();
        let rows = u64_at(bytes, 32);
        Some(Self {
            class: class_of(bytes[0])?,
            reason: Reason::ALL.into_iter().find(|r| r.code() == bytes[1])?,
            lsns,
            from_ts: Timestamp(u64_at(bytes, 8).cast_signed()),
            to_ts: Timestamp(u64_at(bytes, 16).cast_signed()),
            records: u64_at(bytes, 24),
            rows: (rows != u64::MAX).then_some(rows),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn loss(ranges: &[std::ops::Range<u64>]) -> Loss {
        Loss {
            class: Class::Core,
            lsns: ranges.iter().cloned().collect(),
            from_ts: Timestamp(-5),
            to_ts: Timestamp(9),
            records: 3,
            rows: Some(7),
            reason: Reason::Damage,
        }
    }

    #[test]
    fn comes_back_as_written() {
        for reason in Reason::ALL {
            for rows in [None, Some(0), Some(12)] {
                let mut sample = loss(&[1..4, 9..10]);
                sample.rows = rows;
                sample.reason = reason;
                let bytes = sample.encode();
                assert_eq!(Loss::decode(&bytes), Some(sample));
                assert_eq!(Loss::decode(&bytes[..bytes.len() - 1]), None);
            }
        }
    }

    #[test]
    fn coarsening_closes_the_narrowest_gap_first() {
        let mut sample = loss(&[0..1, 10..11, 13..14, 100..101]);
        sample.coarsen(3, &RangeSet::from(1..10));
        assert_eq!(sample.lsns, [0..1, 10..14, 100..101].into_iter().collect());
        sample.coarsen(1, &RangeSet::from(1..10));
        assert_eq!(sample.lsns, [0..1, 10..101].into_iter().collect());
    }
}
