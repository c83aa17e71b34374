//! Groups, the banned, the hasty, and people who block the bot.

use std::time::Duration;

use scoped_futures::ScopedFutureExt;
use serde_json::{Value, json};
use usipipo::handlers::bots::screens::{Reply, reply_alert, reply_text};
use usipipo::integrations::telegram::update;
use usipipo::models::audit::Actor;
use usipipo::models::bot::Bot;
use usipipo::models::outgoing::{Ack, Body};
use usipipo::models::user::UserStatus;
use usipipo::queue::Failure;
use usipipo::work::Origin;

use super::{ANA, BRUNO, House, Person, message, press};

const GROUP: i64 = -1_001_234_567_890;

fn in_group(mut update: Value, kind: &str) -> Value {
    let chat = json!({ "id": GROUP, "type": kind, "title": "Friends" });
    let message = match update.get_mut("callback_query") {
        Some(query) => &mut query["message"],
        None => &mut update["message"],
    };
    message["chat"] = chat;
    update
}

fn group_message(person: Person, text: &str) -> Value {
    in_group(message(person, json!({ "text": text })), "supergroup")
}

#[tokio::test]
async fn a_group_hears_one_line_when_the_bot_is_called() {
    let house = House::with_servers().await;
    house.trial(ANA, usipipo::models::vpn::Protocol::Outline).await;
    let line = reply_text(ANA.texts(), &Reply::InGroup).into_string();
    for text in ["/start@usipipo_test_bot", "/vpn@USIPIPO_TEST_BOT", "/profile@usipipo_test_bot x"] {
        let said = house.client(group_message(ANA, text)).await;
        assert_eq!(said.bodies(), [&Body::Text { html: line.clone(), keyboard: None }], "{text}");
        assert_eq!(said.0[0].0, GROUP);
    }
    for text in ["/start", "/vpn@other_bot", "hello", "hello @usipipo_test_bot", "/@usipipo_test_bot"] {
        assert!(house.client(group_message(ANA, text)).await.nothing(), "{text}");
    }
}

#[tokio::test]
async fn a_button_in_a_group_shows_nothing_of_anybody() {
    let house = House::new().await;
    for data in ["profile", "vpn", "x"] {
        let said = house.client(in_group(press(ANA, data), "group")).await;
        let text = Some(reply_alert(ANA.texts(), &Reply::InGroup));
        let ack = Ack { callback_id: "4382bfdwdsb323b2d9".into(), text, alert: true };
        assert_eq!(said.bodies(), [&Body::Ack(ack)], "{data}");
    }
}

#[tokio::test]
async fn the_banned_are_told_once_a_day() {
    let house = House::new().await;
    house.says(ANA, "/start").await;
    house.sql(&format!("UPDATE users SET status = 'banned' WHERE id = {}", ANA.id)).await;
    let banned = reply_text(ANA.texts(), &Reply::Banned).into_string();
    assert!(house.says(ANA, "/start").await.html().starts_with(&banned));
    for text in ["/start", "/plans", "hello"] {
        assert!(house.says(ANA, text).await.nothing(), "{text}");
    }
    let said = house.presses(ANA, "plans").await;
    assert!(matches!(said.bodies()[..], [Body::Ack(Ack { text: None, .. })]), "the spinner stops: {said:?}");
    assert!(house.client(group_message(ANA, "/start@usipipo_test_bot")).await.nothing());
    house.works.clock.advance(chrono::Duration::days(1));
    let said = house.presses(ANA, "plans").await;
    assert!(said.html().starts_with(&banned), "{said:?}");
    assert!(said.buttons().is_empty());
    assert!(!house.says(BRUNO, "/start").await.nothing(), "others are served");
}

