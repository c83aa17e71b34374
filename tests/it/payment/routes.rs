//! Money through the real router: told twice, fifty times at once, in the wrong order, a day late, and by people whom it
//! does not concern. One subscription, paid once.

use std::time::Duration;

use chrono::TimeDelta;
use futures::future::join_all;
use serde_json::{Value, json};
use usipipo::app::Running;
use usipipo::demo::outline::OutlineServer;
use usipipo::demo::qvapay::{Payment, Style};
use usipipo::ids::EventId;
use uuid::Uuid;

use crate::client_bot::{self as bot, BRUNO, Person};
use crate::support::cli::Shell;
use crate::support::door::Door;
use crate::support::town::{BOT, Town};
use crate::support::wait::eventually;

const LIMIT: Duration = Duration::from_secs(60);
const ANA: Person = bot::ANA;
const PLAN: i64 = 2;
const STARS: i64 = 250;
const CHARGE: &str = "stxCHARGE";

/// A town with its server open, and Ana who wants to buy.
struct Counter {
    town: Town,
    running: Running,
    door: Door,
    _outline: OutlineServer,
}

impl Counter {
    async fn open() -> Self {
        Self::open_with(&[]).await
    }

    async fn open_with(variables: &[(&'static str, &str)]) -> Self {
        let town = Town::with(variables).await;
        let outline = town.add_outline().await;
        let running = town.open().await;
        for person in [ANA, BRUNO] {
            town.person(person.id, person.name, person.language).open(BOT).unwrap();
        }
        let door = Door::of(&town);
        Self { town, running, door, _outline: outline }
    }

    /// Telegram delivers this with a number of its own.
    async fn tell(&self, number: i64, mut update: Value) {
        update["update_id"] = number.into();
        let answer = self.door.update(&update).await;
        assert_eq!(answer.status, 200, "{answer:?}");
    }

    /// Ana's open order; gives the payload of its invoice.
    async fn order_in_stars(&self) -> String {
        self.tell(1, bot::press(ANA, &format!("buy:{PLAN}:stars"))).await;
        self.town.quiet().await;
        format!("{}.v1", self.town.column("SELECT order_ref FROM payments").await.concat())
    }

    /// Ana's open order with its invoice at QvaPay, and where QvaPay calls back.
    async fn order_at_qvapay(&self) -> (Uuid, String) {
        self.tell(1, bot::press(ANA, &format!("buy:{PLAN}:qvapay"))).await;
        let invoiced = "SELECT COUNT(*) FROM payments WHERE invoice_id IS NOT NULL";
        eventually(LIMIT, async || self.town.count(invoiced).await == 1).await;
        let token = self.town.column("SELECT callback_token FROM payments").await.concat();
        (self.town.qvapay.invoices()[0].uuid, format!("/payments/qvapay/{token}"))
    }

    async fn status(&self) -> String {
        self.town.column("SELECT status FROM payments ORDER BY id").await.join(",")
    }

    /// What one purchase leaves behind, whatever way it was told of.
    async fn exactly_one_purchase(&self) {
        self.town.quiet().await;
        assert_eq!(self.status().await, "completed");
        assert_eq!(self.town.column("SELECT kind FROM ledger_entries").await, ["payment"]);
        assert_eq!(self.town.column("SELECT status FROM subscriptions").await, ["active"]);
        assert_eq!(self.town.column("SELECT status FROM vpn_configs").await, ["active"]);
        assert_eq!(self.town.column("SELECT charge_id FROM unmatched_charges").await.len(), 0);
        for action in ["payment_completed", "config_delivered"] {
            let rows =
                self.town.column(&format!("SELECT action FROM audit_logs WHERE action = '{action}'")).await;
            assert_eq!(rows.len(), 1, "{action}");
        }
        let days = "SELECT CAST(DATEDIFF(s.ends_at, s.starts_at) AS SIGNED) - CAST(p.duration_days AS SIGNED) \
                FROM subscriptions s, payments p";
        assert_eq!(self.town.numbers(days).await, [0]);
        assert_eq!(self.town.count("SELECT COUNT(*) FROM inbound_events WHERE status = 'dead'").await, 0);
        let receipts =
            "SELECT body FROM outbound_messages WHERE dedupe_key LIKE 'receipt:%' AND status = 'done'";
        assert_eq!(self.town.column(receipts).await.len(), 1);
    }

    /// The end of a test: the books agree.
    async fn close(self) {
        self.town.quiet().await;
        self.town.is_sound().await;
        self.running.stop().await;
    }

    /// No access, no money in the books.
    async fn nothing_was_given(&self) {
        self.town.quiet().await;
        assert_eq!(self.town.count("SELECT COUNT(*) FROM subscriptions").await, 0);
        assert_eq!(self.town.count("SELECT COUNT(*) FROM ledger_entries").await, 0);
        assert_eq!(self.town.count("SELECT COUNT(*) FROM vpn_configs").await, 0);
    }
}

fn paid(payload: &str) -> Value {
    bot::paid(ANA, payload, STARS, CHARGE)
}

fn refunded(payload: &str) -> Value {
    let mut update = paid(payload);
    let payment = update["message"].as_object_mut().unwrap().remove("successful_payment").unwrap();
    update["message"]["refunded_payment"] = payment;
    update
}

#[tokio::test(flavor = "multi_thread")]
async fn stars_told_fifty_times_at_once_are_one_purchase() {
    let shop = Counter::open().await;
    let payload = shop.order_in_stars().await;
    // In fifty chats, so that they are handled beside each other and meet in the database.
    let told = |n: i64| {
        let mut update = paid(&payload);
        if n > 0 {
            update["message"]["chat"] = json!({ "id": -100_000 - n, "type": "supergroup", "title": "x" });
        }
        shop.tell(100 + n, update)
    };
    join_all((0..50).map(told)).await;
    shop.exactly_one_purchase().await;
    // The very same delivery again, and again under a new number.
    shop.tell(100, paid(&payload)).await;
    shop.tell(500, paid(&payload)).await;
    shop.exactly_one_purchase().await;
    assert_eq!(shop.town.count("SELECT COUNT(*) FROM inbound_events WHERE dedupe_key = '100'").await, 1);
    shop.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn stars_that_nobody_asked_about_and_stars_of_yesterday_still_buy() {
    let shop = Counter::open().await;
    let payload = shop.order_in_stars().await;
    shop.town.clock.advance(TimeDelta::hours(25));
    eventually(LIMIT, async || shop.status().await == "expired").await;
    shop.tell(2, paid(&payload)).await;
    shop.exactly_one_purchase().await;
    // The question that should have come before: it is paid already.
    shop.tell(3, bot::pre_checkout(ANA, &payload, STARS)).await;
    shop.exactly_one_purchase().await;
    let answers = shop.town.telegram.calls_of("answerPreCheckoutQuery");
    assert_eq!(answers.iter().map(|call| &call.fields["ok"]).collect::<Vec<_>>(), [&json!(false)]);
    shop.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refund_told_before_its_payment_gives_nothing() {
    let shop = Counter::open().await;
    let payload = shop.order_in_stars().await;
    shop.tell(2, refunded(&payload)).await;
    shop.town.quiet().await;
    shop.tell(3, paid(&payload)).await;
    shop.nothing_was_given().await;
    assert_eq!(shop.status().await, "pending", "it may still be paid");
    let kept = shop.town.column("SELECT reason FROM unmatched_charges").await;
    assert!(matches!(&kept[..], [reason] if reason.contains("given back")), "{kept:?}");
    // Other Stars for the same order count.
    shop.tell(4, bot::paid(ANA, &payload, STARS, "stxOTHER")).await;
    shop.town.quiet().await;
    assert_eq!(shop.status().await, "completed");
    assert_eq!(shop.town.column("SELECT kind FROM ledger_entries").await, ["payment"]);
    shop.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refund_told_fifty_times_takes_back_once_and_its_payment_buys_no_more() {
    let shop = Counter::open().await;
    let payload = shop.order_in_stars().await;
    shop.tell(2, paid(&payload)).await;
    shop.exactly_one_purchase().await;
    let told = |n: i64| {
        let mut update = refunded(&payload);
        update["message"]["chat"] = json!({ "id": -100_000 - n, "type": "supergroup", "title": "x" });
        shop.tell(100 + n, update)
    };
    join_all((0..50).map(told)).await;
    shop.tell(200, paid(&payload)).await;
    shop.town.quiet().await;
    assert_eq!(shop.status().await, "refunded");
    assert_eq!(shop.town.column("SELECT kind FROM ledger_entries ORDER BY id").await, ["payment", "refund"]);
    assert_eq!(shop.town.column("SELECT status FROM subscriptions").await, ["suspended"]);
    assert_eq!(shop.town.column("SELECT status FROM vpn_configs").await, ["suspended"]);
    let taken = "SELECT action FROM audit_logs WHERE action = 'subscription_taken_back'";
    assert_eq!(shop.town.column(taken).await.len(), 1);
    shop.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_invoice_of_somebody_else_buys_nothing() {
    let shop = Counter::open().await;
    let payload = shop.order_in_stars().await;
    shop.tell(2, bot::pre_checkout(BRUNO, &payload, STARS)).await;
    shop.tell(3, bot::paid(BRUNO, &payload, STARS, CHARGE)).await;
    shop.nothing_was_given().await;
    assert_eq!(shop.status().await, "review");
    assert_eq!(shop.town.telegram.calls_of("answerPreCheckoutQuery")[0].fields["ok"], json!(false));
    assert_eq!(
        shop.town.column("SELECT action FROM audit_logs WHERE action = 'payment_review'").await.len(),
        1
    );
    shop.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_payment_says_of_itself_may_be_as_long_as_it_likes() {
    let shop = Counter::open().await;
    let payload = shop.order_in_stars().await;
    let long = "x".repeat(200_000);
    let mut odd = paid(&payload);
    odd["message"]["successful_payment"]["currency"] = long.as_str().into();
    shop.tell(2, odd).await;
    let mut question = bot::pre_checkout(ANA, &payload, STARS);
    question["pre_checkout_query"]["id"] = long.as_str().into();
    shop.tell(3, question).await;
    let mut question = bot::pre_checkout(ANA, &payload, STARS);
    question["pre_checkout_query"]["id"] = "ñ".into();
    shop.tell(4, question).await;
    shop.tell(5, bot::paid(ANA, &payload, STARS, &long)).await;
    shop.nothing_was_given().await;
    let reasons = "SELECT COALESCE(error, '') FROM inbound_events WHERE status = 'dead'";
    let reasons = shop.town.column(reasons).await;
    assert!(reasons.len() == 2 && reasons.iter().all(|reason| reason.len() < 1100), "{}", reasons.len());
    assert_eq!(shop.town.telegram.calls_of("answerPreCheckoutQuery").len(), 2);
    shop.tell(6, paid(&payload)).await;
    shop.town.quiet().await;
    assert_eq!(shop.status().await, "completed", "the chat is not held up");
    shop.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_callback_fifty_times_at_once_is_one_purchase() {
    let shop = Counter::open().await;
    let (invoice, path) = shop.order_at_qvapay().await;
    shop.town.qvapay.pay(invoice, Payment { callback: false, ..Payment::default() });
    let hints = [format!("{path}?id={invoice}&again=1"), format!("{path}?uuid={invoice}")];
    let (sent, ..) = tokio::join!(
        shop.town.qvapay.deliver_at_once(invoice, 50),
        shop.town.qvapay.deliver(invoice, Style::Get),
        join_all(hints.iter().map(|hint| shop.door.get(hint))),
    );
    assert!(sent.iter().all(|attempt| attempt.status == Some(200)), "{sent:?}");
    shop.exactly_one_purchase().await;
    assert_eq!(shop.town.qvapay.deliver(invoice, Style::Signed).await.unwrap().status, Some(200));
    shop.exactly_one_purchase().await;
    shop.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_poll_before_the_callback_and_the_callback_before_the_money() {
    let shop = Counter::open().await;
    let (invoice, path) = shop.order_at_qvapay().await;
    // Too early: what counts is what QvaPay says when it is asked.
    assert_eq!(shop.door.get(&format!("{path}?id={invoice}")).await.status, 200);
    shop.nothing_was_given().await;
    assert_eq!(shop.status().await, "pending");
    shop.town.qvapay.pay(invoice, Payment { callback: false, ..Payment::default() });
    shop.town.clock.advance(TimeDelta::minutes(2));
    eventually(LIMIT, async || shop.status().await == "completed").await;
    assert_eq!(shop.town.qvapay.deliver(invoice, Style::Signed).await.unwrap().status, Some(200));
    shop.exactly_one_purchase().await;
    shop.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_callback_a_day_late_still_buys() {
    let shop = Counter::open().await;
    let (invoice, path) = shop.order_at_qvapay().await;
    shop.town.clock.advance(TimeDelta::hours(25));
    eventually(LIMIT, async || shop.status().await == "expired").await;
    shop.town.quiet().await;
    shop.town.qvapay.pay(invoice, Payment { callback: false, ..Payment::default() });
    assert_eq!(shop.town.qvapay.deliver(invoice, Style::Signed).await.unwrap().status, Some(200));
    shop.exactly_one_purchase().await;
    assert_eq!(shop.door.get(&format!("{path}?id={invoice}")).await.status, 200);
    shop.exactly_one_purchase().await;
    shop.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn forged_stale_and_foreign_callbacks_change_nothing() {
    let shop = Counter::open().await;
    let (invoice, path) = shop.order_at_qvapay().await;
    shop.town.qvapay.pay(invoice, Payment { callback: false, ..Payment::default() });
    let asked = shop.town.qvapay.calls().len();
    for style in [Style::Forged, Style::Tampered, Style::Stale, Style::Unsigned] {
        let attempt = shop.town.qvapay.deliver(invoice, style).await.unwrap();
        assert_eq!(attempt.status, Some(401), "{style:?}");
    }
    let token = path.rsplit('/').next().unwrap();
    let nowhere = [
        format!("/payments/qvapay/{}", "a".repeat(32)),
        format!("/payments/qvapay/{}", &token[..token.len() - 1]),
        format!("/payments/qvapay/{}", token.to_lowercase() + "x"),
        format!("/payments/stars/{token}"),
        format!("/payments/paypal/{token}"),
        format!("/payments/qvapay/{token}/"),
        "/payments/qvapay/..%2f..%2fetc".to_owned(),
        format!("/payments/qvapay/{}", "%00".repeat(20)),
        format!("/payments/qvapay/{}", "x".repeat(4000)),
    ];
    for path in &nowhere {
        let status = shop.door.get(&format!("{path}?id={invoice}")).await.status;
        assert_eq!(status, 404, "{path}");
    }
    for useless in ["", "?", "?id=1", "?id=../../x", "?uuid[]=1", "?%ff=%fe"] {
        assert_eq!(shop.door.get(&format!("{path}{useless}")).await.status, 400, "{useless}");
    }
    shop.nothing_was_given().await;
    assert_eq!(shop.status().await, "pending");
    assert_eq!(shop.town.count("SELECT COUNT(*) FROM inbound_events WHERE source = 'qvapay'").await, 0);
    assert_eq!(shop.town.qvapay.calls().len(), asked, "QvaPay was asked for nothing");
    shop.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replayed_callback_buys_nothing_more_and_none_buys_for_another_order() {
    let shop = Counter::open().await;
    let (invoice, path) = shop.order_at_qvapay().await;
    // Bruno's order, of which QvaPay knows no payment.
    shop.tell(2, bot::press(BRUNO, &format!("buy:{PLAN}:qvapay"))).await;
    eventually(LIMIT, async || shop.town.qvapay.invoices().len() == 2).await;
    shop.town.quiet().await;
    let brunos = format!("SELECT callback_token FROM payments WHERE user_id = {}", BRUNO.id);
    let brunos = format!("/payments/qvapay/{}", shop.town.column(&brunos).await.concat());
    shop.town.qvapay.pay(invoice, Payment { callback: false, ..Payment::default() });
    // Ana's transaction at Bruno's address: a hint to look at Bruno's own.
    let order = shop.town.qvapay.invoice(invoice).unwrap().remote_id;
    let status = shop.door.get(&format!("{brunos}?id={invoice}&remote_id={order}")).await.status;
    assert_eq!(status, 200);
    shop.nothing_was_given().await;
    assert_eq!(shop.status().await, "pending,pending");
    shop.town.qvapay.deliver(invoice, Style::Signed).await.unwrap();
    shop.town.quiet().await;
    assert_eq!(shop.status().await, "completed,pending");
    // Replayed, as it was and as hints without number.
    for n in 0..5 {
        shop.town.qvapay.deliver(invoice, Style::Signed).await.unwrap();
        assert_eq!(shop.door.get(&format!("{path}?id={invoice}&n={n}")).await.status, 200);
    }
    shop.town.quiet().await;
    assert_eq!(shop.status().await, "completed,pending");
    assert_eq!(shop.town.column("SELECT kind FROM ledger_entries").await, ["payment"]);
    assert_eq!(shop.town.count("SELECT COUNT(*) FROM subscriptions").await, 1);
    shop.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hint_may_be_as_long_as_an_address_can_be() {
    let shop = Counter::open().await;
    let (invoice, path) = shop.order_at_qvapay().await;
    shop.town.qvapay.pay(invoice, Payment { callback: false, ..Payment::default() });
    let long = "%01".repeat(15_000);
    let status = shop.door.get(&format!("{path}?id={invoice}&remote_id={long}")).await.status;
    assert_eq!(status, 200);
    shop.exactly_one_purchase().await;
    shop.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_plan_by_both_ways_is_one_subscription_of_twice_the_time() {
    let shop = Counter::open().await;
    let (invoice, _) = shop.order_at_qvapay().await;
    shop.tell(2, bot::press(ANA, &format!("buy:{PLAN}:stars"))).await;
    shop.town.quiet().await;
    let order = shop.town.column("SELECT order_ref FROM payments WHERE provider = 'stars'").await.concat();
    shop.town.qvapay.pay(invoice, Payment { callback: false, ..Payment::default() });
    let (callbacks, ()) = tokio::join!(
        shop.town.qvapay.deliver_at_once(invoice, 20),
        shop.tell(3, paid(&format!("{order}.v1"))),
    );
    assert_eq!(callbacks.len(), 20);
    eventually(LIMIT, async || shop.status().await == "completed,completed").await;
    shop.town.quiet().await;
    assert_eq!(shop.town.column("SELECT kind FROM ledger_entries").await, ["payment", "payment"]);
    let days = "SELECT CAST(DATEDIFF(ends_at, starts_at) - (SELECT SUM(duration_days) FROM payments) AS SIGNED) \
                FROM subscriptions";
    assert_eq!(shop.town.numbers(days).await, [0]);
    assert_eq!(shop.town.column("SELECT status FROM vpn_configs").await, ["active"]);
    shop.close().await;
}

/// QvaPay once sent callbacks without signatures. Where they are taken, they are a reason to ask, and nothing more.
#[tokio::test(flavor = "multi_thread")]
async fn where_signatures_are_optional_an_unsigned_callback_is_a_hint_and_a_wrong_signature_none() {
    let shop = Counter::open_with(&[("QVAPAY_WEBHOOK_SIGNATURE", "if_present")]).await;
    let (invoice, path) = shop.order_at_qvapay().await;
    let asked = "SELECT COUNT(*) FROM jobs WHERE kind = 'check_payment'";
    let order = shop.town.qvapay.invoice(invoice).unwrap().remote_id;
    let lie = json!({
        "transaction_uuid": invoice, "remote_id": order, "status": "paid", "amount": "3.49", "signed": true,
    });
    let json = [("content-type", "application/json")];
    assert_eq!(shop.door.post(&path, &json, lie.to_string()).await.status, 200);
    shop.nothing_was_given().await;
    assert_eq!((shop.status().await.as_str(), shop.town.count(asked).await), ("pending", 1));

    shop.town.qvapay.pay(invoice, Payment { callback: false, ..Payment::default() });
    for style in [Style::Forged, Style::Tampered, Style::Stale] {
        let attempt = shop.town.qvapay.deliver(invoice, style).await.unwrap();
        assert_eq!(attempt.status, Some(401), "{style:?}");
    }
    shop.nothing_was_given().await;
    assert_eq!(shop.town.count(asked).await, 1, "a wrong signature is no reason to ask");

    let truth = shop.town.qvapay.deliver(invoice, Style::Unsigned).await.unwrap();
    assert_eq!(truth.status, Some(200));
    shop.exactly_one_purchase().await;
    shop.close().await;
}

/// What the help of `events replay` says: money counts once, and all else happens again.
#[tokio::test(flavor = "multi_thread")]
async fn a_payment_that_an_operator_replays_buys_nothing_more_and_a_press_orders_anew() {
    let shop = Counter::open().await;
    let payload = shop.order_in_stars().await;
    shop.tell(2, paid(&payload)).await;
    shop.exactly_one_purchase().await;
    let shell = Shell::new(shop.town.variables.clone());
    let replay = async |number: &str| {
        let id: EventId = sqlx::query_scalar("SELECT id FROM inbound_events WHERE dedupe_key = ?")
            .bind(number)
            .fetch_one(&shop.town.db.pool)
            .await
            .unwrap();
        let said = shell.run(&["events", "replay", &id.to_string()]).await.ok();
        assert!(said.contains("it was done"), "{said}");
        shop.town.quiet().await;
    };
    replay("2").await;
    shop.exactly_one_purchase().await;
    replay("1").await;
    assert_eq!(shop.status().await, "completed,pending");
    assert_eq!(shop.town.column("SELECT kind FROM ledger_entries").await, ["payment"]);
    assert_eq!(shop.town.count("SELECT COUNT(*) FROM audit_logs WHERE action = 'event_replayed'").await, 2);
    shop.close().await;
}
