//! Whose counters are these?
//!
//! A counter may only be compared with an earlier value of the same count. What begins a new count: a
//! reset by hand, which moves a `stats_reset`; a crash, which clears everything and moves that of the
//! background writer; another server behind the same address, which has another system identifier or
//! timeline. A clean restart keeps the counts, so the start of the postmaster is no part of it.

/// The text that is equal as long as the counts go on: 16 hexadecimal digits of what owns the counters
/// (`lineage`, of the server) and since when they count (`reset`, of the family).
pub(super) fn epoch(lineage: &str, reset: &str) -> String {
    // FNV-1a, stable across builds: an upgrade of the agent must not look like a reset.
    let bytes = lineage.bytes().chain([0]).chain(reset.bytes());
    let hash = bytes.fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    });
    format!("{hash:016x}")
}

#[cfg(test)]
mod tests {
    use super::epoch;

    #[test]
    fn an_epoch_changes_with_each_of_its_parts_and_never_between_builds() {
        assert_eq!(epoch("a/1", "5"), epoch("a/1", "5"));
        let others = [("a/2", "5"), ("a/1", "6"), ("a/15", ""), ("a/1", "-")];
        for (lineage, reset) in others {
            assert_ne!(
                epoch(lineage, reset),
                epoch("a/1", "5"),
                "{lineage} {reset}"
            );
        }
        assert_eq!(epoch("7/1/2.5", "-"), "dbded066b530ba8d");
    }
}
