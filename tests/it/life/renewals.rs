use chrono::TimeDelta;
use usipipo::demo::telegram::PersonHandle;
use usipipo::models::vpn::Protocol;

use super::{buy, configs, days, heard, hours, subscription, take_trial};
use crate::story::press;
use crate::support::town::{BOT, LIMIT, Town};
use crate::support::wait::eventually;

const MINE: &str = "product LIKE 'plan:%'";

/// The link of the config that was handed out last.
fn link(person: &PersonHandle) -> String {
    let messages = person.messages(BOT).unwrap();
    let text = messages.iter().rev().find(|message| message.text.contains("ss://")).unwrap().text.clone();
    let start = text.find("ss://").unwrap();
    text[start..].split_whitespace().next().unwrap().to_owned()
}

fn reminded(town: &Town, person: &PersonHandle) -> usize {
    heard(town, person, "⏳ VPN 1 week ends in")
}

#[tokio::test(flavor = "multi_thread")]
async fn before_its_end_a_renewal_adds_days_and_is_reminded_anew() {
    let town = Town::found().await;
    let outline = town.add_outline().await;
    let running = town.open().await;
    let ana = town.person(801, "Ana", "en");
    buy(&town, &ana, "week").await;
    let (keys, given) = (outline.key_ids().await, link(&ana));
    let before = configs(&town, MINE).await;
    town.pass(days(4) + hours(1)).await;
    assert_eq!(reminded(&town, &ana), 1);
    // Twice: each time from the end, not from now.
    buy(&town, &ana, "week").await;
    assert_eq!(subscription(&town, MINE).await, ("active".to_owned(), 10));
    buy(&town, &ana, "week").await;
    assert_eq!(subscription(&town, MINE).await, ("active".to_owned(), 17));
    town.pass(days(3)).await;
    assert_eq!((reminded(&town, &ana), heard(&town, &ana, "has ended")), (1, 0), "the old end is no end");
    assert_eq!(configs(&town, MINE).await, before);
    assert_eq!((outline.key_ids().await, link(&ana)), (keys, given));
    town.pass(days(11)).await;
    assert_eq!(reminded(&town, &ana), 2, "the new end is");
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_is_reminded_of_an_end_in_the_moment_they_pay() {
    let town = Town::found().await;
    let _outline = town.add_outline().await;
    let running = town.open().await;
    town.sql("UPDATE plans SET duration_days = 2 WHERE code = 'week'").await;
    let ana = town.person(871, "Ana", "en");
    buy(&town, &ana, "week").await;
    town.pass(days(1) + hours(1)).await;
    assert_eq!(reminded(&town, &ana), 1, "of the last day");
    for left in [3, 5] {
        buy(&town, &ana, "week").await;
        assert_eq!(subscription(&town, MINE).await.1, left);
        if left == 3 {
            town.pass(TimeDelta::minutes(2)).await;
            assert_eq!(reminded(&town, &ana), 1, "the receipt has just told it");
        }
    }
    town.pass(days(2)).await;
    assert_eq!(reminded(&town, &ana), 2, "three days before the new end");
    town.pass(days(2)).await;
    assert_eq!(reminded(&town, &ana), 3, "and one day before it");
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn during_the_grace_time_a_renewal_resumes_with_the_same_keys() {
    let town = Town::found().await;
    let outline = town.add_outline().await;
    let running = town.open().await;
    let ana = town.person(811, "Ana", "en");
    buy(&town, &ana, "week").await;
    let (keys, given) = (outline.key_ids().await, link(&ana));
    let before = configs(&town, MINE).await;
    town.pass(days(9)).await;
    assert_eq!(subscription(&town, MINE).await, ("suspended".to_owned(), -2));
    assert_eq!(configs(&town, MINE).await[0].2, "suspended");
    buy(&town, &ana, "week").await;
    assert_eq!(subscription(&town, MINE).await, ("active".to_owned(), 7), "days count from now");
    assert_eq!(configs(&town, MINE).await, before);
    assert_eq!((outline.key_ids().await, link(&ana)), (keys, given));
    let applied = town.column("SELECT applied FROM vpn_configs").await;
    assert_eq!(applied, ["present"]);
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn after_the_removal_a_renewal_brings_a_new_config() {
    let town = Town::found().await;
    let outline = town.add_outline().await;
    let running = town.open().await;
    let ana = town.person(821, "Ana", "en");
    buy(&town, &ana, "week").await;
    let given = link(&ana);
    town.pass(days(7) + hours(1)).await;
    town.pass(days(3)).await;
    assert_eq!(subscription(&town, MINE).await.0, "expired");
    assert!(outline.key_ids().await.is_empty());
    buy(&town, &ana, "week").await;
    assert_eq!(subscription(&town, MINE).await, ("active".to_owned(), 7));
    let statuses: Vec<_> = configs(&town, MINE).await.into_iter().map(|config| config.2).collect();
    assert_eq!(statuses, ["removed", "active"]);
    assert_eq!(outline.key_ids().await.len(), 1);
    assert_ne!(link(&ana), given, "and new keys");
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn another_plan_stands_beside_the_first_and_brings_its_config_whatever_is_held() {
    let town = Town::with(&[("MAX_CONFIGS_PER_USER", "2")]).await;
    let _outline = town.add_outline().await;
    let running = town.open().await;
    let ana = town.person(831, "Ana", "en");
    take_trial(&town, &ana, Protocol::Outline).await;
    buy(&town, &ana, "week").await;
    buy(&town, &ana, "year").await;
    let of = async |code: &str| {
        let condition = format!("plan_id = (SELECT id FROM plans WHERE code = '{code}')");
        (subscription(&town, &condition).await, configs(&town, &condition).await.len())
    };
    assert_eq!(of("week").await, (("active".to_owned(), 7), 1));
    assert_eq!(of("year").await, (("active".to_owned(), 365), 1), "what was paid for has come");
    town.pass(days(11)).await;
    assert_eq!(of("week").await.0.0, "expired");
    assert_eq!(of("year").await, (("active".to_owned(), 354), 1));
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lower_limit_of_devices_takes_nothing_away_and_lets_nothing_be_added() {
    let town = Town::found().await;
    let _outline = town.add_outline().await;
    let running = town.open().await;
    let ana = town.person(841, "Ana", "en");
    buy(&town, &ana, "month").await;
    for held in 2..=3 {
        ana.send_text(BOT, "/vpn").unwrap();
        press(&ana, "add").await;
        press(&ana, "add-to:1:outline").await;
        let count = "SELECT COUNT(*) FROM vpn_configs WHERE status = 'active'";
        eventually(LIMIT, async || town.count(count).await == held).await;
    }
    town.sql("UPDATE plans SET device_limit = 1 WHERE code = 'month'").await;
    buy(&town, &ana, "month").await;
    assert_eq!(town.count("SELECT CAST(device_limit AS SIGNED) FROM subscriptions").await, 1);
    town.pass(TimeDelta::minutes(2)).await;
    let count = "SELECT COUNT(*) FROM vpn_configs WHERE status = 'active' AND applied = 'present'";
    assert_eq!(town.count(count).await, 3, "what people hold goes on");
    ana.send_text(BOT, "/vpn").unwrap();
    press(&ana, "add").await;
    town.settled().await;
    let chat = ana.chat(BOT).unwrap();
    assert!(chat.last_from_bot().unwrap().button("add-to:1:outline").is_none(), "{}", chat.transcript());
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refund_by_an_admin_ends_the_access_and_says_so_once() {
    let town = Town::found().await;
    let outline = town.add_outline().await;
    let running = town.open().await;
    let (ana, boss) = (town.person(851, "Ana", "en"), town.person(1, "Boss", "en"));
    buy(&town, &ana, "week").await;
    town.pass(days(2)).await;
    boss.send_text(BOT, "/refund 1").unwrap();
    press(&boss, "refund-yes:1").await;
    eventually(LIMIT, async || town.column("SELECT status FROM payments").await == ["refunded"]).await;
    town.pass(TimeDelta::minutes(2)).await;
    assert_eq!(subscription(&town, MINE).await, ("suspended".to_owned(), 0));
    assert_eq!(configs(&town, MINE).await[0].2, "suspended");
    assert_eq!(town.telegram.stars_of(BOT), 0, "the Stars are back");
    assert_eq!((heard(&town, &ana, "We refunded"), heard(&town, &ana, "has ended")), (1, 0));
    let ledger = town.column("SELECT kind FROM ledger_entries ORDER BY id").await;
    assert_eq!(ledger, ["payment", "refund"]);
    let audited =
        town.column("SELECT details FROM audit_logs WHERE action = 'subscription_taken_back'").await;
    assert!(
        audited.len() == 1 && audited[0].contains("\"old\"") && audited[0].contains("\"new\""),
        "{audited:?}"
    );
    // It is never told as an end, and the grace time begins with the refund.
    town.pass(days(3) + hours(1)).await;
    assert_eq!((heard(&town, &ana, "has ended"), outline.key_ids().await.len()), (0, 0));
    running.stop().await;
}
