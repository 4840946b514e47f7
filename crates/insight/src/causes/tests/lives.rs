//! Restarts, starts, and whatever happens.

use super::shapes::SHAPES;
use super::*;

#[test]
fn a_restart_in_the_middle_goes_on_with_it() {
    for restart_at in 11..50 {
        let mut host = Host::new(SHAPES[4].troubles);
        host.run(0, restart_at);
        let known: Vec<String> = host
            .found_incidents()
            .iter()
            .map(|row| row.target.clone())
            .collect();
        host.restart(minutes(restart_at));
        host.run(restart_at, 120);
        let found = host.found_incidents();
        assert_eq!(found.len(), 1, "restarted at {restart_at}");
        if let Some(known) = known.first() {
            assert_eq!(found[0].target, *known);
            assert_eq!(cause(found[0]), "unusual.process.rss_bytes", "{restart_at}");
            assert_eq!(members(found[0]).len(), 6, "{restart_at}");
        }
        assert!(host.lifecycle.open().next().is_none());
        let ends = host
            .incidents
            .iter()
            .filter(|(_, row)| row.resolved_at.is_some());
        assert_eq!(ends.count(), 1);
    }
}

#[test]
fn members_are_read_again_where_the_details_are_lost() {
    let mut host = Host::new(SHAPES[1].troubles);
    host.run(0, 20);
    for (_, row) in host.stored.open.values_mut() {
        row.details = None;
    }
    host.restart(minutes(20));
    let row = host.found_incidents()[0].clone();
    assert_eq!(members(&row).len(), 3);
    assert_eq!(cause(&row), "mount.used_pct");
    host.run(20, 120);
    assert!(host.lifecycle.open().next().is_none());
}

#[test]
fn what_is_there_at_the_start_did_not_begin_together() {
    let mut host = Host::new(&[
        ("db.longest_lock_wait_secs", "main", 0, 80),
        ("api.p95_ms", "api", 0, 80),
        ("api.error_pct", "api", 1, 80),
    ]);
    host.judge.started = None;
    host.run(0, 90);
    assert!(host.incidents.is_empty());
}

/// Nor for the run after that: what the first one found when it started is left out of what the database knows to have begun.
#[test]
fn what_was_there_at_an_earlier_start_did_not_begin_together_either() {
    let troubles = [
        ("db.longest_lock_wait_secs", "main", 0, 80),
        ("api.p95_ms", "api", 0, 80),
        ("api.error_pct", "api", 1, 80),
    ];
    for restart_at in [5, 12, 30] {
        let mut host = Host::new(&troubles);
        host.judge.started = None;
        host.run(0, restart_at);
        host.stored.begun.clear();
        host.restart(minutes(restart_at));
        host.run(restart_at, 90);
        assert!(host.incidents.is_empty(), "restarted at {restart_at}");
        // What was measured to begin is related after a restart as before.
        let mut host = Host::new(&troubles);
        host.judge.is_ready = false;
        host.run(0, restart_at);
        assert!(host.incidents.is_empty());
        host.restart(minutes(restart_at));
        host.run(restart_at, 90);
        assert_eq!(host.found_incidents().len(), 1, "restarted at {restart_at}");
    }
}

#[test]
fn nothing_is_related_before_the_database_is_known_and_nothing_costs_without_news() {
    let mut host = Host::new(SHAPES[0].troubles);
    host.judge.is_ready = false;
    host.run(0, 20);
    assert!(host.incidents.is_empty());
    host.begin(minutes(20));
    assert_eq!(host.found_incidents().len(), 1);
    // Between two refreshes nothing is evaluated.
    host.judge.refresh_at = minutes(25);
    let before = host.judge.refresh_at;
    host.run(21, 24);
    assert_eq!(host.judge.refresh_at, before);
}

