//! Deep links: `/start plan_<id>`, `/start ref_<code>`, and whatever else people put there.

use super::{ANA, BRUNO, House};

#[tokio::test]
async fn a_plan_opens_by_its_link() {
    let house = House::new().await;
    let said = house.says(ANA, "/start plan_2").await;
    assert!(said.buttons().contains(&"buy:2:stars".to_owned()), "{said:?}");
    assert!(said.buttons().contains(&"buy:2:qvapay".to_owned()), "{said:?}");
    house.sql("UPDATE plans SET active = FALSE WHERE id = 2").await;
    let said = house.says(ANA, "/start plan_2").await;
    assert!(said.buttons().contains(&"profile".to_owned()), "the menu instead: {said:?}");
}

#[tokio::test]
async fn whoever_brought_somebody_is_noted_once() {
    let house = House::new().await;
    let said = house.says(ANA, &format!("/start ref_{}", BRUNO.id)).await;
    assert!(said.buttons().contains(&"profile".to_owned()), "and the menu is shown");
    house.says(ANA, "/start ref_other").await;
    assert_eq!(house.user(ANA).await.unwrap().referrer.as_deref(), Some("6000000002"));
    assert_eq!(house.works.audited("referrer_set").await.len(), 1);
}

#[tokio::test]
async fn nobody_brings_himself() {
    let house = House::new().await;
    house.says(ANA, &format!("/start ref_{}", ANA.id)).await;
    house.says(ANA, "/start ref_ANA").await;
    assert_eq!(house.user(ANA).await.unwrap().referrer, None);
}

#[tokio::test]
async fn junk_after_start_means_nothing() {
    let house = House::new().await;
    let home = house.says(ANA, "/start").await.html().to_owned();
    for junk in [
        "ref_",
        "ref_a b",
        "ref_<b>",
        "ref_ñ",
        "plan_",
        "plan_x",
        "plan_99",
        "plan_-1",
        "plan_99999999999999999999",
        "plan",
        "PLAN_2",
        "x",
        "'; DROP TABLE users; --",
        "\u{0}",
        &"a".repeat(3000),
    ] {
        assert_eq!(house.says(ANA, &format!("/start {junk}")).await.html(), home, "{junk}");
    }
    assert_eq!(house.user(ANA).await.unwrap().referrer, None);
}
