//! When it does not connect: the way there, what is said, and the system that is remembered.

use serde_json::json;
use usipipo::models::vpn::Protocol;

use super::{ANA, House};

#[tokio::test]
async fn help_is_a_press_away_from_a_config_and_its_guide() {
    let house = House::with(&[("SUPPORT_CONTACT", "@faro_help")]).await;
    house.add_servers().await;
    house.trial(ANA, Protocol::Wireguard).await;
    for from in ["cfg:1", "cfg-guide:1:android"] {
        assert!(house.presses(ANA, from).await.buttons().contains(&"cfg-trouble:1".to_owned()), "{from}");
    }
    for from in ["help", "guide:outline:ios"] {
        assert!(house.presses(ANA, from).await.buttons().contains(&"trouble".to_owned()), "{from}");
    }
    let t = ANA.texts();
    let shown = house.presses(ANA, "cfg-trouble:1").await;
    for key in ["trouble-title", "trouble-steps", "trouble-outline"] {
        assert!(shown.html().contains(&t.text(key).into_string()), "{key}: {shown:?}");
    }
    assert!(shown.html().contains(&ANA.id.to_string()), "what support asks for: {shown:?}");
    assert!(json!(shown.bodies()).to_string().contains("https://t.me/faro_help"), "{shown:?}");
    for to in ["add", "status", "cfg:1"] {
        assert!(shown.buttons().contains(&to.to_owned()), "{to}: {shown:?}");
    }
}

#[tokio::test]
async fn outline_is_proposed_where_it_can_be_had_and_is_not_the_trouble() {
    let house = House::with_servers().await;
    house.bought(ANA, 2, 250).await;
    house.presses(ANA, "add-to:1:outline").await;
    house.hand_out().await;
    let proposal = ANA.texts().text("trouble-outline").into_string();
    assert!(house.presses(ANA, "cfg-trouble:1").await.html().contains(&proposal));
    assert!(!house.presses(ANA, "cfg-trouble:2").await.html().contains(&proposal), "it is Outline already");
    house.sql("UPDATE servers SET active = FALSE WHERE protocol = 'outline'").await;
    let shown = house.presses(ANA, "cfg-trouble:1").await;
    assert!(!shown.html().contains(&proposal) && !shown.buttons().contains(&"add".to_owned()), "{shown:?}");
}

#[tokio::test]
async fn a_config_that_never_connected_points_there_after_an_hour() {
    let house = House::with_servers().await;
    house.trial(ANA, Protocol::Wireguard).await;
    let overdue = ANA.texts().text("config-handshake-overdue").into_string();
    assert!(!house.presses(ANA, "cfg:1").await.html().contains(&overdue));
    house.works.clock.advance(chrono::Duration::hours(1));
    assert!(house.presses(ANA, "cfg:1").await.html().contains(&overdue));
    house.sql("UPDATE vpn_configs SET last_handshake_at = NOW(6)").await;
    assert!(!house.presses(ANA, "cfg:1").await.html().contains(&overdue));
}

#[tokio::test]
async fn the_system_is_remembered_and_no_part_of_the_history() {
    let house = House::with_servers().await;
    house.trial(ANA, Protocol::Wireguard).await;
    let before = house.count("audit_logs").await;
    for os in ["android", "ios"] {
        let guide = house.presses(ANA, &format!("cfg-guide:1:{os}")).await;
        assert!(guide.buttons().contains(&"cfg-guides:1".to_owned()), "another system: {guide:?}");
    }
    assert_eq!(house.text("SELECT value FROM user_settings WHERE name = 'device_os'").await, "ios");
    assert_eq!(house.count("audit_logs").await, before);
}
