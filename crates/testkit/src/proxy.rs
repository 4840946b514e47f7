//! A link that fails on demand.
//!
//! The proxy lives on a thread with a runtime of its own, so that a test may block or pause its
//! clock. Each connection copies both directions side by side; a change of mode reaches the
//! connections that stand as well as later ones. Cuts are resets, as a crashed peer or a stateful
//! firewall sends them: nothing buffered arrives after.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{ReadHalf, WriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

use crate::error::TestkitError;

/// Which way bytes go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// From client to server.
    ToServer,
    /// From server to client.
    ToClient,
}

/// When, around a pattern that the client sends, the link is cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cut {
    /// The bytes with the pattern never reach the server.
    BeforeServer,
    /// The server gets them, its reply never reaches the client.
    BeforeReply,
    /// The client gets the first bytes of the reply, then the link is cut.
    AfterReply,
}

/// How the link behaves.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Mode {
    /// As if there were no proxy.
    #[default]
    Pass,
    /// Every connection is reset, those that stand and those that come.
    Reset,
    /// Connections stand, but no byte moves.
    Blackhole,
    /// The server is cut off; the client's side stays open and is never answered.
    HalfOpen,
    /// So many bytes per second in each direction.
    Slow(u32),
    /// Each piece arrives so much later.
    Latency(Duration),
    /// New connections are refused; those that stand are reset.
    Refuse,
    /// Cut after exactly so many bytes in one direction, once; then as `Pass`.
    CutAfter(Direction, usize),
    /// Cut when the client sends a pattern, once; then as `Pass`.
    CutOn(Vec<u8>, Cut),
}

#[derive(Debug, Default)]
struct Counts {
    accepted: AtomicUsize,
    cut: AtomicUsize,
    refusing: AtomicBool,
}

/// A proxy in front of a TCP port. It ends with this value.
#[derive(Debug)]
pub struct Proxy {
    address: SocketAddr,
    mode: Arc<watch::Sender<Mode>>,
    counts: Arc<Counts>,
    stop: watch::Sender<bool>,
    thread: Option<JoinHandle<()>>,
}

impl Proxy {
    /// Starts a proxy in front of `upstream`; it passes everything.
    ///
    /// # Errors
    /// When no port can be had.
    pub fn start(upstream: SocketAddr) -> Result<Self, TestkitError> {
        let failed = |source| TestkitError::Io {
            what: "start a proxy for",
            path: upstream.to_string().into(),
            source,
        };
        let listener = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).map_err(failed)?;
        listener.set_nonblocking(true).map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(failed)?;
        let mode = Arc::new(watch::Sender::new(Mode::Pass));
        let counts = Arc::new(Counts::default());
        let (stop, mut stopped) = watch::channel(false);
        let shared = Shared {
            upstream,
            mode: Arc::clone(&mode),
            counts: Arc::clone(&counts),
        };
        let thread = std::thread::spawn(move || {
            runtime.block_on(async {
                tokio::select! {
                    () = accept(listener, address, shared) => {}
                    // An error means that the proxy is gone, which is the same.
                    _ = stopped.changed() => {}
                }
            });
        });
        Ok(Self {
            address,
            mode,
            counts,
            stop,
            thread: Some(thread),
        })
    }

    /// Returns where clients connect.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Changes the behaviour, of connections that stand as well.
    pub fn set(&self, mode: Mode) {
        let refuse = mode == Mode::Refuse;
        self.mode.send_replace(mode);
        // The port is closed or open again when this returns.
        while self.counts.refusing.load(Ordering::SeqCst) != refuse && !self.is_over() {
            std::thread::sleep(Duration::from_millis(1));
        }
    }

    /// Returns the behaviour now; a cut that has happened leaves `Pass`.
    #[must_use]
    pub fn mode(&self) -> Mode {
        self.mode.borrow().clone()
    }

    /// Connections accepted so far.
    #[must_use]
    pub fn connections(&self) -> usize {
        self.counts.accepted.load(Ordering::SeqCst)
    }

    /// Connections that the proxy has cut so far.
    #[must_use]
    pub fn cuts(&self) -> usize {
        self.counts.cut.load(Ordering::SeqCst)
    }

    fn is_over(&self) -> bool {
        self.thread.as_ref().is_none_or(JoinHandle::is_finished)
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.stop.send_replace(true);
        if let Some(thread) = self.thread.take() {
            // A panic in there has been printed.
            drop(thread.join());
        }
    }
}

