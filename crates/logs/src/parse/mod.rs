//! From lines to events.
