//! `pqcrypta traffic export`.

use std::io::Write as _;
use std::process::ExitCode;

use anyhow::{Context as _, Result, anyhow};
use futures_util::TryStreamExt as _;
use jiff::civil::Date;
use tokio_postgres::types::ToSql;

use crate::Unprinted;
use crate::settings::{self, refuse};

/// Export visits, views, events or anonymous views of a site as CSV, or its figures as a static page
///
/// `page` prints one HTML page that loads nothing and has no script, for a web server that must not reach the database: figures, a curve
/// by day and the most visited pages, sources, countries, browsers and devices, by default of the last thirty days that are over.
///
/// Days are those of the site. Text that a spreadsheet would read as a formula begins with an apostrophe. Rows are there as far as
/// they are kept; those of health checks are left out. Acts as a role that may read the views of the schema.
#[derive(Debug, clap::Args)]
pub(super) struct Options {
    #[command(flatten)]
    source: settings::Source,
    /// What is exported
    #[arg(value_enum)]
    what: What,
    /// The site [default: the only one]
    #[arg(long, value_name = "DOMAIN")]
    site: Option<String>,
    /// First day
    #[arg(long, value_name = "DAY")]
    from: Option<Date>,
    /// Last day
    #[arg(long, value_name = "DAY")]
    to: Option<Date>,
    /// One visit, by its session_id: what is known of one visitor
    #[arg(long, value_name = "ID")]
    visit: Option<String>,
    /// Of the page: rows of fewer visitors are left out, as what one visitor saw may be meant for that one
    #[arg(long, value_name = "VISITORS", default_value_t = 5)]
    least: i64,
}

#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum What {
    /// Visits
    Visits,
    /// Views of pages
    Views,
    /// Events
    Events,
    /// Views without consent
    Anonymous,
    /// The figures, as a page of HTML
    Page,
}

impl What {
    /// Returns the statement of its rows; nothing for a page.
    const fn rows(self) -> Option<&'static str> {
        match self {
            Self::Visits => Some(include_str!("visits.sql")),
            Self::Views => Some(include_str!("views.sql")),
            Self::Events => Some(include_str!("events.sql")),
            Self::Anonymous => Some(include_str!("anonymous.sql")),
            Self::Page => None,
        }
    }
}

/// Prints the rows, or the page.
///
/// # Errors
/// When there is no such site, the database refuses, or standard output cannot be written.
pub(super) async fn run(options: &Options) -> Result<ExitCode> {
    let loaded = match options.source.load() {
        Ok(loaded) => loaded,
        Err(faults) => return Ok(refuse(&faults)),
    };
    let visit = match (&options.visit, options.what) {
        (Some(_), What::Page) => return Err(anyhow!("a page is of all visits")),
        (Some(_), What::Anonymous) => return Err(anyhow!("anonymous views belong to no visit")),
        (Some(text), _) => {
            u64::from_str_radix(text, 16)
                .map_err(|_| anyhow!("--visit {text:?} is no session_id: they are hexadecimal"))?;
            Some(text.to_ascii_lowercase())
        }
        (None, _) => None,
    };
    let session = super::connect(&loaded, None, "pqcrypta traffic export").await?;
    let client = &session.client;
    let found = client
        .query(
            include_str!("sites.sql"),
            &[&options.site.as_deref().map(str::to_ascii_lowercase)],
        )
        .await
        .map_err(crate::roles::server_words)?;
    let site: i32 = match found.as_slice() {
        [one] => one.try_get(0).context("cannot read the site")?,
        [] => return Err(anyhow!("no such site has been counted yet")),
        _ => return Err(anyhow!("there are several sites: name one with --site")),
    };
    let Some(select) = options.what.rows() else {
        let sites = store::traffic::sites(client).await?;
        let site = sites
            .into_iter()
            .find(|one| one.id == site)
            .context("the site has been removed")?;
        let page =
            super::page::page(client, site, (options.from, options.to), options.least).await?;
        let mut out = std::io::stdout().lock();
        let written = out.write_all(page.as_bytes()).and_then(|()| out.flush());
        written.map_err(|error| anyhow::Error::new(Unprinted(error)))?;
        return Ok(ExitCode::SUCCESS);
    };
    let statement = client
        .prepare(select)
        .await
        .map_err(crate::roles::server_words)
        .context("cannot read what is stored")?;
    let header: Vec<&str> = statement
        .columns()
        .iter()
        .map(tokio_postgres::Column::name)
        .collect();
    let mut out = std::io::BufWriter::new(std::io::stdout().lock());
    let mut line = |fields: &[Option<&str>]| {
        out.write_all(csv_line(fields).as_bytes())
            .map_err(|error| anyhow::Error::new(Unprinted(error)))
    };
    line(&header.iter().map(|name| Some(*name)).collect::<Vec<_>>())?;
    let days = [options.from, options.to].map(|day| day.map(|day| day.to_string()));
    let params: [&(dyn ToSql + Sync); 4] = [&site, &days[0], &days[1], &visit];
    let rows = client
        .query_raw(&statement, params)
        .await
        .map_err(crate::roles::server_words)?;
    let mut rows = std::pin::pin!(rows);
    while let Some(row) = rows.try_next().await.map_err(crate::roles::server_words)? {
        let cells: Vec<Option<&str>> = (0..header.len())
            .map(|at| row.try_get(at).context("cannot read a row"))
            .collect::<Result<_>>()?;
        line(&cells)?;
    }
    out.flush()
        .map_err(|error| anyhow::Error::new(Unprinted(error)))?;
    Ok(ExitCode::SUCCESS)
}

/// Returns a line of CSV; what a spreadsheet would evaluate begins with an apostrophe.
fn csv_line(fields: &[Option<&str>]) -> String {
    let mut line = String::new();
    for (at, field) in fields.iter().enumerate() {
        if at > 0 {
            line.push(',');
        }
        let field = field.unwrap_or_default();
        let is_formula =
            field.starts_with(['=', '+', '-', '@', '\t', '\r']) && field.parse::<f64>().is_err();
        let guard = if is_formula { "'" } else { "" };
        if field.contains([',', '"', '\n', '\r']) {
            line.push('"');
            line.push_str(guard);
            line.push_str(&field.replace('"', "\"\""));
            line.push('"');
        } else {
            line.push_str(guard);
            line.push_str(field);
        }
    }
    line.push_str("\r\n");
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_quoted_and_guarded() {
        let fields = [
            Some("a"),
            None,
            Some("say \"x\", y"),
            Some("=cmd()"),
            Some("-1.5"),
            Some("-x,"),
        ];
        assert_eq!(
            csv_line(&fields),
            "a,,\"say \"\"x\"\", y\",'=cmd(),-1.5,\"'-x,\"\r\n"
        );
    }
}
