//! From what a provider says to what a person gets: the one place where money is credited.

use serde_json::json;

use super::order::close;
use super::{handle_of, show_order, tell_order, unmatched};
use crate::clock::Timestamp;
use crate::crud;
use crate::ids::{PaymentId, SubscriptionId, UserId};
use crate::integrations::payments::{Callback, Decision, Observation, Triage, decide, triage};
use crate::models::audit::{Action, Actor};
use crate::models::bot::Bot;
use crate::models::job::Job;
use crate::models::notice::{Alert, Notice, OddMoney};
use crate::models::outgoing::{Body, Class, Outgoing};
use crate::models::payment::{Charge, LedgerKind, Payment, PaymentStatus};
use crate::models::subscription::Subscription;
use crate::money::Money;
use crate::services::{audit, subscription, vpn};
use crate::telemetry::metrics::{CallbackOutcome, MoneyOutcome};
use crate::work::Work;

/// What came of money.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Credit {
    /// Given what was bought.
    Given(SubscriptionId),
    /// This charge was credited before; nothing changed.
    Duplicate,
    /// Nothing was paid yet.
    Nothing,
    /// Kept for a human.
    Review,
}

/// What a provider said of an order, fetched from the provider itself.
pub async fn observed(work: &mut Work, id: PaymentId, seen: Option<&Observation>) -> sqlx::Result<Credit> {
    let now = work.now();
    let Some(order) = crud::payment::lock(work.conn(), id).await? else { return Ok(Credit::Nothing) };
    crud::payment::set_checked(work.conn(), id, now).await?;
    match seen {
        Some(seen) => settle(work, order, seen, None).await,
        None => Ok(Credit::Nothing),
    }
}

/// Brings a locked order to what its provider says.
pub(super) async fn settle(
    work: &mut Work,
    order: Payment,
    seen: &Observation,
    until: Option<Timestamp>,
) -> sqlx::Result<Credit> {
    let charge = Charge { id: seen.charge_id.clone(), amount: seen.amount, currency: seen.currency.clone() };
    match decide(&order.order_ref, &order.price(), order.user_id, seen) {
        Decision::Wait => Ok(Credit::Nothing),
        Decision::Cancel => {
            close(work, &order, PaymentStatus::Cancelled).await?;
            Ok(Credit::Nothing)
        }
        Decision::Complete if PaymentStatus::CREDITABLE.contains(&order.status) => {
            let subscription = give(work, &order, &charge, until).await?;
            Ok(Credit::Given(subscription.id))
        }
        Decision::Complete if order.charge_id.as_deref() == Some(&charge.id) => Ok(Credit::Duplicate),
        Decision::Complete => {
            let reason = format!("paid again, the order is {}", order.status);
            unmatched::keep(work, order.provider, &charge, seen.payer, Some(order.id), &reason).await
        }
        Decision::Review(reason) => review(work, &order, Some(&charge), seen.payer, &reason).await,
    }
}

/// Credits a charge to an order and gives what was bought: subscription, ledger, audit, config and receipt, all
/// in this unit of work.
pub(super) async fn give(
    work: &mut Work,
    order: &Payment,
    charge: &Charge,
    until: Option<Timestamp>,
) -> sqlx::Result<Subscription> {
    let now = work.now();
    let subscription = match until {
        Some(end) => subscription::extend_until(work, order, end).await?,
        None => subscription::extend(work, order).await?,
    };
    let completed =
        crud::payment::complete(work.conn(), order.id, order.status, charge, subscription.id, now).await?;
    if !completed {
        // The row is locked, so this cannot be; nothing may be given for it all the same.
        return Err(sqlx::Error::Protocol(format!("payment {} changed under its lock", order.id)));
    }
    let provider = order.provider;
    work.count(move |metrics| metrics.money(provider, MoneyOutcome::Credited));
    let paid = Money::new(charge.amount.unwrap_or(order.amount), charge.currency.clone());
    crud::payment::insert_ledger(work.conn(), order, LedgerKind::Payment, &paid, now).await?;
    let details = json!({
        "order": order.order_ref, "provider": order.provider, "amount": paid.amount, "currency": paid.currency,
        "subscription": subscription.id, "ends_at": subscription.ends_at,
        "old": order.status, "new": PaymentStatus::Completed,
    });
    work.act_as(Actor::User(order.user_id));
    work.audit(Action::PaymentCompleted, Some(&format!("payment:{}", order.id)), details).await?;
    vpn::add_first_config(work, &subscription).await?;
    show_order(work, order);
    send_receipt(work, order);
    Ok(subscription)
}

