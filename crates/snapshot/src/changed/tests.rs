use super::*;

fn reading(id: &str, key: Option<&str>, before: &[f64], within: &[f64]) -> Reading {
    let buckets = |values: &[f64], first: i64| {
        let each = values.iter().zip(first..);
        each.map(|(value, n)| Bucket {
            at: Timestamp(n * 60_000_000),
            lo: *value,
            hi: *value,
            avg: *value,
        })
        .collect()
    };
    Reading {
        metric: schema::metric(id).unwrap(),
        key: key.map(str::to_owned),
        before: buckets(before, 0),
        within: buckets(within, 1000),
    }
}

fn ranked(series: Vec<Reading>, usuals: &Usuals) -> Changed {
    let readings = Readings {
        series,
        ..Readings::default()
    };
    rank(&readings, usuals, 120 * SECOND)
}

fn usual(id: &str, mean: f64, stddev: f64) -> Usuals {
    Usuals(HashMap::from([(
        (id.to_owned(), String::new()),
        Usual { mean, stddev },
    )]))
}

const STEADY: [f64; 8] = [20.0, 21.0, 19.0, 20.0, 22.0, 18.0, 20.0, 21.0];

#[test]
fn what_moved_furthest_in_its_own_spread_comes_first() {
    let found = ranked(
        vec![
            reading("system.load_1", None, &STEADY, &[21.0, 20.0]),
            reading("system.cpu_busy_pct", None, &STEADY, &[22.0, 95.0, 40.0]),
            reading("db.cache_hit_pct", Some("main"), &[99.0; 8], &[99.0, 60.0]),
        ],
        &Usuals::default(),
    );
    let rows: Vec<(&str, f64, Option<bool>)> = found
        .rows
        .iter()
        .map(|row| (&*row.metric, row.value, row.is_worse))
        .collect();
    assert_eq!(
        rows,
        [
            ("db.cache_hit_pct", 60.0, Some(true)),
            ("system.cpu_busy_pct", 95.0, Some(true)),
        ]
    );
    assert_eq!((found.compared, found.more), (3, 0));
    assert_eq!(found.rows[1].at_ms, 1001 * 60_000);
}

#[test]
fn unknown_is_not_zero() {
    let found = ranked(
        vec![
            reading("system.cpu_busy_pct", None, &STEADY, &[]),
            reading("process.cpu_pct", Some("new"), &[], &[50.0, 80.0]),
            reading("system.load_1", None, &[], &[]),
        ],
        &Usuals::default(),
    );
    assert!(found.rows.is_empty() && found.compared == 0);
    assert_eq!(found.silent[0].metric, "system.cpu_busy_pct");
    assert_eq!(found.appeared[0].key.as_deref(), Some("new"));
    assert!((found.appeared[0].value - 80.0).abs() < f64::EPSILON);
    assert_eq!((found.silent.len(), found.appeared.len()), (1, 1));
}

#[test]
fn what_is_usual_at_this_hour_ranks_below_what_is_not() {
    let series = |within: f64| reading("system.cpu_busy_pct", None, &STEADY, &[within]);
    let score = |usuals: &Usuals| ranked(vec![series(90.0)], usuals).rows[0].score;
    let cron = score(&usual("system.cpu_busy_pct", 88.0, 5.0));
    let fault = score(&usual("system.cpu_busy_pct", 20.0, 5.0));
    assert!(cron < score(&Usuals::default()), "{cron}");
    assert!(fault > cron, "{fault} {cron}");
}

#[test]
fn what_is_bad_for_hours_is_found_by_what_is_usual() {
    let bad = reading("system.cpu_busy_pct", None, &[95.0; 8], &[95.0]);
    assert!(
        ranked(vec![bad.clone()], &Usuals::default())
            .rows
            .is_empty()
    );
    let found = ranked(vec![bad], &usual("system.cpu_busy_pct", 20.0, 5.0));
    assert_eq!(found.rows[0].is_worse, Some(true));
    assert_eq!(found.rows[0].effect, 0.0);
}

#[test]
fn a_series_that_never_moved_has_a_floor() {
    let least = schema::metric("system.cpu_busy_pct")
        .unwrap()
        .scoring
        .least()
        .unwrap();
    let of = |value: f64| reading("system.cpu_busy_pct", None, &[20.0; 8], &[value]);
    assert!(
        ranked(vec![of(20.0 + 0.9 * least)], &Usuals::default())
            .rows
            .is_empty()
    );
    assert_eq!(
        ranked(vec![of(20.0 + 1.1 * least)], &Usuals::default())
            .rows
            .len(),
        1
    );
}

#[test]
fn a_single_event_is_chance() {
    let of = |value: f64| reading("log.all_error_per_sec", None, &[0.0; 8], &[value]);
    let per_bucket = 1.0 / 120.0;
    assert!(
        ranked(vec![of(per_bucket)], &Usuals::default())
            .rows
            .is_empty()
    );
    assert_eq!(
        ranked(vec![of(60.0 * per_bucket)], &Usuals::default())
            .rows
            .len(),
        1
    );
}

#[test]
fn keys_of_one_metric_do_not_hide_the_others() {
    let mut series: Vec<Reading> = (0..40)
        .map(|n| reading("process.cpu_pct", Some(&n.to_string()), &[1.0; 8], &[90.0]))
        .collect();
    series.push(reading("system.load_1", None, &STEADY, &[90.0]));
    let found = ranked(series, &Usuals::default());
    let of_process = found
        .rows
        .iter()
        .filter(|row| row.metric == "process.cpu_pct");
    assert_eq!(of_process.clone().count(), KEYS_OF_ONE);
    assert_eq!(of_process.map(|row| row.more_keys).sum::<usize>(), 37);
    assert!(found.rows.iter().any(|row| row.metric == "system.load_1"));
}

#[test]
fn nothing_that_is_not_a_number_comes_out() {
    let found = ranked(
        vec![
            reading("log.lines_per_sec", None, &[0.0; 8], &[0.0]),
            reading("system.uptime_secs", None, &[f64::MAX; 3], &[0.0]),
        ],
        &usual("log.lines_per_sec", 0.0, 0.0),
    );
    assert!(
        found
            .rows
            .iter()
            .all(|row| row.score.is_finite() && row.effect.is_finite())
    );
}
