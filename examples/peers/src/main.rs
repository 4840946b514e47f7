//! `pqcrypta-example-peers [API_PORT [PROXY_PORT [SITE_PORT TRACKER_URL]]]`: both applications on the loopback, by
//! default at the ports where the collector looks for them; with a port and the address of a tracker, a site, too.

use std::net::Ipv4Addr;
use std::time::{Duration, SystemTime};

use anyhow::{Context, Result};
use example_peers::{Peer, serve, serve_site};
use tokio::net::TcpListener;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1);
    let mut listen = async |peer: Peer, usual: u16| -> Result<TcpListener> {
        let port = match arguments.next() {
            Some(text) => text
                .parse()
                .with_context(|| format!("{text:?} is not a port"))?,
            None => usual,
        };
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await;
        let listener = listener.with_context(|| format!("cannot listen on 127.0.0.1:{port}"))?;
        println!("{peer:?}: http://{}{}", listener.local_addr()?, peer.path());
        Ok(listener)
    };
    let (api, proxy) = (
        listen(Peer::Api, 3003).await?,
        listen(Peer::Proxy, 8082).await?,
    );
    let site = async {
        match (std::env::args().nth(3), std::env::args().nth(4)) {
            (Some(port), Some(tracker)) => {
                let port = port
                    .parse()
                    .with_context(|| format!("{port:?} is not a port"))?;
                let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await;
                let listener =
                    listener.with_context(|| format!("cannot listen on 127.0.0.1:{port}"))?;
                println!("Site: http://{}/", listener.local_addr()?);
                Ok(serve_site(listener, tracker).await?)
            }
            _ => std::future::pending().await,
        }
    };
    tokio::try_join!(
        async { Ok::<_, anyhow::Error>(serve(api, Peer::Api, clock).await?) },
        async { Ok(serve(proxy, Peer::Proxy, clock).await?) },
        site
    )?;
    Ok(())
}

#[expect(
    clippy::disallowed_methods,
    reason = "the clock of this program: time is read here and nowhere else"
)]
fn clock() -> Duration {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    now.unwrap_or_default()
}