#[derive(Clone)]
struct Shared {
    upstream: SocketAddr,
    mode: Arc<watch::Sender<Mode>>,
    counts: Arc<Counts>,
}

/// Accepts connections; in mode `Refuse` the port is closed.
async fn accept(listener: std::net::TcpListener, address: SocketAddr, shared: Shared) {
    let mut modes = shared.mode.subscribe();
    let Ok(listener) = TcpListener::from_std(listener) else {
        return;
    };
    let mut listener = Some(listener);
    loop {
        let refuse = *modes.borrow_and_update() == Mode::Refuse;
        if refuse {
            listener = None;
        } else if listener.is_none() {
            listener = TcpListener::bind(address).await.ok();
        }
        shared.counts.refusing.store(refuse, Ordering::SeqCst);
        let accepted = async {
            match &listener {
                Some(listener) => listener.accept().await.ok(),
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            changed = modes.changed() => if changed.is_err() { return },
            accepted = accepted => if let Some((client, _)) = accepted {
                shared.counts.accepted.fetch_add(1, Ordering::SeqCst);
                tokio::spawn(serve(client, shared.clone()));
            },
        }
    }
}

/// How a connection ended.
enum End {
    /// One side closed its end.
    Closed,
    /// The link is to be cut.
    Cut,
    /// The server's side is to be cut, the client is to learn nothing.
    HalfOpen,
}

async fn serve(mut client: TcpStream, shared: Shared) {
    let mode = shared.mode.borrow().clone();
    if matches!(mode, Mode::Reset | Mode::Refuse) {
        shared.counts.cut.fetch_add(1, Ordering::SeqCst);
        return reset(client);
    }
    let Ok(mut server) = TcpStream::connect(shared.upstream).await else {
        return reset(client);
    };
    // Pieces are passed on as they come.
    if client
        .set_nodelay(true)
        .and(server.set_nodelay(true))
        .is_err()
    {
        return reset(client);
    }
    let end = {
        let (client_reads, client_writes) = client.split();
        let (server_reads, server_writes) = server.split();
        // Set once the pattern of a `CutOn` has gone to the server.
        let asked = AtomicBool::new(false);
        let up = Pump::new(Direction::ToServer, &shared, &asked);
        let down = Pump::new(Direction::ToClient, &shared, &asked);
        tokio::select! {
            end = up.run(client_reads, server_writes) => end,
            end = down.run(server_reads, client_writes) => end,
        }
    };
    match end {
        End::Closed => {}
        End::Cut => {
            shared.counts.cut.fetch_add(1, Ordering::SeqCst);
            reset(server);
            reset(client);
        }
        End::HalfOpen => {
            shared.counts.cut.fetch_add(1, Ordering::SeqCst);
            reset(server);
            let mut modes = shared.mode.subscribe();
            drop(modes.wait_for(|mode| *mode != Mode::HalfOpen).await);
            reset(client);
        }
    }
}

/// Closes with a reset instead of in order.
fn reset(stream: TcpStream) {
    // Should it fail, the close that follows is a plain one.
    drop(stream.set_zero_linger());
}

/// One direction of a connection.
struct Pump<'a> {
    direction: Direction,
    shared: &'a Shared,
    asked: &'a AtomicBool,
    modes: watch::Receiver<Mode>,
    /// Bytes passed since the mode was set.
    passed: usize,
    /// End of what was passed, in which a pattern may have begun.
    tail: Vec<u8>,
}

impl<'a> Pump<'a> {
    fn new(direction: Direction, shared: &'a Shared, asked: &'a AtomicBool) -> Self {
        let mut modes = shared.mode.subscribe();
        modes.mark_changed();
        Self {
            direction,
            shared,
            asked,
            modes,
            passed: 0,
            tail: Vec::new(),
        }
    }

