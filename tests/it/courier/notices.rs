//! Notices in words: in the reader's language, and true when they arrive.

use usipipo::crud;
use usipipo::demo::telegram::PersonSpec;
use usipipo::i18n::Texts;
use usipipo::ids::ChatId;
use usipipo::models::bot::{Bot, Language};
use usipipo::models::notice::{Alert, Notice};
use usipipo::models::outgoing::Body;
use usipipo::models::payment::{PaymentStatus, ProviderId};
use usipipo::models::role::Role;
use usipipo::models::subscription::{ReminderKind, SubscriptionStatus};
use usipipo::models::vpn::{ConfigStatus, Protocol};
use usipipo::queue::outbox::Courier;

use super::scene::Scene;
use crate::support::chats::BOT;

#[tokio::test]
async fn an_order_shows_how_it_stands() {
    let scene = Scene::new().await;
    let id = scene.order(ProviderId::Qvapay).await;
    let shown = scene.told(Notice::Order { payment_id: id }).await;
    assert!(shown.text.contains("VPN 1 semana") && shown.text.contains("ord_qvapay"), "{}", shown.text);
    let url = "https://pay.qvapay.com/invoice/1";
    crud::payment::set_invoice(&mut *scene.conn().await, id, "inv", url, scene.now()).await.unwrap();
    let body = Body::Notice { notice: Notice::Order { payment_id: id }, replace: Some(shown.id) };
    let waiting = scene.arrives(&body).await;
    assert_eq!(waiting.id, shown.id, "the same message");
    assert!(waiting.buttons().any(|button| format!("{:?}", button.action).contains(url)), "{waiting:?}");

    scene.chats.clock.advance(chrono::Duration::hours(2));
    assert!(scene.arrives(&body).await.text.contains("⌛"));
    let subscription = scene.subscription(Some(scene.plan().await), 24 * 7).await;
    scene.complete(id, subscription).await;
    assert!(
        scene.arrives(&body).await.text.contains("Tu acceso está activo hasta"),
        "{:?}",
        scene.ana.messages(BOT)
    );
}

#[tokio::test]
async fn money_is_receipted_in_the_readers_language() {
    for (language, paid, back) in [
        ("es", "¡Pago recibido", "Te devolvimos"),
        ("en", "Payment received", "We refunded"),
        ("ru", "Оплата получена", "Мы вернули"),
    ] {
        let scene = Scene::in_language(language).await;
        let id = scene.order(ProviderId::Stars).await;
        let plan = scene.plan().await;
        scene.moot(Notice::Receipt { payment_id: id }).await;
        let subscription = scene.subscription(Some(plan), 24 * 7).await;
        scene.complete(id, subscription).await;
        let receipt = scene.told(Notice::Receipt { payment_id: id }).await;
        assert!(receipt.text.contains(paid) && receipt.text.contains("75"), "{}", receipt.text);
        scene.moot(Notice::Refunded { payment_id: id, too_late: false }).await;
        let (mut conn, now) = (scene.conn().await, scene.now());
        let (from, to) = (PaymentStatus::Completed, PaymentStatus::Refunded);
        crud::payment::set_status(&mut conn, id, from, to, None, now).await.unwrap();
        assert!(scene.told(Notice::Refunded { payment_id: id, too_late: false }).await.text.contains(back));
        scene.moot(Notice::Receipt { payment_id: id }).await;
    }
}

#[tokio::test]
async fn a_refund_says_what_it_took() {
    for (language, removed, goes_on) in [
        ("es", "se quitó", "sigue hasta"),
        ("en", "has been removed", "goes on until"),
        ("ru", "снят.", "действует до"),
    ] {
        let scene = Scene::in_language(language).await;
        let (plan, id) = (scene.plan().await, scene.order(ProviderId::Stars).await);
        let subscription = scene.subscription(Some(plan), 24 * 30).await;
        scene.complete(id, subscription).await;
        let (mut conn, now) = (scene.conn().await, scene.now());
        let (from, to) = (PaymentStatus::Completed, PaymentStatus::Refunded);
        crud::payment::set_status(&mut conn, id, from, to, None, now).await.unwrap();
        let told = async |too_late| scene.told(Notice::Refunded { payment_id: id, too_late }).await.text;

        let text = told(false).await;
        assert!(text.contains(goes_on) && !text.contains(removed), "other purchases go on: {text}");
        let text = told(true).await;
        assert!(!text.contains(goes_on) && !text.contains(removed), "nothing was left to take: {text}");
        scene.change_subscription(subscription, |it| it.status = SubscriptionStatus::Suspended).await;
        let text = told(false).await;
        assert!(!text.contains(goes_on) && text.contains(removed), "{text}");
    }
}

#[tokio::test]
async fn money_that_came_late_is_receipted_as_late() {
    for (language, late, left) in [
        ("es", "llegó tarde", "quedan 30 días"),
        ("en", "came late", "30 days from now"),
        ("ru", "с опозданием", "ещё 30 дней"),
    ] {
        let scene = Scene::in_language(language).await;
        let plan = scene.plan().await;
        let in_time = scene.order(ProviderId::Stars).await;
        let subscription = scene.subscription(Some(plan), 24 * 30).await;
        scene.complete(in_time, subscription).await;
        let receipt = scene.told(Notice::Receipt { payment_id: in_time }).await;
        assert!(!receipt.text.contains(late) && receipt.text.contains(left), "{}", receipt.text);

        let order = scene.order(ProviderId::Qvapay).await;
        scene.chats.clock.advance(chrono::Duration::minutes(61));
        scene.complete_with(order, subscription, "c2").await;
        let receipt = scene.told(Notice::Receipt { payment_id: order }).await;
        assert!(receipt.text.contains(late) && receipt.text.contains(left), "{}", receipt.text);
    }
}

