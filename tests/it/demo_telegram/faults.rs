//! Flood control and failures on demand.

use std::time::Duration;

use futures::future::join_all;
use serde_json::json;
use usipipo::demo::telegram::{ApiError, Fault, FaultRule, PersonSpec};

use super::{ANA, BOT, TOKEN, World};

#[tokio::test]
async fn flood_control_counts_per_chat_and_per_bot() {
    let world = World::new().await;
    world.server.flood_control(true);
    for _ in 0..3 {
        world.say("burst").await;
    }
    let (status, body) = world.call("sendMessage", json!({"chat_id": ANA, "text": "one too many"})).await;
    assert_eq!((status, &body["parameters"]["retry_after"]), (429, &json!(1)));
    world.clock.advance(chrono::Duration::seconds(1));
    world.say("after the wait").await;
    world.clock.advance(chrono::Duration::seconds(10));
    // All at once: a machine with much to do takes longer than a second for so many, one after the other.
    let people = 100..400;
    for id in people.clone() {
        world.server.person(PersonSpec::new(id, "Someone", "en")).open(BOT).unwrap();
    }
    let sent =
        join_all(people.map(|id| world.call("sendMessage", json!({"chat_id": id, "text": "to all"})))).await;
    let taken = sent.iter().filter(|(status, _)| *status == 200).count();
    assert!((30..300).contains(&taken), "{taken}");
    assert!(sent.iter().all(|(status, _)| [200, 429].contains(status)));
}

#[tokio::test]
async fn faults_strike_where_they_should() {
    let world = World::new().await;
    let server = &world.server;
    let url = format!("{}/bot{TOKEN}/sendMessage", server.url());
    let send = || world.http.post(&url).json(&json!({"chat_id": ANA, "text": "x"})).send();
    let count = || world.ana.messages(BOT).unwrap().len();

    server.fault(FaultRule::new(Fault::Refuse).methods(&["SendMessage"]).times(1));
    assert!(send().await.is_err() && count() == 0);
    server.fault(FaultRule::new(Fault::ServerError).times(1));
    let answer = send().await.unwrap();
    assert_eq!(answer.status(), 502);
    assert!(answer.text().await.unwrap().starts_with("<html>"));
    server.fault(FaultRule::new(Fault::Cut).times(1));
    let cut = send().await.unwrap();
    assert!(cut.bytes().await.is_err(), "the answer must break off");
    assert_eq!(count(), 1, "and yet the message was sent");
    server.fault(FaultRule::new(Fault::TooManyRequests { retry_after: 7 }).chat(ANA).times(1));
    assert_eq!(
        world.call("sendMessage", json!({"chat_id": ANA, "text": "x"})).await.1["parameters"]["retry_after"],
        7
    );
    server
        .fault(FaultRule::new(Fault::Reject(ApiError::forbidden("user is deactivated"))).bot("another_bot"));
    world.say("another bot's fault").await;
    let silent = server.fault(FaultRule::new(Fault::Silent));
    let waited = tokio::time::timeout(Duration::from_millis(100), send()).await;
    assert!(waited.is_err(), "no answer may come");
    server.mend(silent);
    server.mend_all();
    world.say("mended").await;
    assert_eq!(count(), 3);
}
