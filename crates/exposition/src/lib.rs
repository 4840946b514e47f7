//! What a program says of itself to a supervisor that scrapes it: the text format of Prometheus, version 0.0.4.
//!
//! The programs that listen share it: [`Page`] writes families and samples, [`Requests`] and [`Histogram`] count how long things took,
//! [`process`] adds what every program has (the names are those of Prometheus's own libraries). Nothing here waits, and nothing is
//! kept but numbers.

mod histogram;
mod page;
pub mod process;
mod requests;

pub use histogram::Histogram;
pub use page::Page;
pub use requests::Requests;

/// The content type of a page.
pub const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";
