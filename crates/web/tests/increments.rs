//! An increment merged into an answer equals the whole answer.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use common::{Server, TICKS, add, seeded, serve, sql_time, tick};
use serde_json::Value;

/// Joins as the pages do; `None` when the whole must be fetched.
fn join(held: &Value, answer: &Value, from_ms: i64) -> Option<Value> {
    if answer["partial"] == false {
        return Some(answer.clone());
    }
    let int = |value: &Value| value.as_i64().unwrap();
    for same in ["generation", "step_ms", "source"] {
        if held[same] != answer[same] {
            return None;
        }
    }
    let step = int(&held["step_ms"]);
    let keep = usize::try_from((int(&answer["t0_ms"]) - int(&held["t0_ms"])) / step).ok()?;
    let drop = usize::try_from((from_ms - int(&held["t0_ms"])).div_euclid(step).max(0))
        .ok()?
        .min(keep);
    let mut joined = answer.clone();
    let count = held["series"].as_array()?.len();
    if answer["series"].as_array()?.len() != count {
        return None;
    }
    for at in 0..count {
        let old = &held["series"][at];
        let fresh = answer["series"]
            .as_array()?
            .iter()
            .find(|one| one["metric"] == old["metric"] && one["key"] == old["key"])?;
        joined["series"][at] = old.clone();
        joined["series"][at]["last"] = fresh["last"].clone();
        for part in ["lo", "hi", "avg"] {
            let mut values = old[part].as_array()?.get(drop..keep)?.to_vec();
            values.extend_from_slice(fresh[part].as_array()?);
            joined["series"][at][part] = Value::Array(values);
        }
    }
    let start = int(&held["t0_ms"]) + i64::try_from(drop).ok()? * step;
    joined["t0_ms"] = start.into();
    joined["n"] = (keep - drop + usize::try_from(int(&answer["n"])).ok()?).into();
    Some(joined)
}

/// Returns the part that must be equal: all but the cursor, gaps and marks of a partial answer, and the instant.
fn picture(answer: &Value) -> Value {
    let mut picture = answer.clone();
    for left in ["now_ms", "cursor", "gaps", "marks", "partial"] {
        picture[left] = Value::Null;
    }
    picture
}

async fn step(
    server: &Server,
    held: &Value,
    question: &str,
    back_ms: i64,
    now_ms: i64,
) -> (Value, bool) {
    let cursor = held["cursor"].as_str().unwrap();
    let answer = server.ask(&format!("{question}&since={cursor}")).await;
    let partial = answer["partial"] == true;
    let joined = join(held, &answer, now_ms - back_ms);
    let joined = match joined {
        Some(joined) => joined,
        None => server.ask(question).await,
    };
    (joined, partial)
}

#[tokio::test]
async fn increments_equal_the_whole() {
    let database = seeded().await;
    let server = serve(&database);
    let question = "series?m=system.cpu_busy_pct,system.ctxt_per_sec,mount.used_pct,process.cpu_pct,process.read_bytes_per_sec,network.rx_bytes_per_sec,process_one.cpu_pct@102.1020&from=now-20m&px=50&limit=2";
    let mut held = server.ask(question).await;
    assert_eq!(held["partial"], false);
    let mut next = TICKS;
    let mut partials = 0;
    let mut dice = testkit::Dice::new(7);
    for round in 0..50 {
        let roll = dice.below(12);
        match roll {
            // Late rows change the generation of the history.
            0 => {
                database
                    .sql(&format!(
                        "UPDATE collector.process_samples SET cpu_pct = {round} WHERE process >> 41 = 103 AND ts BETWEEN {} AND {};
                         UPDATE collector.spool_watermark SET history_gen = history_gen + 1",
                        sql_time(tick(next - 60)),
                        sql_time(tick(next - 40))
                    ))
                    .await
                    .unwrap();
            }
            // Ticks that never come.
            1 => next += 4,
            // Nothing new.
            2 => {}
            _ => {
                let ticks = 1 + i64::try_from(roll % 3).unwrap();
                add(&database, next, next + ticks).await;
                // Another process leads for a while.
                if roll == 5 {
                    database
                        .sql(&format!(
                            "UPDATE collector.process_samples SET cpu_pct = {} WHERE process >> 41 = 101 AND ts >= {}",
                            100 + round,
                            sql_time(tick(next))
                        ))
                        .await
                        .unwrap();
                }
                next += ticks;
            }
        }
        let now_ms = tick(next - 1) + 1_000 + i64::try_from(dice.below(7_000)).unwrap();
        server.set_clock(now_ms);
        let (joined, partial) = step(&server, &held, question, 1_200_000, now_ms).await;
        partials += usize::from(partial);
        // A server without a cache gives the same.
        let whole = serve(&database);
        whole.set_clock(now_ms);
        let whole = whole.ask(question).await;
        assert_eq!(
            picture(&joined),
            picture(&whole),
            "round {round}, roll {roll}"
        );
        held = joined;
        held["cursor"] = whole["cursor"].clone();
    }
    assert!(partials > 25, "{partials} of 50 were increments");
}

#[tokio::test]
async fn a_spike_of_one_sample_and_a_gap_are_seen_in_any_range() {
    let database = seeded().await;
    database
        .sql(&format!(
            "UPDATE collector.system_metrics_raw SET load_1 = 99 WHERE ts = {};
             DELETE FROM collector.system_metrics_raw WHERE ts BETWEEN {} AND {}",
            sql_time(tick(77)),
            sql_time(tick(100)),
            sql_time(tick(119))
        ))
        .await
        .unwrap();
    let server = serve(&database);
    for range in ["now-30m", "now-6h", "now-7d"] {
        let answer = server
            .ask(&format!(
                "series?m=system.load_1,system.ctxt_per_sec&from={range}&px=100"
            ))
            .await;
        let highest = |at: usize| {
            let values = answer["series"][at]["hi"].as_array().unwrap().iter();
            values.filter_map(Value::as_f64).fold(0.0, f64::max)
        };
        assert!((highest(0) - 99.0).abs() < 1e-9, "{range}");
        // Over the gap the counter made a step of 21 intervals, which gives no rate.
        assert!((highest(1) - 200.0).abs() < 1e-9, "{range}");
        let gap = serde_json::json!([tick(99), tick(120)]);
        assert!(
            answer["gaps"].as_array().unwrap().contains(&gap),
            "{range}: {}",
            answer["gaps"]
        );
    }
    let fine = server.ask("series?m=system.load_1&from=now-30m").await;
    let values = fine["series"][0]["avg"].as_array().unwrap();
    assert!(
        values.iter().filter(|value| value.is_null()).count() >= 20,
        "a gap is not joined over"
    );
}
