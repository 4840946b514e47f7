//! Processes, one by one.

use std::collections::HashMap;

use schema::tables::ProcessSample;
use schema::{Metric, Sample, Severity, Timestamp};
use store::series::{self, ReadError};

use super::process_state::{LASTING_TICKS, lasting_span, lasting_states, state_severity};
use super::{Col, Filter, Line, Lines, Reading, Source, Tag, View, keyed};
use crate::wire::{Cell, Unit};

const COLUMNS: &[Col] = &[
    Col::new(
        "process_name",
        "Process",
        Unit::Text,
        "Name of the program, without arguments.",
    )
    .primary(),
    Col::new(
        "pid",
        "PID",
        Unit::Text,
        "Process id; none for small processes that are summed by name.",
    ),
    Col::new(
        "cpu_pct",
        "CPU",
        Unit::Percent,
        "CPU time, percent of one core.",
    )
    .metric("process_one.cpu_pct")
    .primary(),
    Col::new(
        "rss_bytes",
        "Memory (RSS)",
        Unit::Bytes,
        "Memory held in RAM.",
    )
    .metric("process_one.rss_bytes")
    .primary(),
    Col::new(
        "fd_count",
        "File descriptors",
        Unit::Count,
        "Open file descriptors; none where they cannot be read.",
    )
    .metric("process_one.fd_count"),
    Col::new("thread_count", "Threads", Unit::Count, "Threads.").metric("process_one.thread_count"),
    Col::new(
        "state",
        "State",
        Unit::Text,
        "One letter as in proc(5). T is a warning; D and Z are critical when they last for three ticks.",
    ),
    Col::new(
        "read_bytes_per_sec",
        "Read",
        Unit::BytesPerSec,
        "Bytes fetched from storage per second.",
    )
    .metric("process_one.read_bytes_per_sec"),
    Col::new(
        "write_bytes_per_sec",
        "Written",
        Unit::BytesPerSec,
        "Bytes sent to storage per second.",
    )
    .metric("process_one.write_bytes_per_sec"),
    Col::new("started_ms", "Started", Unit::TimeMs, "When it started."),
    Col::new(
        "unit",
        "Unit",
        Unit::Text,
        "The systemd unit, else the control group.",
    ),
    Col::new("uid", "User", Unit::Text, "User id of its owner."),
    Col::new(
        "parent_pid",
        "Parent",
        Unit::Text,
        "Process id of its parent.",
    ),
    Col::new(
        "fd_limit",
        "Descriptor limit",
        Unit::Count,
        "Soft limit of open descriptors; none when unlimited.",
    ),
    Col::new(
        "vsz_bytes",
        "Virtual memory",
        Unit::Bytes,
        "Virtual memory.",
    ),
    Col::new(
        "watched",
        "Watched",
        Unit::Bool,
        "Whether its name is a watched one of the configuration.",
    ),
    Col::new(
        "process_count",
        "Processes",
        Unit::Count,
        "How many processes the row sums; thresholds are for one, so that a sum has none.",
    )
    .summed(),
];

/// The columns that are read, in this order.
const STORED: [&str; 15] = [
    "process_name",
    "pid",
    "start_ticks",
    "cpu_pct",
    "rss_bytes",
    "fd_count",
    "thread_count",
    "state",
    "uptime_secs",
    "unit",
    "uid",
    "parent_pid",
    "fd_limit",
    "vsz_bytes",
    "process_count",
];

/// Columns whose severity is an issue, with the issue.
const ISSUES: &[(&str, &str)] = &[
    ("cpu_pct", "cpu"),
    ("rss_bytes", "rss"),
    ("fd_count", "fds"),
    ("thread_count", "threads"),
    ("state", "state"),
];

pub(super) const VIEW: View = View {
    name: "processes",
    title: "Processes",
    columns: COLUMNS,
    filters: &[
        Filter {
            id: "issue",
            label: "Issue",
            values: &[
                ("cpu", "CPU"),
                ("rss", "Memory"),
                ("fds", "File descriptors"),
                ("threads", "Threads"),
                ("state", "State"),
            ],
        },
        Filter {
            id: "severity",
            label: "Severity",
            values: &[
                (Severity::Critical.as_str(), "Critical"),
                (Severity::Warn.as_str(), "Warning"),
                (Severity::Info.as_str(), "Info"),
                (Severity::Ok.as_str(), "OK"),
            ],
        },
        Filter {
            id: "state",
            label: "State",
            values: &[
                ("R", "Running"),
                ("S", "Sleeping"),
                ("D", "Waiting for a device"),
                ("T", "Stopped"),
                ("Z", "Zombie"),
                ("I", "Idle"),
            ],
        },
    ],
    default_sort: "-cpu_pct",
    ranged: false,
    empty: "No process has been sampled.",
    families: &[],
    source: Source::Sampled(|reading| Box::pin(read(reading))),
};

