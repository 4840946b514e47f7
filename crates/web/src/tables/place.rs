//! Columns and filters that all tables of PostgreSQL have: server and database.

use super::{Col, Filter};
use crate::wire::Unit;

/// The server.
pub(super) const SERVER: Col = Col::new(
    "instance",
    "Server",
    Unit::Text,
    "Name of the server in the configuration.",
);

/// The database.
pub(super) const DATABASE: Col = Col::new("database", "Database", Unit::Text, "Its database.");

/// By server.
pub(super) const BY_SERVER: Filter = Filter {
    id: "instance",
    label: "Server",
    values: &[],
};

/// By database.
pub(super) const BY_DATABASE: Filter = Filter {
    id: "database",
    label: "Database",
    values: &[],
};
