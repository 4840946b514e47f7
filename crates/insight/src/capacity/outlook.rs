//! When one metric and key reaches its limit, and how that is told.

use super::{HORIZON_HOURS, WARN_HOURS};
use crate::baselines::Hours;
use crate::normal;
use schema::micros::HOUR;
use schema::{Better, Capacity, Metric, Severity, Timestamp};
use stats::capacity::{Breach, Growth, LOOKED_AT};
use stats::order::median;
use store::capacity::CapacityRow;

/// Hours that one point of the stored history is the median of, so that a week has 28.
pub(super) const HISTORY_STEP: usize = 6;
/// Hours ahead for which a value is predicted: the horizon of the reference.
const PREDICTED_HOURS: usize = 24;

/// A metric and key that will reach a limit.
#[derive(Clone, Debug, PartialEq)]
pub struct Outlook {
    /// The metric.
    pub metric: &'static Metric,
    /// The key; empty of a single series.
    pub key: String,
    /// End of the last hour.
    pub at: Timestamp,
    /// Mean of the last hour that has one.
    pub current: f64,
    /// The level without the daily season, from which the growth goes on.
    pub level: f64,
    /// Change per hour.
    pub slope: f64,
    /// The value expected in a day.
    pub predicted: f64,
    /// The limit.
    pub limit: f64,
    /// When it is reached.
    pub breach: Breach,
    /// How sure it is that it grows at all, from 0 to 1.
    pub confidence: f64,
    /// Medians of six hours each, oldest first; `None` for those without a value.
    pub history: Vec<Option<f64>>,
}

/// Returns 1 for a limit that is reached from below, -1 for one from above.
pub(super) const fn sign(metric: &Metric) -> f64 {
    match metric.better {
        Better::Higher => -1.0,
        Better::Lower | Better::Neither => 1.0,
    }
}

impl Outlook {
    /// Returns the outlook of hours up to an instant, where growth is real and reaches the limit in time.
    pub(super) fn of(hours: &Hours, growth: &Growth, limit: f64, at: Timestamp) -> Option<Self> {
        let metric = hours.metric;
        let sign = sign(metric);
        if let Capacity::Bounded {
            from: Some(from), ..
        } = metric.capacity
            && growth.level < sign * from
        {
            return None;
        }
        let breach = growth.breach(sign * limit, HORIZON_HOURS)?;
        let means = &hours.means;
        let current = means.iter().rev().copied().find(|mean| mean.is_finite())?;
        let point = |hours: &[f64]| {
            let known: Vec<f64> = hours
                .iter()
                .copied()
                .filter(|one| one.is_finite())
                .collect();
            median(&known)
        };
        Some(Self {
            metric,
            key: hours.key.clone().unwrap_or_default(),
            at,
            current,
            level: sign * growth.level,
            slope: sign * growth.slope,
            predicted: sign * growth.ahead(PREDICTED_HOURS),
            limit,
            breach,
            confidence: growth.confidence(),
            history: means[means.len().saturating_sub(LOOKED_AT)..]
                .rchunks(HISTORY_STEP)
                .rev()
                .map(point)
                .collect(),
        })
    }

    /// Returns how urgent it is.
    #[must_use]
    pub const fn severity(&self) -> Severity {
        if self.breach.hours <= WARN_HOURS {
            Severity::Warn
        } else {
            Severity::Info
        }
    }

    /// Returns the instant so many hours after the last one.
    #[must_use]
    pub fn instant(&self, hours: usize) -> Timestamp {
        let hours = i64::try_from(hours).unwrap_or(i64::MAX / HOUR / 2);
        Timestamp(
            self.at
                .as_micros()
                .saturating_add(hours.saturating_mul(HOUR)),
        )
    }

    /// Returns the row that is stored of it.
    #[must_use]
    pub fn row(&self) -> CapacityRow {
        CapacityRow {
            domain: self.metric.domain.as_str(),
            metric: self.metric.name,
            metric_key: self.key.clone(),
            severity: self.severity(),
            current: self.current,
            predicted: self.predicted,
            limit: self.limit,
            hours_until: to_f64(self.breach.hours),
            confidence: self.confidence,
            message: self.message(),
            earliest: self.instant(self.breach.earliest),
            latest: self.breach.latest.map(|hours| self.instant(hours)),
            level: self.level,
            slope: self.slope,
            history: self.history.clone(),
        }
    }

    /// Returns the condition: `Disk used of /srv: 78 %, will reach 100 % in about 5 d (4 d to 7 d)`.
    #[must_use]
    pub fn message(&self) -> String {
        let name = normal::name(self.metric);
        let subject = match self.key.as_str() {
            "" => name.to_owned(),
            key => format!("{name} of {}", words::cut(key, 80)),
        };
        let value = |value: f64| words::value(words::round(value), self.metric.unit);
        let lasts = |hours: usize| words::duration(to_f64(hours) * 3600.0);
        let (earliest, about) = (lasts(self.breach.earliest), lasts(self.breach.hours));
        let span = match self.breach.latest.map(lasts) {
            Some(latest) if latest == earliest => String::new(),
            Some(latest) => format!(" ({earliest} to {latest})"),
            None => format!(" ({earliest} or later)"),
        };
        format!(
            "{subject}: {}, will reach {} in about {about}{span}",
            value(self.current),
            value(self.limit)
        )
    }
}

#[expect(clippy::cast_precision_loss, reason = "at most ten years of hours")]
fn to_f64(hours: usize) -> f64 {
    hours as f64
}
