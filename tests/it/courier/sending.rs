//! Sending, and what happens when Telegram says no.

use usipipo::crud;
use usipipo::demo::telegram::{ApiError, Fault, FaultRule};
use usipipo::models::bot::Bot;
use usipipo::models::event::QueueStatus;
use usipipo::models::outgoing::{Ack, Body};
use usipipo::models::user::UserStatus;
use usipipo::queue::outbox::{Courier, Delivery};

use super::scene::{ANA, LIMIT, Scene, text};
use crate::support::chats::BOT;
use crate::support::wait::eventually;
use crate::support::works::{ADMIN, SUPERADMIN};

#[tokio::test]
async fn plain_bodies_go_out_as_they_are() {
    let scene = Scene::new().await;
    let first = scene.arrives(&text("<b>one</b>")).await;
    let edit = Body::Edit { message_id: first.id, html: "two".into(), keyboard: None, ack: None };
    assert_eq!(scene.arrives(&edit).await.id, first.id);
    let invoice = Body::StarsInvoice {
        title: "Week".into(),
        description: "Seven days".into(),
        payload: "o:1".into(),
        amount: 75,
    };
    assert_eq!(scene.arrives(&invoice).await.invoice.unwrap().amount, 75);
    let gone = Ack { callback_id: "5".into(), text: None, alert: false };
    assert_eq!(scene.deliver(&Body::Ack(gone)).await, Delivery::Sent { message_id: None });
    let query = Body::PreCheckout { query_id: "9".into(), error: None };
    assert_eq!(scene.deliver(&query).await, Delivery::Sent { message_id: None });
}

#[tokio::test]
async fn what_telegram_says_decides_what_happens_next() {
    let scene = Scene::new().await;
    let says = async |fault| {
        scene.chats.telegram.fault(FaultRule::new(fault).times(1));
        scene.deliver(&text("x")).await
    };
    let slow = says(Fault::TooManyRequests { retry_after: 7 }).await;
    assert_eq!(slow, Delivery::RetryAfter { seconds: 7, whole_bot: true });
    assert!(matches!(says(Fault::ServerError).await, Delivery::Transient(_)));
    assert!(matches!(says(Fault::Refuse).await, Delivery::Transient(_)));
    let unauthorized = says(Fault::Reject(ApiError::new(401, "Unauthorized"))).await;
    assert!(matches!(unauthorized, Delivery::Transient(_)), "{unauthorized:?}");
    assert!(matches!(scene.deliver(&text("<b>")).await, Delivery::Permanent(_)));
    assert!(matches!(scene.deliver(&text(&"x".repeat(4097))).await, Delivery::Permanent(_)));
    let nobody = scene.chats.courier().deliver(Bot::Admin, ANA.into(), &text("x")).await;
    assert!(matches!(nobody, Delivery::Permanent(_)), "{nobody:?}");
    scene.ana.block(BOT).unwrap();
    assert_eq!(scene.deliver(&text("x")).await, Delivery::Blocked);
}

#[tokio::test]
async fn whoever_blocks_the_bot_is_marked_and_left_in_peace() {
    let scene = Scene::new().await;
    scene.ana.block(BOT).unwrap();
    scene.queue(&[text("one"), text("two"), text("three")]).await;
    let _sending = scene.chats.start_sending();
    eventually(LIMIT, async || scene.outbox(ANA).await == vec![QueueStatus::Dropped; 3]).await;
    let user = crud::user::find(&mut *scene.conn().await, ANA).await.unwrap().unwrap();
    assert_eq!(user.status, UserStatus::Blocked);
    assert_eq!(scene.chats.audited("user_blocked_bot").await.len(), 1);
    assert_eq!(scene.chats.telegram.calls_of("sendMessage").len(), 1);
    assert!(scene.chats.metrics.render().contains(r#"messages_total{bot="client",outcome="dropped"} 3"#));
}

#[tokio::test]
async fn a_pause_that_telegram_asks_for_is_kept() {
    let scene = Scene::new().await;
    scene.chats.telegram.fault(FaultRule::new(Fault::TooManyRequests { retry_after: 600 }).times(1));
    scene.queue(&[text("patience")]).await;
    let _sending = scene.chats.start_sending();
    eventually(LIMIT, async || !scene.chats.telegram.calls_of("sendMessage").is_empty()).await;
    assert_eq!(scene.outbox(ANA).await, [QueueStatus::Pending]);
    // Given back to wait: from then on the pause is noted.
    let waiting = "SELECT COUNT(*) FROM lanes WHERE queue = 1 AND owner IS NULL";
    let pool = &scene.chats.db.pool;
    eventually(LIMIT, async || sqlx::query_scalar::<_, i64>(waiting).fetch_one(pool).await.unwrap() == 1)
        .await;
    scene.chats.clock.advance(chrono::Duration::seconds(601));
    scene.ana.wait_for_text(BOT, "patience").await.unwrap();
    assert_eq!(scene.chats.telegram.calls_of("sendMessage").len(), 2);
    let metrics = scene.chats.metrics.render();
    eventually(LIMIT, async || scene.outbox(ANA).await == [QueueStatus::Done]).await;
    assert!(metrics.contains(r#"messages_total{bot="client",outcome="throttled"} 1"#), "{metrics}");
}

#[tokio::test]
async fn a_message_that_telegram_refuses_is_reported_once_and_never_about_itself() {
    let scene = Scene::new().await;
    let rosa = scene.chats.person(SUPERADMIN.0, "Rosa", "es").await;
    let igor = scene.chats.person(ADMIN.0, "Igor", "ru").await;
    // What is told to Igor is refused as well.
    let broken = Fault::Reject(ApiError::bad("something new"));
    scene.chats.telegram.fault(FaultRule::new(broken).chat(ADMIN.0));
    scene.queue(&[text("<b>broken"), text("whole")]).await;
    let _sending = scene.chats.start_sending();
    let alert = rosa.wait_for_text(BOT, "Un mensaje no se pudo entregar").await.unwrap();
    assert!(alert.text.contains("can't parse entities") && alert.text.contains(&ANA.to_string()));
    eventually(LIMIT, async || scene.outbox(ADMIN).await == [QueueStatus::Dead]).await;
    scene.chats.clock.advance(chrono::Duration::seconds(2));
    scene.ana.wait_for_text(BOT, "whole").await.unwrap();
    eventually(LIMIT, async || scene.outbox(ANA).await == [QueueStatus::Dead, QueueStatus::Done]).await;
    assert_eq!(scene.chats.audited("message_dead").await.len(), 1);
    assert!(igor.messages(BOT).unwrap().is_empty());
}
