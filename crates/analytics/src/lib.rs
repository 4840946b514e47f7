//! Web analytics: from a page's report to rows in the database.
//!
//! ```text
//! request ─ limits ─ shape ─ site and origin ─ agent ─ visitor ─ hit ─ queue on disk (fdatasync) ─ 202
//!                                                                  │
//!          one transaction = rows, visits, words, watermark ─ visits under way ─ hits in order
//! ```
//!
//! * [`protocol`] reads what a page sends; [`page_key()`], [`page_url`], [`host_name`], [`source`] and [`agent`] reduce it to
//!   what is stored; [`client_address`], [`rate`] and [`refusal`] decide what is not. All are pure.
//! * [`networks`] looks up countries and networks in files that the operator brings ([`mmdb`]).
//! * [`identity`] makes a visitor of an address and a user agent, for one day; [`session`] decides when a visit ends.
//! * [`hit`] is what the [`queue`] holds. It has neither address nor user agent, so these reach no disk.
//! * [`visits`] turns hits into rows; [`delivery`] stores them exactly once.
//! * [`server`] is the HTTP side; [`import`] takes access logs and exports of other programs instead.
//! * [`reception`] makes a hit of a report, [`settings`] holds what is configured.
//!
//! 202 means durable: the hit would survive the loss of power. What is refused is counted by reason.

pub mod agent;
pub mod client_address;
pub mod clock;
pub mod day;
pub mod delivery;
pub mod figures;
pub mod hit;
pub mod host_name;
pub mod identity;
pub mod import;
pub mod mmdb;
pub mod networks;
pub mod own_addresses;
mod page_key;
pub mod page_url;
pub mod protocol;
pub mod queue;
pub mod rate;
pub mod reception;
pub mod refusal;
pub mod server;
pub mod session;
pub mod settings;
pub mod source;
mod text;
pub mod visits;
pub mod word;

pub use page_key::{LONGEST_KEY, bounded_key, page_key};
