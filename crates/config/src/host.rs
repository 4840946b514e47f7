//! `[host]`: which machine this is.

use crate::key::{Problem, Value, quoted};
use crate::section::section;

section! {
    /// Which machine this is.
    pub struct Host = "host" {
        /// Identity of this machine in the store, up to 64 letters, digits, `-`, `_` and `.`; as long as it is the same, so is the
        /// host, whatever its name. Left empty it is that of /etc/machine-id. For a machine that has none, or one that cannot get an id of
        /// its own.
        id: String = String::new() => env("HOST_ID") with(id);
    }
}

fn id(value: &Value) -> Result<(), Problem> {
    const LONGEST: usize = 64;
    let Value::Text(text) = value else {
        return Ok(());
    };
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    if text.len() <= LONGEST && text.bytes().all(is_plain) {
        return Ok(());
    }
    Err(Problem::new(
        format!("{} is not an identity", quoted(text)),
        format!("use at most {LONGEST} letters, digits, - _ and ., e.g. web-1.example.org"),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_identity_is_a_plain_word() {
        for good in ["", "web-1.example.org", "3d1219c7c4c5404aaa1f6d2a48adfda4"] {
            assert!(id(&Value::Text(good.to_owned())).is_ok(), "{good}");
        }
        for bad in ["two words", "a/b", "é", &"a".repeat(65)] {
            assert!(id(&Value::Text(bad.to_owned())).is_err(), "{bad}");
        }
    }
}
