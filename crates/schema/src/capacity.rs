//! Which metrics have a limit that they can reach, and what happens there.

/// Whether it is foreseen when a metric reaches a limit.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Capacity {
    /// It is not: the metric has no limit, or another metric shows how near it is.
    Unbounded,
    /// It is.
    Bounded {
        /// The limit.
        limit: Limit,
        /// Values that are better than this are never taken for a trend: something regular ends their growth. In the
        /// metric's unit; `None`: any growth counts.
        from: Option<f64>,
        /// What happens at the limit: it continues "when it is reached, …".
        then: &'static str,
    },
}

/// The limit of a metric, in its unit. Of a metric of which more is better it is reached from above.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Limit {
    /// A value at which nothing is left.
    Full(f64),
    /// Its critical threshold.
    Critical,
    /// The newest value of another metric with the same key; where that has none, this value.
    Metric(&'static str, Option<f64>),
}

impl Capacity {
    /// Returns the capacity of a share that is used up at 100 percent.
    #[must_use]
    pub const fn full(then: &'static str) -> Self {
        Self::Bounded {
            limit: Limit::Full(100.0),
            from: None,
            then,
        }
    }

    /// Returns the capacity of a metric that is no resource, but becomes a problem at its critical threshold.
    #[must_use]
    pub const fn critical(then: &'static str) -> Self {
        Self::Bounded {
            limit: Limit::Critical,
            from: None,
            then,
        }
    }

    /// Returns whether a limit is foreseen.
    #[must_use]
    pub const fn is_bounded(&self) -> bool {
        matches!(self, Self::Bounded { .. })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Better, METRICS, metric};

    #[test]
    fn what_is_bounded_has_a_limit_hours_and_a_consequence() {
        for one in METRICS {
            let Capacity::Bounded { limit, then, .. } = one.capacity else {
                continue;
            };
            let id = one.id();
            assert!(one.is_rolled_up(), "{id}: growth is read from hours");
            assert_ne!(one.better, Better::Neither, "{id}");
            assert!(!then.is_empty() && !then.ends_with('.'), "{id}");
            match limit {
                Limit::Full(limit) => assert!(limit.is_finite(), "{id}"),
                Limit::Critical => {
                    let critical = one.levels.and_then(|levels| levels.critical);
                    assert!(critical.is_some(), "{id}");
                }
                Limit::Metric(other, _) => {
                    let other = metric(other).unwrap_or_else(|| panic!("{id}: {other}"));
                    assert!(other.is_rolled_up(), "{id}");
                    assert_eq!((other.key, other.unit), (one.key, one.unit), "{id}");
                }
            }
        }
    }
}
