//! The support and the admin bot.

use usipipo::handlers::bots::screens::{Reply, reply_text};
use usipipo::models::bot::Bot;
use usipipo::models::outgoing::{Body, Class};

use serde_json::json;

use super::{ANA, BOSS, HELPER, House, message, press};

#[tokio::test]
async fn the_support_bot_says_who_it_is() {
    let house = House::new().await;
    let about = ANA.texts().text("about-support").into_string();
    for text in ["/start", "hello", "/stats"] {
        let said = house.to(Bot::Support, message(ANA, json!({ "text": text }))).await;
        assert_eq!(said.html(), about);
        assert_eq!(said.0[0].1, Class::Interactive);
    }
    let said = house.to(Bot::Support, press(ANA, "home")).await;
    assert!(matches!(said.bodies()[..], [Body::Edit { ack: Some(_), .. }]), "{said:?}");
    assert!(said.buttons().is_empty());
    let bots = house.text("SELECT GROUP_CONCAT(DISTINCT bot) FROM outbound_messages").await;
    assert_eq!(bots, "support", "it answers by itself");
}

#[tokio::test]
async fn the_admin_bot_speaks_to_the_team() {
    let house = House::new().await;
    for person in [BOSS, HELPER] {
        let said = house.to(Bot::Admin, message(person, json!({ "text": "/start" }))).await;
        assert_eq!(said.html(), person.texts().text("about-admin").into_string());
    }
    let refusal = reply_text(ANA.texts(), &Reply::NotAllowed).into_string();
    for text in ["/start", "hello"] {
        let said = house.to(Bot::Admin, message(ANA, json!({ "text": text }))).await;
        assert_eq!(said.html(), refusal);
        assert!(said.buttons().is_empty());
    }
    assert!(house.to(Bot::Admin, press(ANA, "home")).await.acks()[0].alert);
}
