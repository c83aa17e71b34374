//! What the team does in the client bot, and that nobody else can.

use usipipo::handlers::bots::commands::Command;
use usipipo::handlers::bots::screens::admin::usage;
use usipipo::handlers::bots::screens::{Reply, reply_alert};
use usipipo::ids::PaymentId;
use usipipo::models::bot::Language;
use usipipo::models::notice::Notice;
use usipipo::models::role::Role;
use usipipo::models::user::UserStatus;
use usipipo::models::vpn::Protocol;

use super::{ANA, BOSS, BRUNO, HELPER, House, paid};

const TEAM: [&str; 10] = [
    "/whois 6123456789",
    "/users",
    "/stats",
    "/audit",
    "/refund 1",
    "/reviews",
    "/grantrole 6123456789 admin",
    "/revokerole 6123456789 admin",
    "/ban 6123456789",
    "/unban 6123456789",
];

#[tokio::test]
async fn to_everybody_else_the_teams_commands_and_buttons_do_not_exist() {
    let house = House::with_servers().await;
    house.bought(ANA, 2, 250).await;
    let unknown = house.says(BRUNO, "/nosuch").await;
    for text in TEAM {
        assert_eq!(house.says(BRUNO, text).await.bodies(), unknown.bodies(), "{text}");
        let bare = text.split(' ').next().unwrap();
        assert_eq!(house.says(BRUNO, bare).await.bodies(), unknown.bodies(), "{bare}");
    }
    let stale = reply_alert(BRUNO.texts(), &Reply::StaleButton);
    for data in [
        "users:0",
        "whois:6123456789",
        "audit:0",
        "audit-of:6123456789:0",
        "stats",
        "refund:1",
        "refund-yes:1",
        "refund-hand:1",
        "reviews",
        "review:1",
        "review-yes:1",
        "charge:1",
        "charge-back:1",
        "ban:6123456789",
        "ban-yes:6123456789",
        "unban:6123456789",
    ] {
        let said = house.presses(BRUNO, data).await;
        assert_eq!(said.alert(), Some(stale.as_str()), "{data}");
    }
    assert_eq!(house.user(ANA).await.unwrap().status, UserStatus::Active);
    assert_eq!(house.number("SELECT COUNT(*) FROM jobs WHERE kind = 'refund_payment'").await, 0);
    assert_eq!(house.count("user_roles").await, 0);
}

#[tokio::test]
async fn roles_are_granted_with_an_end_and_revoked() {
    let house = House::new().await;
    house.says(ANA, "/start").await;
    assert!(house.says(BOSS, "/grantrole @ana finance 30").await.html().contains("6123456789"));
    let said = house.says(ANA, "/myroles").await;
    assert!(said.html().contains(&ANA.texts().text("role-finance").into_string()), "{said:?}");
    assert!(house.says(ANA, "/help").await.html().contains("/refund"));
    assert!(!house.says(ANA, "/help").await.html().contains("/ban"));
    house.works.clock.advance(chrono::Duration::days(30));
    let said = house.says(ANA, "/myroles").await;
    assert!(!said.html().contains(&ANA.texts().text("role-finance").into_string()), "over: {said:?}");

    house.says(HELPER, "/grantrole 6123456789 support").await;
    house.says(HELPER, "/revokerole 6123456789 SUPPORT").await;
    assert_eq!(house.works.audited("role_revoked").await.len(), 1);
    assert_eq!(house.works.audited("role_granted").await.len(), 2);
    assert_eq!(house.works.audited("role_revoked").await[0].user_id, Some(HELPER.user()));
}

