//! Like messages get one name.
