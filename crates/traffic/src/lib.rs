//! Questions about the visits of web sites.
//!
//! * A file of `sql/` is the statement of one question; its head says what it takes and returns. What all have in common (sums or rows, days
//!   of the site, the compared period, filters) is decided by functions of the schema, so none of them repeats a rule.
//! * A [`Question`] names the site, whole days in its zone, what they are compared with, and [`Filters`].
//! * Values of visitors reach the server as parameters alone.

mod filter;
mod param;
mod question;
mod refusal;
mod site;
mod statement;
mod step;

pub use filter::{DIMENSIONS, Dimension, Filters};
pub use question::{Comparison, Further, Question};
pub use refusal::{reason, remedy};
pub use site::{Site, sites};
pub use statement::Statement;
pub use step::{Funnel, Goal, Step};
