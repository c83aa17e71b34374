//! Updates that cannot be handled: the admins know, and whoever waits for an answer.

use std::sync::Arc;

use scoped_futures::ScopedFutureExt;
use serde_json::{Value, json};
use usipipo::handlers::events::Events;
use usipipo::ids::{EventId, time_ordered};
use usipipo::models::event::{InboundEvent, QueueStatus, Source};
use usipipo::models::notice::{Alert, Notice};
use usipipo::queue::inbox::EventHandler;
use usipipo::work::Origin;

use super::{ANA, BOSS, House, message, paid, press};

/// The update is given up after so many failures.
async fn give_up(house: &House, update: Value, attempts: u32) -> EventId {
    let event = &InboundEvent {
        id: EventId(time_ordered()),
        source: Source::ClientBot,
        dedupe_key: "1".into(),
        lane: "client:1".into(),
        status: QueueStatus::Dead,
        body: house.numbered(update).to_string().into_bytes(),
        context: String::new(),
        attempts,
        error: None,
        received_at: house.works.clock.now(),
        done_at: None,
        retry_at: None,
    };
    let events = &Events { bots: Arc::new(house.bots()) };
    let run =
        house.works.run("give_up", Origin::SYSTEM, |work| events.gave_up(work, event, "no").scope_boxed());
    run.await.unwrap();
    event.id
}

#[tokio::test]
async fn who_waits_for_an_answer_is_told_where_to_ask() {
    let house = House::new().await;
    let text = give_up(&house, message(ANA, json!({ "text": "/plans" })), 20).await;
    let pressed = give_up(&house, press(ANA, "plans"), 20).await;
    let told = |id: EventId| Notice::Trouble { reference: id.to_string() };
    assert_eq!(house.works.notices_to(ANA.user()).await, [told(text), told(pressed)]);
    let alerts = house.works.notices_to(BOSS.user()).await;
    assert!(matches!(&alerts[..], [Notice::Alert(Alert::EventDead { event_id, .. })] if *event_id == text));
}

#[tokio::test]
async fn the_history_says_that_something_went_wrong() {
    let house = House::new().await;
    give_up(&house, press(ANA, "plans"), 20).await;
    assert_eq!(house.works.audited("event_dead_error").await[0].user_id, None, "nobody that is known");
    house.says(ANA, "/start").await;
    let id = give_up(&house, press(ANA, "plans"), 20).await;
    let noted = &house.works.audited("event_dead_error").await[1];
    assert_eq!(noted.user_id, Some(ANA.user()));
    assert!(noted.details.contains(&id.to_string()) && !noted.details.contains("no\""), "{noted:?}");
    let logs = house.says(ANA, "/mylogs").await;
    assert!(logs.html().contains(&ANA.texts().text("logs-error").into_string()), "{logs:?}");
    assert_eq!(house.works.audited("event_dead").await[1].user_id, None, "the alert is SYSTEM's");
}

#[tokio::test]
async fn nobody_is_asked_to_pay_again() {
    let house = House::new().await;
    give_up(&house, paid(ANA, "ord_x.v1", 250, "c1"), 20).await;
    give_up(&house, message(ANA, json!({ "text": "what ended the process" })), 0).await;
    assert!(house.works.notices_to(ANA.user()).await.is_empty());
}
