//! The mappings that come with the program: one TOML file per kind of program, column by column in
//! the language of [`config::mapping`]. A target's own `map` wins column by column.

use std::collections::{BTreeMap, HashSet};

use config::mapping::Expression;
use config::{Mapping, ScrapeTarget};

/// Beginnings of names that libraries give to every program.
const GENERAL: [&str; 3] = ["process_", "go_", "promhttp_"];

/// Expressions by column, and the names of the series that they need.
#[derive(Debug)]
pub(super) struct Columns {
    /// The program that is expected.
    pub(super) mapping: Mapping,
    expressions: Vec<(&'static str, Expression)>,
    names: HashSet<String>,
    /// Columns that any program can have.
    general: HashSet<&'static str>,
}

impl Columns {
    fn new(mapping: Mapping, expressions: Vec<(&'static str, Expression)>) -> Self {
        let mut names = HashSet::new();
        let mut general = HashSet::new();
        for (column, expression) in &expressions {
            let mut is_general = true;
            expression.visit(&mut |selector| {
                is_general &= GENERAL.iter().any(|begin| selector.name.starts_with(begin));
                // A histogram or a summary is known from its series alone.
                for suffix in ["", "_bucket", "_sum", "_count"] {
                    names.insert(format!("{}{suffix}", selector.name));
                }
            });
            if is_general {
                general.insert(*column);
            }
        }
        Self {
            mapping,
            expressions,
            names,
            general,
        }
    }

    /// Returns whether some of these columns show that it is the program that is expected.
    pub(super) fn shows_program(&self, found: &[&'static str]) -> bool {
        found.iter().any(|column| !self.general.contains(column))
    }

    /// Returns whether a series of this name is the program's, one that makes the others at its first request.
    pub(super) fn is_of_program(&self, name: &str) -> bool {
        match self.mapping {
            Mapping::Caddy => name.starts_with("caddy_"),
            Mapping::Traefik => name.starts_with("traefik_"),
            Mapping::Envoy => name.starts_with("envoy_"),
            Mapping::Nginxlog => name.starts_with("nginx_parse_errors_total"),
            Mapping::Custom | Mapping::Haproxy | Mapping::Nginx | Mapping::NginxVts => false,
        }
    }

    /// Returns a few of the names that are looked for, for people.
    pub(super) fn examples(&self) -> String {
        let mut names = Vec::new();
        for (_, expression) in &self.expressions {
            expression.visit(&mut |selector| {
                let is_general = GENERAL.iter().any(|begin| selector.name.starts_with(begin));
                if !is_general && !names.contains(&selector.name) {
                    names.push(selector.name.clone());
                }
            });
        }
        names.truncate(3);
        names.join(", ")
    }

    /// Expressions by column.
    pub(super) fn expressions(&self) -> &[(&'static str, Expression)] {
        &self.expressions
    }

    /// Returns whether an expression may look at series of this name.
    pub(super) fn needs(&self, name: &str) -> bool {
        self.names.contains(name)
    }
}

/// Returns the file of a mapping; nothing for `custom`.
fn shipped(mapping: Mapping) -> &'static str {
    match mapping {
        Mapping::Custom => "",
        Mapping::Caddy => include_str!("mappings/caddy.toml"),
        Mapping::Traefik => include_str!("mappings/traefik.toml"),
        Mapping::Haproxy => include_str!("mappings/haproxy.toml"),
        Mapping::Envoy => include_str!("mappings/envoy.toml"),
        Mapping::Nginx => include_str!("mappings/nginx.toml"),
        Mapping::NginxVts => include_str!("mappings/nginx-vts.toml"),
        Mapping::Nginxlog => include_str!("mappings/nginxlog.toml"),
    }
}

/// Returns the expressions of a target, or the problem with its column. A mapping is written for
/// a proxy: for a target of the kind `api`, the columns that both tables have count.
pub(super) fn columns(target: &ScrapeTarget) -> Result<Columns, (String, String)> {
    let mut texts: BTreeMap<String, String> = toml::from_str(shipped(target.mapping))
        .map_err(|error| (target.mapping.as_str().to_owned(), error.to_string()))?;
    let known = |column: &str| match column {
        "buckets" => Some("buckets"),
        "endpoints" => Some("endpoints"),
        column => target.kind.table().column(column).map(|column| column.name),
    };
    texts.retain(|column, _| known(column).is_some());
    texts.extend(target.map.clone());
    let parse = |(column, text): (String, String)| {
        let Some(name) = known(&column) else {
            return Err((column, "no such column".to_owned()));
        };
        match Expression::parse(&text) {
            Ok(expression) if expression.fits(name) => Ok((name, expression)),
            Ok(_) => Err((column, "rows and numbers are mixed up".to_owned())),
            Err(problem) => Err((column, problem)),
        }
    };
    let expressions: Result<_, _> = texts.into_iter().map(parse).collect();
    expressions.map(|expressions| Columns::new(target.mapping, expressions))
}

#[cfg(test)]
mod tests {
    use super::*;
    use config::TargetKind;

    #[test]
    fn every_mapping_can_be_read_and_a_map_wins_over_it() {
        for mapping in Mapping::ALL {
            let word = mapping.as_str();
            let mut target = ScrapeTarget {
                kind: TargetKind::Proxy,
                mapping: *mapping,
                ..ScrapeTarget::default()
            };
            let shipped = columns(&target).unwrap();
            let shipped = shipped.expressions();
            assert_eq!(
                shipped.is_empty(),
                target.mapping == Mapping::Custom,
                "{word}"
            );
            // Nothing in the file is passed over for this kind.
            let file: BTreeMap<String, String> =
                toml::from_str(super::shipped(target.mapping)).unwrap();
            assert_eq!(file.len(), shipped.len(), "{word}");
            target.map = [("request_total".to_owned(), "sum(mine)".to_owned())].into();
            let mine = columns(&target).unwrap();
            let found = mine
                .expressions()
                .iter()
                .find(|(column, _)| *column == "request_total")
                .unwrap();
            assert_eq!(found.1, Expression::parse("sum(mine)").unwrap());
            assert!(mine.needs("mine") && !mine.needs("go_goroutines"));
        }
    }
}
