//! Forecasts of hourly series, for the origins that a task asks for.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::time::Instant;

use anyhow::Context;
use stats::forecast::{Forecast, Forecaster};
use stats::moment::HOURS_OF_WEEK;

use super::csv;

/// A forecast that is wanted: the series, the last hour that may be seen, and how far ahead.
struct Task {
    series: String,
    origin: usize,
    horizon: usize,
}

pub(super) fn run(series: &Path, tasks: &Path, out: &Path) -> anyhow::Result<()> {
    let read = |path: &Path| {
        fs::read_to_string(path).with_context(|| format!("reading {}", path.display()))
    };
    let tasks = self::tasks(&read(tasks)?).with_context(|| format!("in {}", tasks.display()))?;
    let series =
        self::series(&read(series)?).with_context(|| format!("in {}", series.display()))?;
    let (mut hours, mut nanos) = (0, 0);
    let mut answers = HashMap::new();
    for (name, values) in &series {
        let wanted = tasks.iter().filter(|task| task.series == *name);
        let wanted: Vec<_> = wanted.map(|task| (task.origin, task.horizon)).collect();
        let started = Instant::now();
        for (origin, forecast) in forecasts(values, &wanted) {
            answers.insert((name.as_str(), origin, forecast.hours), forecast);
        }
        nanos += started.elapsed().as_nanos();
        hours += values.len();
    }
    let mut answer = String::from("series,origin,horizon,forecast,lo,hi\n");
    for Task {
        series,
        origin,
        horizon,
    } in &tasks
    {
        let forecast = answers
            .get(&(series.as_str(), *origin, *horizon))
            .with_context(|| format!("{series} has no hour {origin}"))?;
        let _written = write!(answer, "{series},{origin},{horizon},{}", forecast.value);
        let _written = match forecast.band {
            Some((low, high)) => writeln!(answer, ",{low},{high}"),
            None => writeln!(answer, ",,"),
        };
    }
    fs::write(out, answer).with_context(|| format!("writing {}", out.display()))?;
    println!(
        "{} forecasts of {} series, {} ns per hour; {} bytes per metric in memory, {} stored",
        tasks.len(),
        series.len(),
        nanos / (hours as u128).max(1),
        size_of::<Forecaster>(),
        Forecaster::new().save().len(),
    );
    Ok(())
}

/// Returns the forecasts that are wanted of a series, by origin. The series is taken to begin on a Monday
/// at midnight.
fn forecasts(values: &[f64], wanted: &[(usize, usize)]) -> Vec<(usize, Forecast)> {
    let mut horizons: HashMap<usize, Vec<usize>> = HashMap::new();
    for (origin, horizon) in wanted {
        horizons.entry(*origin).or_default().push(*horizon);
    }
    let mut forecaster = Forecaster::new();
    let mut forecasts = Vec::with_capacity(wanted.len());
    for (hour, value) in values.iter().enumerate() {
        forecaster.observe(hour % HOURS_OF_WEEK, *value);
        for horizon in horizons.get(&hour).into_iter().flatten() {
            forecasts.extend(
                forecaster
                    .forecast(*horizon)
                    .map(|forecast| (hour, forecast)),
            );
        }
    }
    forecasts
}

/// Returns the tasks of a file `series,origin,horizon`.
fn tasks(text: &str) -> anyhow::Result<Vec<Task>> {
    let rows = csv::rows(text).into_iter().enumerate().skip(1);
    let tasks = rows.map(|(number, row)| {
        let [series, origin, horizon] = <[String; 3]>::try_from(row)
            .ok()
            .with_context(|| format!("line {} has not three columns", number + 1))?;
        let count = |text: &str| {
            text.parse()
                .with_context(|| format!("line {}: {text} is no count", number + 1))
        };
        Ok(Task {
            origin: count(&origin)?,
            horizon: count(&horizon)?,
            series,
        })
    });
    tasks.collect()
}

/// Returns the series of a file with one a line: `id,v0,v1,…`.
fn series(text: &str) -> anyhow::Result<Vec<(String, Vec<f64>)>> {
    let series = csv::rows(text).into_iter().map(|row| {
        let (name, values) = row.split_first().context("a line is empty")?;
        let values = values.iter().filter(|value| !value.is_empty());
        let values = values.map(|value| {
            value
                .parse()
                .with_context(|| format!("{name}: {value} is no number"))
        });
        Ok((name.clone(), values.collect::<anyhow::Result<_>>()?))
    });
    series.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_task_is_answered_from_the_hours_before_it() {
        let directory = tempfile::tempdir().unwrap();
        let path = |name: &str| directory.path().join(name);
        let values: Vec<String> = (0..400).map(|hour| (hour % 24).to_string()).collect();
        fs::write(path("series"), format!("a,{}\n", values.join(","))).unwrap();
        fs::write(
            path("tasks"),
            "series,origin,horizon\na,200,6\na,0,1\na,300,24\n",
        )
        .unwrap();
        run(&path("series"), &path("tasks"), &path("out")).unwrap();
        let rows = csv::rows(&fs::read_to_string(path("out")).unwrap());
        assert_eq!(
            rows[0],
            ["series", "origin", "horizon", "forecast", "lo", "hi"]
        );
        // The first hour knows nothing but itself.
        assert_eq!(rows[2], ["a", "0", "1", "0", "", ""]);
        for (row, expected) in [(1, 14.0), (3, 12.0)] {
            let numbers: Vec<f64> = rows[row][3..]
                .iter()
                .map(|text| text.parse().unwrap())
                .collect();
            assert!((numbers[0] - expected).abs() < 0.1, "{numbers:?}");
            assert!(numbers[1] <= numbers[0] && numbers[0] <= numbers[2]);
        }
        fs::write(path("tasks"), "series,origin,horizon\na,400,1\n").unwrap();
        let error = run(&path("series"), &path("tasks"), &path("out")).unwrap_err();
        assert_eq!(error.to_string(), "a has no hour 400");
    }
}
