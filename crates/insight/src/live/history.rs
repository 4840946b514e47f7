//! The samples of a scan, by instant.

use std::collections::VecDeque;
use std::ops::Range;

/// The samples of one instant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Frame {
    /// The instant, microseconds.
    pub(super) at: i64,
    samples: u32,
}

/// Samples in the order of their instants: a number that says whose sample it is, and `width` values, NaN for none.
///
/// They are stored without gaps, in three queues, so that an hour of ticks costs little more than its values.
#[derive(Debug)]
pub(super) struct History {
    width: usize,
    frames: VecDeque<Frame>,
    slots: VecDeque<u32>,
    values: VecDeque<f64>,
}

impl History {
    pub(super) fn new(width: usize) -> Self {
        Self {
            width,
            frames: VecDeque::new(),
            slots: VecDeque::new(),
            values: VecDeque::new(),
        }
    }

    /// Returns the newest instant.
    pub(super) fn newest(&self) -> Option<i64> {
        self.frames.back().map(|frame| frame.at)
    }

    /// Adds a sample. Mostly its instant is the newest one; a late one is inserted where it belongs.
    pub(super) fn add(&mut self, at: i64, slot: usize, values: &[f64]) {
        let (mut position, mut end) = (self.frames.len(), self.slots.len());
        while position > 0 && self.frames[position - 1].at > at {
            position -= 1;
            end -= self.frames[position].samples as usize;
        }
        if position > 0 && self.frames[position - 1].at == at {
            self.frames[position - 1].samples += 1;
        } else {
            self.frames.insert(position, Frame { at, samples: 1 });
        }
        self.slots
            .insert(end, u32::try_from(slot).unwrap_or(u32::MAX));
        for (nth, value) in values.iter().enumerate() {
            self.values.insert(end * self.width + nth, *value);
        }
    }

    /// Removes the samples outside of `kept` and calls `gone` with whose they were.
    pub(super) fn expire(&mut self, kept: Range<i64>, mut gone: impl FnMut(usize)) {
        while let Some(frame) = self.frames.pop_front_if(|frame| frame.at < kept.start) {
            let samples = frame.samples as usize;
            self.slots
                .drain(..samples)
                .for_each(|slot| gone(slot as usize));
            self.values.drain(..samples * self.width);
        }
        while let Some(frame) = self.frames.pop_back_if(|frame| frame.at >= kept.end) {
            let left = self.slots.len() - frame.samples as usize;
            self.slots
                .drain(left..)
                .for_each(|slot| gone(slot as usize));
            self.values.truncate(left * self.width);
        }
        if self.slots.capacity() > 64 && self.slots.capacity() > 4 * self.slots.len() {
            self.slots.shrink_to_fit();
            self.values.shrink_to_fit();
            self.frames.shrink_to_fit();
        }
    }

    /// Returns the instants, oldest first, each with the indices of its samples.
    pub(super) fn frames(&self) -> impl Iterator<Item = (i64, Range<usize>)> {
        let mut end = 0;
        self.frames.iter().map(move |frame| {
            let start = end;
            end += frame.samples as usize;
            (frame.at, start..end)
        })
    }

    /// Returns whose the sample at `index` is.
    pub(super) fn slot(&self, index: usize) -> usize {
        self.slots[index] as usize
    }

    /// Returns a value of the sample at `index`; NaN for none.
    pub(super) fn value(&self, index: usize, nth: usize) -> f64 {
        self.values[index * self.width + nth]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whose a sample is, and its values.
    type Shown = (usize, f64, f64);

    fn shown(history: &History) -> Vec<(i64, Vec<Shown>)> {
        let sample = |index| {
            (
                history.slot(index),
                history.value(index, 0),
                history.value(index, 1),
            )
        };
        let frames = history.frames();
        frames
            .map(|(at, indices)| (at, indices.map(sample).collect()))
            .collect()
    }

    #[test]
    fn late_samples_are_where_they_belong() {
        let mut history = History::new(2);
        for (at, slot) in [(10, 0), (30, 0), (30, 1), (20, 1), (10, 1), (5, 7), (40, 0)] {
            #[expect(clippy::cast_precision_loss, reason = "small numbers")]
            history.add(at, slot, &[at as f64, slot as f64]);
        }
        assert_eq!(
            shown(&history),
            [
                (5, vec![(7, 5.0, 7.0)]),
                (10, vec![(0, 10.0, 0.0), (1, 10.0, 1.0)]),
                (20, vec![(1, 20.0, 1.0)]),
                (30, vec![(0, 30.0, 0.0), (1, 30.0, 1.0)]),
                (40, vec![(0, 40.0, 0.0)]),
            ]
        );
        let mut gone = Vec::new();
        history.expire(20..40, |slot| gone.push(slot));
        assert_eq!(gone, [7, 0, 1, 0]);
        assert_eq!(
            shown(&history),
            [
                (20, vec![(1, 20.0, 1.0)]),
                (30, vec![(0, 30.0, 0.0), (1, 30.0, 1.0)]),
            ]
        );
        assert_eq!(history.newest(), Some(30));
    }
}
