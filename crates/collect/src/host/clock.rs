//! Whether the kernel holds its clock synchronised.

/// `None` when it cannot be told.
pub(crate) fn synchronised() -> Option<bool> {
    None
}
