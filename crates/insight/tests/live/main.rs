//! The metrics read from rows in memory are those that the database reads from the same rows.
#![allow(clippy::unwrap_used, reason = "a test may fail")]

mod expressions;
mod readings;
mod rows;

/// Returns whether two values are equal up to what the order of additions and the precision of `numeric` change.
fn is_near(a: Option<f64>, b: Option<f64>) -> bool {
    match (a, b) {
        (Some(a), Some(b)) => (a - b).abs() <= 1e-9 * a.abs().max(b.abs()).max(1e-6),
        (None, None) => true,
        _ => false,
    }
}
