//! The figures of a site as one static page.
//!
//! Who is to see them needs no way to the dashboard or the database: the page is made beside the database and put where the web server
//! has its files. It loads nothing, has no script, and works in light and dark. Texts of visitors (paths, titles, sources) are escaped
//! and set apart. Rows of few visitors are left out: a path that one visitor saw may be meant for that one.

use std::fmt::Write as _;

use anyhow::{Result, anyhow};
use jiff::civil::Date;
use schema::Unit;
use store::series::ReadError;
use store::traffic::{Asked, Comparison, Filters, Further, Question, Site};
use tokio_postgres::{Client, Row};

/// Days without `--from`.
const DAYS: i64 = 30;
/// Rows of a table.
const ROWS: usize = 20;
/// Longest text in a cell, characters.
const LONGEST: usize = 120;
const STYLE: &str = include_str!("page.css");

/// The figures: column, name, unit.
const FIGURES: &[(&str, &str, Unit)] = &[
    ("visitors", "Daily visitors", Unit::Count),
    ("visits", "Visits", Unit::Count),
    ("views", "Views", Unit::Count),
    ("views_per_visit", "Views per visit", Unit::Ratio),
    ("bounce_pct", "Bounces", Unit::Percent),
    ("median_secs", "Visit, median", Unit::Secs),
    ("engaged_median_secs", "Engaged, median", Unit::Secs),
];

/// The tables: question, title, the column that names a row, and one that is shown beside it.
const TABLES: &[(Question, &str, &str, Option<&str>)] = &[
    (Question::PAGES, "Pages", "page", Some("title")),
    (Question::SOURCES, "Sources", "source", None),
    (Question::COUNTRIES, "Countries", "country", None),
    (Question::BROWSERS, "Browsers", "browser", Some("os")),
    (Question::DEVICES, "Devices", "device", None),
];

/// One row of a table.
#[derive(Debug)]
struct Line {
    name: String,
    beside: String,
    visitors: i64,
    views: i64,
}

/// A day of the curve.
#[derive(Debug)]
struct Point {
    day: Date,
    visitors: i64,
    views: i64,
}

/// Reads the figures of some days, by default the last thirty that are over, and returns the page.
///
/// # Errors
/// When the days are in the wrong order, or the database refuses.
pub(super) async fn page(
    client: &Client,
    site: Site,
    (from, to): (Option<Date>, Option<Date>),
    least: i64,
) -> Result<String> {
    let zone = jiff::tz::TimeZone::get(&site.time_zone).unwrap_or(jiff::tz::TimeZone::UTC);
    let today = jiff::Timestamp::now().to_zoned(zone).date();
    let before = |day: Date, days: i64| day.saturating_sub(jiff::Span::new().days(days));
    let last = to.unwrap_or_else(|| before(today, 1));
    let first = from.unwrap_or_else(|| before(last, DAYS - 1));
    if first > last {
        return Err(anyhow!("--from {first} is after --to {last}"));
    }
    let asked = Asked {
        days: (first, last),
        site,
        comparison: Comparison::None,
        filters: Filters::default(),
    };
    let rows = asked
        .ask(client, Question::SUMMARY, Further::Nothing)
        .await?;
    let figures = rows.first().map(figures).transpose()?.unwrap_or_default();
    let rows = asked
        .ask(client, Question::CURVE, Further::Text("day"))
        .await?;
    let mut points = Vec::new();
    for (at, row) in rows.iter().enumerate() {
        let day = first.saturating_add(jiff::Span::new().days(i64::try_from(at)?));
        let fault = |source| ReadError::new("curve", source);
        points.push(Point {
            day,
            visitors: row.try_get("visitors").map_err(fault)?,
            views: row.try_get("views").map_err(fault)?,
        });
    }
    let mut tables = Vec::new();
    for (question, title, name, beside) in TABLES {
        let rows = asked.ask(client, *question, Further::Nothing).await?;
        let lines = rows.iter().map(|row| line(row, name, *beside));
        let lines: Vec<Line> = lines
            .collect::<Result<_, _>>()
            .map_err(|source| ReadError::new(question.name, source))?;
        tables.push((*title, lines));
    }
    Ok(write(&asked, &figures, &points, &tables, least))
}

