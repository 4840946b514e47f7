//! The registry: every rule of every evaluator. It depends on the evaluators, so nothing in
//! this crate imports it.

use crate::capacity::CapacityJudge;
use crate::causes::CauseJudge;
use crate::judge::Judge;
use crate::logs::LogJudge;
use crate::rule::Rule;
use crate::slos::SloJudge;
use crate::store_size::StoreSizeJudge;
use crate::tick::TickJudges;

/// Returns every rule.
pub fn rules() -> impl Iterator<Item = &'static Rule> {
    TickJudges::rules()
        .chain(LogJudge::rules())
        .chain(StoreSizeJudge::rules())
        .chain(SloJudge::rules())
        .chain(CapacityJudge::rules())
        .chain(CauseJudge::rules())
}

/// Returns the rule with this identifier; `None` when this version has none.
#[must_use]
pub fn rule(id: &str) -> Option<&'static Rule> {
    rules().find(|rule| rule.id == id)
}

#[cfg(test)]
mod tests {
    use super::*;
    use schema::finding::{CORRELATION, LINE_DOMAINS};

    #[test]
    fn identifiers_are_unique_and_causes_exist() {
        let all: Vec<&Rule> = rules().collect();
        for (place, one) in all.iter().enumerate() {
            assert!(all.iter().skip(place + 1).all(|other| other.id != one.id));
            assert!(one.life.clear_evaluations > 0, "{}", one.id);
            assert!(
                one.because.iter().all(|cause| rule(cause).is_some()),
                "{}",
                one.id
            );
            assert_eq!(rule(one.id), Some(*one));
        }
    }

    #[test]
    fn rules_over_log_lines_and_no_others_have_their_domains() {
        let of_lines: Vec<&Rule> = LogJudge::rules().collect();
        for one in rules() {
            let has_domain = LINE_DOMAINS.contains(&one.domain);
            assert_eq!(has_domain, of_lines.contains(&one), "{}", one.id);
            let is_of_metrics = schema::METRICS
                .iter()
                .any(|metric| metric.domain.as_str() == one.domain);
            let is_of_several = one.domain == CORRELATION;
            assert_ne!(has_domain || is_of_several, is_of_metrics, "{}", one.id);
        }
    }
}
