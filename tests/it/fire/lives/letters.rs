//! Telegram has bad days: it wants pauses, breaks, refuses, is slow; a person blocks the bot; and a newer version of
//! the server has left a message that this one does not know.

use std::time::Duration;

use usipipo::demo::telegram::{ApiError, Fault, FaultRule, PersonHandle};
use usipipo::ids::{ConfigId, UserId};
use usipipo::models::lane::Queue;
use usipipo::models::notice::Notice;
use usipipo::models::outgoing::Body;

use super::{beside, hurry, queue_row};
use crate::fire::walk::{LIMIT, sound};
use crate::support::town::{BOT, Town};
use crate::support::wait::eventually;

const ANA: i64 = 9201;
const LEO: i64 = 9202;

pub async fn play(town: &Town) {
    let people = [town.person(1, "Olga", "en"), town.person(ANA, "Ana", "en"), town.person(LEO, "Leo", "ru")];
    for person in &people {
        person.send_text(BOT, "/start").unwrap();
        person.wait_for(BOT, "the menu", |chat| chat.last_from_bot().map(drop)).await.unwrap();
    }
    let [_, ana, leo] = &people;
    pauses(town, ana).await;
    slow(town, ana).await;
    refused(town, ana).await;
    blocked(town, leo).await;
    senseless(town).await;
    unknown(town).await;
    sound(town).await;
}

fn once(fault: Fault, method: &str) -> FaultRule {
    FaultRule::new(fault).methods(&[method]).chat(ANA).times(1)
}

/// A pause of the chat, one of the whole bot, and a proxy that has nobody behind it.
async fn pauses(town: &Town, ana: &PersonHandle) {
    for fault in [Fault::TooManyRequests { retry_after: 1 }, Fault::ServerError] {
        for method in ["sendMessage", "editMessageText"] {
            town.telegram.fault(once(fault.clone(), method));
        }
        ana.send_text(BOT, "/plans").unwrap();
        press_seen(ana).await;
    }
    let tried = "SELECT COUNT(*) FROM outbound_messages WHERE status = 'pending'";
    eventually(LIMIT, async || town.count(tried).await == 0).await;
}

/// Presses what leads home, again and again until the bot has shown it.
async fn press_seen(ana: &PersonHandle) {
    let data = "plans";
    ana.wait_for(BOT, data, |chat| chat.with_button("home").map(drop)).await.unwrap();
    let press = ana.click(BOT, "home").unwrap();
    assert!(press.answered().await.is_some(), "the spinner never stops");
}

/// One answer takes longer than a third of the lease, and then several in a row do.
async fn slow(town: &Town, ana: &PersonHandle) {
    town.telegram.fault(once(Fault::Slow(Duration::from_millis(2500)), "sendMessage"));
    ana.send_text(BOT, "/plans").unwrap();
    let quick = Fault::Slow(Duration::from_millis(900));
    town.telegram.fault(FaultRule::new(quick).methods(&["editMessageText"]).chat(ANA).times(3));
    for _ in 0..3 {
        ana.wait_for(BOT, "home", |chat| chat.with_button("home").map(drop)).await.unwrap();
        ana.click(BOT, "home").unwrap();
    }
    eventually(LIMIT, async || town.waiting().await.is_empty()).await;
}

/// What Telegram will never take is given up, and the admins hear of it.
async fn refused(town: &Town, ana: &PersonHandle) {
    // Again and again: a server that dies before it has noted the refusal brings the message once more.
    let rule = FaultRule::new(Fault::Reject(ApiError::bad("can't parse entities")));
    let rule = town.telegram.fault(rule.methods(&["sendMessage"]).chat(ANA));
    ana.send_text(BOT, "/help").unwrap();
    let dead = "SELECT COUNT(*) FROM outbound_messages WHERE status = 'dead' AND error LIKE '%entities%'";
    eventually(LIMIT, async || town.count(dead).await == 1).await;
    town.telegram.mend(rule);
    let told = "SELECT COUNT(*) FROM outbound_messages WHERE chat_id = 1 AND body LIKE '%message_dead%'";
    eventually(LIMIT, async || town.count(told).await == 1).await;
}

async fn blocked(town: &Town, leo: &PersonHandle) {
    leo.block(BOT).unwrap();
    for reference in ["one", "two"] {
        let notice = Notice::Trouble { reference: reference.to_owned() };
        beside(town, move |work| work.notify(UserId(LEO), notice.clone())).await;
    }
    let dropped = "SELECT COUNT(*) FROM outbound_messages WHERE chat_id = 9202 AND status = 'dropped'";
    eventually(LIMIT, async || town.count(dropped).await == 2).await;
    leo.unblock(BOT).unwrap();
    leo.send_text(BOT, "/help").unwrap();
    let answered = "SELECT COUNT(*) FROM outbound_messages WHERE chat_id = 9202 AND status = 'done'";
    eventually(LIMIT, async || town.count(answered).await == 2).await;
}

/// A message that nobody needs any more is left out.
async fn senseless(town: &Town) {
    let delayed = Notice::ConfigDelayed { config_id: ConfigId(404) };
    beside(town, move |work| work.notify(UserId(ANA), delayed.clone())).await;
    let left = "SELECT COUNT(*) FROM outbound_messages WHERE chat_id = 9201 AND status = 'dropped'";
    eventually(LIMIT, async || town.count(left).await == 1).await;
}

/// A body of tomorrow waits until a server comes that knows it.
async fn unknown(town: &Town) {
    let insert = "INSERT INTO outbound_messages (id, lane, class, bot, chat_id, status, body, created_at) \
                  VALUES (UNHEX('FF000000000070008000000000000001'), 'client:9201', 1, 'client', 9201, 'pending', \
                  '{\"kind\":\"of_tomorrow\"}', NOW(6))";
    queue_row(town, insert, Queue::Outbox, "client:9201").await;
    let tried = "SELECT COUNT(*) FROM outbound_messages WHERE body LIKE '%of_tomorrow%' AND attempts > 0";
    eventually(LIMIT, async || town.count(tried).await == 1).await;
    let body = Body::Text { html: "from tomorrow".to_owned(), keyboard: None };
    let body = serde_json::to_string(&body).unwrap();
    town.sql(&format!("UPDATE outbound_messages SET body = '{body}' WHERE body LIKE '%of_tomorrow%'")).await;
    let sent = "SELECT COUNT(*) FROM outbound_messages WHERE body LIKE '%from tomorrow%' AND status = 'done'";
    eventually(LIMIT, async || {
        hurry(town).await;
        town.count(sent).await == 1
    })
    .await;
}
