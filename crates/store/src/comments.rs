//! Descriptions of columns in the database (`\d+` of psql), made from the declarations of the tables, so that they are
//! written once and change with them.
//!
//! They are set by the transaction of the newest migration, and cover the declared tables, the views over sealed ones and the
//! samples of a view. Views that no declaration has are described by the migrations that make them. A test
//! finds columns of views without a description.

use schema::TableDef;
use schema::tables::{TABLES, VIEWS};
use serde_json::{Map, Value};

/// Columns that no table declares.
const OWN: &[(&str, &str)] = &[
    ("ts", "Instant of the sample; of an event when it happened."),
    ("host_id", "The host: collector.hosts."),
    (
        "sample_hour",
        "The start of the hour of a sealed row, the instant of another one: beside a condition on ts it makes a query read few \
         partitions.",
    ),
    (
        "process",
        "Key of the process: with the day that of its row in process_identities; its upper bits are the process id.",
    ),
    (
        "state_count",
        "The letter of the state in the low 8 bits, the number of processes that the row sums up above them.",
    ),
    (
        "identity_day",
        "The start of the day (UTC) that the sample lies in: beside a condition on ts it makes a query read few partitions.",
    ),
    (
        "sample_window",
        "The start of the two minutes that the sample lies in: beside host_id it uses the index.",
    ),
];

/// Returns the descriptions: `{"relation": {"column": "text"}}`.
pub(crate) fn document() -> String {
    let mut relations = Map::new();
    for table in TABLES.iter().chain(VIEWS) {
        for relation in named(table) {
            relations.insert(relation, columns(table));
        }
    }
    Value::Object(relations).to_string()
}

/// Returns the names of the relations that may have columns of a table.
fn named(table: &TableDef) -> Vec<String> {
    // Of a view the table of samples is the one that is sealed.
    let stored = table.instants();
    let mut names = vec![table.name.to_owned()];
    for name in [
        stored.to_owned(),
        format!("{stored}_all"),
        format!("{stored}_unsealed"),
    ] {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    names
}

/// Returns the descriptions of the columns of a table, and of those that every relation or some have besides.
fn columns(table: &TableDef) -> Value {
    let declared = table.columns.iter().map(|column| {
        let lines: Vec<&str> = column.doc.iter().map(|line| line.trim()).collect();
        (column.name, lines.join(" "))
    });
    let own = OWN.iter().map(|(name, text)| (*name, (*text).to_owned()));
    let all = declared.chain(own);
    all.map(|(name, text)| (name.to_owned(), Value::String(text)))
        .collect::<Map<_, _>>()
        .into()
}
