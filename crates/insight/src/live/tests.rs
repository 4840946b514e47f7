//! What is kept, and for how long. What is read is compared with the database by `tests/live`.

use schema::Sample as _;
use schema::tables::{MountSample, TargetSample};

use super::*;

const SECOND: i64 = 1_000_000;
const TEN_SECONDS: Intervals = Intervals {
    host: 10 * SECOND,
    services: 10 * SECOND,
};

fn mount(at: i64, mount: &str, usage_pct: f64) -> Row {
    let sample = MountSample {
        mount: mount.to_owned(),
        usage_pct: Some(usage_pct),
        ..MountSample::default()
    };
    sample.into_row(Timestamp(at * SECOND))
}

fn target(at: i64, is_up: bool) -> Row {
    let sample = TargetSample {
        target: "api".to_owned(),
        up: is_up,
        ..TargetSample::default()
    };
    sample.into_row(Timestamp(at * SECOND))
}

/// Returns the keys of a metric with the value over its window, sorted.
fn over(live: &mut Live, at: i64, id: &str) -> Vec<(Option<String>, Option<f64>)> {
    let mut found = Vec::new();
    live.read(Timestamp(at * SECOND), |metric, readings| {
        if metric.id() == id {
            found.extend(readings.map(|reading| (reading.key.map(str::to_owned), reading.over)));
        }
    });
    found.sort_by(|a, b| a.0.cmp(&b.0));
    found
}

fn samples(live: &Live) -> usize {
    let of_scan = |scan: &Scan| {
        scan.history
            .frames()
            .map(|(_, indices)| indices.len())
            .sum::<usize>()
    };
    live.scans.iter().map(of_scan).sum()
}

#[test]
fn a_single_series_without_a_sample_is_unknown_and_others_are_absent() {
    let mut live = Live::new(TEN_SECONDS).unwrap();
    assert_eq!(over(&mut live, 0, "system.cpu_busy_pct"), [(None, None)]);
    assert_eq!(over(&mut live, 0, "mount.used_pct"), []);
}

#[test]
fn a_key_is_forgotten_with_its_last_sample() {
    let mut live = Live::new(TEN_SECONDS).unwrap();
    for tick in 0..100 {
        live.ingest(&mount(tick * 10, "/", 10.0));
        live.ingest(&mount(tick * 10, &format!("/{tick}"), 50.0));
        let found = over(&mut live, tick * 10, "mount.used_pct");
        let ticks = usize::try_from(tick).unwrap() + 1;
        assert_eq!(found.len(), 1 + ticks.min(6), "{tick}");
    }
    // A minute, and two ticks by which a reading may be late.
    for scan in live
        .scans
        .iter()
        .filter(|scan| scan.shared.table() == "mount_metrics_raw")
    {
        assert_eq!(scan.keys.iter().count(), 10);
        assert_eq!(scan.keys.end(), 10);
    }
    assert_eq!(over(&mut live, 100_000, "mount.used_pct"), []);
    assert_eq!(samples(&live), 0);
}

#[test]
fn what_is_never_read_does_not_grow() {
    let mut live = Live::new(TEN_SECONDS).unwrap();
    for tick in 0..100 {
        live.ingest(&mount(tick * 10, "/", 10.0));
    }
    let kept = samples(&live);
    for tick in 100..1000 {
        live.ingest(&mount(tick * 10, "/", 10.0));
    }
    assert_eq!(samples(&live), kept);
}

#[test]
fn a_late_sample_counts_and_a_later_one_does_not_yet() {
    let mut live = Live::new(TEN_SECONDS).unwrap();
    live.ingest(&mount(20, "/", 10.0));
    live.ingest(&mount(30, "/", 99.0));
    live.ingest(&mount(10, "/", 40.0));
    let key = || Some("/".to_owned());
    assert_eq!(over(&mut live, 20, "mount.used_pct"), [(key(), Some(25.0))]);
    // The clock was set back by a day.
    let day = 86_400;
    assert_eq!(over(&mut live, 20 - day, "mount.used_pct"), []);
    assert_eq!(samples(&live), 0);
}

#[test]
fn windows_of_services_have_two_samples() {
    let mut live = Live::new(TEN_SECONDS).unwrap();
    live.set_intervals(Intervals {
        services: 300 * SECOND,
        ..TEN_SECONDS
    });
    live.ingest(&target(0, false));
    live.ingest(&target(300, true));
    let key = Some("api".to_owned());
    assert_eq!(
        over(&mut live, 300, "target.up"),
        [(key.clone(), Some(0.5))]
    );
    assert_eq!(over(&mut live, 600, "target.up"), [(key, Some(1.0))]);
}