#[tokio::test]
async fn nobody_raises_himself_or_touches_those_above() {
    let house = House::new().await;
    for person in [ANA, BOSS, HELPER] {
        house.says(person, "/start").await;
    }
    let refused = HELPER.texts().text("role-not-allowed").into_string();
    for text in ["/grantrole 2 superadmin", "/grantrole 6123456789 superadmin", "/grantrole 1 support"] {
        assert_eq!(house.says(HELPER, text).await.html(), refused, "{text}");
    }
    let fixed = house.says(BOSS, "/revokerole 2 admin").await;
    assert!(fixed.html().contains('2') && fixed.html() != refused, "{fixed:?}");
    assert_eq!(house.count("user_roles").await, 0);
    let said = house.says(HELPER, "/ban 1").await;
    assert!(said.buttons().contains(&"ban-yes:1".to_owned()));
    let said = house.presses(HELPER, "ban-yes:1").await;
    assert!(said.html().contains("Boss"), "{said:?}");
    assert_eq!(house.user(BOSS).await.unwrap().status, UserStatus::Active);
}

#[tokio::test]
async fn wrong_arguments_show_the_usage() {
    let house = House::new().await;
    house.says(ANA, "/start").await;
    let t = BOSS.texts();
    for (text, command) in [
        ("/whois", Command::Whois),
        ("/whois a b", Command::Whois),
        ("/grantrole", Command::GrantRole),
        ("/grantrole @ana", Command::GrantRole),
        ("/grantrole @ana support x", Command::GrantRole),
        ("/grantrole @ana support 0", Command::GrantRole),
        ("/grantrole @ana support -1", Command::GrantRole),
        ("/grantrole @ana support 99999999999999999999", Command::GrantRole),
        ("/grantrole @ana support 1 2", Command::GrantRole),
        ("/revokerole @ana", Command::RevokeRole),
        ("/audit a b", Command::Audit),
        ("/refund", Command::Refund),
        ("/refund 1 2", Command::Refund),
        ("/reviews 1", Command::Reviews),
        ("/reviews x why", Command::Reviews),
        ("/ban", Command::Ban),
        ("/unban a b", Command::Unban),
    ] {
        assert_eq!(house.says(BOSS, text).await.html(), usage(t, command).html.into_string(), "{text}");
    }
    for text in ["/whois 99", "/whois @nobody", "/ban <b>", "/grantrole 99 support", "/audit @nobody"] {
        let said = house.says(BOSS, text).await;
        assert!(said.buttons().contains(&"users:0".to_owned()), "{text}: {said:?}");
        assert!(!said.html().contains("<b>."), "{said:?}");
    }
    let roles = house.says(BOSS, "/grantrole @ana king").await;
    assert!(roles.html().contains(Role::Finance.as_str()), "{roles:?}");
    assert!(house.says(BOSS, "/grantrole @ana user").await.html().contains(Role::Finance.as_str()));
}

#[tokio::test]
async fn a_ban_asks_first_and_can_be_lifted() {
    let house = House::new().await;
    house.says(ANA, "/start").await;
    house.says(HELPER, "/ban @ANA").await;
    assert_eq!(house.user(ANA).await.unwrap().status, UserStatus::Active);
    house.presses(HELPER, "ban-yes:6123456789").await;
    assert_eq!(house.user(ANA).await.unwrap().status, UserStatus::Banned);
    assert_eq!(house.works.audited("user_banned").await[0].user_id, Some(HELPER.user()));
    house.says(HELPER, "/unban 6123456789").await;
    assert_eq!(house.user(ANA).await.unwrap().status, UserStatus::Active);
}