#[tokio::test]
async fn money_that_a_human_looked_at_is_receipted_as_accepted() {
    for (language, accepted, late) in [
        ("es", "está aceptado", "llegó tarde"),
        ("en", "it counts", "came late"),
        ("ru", "приняли её", "с опозданием"),
    ] {
        let scene = Scene::in_language(language).await;
        let (plan, order) = (scene.plan().await, scene.order(ProviderId::Stars).await);
        let subscription = scene.subscription(Some(plan), 24 * 30).await;
        scene.moot(Notice::Accepted { payment_id: order }).await;
        // Whoever looked took their time; the money was in time.
        scene.chats.clock.advance(chrono::Duration::minutes(61));
        scene.complete(order, subscription).await;
        let receipt = scene.told(Notice::Accepted { payment_id: order }).await;
        assert!(receipt.text.contains(accepted) && !receipt.text.contains(late), "{}", receipt.text);
    }
}

#[tokio::test]
async fn reminders_are_true_when_they_arrive() {
    let scene = Scene::new().await;
    let plan = scene.plan().await;
    let id = scene.subscription(Some(plan), 60).await;
    let remind = |kind| Notice::Reminder { subscription_id: id, kind };
    let reminder = scene.told(remind(ReminderKind::ThreeDays)).await;
    assert!(reminder.text.contains("VPN 1 semana"), "{}", reminder.text);
    assert!(reminder.button(&format!("plan:{plan}")).is_some(), "{reminder:?}");
    scene.moot(remind(ReminderKind::OneDay)).await;
    scene.moot(remind(ReminderKind::Ended)).await;
    scene.moot(remind(ReminderKind::TrafficOut)).await;

    scene.change_subscription(id, |it| it.renews = true).await;
    scene.moot(remind(ReminderKind::ThreeDays)).await;
    scene.change_subscription(id, |it| it.renews = false).await;

    // It ends while the message waits, and is bought again.
    scene.chats.clock.advance(chrono::Duration::hours(61));
    scene.moot(remind(ReminderKind::ThreeDays)).await;
    scene.change_subscription(id, |it| it.status = SubscriptionStatus::Suspended).await;
    let ended = scene.told(remind(ReminderKind::Ended)).await;
    let row = crud::subscription::find(&mut *scene.conn().await, id).await.unwrap().unwrap();
    let kept = Texts::of(Language::Es).date(row.ends_at + scene.chats.config.access.grace);
    assert!(ended.text.contains("🔌") && ended.text.contains(kept.as_str()), "{}", ended.text);
    let later = scene.now() + chrono::Duration::days(30);
    scene.change_subscription(id, |it| (it.status, it.ends_at) = (SubscriptionStatus::Active, later)).await;
    for kind in ReminderKind::ALL {
        scene.moot(remind(*kind)).await;
    }

    crud::subscription::add_used(&mut *scene.conn().await, id, 9 << 30).await.unwrap();
    assert!(scene.told(remind(ReminderKind::TrafficLow)).await.text.contains("📶"));
    crud::subscription::add_used(&mut *scene.conn().await, id, 9 << 30).await.unwrap();
    scene.moot(remind(ReminderKind::TrafficLow)).await;
    scene.told(remind(ReminderKind::TrafficOut)).await;
}

#[tokio::test]
async fn the_other_notices_have_their_words() {
    let scene = Scene::in_language("en").await;
    let config_id = scene.preparing(Protocol::Wireguard).await;
    let delayed = scene.told(Notice::ConfigDelayed { config_id }).await;
    assert!(delayed.text.contains("WireGuard configuration is taking longer"), "{}", delayed.text);
    scene.set_status(config_id, ConfigStatus::Active).await;
    scene.moot(Notice::ConfigDelayed { config_id }).await;

    let until = Some(scene.now() + chrono::Duration::days(2));
    let granted = |expires_at| Notice::RoleGranted { role: Role::Support, expires_at };
    assert!(scene.told(granted(None)).await.text.contains("Support"));
    assert!(scene.told(granted(until)).await.text.contains("until"));
    scene.moot(granted(Some(scene.now()))).await;
    assert!(scene.told(Notice::RoleRevoked { role: Role::Admin }).await.text.contains("no longer"));

    let trouble = scene.told(Notice::Trouble { reference: "r-17".into() }).await;
    assert!(trouble.html.contains("<code>r-17</code>"), "{}", trouble.html);

    let alert = Alert::JobDead { kind: "purge".into(), reason: "<nothing>".into() };
    assert!(scene.told(Notice::Alert(alert)).await.text.contains("<nothing>"));
    // Somebody the server does not know reads the default language.
    let stranger = scene.chats.telegram.person(PersonSpec::new(5, "X", "en"));
    stranger.open(BOT).unwrap();
    let body = Body::Notice { notice: Notice::Trouble { reference: "r".into() }, replace: None };
    scene.chats.courier().deliver(Bot::Client, ChatId(5), &body).await;
    assert!(stranger.messages(BOT).unwrap()[0].text.contains("Algo falló"));
}
