//! `--demo`: two example applications on ports of their own, so that the views of applications have
//! something to show on a machine without any.

use std::net::{Ipv4Addr, TcpListener};
use std::path::PathBuf;

use anyhow::{Context, Result};

use super::fleet::Program;

/// The program that is both.
pub(crate) const PROGRAM: &str = "pqcrypta-example-peers";

/// The applications of one start.
#[derive(Debug)]
pub(crate) struct Demo {
    path: PathBuf,
    api: u16,
    proxy: u16,
}

impl Demo {
    /// Chooses two free ports.
    ///
    /// # Errors
    /// When the machine has none.
    pub(crate) fn new(path: PathBuf) -> Result<Self> {
        let free = || TcpListener::bind((Ipv4Addr::LOCALHOST, 0));
        // Both are held until both are known, so that they differ.
        let held = (
            free().context("no free port")?,
            free().context("no free port")?,
        );
        Ok(Self {
            path,
            api: held.0.local_addr()?.port(),
            proxy: held.1.local_addr()?.port(),
        })
    }

    /// Variables that lead the collector to them.
    pub(crate) fn addresses(&self) -> [(&'static str, String); 2] {
        [
            (
                "API_METRICS_URL",
                format!("http://127.0.0.1:{}/metrics", self.api),
            ),
            (
                "PROXY_METRICS_URL",
                format!("http://127.0.0.1:{}/metrics/json", self.proxy),
            ),
        ]
    }

    /// Returns how they are started.
    pub(crate) fn into_program(self) -> Program {
        Program {
            name: "example applications",
            path: self.path,
            args: vec![self.api.to_string(), self.proxy.to_string()],
            env: Vec::new(),
            unset: Vec::new(),
        }
    }
}