#[tokio::test]
async fn a_refund_asks_first() {
    let house = House::with_servers().await;
    house.bought(ANA, 2, 250).await;
    let order = house.text("SELECT order_ref FROM payments").await;
    for given in ["1", &order] {
        let said = house.says(BOSS, &format!("/refund {given}")).await;
        assert!(said.buttons().contains(&"refund-yes:1".to_owned()), "{said:?}");
        assert!(said.html().contains("250"), "{said:?}");
    }
    let refunds = "SELECT COUNT(*) FROM jobs WHERE kind = 'refund_payment'";
    assert_eq!(house.number(refunds).await, 0);
    house.presses(BOSS, "refund-yes:1").await;
    assert_eq!(house.number(refunds).await, 1);
    for nothing in ["/refund 99", "/refund ord_nosuch", "/refund x"] {
        let said = house.says(BOSS, nothing).await;
        assert_eq!(said.html(), BOSS.texts().text("refund-no-order").into_string(), "{nothing}");
    }
    house.order(ANA, 1).await;
    let said = house.says(BOSS, "/refund 2").await;
    assert!(!said.buttons().contains(&"refund-yes:2".to_owned()), "nothing was paid: {said:?}");
    house
        .sql("UPDATE payments SET provider = 'qvapay', status = 'completed', charge_id = 'c' WHERE id = 2")
        .await;
    assert!(house.presses(BOSS, "refund-yes:2").await.html().contains("QvaPay"));
    assert_eq!(house.number(refunds).await, 1);
}

#[tokio::test]
async fn what_was_paid_back_by_hand_is_noted() {
    let house = House::with_servers().await;
    house.bought(ANA, 2, 250).await;
    house.sql("UPDATE payments SET provider = 'qvapay', charge_id = 'tx-of-qvapay'").await;
    let said = house.says(BOSS, "/refund 1").await;
    assert!(said.html().contains("tx-of-qvapay"), "what to look for at QvaPay: {said:?}");
    assert!(!said.buttons().contains(&"refund-yes:1".to_owned()));
    assert!(said.buttons().contains(&"refund-hand:1".to_owned()), "{said:?}");
    assert_eq!(house.text("SELECT status FROM payments").await, "completed", "nothing has happened yet");

    let order = house.text("SELECT order_ref FROM payments").await;
    assert!(house.presses(BOSS, "refund-hand:1").await.html().contains(&order));
    assert_eq!(house.text("SELECT status FROM payments").await, "refunded");
    assert_eq!(house.text("SELECT status FROM subscriptions").await, "suspended");
    let audited = house.works.audited("refunded_by_hand").await;
    assert_eq!((audited.len(), audited[0].user_id), (1, Some(BOSS.user())));
    let told = house.works.notices_to(ANA.user()).await;
    assert!(told.contains(&Notice::Refunded { payment_id: PaymentId(1), too_late: false }), "{told:?}");
    let again = house.presses(BOSS, "refund-hand:1").await;
    assert!(!again.html().contains(&order), "{again:?}");
    assert_eq!(house.works.audited("refunded_by_hand").await.len(), 1);
}

#[tokio::test]
async fn money_without_an_order_is_looked_at_and_closed() {
    let house = House::new().await;
    let none = BOSS.texts().text("reviews-none").into_string();
    assert!(house.says(BOSS, "/reviews").await.html().contains(&none));
    for charge in ["c1", "c2"] {
        house.client(paid(ANA, "ord_nosuch.v1", 77, charge)).await;
    }
    let said = house.says(BOSS, "/reviews").await;
    assert!(said.html().contains("77 ⭐") && said.buttons().contains(&"charge:2".to_owned()), "{said:?}");
    let said = house.presses(BOSS, "charge:1").await;
    assert!(said.html().contains("c1") && said.html().contains("6123456789"), "{said:?}");
    assert!(said.html().contains("/reviews 1"), "how to close it: {said:?}");

    house.presses(BOSS, "charge-back:1").await;
    assert_eq!(house.number("SELECT COUNT(*) FROM jobs WHERE kind = 'send_back'").await, 1);
    house.says(BOSS, "/reviews 2 gave her a <week>").await;
    let open = "SELECT COUNT(*) FROM unmatched_charges WHERE resolved_at IS NULL";
    assert_eq!(house.number(open).await, 1);
    let audited = &house.works.audited("charge_closed").await[0];
    assert_eq!((audited.user_id, audited.target.as_deref()), (Some(BOSS.user()), Some("charge:2")));
    assert!(audited.details.contains("gave her a <week>"), "{audited:?}");
    let gone = BOSS.texts().text("charge-gone").into_string();
    assert_eq!(house.says(BOSS, "/reviews 2 again").await.html(), gone);
    assert_eq!(house.presses(BOSS, "charge:99").await.html(), gone);
    assert_eq!(house.works.audited("charge_closed").await.len(), 1);
}

