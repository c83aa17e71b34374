//! The server is killed again and again while people use it. Nothing may be lost and nothing may happen twice.

use std::time::Duration;

use futures::future::join_all;

use crate::fire::life::Life;
use crate::fire::walk::at_rest;
use crate::story::{buy_with_stars, take_trial};
use crate::support::ports;
use crate::support::town::Town;
use crate::support::wait::eventually;

const PEOPLE: i64 = 6;

#[tokio::test(flavor = "multi_thread")]
async fn killed_at_any_instant_it_loses_nothing_and_repeats_nothing() {
    let town = Town::found().await;
    let outline = town.add_outline().await;
    let plan = town.popular_plan().await;
    let mut spawn = town.spawner();
    let server = town.spawn();
    town.until_connected().await;
    let people: Vec<_> = (1..=PEOPLE).map(|n| town.person(600 + n, "Ana", "es")).collect();
    let lives = join_all(people.iter().map(async |person| {
        take_trial(person).await;
        buy_with_stars(person, plan).await;
    }));
    let kills = async {
        let mut server = server;
        for round in 0..8u64 {
            // Not a wait for something: the instants of the kills are to fall anywhere.
            tokio::time::sleep(Duration::from_millis(600 + 137 * (round * 7 % 5))).await;
            server.kill();
            server = spawn();
        }
        server
    };
    let (_, mut server) = tokio::join!(lives, kills);
    let limit = Duration::from_secs(90);
    let paid = "SELECT COUNT(*) FROM payments WHERE status = 'completed'";
    eventually(limit, async || town.count(paid).await == PEOPLE).await;
    town.quiet().await;
    // Every person has one trial, one purchase, two configs; money in equals what was given.
    assert_eq!(town.count("SELECT COUNT(*) FROM trials").await, PEOPLE);
    assert_eq!(town.count("SELECT COUNT(*) FROM subscriptions").await, PEOPLE * 2);
    assert_eq!(town.count("SELECT COUNT(*) FROM ledger_entries").await, PEOPLE);
    assert_eq!(town.count("SELECT COUNT(*) FROM unmatched_charges").await, 0);
    assert_eq!(town.count("SELECT COUNT(*) FROM vpn_configs WHERE status = 'active'").await, PEOPLE * 2);
    assert_eq!(town.count("SELECT COUNT(*) FROM inbound_events WHERE status = 'dead'").await, 0);
    assert_eq!(
        town.count("SELECT COUNT(*) FROM audit_logs WHERE action = 'config_delivered'").await,
        PEOPLE * 2
    );
    assert_eq!(
        i64::try_from(outline.key_ids().await.len()).unwrap(),
        PEOPLE * 2,
        "the server holds what the database says"
    );
    assert!(server.ended().is_none(), "nothing has made it end by itself");
}

#[tokio::test(flavor = "multi_thread")]
async fn copies_that_are_killed_together_lose_nothing_and_repeat_nothing() {
    let town = Town::found().await;
    let outline = town.add_outline().await;
    let addresses = [town.address, ports::address(), ports::address()];
    let start = || addresses.map(|address| town.spawn_at(address));
    let servers = start();
    town.until_connected().await;
    // Two of each kind: they pay with QvaPay and with Stars, get their money back, renew, and change their minds.
    let life = Life::of(&town, 10).await;
    let kills = async {
        let mut servers = servers;
        for round in 0..6u64 {
            // Not a wait for something: the instants of the kills are to fall anywhere.
            tokio::time::sleep(Duration::from_millis(900 + 211 * (round * 7 % 5))).await;
            for server in servers {
                server.kill();
            }
            servers = start();
        }
        servers
    };
    let ((), servers) = tokio::join!(life.play(&outline), kills);
    at_rest(&town).await;
    life.check(&outline).await;
    assert_eq!(town.count("SELECT COUNT(*) FROM inbound_events WHERE status = 'dead'").await, 0);
    assert_eq!(town.count("SELECT COUNT(*) FROM jobs WHERE status = 'dead'").await, 0);
    let paid = "SELECT COUNT(*) FROM payments WHERE status = 'completed' AND provider = 'qvapay'";
    assert_eq!(town.count(paid).await, 2);
    for mut server in servers {
        assert!(server.ended().is_none(), "nothing has made it end by itself");
    }
}
