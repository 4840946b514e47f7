//! Statements, and I/O by kind of process, within a range.

use schema::Severity;

use super::place::{BY_DATABASE, BY_SERVER, DATABASE, SERVER};
use super::stored::{Lookback, Stored, Threshold};
use super::{Col, Filter, Source, View};
use crate::wire::Unit;

const STATEMENT: &[Col] = &[
    Col::new(
        "query",
        "Statement",
        Unit::Text,
        "The statement, normalised, secrets removed; cut to 400 characters.",
    )
    .primary(),
    Col::new(
        "share_pct",
        "Share",
        Unit::Percent,
        "Its share of the time executing of all statements of the server.",
    )
    .primary(),
    Col::new(
        "exec_ms",
        "Time",
        Unit::Ms,
        "Time executing within the range.",
    )
    .summed(),
    Col::new(
        "calls",
        "Calls",
        Unit::Count,
        "Executions within the range.",
    )
    .summed(),
    Col::new(
        "mean_ms",
        "Mean",
        Unit::Ms,
        "Mean time of an execution within the range.",
    )
    .metric("statement.mean_ms")
    .primary(),
    Col::new(
        "max_ms",
        "Longest",
        Unit::Ms,
        "Longest execution since its entry exists.",
    )
    .metric("statement.max_ms"),
    Col::new("rows", "Rows", Unit::Count, "Rows returned or changed.").summed(),
    Col::new(
        "hit_pct",
        "Cache hit ratio",
        Unit::Percent,
        "Blocks found in shared buffers.",
    ),
    Col::new(
        "shared_blks_hit",
        "Blocks hit",
        Unit::Count,
        "Blocks found in shared buffers.",
    )
    .summed(),
    Col::new(
        "shared_blks_read",
        "Blocks read",
        Unit::Count,
        "Blocks asked of the kernel.",
    )
    .summed(),
    Col::new(
        "temp_blks",
        "Temporary blocks",
        Unit::Count,
        "Blocks of temporary files read and written.",
    )
    .metric("statement.temp_blks")
    .summed(),
    Col::new(
        "temp_blks_read",
        "Temporary read",
        Unit::Count,
        "Blocks of temporary files read.",
    )
    .summed(),
    Col::new(
        "temp_blks_written",
        "Temporary written",
        Unit::Count,
        "Blocks of temporary files written.",
    )
    .summed(),
    Col::new(
        "blk_read_ms",
        "Reading",
        Unit::Ms,
        "Time reading blocks; none without track_io_timing.",
    )
    .summed(),
    Col::new(
        "blk_write_ms",
        "Writing",
        Unit::Ms,
        "Time writing blocks; none without track_io_timing.",
    )
    .summed(),
    Col::new("wal_records", "WAL records", Unit::Count, "Records of WAL.").summed(),
    Col::new("wal_bytes", "WAL", Unit::Bytes, "Bytes of WAL.").summed(),
    Col::new(
        "plan_ms",
        "Planning",
        Unit::Ms,
        "Time planning; none without pg_stat_statements.track_planning.",
    )
    .summed(),
    Col::new("jit_ms", "JIT", Unit::Ms, "Time compiling.").summed(),
    Col::new("roles", "Roles", Unit::Text, "Who ran it."),
    Col::new(
        "first_seen_ms",
        "First seen",
        Unit::TimeMs,
        "When it was first met.",
    ),
    Col::new(
        "last_seen_ms",
        "Last seen",
        Unit::TimeMs,
        "When it last ran within the range.",
    ),
    Col::new(
        "evicted",
        "Evicted",
        Unit::Bool,
        "Whether its entry was given up meanwhile, so that a part is missing.",
    ),
    Col::new(
        "queryid",
        "Identifier",
        Unit::Text,
        "Identifier of the normalised statement.",
    ),
    DATABASE,
    SERVER,
];

pub(super) const STATEMENTS: View = View {
    name: "statements",
    title: "Statements",
    columns: STATEMENT,
    filters: &[
        BY_SERVER,
        BY_DATABASE,
        Filter {
            id: "issue",
            label: "Issue",
            values: &[
                ("slow", "Slow"),
                ("temp", "Temporary files"),
                ("new", "New"),
            ],
        },
    ],
    default_sort: "-exec_ms",
    ranged: true,
    empty: "No statements in this range. The collector's own are left out, unless include_own of its [[postgres]] entry is true.",
    families: &["statement"],
    source: Source::Stored(
        Stored::new(include_str!("../sql/statements.sql"), Lookback::SlowRange).thresholds(&[
            Threshold {
                metric: "statement.mean_ms",
                severity: Severity::Warn,
            },
        ]),
    ),
};