#[tokio::test]
async fn an_order_in_review_is_looked_at_and_accepted() {
    for language in Language::ALL {
        let (house, boss) = (House::with_servers().await, BOSS.speaking(*language));
        let payload = house.order(ANA, 2).await;
        house.client(paid(ANA, &payload, 77, "c1")).await;
        let said = house.says(boss, "/reviews").await;
        assert!(said.buttons().contains(&"review:1".to_owned()), "{said:?}");
        let said = house.presses(boss, "review:1").await;
        for fact in ["250 ⭐", "77 ⭐", "6123456789", "VPN", "30", "200"] {
            assert!(said.html().contains(fact), "{fact}: {said:?}");
        }
        for button in ["review-yes:1", "refund:1", "whois:6123456789", "reviews"] {
            assert!(said.buttons().contains(&button.to_owned()), "{button}: {said:?}");
        }
        assert_eq!(house.count("subscriptions").await, 0, "looking gives nothing");

        house.presses(boss, "review-yes:1").await;
        assert_eq!(house.text("SELECT status FROM payments").await, "completed");
        assert_eq!(house.text("SELECT status FROM subscriptions").await, "active");
        let told = house.works.notices_to(ANA.user()).await;
        assert!(told.contains(&Notice::Accepted { payment_id: PaymentId(1) }), "{told:?}");
        assert_eq!(house.works.audited("review_accepted").await[0].user_id, Some(BOSS.user()));

        let again = house.presses(boss, "review-yes:1").await;
        let paid = boss.texts().text("payment-completed").into_string();
        assert!(again.html().contains(&paid), "{again:?}");
        assert_eq!(house.count("ledger_entries").await, 1);
        let none = boss.texts().text("reviews-none").into_string();
        assert!(house.presses(boss, "reviews").await.html().contains(&none));
    }
}

#[tokio::test]
async fn the_team_sees_people_and_numbers() {
    let house = House::with_servers().await;
    house.bought(ANA, 2, 250).await;
    house.trial(BRUNO, Protocol::Outline).await;
    let said = house.says(BOSS, "/whois @ana").await;
    let order = house.text("SELECT order_ref FROM payments").await;
    assert!(said.html().contains(&order) && said.buttons().contains(&"refund:1".to_owned()), "{said:?}");
    assert!(house.says(BOSS, "/stats").await.html().contains("250 ⭐"));
    assert!(house.says(BOSS, "/audit 6123456789").await.html().contains("payment_completed"));
    assert!(house.says(BOSS, "/audit").await.html().contains("trial_started"));
    assert!(house.says(BOSS, "/users").await.buttons().contains(&"whois:6000000002".to_owned()));
    house.presses(BOSS, "users:4294967295").await;
    house.presses(BOSS, "audit:4294967295").await;
}

#[tokio::test]
async fn a_refund_says_what_is_true_of_it() {
    let house = House::with_servers().await;
    let payload = house.order(ANA, 2).await;
    house.client(paid(BRUNO, &payload, 250, "c1")).await;
    let said = house.says(BOSS, "/refund 1").await;
    assert!(said.html().contains("6000000002"), "whose money it is: {said:?}");
    assert!(!said.html().contains("will end on"), "it gave no access: {said:?}");
    house.sql("UPDATE payments SET charge_id = NULL, charge_hash = NULL").await;
    let nothing = BOSS.texts().text("refund-no-money").into_string();
    assert_eq!(house.says(BOSS, "/refund 1").await.html(), nothing);
    assert_eq!(house.presses(BOSS, "refund-yes:1").await.html(), nothing);
}
