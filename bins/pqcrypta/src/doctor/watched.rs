//! What the collector would see of the servers and applications it watches, asked here and now with
//! its own code.

use std::time::Duration;

use collect::Moment;
use collect::application::{Application, News, Understood};
use collect::postgres::{self, Instance};
use config::Config;
use schema::Timestamp;

use super::Finding;
use super::Finding::{Fail, Ok as Good, Warn};

/// Checks every server: whether it answers, then one finding for each thing that cannot be seen there.
pub(super) async fn servers(config: &Config) -> Vec<(String, Finding)> {
    let timeout = config.collector.query_timeout();
    let mut findings = Vec::new();
    for server in &config.postgres {
        let name = format!("server {}", server.name);
        let gaps = match Instance::of(server, &config.database, timeout) {
            Ok(instance) => postgres::visibility_gaps(instance).await,
            Err(error) => Err(error),
        };
        match gaps {
            Ok(gaps) if gaps.is_empty() => {
                findings.push((name, Good("everything can be seen".to_owned())));
            }
            Ok(gaps) => findings.extend(gaps.into_iter().map(|gap| {
                let place = match gap.database.as_str() {
                    "" => name.clone(),
                    database => format!("{name}, database {database}"),
                };
                (place, Warn(gap.message, gap.remedy))
            })),
            Err(error) => {
                let error = error.to_string();
                let usual = "check its [[postgres]] entry, that it runs, and its pg_hba.conf";
                let remedy = super::remedy(&error, usual);
                findings.push((name, Fail(error, remedy)));
            }
        }
    }
    findings
}

/// Checks every application: whether it answers with values.
pub(super) async fn targets(config: &Config) -> Vec<(String, Finding)> {
    let mut findings = Vec::new();
    for target in config.scrape.targets() {
        let name = format!("target {}", target.name);
        let is_assumed = config.scrape.is_assumed(&target.name);
        let finding = match Application::new(target) {
            Ok(mut application) => match ask(&mut application).await {
                Warn(..) if is_assumed => {
                    Good("nobody named it and nothing is there; watched once it answers".to_owned())
                }
                finding => finding,
            },
            Err(error) => Fail(error.to_string(), "correct its entry".to_owned()),
        };
        findings.push((name, finding));
    }
    findings
}

async fn ask(application: &mut Application) -> Finding {
    let at = Moment {
        ts: Timestamp::default(),
        monotonic: Duration::ZERO,
    };
    match application.collect(&at, &mut Vec::new()).await {
        News::Down(cause) => Warn(
            cause,
            "or set its url to \"\" when there is none".to_owned(),
        ),
        News::Nothing | News::Up => found(&application.understood()),
    }
}

/// Returns what of a mapping was found in the one answer there is. A rate or a quantile has no value yet; that its
/// series are there is what counts.
fn found(understood: &Understood) -> Finding {
    let Understood { filled, mapped, .. } = *understood;
    if understood.lacks_most() || filled == 0 {
        return Warn(
            format!(
                "answers, but {} of {mapped} columns are not there: {}",
                understood.unfilled.len(),
                understood.named()
            ),
            "if it had a request already, see that its mapping and url fit and that its metrics are on"
                .to_owned(),
        );
    }
    Good(match (mapped, understood.unfilled.len()) {
        (0, _) => format!("answers with values for {filled} columns"),
        (_, 0) => format!("answers with values for all {mapped} columns"),
        (_, lacking) => format!(
            "answers with values for {} of {mapped} columns, not for {}",
            mapped - lacking,
            understood.named()
        ),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_without_what_is_looked_for_is_not_good() {
        let understood = |filled, mapped, lacking| Understood {
            filled,
            mapped,
            unfilled: vec!["request_total"; lacking],
        };
        for (filled, mapped, lacking, is_good) in [
            (4, 4, 0, true),
            (3, 4, 1, true),
            (5, 0, 0, true),
            (1, 4, 3, false),
            (0, 4, 4, false),
            (0, 0, 0, false),
        ] {
            let finding = found(&understood(filled, mapped, lacking));
            assert_eq!(matches!(finding, Good(_)), is_good, "{finding:?}");
        }
    }
}
