//! Expressions over small bodies, one after the other.

use super::*;
use crate::Moment;
use schema::Timestamp;

fn moment(secs: u64) -> Moment {
    Moment {
        ts: Timestamp::from_millis(1_700_000_000_000 + 1000 * i64::try_from(secs).unwrap()),
        monotonic: Duration::from_secs(secs),
    }
}

/// The values of an expression over bodies that are ten seconds apart.
fn values(expression: &str, bodies: &[&str]) -> Vec<Option<f64>> {
    let mapping = [("x", Expression::parse(expression).unwrap())];
    let mut memory = Memory::default();
    let read = |(tick, body): (usize, &&str)| {
        let body = Exposition::parse(body.as_bytes(), false, |_| true).unwrap();
        let at = moment(10 * tick as u64);
        let reading = read(&mapping, &body, &at, &mut memory);
        match reading.numbers.get("x") {
            Some(Number::Real(value)) => Some(*value),
            _ => None,
        }
    };
    bodies.iter().enumerate().map(read).collect()
}

const CODES: &str =
    "r{code=\"200\",s=\"a\"} 5\nr{code=\"204\",s=\"b\"} 2\nr{code=\"500\",s=\"a\"} 1\n";

#[test]
fn series_are_picked_and_put_together() {
    for (expression, value) in [
        ("sum(r)", Some(8.0)),
        ("sum(r{code=\"2*\"})", Some(7.0)),
        ("sum(r{code=\"2*|5*\",s!=\"b\"})", Some(6.0)),
        ("sum(r{code=\"4*\"})", Some(0.0)),
        ("sum(r{absent=\"\"})", Some(8.0)),
        ("sum(missing)", None),
        ("sum(missing) or sum(r)", Some(8.0)),
        ("sum(r) + sum(missing)", None),
        ("avg(r{code=\"2*\"})", Some(3.5)),
        ("avg(r{code=\"4*\"})", None),
        // No status is zero; no such host is unknown.
        ("sum(r{s=\"c\"})", None),
        ("sum(r{s=\"a\",code=\"204\"})", Some(0.0)),
        ("sum(r{s=\"c\",code=\"2*\"})", None),
        ("sum(r{s=\"c\"}) or 0", Some(0.0)),
        ("sum(r{s!=\"a|b\"})", Some(0.0)),
        ("max(r)", Some(5.0)),
        ("sum(r) * 1000 / 2 - (1 + 1)", Some(3998.0)),
        ("sum(r) / sum(r{code=\"4*\"})", None),
        ("since(r{code=\"500\"})", Some(1_699_999_999.0)),
    ] {
        assert_eq!(values(expression, &[CODES]), [value], "{expression}");
    }
}

#[test]
fn rates_and_means_are_of_the_time_since() {
    let bodies = [
        "c 5\nh_sum 1\nh_count 10",
        "c 15\nh_sum 3\nh_count 14",
        "c 15\nh_sum 3\nh_count 14",
    ];
    assert_eq!(values("rate(c)", &bodies), [None, Some(1.0), Some(0.0)]);
    assert_eq!(values("mean(h) * 1000", &bodies), [None, Some(500.0), None]);
    // A restart of the target: no value for one tick.
    assert_eq!(
        values("rate(c)", &["c 5", "c 2", "c 4"]),
        [None, None, Some(0.2)]
    );
    // What was not there for a while is not remembered.
    assert_eq!(
        values("rate(c)", &["c 5", "d 2", "c 9"]),
        [None, None, None]
    );
}

const HISTOGRAM: [&str; 2] = [
    "h_bucket{le=\"0.1\"} 10\nh_bucket{le=\"0.5\"} 10\nh_bucket{le=\"1\"} 10\nh_bucket{le=\"+Inf\"} 10",
    "h_bucket{le=\"0.1\"} 60\nh_bucket{le=\"0.5\"} 100\nh_bucket{le=\"1\"} 108\nh_bucket{le=\"+Inf\"} 110",
];

#[test]
fn quantiles_of_a_histogram_are_of_the_time_since() {
    // 100 answers: 50 up to 0.1, 40 up to 0.5, 8 up to 1, 2 beyond.
    for (share, value) in [
        ("0", 0.0),
        ("0.25", 0.05),
        ("0.5", 0.1),
        ("0.7", 0.3),
        ("0.94", 0.75),
        ("0.98", 1.0),
        ("0.99", 1.0),
        ("1", 1.0),
    ] {
        let found = values(&format!("quantile({share}, h)"), &HISTOGRAM);
        assert_eq!(found[0], None);
        assert!(
            (found[1].unwrap() - value).abs() < 1e-9,
            "{share}: {found:?}"
        );
    }
    let reversed = [HISTOGRAM[1], HISTOGRAM[0], HISTOGRAM[0]];
    assert_eq!(values("quantile(0.5, h)", &reversed), [None, None, None]);
    // Without the bucket of all there are no shares.
    let open = HISTOGRAM.map(|body| body.rsplit_once('\n').unwrap().0);
    assert_eq!(values("quantile(0.5, h)", &open), [None, None]);
}

#[test]
fn quantiles_of_a_summary_are_as_reported() {
    let body = "s{quantile=\"0.5\"} 0.2\ns{quantile=\"0.95\",p=\"a\"} 0.4\ns{quantile=\"0.95\",p=\"b\"} 0.9\n\
                s{quantile=\"0.99\"} NaN\n";
    assert_eq!(values("quantile(0.50, s)", &[body]), [Some(0.2)]);
    assert_eq!(values("quantile(0.95, s)", &[body]), [Some(0.9)]);
    assert_eq!(values("quantile(0.95, s{p=\"a\"})", &[body]), [Some(0.4)]);
    assert_eq!(values("quantile(0.99, s)", &[body]), [None]);
}

#[test]
fn buckets_of_several_series_are_added_up() {
    let body = "h_bucket{p=\"a\",le=\"0.1\"} 1\nh_bucket{p=\"b\",le=\"0.10\"} 2\nh_bucket{p=\"a\",le=\"+Inf\"} 3\n\
                h_bucket{p=\"b\",le=\"+Inf\"} 4\nh_bucket{p=\"b\"} 9\n";
    let mapping = [
        ("buckets", Expression::parse("buckets(h) * 1000").unwrap()),
        (
            "endpoints",
            Expression::parse("by(p, le, h_bucket)").unwrap(),
        ),
    ];
    let body = Exposition::parse(body.as_bytes(), false, |_| true).unwrap();
    let reading = read(&mapping, &body, &moment(0), &mut Memory::default());
    assert_eq!(reading.buckets, [(100.0, 3.0), (f64::INFINITY, 7.0)]);
    // None of these labels is a status.
    assert_eq!(reading.endpoints, []);
}
