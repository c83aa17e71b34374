//! The trial, configs, and the question for a name.

use serde_json::json;
use usipipo::handlers::bots::screens::{Reply, reply_text};
use usipipo::models::notice::{Alert, Notice};
use usipipo::models::outgoing::{Body, ConfigPart};
use usipipo::models::vpn::Protocol;

use super::{ANA, BOSS, House, message};

const NAME: &str = "SELECT name FROM vpn_configs WHERE id = 1";

#[tokio::test]
async fn the_trial_is_taken_once() {
    let house = House::with_servers().await;
    let offer = house.says(ANA, "/trial").await;
    assert!(offer.buttons().contains(&"trial-take:wireguard".to_owned()), "{offer:?}");
    house.presses(ANA, "trial-take:wireguard").await;
    assert_eq!(house.number("SELECT COUNT(*) FROM jobs WHERE kind = 'apply_config'").await, 1);
    let again = house.presses(ANA, "trial-take:outline").await;
    assert!(!again.buttons().contains(&"trial-take:outline".to_owned()), "{again:?}");
    let counted =
        (house.count("trials").await, house.count("subscriptions").await, house.count("vpn_configs").await);
    assert_eq!(counted, (1, 1, 1));
}

#[tokio::test]
async fn a_trial_that_finds_no_room_is_not_taken() {
    let house = House::with_servers().await;
    house.says(ANA, "/start").await;
    house.sql("UPDATE servers SET active = FALSE WHERE protocol = 'wireguard'").await;
    house.presses(ANA, "trial-take:wireguard").await;
    assert_eq!((house.count("trials").await, house.count("subscriptions").await), (0, 0));
    house.presses(ANA, "trial-take:outline").await;
    assert_eq!(house.count("trials").await, 1);
}

#[tokio::test]
async fn a_trial_takes_no_place_from_a_plan() {
    let house = House::with(&[("MAX_CONFIGS_PER_USER", "2")]).await;
    house.add_servers().await;
    house.trial(ANA, Protocol::Wireguard).await;
    house.bought(ANA, 2, 250).await;
    assert!(house.presses(ANA, "add").await.buttons().contains(&"add-to:2:outline".to_owned()));
    house.presses(ANA, "add-to:2:outline").await;
    assert_eq!(house.count("vpn_configs").await, 3);
    let full = house.presses(ANA, "add-to:2:outline").await;
    assert!(!full.buttons().contains(&"add-to:2:outline".to_owned()), "{full:?}");
    assert_eq!(house.count("vpn_configs").await, 3);
    house.sql("UPDATE subscriptions SET status = 'suspended' WHERE id = 2").await;
    house.bought(ANA, 3, 650).await;
    house.presses(ANA, "add-to:3:outline").await;
    assert_eq!(house.count("vpn_configs").await, 5, "what is kept of an ended plan takes no place either");
}

#[tokio::test]
async fn what_was_paid_for_comes_whatever_is_held() {
    let house = House::with(&[("MAX_CONFIGS_PER_USER", "1")]).await;
    house.add_servers().await;
    house.bought(ANA, 1, 75).await;
    house.bought(ANA, 2, 250).await;
    house.trial(ANA, Protocol::Outline).await;
    let held = "SELECT COUNT(DISTINCT subscription_id) FROM vpn_configs WHERE status = 'active'";
    assert_eq!(house.number(held).await, 3);
}

#[tokio::test]
async fn the_admins_hear_of_a_purchase_without_a_server() {
    let house = House::new().await;
    house.bought(ANA, 2, 250).await;
    assert_eq!(house.text("SELECT status FROM subscriptions").await, "active");
    let alert = Notice::Alert(Alert::NoServer { user_id: ANA.user() });
    assert_eq!(house.works.notices_to(BOSS.user()).await, [alert]);
    house.add_servers().await;
    house.presses(ANA, "add").await;
    house.presses(ANA, "add-to:1:outline").await;
    assert_eq!(house.count("vpn_configs").await, 1, "and it can be added once there is one");
}

#[tokio::test]
async fn a_full_server_is_not_offered() {
    let house = House::with_servers().await;
    house.bought(ANA, 2, 250).await;
    house.sql("UPDATE servers SET capacity = 1").await;
    let choice = house.presses(ANA, "add").await;
    assert!(!choice.buttons().contains(&"add-to:1:wireguard".to_owned()), "{choice:?}");
    house.presses(ANA, "add-to:1:wireguard").await;
    assert_eq!(house.count("vpn_configs").await, 1);
    house.presses(ANA, "add-to:1:outline").await;
    assert_eq!(house.count("vpn_configs").await, 2);
}

#[tokio::test]
async fn a_config_is_handed_over_in_parts() {
    let house = House::with_servers().await;
    house.trial(ANA, Protocol::Wireguard).await;
    for (data, part) in
        [("cfg-file:1", ConfigPart::File), ("cfg-qr:1", ConfigPart::Qr), ("cfg-text:1", ConfigPart::Text)]
    {
        let said = house.presses(ANA, data).await;
        let [Body::Ack(_), Body::Config { part: sent, .. }] = said.bodies()[..] else { panic!("{said:?}") };
        assert_eq!(*sent, part);
    }
    house.sql("UPDATE vpn_configs SET status = 'suspended'").await;
    let said = house.presses(ANA, "cfg-file:1").await;
    assert!(said.html().contains(&ANA.texts().text("config-suspended-trial").into_string()), "{said:?}");
}

