//! Telegram is away in every way it can be, while texts, files and pictures wait: everything arrives afterwards, in
//! order, and nothing is queued twice.

use std::time::Duration;

use chrono::TimeDelta;
use serde_json::json;
use usipipo::app::App;
use usipipo::demo::telegram::{Fault, FaultRule, MessageView};

use crate::client_bot::{ANA as VISITOR, message};
use crate::story::press;
use crate::support::door::Door;
use crate::support::town::{BOT, Town};
use crate::support::wait::eventually;

const LIMIT: Duration = Duration::from_secs(90);
const ANA: i64 = 501;
/// What hands something new to a person; the first three are texts, files and pictures.
const SENDING: &[&str] = &["sendMessage", "sendDocument", "sendPhoto"];

/// What a message of the bot is.
fn kind(message: &MessageView) -> &'static str {
    match message {
        MessageView { document: Some(_), .. } => "file",
        MessageView { photo: Some(_), .. } => "picture",
        MessageView { text, .. } if text.contains("[Interface]") => "text",
        MessageView { text, .. } if text.contains("ss://") => "link",
        _ => "other",
    }
}

/// Ana takes a trial on WireGuard while `fault` strikes everything that is sent to her, until it was seen on every
/// message in turn `each` times; then Telegram is well again. Gives what she got since, by its kind, in order.
async fn during(fault: Fault, each: u32) -> Vec<&'static str> {
    let mut town = Town::found().await;
    // The clock runs ahead of what the server does; nothing that it holds is to be taken from it.
    town.set("LEASE_SECONDS", "3600");
    let _wireguard = town.add_wireguard().await;
    let running = town.open().await;
    let ana = town.person(ANA, "Ana", "en");
    ana.send_text(BOT, "/start").unwrap();
    press(&ana, "trial").await;
    town.quiet().await;
    let before = ana.messages(BOT).unwrap().len();
    let rule = |method: &&str| FaultRule::new(fault.clone()).methods(&[method]).chat(ANA).times(each);
    for method in SENDING {
        town.telegram.fault(rule(method));
    }
    press(&ana, "trial-take:wireguard").await;
    // Pauses between two tries pass while nothing happens.
    eventually(LIMIT, async || {
        town.clock.advance(TimeDelta::seconds(1));
        match town.waiting().await.as_slice() {
            [] => Ok(()),
            waiting => Err(waiting.join(", ")),
        }
    })
    .await;
    for method in SENDING {
        let faulty = town.telegram.calls_of(method).into_iter().filter(|call| !call.succeeded()).count();
        let expected = if executes(&fault) { 0 } else { each as usize };
        assert_eq!(faulty, expected, "{method} met {fault:?}");
    }
    let refused = "SELECT COUNT(*) FROM outbound_messages WHERE status <> 'done'";
    assert_eq!(town.count(refused).await, 0, "nothing was given up");
    let twice = "SELECT COUNT(*) FROM (SELECT body FROM outbound_messages WHERE body LIKE '%\"kind\":\"config\"%' \
                 GROUP BY body HAVING COUNT(*) > 1) again";
    assert_eq!(town.count(twice).await, 0);
    let got = ana.messages(BOT).unwrap()[before..].iter().map(kind).filter(|kind| *kind != "other").collect();
    town.is_sound().await;
    running.stop().await;
    got
}

/// Whether Telegram did what was asked all the same.
fn executes(fault: &Fault) -> bool {
    matches!(fault, Fault::Cut | Fault::Late(_) | Fault::Slow(_))
}

/// A WireGuard config as it is handed over.
const HANDED_OVER: [&str; 3] = ["file", "picture", "text"];

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_that_is_refused() {
    assert_eq!(during(Fault::Refuse, 3).await, HANDED_OVER);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_error_of_its_own() {
    assert_eq!(during(Fault::ServerError, 3).await, HANDED_OVER);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pause_that_it_asks_for() {
    assert_eq!(during(Fault::TooManyRequests { retry_after: 20 }, 2).await, HANDED_OVER);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_comes_late() {
    assert_eq!(during(Fault::Late(Duration::from_millis(1500)), 1).await, HANDED_OVER);
    assert_eq!(during(Fault::Slow(Duration::from_millis(1500)), 1).await, HANDED_OVER);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_breaks_off() {
    // It said 200: it has done what was asked, and is not asked again.
    assert_eq!(during(Fault::Cut, 1).await, HANDED_OVER);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_house_that_opens_while_telegram_is_away_works_when_it_is_back() {
    let mut town = Town::found().await;
    town.set("LEASE_SECONDS", "3600");
    let fault = town.telegram.fault(FaultRule::new(Fault::Refuse));
    let running = App::build(town.config(), town.clock.clone()).unwrap().start().await.unwrap();
    // An update to the webhook that an earlier start had set.
    let door = Door::of(&town);
    town.person(VISITOR.id, VISITOR.name, VISITOR.language).open(BOT).unwrap();
    let mut update = message(VISITOR, json!({ "text": "/start" }));
    update["update_id"] = 1.into();
    assert_eq!(door.update(&update).await.status, 200);
    eventually(LIMIT, async || {
        town.count("SELECT COUNT(*) FROM outbound_messages WHERE attempts >= 2").await == 1
    })
    .await;
    assert_eq!(door.get("/health/ready").await.status, 200);
    town.telegram.mend(fault);
    eventually(LIMIT, async || {
        town.clock.advance(TimeDelta::seconds(1));
        town.waiting().await.is_empty()
    })
    .await;
    town.until_connected().await;
    let answers = town.telegram.calls_of("sendMessage").into_iter().filter(|call| call.succeeded()).count();
    assert_eq!(answers, 1);
    town.is_sound().await;
    running.stop().await;
}