pub(super) async fn read(reading: &Reading<'_>) -> Result<Lines, ReadError> {
    let Reading { client, host, .. } = *reading;
    let (from, to) = (reading.reach(), reading.end());
    let rates: Vec<&'static Metric> = [
        "process_one.read_bytes_per_sec",
        "process_one.write_bytes_per_sec",
    ]
    .iter()
    .filter_map(|id| schema::metric(id))
    .collect();
    let mut stored = STORED.to_vec();
    stored.push("watched");
    let counters = rates.iter().filter_map(|metric| series::column_of(metric));
    stored.extend(counters);
    // With the ticks before, as unpacking a sealed hour once more takes as long as everything else.
    let before = host.interval * series::MAX_STEP_INTERVALS;
    let table = ProcessSample::TABLE;
    let read = series::tick_and_before(client, table, host.id, (from, to), before, &stored);
    let (Some(at), rows) = read.await? else {
        return Ok(Lines::default());
    };
    let place = |name: &str| stored.iter().position(|one| *one == name).unwrap_or(0);
    let of_state = ["pid", "start_ticks", "state"].map(place);
    let recent = at.as_micros() - lasting_span(host.interval);
    let lately = rows.iter().filter(|(ts, _)| ts.as_micros() >= recent);
    let lasting = lasting_states(lately.map(|(_, row)| of_state.map(|at| &row[at])));
    let counted = STORED.len() + 1..stored.len();
    let of_counters = |(ts, row): &series::TimedRow| {
        let number = |cell: &schema::Cell| match cell {
            schema::Cell::Int(value) => Some(*value as f64),
            schema::Cell::Float(value) => Some(*value),
            _ => None,
        };
        let values = row[counted.clone()].iter().map(number).collect();
        (*ts, id(&row[of_state[0]], &row[of_state[1]]), values)
    };
    let rows_of_counters = rows.iter().map(of_counters).collect();
    let rates = series::latest_of_rows(&rates, rows_of_counters, host.interval);
    let rates = keyed::by_key(rates);
    let newest = rows.into_iter().filter(|(ts, _)| *ts == at);
    let lines = newest.map(|(_, row)| {
        let named: HashMap<&str, schema::Cell> = stored.iter().copied().zip(row).collect();
        let number = |name| match named.get(name) {
            Some(schema::Cell::Int(value)) => *value,
            _ => 0,
        };
        let (pid, start) = (number("pid"), number("start_ticks"));
        let id = format!("{pid}.{start}");
        let cell = |column: &Col| match column.id {
            "started_ms" => started(at, named.get("uptime_secs")),
            "pid" if number("process_count") > 1 => Cell::Null,
            "pid" | "uid" | "parent_pid" => match named.get(column.id) {
                Some(schema::Cell::Int(value)) => Cell::Text(value.to_string()),
                _ => Cell::Null,
            },
            "read_bytes_per_sec" | "write_bytes_per_sec" => {
                let key = (format!("process_one.{}", column.id), id.clone());
                rates
                    .get(&key)
                    .map_or(Cell::Null, |rate| Cell::Float(*rate))
            }
            stored => named.get(stored).cloned().map_or(Cell::Null, Cell::from),
        };
        let cells = COLUMNS.iter().map(cell).collect();
        let is_sum = number("process_count") > 1;
        line(id.clone(), cells, lasting.contains(&(pid, start)), is_sum)
    });
    Ok(Lines {
        at: Some(at),
        lines: lines.collect(),
        ..Lines::default()
    })
}

/// Returns the key of a process in metrics of single ones.
fn id(pid: &schema::Cell, start_ticks: &schema::Cell) -> String {
    let number = |cell: &schema::Cell| match cell {
        schema::Cell::Int(value) => *value,
        _ => 0,
    };
    format!("{}.{}", number(pid), number(start_ticks))
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "an uptime is far below 2^53 ms"
)]
fn started(at: Timestamp, uptime_secs: Option<&schema::Cell>) -> Cell {
    match uptime_secs {
        Some(schema::Cell::Float(secs)) => Cell::Int(at.as_millis() - (secs * 1000.0) as i64),
        _ => Cell::Null,
    }
}

fn line(id: String, cells: Vec<Cell>, lasting: bool, is_sum: bool) -> Line {
    let mut line = Line::new(id, cells, COLUMNS);
    if is_sum {
        line.severities.fill(None);
    }
    let mut tags = Vec::new();
    for (at, column) in COLUMNS.iter().enumerate() {
        if column.id == "state"
            && let Cell::Text(state) = &line.cells[at]
        {
            let severity = state_severity(state, lasting);
            line.severities[at] = Some(severity);
            let value = if state == "t" {
                "T".to_owned()
            } else {
                state.clone()
            };
            tags.push(Tag {
                filter: "state",
                value,
                severity,
            });
        }
        let issue = ISSUES.iter().find(|(id, _)| *id == column.id);
        let severity = line.severities[at].unwrap_or(Severity::Ok);
        if let Some((_, value)) = issue
            && severity >= Severity::Info
        {
            tags.push(Tag {
                filter: "issue",
                value: (*value).to_owned(),
                severity,
            });
        }
    }
    let severity = line.severity();
    tags.push(Tag {
        filter: "severity",
        value: severity.as_str().to_owned(),
        severity,
    });
    line.tags = tags;
    line
}

const _: () = assert!(LASTING_TICKS == 3, "the text of the column states three");
