//! A VPN server is away: money is safe, the person and the admins know, and everything is given when it is back.

use std::time::Duration;

use chrono::TimeDelta;
use usipipo::demo::outline::Fault;
use usipipo::demo::telegram::ChatView;

use crate::story::{buy_with_stars, press};
use crate::support::town::{BOT, Town};
use crate::support::wait::eventually;

const LIMIT: Duration = Duration::from_secs(90);

fn links(chat: &ChatView) -> usize {
    chat.messages.iter().filter(|it| it.from_bot && it.text.contains("ss://")).count()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_paid_meanwhile_is_given_afterwards_and_everybody_knows() {
    for fault in [Fault::HangUp, Fault::Error500] {
        let mut town = Town::found().await;
        town.set("LEASE_SECONDS", "3600");
        let outline = town.add_outline().await;
        let running = town.open().await;
        let boss = town.person(1, "Boss", "en");
        boss.open(BOT).unwrap();
        let ana = town.person(503, "Ana", "en");
        ana.send_text(BOT, "/start").unwrap();
        ana.wait_for(BOT, "the menu", |chat| chat.last_from_bot().map(drop)).await.unwrap();
        town.quiet().await;
        outline.fault(fault, usize::MAX);
        buy_with_stars(&ana, town.popular_plan().await).await;
        let failing = "SELECT COUNT(*) FROM jobs WHERE kind = 'apply_config' AND attempts >= 7";
        eventually(LIMIT, async || {
            town.clock.advance(TimeDelta::seconds(20));
            town.count(failing).await == 1
        })
        .await;
        // Paid, and being worked on.
        assert_eq!(town.column("SELECT status FROM payments").await, ["completed"]);
        assert_eq!(town.column("SELECT status FROM subscriptions").await, ["active"]);
        assert_eq!(town.column("SELECT status FROM vpn_configs").await, ["preparing"]);
        assert_eq!(links(&ana.chat(BOT).unwrap()), 0);
        assert!(outline.key_ids().await.is_empty());
        let told = async |kind: &str| {
            let query = format!("SELECT body FROM outbound_messages WHERE body LIKE '%\"{kind}\"%'");
            town.column(&query).await.len()
        };
        assert_eq!(told("config_delayed").await, 1, "{fault:?}: Ana is told once");
        assert_eq!(told("provisioning_delayed").await, 1, "{fault:?}: so is the admin");
        outline.clear_faults();
        eventually(LIMIT, async || {
            town.clock.advance(TimeDelta::seconds(30));
            links(&ana.chat(BOT).unwrap()) == 1
        })
        .await;
        assert_eq!(outline.key_ids().await.len(), 1);
        assert_eq!(town.column("SELECT status FROM vpn_configs").await, ["active"]);
        assert_eq!(town.count("SELECT COUNT(*) FROM jobs WHERE status = 'dead'").await, 0);
        town.is_sound().await;
        running.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_is_lost_makes_no_second_key() {
    let mut town = Town::found().await;
    town.set("LEASE_SECONDS", "3600");
    let outline = town.add_outline().await;
    let running = town.open().await;
    let ana = town.person(503, "Ana", "en");
    ana.send_text(BOT, "/start").unwrap();
    press(&ana, "trial").await;
    town.quiet().await;
    outline.fault(Fault::LoseReply, 6);
    press(&ana, "trial-take:outline").await;
    eventually(LIMIT, async || {
        town.clock.advance(TimeDelta::seconds(10));
        links(&ana.chat(BOT).unwrap()) == 1
    })
    .await;
    assert_eq!(outline.key_ids().await.len(), 1);
    assert_eq!(town.column("SELECT status FROM vpn_configs").await, ["active"]);
    town.is_sound().await;
    running.stop().await;
}
