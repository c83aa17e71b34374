use chrono::TimeDelta;
use usipipo::models::vpn::Protocol;

use super::{configs, days, heard, hours, subscription, take_trial};
use crate::story::press;
use crate::support::town::{BOT, LIMIT, Town};
use crate::support::wait::eventually;

#[tokio::test(flavor = "multi_thread")]
async fn whom_no_bot_answers_no_bot_reminds_and_the_end_comes_all_the_same() {
    let town = Town::found().await;
    let _outline = town.add_outline().await;
    let running = town.open().await;
    let (ana, boss) = (town.person(1001, "Ana", "en"), town.person(1, "Boss", "en"));
    take_trial(&town, &ana, Protocol::Outline).await;
    boss.send_text(BOT, "/ban 1001").unwrap();
    press(&boss, "ban-yes:1001").await;
    town.pass(days(1)).await;
    assert_eq!(configs(&town, "user_id = 1001").await[0].2, "active", "what was given stays");
    for step in [days(4), days(1) + hours(12), hours(20)] {
        town.pass(step).await;
    }
    assert_eq!(subscription(&town, "user_id = 1001").await.0, "suspended");
    assert_eq!((heard(&town, &ana, "ends in"), heard(&town, &ana, "has ended")), (0, 0));
    assert_eq!(town.count("SELECT COUNT(*) FROM reminders").await, 3);
    boss.send_text(BOT, "/unban 1001").unwrap();
    eventually(LIMIT, async || town.column("SELECT status FROM users WHERE id = 1001").await == ["active"])
        .await;
    town.pass(TimeDelta::minutes(5)).await;
    assert_eq!(
        (heard(&town, &ana, "ends in"), heard(&town, &ana, "has ended")),
        (0, 0),
        "what is past is not told later"
    );
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_who_blocked_the_bot_loses_no_access_and_finds_no_old_reminders() {
    let town = Town::found().await;
    let _outline = town.add_outline().await;
    let running = town.open().await;
    let ana = town.person(1011, "Ana", "en");
    take_trial(&town, &ana, Protocol::Outline).await;
    ana.block(BOT).unwrap();
    let status = "SELECT status FROM users WHERE id = 1011";
    eventually(LIMIT, async || town.column(status).await == ["blocked"]).await;
    let sent = town.telegram.calls_of("sendMessage").len();
    town.pass(days(4) + hours(1)).await;
    assert_eq!(configs(&town, "user_id = 1011").await[0].2, "active");
    town.pass(days(2)).await;
    town.pass(days(1)).await;
    assert_eq!(subscription(&town, "user_id = 1011").await.0, "suspended");
    assert_eq!(town.count("SELECT COUNT(*) FROM reminders").await, 3);
    let attempts = town.telegram.calls_of("sendMessage").len() - sent;
    assert!(attempts <= 3, "each is tried at most once: {attempts}");
    let dead = "SELECT COUNT(*) FROM outbound_messages WHERE status = 'dead'";
    assert_eq!(town.count(dead).await, 0, "and nobody is alarmed");

    ana.unblock(BOT).unwrap();
    ana.send_text(BOT, "/vpn").unwrap();
    eventually(LIMIT, async || town.column(status).await == ["active"]).await;
    town.pass(TimeDelta::minutes(2)).await;
    assert_eq!(
        (heard(&town, &ana, "Your free trial ends in"), heard(&town, &ana, "Your free trial has ended")),
        (0, 0)
    );
    running.stop().await;
}
