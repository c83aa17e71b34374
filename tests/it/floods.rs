//! Floods of requests and of messages, against the whole server: who is asked to slow down, and who never is.

use futures::future::join_all;
use reqwest::{Client, StatusCode};
use serde_json::json;

use crate::story::press;
use crate::support::town::{BOT, LIMIT, Town};
use crate::support::wait::eventually;

fn client() -> Client {
    Client::builder().no_proxy().build().unwrap()
}

/// Telegram delivers everybody's updates from a handful of addresses: a burst of them is business.
#[tokio::test(flavor = "multi_thread")]
async fn telegram_is_never_locked_out_while_strangers_are() {
    let town = Town::with(&[("REQUESTS_PER_SECOND_PER_IP", "1"), ("TRUSTED_PROXIES", "127.0.0.1")]).await;
    let running = town.open().await;
    let (http, base) = (client(), format!("http://{}", town.address));
    let from = "149.154.167.220";
    let deliver = async |number: i64, secret: &str| {
        let person = json!({ "id": 9000 + number, "is_bot": false, "first_name": "P" });
        let chat = json!({ "id": 9000 + number, "type": "private", "first_name": "P" });
        let update = json!({ "update_id": number, "message": {
            "message_id": 1, "date": 0, "from": person, "chat": chat, "sticker": {} } });
        let request = http.post(format!("{base}/telegram/client")).json(&update);
        let request =
            request.header("x-telegram-bot-api-secret-token", secret).header("x-forwarded-for", from);
        request.send().await.unwrap().status()
    };
    let (secret, ours) = ("0123456789abcdef", |number: i64| number + 1);
    let burst = join_all((0..300).map(|number| deliver(ours(number), secret))).await;
    assert!(burst.iter().all(|status| *status == StatusCode::OK), "{burst:?}");
    // Not even when a stranger guesses secrets from the same address, as behind a proxy that hides addresses.
    let guesses = join_all((0..100).map(|number| deliver(number, "wrong"))).await;
    assert!(guesses.iter().all(|status| *status == StatusCode::UNAUTHORIZED));
    assert_eq!(deliver(900, secret).await, StatusCode::OK);
    let stored = "SELECT COUNT(*) FROM inbound_events WHERE source = 'telegram:client'";
    assert_eq!(town.count(stored).await, 301, "each once, and nothing without the secret");
    eventually(LIMIT, async || town.count("SELECT COUNT(*) FROM users").await == 301).await;

    let token = "t".repeat(32);
    let knock = async |from: &str| {
        let request = http.post(format!("{base}/payments/qvapay/{token}")).header("x-forwarded-for", from);
        request.send().await.unwrap().status()
    };
    let knocks = join_all((0..50).map(|_| knock("203.0.113.9"))).await;
    assert!(knocks.contains(&StatusCode::TOO_MANY_REQUESTS), "{knocks:?}");
    assert_eq!(
        knock("203.0.113.10").await,
        StatusCode::NOT_FOUND,
        "their neighbour is only told that there is nothing"
    );
    assert_eq!(deliver(901, secret).await, StatusCode::OK);
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_who_hammers_is_asked_once_to_slow_down_and_can_still_pay() {
    let town = Town::with(&[("USER_ACTIONS_PER_MINUTE", "1")]).await;
    let _outline = town.add_outline().await;
    let running = town.open().await;
    let (ana, bruno) = (town.person(1401, "Ana", "es"), town.person(1402, "Bruno", "ru"));
    let plan = town.popular_plan().await;
    ana.send_text(BOT, "/plans").unwrap();
    press(&ana, &format!("plan:{plan}")).await;
    press(&ana, &format!("buy:{plan}:stars")).await;
    let invoice = ana.wait_for(BOT, "an invoice", |chat| chat.open_invoice().map(|m| m.id)).await.unwrap();
    for _ in 0..60 {
        ana.send_text(BOT, "/help").unwrap();
    }
    let handled = "SELECT COUNT(*) FROM inbound_events WHERE status = 'done'";
    eventually(LIMIT, async || town.count(handled).await >= 63).await;
    let queued = async |words: &str| {
        let sql =
            format!("SELECT COUNT(*) FROM outbound_messages WHERE chat_id = 1401 AND body LIKE '%{words}%'");
        town.count(&sql).await
    };
    assert_eq!(queued("Vas muy rápido").await, 1, "in their language, once");
    let answers =
        "SELECT COUNT(*) FROM outbound_messages WHERE chat_id = 1401 AND body LIKE '%\"kind\":\"text\"%'";
    assert!(town.count(answers).await <= 22, "a burst is answered, the rest is not");
    let refused = running.app.metrics().render();
    let refused =
        refused.lines().find_map(|line| line.strip_prefix("usipipo_rate_limited_total{limit=\"user\"} "));
    assert!(refused.unwrap().parse::<i64>().unwrap() >= 40, "{refused:?}");
    // Neither money nor anybody else waits for it.
    ana.pay(BOT, invoice).await.unwrap();
    let paid = "SELECT COUNT(*) FROM payments WHERE status = 'completed'";
    eventually(LIMIT, async || town.count(paid).await == 1).await;
    bruno.send_text(BOT, "/start").unwrap();
    bruno.wait_for(BOT, "the menu", |chat| chat.with_button("trial").map(|_| ())).await.unwrap();
    running.stop().await;
}
