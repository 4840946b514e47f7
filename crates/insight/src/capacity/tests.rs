use super::*;
use stats::capacity::LOOKED_AT;
use testkit::Dice;

/// End of the last hour of the simulated weeks.
const UNTIL: Timestamp = Timestamp(1_796_040_000_000_000);
/// Hours of a simulated series.
const SIMULATED: usize = 16 * 24;
const SERIES_PER_KIND: u64 = 40;

fn hours(metric: &str, key: Option<&str>, means: Vec<f64>) -> Hours {
    Hours {
        metric: schema::metric(metric).unwrap(),
        key: key.map(str::to_owned),
        means,
    }
}

fn line(from: f64, slope: f64) -> Vec<f64> {
    (0..LOOKED_AT)
        .map(|hour| from + slope * hour as f64)
        .collect()
}

fn outlooks(hours: &[Hours]) -> Vec<Outlook> {
    CapacityFacts::of(hours, UNTIL).outlooks
}

fn wave(hour: f64) -> f64 {
    (hour / 24.0 * std::f64::consts::TAU).sin()
}

/// A share from 0 to 1.
fn share(dice: &mut Dice) -> f64 {
    dice.below(1_000_000) as f64 / 1e6
}

fn between(dice: &mut Dice, low: f64, high: f64) -> f64 {
    low + (high - low) * share(dice)
}

/// About normal: the sum of twelve shares.
fn noise(dice: &mut Dice) -> f64 {
    (0..12).map(|_| share(dice)).sum::<f64>() - 6.0
}

