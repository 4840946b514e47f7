//! `--demo`: two example applications and an example site on ports of their own, so that the views of applications
//! and visits have something to show on a machine without any.

use std::net::{Ipv4Addr, TcpListener};
use std::path::PathBuf;

use anyhow::{Context, Result};

use toml::{Table, Value};

use super::fleet::Program;
use super::settings::Address;
use super::state::State;

/// Name of the example site.
const SITE: &str = "shop.example";

/// The program that is both.
pub(crate) const PROGRAM: &str = "pqcrypta-example-peers";

/// The applications of one start.
#[derive(Debug)]
pub(crate) struct Demo {
    path: PathBuf,
    api: u16,
    proxy: u16,
    site: u16,
    /// Where reports of the site's pages are received.
    analytics: u16,
}

impl Demo {
    /// Chooses four free ports.
    ///
    /// # Errors
    /// When the machine has none.
    pub(crate) fn new(path: PathBuf) -> Result<Self> {
        let free = || TcpListener::bind((Ipv4Addr::LOCALHOST, 0));
        // All are held until all are known, so that they differ.
        let mut held = Vec::new();
        let mut port = || {
            let listener = free().context("no free port")?;
            let port = listener.local_addr()?.port();
            held.push(listener);
            anyhow::Ok(port)
        };
        Ok(Self {
            path,
            api: port()?,
            proxy: port()?,
            site: port()?,
            analytics: port()?,
        })
    }

    /// Returns where the applications tell of themselves.
    pub(crate) fn addresses(&self) -> [Address; 2] {
        [
            Address {
                key: "api_metrics_url",
                variable: "API_METRICS_URL",
                url: format!("http://127.0.0.1:{}/metrics", self.api),
            },
            Address {
                key: "proxy_metrics_url",
                variable: "PROXY_METRICS_URL",
                url: format!("http://127.0.0.1:{}/metrics/json", self.proxy),
            },
        ]
    }

    /// Returns the address of the site.
    pub(crate) fn site_url(&self) -> String {
        format!("http://127.0.0.1:{}/", self.site)
    }

    /// Returns the sections of the configuration that the receiver of its reports needs.
    pub(crate) fn analytics_settings(&self, state: &State) -> Table {
        let text = |text: String| Value::String(text);
        let hosts = ["127.0.0.1", "localhost"].map(|host| text(host.to_owned()));
        let site = Table::from_iter([
            ("domain".to_owned(), text(SITE.to_owned())),
            ("hosts".to_owned(), Value::Array(hosts.into())),
        ]);
        let queue = state.dir.join("analytics-queue");
        Table::from_iter([
            (
                "listen".to_owned(),
                text(format!("127.0.0.1:{}", self.analytics)),
            ),
            ("base_path".to_owned(), text("/".to_owned())),
            (
                "queue_dir".to_owned(),
                text(queue.to_string_lossy().into_owned()),
            ),
            // In memory only: the data of a demonstration need not survive a restart.
            ("salts_file".to_owned(), text(String::new())),
            ("site".to_owned(), Value::Array(vec![Value::Table(site)])),
        ])
    }

    /// Returns how they are started.
    pub(crate) fn into_program(self) -> Program {
        Program {
            name: "example applications",
            path: self.path,
            args: vec![
                self.api.to_string(),
                self.proxy.to_string(),
                self.site.to_string(),
                format!("http://127.0.0.1:{}/pqcrypta-analytics.js", self.analytics),
            ],
            env: Vec::new(),
            unset: Vec::new(),
        }
    }
}