#[test]
fn what_came_about_over_hours_has_not_begun_with_anything() {
    let mut host = Host::new(&[]);
    let lifecycle = &mut host.lifecycle;
    let rules: Vec<&'static Rule> = ["unusual.api.p95_ms", "unusual.db.conn_active"]
        .map(|id| lifecycle.rule(id).unwrap())
        .to_vec();
    for at in [0, 5, 10] {
        let found = rules.iter().map(|rule| Finding {
            is_gradual: true,
            ..rule.finding("one", Severity::Warn, "on a higher level".to_owned())
        });
        let evaluation = Evaluation {
            found: found.collect(),
            rules: rules.clone(),
            ..Evaluation::default()
        };
        let rows = lifecycle.reconcile(evaluation, Timestamp(minutes(at)));
        let more = host.judge.follow(&rows, lifecycle, Timestamp(minutes(at)));
        assert!(more.is_empty());
    }
    assert_eq!(lifecycle.confirmed().count(), 2);
}

/// Random troubles of a day.
fn random_troubles(dice: &mut Dice) -> Vec<Trouble> {
    const TARGETS: [&str; 3] = ["main", "api", ""];
    let rules: Vec<&'static Rule> = crate::rules()
        .filter(|rule| rule.id != CORRELATION && rule.kind != Kind::Recommendation)
        .collect();
    let count = 10 + dice.index(50);
    (0..count)
        .map(|_| {
            // Many near each other.
            let hour = i64::try_from(dice.below(8)).unwrap() * 45;
            let from = hour + i64::try_from(dice.below(20)).unwrap();
            let lasts = 1 + i64::try_from(dice.below(70)).unwrap();
            let rule = rules[dice.index(rules.len())];
            (rule.id, TARGETS[dice.index(3)], from, from + lasts)
        })
        .collect()
}

/// Whatever happens: what follows from an incident does until one of both has ended, an incident is open exactly while one of its
/// members is, and two are opened half an hour apart at least.
#[test]
fn no_member_is_lost_and_an_incident_ends_with_the_last() {
    let mut opened = 0;
    for seed in 0..30 {
        let mut dice = Dice::new(seed);
        let mut host = Host::new(&random_troubles(&mut dice));
        let mut members: BTreeMap<String, HashSet<(String, String)>> = BTreeMap::new();
        let mut last: Option<i64> = None;
        let mut at = 0;
        while at < 540 {
            if dice.one_in(60) {
                host.restart(minutes(at));
            }
            let rows = host.rows.len();
            host.run(at, at + 1);
            for (ts, row) in host.rows.get(rows..).unwrap() {
                if row.rule == CORRELATION && row.transition == "opened" {
                    let ts = ts.as_micros();
                    assert!(
                        last.is_none_or(|last| ts - last >= APART),
                        "seed {seed}, {at}"
                    );
                    last = Some(ts);
                    opened += 1;
                }
            }
            let standing: Vec<Standing<'_>> = host.lifecycle.standing().collect();
            let open: HashSet<(String, String)> = standing
                .iter()
                .map(|one| (one.finding.rule.to_owned(), one.finding.target.clone()))
                .collect();
            for one in standing
                .iter()
                .filter(|one| one.finding.rule == CORRELATION)
            {
                let explained = one.finding.explains.iter();
                let now: HashSet<(String, String)> = explained
                    .map(|(rule, target)| ((*rule).to_owned(), target.clone()))
                    .collect();
                let known = members.entry(one.finding.target.clone()).or_default();
                known.extend(now.clone());
                let expected: HashSet<_> = known.intersection(&open).cloned().collect();
                assert_eq!(now, expected, "seed {seed}, minute {at}");
                assert!(!now.is_empty(), "seed {seed}: an incident without members");
            }
            for (target, known) in &members {
                let is_open = open.contains(&(CORRELATION.to_owned(), target.clone()));
                let has_members = known.iter().any(|one| {
                    let standing = standing
                        .iter()
                        .find(|of| of.finding.rule == one.0 && of.finding.target == one.1);
                    standing.is_some_and(|of| of.cause == Some((CORRELATION, target)))
                });
                assert!(
                    is_open || !has_members,
                    "seed {seed}, minute {at}: {target} ended before its members"
                );
            }
            at += 1;
        }
        host.run(540, 700);
        assert!(host.lifecycle.open().next().is_none(), "seed {seed}");
    }
    assert!(opened > 30, "{opened}");
}