#[tokio::test]
async fn configs_are_added_up_to_the_limit_of_devices() {
    let house = House::with_servers().await;
    house.bought(ANA, 1, 75).await;
    let choice = house.presses(ANA, "add").await;
    assert!(choice.buttons().contains(&"add-to:1:outline".to_owned()), "{choice:?}");
    house.presses(ANA, "add-to:1:outline").await;
    let full = house.presses(ANA, "add-to:1:outline").await;
    assert!(full.html().contains(&ANA.texts().text("add-title").into_string()), "{full:?}");
    assert!(!full.buttons().contains(&"add-to:1:outline".to_owned()), "{full:?}");
    assert_eq!(house.count("vpn_configs").await, 2);
}

#[tokio::test]
async fn revoking_asks_first() {
    let house = House::with_servers().await;
    house.trial(ANA, Protocol::Outline).await;
    let question = house.presses(ANA, "cfg-revoke:1").await;
    assert!(question.buttons().contains(&"cfg-revoke-yes:1".to_owned()), "{question:?}");
    assert_eq!(house.text("SELECT status FROM vpn_configs").await, "active");
    house.presses(ANA, "cfg-revoke-yes:1").await;
    assert_eq!(house.text("SELECT status FROM vpn_configs").await, "revoked");
    assert!(house.presses(ANA, "cfg-revoke-yes:1").await.acks()[0].alert);
}

#[tokio::test]
async fn the_next_message_is_the_name() {
    let house = House::with_servers().await;
    house.trial(ANA, Protocol::Wireguard).await;
    house.presses(ANA, "cfg-name:1").await;
    let invalid = ANA.texts();
    for bad in ["\u{200b}\u{202e}", &"x".repeat(33)] {
        let said = house.says(ANA, bad).await;
        assert!(said.buttons().contains(&"cancel".to_owned()), "{bad:?} leaves the question open: {said:?}");
    }
    let photo = json!({ "photo": [{ "file_id": "a", "file_unique_id": "b", "width": 1, "height": 1 }] });
    assert!(house.client(message(ANA, photo)).await.buttons().contains(&"cancel".to_owned()));
    let said = house.says(ANA, "  <i>Mi</i>   portátil ").await;
    assert!(said.html().contains("&lt;i&gt;Mi&lt;/i&gt; portátil"), "{said:?}");
    assert_eq!(house.text(NAME).await, "<i>Mi</i> portátil");
    assert_eq!(house.count("dialogs").await, 0);
    let hint = reply_text(invalid, &Reply::NotUnderstood).into_string();
    assert!(house.says(ANA, "Another").await.html().starts_with(&hint));
}

#[tokio::test]
async fn a_question_is_left_by_any_command_and_any_button() {
    let house = House::with_servers().await;
    house.trial(ANA, Protocol::Wireguard).await;
    let before = house.text(NAME).await;
    for leaving in ["/plans", "/cancel", "/nosuch", "/"] {
        house.presses(ANA, "cfg-name:1").await;
        assert_eq!(house.count("dialogs").await, 1);
        house.says(ANA, leaving).await;
        assert_eq!(house.count("dialogs").await, 0, "{leaving}");
    }
    for leaving in ["cancel", "home", "x"] {
        house.presses(ANA, "cfg-name:1").await;
        house.presses(ANA, leaving).await;
        assert_eq!(house.count("dialogs").await, 0, "{leaving}");
    }
    house.says(ANA, "Too late").await;
    assert_eq!(house.text(NAME).await, before);
}

#[tokio::test]
async fn cancel_says_what_it_did() {
    let house = House::with_servers().await;
    house.trial(ANA, Protocol::Wireguard).await;
    let words = |reply| reply_text(ANA.texts(), &reply).into_string();
    assert!(house.says(ANA, "/cancel").await.html().starts_with(&words(Reply::NothingToCancel)));
    house.presses(ANA, "cfg-name:1").await;
    assert!(house.says(ANA, "/cancel").await.html().starts_with(&words(Reply::Cancelled)));
    house.presses(ANA, "cfg-name:1").await;
    assert!(house.presses(ANA, "cancel").await.buttons().contains(&"cfg-revoke:1".to_owned()), "the config");
    assert_eq!(house.presses(ANA, "cancel").await.alert(), Some(words(Reply::NothingToCancel).as_str()));
}

#[tokio::test]
async fn a_question_that_nobody_can_read_any_more_is_none() {
    let house = House::with_servers().await;
    house.says(ANA, "/start").await;
    let id = ANA.id;
    for state in ["{\"dialog\":\"of_tomorrow\"}", "damaged"] {
        house.sql(&format!("REPLACE INTO dialogs VALUES ('client', {id}, '{state}', NOW(6))")).await;
        house.says(ANA, "hello").await;
        house.says(ANA, "/cancel").await;
        assert_eq!(house.count("dialogs").await, 0);
    }
}
