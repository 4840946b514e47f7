//! Encoded rows are decoded unchanged.

use super::*;
use proptest::prelude::*;
use schema::tables::{CollectorRun, Heartbeat};
use schema::{CellType, Sample};

fn run(name: &str, rows: i64) -> Row {
    CollectorRun {
        collector: name.to_owned(),
        outcome: "ok".to_owned(),
        duration_ms: 1.25,
        rows,
        error: None,
    }
    .into_row(Timestamp(1_700_000_000_000_000))
}

fn heartbeat() -> Row {
    Heartbeat {
        component: "collector".to_owned(),
        status: "alive".to_owned(),
    }
    .into_row(Timestamp(5))
}

#[test]
fn rows_come_back_grouped_by_table() {
    let payloads = encode(&[run("a", 1), heartbeat(), run("b", 2)]);
    assert_eq!(payloads.len(), 1);
    assert_eq!(payloads[0].1, 3);
    let groups = decode(&Bytes::from(payloads[0].0.clone())).unwrap();
    assert_eq!(
        groups
            .iter()
            .map(|g| (g.table.as_str(), g.rows))
            .collect::<Vec<_>>(),
        [("collector_runs_raw", 2), ("heartbeat", 1)]
    );
    let json: Vec<String> = groups[0].rows_as_json().map(|(json, ..)| json).collect();
    assert_eq!(
        json[1],
        r#"{"collector":"b","duration_ms":1.25,"error":null,"outcome":"ok","rows":2,"ts_us":1700000000000000}"#
    );
}

#[test]
fn the_host_is_set_in_every_tuple() {
    let payload = Bytes::from(encode(&[run("a", 1), run("b", 2)])[0].0.clone());
    let group = decode(&payload).unwrap().remove(0);
    let whole: Vec<Bytes> = group.pieces_for(77, usize::MAX).collect();
    assert_eq!(whole.len(), 1);
    let single: Vec<Bytes> = group.pieces_for(77, 1).collect();
    assert_eq!(single.len(), 2, "a piece is never less than a tuple");
    assert_eq!(single.concat(), whole.concat());
    let sent = Group {
        host_id: 0,
        tuples: whole.concat().into(),
        ..group
    };
    for (at, _) in sent.spans() {
        assert_eq!(
            sent.tuples[at + HOST_OFFSET..at + HOST_OFFSET + 4],
            77_i32.to_be_bytes()
        );
    }
}

#[test]
fn many_rows_are_split_into_records_that_fit() {
    let rows: Vec<Row> = (0..30_000)
        .map(|i| run("a collector with a name", i))
        .collect();
    let payloads = encode(&rows);
    assert!(payloads.len() > 1);
    assert!(
        payloads
            .iter()
            .all(|(payload, _)| payload.len() <= 1024 * 1024)
    );
    assert_eq!(payloads.iter().map(|(_, rows)| rows).sum::<u32>(), 30_000);
}

#[test]
fn slices_cut_between_tuples() {
    let rows: Vec<Row> = (0..5).map(|i| run("x", i)).collect();
    let group = decode(&Bytes::from(encode(&rows)[0].0.clone()))
        .unwrap()
        .remove(0);
    let (left, right) = (group.slice(0, 2), group.slice(2, 5));
    assert_eq!((left.rows, right.rows), (2, 3));
    assert_eq!(
        [&left.tuples[..], &right.tuples[..]].concat(),
        &group.tuples[..]
    );
    assert!(left.check().is_ok() && right.check().is_ok());
}

#[test]
fn a_column_this_version_does_not_know_is_left_out() {
    let payload = encode(&[run("a", 9)])[0].0.clone();
    let mut group = decode(&Bytes::from(payload)).unwrap().remove(0);
    group.columns[2].0 = "took_ms".to_owned();
    let fitted = group.fit(CollectorRun::TABLE);
    assert!(fitted.check().is_ok());
    assert_eq!(
        fitted
            .columns
            .iter()
            .map(|(name, _)| name.as_str())
            .collect::<Vec<_>>(),
        ["collector", "outcome", "rows", "error"]
    );
    assert_eq!(
        fitted.rows_as_json().next().unwrap().0,
        r#"{"collector":"a","error":null,"outcome":"ok","rows":9,"ts_us":1700000000000000}"#
    );
}

proptest! {
    #[test]
    fn decoding_never_panics(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        decode(&Bytes::from(bytes)).ok();
    }

    #[test]
    fn damaged_payloads_never_panic(at in 0_usize..200, byte in any::<u8>()) {
        let mut payload = encode(&[run("a", 1), heartbeat()])[0].0.clone();
        let at = at % payload.len();
        payload[at] = byte;
        if let Ok(groups) = decode(&Bytes::from(payload)) {
            for group in groups {
                group.rows_as_json().count();
                drop(group.fit(CollectorRun::TABLE));
            }
        }
    }

    #[test]
    fn text_and_numbers_survive(name in "\\PC{0,40}", rows in any::<i64>(), ms in prop_oneof![Just(f64::NAN), (-1e9..1e9_f64).prop_map(|ms| ms.round() / 4.0)]) {
        let sample = CollectorRun { collector: name.clone(), outcome: "ok".into(), duration_ms: ms, rows, error: Some("e".into()) };
        let row = sample.into_row(Timestamp(-1));
        let group = decode(&Bytes::from(encode(&[row])[0].0.clone())).unwrap().remove(0);
        let (json, ts, _) = group.rows_as_json().next().unwrap();
        let value: serde_json::Value = serde_json::from_str(&json).unwrap();
        prop_assert_eq!(ts, Timestamp(-1));
        prop_assert_eq!(&value["collector"], &serde_json::Value::from(name));
        prop_assert_eq!(&value["rows"], &serde_json::Value::from(rows));
        let expected = match ms.into_cell() { Cell::Float(ms) => ms.into(), _ => serde_json::Value::Null };
        prop_assert_eq!(&value["duration_ms"], &expected);
    }
}
