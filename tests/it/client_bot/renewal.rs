//! Going on with a plan, another plan beside it, and how many devices there may be.

use serde_json::json;
use usipipo::i18n::args;
use usipipo::models::bot::Language;
use usipipo::models::vpn::Protocol;

use super::{ANA, House, paid};

/// Ends the plan of the person with this config, as the expiry does.
async fn end(house: &House) {
    house.sql("UPDATE subscriptions SET status = 'suspended', ends_at = NOW(6) - INTERVAL 1 HOUR").await;
    house.sql("UPDATE vpn_configs SET status = 'suspended'").await;
}

#[tokio::test]
async fn renewing_goes_on_with_the_same_configuration() {
    let house = House::with_servers().await;
    house.bought(ANA, 2, 250).await;
    for shown in [house.says(ANA, "/start").await, house.says(ANA, "/vpn").await] {
        assert!(shown.buttons().contains(&"plan:2".to_owned()), "{shown:?}");
    }
    end(&house).await;
    let paused = house.presses(ANA, "cfg:1").await;
    assert!(paused.html().contains(&ANA.texts().text("config-suspended").into_string()), "{paused:?}");
    assert!(paused.buttons().contains(&"plan:2".to_owned()), "{paused:?}");

    house.presses(ANA, "plan:2").await;
    let payload = house.order(ANA, 2).await;
    house.client(paid(ANA, &payload, 250, "second")).await;
    assert_eq!((house.count("subscriptions").await, house.count("vpn_configs").await), (1, 1));
    assert_eq!(house.text("SELECT status FROM subscriptions").await, "active");
    let follows = "SELECT COUNT(*) FROM jobs WHERE kind = 'apply_subscription'";
    assert_eq!(house.number(follows).await, 1, "which brings the config back");
}

#[tokio::test]
async fn what_is_not_sold_any_more_is_not_renewed() {
    let house = House::with_servers().await;
    house.bought(ANA, 2, 250).await;
    house.sql("UPDATE plans SET active = FALSE WHERE id = 2").await;
    end(&house).await;
    let unsold = ANA.texts().text("config-suspended-unsold").into_string();
    let paused = house.presses(ANA, "cfg:1").await;
    assert!(paused.html().contains(&unsold), "{paused:?}");
    for shown in [paused, house.says(ANA, "/start").await, house.says(ANA, "/vpn").await] {
        assert!(!shown.buttons().contains(&"plan:2".to_owned()), "{shown:?}");
        assert!(shown.buttons().contains(&"plans".to_owned()), "{shown:?}");
    }
}

#[tokio::test]
async fn another_plan_says_that_it_is_a_plan_apart() {
    let house = House::with_servers().await;
    house.bought(ANA, 2, 250).await;
    let t = ANA.texts();
    let until = house.number("SELECT UNIX_TIMESTAMP(ends_at) DIV 1 FROM subscriptions").await;
    let date = t.date(usipipo::clock::Timestamp::from_unix(until));
    let beside = t.with("plan-beside", args! { "plan" => "VPN 1 month", "date" => date }).into_string();
    let shown = house.presses(ANA, "plan:3").await;
    assert!(shown.html().contains(&beside), "{shown:?}");
    assert!(shown.buttons().contains(&"plan:2".to_owned()), "the way to renew instead: {shown:?}");
    let same = house.presses(ANA, "plan:2").await;
    assert!(same.html().contains('➕') && !same.html().contains("ℹ️"), "{same:?}");

    end(&house).await;
    let paused = t.with("plan-beside-paused", args! { "plan" => "VPN 1 month" }).into_string();
    let shown = house.presses(ANA, "plan:3").await;
    assert!(shown.html().contains(&paused), "{shown:?}");
    house.bought(ANA, 3, 650).await;
    let active = "SELECT GROUP_CONCAT(status ORDER BY id) FROM vpn_configs";
    assert_eq!(house.text(active).await, "suspended,active", "as it was said");
}

#[tokio::test]
async fn a_trial_is_no_plan_that_another_one_stands_beside() {
    let house = House::with_servers().await;
    house.trial(ANA, Protocol::Wireguard).await;
    assert!(!house.presses(ANA, "plan:2").await.html().contains("ℹ️"));
    assert!(house.says(ANA, "/start").await.buttons().contains(&"plans".to_owned()));
}

#[tokio::test]
async fn more_devices_come_with_another_plan_only_where_that_is_true() {
    for (cap, another) in [("5", true), ("2", false)] {
        let house = House::with(&[("MAX_CONFIGS_PER_USER", cap)]).await;
        house.add_servers().await;
        house.bought(ANA, 1, 75).await;
        house.presses(ANA, "add-to:1:outline").await;
        let full = house.presses(ANA, "add").await;
        let hint = ANA.texts().text("add-limit-plan").into_string();
        assert_eq!(full.html().contains(&hint), another, "{full:?}");
        assert_eq!(full.buttons().contains(&"plans".to_owned()), another, "{full:?}");
    }
}

#[tokio::test]
async fn a_plan_names_what_can_be_had_today() {
    let house = House::with_servers().await;
    let t = ANA.texts();
    let names = t.with("and", args! { "one" => "WireGuard", "other" => "Outline" });
    let both = t.with("plan-gives-protocols", args! { "protocols" => names }).into_string();
    let shown = house.presses(ANA, "plan:2").await;
    assert!(shown.html().contains(&both), "{shown:?}");
    for provider in ["how-to-pay-stars", "how-to-pay-qvapay"] {
        assert!(shown.html().contains(&t.text(provider).into_string()), "{shown:?}");
    }
    house.sql("UPDATE servers SET active = FALSE WHERE protocol = 'wireguard'").await;
    let shown = house.presses(ANA, "plan:2").await;
    assert!(!shown.html().contains("WireGuard") && shown.html().contains("Outline"), "{shown:?}");

    let stars = House::with(&[("QVAPAY_APP_ID", ""), ("QVAPAY_APP_SECRET", "")]).await;
    let shown = stars.presses(ANA, "plan:2").await;
    assert!(!shown.html().contains("QvaPay") && !shown.html().contains("WireGuard"), "{shown:?}");
}

#[tokio::test]
async fn help_and_terms_follow_the_configuration() {
    let own = "https://faro.example.com/terms?lang=es";
    let house = House::with(&[("TRIAL_DAYS", "0"), ("TERMS_URL", own)]).await;
    for language in Language::ALL {
        let ana = ANA.speaking(*language);
        house.presses(ana, &format!("lang:{language}")).await;
        let t = ana.texts();
        let help = house.says(ana, "/help").await;
        assert!(help.html().contains(&t.text("help-start").into_string()), "{help:?}");
        assert!(!help.html().contains(&t.text("help-start-trial").into_string()), "{help:?}");
        let terms = house.says(ana, "/terms").await;
        assert_eq!(terms.html(), t.text("terms-elsewhere").into_string());
        assert!(json!(terms.bodies()).to_string().contains(own), "{terms:?}");
    }
}