const ONE: &[Col] = &[
    Col::new(
        "query",
        "Statement",
        Unit::Text,
        "The statement, normalised, secrets removed.",
    )
    .primary(),
    Col::new("role", "Role", Unit::Text, "Who ran it.").primary(),
    Col::new(
        "toplevel",
        "Sent by a client",
        Unit::Bool,
        "Whether a client sent it; no for statements within functions.",
    ),
    Col::new(
        "calls",
        "Calls",
        Unit::Count,
        "Executions within the range.",
    )
    .primary()
    .summed(),
    Col::new(
        "exec_ms",
        "Time",
        Unit::Ms,
        "Time executing within the range.",
    )
    .summed(),
    Col::new(
        "mean_ms",
        "Mean",
        Unit::Ms,
        "Mean time of an execution within the range.",
    )
    .metric("statement.mean_ms"),
    Col::new(
        "max_ms",
        "Longest",
        Unit::Ms,
        "Longest execution since its entry exists.",
    )
    .metric("statement.max_ms"),
    Col::new(
        "stddev_ms",
        "Deviation",
        Unit::Ms,
        "Standard deviation of an execution since its entry exists.",
    ),
    Col::new("rows", "Rows", Unit::Count, "Rows returned or changed.").summed(),
    Col::new(
        "queryid",
        "Identifier",
        Unit::Text,
        "Identifier of the normalised statement.",
    ),
    DATABASE,
    SERVER,
];

pub(super) const DETAIL: View = View {
    name: "statement_detail",
    title: "Statement",
    columns: ONE,
    filters: &[],
    default_sort: "-exec_ms",
    ranged: true,
    empty: "No calls of this statement in this range.",
    families: &["statement"],
    source: Source::Stored(
        Stored::new(
            include_str!("../sql/statement_detail.sql"),
            Lookback::SlowRange,
        )
        .detail(),
    ),
};

const INOUT: &[Col] = &[
    Col::new("backend_type", "Process", Unit::Text, "Kind of process.").primary(),
    Col::new(
        "object",
        "Object",
        Unit::Text,
        "relation, temp relation or wal.",
    ),
    Col::new(
        "context",
        "Context",
        Unit::Text,
        "As normal, vacuum or bulkread.",
    ),
    Col::new(
        "reads",
        "Read operations",
        Unit::Count,
        "Reads: blocks up to PostgreSQL 17, calls from 18 on.",
    )
    .summed(),
    Col::new("read_bytes", "Read", Unit::Bytes, "Bytes read.")
        .primary()
        .summed(),
    Col::new(
        "read_ms",
        "Read time",
        Unit::Ms,
        "Mean time of a read; none without track_io_timing.",
    )
    .metric("io.read_ms"),
    Col::new(
        "read_ms_total",
        "Reading",
        Unit::Ms,
        "Time reading; none without track_io_timing.",
    )
    .summed(),
    Col::new(
        "writes",
        "Write operations",
        Unit::Count,
        "Writes: blocks up to PostgreSQL 17, calls from 18 on.",
    )
    .summed(),
    Col::new("write_bytes", "Written", Unit::Bytes, "Bytes written.")
        .primary()
        .summed(),
    Col::new(
        "write_ms",
        "Write time",
        Unit::Ms,
        "Mean time of a write; none without track_io_timing.",
    )
    .metric("io.write_ms"),
    Col::new(
        "write_ms_total",
        "Writing",
        Unit::Ms,
        "Time writing; none without track_io_timing.",
    )
    .summed(),
    Col::new(
        "extend_bytes",
        "Bytes extended",
        Unit::Bytes,
        "Bytes by which files grew.",
    )
    .summed(),
    Col::new("hits", "Hits", Unit::Count, "Blocks found in buffers.").summed(),
    Col::new(
        "hit_pct",
        "Cache hit ratio",
        Unit::Percent,
        "Blocks found in buffers as a share of those asked for.",
    ),
    Col::new(
        "evictions",
        "Evictions",
        Unit::Count,
        "Blocks given up for others.",
    )
    .summed(),
    Col::new(
        "reuses",
        "Reuses",
        Unit::Count,
        "Blocks of a ring buffer used again.",
    )
    .summed(),
    Col::new("fsyncs", "Fsyncs", Unit::Count, "Fsyncs.").summed(),
    Col::new(
        "fsync_ms",
        "Time of an fsync",
        Unit::Ms,
        "Mean time of an fsync; none without track_io_timing.",
    ),
    SERVER,
];

pub(super) const IO: View = View {
    name: "io",
    title: "Reads and writes by process type",
    columns: INOUT,
    filters: &[
        BY_SERVER,
        Filter {
            id: "backend_type",
            label: "Process",
            values: &[],
        },
        Filter {
            id: "object",
            label: "Object",
            values: &[],
        },
    ],
    default_sort: "-read_bytes",
    ranged: true,
    empty: "No reads or writes in this range.",
    families: &["io"],
    source: Source::Stored(Stored::new(
        include_str!("../sql/io.sql"),
        Lookback::SlowRange,
    )),
};
