//! Updates on their way to a webhook.

use serde_json::{Value, json};
use usipipo::demo::telegram::PersonSpec;

use super::{ANA, BOT, World, button};

#[tokio::test]
async fn updates_arrive_in_order_with_the_secret() {
    let world = World::new().await;
    for n in 0..20 {
        world.ana.send_text(BOT, &format!("text {n} ñ🦊")).unwrap();
    }
    assert!(world.server.delivered().await);
    let seen = world.hook.seen.lock().unwrap().clone();
    let texts: Vec<&str> =
        seen.iter().map(|(_, update)| update["message"]["text"].as_str().unwrap()).collect();
    assert_eq!(texts, (0..20).map(|n| format!("text {n} ñ🦊")).collect::<Vec<_>>());
    assert!(seen.iter().all(|(secret, _)| secret == "s3cret"));
    let ids: Vec<i64> = seen.iter().map(|(_, update)| update["update_id"].as_i64().unwrap()).collect();
    assert!(ids.windows(2).all(|pair| pair[0] + 1 == pair[1]));
}

#[tokio::test]
async fn a_refused_update_blocks_its_chat_and_no_other() {
    let world = World::new().await;
    let ben = world.server.person(PersonSpec::new(7, "Ben", "en"));
    world.hook.answer_next(&[(500, ""), (503, ""), (401, "")]);
    world.ana.send_text(BOT, "first").unwrap();
    world.ana.send_text(BOT, "second").unwrap();
    assert!(world.server.delivered().await);
    let tries: Vec<String> = world
        .hook
        .updates()
        .iter()
        .map(|update| update["message"]["text"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(tries, ["first", "first", "first", "first", "second"]);
    let attempts: Vec<u32> = world.server.deliveries().iter().map(|delivery| delivery.attempt).collect();
    assert_eq!(attempts, [1, 2, 3, 4, 1]);
    let info = world.ok("getWebhookInfo", json!({})).await;
    assert_eq!(info["last_error_message"], "Wrong response from the webhook: 401 Unauthorized");
    assert_eq!(info["pending_update_count"], 0);

    // A queue that waits for its next attempt holds nobody else up.
    world.ok("deleteWebhook", json!({})).await;
    world.ana.send_text(BOT, "waits").unwrap();
    assert_eq!(world.ok("getWebhookInfo", json!({})).await["pending_update_count"], 1);
    let url = world.hook.listen().await;
    world.ok("setWebhook", json!({"url": url})).await;
    ben.send_text(BOT, "hi").unwrap();
    assert!(world.server.delivered().await);
}

#[tokio::test]
async fn what_is_too_old_is_dropped() {
    let world = World::new().await;
    world.ok("deleteWebhook", json!({})).await;
    let message =
        world.ok("sendMessage", json!({"chat_id": ANA, "text": "x", "reply_markup": button("a")})).await;
    let press = world.ana.press(BOT, message["message_id"].as_i64().unwrap(), "a").unwrap();
    world.ana.send_text(BOT, "still young").unwrap();
    world.clock.advance(chrono::Duration::seconds(151));
    let url = world.hook.listen().await;
    world.ok("setWebhook", json!({"url": url})).await;
    assert!(world.server.delivered().await);
    let kinds: Vec<bool> =
        world.hook.updates().iter().map(|update| update.get("message").is_some()).collect();
    assert_eq!(kinds, [true], "the press has expired, the message has not");
    let late = world.fails("answerCallbackQuery", json!({"callback_query_id": press.id})).await;
    assert!(late.starts_with("Bad Request: query is too old"));
}

#[tokio::test]
async fn only_allowed_updates_come() {
    let world = World::new().await;
    let url = world.hook.listen().await;
    world.ok("setWebhook", json!({"url": url, "allowed_updates": ["my_chat_member"]})).await;
    world.ana.send_text(BOT, "not asked for").unwrap();
    world.ana.block(BOT).unwrap();
    assert!(world.server.delivered().await);
    let updates = world.hook.updates();
    assert_eq!(updates.len(), 1);
    assert_eq!(updates[0]["my_chat_member"]["new_chat_member"]["status"], "kicked");
}

#[tokio::test]
async fn a_method_in_the_webhooks_answer_is_executed() {
    let world = World::new().await;
    world.hook.answer_next(&[
        (200, &json!({"method": "sendMessage", "chat_id": ANA, "text": "from the answer"}).to_string()),
        (200, &json!({"method": "deleteWebhook"}).to_string()),
    ]);
    world.ana.send_text(BOT, "one").unwrap();
    world.ana.send_text(BOT, "two").unwrap();
    world.ana.wait_for_text(BOT, "from the answer").await.unwrap();
    assert!(world.server.delivered().await);
    assert!(world.server.webhook_of(BOT).is_some(), "deleteWebhook is not executed from an answer");
    assert!(world.server.calls_of("sendMessage")[0].in_webhook_answer);
}

#[tokio::test]
async fn a_raw_body_is_delivered_as_it_is() {
    let world = World::new().await;
    world.server.inject_raw(BOT, "any", &b"{\"update_id\":1,\n\"message\":{\"text\":\"\xff\"}}"[..]);
    world.server.inject(BOT, "any", "subscription", &json!({"state": "canceled"})).unwrap();
    assert!(world.server.delivered().await);
    let updates = world.hook.updates();
    assert_eq!(updates[0], Value::Null, "not even UTF-8");
    assert_eq!(updates[1]["subscription"]["state"], "canceled");
}

#[tokio::test]
async fn a_webhook_gone_for_a_day_is_removed() {
    let world = World::new().await;
    world.hook.answer_next(&[(410, "")]);
    world.ana.send_text(BOT, "nobody home").unwrap();
    assert!(world.server.delivered().await);
    assert!(world.server.webhook_of(BOT).is_some(), "one 410 is no reason");
    world.hook.answer_next(&[(410, ""); 2]);
    world.ana.send_text(BOT, "still nobody").unwrap();
    assert!(world.server.delivered().await);
    world.hook.answer_next(&[(410, ""); 100]);
    world.ana.send_text(BOT, "gone").unwrap();
    let attempts = || world.server.deliveries().len();
    world.server.wait_until(|| (attempts() > 5).then_some(())).await.unwrap();
    world.clock.advance(chrono::Duration::hours(23) + chrono::Duration::minutes(1));
    world.server.wait_until(|| world.server.webhook_of(BOT).is_none().then_some(())).await.unwrap();
}