#[tokio::test]
async fn the_hasty_are_warned_once() {
    let house = House::new().await;
    let bots = house.bots();
    let mut said = Vec::new();
    for _ in 0..40 {
        let update = house.numbered(message(ANA, json!({ "text": "/terms" })));
        said.push(house.try_handle(&bots, Bot::Client, &update).await.unwrap());
    }
    let slow = reply_text(ANA.texts(), &Reply::SlowDown).into_string();
    let terms = ANA.texts().text("terms").into_string();
    let answered: Vec<&str> = said.iter().filter(|said| !said.nothing()).map(|said| said.html()).collect();
    assert_eq!(answered.iter().filter(|html| **html == slow).count(), 1);
    let served = answered.iter().filter(|html| **html == terms).count();
    assert!((20..40).contains(&served), "{served}");
    let update = house.numbered(message(BRUNO, json!({ "text": "/terms" })));
    assert!(!house.try_handle(&bots, Bot::Client, &update).await.unwrap().nothing(), "others are served");
}

/// Whoever presses too fast is not answered, but no button may look as if it still worked on it.
#[tokio::test]
async fn a_press_that_is_dropped_still_stops_its_spinner() {
    let house = House::new().await;
    house.says(ANA, "/start").await;
    let (bots, slow) = (house.bots(), reply_alert(ANA.texts(), &Reply::SlowDown));
    let (mut warned, mut dropped) = (0, 0);
    for _ in 0..40 {
        let update = house.numbered(press(ANA, "terms"));
        let said = house.try_handle(&bots, Bot::Client, &update).await.unwrap();
        match (said.alert(), &said.bodies()[..]) {
            (Some(text), [Body::Ack(_)]) if text == slow => warned += 1,
            (None, [Body::Ack(Ack { alert: false, .. })]) => dropped += 1,
            (None, [Body::Edit { .. }]) => {}
            _ => panic!("{said:?}"),
        }
    }
    assert!(warned > 0 && dropped > warned, "{warned} warned, {dropped} dropped");
}

#[tokio::test]
async fn what_is_handled_again_after_a_conflict_is_no_haste() {
    let house = House::new().await;
    let (bots, cause) = (house.bots(), usipipo::ids::time_ordered());
    let update = house.numbered(message(ANA, json!({ "text": "/terms" })));
    let update = &update::parse(update.to_string().as_bytes()).unwrap();
    // The database ends the transaction after the update was handled, again and again.
    for _ in 0..40 {
        let origin = Origin::new(Actor::System, cause);
        let handled = house.works.run::<(), _, _>("update", origin, |work| {
            let bots = &bots;
            async move {
                bots.handle(work, Bot::Client, update).await?;
                Err(Failure::later("a conflict", Duration::ZERO))
            }
            .scope_boxed()
        });
        handled.await.unwrap_err();
    }
    let terms = ANA.texts().text("terms").into_string();
    for _ in 0..15 {
        let update = house.numbered(message(ANA, json!({ "text": "/terms" })));
        let said = house.try_handle(&bots, Bot::Client, &update).await.unwrap();
        assert_eq!(said.html(), terms, "only one action was counted");
    }
}

fn standing(person: Person, status: &str) -> Value {
    let member =
        |status| json!({ "user": { "id": 1001, "is_bot": true, "first_name": "u" }, "status": status });
    json!({ "my_chat_member": {
        "chat": person.chat(), "from": person.json(), "date": 1_795_262_398,
        "old_chat_member": member("member"), "new_chat_member": member(status),
    } })
}

#[tokio::test]
async fn whoever_blocks_the_bot_is_noted_until_they_write_again() {
    let house = House::new().await;
    house.says(ANA, "/start").await;
    assert!(house.client(standing(ANA, "kicked")).await.nothing());
    assert_eq!(house.user(ANA).await.unwrap().status, UserStatus::Blocked);
    house.client(standing(ANA, "member")).await;
    assert_eq!(house.user(ANA).await.unwrap().status, UserStatus::Active);
    house.to(Bot::Support, standing(ANA, "kicked")).await;
    assert_eq!(house.user(ANA).await.unwrap().status, UserStatus::Active, "that was another bot");
    house.client(standing(BRUNO, "kicked")).await;
    assert!(house.user(BRUNO).await.is_none());
}

#[tokio::test]
async fn kinds_that_nobody_handles_are_done() {
    let house = House::new().await;
    for update in
        [json!({ "holo_call": {} }), json!({}), json!({ "inline_query": { "id": "1", "from": ANA.json() } })]
    {
        assert!(house.client(update).await.nothing());
    }
}
