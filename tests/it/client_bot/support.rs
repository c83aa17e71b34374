//! The way to a human: what SUPPORT_CONTACT says, wherever somebody may need it.

use usipipo::models::outgoing::{Body, ButtonAction};

use super::{ANA, HELPER, House, Said};

/// Addresses that the buttons open.
fn links(said: &Said) -> Vec<&str> {
    let keyboards = said.0.iter().filter_map(|(_, _, body)| match body {
        Body::Text { keyboard, .. } | Body::Edit { keyboard, .. } => keyboard.as_ref(),
        _ => None,
    });
    let buttons = keyboards.flat_map(|keyboard| keyboard.0.iter().flatten());
    let links = buttons.filter_map(|button| match &button.action {
        ButtonAction::Url(url) => Some(url.as_str()),
        _ => None,
    });
    links.collect()
}

#[tokio::test]
async fn a_human_can_be_reached_from_help_payments_and_a_ban() {
    for (contact, link, words) in [
        ("@usipipo_support", Some("https://t.me/usipipo_support"), ""),
        ("https://example.com/help", Some("https://example.com/help"), ""),
        ("help@example.com", None, "help@example.com"),
    ] {
        let house = House::with(&[("SUPPORT_CONTACT", contact)]).await;
        house.says(HELPER, "/start").await;
        for said in [house.says(ANA, "/help").await, house.says(ANA, "/paysupport").await] {
            assert_eq!(links(&said), Vec::from_iter(link), "{contact}");
            assert!(said.html().contains(words), "{contact}: {said:?}");
        }
        house.presses(HELPER, &format!("ban-yes:{}", ANA.id)).await;
        let said = house.says(ANA, "/start").await;
        assert_eq!(links(&said), Vec::from_iter(link), "{contact}");
        assert!(said.html().contains(words), "{contact}: {said:?}");
    }
}
