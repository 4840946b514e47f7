//! Levels of lines by their names.

/// How grave a level is: debug 0, info 1, warn 2, error 3; what is not known counts as info.
pub(super) fn rank(level: &str) -> u8 {
    match level {
        "debug" => 0,
        "warn" => 2,
        "error" => 3,
        _ => 1,
    }
}
