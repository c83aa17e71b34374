//! Configs as they are handed over: files that apps can use, and nothing of them anywhere else.

use scoped_futures::ScopedFutureExt;
use usipipo::handlers::bots::callback::Os;
use usipipo::ids::{ChatId, ConfigId};
use usipipo::integrations::vpn::qr;
use usipipo::integrations::vpn::wireguard::WireGuardSettings;
use usipipo::models::bot::Bot;
use usipipo::models::outgoing::ConfigPart;
use usipipo::models::vpn::ConfigStatus;
use usipipo::queue::outbox::{Courier, Delivery};
use usipipo::services::people;
use usipipo::work::Origin;

use super::scene::{ANA, Scene, part, settings};
use crate::support::chats::BOT;
use crate::support::log;

#[tokio::test]
async fn a_wireguard_config_arrives_as_file_picture_text_and_guide() {
    let scene = Scene::new().await;
    let id = scene.wireguard(settings()).await;

    let file = scene.arrives(&part(id, ConfigPart::File)).await;
    let document = file.document.unwrap();
    assert_eq!(document.name, format!("mi-m-vil-{id}.conf"));
    let conf = String::from_utf8(document.bytes.to_vec()).unwrap();
    assert!(conf.starts_with("[Interface]\nPrivateKey = "), "{conf}");
    for line in
        ["Address = 10.66.0.2/32, fd42:66::2/128", "Endpoint = vpn.example.com:51820", "PresharedKey = "]
    {
        assert!(conf.contains(line), "{line} in {conf}");
    }
    assert!(file.text.contains("Mi <móvil>") && file.text.contains("¡todo listo!"), "{}", file.text);
    assert!(file.text.chars().count() <= 1024);
    assert!(file.keyboard.iter().flatten().count() > 0);

    let qr = scene.arrives(&part(id, ConfigPart::Qr)).await;
    let photo = qr.photo.unwrap();
    assert!(photo.bytes.starts_with(b"\x89PNG\r\n\x1a\n"));
    assert!(photo.pixels.unwrap().0 >= 400);
    let expected = qr::png(&conf).unwrap();
    assert_eq!(photo.bytes, expected, "the picture says what the file says");
    assert!(qr.text.chars().count() <= 1024);

    let copy = scene.arrives(&part(id, ConfigPart::Text)).await;
    assert!(copy.text.contains(conf.trim_end()), "{}", copy.text);
    assert!(copy.html.contains("<pre>[Interface]"), "{}", copy.html);

    let guide = scene.arrives(&part(id, ConfigPart::Guide)).await;
    assert!(guide.button("Android").is_some(), "{guide:?}");
}

#[tokio::test]
async fn an_outline_config_arrives_as_link_picture_and_guide() {
    let scene = Scene::in_language("en").await;
    let link = "ss://Y2hhY2hhMjAtaWV0Zi1wb2x5MTMwNTpw@vpn.example.com:12345/?outline=1";
    let id = scene.outline(link).await;
    let copy = scene.arrives(&part(id, ConfigPart::Text)).await;
    assert!(copy.html.contains(&format!("<code>{link}</code>")), "{}", copy.html);
    assert!(copy.text.contains("Outline app"), "{}", copy.text);
    assert_eq!(scene.arrives(&part(id, ConfigPart::File)).await.text, copy.text);
    let photo = scene.arrives(&part(id, ConfigPart::Qr)).await.photo.unwrap();
    assert_eq!(photo.bytes, qr::png(link).unwrap());
    assert!(scene.arrives(&part(id, ConfigPart::Guide)).await.text.contains("Outline"));
}

#[tokio::test]
async fn the_guide_is_for_the_system_that_was_chosen_last() {
    let scene = Scene::new().await;
    let id = scene.wireguard(settings()).await;
    let chosen = scene.chats.run::<_, sqlx::Error, _>("choose", Origin::SYSTEM, |work| {
        people::set_setting(work, ANA, Os::SETTING, Os::Windows.as_str()).scope_boxed()
    });
    chosen.await.unwrap();
    let guide = scene.arrives(&part(id, ConfigPart::Guide)).await;
    assert!(guide.text.contains("WireGuard en Windows"), "{}", guide.text);
    assert!(guide.button(&format!("cfg-guides:{id}")).is_some(), "the way to another system: {guide:?}");
    assert!(guide.button("Android").is_none(), "{guide:?}");
}

#[tokio::test]
async fn what_is_too_long_for_its_form_becomes_a_file() {
    let scene = Scene::new().await;
    let networks = (0..400_u32).map(|n| format!("100.{}.{}.0/24", n / 256, n % 256).parse().unwrap());
    let id = scene.wireguard(WireGuardSettings { allowed_ips: networks.collect(), ..settings() }).await;
    for form in [ConfigPart::Text, ConfigPart::Qr] {
        let document = scene.arrives(&part(id, form)).await.document.unwrap();
        assert!(document.bytes.len() > 4096 && document.name.ends_with(".conf"));
    }
}

#[tokio::test]
async fn the_longest_link_there_is_room_for_fits_a_message_and_a_code() {
    let scene = Scene::in_language("ru").await;
    let link = format!("ss://{}@vpn.example.com:1/", "x".repeat(1850));
    let id = scene.outline(&link).await;
    assert!(scene.arrives(&part(id, ConfigPart::Text)).await.text.contains(&link));
    assert!(scene.arrives(&part(id, ConfigPart::Qr)).await.photo.is_some());
}

#[tokio::test]
async fn a_config_goes_to_its_owner_while_it_is_there() {
    let scene = Scene::new().await;
    let id = scene.wireguard(settings()).await;
    let stranger = scene.chats.person(77, "Eva", "es").await;
    let foreign = scene.chats.courier().deliver(Bot::Client, ChatId(77), &part(id, ConfigPart::Text)).await;
    assert!(matches!(foreign, Delivery::Permanent(_)), "{foreign:?}");
    assert!(stranger.messages(BOT).unwrap().is_empty());

    scene.set_status(id, ConfigStatus::Suspended).await;
    scene.arrives(&part(id, ConfigPart::File)).await;
    for status in [ConfigStatus::Preparing, ConfigStatus::Revoked, ConfigStatus::Removed] {
        scene.set_status(id, status).await;
        scene.unsent(&part(id, ConfigPart::File)).await;
    }
    assert_eq!(scene.unsent(&part(ConfigId(9999), ConfigPart::File)).await, "the config is gone");
}

#[tokio::test]
async fn nothing_of_a_secret_is_stored_or_shown() {
    log::capture();
    let scene = Scene::new().await;
    let id = scene.wireguard(settings()).await;
    scene.queue(&[part(id, ConfigPart::Text)]).await;
    let _sending = scene.chats.start_sending();
    let copy = scene.ana.wait_for_text(BOT, "[Interface]").await.unwrap();
    let key = copy.text.split("PrivateKey = ").nth(1).unwrap().lines().next().unwrap().to_owned();
    assert_eq!(key.len(), 44);
    let bodies: Vec<String> =
        sqlx::query_scalar("SELECT CONCAT(body, COALESCE(error, '')) FROM outbound_messages")
            .fetch_all(&scene.chats.db.pool)
            .await
            .unwrap();
    assert!(!bodies.is_empty() && bodies.iter().all(|body| !body.contains(&key)));
    assert!(log::lines_with(&key).is_empty());
}
