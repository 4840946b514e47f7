//! States as bytes: what a detector or a forecaster has learned, to be stored and restored bit for bit.
//!
//! A state begins with its version. Numbers are little-endian and have no padding between them. A state of
//! another version, of another length, or with a number that no state can have is refused, and its owner
//! learns anew from history.

use thiserror::Error;

use crate::order::is_present;

/// Why a state cannot be restored.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum StateError {
    /// The state was written by a version of the algorithm that this one does not read.
    #[error("restoring a state of version {found}: this program reads version {expected}")]
    Version {
        /// Version that the state states.
        found: u8,
        /// The only version that is read.
        expected: u8,
    },
    /// The state is too short or too long.
    #[error("restoring a state of {found} bytes: it has {expected}")]
    Length {
        /// Bytes of the state.
        found: usize,
        /// Bytes of a state of this version.
        expected: usize,
    },
    /// A number is not finite, or outside its range.
    #[error("restoring a state: the number at byte {at} is impossible")]
    Number {
        /// Place of the number.
        at: usize,
    },
}

/// A number of a state.
pub(crate) trait Number: Copy {
    const BYTES: usize;
    fn write(self, bytes: &mut Vec<u8>);
    /// Reads a number from exactly [`Self::BYTES`] bytes; `None` when no state has it.
    fn read(bytes: &[u8]) -> Option<Self>;
}

macro_rules! number {
    ($($type:ty: $check:expr;)*) => {$(
        impl Number for $type {
            const BYTES: usize = size_of::<Self>();

            fn write(self, bytes: &mut Vec<u8>) {
                bytes.extend_from_slice(&self.to_le_bytes());
            }

            fn read(bytes: &[u8]) -> Option<Self> {
                let check: fn(&Self) -> bool = $check;
                Some(Self::from_le_bytes(bytes.try_into().ok()?)).filter(check)
            }
        }
    )*};
}

number! {
    u8: |_| true;
    u16: |_| true;
    u32: |_| true;
    f32: |number| number.is_finite();
    f64: |number| is_present(*number);
}

/// The largest number that is kept as `f32`: products and sums of some stay finite.
const LARGEST: f64 = 1e36;

/// A number that may be absent: kept as `f32`, with NaN for none.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Maybe(f32);

impl Maybe {
    pub(crate) fn get(self) -> Option<f64> {
        (!self.0.is_nan()).then(|| f64::from(self.0))
    }
}

impl Default for Maybe {
    fn default() -> Self {
        Self(f32::NAN)
    }
}

impl From<Option<f64>> for Maybe {
    fn from(number: Option<f64>) -> Self {
        number.map_or_else(Self::default, |number| {
            Self(number.clamp(-LARGEST, LARGEST) as f32)
        })
    }
}

impl Number for Maybe {
    const BYTES: usize = size_of::<f32>();

    fn write(self, bytes: &mut Vec<u8>) {
        bytes.extend_from_slice(&self.0.to_le_bytes());
    }

    fn read(bytes: &[u8]) -> Option<Self> {
        let number = f32::from_le_bytes(bytes.try_into().ok()?);
        (!number.is_infinite()).then_some(Self(number))
    }
}

/// Something that is written and read field by field. One function does both, so that the two cannot differ.
pub(crate) trait Fields {
    /// Visits each field in order.
    fn fields(&mut self, visit: &mut Visit<'_>) -> Result<(), StateError>;
}

/// A visit of all fields: to write them, or to replace them with those that were written.
pub(crate) enum Visit<'a> {
    Write(Vec<u8>),
    Read { state: &'a [u8], at: usize },
}

impl Visit<'_> {
    pub(crate) fn number<N: Number>(&mut self, number: &mut N) -> Result<(), StateError> {
        match self {
            Self::Write(bytes) => number.write(bytes),
            Self::Read { state, at } => {
                let bytes = state.get(*at..*at + N::BYTES).unwrap_or_default();
                *number = N::read(bytes).ok_or(StateError::Number { at: *at })?;
                *at += N::BYTES;
            }
        }
        Ok(())
    }

    pub(crate) fn numbers<N: Number>(&mut self, numbers: &mut [N]) -> Result<(), StateError> {
        numbers
            .iter_mut()
            .try_for_each(|number| self.number(number))
    }
}

/// Returns the state of something as bytes.
pub(crate) fn write<T: Fields + Clone>(version: u8, of: &T) -> Vec<u8> {
    let mut visit = Visit::Write(vec![version]);
    // Writing cannot fail.
    let _written = of.clone().fields(&mut visit).is_ok();
    match visit {
        Visit::Write(bytes) => bytes,
        Visit::Read { .. } => Vec::new(),
    }
}

/// Replaces the fields of something new with those of a state.
pub(crate) fn read<T: Fields + Clone>(
    version: u8,
    mut new: T,
    state: &[u8],
) -> Result<T, StateError> {
    let found = state.first().copied().unwrap_or(0);
    if found != version {
        let expected = version;
        return Err(StateError::Version { found, expected });
    }
    let expected = write(version, &new).len();
    if state.len() != expected {
        let found = state.len();
        return Err(StateError::Length { found, expected });
    }
    new.fields(&mut Visit::Read { state, at: 1 })?;
    Ok(new)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Clone, PartialEq)]
    struct Pair(f64, [u16; 2]);

    impl Fields for Pair {
        fn fields(&mut self, visit: &mut Visit<'_>) -> Result<(), StateError> {
            visit.number(&mut self.0)?;
            visit.numbers(&mut self.1)
        }
    }

    #[test]
    fn only_a_whole_state_of_the_version_is_read() {
        let pair = Pair(-0.1, [7, 65_535]);
        let state = write(3, &pair);
        let new = || Pair(0.0, [0, 0]);
        assert_eq!(read(3, new(), &state), Ok(pair));
        let refused = [
            (
                vec![],
                StateError::Version {
                    found: 0,
                    expected: 3,
                },
            ),
            (
                [&[4], &state[1..]].concat(),
                StateError::Version {
                    found: 4,
                    expected: 3,
                },
            ),
            (
                state[..12].to_vec(),
                StateError::Length {
                    found: 12,
                    expected: 13,
                },
            ),
            (
                [&state[..], &[0]].concat(),
                StateError::Length {
                    found: 14,
                    expected: 13,
                },
            ),
            (
                write(3, &Pair(f64::NAN, [0, 0])),
                StateError::Number { at: 1 },
            ),
        ];
        for (state, error) in refused {
            assert_eq!(read(3, new(), &state), Err(error), "{state:?}");
        }
    }
}
