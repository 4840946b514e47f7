//! Statistics for evaluating rules: slices in, numbers out.
//!
//! * [`counts`]: how unlikely a count is, given what is usual and how much it varies.
//! * [`order`]: medians and quantiles.
//!
//! Pure, without a clock. No function panics or gives NaN for finite input; what cannot be known
//! is `None`.

pub mod counts;
pub mod order;
