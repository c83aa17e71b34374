use futures::StreamExt;
use serde_json::{Value, json};
use usipipo::app::Running;
use usipipo::demo::outline::OutlineServer;
use usipipo::demo::telegram::Call;

use super::{ANA, Books, LIMIT, ORDER, PLAN, Row, books, rows, set_clock, settled, stored};
use crate::support::door::{Door, SECRET_HEADER};
use crate::support::town::{BOT, Town};
use crate::support::wait::eventually;

/// Expectations whose row comes after a payment: the one of `successful_payment_one_time`.
const AFTER_A_PAYMENT: &[&str] =
    &["ack_duplicate", "revoke", "mark_no_renew", "mark_renewing", "ack_no_credit"];

#[tokio::test(flavor = "multi_thread")]
async fn every_row_gives_what_it_expects() {
    let rows = rows("telegram");
    assert_eq!(rows.len(), 20, "the file has changed: look at what is new");
    let paid = rows.iter().find(|row| row.name == "successful_payment_one_time").unwrap();
    futures::stream::iter(&rows).for_each_concurrent(6, |row| check(row, paid)).await;
}

/// Ana with an open order of 250 Stars, made by pressing the button, a minute before the row is told.
async fn with_order(row: &Row) -> (Town, OutlineServer, Running, Door) {
    let mut town = Town::found().await;
    town.set("TELEGRAM_WEBHOOK_SECRET", &row.secret);
    let outline = town.add_outline().await;
    set_clock(&town, row.now - 60);
    let running = town.open().await;
    let ana = town.person(ANA, "Ana", "es");
    ana.open(BOT).unwrap();
    ana.press_data(BOT, 1, &format!("buy:{PLAN}:stars")).unwrap();
    let made = "SELECT COUNT(*) FROM payments";
    eventually(LIMIT, async || town.count(made).await == 1).await;
    town.sql(&format!("UPDATE payments SET order_ref = '{ORDER}'")).await;
    settled(&town, &row.name).await;
    let door = Door::of(&town);
    (town, outline, running, door)
}

async fn check(row: &Row, paid: &Row) {
    let name = row.name.as_str();
    let (town, _outline, running, door) = with_order(row).await;
    if AFTER_A_PAYMENT.contains(&row.expect.as_str()) {
        assert_eq!(door.post("/telegram/client", &paid.headers(), paid.body.clone()).await.status, 200);
        assert_eq!(settled(&town, name).await, Books::credited(), "{name}");
    }
    if row.expect == "mark_no_renew" {
        town.sql("UPDATE subscriptions SET renews = TRUE").await;
    }
    let (before, taken, answers) = (books(&town).await, stored(&town).await, checkouts(&town));
    assert!(answers.is_empty(), "{name}");
    set_clock(&town, row.now + row.received_after_s.unwrap_or(0));
    let answer = door.post("/telegram/client", &row.headers(), row.body.clone()).await;
    assert_eq!(answer.status == 200, row.valid, "{name}: {answer:?}");
    let after = settled(&town, name).await;
    if !row.valid {
        assert_eq!((row.expect.as_str(), answer.status), ("reject", 401), "{name}");
        assert_eq!((stored(&town).await, after), (taken, before), "{name} wrote something");
        assert!(row.headers.get(SECRET_HEADER) != Some(&row.secret), "{name}");
    } else {
        assert_eq!(stored(&town).await, taken + 1, "{name}");
        effect(&town, row, before, after).await;
    }
    running.stop().await;
}

/// What the row changed, and what left the house.
async fn effect(town: &Town, row: &Row, before: Books, after: Books) {
    let name = row.name.as_str();
    let status = town.column("SELECT status FROM inbound_events ORDER BY id DESC LIMIT 1").await.concat();
    let expected_status = if row.expect == "bad_request" { "dead" } else { "done" };
    assert_eq!(status, expected_status, "{name}");
    let expected = match row.expect.as_str() {
        "answer_pre_checkout_ok" | "answer_may_fail" => {
            assert_eq!(checkout(town, name).fields.get("ok"), Some(&json!(true)), "{name}");
            before
        }
        "answer_pre_checkout_fail" => {
            let call = checkout(town, name);
            assert_eq!(call.fields.get("ok"), Some(&json!(false)), "{name}");
            assert!(!call.text("error_message").is_empty(), "{name}: the person is told why");
            before
        }
        "credit" => Books::credited(),
        "credit_subscription_start" => {
            let end = "SELECT CAST(UNIX_TIMESTAMP(ends_at) AS SIGNED) FROM subscriptions";
            let told: Value = serde_json::from_str(&row.body).unwrap();
            let told = &told["message"]["successful_payment"]["subscription_expiration_date"];
            assert_eq!(json!(town.numbers(end).await[0]), *told, "{name}");
            Books::credited()
        }
        "manual_review" => Books { order: "review".to_owned(), reviews: 1, ..before },
        "revoke" => Books {
            order: "refunded".to_owned(),
            ledger: vec!["payment".to_owned(), "refund".to_owned()],
            subscriptions: vec!["suspended".to_owned()],
            ..before
        },
        "mark_no_renew" => Books { renews: false, ..before },
        "mark_renewing" => Books { renews: true, ..before },
        "ack_duplicate" | "ack_no_credit" | "bad_request" => before,
        other => panic!("{name} expects {other}, which nobody knows here"),
    };
    assert_eq!(after, expected, "{name}");
    assert_eq!(checkouts(town).len(), usize::from(row.expect.starts_with("answer")), "{name}");
}

fn checkouts(town: &Town) -> Vec<Call> {
    town.telegram.calls_of("answerPreCheckoutQuery")
}

/// The only answer to the only question.
fn checkout(town: &Town, name: &str) -> Call {
    let mut calls = checkouts(town);
    assert_eq!(calls.len(), 1, "{name}: {calls:?}");
    let call = calls.remove(0);
    assert_eq!(call.text("pre_checkout_query_id"), "26299342000000000", "{name}");
    call
}
