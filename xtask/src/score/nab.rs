//! Anomalies in series whose anomalies people marked.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::Context;
use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use stats::anomaly::{Detector, Judgement, Level};
use stats::moment::Moment;

use super::csv;

/// Points of a series, with their times as they are written.
type Points = Vec<(String, Moment, f64)>;

pub(super) fn run(root: &Path, out: &Path) -> anyhow::Result<()> {
    let mut answer = String::from("file,timestamp,score\n");
    let mut found = [0; Level::ALL.len()];
    let (mut points, mut nanos) = (0, 0);
    for path in files(&root.join("data"))? {
        let name = name(&path);
        let series = series(&path)?;
        let started = Instant::now();
        let mut detector = Detector::new();
        let judgements: Vec<_> = series
            .iter()
            .map(|(_, at, value)| detector.observe(*at, *value))
            .collect();
        nanos += started.elapsed().as_nanos();
        points += series.len();
        for ((time, _, _), judgement) in series.iter().zip(judgements) {
            let score = judgement
                .filter(|one| one.is_new)
                .map_or(0.0, |one| one.score);
            let _written = writeln!(answer, "{name},{time},{score:.6}");
            for (count, level) in found.iter_mut().zip(Level::ALL) {
                *count += usize::from(is_finding(judgement, level));
            }
        }
    }
    fs::write(out, answer).with_context(|| format!("writing {}", out.display()))?;
    println!(
        "{points} points, {} ns each; {} bytes per metric in memory, {} stored",
        nanos / (points as u128).max(1),
        size_of::<Detector>(),
        Detector::new().save().len(),
    );
    for (count, level) in found.iter().zip(Level::ALL) {
        println!("{count} from {level:?}, score {}", level.from_score());
    }
    Ok(())
}

fn is_finding(judgement: Option<Judgement>, level: Level) -> bool {
    judgement.is_some_and(|one| one.is_new && one.level >= Some(level))
}

/// Returns the files `<category>/<name>.csv` below a directory, in order.
fn files(data: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let list = |directory: &Path| -> anyhow::Result<Vec<PathBuf>> {
        let listing = || format!("listing {}", directory.display());
        let entries = fs::read_dir(directory).with_context(listing)?;
        let paths = entries.map(|entry| Ok(entry?.path()));
        paths.collect::<std::io::Result<_>>().with_context(listing)
    };
    let mut files = Vec::new();
    for category in list(data)?.iter().filter(|path| path.is_dir()) {
        let is_series = |path: &PathBuf| path.extension().is_some_and(|ext| ext == "csv");
        files.extend(list(category)?.into_iter().filter(is_series));
    }
    files.sort();
    Ok(files)
}

/// Returns `<category>/<name>.csv`.
fn name(path: &Path) -> String {
    let part =
        |part: Option<&std::ffi::OsStr>| part.unwrap_or_default().to_string_lossy().into_owned();
    let category = part(path.parent().and_then(Path::file_name));
    format!("{category}/{}", part(path.file_name()))
}

/// Returns the points of a file `timestamp,value`, whose times are taken as UTC.
fn series(path: &Path) -> anyhow::Result<Points> {
    let text = fs::read_to_string(path).with_context(|| format!("reading {}", path.display()))?;
    let rows = csv::rows(&text);
    let points = rows.iter().skip(1).enumerate().map(|(number, row)| {
        let point = point(row);
        point.with_context(|| format!("line {} of {}", number + 2, path.display()))
    });
    points.collect()
}

fn point(row: &[String]) -> anyhow::Result<(String, Moment, f64)> {
    let [time, value] = row else {
        anyhow::bail!(
            "it has {} columns instead of timestamp and value",
            row.len()
        );
    };
    let local: DateTime = time.parse().context("reading the time")?;
    let at: Timestamp = local.to_zoned(TimeZone::UTC)?.timestamp();
    let value = if value.is_empty() {
        f64::NAN
    } else {
        value.parse().context("reading the value")?
    };
    Ok((time.clone(), Moment::of(at, &TimeZone::UTC), value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_row_has_a_score_and_an_outlier_a_high_one() {
        let root = tempfile::tempdir().unwrap();
        let directory = root.path().join("data/made");
        fs::create_dir_all(&directory).unwrap();
        let mut text = String::from("timestamp,value\n");
        for n in 0..2000 {
            let value = if n == 1700 {
                900.0
            } else {
                f64::from(n * 37 % 11)
            };
            let (day, minute) = (1 + n / 288, n % 288 * 5);
            let _written = writeln!(
                text,
                "2026-01-{day:02} {:02}:{:02}:00,{value}",
                minute / 60,
                minute % 60
            );
        }
        fs::write(directory.join("one.csv"), text).unwrap();
        let out = root.path().join("out.csv");
        run(root.path(), &out).unwrap();
        let rows = csv::rows(&fs::read_to_string(out).unwrap());
        assert_eq!(rows[0], ["file", "timestamp", "score"]);
        assert_eq!(rows[1], ["made/one.csv", "2026-01-01 00:00:00", "0.000000"]);
        let high: Vec<_> = (1..rows.len())
            .filter(|row| rows[*row][2].parse::<f64>().unwrap() >= Level::Critical.from_score())
            .collect();
        assert_eq!((rows.len(), high), (2001, vec![1701]));
    }

    #[test]
    fn a_row_that_is_no_point_is_named() {
        let row = |texts: &[&str]| {
            texts
                .iter()
                .map(|text| (*text).to_owned())
                .collect::<Vec<_>>()
        };
        assert!(point(&row(&["2026-01-01 00:00:00.5", "1e3"])).is_ok());
        assert!(
            point(&row(&["2026-01-01 00:00:00", ""]))
                .unwrap()
                .2
                .is_nan()
        );
        for wrong in [
            &["yesterday", "1"][..],
            &["2026-01-01 00:00:00", "much"],
            &["1"],
        ] {
            assert!(point(&row(wrong)).is_err(), "{wrong:?}");
        }
    }
}
