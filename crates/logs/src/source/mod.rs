//! Where lines come from: files and the journal.
