//! A link that fails on demand.
