//! Callback data comes back from people's phones: forged, tampered with, and naming what belongs to others.

use futures::{StreamExt, stream};
use usipipo::demo::telegram::PersonHandle;
use usipipo::handlers::bots::callback::Callback;

use super::Scene;
use crate::story::{buy_with_stars, press, take_trial};
use crate::support::town::BOT;

/// Ana with a trial, a paid plan and an open order, and a name that must not leak.
async fn ana(scene: &Scene) -> PersonHandle {
    let ana = scene.town.person(501, "Anastasia", "en");
    take_trial(&ana).await;
    buy_with_stars(&ana, 2).await;
    ana.wait_for(BOT, "two keys", |chat| {
        (chat.messages.iter().filter(|it| it.text.contains("ss://")).count() == 2).then_some(())
    })
    .await
    .unwrap();
    ana.send_text(BOT, "/plans").unwrap();
    press(&ana, "plan:1").await;
    press(&ana, "buy:1:qvapay").await;
    scene.town.quiet().await;
    ana
}

/// Everything that is Ana's, as it stands. What is written while nobody does anything is left out.
async fn hers(scene: &Scene) -> Vec<String> {
    let rows = [
        "SELECT CONCAT_WS('|', 'user', id, first_name, language, status) FROM users WHERE id = 501",
        "SELECT CONCAT_WS('|', 'order', id, order_ref, status, chat_id, message_id, charge_id) FROM payments \
         WHERE user_id = 501 ORDER BY id",
        "SELECT CONCAT_WS('|', 'config', id, name, status, server_id, public_id, HEX(secret)) FROM vpn_configs \
         WHERE user_id = 501 ORDER BY id",
        "SELECT CONCAT_WS('|', 'subscription', id, status, ends_at) FROM subscriptions WHERE user_id = 501 ORDER BY id",
        "SELECT CONCAT_WS('|', 'role', role) FROM user_roles WHERE user_id = 501",
        "SELECT CONCAT_WS('|', 'setting', name, value) FROM user_settings WHERE user_id = 501",
        "SELECT CONCAT_WS('|', 'question', bot, state) FROM dialogs WHERE chat_id = 501",
        "SELECT CONCAT_WS('|', 'did', id, action) FROM audit_logs WHERE user_id = 501 ORDER BY id",
        "SELECT CONCAT_WS('|', 'sent', body) FROM outbound_messages WHERE chat_id = 501 ORDER BY id",
    ];
    let mut all = Vec::new();
    for row in rows {
        all.extend(scene.town.column(row).await);
    }
    all
}

/// Every tag with everything that might stand behind it.
fn forged() -> Vec<String> {
    let values = [
        "",
        ":",
        ":0",
        ":1",
        ":2",
        ":-1",
        ":01",
        ":1 ",
        ":1:",
        ":1:1",
        ":501",
        ":501:0",
        ":9223372036854775807",
        ":99999999999999999999",
        ":1e3",
        ":１",
        ":null",
        ":1:stars",
        ":1:qvapay",
        ":1:outline",
        ":2:outline",
        ":1:ios",
        ":outline",
        ":outline:ios",
        ":en",
        ":1\0",
        ":\u{202e}1",
        ":';--",
    ];
    let tags = Callback::TAGS.iter().copied().chain(["", " ", "nothing", "CFG", "cfg\0"]);
    let mut all: Vec<String> = tags
        .flat_map(|tag| values.map(|value| format!("{tag}{value}")))
        .filter(|data| data.len() <= 64)
        .collect();
    all.push("x".repeat(64));
    all.push("💜".repeat(16));
    all
}

/// Somebody new, and a message of the bot's to press under: what comes of it is an edit, which waits for no pace.
async fn stranger(scene: &Scene, id: i64) -> (PersonHandle, i64) {
    let stranger = scene.town.person(id, "Bruno", "en");
    stranger.send_text(BOT, "/start").unwrap();
    let menu = stranger.wait_for(BOT, "the menu", |chat| chat.last_from_bot().map(|it| it.id)).await;
    (stranger, menu.unwrap())
}

async fn press_all(scene: &Scene, id: i64, batch: &[String]) {
    let (stranger, menu) = stranger(scene, id).await;
    for data in batch {
        let press = stranger.press_data(BOT, menu, data).unwrap();
        assert!(press.answered().await.is_some(), "{data:?}: the spinner never stops");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_anas_stays_anas_whatever_is_pressed() {
    let scene = Scene::open().await;
    let ana = ana(&scene).await;
    let secrets: Vec<String> = ana
        .messages(BOT)
        .unwrap()
        .iter()
        .filter_map(|it| it.text.split_whitespace().find(|word| word.starts_with("ss://")).map(str::to_owned))
        .chain(scene.town.column("SELECT order_ref FROM payments").await)
        .chain(
            scene.town.column("SELECT callback_token FROM payments WHERE callback_token IS NOT NULL").await,
        )
        .chain(["Anastasia".to_owned()])
        .collect();
    assert!(secrets.len() >= 6, "{secrets:?}");
    let before = hers(&scene).await;
    // A few presses each: nobody is asked to slow down.
    let forged = forged();
    let batches = (10_000..).zip(forged.chunks(15));
    stream::iter(batches).for_each_concurrent(8, |(id, batch)| press_all(&scene, id, batch)).await;
    scene.town.quiet().await;
    assert_eq!(hers(&scene).await, before);
    for stranger in scene.town.telegram.people().into_iter().filter(|person| person.id >= 10_000) {
        for message in stranger.messages(BOT).unwrap() {
            let shown = serde_json::to_string(&message).unwrap();
            for secret in &secrets {
                assert!(!shown.contains(secret.as_str()), "{secret} is shown to {}: {shown}", stranger.id);
            }
        }
    }
    let strangers_configs = "SELECT COUNT(*) FROM vpn_configs c JOIN subscriptions s ON s.id = c.subscription_id \
                             WHERE c.user_id <> s.user_id";
    assert_eq!(scene.town.count(strangers_configs).await, 0);
    assert_eq!(scene.dead().await, 0);
    let refused = "SELECT CONCAT(body, ' ', error) FROM outbound_messages WHERE status = 'dead'";
    assert!(scene.town.column(refused).await.is_empty());
    scene.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_of_another_is_neither_seen_nor_cancelled_nor_refunded() {
    let scene = Scene::open().await;
    let _ana = ana(&scene).await;
    let (bruno, menu) = stranger(&scene, 502).await;
    let before = hers(&scene).await;
    let orders = scene.town.column("SELECT CAST(id AS CHAR) FROM payments WHERE user_id = 501").await;
    assert_eq!(orders.len(), 2);
    for order in orders {
        for tag in ["order", "order-cancel", "refund", "refund-yes"] {
            let pressed =
                async |data: String| bruno.press_data(BOT, menu, &data).unwrap().answered().await.unwrap();
            let theirs = pressed(format!("{tag}:{order}")).await;
            let nobodys = pressed(format!("{tag}:777")).await;
            assert_eq!(theirs, nobodys, "{tag}: it is as unknown as one that never was");
            assert!(theirs.show_alert && theirs.text.is_some(), "{tag}: {theirs:?}");
        }
    }
    scene.town.quiet().await;
    assert_eq!(hers(&scene).await, before);
    scene.close().await;
}
