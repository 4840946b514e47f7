//! The page that lists every key, generated from the declarations.

use crate::Config;
use crate::key::{Check, Key};

/// What there is to know of a section, for a page of any format.
#[derive(Debug)]
pub struct SectionPage {
    /// As it is written in a file: `[database]`, `[[postgres]]`.
    pub header: String,
    /// What it is about.
    pub meaning: String,
    /// Its keys, in their order.
    pub keys: Vec<KeyPage>,
}

/// What there is to know of a key.
#[derive(Debug)]
pub struct KeyPage {
    /// Its name.
    pub name: &'static str,
    /// Its default, none where that is empty.
    pub default: Option<String>,
    /// The variable of the environment that sets it.
    pub variable: Option<&'static str>,
    /// What may be written.
    pub values: String,
    /// Whether a change takes effect without a restart.
    pub is_live: bool,
    /// What it does.
    pub meaning: String,
}

/// Returns what there is to know of every section and key.
#[must_use]
pub fn reference() -> Vec<SectionPage> {
    let defaults = Config::default();
    let blanks = defaults.lists().map(crate::List::blank);
    let listed = blanks.iter().map(|blank| &**blank);
    let sections = defaults.sections().into_iter().chain(listed);
    let page = sections.map(|section| SectionPage {
        header: section.keys().first().map(Key::header).unwrap_or_default(),
        meaning: joined(section.doc()),
        keys: section
            .keys()
            .iter()
            .map(|key| KeyPage {
                name: key.name,
                default: section
                    .get(key.name)
                    .map(|value| value.shown())
                    .filter(|shown| !shown.is_empty()),
                variable: key.env,
                values: values(key),
                is_live: key.live,
                meaning: joined(key.doc),
            })
            .collect(),
    });
    page.collect()
}

/// Returns every section and key as Markdown: default, variable, accepted values, whether a change needs a
/// restart, and meaning.
#[must_use]
pub fn reference_markdown() -> String {
    let mut page = String::new();
    for section in reference() {
        let header = "| key | default | variable | values | a change | meaning |\n\
                      |---|---|---|---|---|---|\n";
        page.push_str(&format!(
            "## {}\n\n{}\n\n{header}",
            section.header, section.meaning
        ));
        let code = |text: &str| format!("`{text}`");
        for key in section.keys {
            page.push_str(&format!(
                "| `{}` | {} | {} | {} | {} | {} |\n",
                key.name,
                key.default.as_deref().map_or("–".to_owned(), code),
                key.variable.map_or("–".to_owned(), code),
                key.values,
                if key.is_live { "live" } else { "restart" },
                key.meaning.replace('|', "\\|"),
            ));
        }
        page.push('\n');
    }
    page.truncate(page.trim_end().len());
    page.push('\n');
    page
}

fn values(key: &Key) -> String {
    match key.check {
        Check::Range(low, high) => format!("{low}…{high}"),
        _ => match key.kind {
            crate::Kind::Text => "text",
            crate::Kind::Secret => "secret text",
            crate::Kind::Int => "number",
            crate::Kind::Bool => "`true`, `false`",
            crate::Kind::List => "list of texts",
            crate::Kind::Map => "table of texts",
        }
        .to_owned(),
    }
}

fn joined(lines: &[&str]) -> String {
    lines
        .iter()
        .map(|line| line.trim())
        .collect::<Vec<_>>()
        .join(" ")
}
