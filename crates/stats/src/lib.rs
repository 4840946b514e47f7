//! What is normal, what is unusual and where it leads: numbers in, numbers out.
//!
//! * [`baseline`]: what is normal, over days or for each hour of the week.
//! * [`anomaly`]: judges a metric point by point.
//! * [`trend`]: the slope without the season, and how sure it is.
//! * [`forecast`]: hourly values to come, with a band and the skill so far.
//! * [`capacity`]: when a resource will be full.
//! * [`shift`]: since when a metric has its present level.
//! * [`moment`]: the place of an instant in the week of a host.
//! * [`burn`]: how fast an error budget is spent.
//! * [`counts`]: how unlikely a count is, given what is usual and how much it varies.
//! * [`order`]: medians and quantiles.
//!
//! Pure, without a clock. No function panics or gives NaN for finite input; what cannot be known
//! is `None`.

pub mod anomaly;
pub mod baseline;
pub mod burn;
pub mod capacity;
pub mod counts;
pub mod forecast;
pub mod moment;
pub mod order;
pub mod shift;
mod state;
pub mod trend;

pub use state::StateError;
