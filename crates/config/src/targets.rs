//! Checks of what is watched: `[[postgres]]`, `[scrape]`, `[[scrape.target]]`, `[[logs.source]]` and
//! `[[health.check]]`.

use std::collections::BTreeMap;

use crate::draft::Draft;
use crate::key::{Problem, at, quoted};
use crate::mapping::{Expression, JsonPath, ROWS};
use crate::origin::Origin;
use crate::toml_file::nearest;
use crate::{CheckKind, Format, HttpUrl, LogKind, LogParser, Mapping, ScrapeTarget};

const POSTGRES: &str = "postgres";
const TARGET: &str = "scrape.target";
const SOURCE: &str = "logs.source";
const CHECK: &str = "health.check";

/// Checks everything that has to be right about an entry as a whole, or about all of them.
pub(crate) fn check(draft: &mut Draft) {
    servers(draft);
    sources(draft);
    checks(draft);
    let targets = draft.config.scrape.target.clone();
    let names: Vec<String> = targets.iter().map(|target| target.name.clone()).collect();
    unique(draft, TARGET, &names);
    for (entry, target) in targets.iter().enumerate() {
        short_form(draft, entry, &target.name);
        let key = at(TARGET, entry, "url");
        match &target.url {
            Some(url) => plain_text(
                draft,
                &key,
                url,
                &at(TARGET, entry, "token"),
                !target.token.is_empty(),
            ),
            None if is_unset(draft, &key) => draft.fault(
                &key,
                Problem::new("is missing", "write url = \"http://HOST:PORT/PATH\""),
            ),
            None => {}
        }
        mapped(draft, entry, target);
    }
    let scrape = draft.config.scrape.clone();
    for (key, url, token) in [
        ("scrape.api_metrics_url", &scrape.api_metrics_url, false),
        (
            "scrape.proxy_metrics_url",
            &scrape.proxy_metrics_url,
            !scrape.proxy_admin_token.is_empty(),
        ),
    ] {
        if let Some(url) = url {
            plain_text(draft, key, url, "proxy_admin_token", token);
        }
    }
}

fn servers(draft: &mut Draft) {
    let servers = draft.config.postgres.clone();
    let names: Vec<String> = servers.iter().map(|server| server.name.clone()).collect();
    unique(draft, POSTGRES, &names);
    let mut store = None;
    for (entry, server) in servers.iter().enumerate() {
        let key = at(POSTGRES, entry, "url");
        let Some(url) = &server.url else {
            if !is_unset(draft, &key) {
                continue;
            }
            if let Some(first) = store.replace(entry) {
                draft.fault(
                    &key,
                    Problem::new(
                        format!(
                            "is missing, and postgres[{}] is the store already",
                            first + 1
                        ),
                        "give the address of this server",
                    ),
                );
            }
            continue;
        };
        if url.is_plain_to_another_machine() {
            draft.fault(
                &key,
                Problem::new(
                    format!("has sslmode=disable, and {} is another machine", url.host()),
                    "leave sslmode out, or write sslmode=verify-full",
                ),
            );
        }
    }
}

fn sources(draft: &mut Draft) {
    let sources = draft.config.logs.source.clone();
    let names: Vec<String> = sources.iter().map(|source| source.name.clone()).collect();
    unique(draft, SOURCE, &names);
    for (entry, source) in sources.iter().enumerate() {
        let (key, missing, remedy) = match source.kind {
            LogKind::File => (
                "path",
                source.path.is_none(),
                "write path = \"/var/log/FILE\"",
            ),
            LogKind::Journal => (
                "unit",
                source.unit.is_empty(),
                "write unit = \"NAME.service\"",
            ),
        };
        let key = at(SOURCE, entry, key);
        if missing && is_unset(draft, &key) {
            draft.fault(&key, Problem::new("is missing", remedy));
        }
        if source.kind == LogKind::Journal
            && !matches!(source.parser, LogParser::Auto | LogParser::Journalctl)
        {
            draft.fault(
                &at(SOURCE, entry, "parser"),
                Problem::new("is for files", "leave it out for a source of kind journal"),
            );
        }
        if source.kind == LogKind::File && source.parser == LogParser::Journalctl {
            draft.fault(
                &at(SOURCE, entry, "parser"),
                Problem::new("is for the journal", "write kind = \"journal\" and a unit"),
            );
        }
        let queue = draft.config.collector.queue_dir.clone();
        if source
            .path
            .as_ref()
            .is_some_and(|path| path.starts_with(&queue))
        {
            draft.fault(
                &at(SOURCE, entry, "path"),
                Problem::new(
                    "lies in the collector's own queue_dir",
                    "reading what it writes itself would never end; name another file",
                ),
            );
        }
    }
}

fn checks(draft: &mut Draft) {
    let checks = draft.config.health.check.clone();
    let names: Vec<String> = checks.iter().map(|check| check.name.clone()).collect();
    unique(draft, CHECK, &names);
    for (entry, check) in checks.iter().enumerate() {
        let key = at(CHECK, entry, "target");
        if check.target.is_empty() {
            if is_unset(draft, &key) {
                draft.fault(&key, Problem::new("is missing", "name what the check asks"));
            }
        } else if let Err(problem) = check.read_target() {
            draft.fault(&key, problem);
        }
        let site = at(CHECK, entry, "site");
        if check.kind == CheckKind::Ingest && check.site.is_empty() && is_unset(draft, &site) {
            draft.fault(
                &site,
                Problem::new("is missing", "name the site whose event is sent"),
            );
        }
    }
}

