//! `pqcrypta traffic import`.

use std::fmt::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

use analytics::import::{Import, Outcome, Request, Source};
use analytics::networks::Databases;
use analytics::settings::configured;
use anyhow::{Context as _, Result, anyhow};
use schema::Timestamp;

use crate::settings::{self, refuse};

/// Import visits: access logs (common, combined, Caddy), exports of Plausible and Umami
///
/// Files may be packed (gz, zip) or lie in folders. All of a run are stored, or nothing; a file that was imported before is left out, and so is
/// what is of a day that the tracker counted, or that is not over. Give all logs of a time at once: visitors are told apart within a run.
/// Acts as the owner of the schema, as `pqcrypta migrate` does.
#[derive(Debug, clap::Args)]
pub(super) struct Options {
    #[command(flatten)]
    source: settings::Source,
    /// The site, as [[analytics.site]] has it [default: the only one]
    #[arg(long, value_name = "DOMAIN")]
    site: Option<String>,
    /// Role that owns the schema; the login role must be a member of it
    #[arg(long, value_name = "ROLE")]
    owner: Option<String>,
    /// Say what would be imported, and store nothing
    #[arg(long)]
    dry_run: bool,
    /// Paths that are no pages, in access logs; * stands for any text; may be repeated
    #[arg(long, value_name = "PATH")]
    without: Vec<String>,
    /// Files, folders, or archives
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
}

/// Imports.
///
/// # Errors
/// When a file is faulty or the database refuses; nothing is stored then.
pub(super) async fn run(options: &Options) -> Result<ExitCode> {
    let loaded = match options.source.load() {
        Ok(loaded) => loaded,
        Err(faults) => return Ok(refuse(&faults)),
    };
    if let Err(faults) = configured::check(&loaded) {
        return Ok(refuse(&faults));
    }
    let receiver = configured::server(&loaded.config);
    let site = site(&receiver.sites, options.site.as_deref())?;
    let mut sources = Vec::new();
    for path in &options.files {
        let found =
            Source::find(path).with_context(|| format!("cannot read {}", path.display()))?;
        sources.extend(found);
    }
    let databases = Databases::new(configured::files(&loaded.config));
    if let Some(key) = databases.faults().first() {
        return Err(anyhow!(
            "cannot read the file that analytics.{key} names: mend it, or take the key out for the import"
        ));
    }
    let session =
        super::connect(&loaded, options.owner.as_deref(), "pqcrypta traffic import").await?;
    let maker = super::connect(
        &loaded,
        options.owner.as_deref(),
        "pqcrypta traffic partitions",
    )
    .await?;
    let import = Import {
        settings: &receiver,
        databases: &databases,
        site,
        retention: configured::retention(&loaded.config),
        read,
        without: &options.without,
        is_dry: options.dry_run,
        now: Timestamp(jiff::Timestamp::now().as_microsecond()),
    };
    let outcome = import
        .run(&session, &maker, sources)
        .await
        .context("nothing was imported")?;
    crate::print(&words(&outcome, options.dry_run))?;
    Ok(ExitCode::SUCCESS)
}

/// Returns the site that is meant.
fn site<'a>(
    sites: &'a [analytics::settings::Site],
    name: Option<&str>,
) -> Result<&'a analytics::settings::Site> {
    match (name, sites) {
        (None, [only]) => Ok(only),
        (None, []) => Err(anyhow!(
            "no site is configured: write [[analytics.site]] with its domain"
        )),
        (None, _) => Err(anyhow!("there are several sites: name one with --site")),
        (Some(name), _) => sites
            .iter()
            .find(|site| site.domain.eq_ignore_ascii_case(name))
            .ok_or_else(|| {
                anyhow!("{name} is not configured: write [[analytics.site]] with this domain")
            }),
    }
}

/// Reads a line of an access log.
fn read(line: &str) -> Option<Request<'_>> {
    let request = logs::parse::request(line)?;
    Some(Request {
        host: request.host,
        client: request.client,
        at: request.at,
        method: request.method,
        target: request.target,
        status: request.status,
        referer: request.referer,
        agent: request.agent,
    })
}

/// Returns what was done in words, a line each.
fn words(outcome: &Outcome, is_dry: bool) -> String {
    let mut text = String::new();
    let mut line = |words: String| {
        // Writing to a text does not fail.
        let _written = writeln!(text, "{words}");
    };
    for (name, kind, count) in &outcome.files {
        line(format!("{name}: {kind}, {count} counted"));
    }
    for name in &outcome.known {
        line(format!("{name}: imported before"));
    }
    for name in &outcome.skipped {
        line(format!("{name}: nothing to count"));
    }
    for ((reason, detail), count) in &outcome.refused {
        let words = store::traffic::reason(reason);
        let detail = if detail.is_empty() {
            String::new()
        } else {
            format!(" ({detail})")
        };
        line(format!("refused: {count} × {words}{detail}"));
    }
    for (reason, (count, first)) in &outcome.tally.left_out {
        line(format!("left out: {count} × {reason}, first at {first}"));
    }
    let verb = if is_dry {
        "would be imported"
    } else {
        "imported"
    };
    let days = match (outcome.days.first(), outcome.days.last()) {
        (Some(first), Some(last)) => {
            format!(" of {} days from {first} to {last}", outcome.days.len())
        }
        _ => String::new(),
    };
    line(format!(
        "{verb}: {} views and {} events{days}",
        outcome.views, outcome.events
    ));
    text
}
