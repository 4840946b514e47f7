//! The areas of the first page, derived from the catalogue.

use schema::{Domain, Metric};

/// An area: what a person would call one part of the system.
#[derive(Debug, PartialEq, Eq)]
pub struct AreaDef {
    /// As in the API.
    pub id: &'static str,
    /// Its heading.
    pub label: &'static str,
    /// Where to look.
    pub view: &'static str,
}

/// Every area that takes part in the verdict, in the order of the page.
pub const AREAS: &[AreaDef] = &[
    AreaDef {
        id: "cpu",
        label: "CPU & load",
        view: "system",
    },
    AreaDef {
        id: "memory",
        label: "Memory",
        view: "system",
    },
    AreaDef {
        id: "disks",
        label: "Disks & mounts",
        view: "system",
    },
    AreaDef {
        id: "network",
        label: "Network",
        view: "system",
    },
    AreaDef {
        id: "kernel",
        label: "Kernel & clock",
        view: "system",
    },
    AreaDef {
        id: "collector",
        label: "Collector",
        view: "collector",
    },
];

/// Beginnings of names of the host's own metrics; what matches none belongs to the kernel.
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

/// The area a metric belongs to; `None` for those of processes, which are counted by their own
/// badge and take no part in the verdict.
#[must_use]
pub fn area_of(metric: &Metric) -> Option<&'static AreaDef> {
    let id = match metric.domain {
        Domain::Network => "network",
        Domain::Mount | Domain::Disk => "disks",
        Domain::Collector => "collector",
        Domain::Process | Domain::ProcessOne => return None,
        Domain::System => SYSTEM
            .iter()
            .find(|(beginning, _)| metric.name.starts_with(beginning))
            .map_or("kernel", |(_, area)| area),
    };
    AREAS.iter().find(|area| area.id == id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_judged_metric_has_an_area_and_every_area_a_metric() {
        let judged = || {
            schema::METRICS
                .iter()
                .filter(|metric| metric.judged_over_secs > 0)
        };
        for metric in judged() {
            assert!(area_of(metric).is_some(), "{}", metric.id());
        }
        for area in AREAS {
            assert!(
                judged().any(|metric| area_of(metric) == Some(area)),
                "{}",
                area.id
            );
        }
    }
}