/// At once: the person waits for it, and it comes before what was bought.
fn send_receipt(work: &mut Work, order: &Payment) {
    let payment_id = order.id;
    let notice = match order.status {
        PaymentStatus::Review => Notice::Accepted { payment_id },
        _ => Notice::Receipt { payment_id },
    };
    let body = Body::Notice { notice, replace: None };
    let receipt = Outgoing::new(Bot::Client, order.user_id, Class::Interactive, body);
    work.send(receipt.once(format!("receipt:{}", order.id)));
}

/// Puts an order aside for a human, with its charge so that it can be refunded.
async fn review(
    work: &mut Work,
    order: &Payment,
    charge: Option<&Charge>,
    payer: Option<UserId>,
    reason: &str,
) -> sqlx::Result<Credit> {
    let now = work.now();
    if order.status == PaymentStatus::Review {
        return review_again(work, order, charge, payer, reason).await;
    }
    if !order.status.may_become(PaymentStatus::Review) {
        return match charge {
            // It was looked at already: accepted, or sent back.
            Some(charge) if order.charge_id.as_deref() == Some(&charge.id) => Ok(Credit::Duplicate),
            Some(charge) => {
                unmatched::keep(work, order.provider, charge, payer, Some(order.id), reason).await
            }
            None => Ok(Credit::Duplicate),
        };
    }
    let to = PaymentStatus::Review;
    crud::payment::set_status(work.conn(), order.id, order.status, to, Some(reason), now).await?;
    if let Some(charge) = charge {
        crud::payment::set_charge(work.conn(), order.id, charge, payer, now).await?;
    }
    let money = OddMoney {
        provider: Some(order.provider),
        amount: charge.and_then(Charge::money),
        person: Some(payer.unwrap_or(order.user_id)),
        reason: reason.to_owned(),
    };
    let provider = order.provider;
    work.count(move |metrics| metrics.money(provider, MoneyOutcome::Review));
    let alert = Alert::PaymentReview { payment_id: order.id, money };
    audit::notify_admins(work, Action::PaymentReview, alert).await?;
    tell_order(work, order);
    Ok(Credit::Review)
}

/// An order that waits for a human holds one charge; any other is kept beside it.
async fn review_again(
    work: &mut Work,
    order: &Payment,
    charge: Option<&Charge>,
    payer: Option<UserId>,
    reason: &str,
) -> sqlx::Result<Credit> {
    let now = work.now();
    match (charge, &order.charge_id) {
        (Some(charge), Some(held)) if *held != charge.id => {
            unmatched::keep(work, order.provider, charge, payer, Some(order.id), reason).await
        }
        (Some(charge), None) => {
            crud::payment::set_charge(work.conn(), order.id, charge, payer, now).await?;
            Ok(Credit::Review)
        }
        _ => Ok(Credit::Review),
    }
}

/// An authentic callback for an order: a hint. Asks for a look at the provider, or puts the order aside.
pub async fn callback_received(work: &mut Work, id: PaymentId, callback: &Callback) -> sqlx::Result<Triage> {
    let Some(order) = crud::payment::lock(work.conn(), id).await? else {
        return Ok(Triage::Ignore("there is no such order".to_owned()));
    };
    let settled = matches!(order.status, PaymentStatus::Completed | PaymentStatus::Refunded);
    let verdict = triage(callback, &handle_of(&order), settled);
    let (provider, outcome) = (order.provider, counted_as(&verdict));
    work.count(move |metrics| metrics.callback(provider, outcome));
    match &verdict {
        Triage::Refetch => work.enqueue_ahead(Job::CheckPayment { payment_id: id }),
        Triage::Review(reason) => {
            let charge = new_money(work, &order, callback).await?;
            review(work, &order, charge.as_ref(), None, reason).await?;
        }
        Triage::Duplicate => {}
        Triage::Ignore(reason) => {
            let details = json!({ "reason": reason });
            work.audit(Action::CallbackIgnored, Some(&format!("payment:{id}")), details).await?;
        }
    }
    Ok(verdict)
}

fn counted_as(verdict: &Triage) -> CallbackOutcome {
    match verdict {
        Triage::Refetch => CallbackOutcome::Checked,
        Triage::Review(_) => CallbackOutcome::Review,
        Triage::Duplicate => CallbackOutcome::Settled,
        Triage::Ignore(_) => CallbackOutcome::Ignored,
    }
}

/// The money that a signed callback names, unless an order holds it already. How much it is, nobody has asked.
async fn new_money(work: &mut Work, order: &Payment, callback: &Callback) -> sqlx::Result<Option<Charge>> {
    let Some(id) = callback.transaction_id.clone() else { return Ok(None) };
    let charge = Charge { id, amount: None, currency: order.currency.clone() };
    let holder = crud::payment::find_by_charge(work.conn(), order.provider, &charge.hash()).await?;
    Ok(Some(charge).filter(|_| holder.is_none()))
}
