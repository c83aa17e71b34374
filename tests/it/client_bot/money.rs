//! Money: the last question, payments, and whose they are.

use serde_json::json;
use usipipo::handlers::bots::screens::refusal;
use usipipo::models::bot::Bot;
use usipipo::models::outgoing::{Body, Class};
use usipipo::services::payment::CheckoutRefusal as Refusal;

use super::{ANA, BRUNO, House, Person, Said, message, paid, pre_checkout};

const STATUS: &str = "SELECT status FROM payments ORDER BY id LIMIT 1";

/// The answer to the last question: what Telegram tells the payer, None to go on.
fn answer(said: &Said) -> Option<&str> {
    match &said.0[..] {
        [(_, Class::Urgent, Body::PreCheckout { query_id, error })] => {
            assert_eq!(query_id, "26299342000000000");
            error.as_deref()
        }
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn the_last_question_is_answered_with_the_reason() {
    let house = House::new().await;
    let payload = house.order(ANA, 2).await;
    assert_eq!(answer(&house.client(pre_checkout(ANA, &payload, 250)).await), None);
    let why = |person: Person, why| Some(refusal(person.texts(), why));
    let ask = async |person, payload: &str, stars| {
        answer(&house.client(pre_checkout(person, payload, stars)).await).map(str::to_owned)
    };
    assert_eq!(ask(ANA, &payload, 249).await, why(ANA, Refusal::Mismatch));
    assert_eq!(ask(ANA, "nope", 250).await, why(ANA, Refusal::Unknown));
    assert_eq!(ask(BRUNO, &payload, 250).await, why(BRUNO, Refusal::Foreign), "in his language");
    let mut dollars = pre_checkout(ANA, &payload, 250);
    dollars["pre_checkout_query"]["currency"] = json!("USD");
    assert!(answer(&house.client(dollars.clone()).await).is_some());
    dollars["pre_checkout_query"]["currency"] = json!("");
    assert!(answer(&house.client(dollars).await).is_some());

    house.client(paid(ANA, &payload, 250, "c1")).await;
    assert_eq!(ask(ANA, &payload, 250).await, why(ANA, Refusal::Paid));
    let late = house.order(ANA, 1).await;
    house.works.clock.advance(chrono::Duration::days(1));
    assert_eq!(ask(ANA, &late, 75).await, why(ANA, Refusal::Expired));
}

#[tokio::test]
async fn a_payment_gives_the_plan_once() {
    let house = House::with_servers().await;
    let payload = house.order(ANA, 2).await;
    for _ in 0..3 {
        house.client(paid(ANA, &payload, 250, "c1")).await;
    }
    assert_eq!(house.text(STATUS).await, "completed");
    assert_eq!(house.count("subscriptions").await, 1);
    assert_eq!(house.count("ledger_entries").await, 1);
    assert_eq!(house.count("vpn_configs").await, 1);
    let audited = house.works.audited("payment_completed").await;
    assert_eq!(audited.len(), 1);
    assert_eq!(audited[0].user_id, Some(ANA.user()));
}

#[tokio::test]
async fn money_is_taken_from_the_banned_and_the_hasty() {
    let house = House::with_servers().await;
    let payload = house.order(ANA, 2).await;
    house.sql(&format!("UPDATE users SET status = 'banned' WHERE id = {}", ANA.id)).await;
    let bots = house.bots();
    for _ in 0..100 {
        let hello = house.numbered(message(ANA, json!({ "text": "hello" })));
        house.try_handle(&bots, Bot::Client, &hello).await.unwrap();
    }
    let question = house.numbered(pre_checkout(ANA, &payload, 250));
    assert_eq!(answer(&house.try_handle(&bots, Bot::Client, &question).await.unwrap()), None);
    let payment = house.numbered(paid(ANA, &payload, 250, "c1"));
    house.try_handle(&bots, Bot::Client, &payment).await.unwrap();
    assert_eq!(house.text(STATUS).await, "completed");
}

#[tokio::test]
async fn an_invoice_that_was_forwarded_is_nobody_elses() {
    let house = House::with_servers().await;
    let payload = house.order(ANA, 2).await;
    let mut elsewhere = paid(BRUNO, &payload, 250, "c1");
    elsewhere["message"]["chat"] = json!({ "id": -100_123, "type": "supergroup", "title": "x" });
    house.client(elsewhere).await;
    assert_eq!(house.text(STATUS).await, "review");
    assert_eq!(house.count("subscriptions").await, 0);
    assert!(!house.works.audited("payment_review").await.is_empty());
}

#[tokio::test]
async fn money_of_no_known_payer_is_kept_for_a_human() {
    let house = House::new().await;
    let mut update = house.numbered(paid(ANA, "x", 250, "c1"));
    update["message"]["from"].take();
    update["message"]["chat"] = json!({ "id": -100_123, "type": "channel", "title": "x" });
    let failed = house.try_handle(&house.bots(), Bot::Client, &update).await;
    assert!(matches!(failed, Err(usipipo::queue::Failure::GiveUp(_))), "{failed:?}");
}
