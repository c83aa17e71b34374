//! Money whose news never came: Telegram lost the update, QvaPay its callback, and the server was away meanwhile.

use chrono::TimeDelta;
use serde_json::json;
use usipipo::demo::qvapay::{Fault, Payment};
use usipipo::demo::telegram::PersonHandle;

use crate::story::{buy_with_stars, press};
use crate::support::town::{BOT, LIMIT, Town};
use crate::support::wait::eventually;

async fn statuses(town: &Town) -> Vec<String> {
    town.column("SELECT status FROM payments ORDER BY id").await
}

/// Pays the invoice of the popular plan, of which the bot never hears.
async fn pay_unheard(town: &Town, person: &PersonHandle) {
    let plan = town.popular_plan().await;
    person.send_text(BOT, "/plans").unwrap();
    press(person, &format!("plan:{plan}")).await;
    press(person, &format!("buy:{plan}:stars")).await;
    let invoice = person.wait_for(BOT, "an invoice", |chat| chat.open_invoice().map(|m| m.id)).await.unwrap();
    town.settled().await;
    town.lose_updates_but(&["pre_checkout_query"]).await;
    person.pay(BOT, invoice).await.unwrap();
    town.settled().await;
    assert_eq!(statuses(town).await, ["pending"], "nobody told");
}

