//! P2: the server dies under the agent, in every way.

#![allow(missing_docs, clippy::unwrap_used, reason = "a test")]

mod common;

use common::{Home, settle_and_check, times};
use std::time::Duration;
use testkit::{Dice, Server, Stop, migrate};

#[tokio::test]
async fn p02_a_server_that_dies_at_any_instant_loses_and_doubles_nothing() {
    // With fsync as in production: what it acknowledged must survive it.
    let server = Server::builder().fsync().start().unwrap();
    migrate(&server.target()).await.unwrap();
    let home = Home::new(&server.target());
    let agent = home.start();
    let mut dice = Dice::new(2);
    for round in 0..times(10, 200, 500) {
        tokio::time::sleep(Duration::from_millis(500 + dice.below(2500))).await;
        match round % 4 {
            0 => server.stop(Stop::Immediate).unwrap(),
            1 => server.kill_postmaster().unwrap(),
            2 => server.stop(Stop::Fast).unwrap(),
            _ => {
                server
                    .sql("select pg_terminate_backend(pid) from pg_stat_activity where application_name like 'pqcrypta-collector%'")
                    .await
                    .unwrap();
                continue;
            }
        }
        tokio::time::sleep(Duration::from_millis(dice.below(1000))).await;
        server.start().unwrap();
    }
    agent.kill();
    settle_and_check(&home, &server.target()).await;
}
