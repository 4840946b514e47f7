//! The areas of the first page, derived from the catalogue.
//!
//! A host has a processor and a disk, but not each has a PostgreSQL server or an API: the areas of
//! [`AreaDef::may_be_absent`] are absent, and no cause for concern, as long as nothing of them is
//! sampled.

use std::collections::HashMap;

use schema::{Domain, Metric};

/// Kind (`api` or `proxy`) of each target, by its name.
pub(crate) type Kinds = HashMap<String, String>;

/// An area: a part of the system as users name it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct AreaDef {
    /// Its name in the API.
    pub id: &'static str,
    /// Its heading.
    pub label: &'static str,
    /// The view that shows it.
    pub view: &'static str,
    /// Whether a host may lack it.
    pub may_be_absent: bool,
}

/// All areas of the verdict, in the order of the page.
pub(crate) const AREAS: &[AreaDef] = &[
    AreaDef {
        id: "cpu",
        label: "CPU & load",
        view: "system",
        may_be_absent: false,
    },
    AreaDef {
        id: "memory",
        label: "Memory",
        view: "system",
        may_be_absent: false,
    },
    AreaDef {
        id: "disks",
        label: "Disks & mounts",
        view: "system",
        may_be_absent: false,
    },
    AreaDef {
        id: "network",
        label: "Network",
        view: "system",
        may_be_absent: false,
    },
    AreaDef {
        id: "kernel",
        label: "Kernel & clock",
        view: "system",
        may_be_absent: false,
    },
    AreaDef {
        id: "postgres",
        label: "PostgreSQL",
        view: "postgres",
        may_be_absent: true,
    },
    AreaDef {
        id: "replication",
        label: "Replication",
        view: "replication",
        may_be_absent: true,
    },
    AreaDef {
        id: "api",
        label: "API",
        view: "api",
        may_be_absent: true,
    },
    AreaDef {
        id: "proxy",
        label: "Proxy",
        view: "api",
        may_be_absent: true,
    },
    AreaDef {
        id: "logs",
        label: "Logs",
        view: "logs",
        may_be_absent: true,
    },
    AreaDef {
        id: "collector",
        label: "Collector",
        view: "collector",
        may_be_absent: false,
    },
];

/// Prefixes of the names of the host's own metrics; any other metric belongs to the kernel.
const SYSTEM: &[(&str, &str)] = &[
    ("cpu_iowait", "disks"),
    ("cpu_", "cpu"),
    ("core_", "cpu"),
    ("load_", "cpu"),
    ("pressure_cpu", "cpu"),
    ("pressure_memory", "memory"),
    ("pressure_io", "disks"),
    ("mem_", "memory"),
    ("swap_", "memory"),
    ("oom_", "memory"),
    ("net_", "network"),
    ("tcp_", "network"),
    ("listen_", "network"),
    ("conntrack_", "network"),
];

/// Returns the area of a metric; `None` for those of processes, which have their own badge and do not
/// affect the verdict. Whether a target answers concerns the area of its kind.
#[must_use]
pub(crate) fn area_of(
    metric: &Metric,
    key: Option<&str>,
    kinds: &Kinds,
) -> Option<&'static AreaDef> {
    let id = match metric.domain {
        Domain::Network => "network",
        Domain::Mount | Domain::Disk => "disks",
        Domain::Collector => "collector",
        Domain::Process | Domain::ProcessOne => return None,
        Domain::System => SYSTEM
            .iter()
            .find(|(beginning, _)| metric.name.starts_with(beginning))
            .map_or("kernel", |(_, area)| area),
        Domain::Db
        | Domain::Database
        | Domain::Table
        | Domain::Index
        | Domain::Statement
        | Domain::Io => "postgres",
        Domain::Replication => "replication",
        Domain::Api => "api",
        Domain::Proxy => "proxy",
        Domain::Log => "logs",
        Domain::Target => match key.and_then(|key| kinds.get(key)) {
            Some(kind) if kind == "proxy" => "proxy",
            _ => "api",
        },
        // What is checked may be an API, a proxy or the site behind both; a site without views may have lost any of them.
        Domain::Check | Domain::Traffic => "api",
    };
    AREAS.iter().find(|area| area.id == id)
}

/// Returns whether a metric belongs to a service, which is sampled at a separate interval.
#[must_use]
pub(crate) fn of_service(metric: &Metric) -> bool {
    metric.domain.is_of_service()
}

/// Returns the domain of this name; every domain has a metric.
#[must_use]
pub(crate) fn domain_of(name: &str) -> Option<Domain> {
    let mut domains = schema::METRICS.iter().map(|metric| metric.domain);
    domains.find(|domain| domain.as_str() == name)
}