fn figures(row: &Row) -> Result<Vec<(&'static str, String)>> {
    let mut found = Vec::new();
    for (column, label, unit) in FIGURES {
        let value = row
            .try_get::<_, Option<i64>>(*column)
            .map(|value| value.map(|value| value as f64))
            .or_else(|_| row.try_get::<_, Option<f64>>(*column))
            .map_err(|source| ReadError::new("summary", source))?;
        let text = value.map_or_else(|| "–".to_owned(), |value| words::value(value, *unit));
        found.push((*label, text));
    }
    Ok(found)
}

fn line(row: &Row, name: &str, beside: Option<&str>) -> Result<Line, tokio_postgres::Error> {
    let text = |column: &str| {
        row.try_get::<_, Option<String>>(column)
            .map(Option::unwrap_or_default)
    };
    Ok(Line {
        name: text(name)?,
        beside: beside.map(text).transpose()?.unwrap_or_default(),
        visitors: row.try_get("visitors")?,
        views: row.try_get("views")?,
    })
}

fn write(
    asked: &Asked,
    figures: &[(&str, String)],
    points: &[Point],
    tables: &[(&str, Vec<Line>)],
    least: i64,
) -> String {
    let domain = escaped(&asked.site.domain);
    let (first, last) = asked.days;
    let mut page = format!(
        "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <title>Visits of {domain}</title>\n<style>\n{STYLE}</style>\n\
         <main>\n<h1>Visits of {domain}</h1>\n<p>{first} to {last}, days of {}.</p>\n<dl class=\"figures\">\n",
        escaped(&asked.site.time_zone)
    );
    for (label, value) in figures {
        add(
            &mut page,
            format_args!("<div><dt>{label}</dt><dd>{}</dd></div>\n", escaped(value)),
        );
    }
    page.push_str("</dl>\n");
    curve(&mut page, points);
    let mut hidden = 0;
    for (title, lines) in tables {
        hidden += table(&mut page, title, lines, least);
    }
    page.push_str("<footer>\n<p>Counted without cookies. A visitor is known for one day, so daily visitors of several days add up.");
    if hidden > 0 {
        add(
            &mut page,
            format_args!(" Rows of fewer than {least} visitors are left out."),
        );
    }
    page.push_str("</p>\n</footer>\n</main>\n</html>\n");
    page
}

/// Draws views and visitors by day, and states them in a table that is folded away.
fn curve(page: &mut String, points: &[Point]) {
    const WIDTH: f64 = 720.0;
    const HEIGHT: f64 = 160.0;
    let most = points
        .iter()
        .map(|point| point.views.max(point.visitors))
        .max()
        .unwrap_or(0);
    if most == 0 {
        page.push_str("<p>No visits in these days.</p>\n");
        return;
    }
    let step = WIDTH / points.len().saturating_sub(1).max(1) as f64;
    let path = |of: fn(&Point) -> i64| {
        let mut path = String::new();
        for (at, point) in points.iter().enumerate() {
            let letter = if at == 0 { 'M' } else { 'L' };
            let x = at as f64 * step;
            let y = HEIGHT - HEIGHT * of(point) as f64 / most as f64;
            add(&mut path, format_args!("{letter}{x:.1} {y:.1}"));
        }
        path
    };
    add(
        page,
        format_args!(
            "<figure>\n<figcaption>By day: <b class=\"views\">views</b> and <b class=\"visitors\">visitors</b>, up to {}</figcaption>\n\
             <svg viewBox=\"0 -4 {WIDTH} {}\" role=\"img\" aria-label=\"Views and visitors by day\" preserveAspectRatio=\"none\">\n\
             <path class=\"views\" d=\"{}\"/>\n<path class=\"visitors\" d=\"{}\"/>\n</svg>\n\
             <details><summary>As a table</summary>\n<table>\n<thead><tr><th scope=\"col\">Day</th>\
             <th scope=\"col\" class=\"number\">Visitors</th><th scope=\"col\" class=\"number\">Views</th></tr></thead>\n<tbody>\n",
            words::value(most as f64, Unit::Count),
            HEIGHT + 8.0,
            path(|point| point.views),
            path(|point| point.visitors),
        ),
    );
    for point in points {
        add(
            page,
            format_args!(
                "<tr><th scope=\"row\">{}</th><td class=\"number\">{}</td><td class=\"number\">{}</td></tr>\n",
                point.day, point.visitors, point.views
            ),
        );
    }
    page.push_str("</tbody>\n</table>\n</details>\n</figure>\n");
}

