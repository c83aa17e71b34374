//! Alerts as admins read them, with everything from outside made harmless.

use std::sync::Mutex;

use uuid::Uuid;

use usipipo::handlers::bots::screens::{MAX_TEXT, alert};
use usipipo::i18n::Texts;
use usipipo::ids::{ChargeId, ConfigId, EventId, PaymentId, ServerId, UserId};
use usipipo::models::bot::Language;
use usipipo::models::notice::{Alert, OddMoney};
use usipipo::models::outgoing::ButtonAction;
use usipipo::models::payment::ProviderId;
use usipipo::money::Money;

use crate::support::town::{BOT, LIMIT, SECRET, Town};
use crate::support::wait::eventually;

/// One of each, with `text` wherever something comes from outside.
fn alerts(text: &str) -> Vec<Alert> {
    let text = || text.to_owned();
    let (user_id, config_id, server_id) = (UserId(6_018_273_645), ConfigId(7), ServerId(3));
    vec![
        Alert::EventDead { event_id: EventId(Uuid::nil()), source: text(), reason: text() },
        Alert::JobFailing { job_id: None, kind: text(), attempts: 5, reason: text() },
        Alert::JobDead { kind: text(), reason: text() },
        Alert::MessageDead { chat_id: user_id.0, reason: text() },
        Alert::MessageDead { chat_id: -1_001_234, reason: text() },
        Alert::PaymentReview { payment_id: PaymentId(42), money: odd_money(text()) },
        Alert::PaymentUnmatched { charge_id: ChargeId(3), money: odd_money(text()) },
        Alert::PaymentUnmatched { charge_id: ChargeId(4), money: unknown_money(text()) },
        Alert::ProvisioningDelayed { config_id, user_id, reason: text() },
        Alert::PoolLow { server: text(), kind: text(), free: 3 },
        Alert::ServerDown { server_id, server: text(), reason: text() },
        Alert::ServerUp { server_id, server: text() },
        Alert::BooksWrong { findings: vec![text(), text()] },
        Alert::Repeated { topic: text(), times: 31 },
    ]
}

fn odd_money(reason: String) -> OddMoney {
    let (provider, amount) = (Some(ProviderId::Stars), Some(Money::stars(250)));
    OddMoney { provider, amount, person: Some(UserId(6_018_273_645)), reason }
}

fn unknown_money(reason: String) -> OddMoney {
    OddMoney { provider: Some(ProviderId::Qvapay), amount: None, person: None, reason }
}

fn shown(language: Language) -> String {
    let t = Texts::of(language);
    let one = |it: &Alert| {
        let screen = alert(t, it);
        let buttons = screen.keyboard.0.iter().flatten().map(|button| match &button.action {
            ButtonAction::Callback(data) => format!("[{} -> {data}]", button.text),
            other => format!("[{} -> {other:?}]", button.text),
        });
        format!("{}\n{}", screen.html, buttons.collect::<Vec<_>>().join(" "))
    };
    alerts("a <b>text</b> & more").iter().map(one).collect::<Vec<_>>().join("\n\n----\n\n")
}

#[test]
fn in_spanish() {
    insta::assert_snapshot!(shown(Language::Es));
}

#[test]
fn in_english() {
    insta::assert_snapshot!(shown(Language::En));
}

#[test]
fn in_russian() {
    insta::assert_snapshot!(shown(Language::Ru));
}

#[test]
fn whatever_the_cause_says_it_fits_a_message() {
    for language in Language::ALL {
        for it in alerts(&"🔥".repeat(100_000)) {
            let html = alert(Texts::of(*language), &it).html;
            assert!(html.to_plain().encode_utf16().count() <= MAX_TEXT / 2, "{it:.40?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_delivery_that_nobody_understands_is_acknowledged_and_told() {
    let town = Town::found().await;
    let running = town.open().await;
    let boss = town.person(1, "Boss", "es");
    boss.open(BOT).unwrap();
    for _ in 0..3 {
        let url = format!("http://{}/telegram/client", town.address);
        let post =
            reqwest::Client::new().post(url).header("X-Telegram-Bot-Api-Secret-Token", "0123456789abcdef");
        assert_eq!(post.body("{\"update_id\":").send().await.unwrap().status(), 200);
    }
    let dead = "SELECT COUNT(*) FROM inbound_events WHERE status = 'dead'";
    eventually(LIMIT, async || town.count(dead).await == 1).await;
    boss.wait_for_text(BOT, "Un evento entrante quedó sin procesar").await.unwrap();
    let alerts = "SELECT COUNT(*) FROM outbound_messages WHERE dedupe_key LIKE 'alert:event_dead:%'";
    assert_eq!(town.count(alerts).await, 1);
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_alert_of_such_a_delivery_outlives_a_death_at_any_point() {
    for place in ["after:store_events", "before:give_up_event", "after:give_up_event"] {
        let town = Town::found().await;
        let boss = town.person(1, "Boss", "es");
        boss.open(BOT).unwrap();
        let armed = Mutex::new(town.spawn_with(&[("FAILPOINTS", &format!("{place}=return"))]));
        town.until_connected().await;
        let url = format!("http://{}/telegram/client", town.address);
        let post = reqwest::Client::new().post(url).header("X-Telegram-Bot-Api-Secret-Token", SECRET);
        let _ = post.body("{\"update_id\":").send().await;
        eventually(LIMIT, async || armed.lock().unwrap().ended().is_some()).await;
        let _server = town.spawn();
        boss.wait_for_text(BOT, "Un evento entrante quedó sin procesar").await.unwrap();
        town.quiet().await;
        let told = "SELECT COUNT(*) FROM audit_logs WHERE action = 'event_dead'";
        assert_eq!(town.count(told).await, 1, "{place}");
    }
}

#[test]
fn what_an_older_version_has_stored_is_still_read() {
    let stored = r#"{"alert":"payment_review","payment_id":42,"reason":"short"}"#;
    let Alert::PaymentReview { payment_id, money } = serde_json::from_str(stored).unwrap() else {
        panic!("{stored}")
    };
    assert_eq!((payment_id, money.amount, money.reason.as_str()), (PaymentId(42), None, "short"));
    let now = Alert::PaymentUnmatched { charge_id: ChargeId(3), money: odd_money("stray".into()) };
    let stored = serde_json::to_string(&now).unwrap();
    assert_eq!(serde_json::from_str::<Alert>(&stored).unwrap(), now, "{stored}");
}