/// Returns whether `key` has no value and no other fault was found with it.
fn is_unset(draft: &Draft, key: &str) -> bool {
    matches!(draft.origin(key), Origin::Default | Origin::Entry(_))
}

/// Checks that every entry has a name, and one of its own.
fn unique(draft: &mut Draft, section: &str, names: &[String]) {
    let mut seen = BTreeMap::new();
    for (entry, name) in names.iter().enumerate() {
        let key = at(section, entry, "name");
        if name.is_empty() {
            if is_unset(draft, &key) {
                draft.fault(
                    &key,
                    Problem::new("is missing", "give each entry a name of its own"),
                );
            }
        } else if let Some(first) = seen.insert(name, entry) {
            draft.fault(
                &key,
                Problem::new(
                    format!(
                        "{} is the name of {section}[{}], too",
                        quoted(name),
                        first + 1
                    ),
                    "give each entry a name of its own",
                ),
            );
        }
    }
}

/// Lets a target named as one of the short forms take its place, unless both were written.
fn short_form(draft: &mut Draft, entry: usize, name: &str) {
    let (key, url) = match name {
        "api" => (
            "scrape.api_metrics_url",
            &draft.config.scrape.api_metrics_url,
        ),
        "proxy" => (
            "scrape.proxy_metrics_url",
            &draft.config.scrape.proxy_metrics_url,
        ),
        _ => return,
    };
    if url.is_some() && draft.origin(key) != Origin::Default {
        draft.fault(
            &at(TARGET, entry, "name"),
            Problem::new(
                format!("is {}, and {key} is a target of this name", quoted(name)),
                format!("keep one of them, or write {key} = \"\""),
            ),
        );
    }
}

/// Warns of what travels in plain text to another machine.
pub(crate) fn plain_text(
    draft: &mut Draft,
    key: &str,
    url: &HttpUrl,
    token_key: &str,
    token: bool,
) {
    if url.tls || url.is_loopback() {
        return;
    }
    if token {
        draft.fault(
            key,
            Problem::new(
                format!("would send {token_key} to {} in plain text", url.host),
                "use https, or an address of this machine",
            ),
        );
    } else {
        draft.warn(
            key,
            Problem::new(
                format!("asks {} in plain text", url.host),
                "use https, unless the network between is yours",
            ),
        );
    }
}

/// Columns and expressions of a target.
fn mapped(draft: &mut Draft, entry: usize, target: &ScrapeTarget) {
    let map = at(TARGET, entry, "map");
    let mapping = at(TARGET, entry, "mapping");
    if target.format == Format::Json && target.mapping != Mapping::Custom {
        let remedy = "write format = \"prometheus\", or remove it";
        draft.fault(
            &mapping,
            Problem::new("is for the format prometheus", remedy),
        );
    }
    let unmapped = target.mapping == Mapping::Custom && target.map.is_empty();
    if target.format == Format::Prometheus && unmapped {
        draft.fault(
            &mapping,
            Problem::new(
                "is custom, and map is empty",
                "name the program, or define columns in [scrape.target.map]",
            ),
        );
    }
    for (column, text) in &target.map {
        let key = format!("{map}.{column}");
        let problem = if !target.kind.has(column) {
            let near = nearest(column, target.kind.columns());
            let remedy = match near {
                Some(near) => format!("did you mean {near}?"),
                None => "see the columns in docs/TARGETS.md".to_owned(),
            };
            Some(Problem::new(
                format!("is not a column of {}", target.kind.table().name),
                remedy,
            ))
        } else if target.format == Format::Json {
            path_problem(column, text)
        } else {
            expression_problem(column, text)
        };
        if let Some(problem) = problem {
            draft.fault(&key, problem);
        }
    }
}

fn path_problem(column: &str, text: &str) -> Option<Problem> {
    if ROWS.contains(&column) {
        return Some(Problem::new(
            "cannot be mapped in JSON",
            "let the application name it so, see docs/TARGETS.md",
        ));
    }
    let problem = JsonPath::parse(text).err()?;
    let remedy = "write e.g. requests.total, or memory_mb * 1048576";
    Some(Problem::new(format!("cannot be read: {problem}"), remedy))
}

fn expression_problem(column: &str, text: &str) -> Option<Problem> {
    let remedy = "write e.g. sum(http_requests_total{code=\"5*\"}); see docs/TARGETS.md";
    match Expression::parse(text) {
        Ok(expression) if expression.fits(column) => None,
        Ok(_) if ROWS.contains(&column) => Some(Problem::new(
            "is rows of another kind",
            "write buckets(NAME) for buckets and by(LABEL, LABEL, NAME) for endpoints",
        )),
        Ok(_) => Some(Problem::new("is rows, and a number is wanted", remedy)),
        Err(problem) => Some(Problem::new(format!("cannot be read: {problem}"), remedy)),
    }
}
