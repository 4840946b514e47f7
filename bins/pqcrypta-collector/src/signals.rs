//! SIGTERM and Ctrl-C: the first asks for an orderly end, the second ends at once. SIGHUP: the
//! configuration is read again.

use std::sync::Arc;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::{Notify, watch};

/// Requests by signals.
#[derive(Debug)]
pub(crate) struct Signals {
    /// Turns true with the first signal to stop.
    pub(crate) stop: watch::Receiver<bool>,
    /// Notified by each SIGHUP; several at once count as one.
    pub(crate) reload: Arc<Notify>,
}

/// Installs the handlers. A second signal to stop ends the process at once: samples are in the spool.
pub(crate) fn listen() -> std::io::Result<Signals> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut hangup = signal(SignalKind::hangup())?;
    let (stop, stopped) = watch::channel(false);
    let reload = Arc::new(Notify::new());
    let asked = Arc::clone(&reload);
    tokio::spawn(async move {
        loop {
            let signal = tokio::select! {
                _ = terminate.recv() => "SIGTERM",
                _ = interrupt.recv() => "SIGINT",
                _ = hangup.recv() => {
                    asked.notify_one();
                    continue;
                }
            };
            if *stop.borrow() {
                tracing::warn!(signal, "second signal: ending at once");
                std::process::exit(1);
            }
            tracing::info!(signal, "stopping");
            stop.send_replace(true);
        }
    });
    Ok(Signals {
        stop: stopped,
        reload,
    })
}
