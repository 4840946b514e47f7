//! Lines as both formats document them, and a property: what is printed is read back.

use super::*;
use proptest::prelude::*;

fn parse(text: &str) -> Vec<Series<'_>> {
    Exposition::parse(text.as_bytes(), false, |_| true)
        .unwrap()
        .series
}

#[test]
fn a_line_is_read_as_documented() {
    for (line, name, labels, value) in [
        ("up 1", "up", &[][..], 1.0),
        ("up 1 1395066363000", "up", &[], 1.0),
        ("  up\t1  ", "up", &[], 1.0),
        ("a{} 2", "a", &[], 2.0),
        ("a {b=\"c\"} 2", "a", &[("b", "c")], 2.0),
        ("a{b=\"c\",} 2", "a", &[("b", "c")], 2.0),
        (
            "a{ b = \"c\" , d=\"e,}\" } 2e3",
            "a",
            &[("b", "c"), ("d", "e,}")],
            2000.0,
        ),
        (
            r#"a{p="C:\\D\\F",e="x\n\"y\"\q"} 1.5"#,
            "a",
            &[("p", r"C:\D\F"), ("e", "x\n\"y\"\\q")],
            1.5,
        ),
        ("a{b=\"é\"} -0.5", "a", &[("b", "é")], -0.5),
        (
            "a_bucket{le=\"+Inf\"} 7 # {trace_id=\"x\"} 0.67 1.1",
            "a_bucket",
            &[("le", "+Inf")],
            7.0,
        ),
        ("{\"a.b\",\"c.d\"=\"e\"} 3", "a.b", &[("c.d", "e")], 3.0),
        ("a +Inf", "a", &[], f64::INFINITY),
        ("a -Inf", "a", &[], f64::NEG_INFINITY),
        ("a 1e400", "a", &[], f64::INFINITY),
    ] {
        let found = parse(line);
        let labels: Vec<_> = labels
            .iter()
            .map(|(k, v)| (Cow::from(*k), Cow::from(*v)))
            .collect();
        let wanted = Series {
            name: name.into(),
            labels,
            value,
        };
        assert_eq!(found, [wanted], "{line}");
    }
    assert!(parse("a NaN")[0].value.is_nan());
}

#[test]
fn what_cannot_be_read_is_counted_and_left_out() {
    let body = "# HELP a b\n# TYPE a counter\na 1\r\n\na\na{b=\"c} 2\na{b=c} 2\na{b=\"c\" d=\"e\"} 1\n\
                a one\n{b=\"c\"} 1\na{\"b\"} 1\na{=\"b\"} 1\nb 2";
    let found = Exposition::parse(body.as_bytes(), false, |_| true).unwrap();
    let names: Vec<_> = found.series.iter().map(|series| &*series.name).collect();
    assert_eq!((names, found.bad_lines), (vec!["a", "b"], 8));
    let found = Exposition::parse(b"\xff 1\na 1\n", false, |_| true).unwrap();
    assert_eq!((found.series.len(), found.bad_lines), (1, 1));
}

#[test]
fn series_that_nobody_asks_for_are_passed_over() {
    let body = b"a 1\nb{c=\"d\"} 2\nb_total NaN\nhello world\n<p> 1\na{ 1\n{\"b.c\"} 1\n";
    let found = Exposition::parse(body, false, |name| name == "a").unwrap();
    let names: Vec<_> = found.series.iter().map(|series| &*series.name).collect();
    assert_eq!((names, found.bad_lines), (vec!["a", "b.c"], 3));
    assert!(Exposition::parse(b"b 1\n", false, |_| false).is_ok());
    assert!(Exposition::parse(b"hello world\nname: value\n", false, |_| false).is_err());
}

#[test]
fn a_body_without_series_or_cut_is_an_error() {
    for body in [
        "",
        "\n",
        "<html><body>not found</body></html>",
        "{\"a\": 1}",
        "# EOF\na 1",
    ] {
        let problem = Exposition::parse(body.as_bytes(), false, |_| true).unwrap_err();
        assert!(problem.contains("no series"), "{body}: {problem}");
    }
    let problem = Exposition::parse(b"a 1\n", true, |_| true).unwrap_err();
    assert!(problem.contains("# EOF"), "{problem}");
    assert!(Exposition::parse(b"a 1\n# EOF\n", true, |_| true).is_ok());
}

#[test]
fn series_beyond_the_cap_are_counted() {
    let body: String = (0..MOST_SERIES + 3)
        .map(|n| format!("a{{n=\"{n}\"}} 1\n"))
        .collect();
    let found = Exposition::parse(body.as_bytes(), false, |_| true).unwrap();
    assert_eq!((found.series.len(), found.left_out), (MOST_SERIES, 3));
}

fn print(series: &[Series<'_>]) -> String {
    let escape = |text: &str| {
        text.replace('\\', "\\\\")
            .replace('"', "\\\"")
            .replace('\n', "\\n")
    };
    let line = |one: &Series<'_>| {
        let labels = one.labels.iter();
        let labels: Vec<_> = labels
            .map(|(k, v)| format!("{k}=\"{}\"", escape(v)))
            .collect();
        format!(
            "{}{{{}}} {:?} 1395066363000\n",
            one.name,
            labels.join(","),
            one.value
        )
    };
    series.iter().map(line).collect()
}

proptest! {
    #[test]
    fn what_is_printed_is_read_back(
        series in prop::collection::vec(
            (
                "[a-z_:][a-zA-Z0-9_:]{0,8}",
                prop::collection::vec(("[a-z_][a-z0-9_]{0,5}", "\\PC{0,6}|[\\\\\"\n,{}= ]{0,6}"), 0..4),
                prop::num::f64::NORMAL | prop::num::f64::ZERO | prop::num::f64::INFINITE,
            ),
            1..8,
        )
    ) {
        // What is there twice counts once: see below.
        let mut names = std::collections::HashSet::new();
        let series: Vec<Series<'_>> = series
            .into_iter()
            .filter(|(name, ..)| names.insert(name.clone()))
            .map(|(name, labels, value)| Series {
                name: name.into(),
                labels: labels.into_iter().map(|(k, v)| (k.into(), v.into())).collect(),
                value,
            })
            .collect();
        let body = print(&series);
        let found = Exposition::parse(body.as_bytes(), false, |_| true).unwrap();
        prop_assert_eq!(found.bad_lines, 0);
        prop_assert_eq!(found.series, series);
    }

    #[test]
    fn any_bytes_are_read_or_refused(body in prop::collection::vec(any::<u8>(), 0..300)) {
        drop(Exposition::parse(&body, false, |_| true));
    }

    #[test]
    fn anything_like_a_line_is_read_or_counted(line in "[a{}\"\\\\=,# 1é\n]{0,40}") {
        let lines = line.split('\n').filter(|line| !line.trim().is_empty() && !line.starts_with('#'));
        let lines = lines.count();
        if let Ok(found) = Exposition::parse(line.as_bytes(), false, |_| true) {
            prop_assert_eq!(found.series.len() + found.bad_lines, lines);
        }
    }
}

#[test]
fn a_series_that_is_there_twice_counts_once() {
    let body = "a{x=\"1\",y=\"2\"} 5\na{y=\"2\",x=\"1\"} 7\na{x=\"1\"} 1\nb 2\nb 2\n";
    let found = Exposition::parse(body.as_bytes(), false, |_| true).unwrap();
    let values: Vec<f64> = found.series.iter().map(|one| one.value).collect();
    assert_eq!(values, [5.0, 1.0, 2.0], "the first of each");
    assert_eq!((found.repeated, found.bad_lines), (2, 0));
}