    async fn run(mut self, mut from: ReadHalf<'_>, mut to: WriteHalf<'_>) -> End {
        let mut buffer = vec![0; 16 * 1024];
        loop {
            if self.modes.has_changed().unwrap_or(false) {
                self.passed = 0;
                self.tail.clear();
            }
            let mode = self.modes.borrow_and_update().clone();
            match mode {
                Mode::Reset | Mode::Refuse => return End::Cut,
                Mode::HalfOpen => return End::HalfOpen,
                Mode::Blackhole => {
                    if self.modes.changed().await.is_err() {
                        return End::Closed;
                    }
                    continue;
                }
                _ => {}
            }
            let got = tokio::select! {
                _ = self.modes.changed() => {
                    // Looked at above; the change must be seen there too.
                    self.modes.mark_changed();
                    continue;
                }
                got = from.read(&mut buffer) => got,
            };
            let bytes = match got {
                Ok(0) | Err(_) => return End::Closed,
                Ok(count) => &buffer[..count],
            };
            if let Some(end) = self.pass(&mode, bytes, &mut to).await {
                return end;
            }
        }
    }

    /// Passes bytes on according to the mode; returns when the link is closed.
    async fn pass(&mut self, mode: &Mode, bytes: &[u8], to: &mut WriteHalf<'_>) -> Option<End> {
        let mut send = bytes;
        let mut cut = false;
        match mode {
            Mode::Latency(delay) => tokio::time::sleep(*delay).await,
            Mode::Slow(rate) => return self.trickle(*rate, bytes, to).await,
            Mode::CutAfter(direction, most) if *direction == self.direction => {
                let left = most.saturating_sub(self.passed);
                cut = bytes.len() >= left;
                send = &bytes[..bytes.len().min(left)];
            }
            Mode::CutOn(pattern, when) => match self.direction {
                Direction::ToServer => {
                    if self.finds(pattern, bytes) {
                        cut = *when == Cut::BeforeServer;
                        self.asked.store(!cut, Ordering::SeqCst);
                        send = if cut { &[] } else { bytes };
                    }
                }
                Direction::ToClient => {
                    cut = self.asked.load(Ordering::SeqCst);
                    send = if cut && *when == Cut::BeforeReply {
                        &[]
                    } else {
                        bytes
                    };
                }
            },
            _ => {}
        }
        self.passed += send.len();
        if to.write_all(send).await.is_err() {
            return Some(End::Closed);
        }
        if cut {
            // A reset discards what the peer's kernel has not passed on to it yet.
            if !send.is_empty() {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            self.shared.mode.send_replace(Mode::Pass);
            return Some(End::Cut);
        }
        None
    }

    /// Passes on twenty small pieces a second, until the mode changes.
    async fn trickle(&mut self, rate: u32, bytes: &[u8], to: &mut WriteHalf<'_>) -> Option<End> {
        const PER_SECOND: u32 = 20;
        let piece = usize::try_from(rate / PER_SECOND).unwrap_or(1).max(1);
        let pause = Duration::from_secs_f64(piece as f64 / f64::from(rate.max(1)));
        let mut rest = bytes;
        while !rest.is_empty() {
            let slow = matches!(*self.modes.borrow(), Mode::Slow(_));
            let (now, later) = rest.split_at(if slow {
                piece.min(rest.len())
            } else {
                rest.len()
            });
            if to.write_all(now).await.is_err() {
                return Some(End::Closed);
            }
            rest = later;
            if slow {
                tokio::time::sleep(pause).await;
            }
        }
        None
    }

    /// Returns whether `pattern` ends in `bytes`, whatever pieces it came in.
    fn finds(&mut self, pattern: &[u8], bytes: &[u8]) -> bool {
        if pattern.is_empty() {
            return true;
        }
        self.tail.extend_from_slice(bytes);
        let found = self
            .tail
            .windows(pattern.len())
            .any(|window| window == pattern);
        let keep = self.tail.len().saturating_sub(pattern.len() - 1);
        self.tail.drain(..keep);
        found
    }
}
