//! `/etc/fstab`: which file systems are to be writable. See fstab(5); paths are escaped as in mountinfo.

use std::collections::HashMap;

use crate::fields::{fields, lines};

use super::mountinfo::unescape;

/// Parses the file: by mount point, whether it is to be writable. Of several lines the last one holds, of an option
/// and its opposite the later.
pub(crate) fn parse(text: &[u8]) -> HashMap<Vec<u8>, bool> {
    let mut found = HashMap::new();
    for line in lines(text) {
        let mut words = fields(line);
        let (Some(source), Some(mount)) = (words.next(), words.next()) else {
            continue;
        };
        if source.starts_with(b"#") || !mount.starts_with(b"/") {
            continue;
        }
        let options = words.nth(1).unwrap_or_default();
        let last = options
            .split(|&byte| byte == b',')
            .rfind(|option| matches!(*option, b"ro" | b"rw"));
        let is_writable = last.is_none_or(|option| option != b"ro");
        found.insert(unescape(mount).into_owned(), is_writable);
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_of_each_mount() {
        let text = b"# <file system> <mount point> <type> <options> <dump> <pass>
UUID=1 /     ext4  errors=remount-ro 0 1
UUID=2 /boot ext4  ro,noatime        0 2
UUID=3 none  swap  sw                0 0
/dev/b /a\\040b xfs defaults
/dev/c /c    xfs   ro,rw
/dev/d /d
broken
";
        let found = parse(text);
        for (mount, expected) in [
            ("/", Some(true)),
            ("/boot", Some(false)),
            ("none", None),
            ("/a b", Some(true)),
            ("/c", Some(true)),
            ("/d", Some(true)),
        ] {
            assert_eq!(found.get(mount.as_bytes()).copied(), expected, "{mount}");
        }
        assert_eq!(found.len(), 5);
    }
}
