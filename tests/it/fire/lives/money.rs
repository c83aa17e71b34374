//! Money that comes by another way than it should: Stars whose order is gone, and payments of which QvaPay never told.

use futures::future::join_all;
use usipipo::demo::qvapay::{Fault, Payment};
use usipipo::demo::telegram::PersonHandle;
use usipipo::models::job::Job;
use usipipo::models::payment::ProviderId;

use super::beside;
use crate::fire::walk::{LIMIT, sound};
use crate::story::press;
use crate::support::town::{BOT, Town};
use crate::support::wait::eventually;

/// More orders than a run looks after while QvaPay is slow.
const ORDERS: usize = 4;
/// A run that has asked for 20 s leaves the rest to the next one.
const SLOW: Fault = Fault::Slow(7000);

pub async fn play(town: &Town) {
    let _outline = town.add_outline().await;
    let owner = town.person(1, "Olga", "en");
    owner.send_text(BOT, "/start").unwrap();
    owner.wait_for(BOT, "the menu", |chat| chat.last_from_bot().map(drop)).await.unwrap();
    sent_back(town, &owner).await;
    looked_after(town).await;
    given_back_by_hand(town, &owner).await;
    sound(town).await;
}

/// Stars of which only Telegram's book tells, and whose order is gone: an admin sends them back.
async fn sent_back(town: &Town, owner: &PersonHandle) {
    beside(town, |work| work.enqueue(Job::ReadStarsBook)).await;
    let opened = "SELECT COUNT(*) FROM book_marks WHERE opened_at IS NOT NULL";
    eventually(LIMIT, async || town.count(opened).await == 1).await;
    let (ana, plan) = (town.person(9801, "Ana", "es"), town.popular_plan().await);
    ana.send_text(BOT, "/plans").unwrap();
    press(&ana, &format!("plan:{plan}")).await;
    press(&ana, &format!("buy:{plan}:stars")).await;
    let invoice = ana.wait_for(BOT, "an invoice", |chat| chat.open_invoice().map(|m| m.id)).await.unwrap();
    town.quiet().await;
    town.lose_updates_but(&["pre_checkout_query"]).await;
    eventually(LIMIT, async || ana.pay(BOT, invoice).await).await;
    town.quiet().await;
    town.sql("DELETE FROM payments").await;
    town.lose_updates_but(&["message", "callback_query", "pre_checkout_query", "my_chat_member"]).await;
    beside(town, |work| work.enqueue(Job::ReadStarsBook)).await;
    let kept = "SELECT COUNT(*) FROM unmatched_charges WHERE payer = 9801 AND resolved_at IS NULL";
    eventually(LIMIT, async || town.count(kept).await == 1).await;
    let id = town.count("SELECT id FROM unmatched_charges").await;
    owner.send_text(BOT, "/reviews").unwrap();
    for button in ["charge", "charge-back"] {
        press(owner, &format!("{button}:{id}")).await;
    }
    eventually(LIMIT, async || town.count(kept).await == 0).await;
    assert_eq!(town.telegram.stars_of(BOT), 0, "they are back");
    let told =
        "SELECT COUNT(*) FROM outbound_messages WHERE chat_id = 9801 AND body LIKE '%charge_sent_back%'";
    assert_eq!(town.count(told).await, 1);
}

/// Orders that were paid or not while nobody told, at a provider that takes its time.
async fn looked_after(town: &Town) {
    let people: Vec<_> = (0..4).map(|n| town.person(9810 + n, "Leo", "en")).collect();
    let plan = town.popular_plan().await;
    join_all(people.iter().map(async |person| {
        person.send_text(BOT, "/plans").unwrap();
        press(person, &format!("plan:{plan}")).await;
        press(person, &format!("buy:{plan}:qvapay")).await;
    }))
    .await;
    let made = "SELECT COUNT(*) FROM payments WHERE provider = 'qvapay' AND invoice_id IS NOT NULL";
    eventually(LIMIT, async || town.count(made).await == ORDERS as i64).await;
    town.quiet().await;
    town.sql("UPDATE payments SET created_at = created_at - INTERVAL 1 HOUR, checked_at = NULL").await;
    town.qvapay.fault(SLOW, 3);
    let paid = town.qvapay.invoices()[0].uuid;
    // One that QvaPay does not find is looked for at its other address, too.
    town.sql(&format!("UPDATE payments SET invoice_id = UUID() WHERE invoice_id <> '{paid}' LIMIT 1")).await;
    town.qvapay.pay(paid, Payment { callback: false, ..Payment::default() });
    beside(town, |work| work.enqueue(Job::LookAfter { provider: ProviderId::Qvapay })).await;
    let looked = "SELECT COUNT(*) FROM payments WHERE checked_at IS NOT NULL";
    eventually(LIMIT, async || town.count(looked).await == ORDERS as i64).await;
    let completed = "SELECT COUNT(*) FROM payments WHERE status = 'completed'";
    eventually(LIMIT, async || town.count(completed).await == 1).await;
    let handed = "SELECT COUNT(*) FROM vpn_configs WHERE status = 'active' AND delivered_at IS NOT NULL";
    eventually(LIMIT, async || town.count(handed).await == 1).await;
    assert_eq!(town.count("SELECT COUNT(*) FROM ledger_entries").await, 1);
}

/// QvaPay gives no money back: an admin does it by hand, and says so.
async fn given_back_by_hand(town: &Town, owner: &PersonHandle) {
    let order = town.column("SELECT order_ref FROM payments WHERE status = 'completed'").await.remove(0);
    let id = town.count("SELECT id FROM payments WHERE status = 'completed'").await;
    owner.send_text(BOT, &format!("/refund {order}")).unwrap();
    press(owner, &format!("refund-hand:{id}")).await;
    let refunded = "SELECT COUNT(*) FROM payments WHERE status = 'refunded'";
    eventually(LIMIT, async || town.count(refunded).await == 1).await;
    assert_eq!(town.count("SELECT COUNT(*) FROM ledger_entries").await, 2);
}
