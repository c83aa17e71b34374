use chrono::TimeDelta;

use super::{buy, configs, days, heard, subscription};
use crate::support::town::{BOT, Town};

const MINE: &str = "product LIKE 'plan:%'";

/// A machine that starts with a wrong clock and is set right a moment later.
#[tokio::test(flavor = "multi_thread")]
async fn a_clock_that_was_wrong_for_a_while_costs_nothing() {
    let town = Town::found().await;
    let outline = town.add_outline().await;
    let running = town.open().await;
    let ana = town.person(1101, "Ana", "en");
    buy(&town, &ana, "week").await;
    let (before, keys) = (configs(&town, MINE).await, outline.key_ids().await);
    town.pass(days(8)).await;
    assert_eq!(subscription(&town, MINE).await.0, "suspended");
    town.settled().await;

    town.clock.advance(days(-8));
    // Chats, jobs and schedules go on at once, and not in eight days.
    ana.send_text(BOT, "/vpn").unwrap();
    ana.wait_for_text(BOT, "VPN 1 week: ").await.unwrap();
    town.pass(TimeDelta::minutes(2)).await;
    assert_eq!(subscription(&town, MINE).await, ("active".to_owned(), 7));
    assert_eq!((configs(&town, MINE).await, outline.key_ids().await), (before, keys));
    assert_eq!(town.column("SELECT applied FROM vpn_configs").await, ["present"]);
    // The true end is told when it is there.
    let told = heard(&town, &ana, "has ended");
    town.pass(days(7)).await;
    assert_eq!(heard(&town, &ana, "has ended"), told + 1);
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_starts_with_the_right_clock_after_a_wrong_one_works_at_once() {
    let town = Town::found().await;
    let _outline = town.add_outline().await;
    let running = town.open().await;
    let ana = town.person(1111, "Ana", "en");
    buy(&town, &ana, "week").await;
    town.pass(TimeDelta::hours(5)).await;
    running.stop().await;
    town.clock.advance(TimeDelta::hours(-5));
    let running = town.open().await;
    ana.send_text(BOT, "/vpn").unwrap();
    ana.wait_for_text(BOT, "VPN 1 week: active").await.unwrap();
    town.pass(TimeDelta::minutes(2)).await;
    running.stop().await;
}
