//! Sessions with PostgreSQL.