/// What one purchase leaves, whatever way it became known.
async fn one_purchase(town: &Town, person: &PersonHandle) {
    eventually(LIMIT, async || statuses(town).await == ["completed"]).await;
    person.wait_for_text(BOT, "ss://").await.unwrap();
    // The book is read again and again, by whoever comes first.
    town.pass(TimeDelta::minutes(11)).await;
    assert_eq!(town.count("SELECT COUNT(*) FROM subscriptions WHERE status = 'active'").await, 1);
    assert_eq!(town.count("SELECT COUNT(*) FROM ledger_entries").await, 1);
    assert_eq!(town.count("SELECT COUNT(*) FROM vpn_configs").await, 1);
    assert_eq!(town.count("SELECT COUNT(*) FROM unmatched_charges").await, 0);
    let receipts = "SELECT COUNT(*) FROM outbound_messages WHERE dedupe_key LIKE 'receipt:%'";
    assert_eq!(town.count(receipts).await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn stars_that_no_update_told_of_are_found_in_the_book() {
    let town = Town::found().await;
    let _outline = town.add_outline().await;
    let (first, second) = (town.open().await, town.open_copy().await);
    let ana = town.person(1201, "Ana", "es");
    pay_unheard(&town, &ana).await;
    town.pass(TimeDelta::minutes(6)).await;
    one_purchase(&town, &ana).await;
    assert_eq!(town.count("SELECT CAST(position AS SIGNED) FROM book_marks").await, 1);
    tokio::join!(first.stop(), second.stop());
}

#[tokio::test(flavor = "multi_thread")]
async fn stars_paid_just_before_days_of_absence_are_found_afterwards() {
    let town = Town::found().await;
    let _outline = town.add_outline().await;
    let running = town.open().await;
    let ana = town.person(1211, "Ana", "es");
    pay_unheard(&town, &ana).await;
    running.stop().await;
    town.clock.advance(TimeDelta::days(5));
    let running = town.open().await;
    one_purchase(&town, &ana).await;
    let end = "SELECT COUNT(*) FROM subscriptions WHERE ends_at > TIMESTAMPADD(DAY, 29, starts_at)";
    assert_eq!(town.count(end).await, 1, "the month begins when it is given");
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refund_made_elsewhere_is_noticed() {
    let town = Town::found().await;
    let outline = town.add_outline().await;
    let running = town.open().await;
    let ana = town.person(1221, "Ana", "en");
    buy_with_stars(&ana, town.popular_plan().await).await;
    ana.wait_for_text(BOT, "ss://").await.unwrap();
    town.settled().await;
    let charge = town.column("SELECT charge_id FROM payments").await.remove(0);
    running.stop().await;
    // Somebody with the bot's token gives the money back, and the update of it is lost.
    town.lose_updates_but(&["pre_checkout_query"]).await;
    let refund = json!({ "user_id": 1221, "telegram_payment_charge_id": charge });
    town.at_telegram("refundStarPayment", &refund).await;
    town.clock.advance(TimeDelta::days(1));
    let running = town.open().await;
    eventually(LIMIT, async || statuses(&town).await == ["refunded"]).await;
    town.pass(TimeDelta::minutes(11)).await;
    assert_eq!(town.column("SELECT status FROM subscriptions").await, ["suspended"]);
    assert_eq!(town.column("SELECT kind FROM ledger_entries ORDER BY id").await, ["payment", "refund"]);
    assert_eq!(town.column("SELECT applied FROM vpn_configs").await, ["blocked"]);
    assert_eq!(town.count("SELECT COUNT(*) FROM audit_logs WHERE action = 'payment_refunded'").await, 1);
    ana.wait_for_text(BOT, "We refunded").await.unwrap();
    assert_eq!(outline.key_ids().await.len(), 1);
    running.stop().await;
}

/// Money of which only Telegram's book knows, and whose order is not there (any more).
async fn pay_for_no_order(town: &Town, person: &PersonHandle) {
    pay_unheard(town, person).await;
    town.sql("DELETE FROM payments").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn stars_without_an_order_are_kept_and_settled_when_they_go_back() {
    let mut town = Town::found().await;
    town.set("ADMIN_TELEGRAM_IDS", "1252");
    let _outline = town.add_outline().await;
    let running = town.open().await;
    let (ana, boss) = (town.person(1251, "Ana", "es"), town.person(1252, "Boss", "en"));
    boss.send_text(BOT, "/start").unwrap();
    // The book was opened while nothing was in it.
    let opened = "SELECT COUNT(*) FROM book_marks WHERE position = 0 AND opened_at IS NOT NULL";
    eventually(LIMIT, async || town.count(opened).await == 1).await;
    pay_for_no_order(&town, &ana).await;
    town.pass(TimeDelta::minutes(6)).await;
    let kept =
        "SELECT COUNT(*) FROM unmatched_charges WHERE payer = 1251 AND amount = 250 AND resolved_at IS NULL";
    eventually(LIMIT, async || town.count(kept).await == 1).await;
    boss.wait_for_text(BOT, "fits no order").await.unwrap();
    town.pass(TimeDelta::minutes(11)).await;
    let alerts =
        "SELECT COUNT(*) FROM outbound_messages WHERE chat_id = 1252 AND body LIKE '%payment_unmatched%'";
    assert_eq!((town.count(alerts).await, town.count("SELECT COUNT(*) FROM subscriptions").await), (1, 0));

    let charge = town.column("SELECT charge_id FROM unmatched_charges").await.remove(0);
    let refund = json!({ "user_id": 1251, "telegram_payment_charge_id": charge });
    town.at_telegram("refundStarPayment", &refund).await;
    town.pass(TimeDelta::minutes(6)).await;
    eventually(LIMIT, async || town.count(kept).await == 0).await;
    town.is_sound().await;
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_older_than_the_first_reading_of_the_book_alarms_nobody() {
    let town = Town::found().await;
    let _outline = town.add_outline().await;
    let running = town.open().await;
    let ana = town.person(1261, "Ana", "es");
    pay_for_no_order(&town, &ana).await;
    running.stop().await;
    // As if the bot had sold for years before this database was made.
    town.sql("DELETE FROM book_marks").await;
    town.sql("DELETE FROM unmatched_charges").await;
    let charge = ana.chat(BOT).unwrap().messages.iter().find_map(|message| message.paid.clone()).unwrap();
    town.clock.advance(TimeDelta::days(1));
    let refund = json!({ "user_id": 1261, "telegram_payment_charge_id": charge.charge_id });
    town.at_telegram("refundStarPayment", &refund).await;
    town.clock.advance(TimeDelta::days(1));
    let running = town.open().await;
    let read = "SELECT COUNT(*) FROM book_marks WHERE position = 2";
    eventually(LIMIT, async || town.count(read).await == 1).await;
    assert_eq!(town.count("SELECT COUNT(*) FROM unmatched_charges").await, 0);
    let alerts = "SELECT COUNT(*) FROM outbound_messages WHERE body LIKE '%payment_unmatched%'";
    assert_eq!(town.count(alerts).await, 0);
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_paid_and_given_back_in_our_absence_gives_nothing() {
    let town = Town::found().await;
    let _outline = town.add_outline().await;
    let running = town.open().await;
    let ana = town.person(1231, "Ana", "en");
    pay_unheard(&town, &ana).await;
    running.stop().await;
    let chat = ana.chat(BOT).unwrap();
    let charge = chat.messages.iter().find_map(|message| message.paid.clone()).unwrap().charge_id;
    town.lose_updates_but(&["pre_checkout_query"]).await;
    town.at_telegram("refundStarPayment", &json!({ "user_id": 1231, "telegram_payment_charge_id": charge }))
        .await;
    town.clock.advance(TimeDelta::days(1));
    let running = town.open().await;
    eventually(LIMIT, async || statuses(&town).await == ["refunded"]).await;
    town.pass(TimeDelta::minutes(6)).await;
    assert_eq!(town.count("SELECT COUNT(*) FROM subscriptions WHERE status = 'active'").await, 0);
    assert_eq!(town.count("SELECT COUNT(*) FROM vpn_configs WHERE applied = 'present'").await, 0);
    running.stop().await;
}

/// An order is made, and paid without a callback while the server is away for four days.
async fn pay_in_days_of_absence(town: &Town, person: &PersonHandle) {
    let running = town.open().await;
    let plan = town.popular_plan().await;
    person.send_text(BOT, "/plans").unwrap();
    press(person, &format!("plan:{plan}")).await;
    press(person, &format!("buy:{plan}:qvapay")).await;
    eventually(LIMIT, async || town.qvapay.invoices().len() == 1).await;
    town.settled().await;
    running.stop().await;
    let uuid = town.qvapay.invoices()[0].uuid;
    town.qvapay.pay(uuid, Payment { callback: false, ..Payment::default() });
    town.clock.advance(TimeDelta::days(4));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_qvapay_order_paid_in_days_of_absence_is_found_afterwards() {
    let town = Town::found().await;
    let _outline = town.add_outline().await;
    let ana = town.person(1241, "Ana", "es");
    pay_in_days_of_absence(&town, &ana).await;
    let running = town.open().await;
    one_purchase(&town, &ana).await;
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_whose_last_look_was_not_answered_is_asked_about_until_it_is() {
    let town = Town::found().await;
    let _outline = town.add_outline().await;
    let ana = town.person(1271, "Ana", "es");
    pay_in_days_of_absence(&town, &ana).await;
    town.qvapay.fault(Fault::Error500, 3);
    let running = town.open().await;
    eventually(LIMIT, async || {
        town.clock.advance(TimeDelta::seconds(10));
        statuses(&town).await == ["completed"]
    })
    .await;
    one_purchase(&town, &ana).await;
    running.stop().await;
}
