use super::*;
use schema::micros::DAY;
use store::sizes::TableSize;

const TODAY: i64 = 20_000;
const GIB: i64 = 1 << 30;

fn store(gib: i64, budget: Option<i64>) -> Store {
    Store {
        at: Timestamp(TODAY * DAY + 1),
        measured_at: Some(Timestamp(TODAY * DAY)),
        complete_days: 20,
        budget_bytes: budget.map(|gib| gib * GIB),
        keeper: Some(1),
        kept: vec![kept(Keep::Raw, 14, None), kept(Keep::Hourly, 90, None)],
        tables: vec![TableSize {
            name: "findings".to_owned(),
            data_bytes: gib * GIB,
            needed_bytes: Some((gib * GIB) as f64),
            bytes_per_day: Some(GIB as f64),
            ..TableSize::default()
        }],
    }
}

fn kept(keep: Keep, days: i64, cut_to: Option<i64>) -> Kept {
    Kept {
        keep,
        days,
        first_day: TODAY - cut_to.unwrap_or(days),
        cut: cut_to.map(|_| Cut {
            at: Timestamp(TODAY * DAY - 5),
            oldest_day: "2024-09-20".to_owned(),
            last_day: "2024-09-22".to_owned(),
            bytes: 3 * GIB,
            budget_bytes: 40 * GIB,
        }),
    }
}

fn findings_of(store: &Store) -> Vec<(String, Severity, String)> {
    let lifecycle = Lifecycle::new(StoreSizeJudge::rules());
    let evaluation = StoreSizeJudge.evaluate(Some(store), &lifecycle, store.at);
    assert_eq!(
        evaluation.rules.len(),
        3,
        "all are evaluated, so that what ended is resolved"
    );
    let of = |one: Finding| {
        (
            format!("{} {}", one.rule, one.target),
            one.severity,
            one.message,
        )
    };
    evaluation.found.into_iter().map(of).collect()
}

#[test]
fn a_store_within_its_budget_or_without_one_has_no_finding() {
    assert_eq!(findings_of(&store(30, Some(40))), []);
    assert_eq!(findings_of(&store(30, None)), []);
}

#[test]
fn what_the_budget_took_is_stated_with_what_is_kept() {
    let mut store = store(30, Some(40));
    store.kept = vec![
        kept(Keep::Raw, 14, Some(11)),
        kept(Keep::Hourly, 90, Some(60)),
    ];
    let message = "To stay within 40 GiB, 3 GiB of raw samples and log lines from 2024-09-20 to 2024-09-22 were dropped; \
                   they are kept for 11 days instead of 14";
    let all = findings_of(&store);
    assert_eq!(
        all[0],
        (
            "store_budget raw".to_owned(),
            Severity::Warn,
            message.to_owned()
        )
    );
    assert_eq!(all[1].0, "store_budget hourly");
    assert!(all[1].2.contains("hourly sums") && all[1].2.ends_with("60 days instead of 90"));
    assert_eq!(all.len(), 2);
}

#[test]
fn a_budget_that_cannot_be_kept_is_critical() {
    let message = "The store takes 41 GiB, more than its budget of 40 GiB, and nothing that may be dropped is left";
    let expected = (
        "store_budget_exceeded ".to_owned(),
        Severity::Critical,
        message.to_owned(),
    );
    assert_eq!(findings_of(&store(41, Some(40))), [expected]);
}

#[test]
fn a_forecast_states_when_and_its_effect() {
    let store = store(30, Some(40));
    for (in_days, raw_days, severity) in [
        (9, 11, Severity::Info),
        (7, 11, Severity::Warn),
        (1, 14, Severity::Warn),
    ] {
        let forecast = Forecast {
            in_days,
            needed_bytes: 55.0 * GIB as f64,
            raw_days,
            asked_days: 14,
        };
        let finding = reached(&store, 40 * GIB, forecast);
        assert_eq!(finding.severity, severity, "{in_days}");
        assert_eq!(
            finding.steps[0],
            "The configured retention will need 55 GiB."
        );
        if in_days == 9 {
            assert_eq!(
                finding.message,
                "The store takes 30 GiB of its budget of 40 GiB, which it reaches in 9 days at 1 GiB a day: raw samples will be \
                 kept for 11 days instead of 14"
            );
        }
    }
}