/// Returns the view that shows a domain.
#[must_use]
pub(crate) fn view_of(domain: Domain) -> &'static str {
    match domain {
        Domain::Process | Domain::ProcessOne => "processes",
        Domain::Collector => "collector",
        Domain::Db | Domain::Database => "postgres",
        Domain::Table | Domain::Index => "tables",
        Domain::Statement | Domain::Io => "queries",
        Domain::Replication => "replication",
        Domain::Api | Domain::Proxy | Domain::Target | Domain::Check => "api",
        Domain::Traffic => "traffic",
        Domain::Log => "logs",
        Domain::System | Domain::Network | Domain::Mount | Domain::Disk => "system",
    }
}

/// The impact of a problem, the worst first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Impact {
    /// It is down: neither it nor its dependants work, and its other figures do not count.
    Down,
    /// Users notice: requests fail or take long, sessions wait, connections are refused.
    Felt,
    /// A resource is running out, which users will notice.
    Saturated,
    /// Any other: ratios, ages, what only costs.
    Other,
}

/// Returns the impact of a finding of this rule about a metric.
#[must_use]
pub(crate) fn impact_of(rule: &str, metric: Option<&Metric>) -> Impact {
    let Some(metric) = metric else {
        return match rule {
            "process_missing" => Impact::Down,
            _ => Impact::Other,
        };
    };
    match (metric.domain, metric.name) {
        (Domain::Db | Domain::Target | Domain::Check, "up") => Impact::Down,
        // Figures that an API reports of its database are causes.
        (Domain::Api, name) if name.starts_with("db_") => Impact::Other,
        (Domain::Api | Domain::Proxy, _)
        | (Domain::Db, "conn_waiting" | "longest_lock_wait_secs" | "deadlocks_per_sec")
        | (Domain::System, "listen_overflows_per_sec") => Impact::Felt,
        (Domain::System, "clock_synced") => Impact::Other,
        (Domain::System | Domain::Mount | Domain::Disk | Domain::Network, _)
        | (Domain::Db, "conn_used_pct" | "wraparound_pct" | "multixact_wraparound_pct")
        | (Domain::Collector, "spool_used_pct") => Impact::Saturated,
        _ => Impact::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_evaluated_metric_has_an_area_and_every_area_a_metric() {
        let evaluated = || {
            schema::METRICS
                .iter()
                .filter(|metric| metric.evaluated_over_secs > 0)
        };
        let none = Kinds::new();
        for metric in evaluated() {
            let area = area_of(metric, None, &none);
            let may_be_absent = area.map(|area| area.may_be_absent);
            assert_eq!(may_be_absent, Some(of_service(metric)), "{}", metric.id());
        }
        for area in AREAS {
            let mine = |metric| area_of(metric, None, &none) == Some(area);
            assert!(evaluated().any(mine), "{}", area.id);
        }
    }

    #[test]
    fn what_is_down_counts_most_then_what_users_notice_then_what_runs_out() {
        let impact = |id| impact_of(id, schema::metric(id));
        for (id, expected) in [
            ("db.up", Impact::Down),
            ("target.up", Impact::Down),
            ("api.error_pct", Impact::Felt),
            ("proxy.latency_p95_ms", Impact::Felt),
            ("db.conn_waiting", Impact::Felt),
            ("db.longest_lock_wait_secs", Impact::Felt),
            ("system.listen_overflows_per_sec", Impact::Felt),
            ("db.conn_used_pct", Impact::Saturated),
            ("mount.used_pct", Impact::Saturated),
            ("system.mem_used_pct", Impact::Saturated),
            ("system.clock_synced", Impact::Other),
            ("db.cache_hit_pct", Impact::Other),
            ("api.db_cache_hit_pct", Impact::Other),
            ("process_missing", Impact::Down),
            ("process_cpu", Impact::Other),
        ] {
            assert_eq!(impact(id), expected, "{id}");
        }
        let ranks = [Impact::Down, Impact::Felt, Impact::Saturated, Impact::Other];
        assert!(ranks.is_sorted());
    }

    #[test]
    fn a_target_belongs_to_the_area_of_its_kind() {
        let kinds = Kinds::from([("edge".to_owned(), "proxy".to_owned())]);
        let up = schema::metric("target.up").unwrap();
        for (key, area) in [("edge", "proxy"), ("shop", "api")] {
            assert_eq!(area_of(up, Some(key), &kinds).unwrap().id, area);
        }
    }
}
