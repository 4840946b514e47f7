//! The forms in which secrets are in logs, generated and listed, and lines that hold none.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod commands;
mod harmless;
mod keys;
mod names;
mod texts;

use redact::text;

/// Asserts that no secret is left in these forms, in which `{v}` is the secret.
fn assert_no_leaks(forms: &[&str]) {
    let mut leaks = Vec::new();
    for form in forms {
        for value in ["hunter22", "Sw0rdfishX"] {
            let line = form.replace("{v}", value);
            let clean = text(&line);
            if clean.contains(value) {
                leaks.push(format!("{line}  became  {clean}"));
            }
            assert_eq!(text(&clean), clean, "again: {line}");
        }
    }
    assert!(leaks.is_empty(), "{}:\n{}", leaks.len(), leaks.join("\n"));
}
