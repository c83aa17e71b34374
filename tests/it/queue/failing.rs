//! Events whose handling fails: tried again, given up with a reason, and a harm to nobody else.

use std::sync::atomic::Ordering;
use std::time::Duration;

use futures::future::join_all;
use usipipo::queue::inbox::InboxWriter;

use super::Process;
use super::inbox::{Breakage, Handler, count, effects, event, worker};
use crate::support::wait::eventually;
use crate::support::works::TestWorks;

const LIMIT: Duration = Duration::from_secs(30);

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_handled_is_given_up_with_a_reason_and_the_lane_goes_on() {
    for (how, reason) in
        [(Breakage::Fails, "not today"), (Breakage::Panics, "panicked: boom"), (Breakage::GivesUp, "never")]
    {
        let works = TestWorks::new().await;
        let inbox = InboxWriter::start((*works).clone());
        let now = works.clock.now();
        for key in ["before", "bad", "after"] {
            inbox.store(event("chat:1", key, now)).await.unwrap();
        }
        let handler = Handler { broken: Some(("bad", how)), ..Handler::default() };
        let process = Process::start(&works, worker(&works, &handler));
        eventually(LIMIT, async || count(&works, "done").await == 2).await;
        assert_eq!(effects(&works, "chat:1").await, ["before", "after"], "a failed effect leaves nothing");
        let error: String = sqlx::query_scalar("SELECT error FROM inbound_events WHERE status = 'dead'")
            .fetch_one(&works.db.pool)
            .await
            .unwrap();
        assert_eq!(error, reason);
        let (retried, panics) = match how {
            Breakage::Fails => (2, 0),
            Breakage::Panics => (2, 3),
            Breakage::GivesUp | Breakage::Refused => (0, 0),
        };
        let numbers = works.metrics.render();
        for (series, count) in [
            (r#"panics_total{place="event"}"#, panics),
            (r#"events_total{source="telegram:client",outcome="retried"}"#, retried),
            (r#"events_total{source="telegram:client",outcome="done"}"#, 2),
            (r#"events_total{source="telegram:client",outcome="dead"}"#, 1),
        ] {
            assert!(
                numbers.contains(&format!("usipipo_{series} {count}\n")),
                "{series} {count} in {numbers}"
            );
        }
        process.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_database_has_no_room_for_is_never_given_up() {
    let works = TestWorks::new().await;
    let inbox = InboxWriter::start((*works).clone());
    let now = works.clock.now();
    let full = Handler { broken: Some(("paid", Breakage::Refused)), ..Handler::default() };
    let process = Process::start(&works, worker(&works, &full));
    inbox.store(event("chat:1", "paid", now)).await.unwrap();
    // More often than a failing event is tried.
    eventually(LIMIT, async || full.handled.load(Ordering::SeqCst) > 4).await;
    process.stop().await;
    let tries = "SELECT attempts FROM inbound_events WHERE status = 'pending'";
    assert_eq!(sqlx::query_scalar::<_, u32>(tries).fetch_one(&works.db.pool).await.unwrap(), 0);
    let process = Process::start(&works, worker(&works, &Handler::default()));
    eventually(LIMIT, async || count(&works, "done").await == 1).await;
    assert_eq!(effects(&works, "chat:1").await, ["paid"]);
    process.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_fails_among_many_harms_none_of_them() {
    for how in [Breakage::Fails, Breakage::Panics, Breakage::GivesUp] {
        let works = TestWorks::new().await;
        let inbox = InboxWriter::start((*works).clone());
        let now = works.clock.now();
        let name = |chat: usize| if chat == 3 { "bad".to_owned() } else { format!("of {chat}") };
        let chats = (0..8).map(|chat| event(&format!("chat:{chat}"), &name(chat), now));
        for stored in join_all(chats.map(|event| inbox.store(event))).await {
            stored.unwrap();
        }
        let handler = Handler { broken: Some(("bad", how)), ..Handler::default() };
        let process = Process::start(&works, worker(&works, &handler));
        eventually(LIMIT, async || (count(&works, "done").await, count(&works, "dead").await) == (7, 1))
            .await;
        process.stop().await;
        for chat in 0..8 {
            let expected = if chat == 3 { vec![] } else { vec![name(chat)] };
            assert_eq!(effects(&works, &format!("chat:{chat}")).await, expected);
        }
    }
}
