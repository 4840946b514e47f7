//! P3 and P16: the link between agent and server is cut, slow or silent.

#![allow(missing_docs, clippy::unwrap_used, reason = "a test")]

mod common;

use common::{Home, settle_and_check, text, times};
use std::time::Duration;
use testkit::{Cut, Dice, Direction, Mode, Proxy, Server, migrate};

#[tokio::test]
async fn p03_a_link_cut_at_any_byte_loses_and_doubles_nothing() {
    let server = Server::builder().tcp().start().unwrap();
    migrate(&server.target()).await.unwrap();
    let proxy = Proxy::start(server.address().unwrap()).unwrap();
    let home = Home::new(&server.target_at(proxy.address()));
    let agent = home.start();
    let mut dice = Dice::new(3);
    for round in 0..times(40, 500, 2000) {
        let commit = || b"COMMIT".to_vec();
        let mode = match round % 8 {
            0 => Mode::CutOn(commit(), Cut::BeforeServer),
            1 => Mode::CutOn(commit(), Cut::BeforeReply),
            2 => Mode::CutOn(commit(), Cut::AfterReply),
            3 => Mode::CutAfter(Direction::ToServer, dice.below(20_000) as usize),
            4 => Mode::CutAfter(Direction::ToClient, dice.below(2_000) as usize),
            5 => Mode::Reset,
            6 => Mode::Slow(20_000),
            _ => Mode::Latency(Duration::from_millis(100)),
        };
        proxy.set(mode);
        tokio::time::sleep(Duration::from_millis(600 + dice.below(900))).await;
        proxy.set(Mode::Pass);
        // Time to come back: the first pauses are half a second to two seconds.
        tokio::time::sleep(Duration::from_millis(300 + dice.below(1200))).await;
    }
    assert!(proxy.cuts() > 0);
    agent.kill();
    proxy.set(Mode::Pass);
    settle_and_check(&home, &server.target_at(proxy.address())).await;
}

/// A silent link: the server has what it was sent, the agent gives up, asks for a cancel and
/// comes back on a new connection.
#[tokio::test]
async fn p03_a_silent_link_is_given_up() {
    let server = Server::builder().tcp().start().unwrap();
    migrate(&server.target()).await.unwrap();
    let proxy = Proxy::start(server.address().unwrap()).unwrap();
    let home = Home::new(&server.target_at(proxy.address()));
    home.configure(&server.target_at(proxy.address()), "query_timeout_secs = 2");
    let mut agent = home.start();
    let connected = "select count(*) from collector.system_metrics_raw";
    agent
        .until("samples arrive", async || {
            text(&server.target(), connected)
                .await
                .parse::<i64>()
                .unwrap()
                > 1
        })
        .await;
    for mode in [Mode::Blackhole, Mode::HalfOpen] {
        proxy.set(mode);
        tokio::time::sleep(Duration::from_secs(5)).await;
        proxy.set(Mode::Pass);
        let before: i64 = text(&server.target(), connected).await.parse().unwrap();
        agent
            .until("samples arrive again", async || {
                text(&server.target(), connected)
                    .await
                    .parse::<i64>()
                    .unwrap()
                    > before + 4
            })
            .await;
    }
    agent.kill();
    settle_and_check(&home, &server.target_at(proxy.address())).await;
}

#[tokio::test]
async fn p16_a_server_that_is_away_is_asked_seldom_and_its_return_is_noticed() {
    let server = Server::builder().tcp().start().unwrap();
    migrate(&server.target()).await.unwrap();
    let proxy = Proxy::start(server.address().unwrap()).unwrap();
    let home = Home::new(&server.target_at(proxy.address()));
    let mut agent = home.start();
    let stored = "select count(*) from collector.system_metrics_raw";
    agent
        .until("samples arrive", async || {
            text(&server.target(), stored).await.parse::<i64>().unwrap() > 1
        })
        .await;
    proxy.set(Mode::Reset);
    // Every session that was open is cancelled and tried once more, and the writer's pauses grow to between 1.5 and 3 s.
    tokio::time::sleep(Duration::from_secs(5)).await;
    let before = proxy.connections();
    tokio::time::sleep(Duration::from_secs(8)).await;
    let tries = proxy.connections() - before;
    // Six of the writer, and one at each tick of the watched server, which is the same; a busy machine may be late with some
    // of before. Pauses of half a second would be 25.
    assert!(
        (1..=6 + 9 + 4).contains(&tries),
        "{tries} connections in 8 s"
    );
    proxy.set(Mode::Pass);
    let rows: i64 = text(&server.target(), stored).await.parse().unwrap();
    agent
        .until("samples arrive again", async || {
            text(&server.target(), stored).await.parse::<i64>().unwrap() > rows + 8
        })
        .await;
    let sessions =
        "select count(*) from pg_stat_activity where application_name like 'pqcrypta-collector%'";
    agent
        .until(
            "one session delivers, two watch, and one is being replaced",
            async || {
                text(&server.target(), sessions)
                    .await
                    .parse::<i64>()
                    .unwrap()
                    <= 4
            },
        )
        .await;
    agent.kill();
}
