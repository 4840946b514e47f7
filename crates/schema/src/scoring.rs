//! Which metrics the anomaly detector follows, and why it does not follow the others.

/// Whether unusual values of a metric are looked for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Scoring {
    /// They are.
    Scored {
        /// The least distance from what is expected, in the metric's unit, that is worth a finding: a deviation that is
        /// rare and changes nothing is not. A choice of ours for each metric.
        least: f64,
    },
    /// They are not, for this reason.
    Unscored(&'static str),
}

impl Scoring {
    /// The reason of most metrics that are not scored.
    pub const COMPANION: &'static str =
        "It is a part or a counterpart of a scored metric, which shows the same change.";
    /// Of yes and no.
    pub const TWO_STATES: &'static str = "It has two states, and which one is bad is fixed.";
    /// Of counted faults.
    pub const EVENTS: &'static str = "Each event is a fault, however usual.";
    /// Of sizes and ages.
    pub const GROWS: &'static str =
        "It grows or shrinks steadily; when it reaches its limit matters, not how fast is usual.";
    /// Of limits and modes.
    pub const SETTING: &'static str = "It follows from a setting.";
    /// Of statements.
    pub const MANY: &'static str =
        "Statements come and go, so most have no history to compare with.";
    /// Of the collector.
    pub const DESIGNED: &'static str =
        "Its thresholds follow from what the collector is designed for.";
    /// Of single processes.
    pub const ENDS: &'static str = "Its key ends with the process; the sum by name is scored.";

    /// Returns the least distance that is worth a finding; `None` when the metric is not scored.
    #[must_use]
    pub const fn least(&self) -> Option<f64> {
        match self {
            Self::Scored { least } => Some(*least),
            Self::Unscored(_) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{METRICS, Unit};

    #[test]
    fn what_is_scored_can_be_and_the_rest_says_why_not() {
        for metric in METRICS {
            match metric.scoring {
                Scoring::Scored { least } => {
                    assert!(least > 0.0, "{}", metric.id());
                    assert_ne!(metric.unit, Unit::Bool, "{}", metric.id());
                    // A baseline is read from the hours of the metric.
                    assert!(metric.is_rolled_up(), "{}", metric.id());
                }
                Scoring::Unscored(reason) => assert!(reason.ends_with('.'), "{}", metric.id()),
            }
        }
    }
}