/// Writes a table; returns how many rows are left out because too few visitors are behind them.
fn table(page: &mut String, title: &str, lines: &[Line], least: i64) -> usize {
    let shown: Vec<&Line> = lines.iter().filter(|line| line.visitors >= least).collect();
    let most = shown
        .iter()
        .map(|line| line.visitors)
        .max()
        .unwrap_or(1)
        .max(1);
    add(page, format_args!("<section>\n<h2>{title}</h2>\n"));
    if shown.is_empty() {
        page.push_str("<p>Nothing to show.</p>\n");
    } else {
        page.push_str(
            "<table>\n<thead><tr><th scope=\"col\">Name</th><th scope=\"col\" class=\"number\">Visitors</th>\
             <th scope=\"col\" class=\"number\">Views</th></tr></thead>\n<tbody>\n",
        );
        for line in shown.iter().take(ROWS) {
            let name = if line.name.is_empty() {
                nameless(title)
            } else {
                &line.name
            };
            let beside = if line.beside.is_empty() {
                String::new()
            } else {
                format!(" <small><bdi>{}</bdi></small>", cut(&line.beside))
            };
            let share = 100.0 * line.visitors as f64 / most as f64;
            add(
                page,
                format_args!(
                    "<tr><th scope=\"row\"><bdi>{}</bdi>{beside}<i style=\"width:{share:.1}%\"></i></th>\
                     <td class=\"number\">{}</td><td class=\"number\">{}</td></tr>\n",
                    cut(name),
                    line.visitors,
                    line.views
                ),
            );
        }
        page.push_str("</tbody>\n</table>\n");
    }
    page.push_str("</section>\n");
    lines.len() - shown.len()
}

/// Returns what a row without a name is.
fn nameless(title: &str) -> &'static str {
    match title {
        "Sources" => "direct",
        _ => "unknown",
    }
}

fn add(page: &mut String, text: std::fmt::Arguments<'_>) {
    let _infallible = page.write_fmt(text);
}

/// Returns a text that is at most so long, escaped.
fn cut(text: &str) -> String {
    escaped(&words::cut(text, LONGEST))
}

/// Returns a text as HTML has it, in elements and in attributes.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            character => escaped.push(character),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    fn line(name: &str, visitors: i64) -> Line {
        Line {
            name: name.to_owned(),
            beside: String::new(),
            visitors,
            views: visitors * 2,
        }
    }

    #[test]
    fn texts_of_strangers_are_inert_and_few_visitors_are_left_out() {
        let asked = Asked {
            site: Site {
                id: 1,
                domain: "example.org".to_owned(),
                time_zone: "UTC".to_owned(),
                first: None,
            },
            days: (date(2026, 11, 1), date(2026, 11, 2)),
            comparison: Comparison::None,
            filters: Filters::default(),
        };
        let points = [(1, 3, 9), (2, 0, 0)].map(|(day, visitors, views)| Point {
            day: date(2026, 11, day),
            visitors,
            views,
        });
        let tables = [(
            "Pages",
            vec![
                line("/<script>alert('x')</script>", 7),
                line("/letter-to-ann", 1),
                line("", 6),
            ],
        )];
        let page = write(&asked, &[("Visits", "3".to_owned())], &points, &tables, 5);
        assert!(
            page.contains("/&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;"),
            "{page}"
        );
        assert!(
            !page.contains("<script") && !page.contains("letter-to-ann"),
            "{page}"
        );
        assert!(page.contains("Rows of fewer than 5 visitors are left out."));
        assert!(page.contains("<bdi>unknown</bdi>"));
        assert!(page.contains("d=\"M0.0 0.0L720.0 160.0\""), "{page}");
        // It loads nothing.
        for word in ["http:", "https:", "src=", "href=", "url(", "@import"] {
            assert!(!page.contains(word), "{word}");
        }
        let empty = write(&asked, &[], &[], &[], 5);
        assert!(empty.contains("No visits in these days."));
    }
}
