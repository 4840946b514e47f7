//! What the parsers make of whole lines, cut ones and any bytes.

use proptest::prelude::*;

use super::tests::{Stat, line};
use super::*;

/// S1
#[test]
fn the_name_ends_at_the_last_parenthesis() {
    let names: [&[u8]; 9] = [
        b"plain",
        b"a) R 1 (b",
        b"with  blanks ) ",
        b"new\nline",
        b"\xff\xfe(bad",
        b"",
        b")",
        b"((((",
        b") S 1 2 3 (",
    ];
    for name in names {
        let text = line(
            7,
            name,
            Stat {
                cpu: 5,
                start: 6,
                rss: 7,
                flags: 0,
            },
        );
        let stat = stat::parse(&text).unwrap();
        let shown = String::from_utf8_lossy(name);
        assert_eq!(stat.comm, name, "{shown}");
        assert_eq!(
            (stat.state, stat.parent_pid, stat.threads),
            (b'S', 1, 3),
            "{shown}"
        );
        assert_eq!((stat.cpu_ticks, stat.start_ticks), (5, 6), "{shown}");
        assert_eq!((stat.vsz_bytes, stat.rss_pages), (8192, 7), "{shown}");
    }
}

#[test]
fn lines_that_are_none() {
    let whole = line(7, b"x", Stat::default());
    for text in [
        &b""[..],
        b"7",
        b"7 (x",
        b"7 x)",
        b")(",
        b"7 (x)",
        b"7 (x) S",
        b"7 (x) S a b",
    ] {
        assert_eq!(
            stat::parse(text),
            None,
            "{:?}",
            String::from_utf8_lossy(text)
        );
    }
    // the last field read ends three bytes before the end of the line
    for end in 0..whole.len() - 4 {
        let cut = stat::parse(&whole[..end]);
        assert!(cut.is_none_or(|stat| stat.rss_pages <= 10), "{end}");
    }
    let odd = line(
        7,
        b"x",
        Stat {
            rss: -5,
            cpu: u64::MAX,
            ..Stat::default()
        },
    );
    let odd = stat::parse(&odd).unwrap();
    assert_eq!((odd.rss_pages, odd.cpu_ticks), (0, u64::MAX));
}

#[test]
fn long_names() {
    let comm = b"pqcrypta-collec";
    let cases: [(&[u8], &[u8], Option<&str>); 11] = [
        (
            comm,
            b"/usr/bin/pqcrypta-collector\0--secret\0",
            Some("pqcrypta-collector"),
        ),
        (comm, b"pqcrypta-collector", Some("pqcrypta-collector")),
        (
            comm,
            b"pqcrypta-collector: worker /var/x\0",
            Some("pqcrypta-collector"),
        ),
        (
            comm,
            b"pqcrypta-collector /var/x\0",
            Some("pqcrypta-collector"),
        ),
        (
            comm,
            b"/usr/bin/python3\0/opt/pqcrypta-collector.py\0x\0",
            Some("pqcrypta-collector.py"),
        ),
        (comm, b"/usr/bin/pqcrypta-collec\0", None),
        (comm, b"/usr/bin/other\0a\0pqcrypta-collector\0", None),
        (comm, b"", None),
        (b"short", b"/usr/bin/shorter\0", None),
        (
            b"with blanks and",
            b"/opt/with blanks and more\0",
            Some("with blanks and"),
        ),
        (comm, b"pqcrypta-collec\x01tor\0", None),
    ];
    for (comm, cmdline, name) in cases {
        let found = detail::long_name(comm, cmdline).map(String::from_utf8_lossy);
        let expected = if name == Some("with blanks and") {
            None
        } else {
            name
        };
        assert_eq!(
            found.as_deref(),
            expected,
            "{:?}",
            String::from_utf8_lossy(cmdline)
        );
    }
}

#[test]
fn units() {
    let cases = [
        ("0::/\n", None),
        ("", None),
        ("nonsense\n1:x\n", None),
        (
            "0::/system.slice/postgresql@15-main.service\n",
            Some("postgresql@15-main.service"),
        ),
        ("0::/system.slice/x.service/inner\n", Some("x.service")),
        (
            "0::/user.slice/user-1.slice/user@1.service/app.slice/a.service\n",
            Some("a.service"),
        ),
        (
            "0::/user.slice/user-1.slice/user@1.service/app.slice\n",
            Some("user@1.service"),
        ),
        (
            "0::/user.slice/user-1.slice/session-2.scope\n",
            Some("session-2.scope"),
        ),
        ("0::/machine.slice\n", Some("machine.slice")),
        ("0::/docker/0123\n", Some("/docker/0123")),
        ("0::/a.service (deleted)\n", Some("a.service")),
        ("0::/x/.service\n", Some("/x/.service")),
        (
            "4:cpu:/system.slice\n1:name=systemd:/system.slice/b.service\n",
            Some("b.service"),
        ),
        ("4:memory:/grp\n1:name=systemd:/\n0::/\n", Some("/grp")),
        (
            "1:name=systemd:/c.service\n0::/d.service\n",
            Some("d.service"),
        ),
        ("0::/a:b.service\n", Some("a:b.service")),
    ];
    for (text, unit) in cases {
        assert_eq!(cgroup::unit(text.as_bytes()).as_deref(), unit, "{text:?}");
    }
}

#[test]
fn limits_and_storage() {
    let limits =
        |soft| format!("Limit   Soft Limit\nMax open files            {soft}    4096   files\n");
    assert_eq!(
        detail::open_files_limit(limits("1024").as_bytes()),
        Some(1024)
    );
    assert_eq!(
        detail::open_files_limit(limits("unlimited").as_bytes()),
        None
    );
    assert_eq!(detail::open_files_limit(b"Max open files"), None);
    let io = b"rchar: 9\nread_bytes: 12\nwrite_bytes: 34\ncancelled_write_bytes: 5\n";
    assert_eq!(detail::storage_bytes(io), (Some(12), Some(34)));
    assert_eq!(detail::storage_bytes(b"read_bytes: x\n"), (None, None));
}

proptest! {
    #[test]
    fn any_bytes_are_read(text in proptest::collection::vec(any::<u8>(), 0..300)) {
        stat::parse(&text);
        cgroup::unit(&text);
        detail::open_files_limit(&text);
        detail::storage_bytes(&text);
        detail::long_name(&text, &text);
        detail::long_name(b"fifteen bytes !", &text);
    }

    #[test]
    fn any_name_is_found(comm in proptest::collection::vec(any::<u8>(), 0..16)) {
        let text = line(3, &comm, Stat::default());
        prop_assert_eq!(stat::parse(&text).unwrap().comm, &comm[..]);
    }
}
