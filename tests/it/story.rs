//! The main job, end to end: real server, real database, real HTTP on both sides. What people see and what the
//! database holds afterwards.

use std::time::Duration;

use chrono::TimeDelta;
use usipipo::demo::outline::Fault;
use usipipo::demo::qvapay::Payment;
use usipipo::demo::telegram::PersonHandle;

use crate::support::town::{BOT, Town};
use crate::support::wait::eventually;

const LIMIT: Duration = Duration::from_secs(60);

/// Presses the newest button with this callback data and waits for the bot's answer.
pub async fn press(person: &PersonHandle, data: &str) {
    let found = person.wait_for(BOT, data, |chat| chat.with_button(data).map(|_| ())).await;
    found.unwrap();
    let press = person.click(BOT, data).unwrap();
    assert!(press.answered().await.is_some(), "{data}: the spinner never stops");
}

/// From the first word to a working config.
pub async fn take_trial(person: &PersonHandle) {
    person.send_text(BOT, "/start").unwrap();
    press(person, "trial").await;
    press(person, "trial-take:outline").await;
    person.wait_for_text(BOT, "ss://").await.unwrap();
}

/// Buys a plan with Stars.
pub async fn buy_with_stars(person: &PersonHandle, plan: i64) {
    person.send_text(BOT, "/plans").unwrap();
    press(person, &format!("plan:{plan}")).await;
    press(person, &format!("buy:{plan}:stars")).await;
    let invoice = person.wait_for(BOT, "an invoice", |chat| chat.open_invoice().map(|m| m.id)).await.unwrap();
    person.pay(BOT, invoice).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_tries_and_buys_and_loses_nothing() {
    let town = Town::found().await;
    let outline = town.add_outline().await;
    let running = town.open().await;
    let ana = town.person(501, "Ana", "es");
    take_trial(&ana).await;
    assert_eq!(outline.key_ids().await.len(), 1, "the key is at the server");
    let plan = town.popular_plan().await;
    buy_with_stars(&ana, plan).await;
    eventually(LIMIT, async || {
        town.count("SELECT COUNT(*) FROM payments WHERE status = 'completed'").await == 1
    })
    .await;
    eventually(LIMIT, async || outline.key_ids().await.len() == 2).await;
    // With QvaPay: the order shows where to pay, the callback completes it.
    ana.send_text(BOT, "/plans").unwrap();
    press(&ana, &format!("plan:{plan}")).await;
    press(&ana, &format!("buy:{plan}:qvapay")).await;
    eventually(LIMIT, async || town.qvapay.invoices().len() == 1).await;
    let uuid = town.qvapay.invoices()[0].uuid;
    ana.wait_for(BOT, "where to pay", |chat| {
        chat.messages
            .iter()
            .any(|m| {
                m.html.contains("/pay/") || m.buttons().any(|b| format!("{:?}", b.action).contains("/pay/"))
            })
            .then_some(())
    })
    .await
    .unwrap();
    town.qvapay.pay(uuid, Payment::default());
    eventually(LIMIT, async || {
        town.count("SELECT COUNT(*) FROM payments WHERE status = 'completed'").await == 2
    })
    .await;
    assert_eq!(
        town.count("SELECT COUNT(*) FROM subscriptions WHERE plan_id IS NOT NULL").await,
        1,
        "extended"
    );
    assert_eq!(town.count("SELECT COUNT(*) FROM ledger_entries").await, 2);
    assert_eq!(town.count("SELECT COUNT(*) FROM inbound_events WHERE status = 'dead'").await, 0);
    // The trial ends: told, blocked, and after the grace time gone.
    town.clock.advance(TimeDelta::days(8));
    let suspended = "SELECT COUNT(*) FROM vpn_configs WHERE status = 'suspended' AND applied = 'blocked'";
    eventually(LIMIT, async || town.count(suspended).await == 1).await;
    town.clock.advance(TimeDelta::days(4));
    eventually(LIMIT, async || {
        town.count("SELECT COUNT(*) FROM vpn_configs WHERE status = 'removed'").await == 1
    })
    .await;
    eventually(LIMIT, async || outline.key_ids().await.len() == 1).await;
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_callback_costs_minutes_and_not_a_customer() {
    let town = Town::found().await;
    let _outline = town.add_outline().await;
    let running = town.open().await;
    let ana = town.person(502, "Ana", "en");
    let plan = town.popular_plan().await;
    ana.send_text(BOT, "/plans").unwrap();
    press(&ana, &format!("plan:{plan}")).await;
    press(&ana, &format!("buy:{plan}:qvapay")).await;
    eventually(LIMIT, async || town.qvapay.invoices().len() == 1).await;
    let uuid = town.qvapay.invoices()[0].uuid;
    town.qvapay.pay(uuid, Payment { callback: false, ..Payment::default() });
    town.clock.advance(TimeDelta::minutes(3));
    eventually(LIMIT, async || {
        town.count("SELECT COUNT(*) FROM payments WHERE status = 'completed'").await == 1
    })
    .await;
    ana.wait_for_text(BOT, "ss://").await.unwrap();
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dead_vpn_server_delays_and_loses_nothing() {
    let town = Town::found().await;
    let outline = town.add_outline().await;
    let running = town.open().await;
    let ana = town.person(503, "Ana", "ru");
    outline.fault(Fault::Error500, usize::MAX);
    ana.send_text(BOT, "/start").unwrap();
    press(&ana, "trial").await;
    press(&ana, "trial-take:outline").await;
    let failing = "SELECT COUNT(*) FROM jobs WHERE kind = 'apply_config' AND attempts >= 2";
    eventually(LIMIT, async || {
        town.clock.advance(TimeDelta::seconds(10));
        town.count(failing).await == 1
    })
    .await;
    outline.clear_faults();
    eventually(LIMIT, async || {
        town.clock.advance(TimeDelta::seconds(30));
        outline.key_ids().await.len() == 1
    })
    .await;
    ana.wait_for_text(BOT, "ss://").await.unwrap();
    assert_eq!(town.count("SELECT COUNT(*) FROM vpn_configs").await, 1);
    running.stop().await;
}
