//! Whatever changes is in the audit with what was and what is; who did it is there, and no secret.

use chrono::TimeDelta;
use scoped_futures::ScopedFutureExt;
use serde_json::Value;
use usipipo::services::{catalogue, server};
use usipipo::work::Origin;

use crate::story::{buy_with_stars, press, take_trial};
use crate::support::town::{BOT, LIMIT, Town};
use crate::support::wait::eventually;

/// Every action that changes something which was there, or puts it there.
const CHANGES: &[&str] = &[
    "config_follows",
    "config_removed",
    "config_renamed",
    "config_revoked",
    "language_set",
    "order_cancelled",
    "order_closed",
    "payment_completed",
    "payment_refunded",
    "plan_disabled",
    "role_granted",
    "role_revoked",
    "server_added",
    "server_removed",
    "subscription_ended",
    "subscription_expired",
    "subscription_extended",
    "subscription_taken_back",
    "traffic_used_up",
    "user_banned",
    "user_blocked_bot",
    "user_returned",
    "user_unbanned",
];

#[tokio::test(flavor = "multi_thread")]
async fn every_change_tells_what_was_and_what_is() {
    let town = Town::found().await;
    let outline = town.add_outline().await;
    let running = town.open().await;
    let (ana, boss) = (town.person(1501, "Ana", "en"), town.person(1, "Boss", "en"));
    take_trial(&ana).await;
    town.settled().await;
    hold(&town, &ana, &boss).await;
    outline.set_transferred(&outline.key_ids().await[0], 2 << 30).await;
    town.pass(TimeDelta::minutes(2)).await;
    for days in [8, 31, 30, 4] {
        town.pass(TimeDelta::days(days)).await;
    }
    let works = town.works();
    let done = works.run("change_house", Origin::SYSTEM, |work| {
        async move {
            catalogue::disable_plan(work, "week").await.unwrap();
            server::remove(work, "outline-1", true).await.unwrap();
            Ok::<_, sqlx::Error>(())
        }
        .scope_boxed()
    });
    done.await.unwrap();

    let rows: Vec<(String, Option<i64>, String, Option<String>)> =
        sqlx::query_as("SELECT action, user_id, details, target FROM audit_logs ORDER BY id")
            .fetch_all(&town.db.pool)
            .await
            .unwrap();
    for action in CHANGES {
        let mut found = rows.iter().filter(|row| row.0 == *action).peekable();
        assert!(found.peek().is_some(), "{action} did not happen");
        for (_, _, details, target) in found {
            let details: Value = serde_json::from_str(details).unwrap();
            let (old, new) = (details.get("old"), details.get("new"));
            assert!(old.is_some() && new.is_some() && old != new, "{action} {target:?}: {details}");
        }
    }
    let by = |action: &str| rows.iter().find(|row| row.0 == action).and_then(|row| row.1);
    assert_eq!(["user_banned", "role_granted", "refund_requested"].map(by), [Some(1); 3]);
    assert_eq!(["config_revoked", "language_set", "payment_completed"].map(by), [Some(1501); 3]);
    assert_eq!(["subscription_ended", "plan_disabled", "server_removed"].map(by), [None; 3]);
    let all = format!("{rows:?}");
    assert!(!all.contains("ss://") && !all.contains("private_key"), "no secret");
    running.stop().await;
}

/// All that Ana and the boss can do.
async fn hold(
    town: &Town,
    ana: &usipipo::demo::telegram::PersonHandle,
    boss: &usipipo::demo::telegram::PersonHandle,
) {
    let plan = town.popular_plan().await;
    let completed = async |payments: i64| {
        let sql = "SELECT COUNT(*) FROM payments WHERE completed_at IS NOT NULL";
        eventually(LIMIT, async || town.count(sql).await == payments).await;
        town.settled().await;
    };
    let does = async |person: &usipipo::demo::telegram::PersonHandle, text: &str| {
        person.send_text(BOT, text).unwrap();
        town.settled().await;
    };
    for bought in 1..=2 {
        buy_with_stars(ana, plan).await;
        completed(bought).await;
    }
    does(boss, "/refund 2").await;
    press(boss, "refund-yes:2").await;
    eventually(LIMIT, async || {
        town.count("SELECT COUNT(*) FROM payments WHERE status = 'refunded'").await == 1
    })
    .await;
    does(ana, "/plans").await;
    press(ana, &format!("plan:{plan}")).await;
    press(ana, &format!("buy:{plan}:qvapay")).await;
    town.settled().await;
    press(ana, "order-cancel:3").await;
    does(ana, "/plans").await;
    press(ana, &format!("plan:{plan}")).await;
    press(ana, &format!("buy:{plan}:qvapay")).await;
    does(ana, "/vpn").await;
    press(ana, "add").await;
    press(ana, "add-to:2:outline").await;
    town.settled().await;
    press(ana, "cfg-guide:3:ios").await;
    does(ana, "/vpn").await;
    press(ana, "cfg:3").await;
    press(ana, "cfg-name:3").await;
    does(ana, "Phone").await;
    press(ana, "cfg:3").await;
    press(ana, "cfg-revoke:3").await;
    press(ana, "cfg-revoke-yes:3").await;
    town.settled().await;
    does(ana, "/language").await;
    press(ana, "lang:es").await;
    does(boss, "/grantrole 1501 support").await;
    does(boss, "/revokerole 1501 support").await;
    does(boss, "/ban 1501").await;
    press(boss, "ban-yes:1501").await;
    town.settled().await;
    does(boss, "/unban 1501").await;
    ana.block(BOT).unwrap();
    town.settled().await;
    ana.unblock(BOT).unwrap();
    town.settled().await;
}
