//! Requests and state of scraped targets.

use super::stored::{Lookback, Stored};
use super::{Col, Filter, Source, View};
use crate::wire::Unit;

const ENDPOINT: &[Col] = &[
    Col::new(
        "endpoint",
        "Endpoint",
        Unit::Text,
        "Its path, without query string.",
    )
    .primary(),
    Col::new(
        "failures",
        "Failures",
        Unit::Count,
        "Answers with 4xx and 5xx within the range.",
    )
    .primary()
    .summed(),
    Col::new(
        "share_pct",
        "Share",
        Unit::Percent,
        "Its share of all failures of the target.",
    )
    .primary(),
    Col::new(
        "ok",
        "Successful",
        Unit::Count,
        "Responses with 2xx and 3xx within the range, where the target reports them.",
    )
    .summed(),
    Col::new("s400", "400", Unit::Count, "Answers with 400 Bad Request.").summed(),
    Col::new("s401", "401", Unit::Count, "Answers with 401 Unauthorized.").summed(),
    Col::new("s403", "403", Unit::Count, "Answers with 403 Forbidden.").summed(),
    Col::new("s404", "404", Unit::Count, "Answers with 404 Not Found.").summed(),
    Col::new(
        "s405",
        "405",
        Unit::Count,
        "Answers with 405 Method Not Allowed.",
    )
    .summed(),
    Col::new(
        "s408",
        "408",
        Unit::Count,
        "Answers with 408 Request Timeout.",
    )
    .summed(),
    Col::new("s409", "409", Unit::Count, "Answers with 409 Conflict.").summed(),
    Col::new(
        "s413",
        "413",
        Unit::Count,
        "Answers with 413 Content Too Large.",
    )
    .summed(),
    Col::new(
        "s422",
        "422",
        Unit::Count,
        "Answers with 422 Unprocessable Content.",
    )
    .summed(),
    Col::new(
        "s429",
        "429",
        Unit::Count,
        "Answers with 429 Too Many Requests.",
    )
    .summed(),
    Col::new(
        "s4xx",
        "Other 4xx",
        Unit::Count,
        "Answers with another 4xx.",
    )
    .summed(),
    Col::new(
        "s500",
        "500",
        Unit::Count,
        "Answers with 500 Internal Server Error.",
    )
    .summed(),
    Col::new("s502", "502", Unit::Count, "Answers with 502 Bad Gateway.").summed(),
    Col::new(
        "s503",
        "503",
        Unit::Count,
        "Answers with 503 Service Unavailable.",
    )
    .summed(),
    Col::new(
        "s504",
        "504",
        Unit::Count,
        "Answers with 504 Gateway Timeout.",
    )
    .summed(),
    Col::new(
        "s5xx",
        "Other 5xx",
        Unit::Count,
        "Answers with another 5xx.",
    )
    .summed(),
    Col::new(
        "last_seen_ms",
        "Last failure",
        Unit::TimeMs,
        "When it last failed.",
    ),
    Col::new("target", "Target", Unit::Text, "Name of the target."),
];

pub(super) const ENDPOINTS: View = View {
    name: "endpoints",
    title: "Failures by endpoint",
    columns: ENDPOINT,
    filters: &[
        Filter {
            id: "target",
            label: "Target",
            values: &[],
        },
        Filter {
            id: "status",
            label: "Status",
            values: &[],
        },
    ],
    default_sort: "-failures",
    ranged: true,
    empty: "No target reported endpoints within the range.",
    families: &[],
    source: Source::Stored(Stored::new(
        include_str!("../sql/endpoints.sql"),
        Lookback::Range,
    )),
};

const FAILURE: &[Col] = &[
    Col::new("failed_ms", "At", Unit::TimeMs, "When it failed.").primary(),
    Col::new("status", "Status", Unit::Text, "Status of the answer.").primary(),
    Col::new(
        "method",
        "Method",
        Unit::Text,
        "As GET; empty when the target does not report it.",
    ),
    Col::new(
        "path",
        "Path",
        Unit::Text,
        "Its path, without query string.",
    )
    .primary(),
    Col::new("duration_ms", "Duration", Unit::Ms, "Time it took."),
    Col::new("target", "Target", Unit::Text, "Name of the target."),
];

pub(super) const FAILURES: View = View {
    name: "failures",
    title: "Recent failures",
    columns: FAILURE,
    filters: &[
        Filter {
            id: "status",
            label: "Status",
            values: &[],
        },
        Filter {
            id: "target",
            label: "Target",
            values: &[],
        },
    ],
    default_sort: "-failed_ms",
    ranged: false,
    empty: "No failed requests in the last day.",
    families: &[],
    source: Source::Stored(Stored::new(
        include_str!("../sql/failures.sql"),
        Lookback::Day,
    )),
};

const TARGET: &[Col] = &[
    Col::new(
        "target",
        "Target",
        Unit::Text,
        "Its name in the configuration.",
    )
    .primary(),
    Col::new("kind", "Kind", Unit::Text, "api or proxy."),
    Col::new(
        "up",
        "Answers",
        Unit::Bool,
        "Whether it answered within the last minute.",
    )
    .metric("target.up")
    .primary(),
    Col::new(
        "answer_ms",
        "Duration",
        Unit::Ms,
        "Time it took to answer, over a minute.",
    )
    .metric("target.answer_ms")
    .primary(),
    Col::new(
        "http_status",
        "Status",
        Unit::Text,
        "Status of the last answer.",
    ),
    Col::new("bytes", "Bytes", Unit::Bytes, "Bytes of the last answer."),
    Col::new(
        "bad_values",
        "Unreadable",
        Unit::Count,
        "Values that could not be read, over five minutes.",
    )
    .metric("target.bad_values"),
    Col::new(
        "mapped",
        "Columns",
        Unit::Count,
        "Columns that its mapping promises; none where names are merely looked for.",
    ),
    Col::new(
        "unfilled",
        "Never there",
        Unit::Count,
        "Columns of the mapping whose series were never there since it is watched.",
    ),
    Col::new(
        "error",
        "Error",
        Unit::Text,
        "Why it is not up, or what is wrong with its values.",
    )
    .primary(),
    Col::new(
        "seen_ms",
        "Last scrape",
        Unit::TimeMs,
        "When it was last asked.",
    ),
];

pub(super) const TARGETS: View = View {
    name: "targets",
    title: "Targets",
    columns: TARGET,
    filters: &[Filter {
        id: "kind",
        label: "Kind",
        values: &[("api", "API"), ("proxy", "Proxy")],
    }],
    default_sort: "target",
    ranged: false,
    empty: "No API or proxy is scraped.",
    families: &[],
    source: Source::Stored(Stored::new(
        include_str!("../sql/targets.sql"),
        Lookback::Ticks,
    )),
};
