//! Throw-away PostgreSQL servers, a TCP fault proxy and `/proc`-like trees for tests.