/// Kinds of disks: name, and percent used by hour.
type Kind = (&'static str, fn(&mut Dice) -> Vec<f64>);

const KINDS: [Kind; 6] = [
    ("growth", |dice| {
        let (full_at, slope) = (between(dice, 180.0, 420.0), between(dice, 0.03, 0.3));
        made(dice, |hour, _| 100.0 + slope * (hour - full_at), 0.3)
    }),
    ("growth and cycle", |dice| {
        let (full_at, slope) = (between(dice, 180.0, 420.0), between(dice, 0.05, 0.3));
        let height = between(dice, 2.0, 8.0);
        let level = move |hour: f64, _: &mut Dice| {
            100.0 - height + slope * (hour - full_at) + height * wave(hour)
        };
        made(dice, level, 0.4)
    }),
    ("rotated at night", |dice| {
        let (base, height) = (between(dice, 40.0, 70.0), between(dice, 8.0, 25.0));
        made(dice, |hour, _| base + height * (hour % 24.0) / 24.0, 0.3)
    }),
    ("cycle", |dice| {
        let (base, height) = (between(dice, 50.0, 84.0), between(dice, 3.0, 11.0));
        made(dice, |hour, _| base + height * wave(hour), 0.6)
    }),
    ("step", |dice| {
        let (base, at) = (between(dice, 40.0, 70.0), between(dice, 100.0, 330.0));
        let height = between(dice, 5.0, 20.0);
        made(
            dice,
            |hour, _| base + if hour >= at { height } else { 0.0 },
            0.4,
        )
    }),
    ("leak", |dice| {
        let (base, at) = (between(dice, 40.0, 70.0), between(dice, 150.0, 280.0));
        let slope = between(dice, 0.2, 1.5);
        made(dice, |hour, _| base + slope * (hour - at).max(0.0), 0.4)
    }),
];

fn made(dice: &mut Dice, mut level: impl FnMut(f64, &mut Dice) -> f64, scatter: f64) -> Vec<f64> {
    (0..SIMULATED)
        .map(|hour| (level(hour as f64, dice) + scatter * noise(dice)).clamp(0.0, 100.0))
        .collect()
}

#[test]
fn disks_that_fill_are_warned_of_and_no_others() {
    let (mut right, mut wrong, mut missed, mut growing) = (0, 0, 0, 0);
    for (nth, (name, make)) in KINDS.iter().enumerate() {
        let mut of_kind = (0, 0, 0);
        for seed in 0..SERIES_PER_KIND {
            let series = make(&mut Dice::new(1000 * nth as u64 + seed));
            for now in (GIVEN..SIMULATED - WARN_HOURS).step_by(6) {
                if series[now - 1] >= 100.0 {
                    break;
                }
                let is_full = series[now..now + WARN_HOURS]
                    .iter()
                    .any(|used| *used >= 100.0);
                let week = series[now - GIVEN..now].to_vec();
                let found = outlooks(&[hours("mount.used_pct", Some("/srv"), week)]);
                let is_warned = found.iter().any(|one| one.severity() == Severity::Warn);
                let is_steady = matches!(*name, "rotated at night" | "cycle");
                growing += usize::from(is_steady && !found.is_empty());
                match (is_full, is_warned) {
                    (true, true) => of_kind.0 += 1,
                    (false, true) => of_kind.1 += 1,
                    (true, false) => of_kind.2 += 1,
                    (false, false) => {}
                }
            }
        }
        println!("{name}: right, wrong, missed {of_kind:?}");
        (right, wrong, missed) = (right + of_kind.0, wrong + of_kind.1, missed + of_kind.2);
    }
    let precision = f64::from(right) / f64::from(right + wrong);
    let recall = f64::from(right) / f64::from(right + missed);
    println!("precision {precision:.3}, recall {recall:.3}; of what does not grow {growing}");
    assert!(precision >= 0.95, "{right} right, {wrong} wrong");
    assert!(recall >= 0.75, "{right} right, {missed} missed");
    assert_eq!(growing, 0, "rotation and cycles are no growth");
}

#[test]
fn each_kind_of_limit_is_reached() {
    let one = |metric: &str, key, means| outlooks(&[hours(metric, key, means)]);
    // A share, from below: 100 - 50 - 0.1 x 167 are left.
    let full = &one("mount.used_pct", Some("/srv"), line(50.0, 0.1))[0];
    assert_eq!(full.limit, 100.0);
    assert!(
        (332..=335).contains(&full.breach.hours),
        "{:?}",
        full.breach
    );
    assert_eq!(full.severity(), Severity::Info);
    assert!((full.predicted - 69.1).abs() < 0.2, "{}", full.predicted);
    assert_eq!(full.history.len(), LOOKED_AT / 6);
    assert_eq!(
        full.message(),
        "Disk used of /srv: 66.7 %, will reach 100 % in about 14 d"
    );
    // The critical threshold, from above: 90 percent of hits.
    let hits = &one("db.cache_hit_pct", Some("main"), line(99.0, -0.05))[0];
    assert_eq!(hits.limit, 90.0);
    assert!(hits.slope < 0.0 && hits.predicted < hits.current);
    assert_eq!(hits.severity(), Severity::Warn);
    // The newest value of another metric, by key; without it there is no limit.
    let open = line(500.0, 1.0);
    assert_eq!(one("process.fd_count", Some("api"), open.clone()), []);
    let both = outlooks(&[
        hours("process.fd_count", Some("api"), open.clone()),
        hours("process.fd_count", Some("other"), open),
        hours("process.fd_limit", Some("api"), line(1024.0, 0.0)),
    ]);
    let keys: Vec<&str> = both.iter().map(|one| one.key.as_str()).collect();
    assert_eq!((keys, both[0].limit), (vec!["api"], 1024.0));
    // A slot without a limit has the threshold.
    let gib = f64::from(1 << 30);
    let slot = &one(
        "replication.retained_bytes",
        Some("main.s"),
        line(gib, gib / 50.0),
    )[0];
    assert_eq!(slot.limit, 10.0 * gib);
    // Autovacuum freezes what is younger than this.
    let frozen = one("db.wraparound_pct", Some("main"), line(2.0, 0.05));
    assert_eq!(frozen, []);
    let old = one("db.wraparound_pct", Some("main"), line(20.0, 0.2));
    assert_eq!(old.len(), 1);
}

#[test]
fn what_is_full_does_not_grow_or_is_unknown_has_no_outlook() {
    for means in [
        line(100.0, 0.1),
        line(60.0, 0.0),
        line(60.0, -0.2),
        // Reached in ten months.
        line(10.0, 0.01),
        vec![f64::NAN; LOOKED_AT],
        line(60.0, 0.2)[..90].to_vec(),
    ] {
        assert_eq!(outlooks(&[hours("mount.used_pct", Some("/"), means)]), []);
    }
    // What has no limit in the catalogue has none here.
    let free = hours("system.forks_per_sec", None, line(10.0, 0.5));
    assert_eq!(outlooks(&[free]), []);
}

#[test]
fn a_finding_lives_as_long_as_the_trend() {
    let disk = |means| [hours("mount.used_pct", Some("/srv"), means)];
    let mut lifecycle = Lifecycle::new(CapacityJudge::rules());
    let mut steps = Vec::new();
    let unread = CapacityFacts::default();
    for (hour, facts) in [
        (0, CapacityFacts::of(&disk(line(60.0, 0.1)), UNTIL)),
        // It could not be read, then its hours are too few to tell.
        (1, unread),
        (
            2,
            CapacityFacts::of(&disk(vec![f64::NAN; LOOKED_AT]), UNTIL),
        ),
        (3, CapacityFacts::of(&disk(line(70.0, 0.15)), UNTIL)),
        (4, CapacityFacts::of(&disk(line(70.0, 0.0)), UNTIL)),
        (5, CapacityFacts::of(&disk(line(70.0, 0.0)), UNTIL)),
    ] {
        let at = Timestamp(UNTIL.as_micros() + hour * HOUR);
        let evaluation = CapacityJudge.evaluate(&facts, &lifecycle, at);
        for (_, row) in lifecycle.reconcile(evaluation, at) {
            let severity = row.severity.as_str();
            steps.push(format!(
                "{hour} {} {} {severity}",
                row.transition, row.target
            ));
            assert_eq!(row.rule, "capacity.mount.used_pct");
        }
    }
    assert_eq!(
        steps,
        [
            "0 opened /srv info",
            "2 unknown /srv info",
            "3 worse /srv warn",
            "5 resolved /srv warn"
        ]
    );
}

#[test]
fn it_follows_from_the_threshold_of_the_same_metric() {
    let rule = CapacityJudge::rules().find(|rule| rule.id == "capacity.mount.used_pct");
    assert_eq!(rule.unwrap().because, ["mount.used_pct"]);
}
