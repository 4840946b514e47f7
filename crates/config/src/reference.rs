//! The page that lists every key, generated from the declarations.

use crate::Config;
use crate::key::{Check, Key};

/// Returns every section and key as Markdown: default, variable, accepted values, whether a change needs a
/// restart, and meaning.
#[must_use]
pub fn reference_markdown() -> String {
    let defaults = Config::default();
    let blanks = defaults.lists().map(crate::List::blank);
    let listed = blanks.iter().map(|blank| &**blank);
    let mut page = String::new();
    for section in defaults.sections().into_iter().chain(listed) {
        let header = "| key | default | variable | values | a change | meaning |\n\
                      |---|---|---|---|---|---|\n";
        page.push_str(&format!(
            "## {}\n\n{}\n\n{header}",
            section.keys().first().map(Key::header).unwrap_or_default(),
            joined(section.doc())
        ));
        for key in section.keys() {
            let default = match section.get(key.name).map(|value| value.shown()) {
                Some(shown) if !shown.is_empty() => format!("`{shown}`"),
                _ => "–".to_owned(),
            };
            page.push_str(&format!(
                "| `{}` | {default} | {} | {} | {} | {} |\n",
                key.name,
                key.env.map_or("–".to_owned(), |name| format!("`{name}`")),
                values(key),
                if key.live { "live" } else { "restart" },
                joined(key.doc).replace('|', "\\|"),
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
