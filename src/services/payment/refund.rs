//! Sending money back, and taking back what it bought.

use serde_json::json;

use super::{PaymentError, show_order, tell_order};
use crate::crud;
use crate::ids::PaymentId;
use crate::models::audit::Action;
use crate::models::job::Job;
use crate::models::notice::Notice;
use crate::models::payment::{LedgerKind, Payment, PaymentStatus};
use crate::models::role::Permission;
use crate::services::{access, subscription};
use crate::telemetry::metrics::MoneyOutcome;
use crate::work::Work;

/// An admin sends the money of an order back.
pub async fn request_refund(work: &mut Work, id: PaymentId) -> Result<Payment, PaymentError> {
    access::require(work, Permission::RefundPayments).await?;
    let order = crud::payment::lock(work.conn(), id).await?.ok_or(PaymentError::Unknown)?;
    check_refundable(&order)?;
    if !order.provider.gives_back() {
        return Err(PaymentError::RefundByHand(order.provider));
    }
    work.enqueue(Job::RefundPayment { payment_id: id });
    let details =
        json!({ "order": order.order_ref, "amount": order.paid_amount, "currency": order.paid_currency });
    work.audit(Action::RefundRequested, Some(&format!("payment:{id}")), details).await?;
    Ok(order)
}

/// An admin has paid the money of an order back, where its provider cannot: it counts as refunded.
pub async fn refunded_by_hand(work: &mut Work, id: PaymentId) -> Result<Payment, PaymentError> {
    access::require(work, Permission::RefundPayments).await?;
    let order = crud::payment::lock(work.conn(), id).await?.ok_or(PaymentError::Unknown)?;
    check_refundable(&order)?;
    if order.provider.gives_back() {
        return Err(PaymentError::RefundThroughApi(order.provider));
    }
    let details =
        json!({ "order": order.order_ref, "amount": order.paid_amount, "currency": order.paid_currency });
    work.audit(Action::RefundedByHand, Some(&format!("payment:{id}")), details).await?;
    refunded(work, id).await?;
    Ok(order)
}

/// The order that somebody who may refund it names by its id or reference, if it can be refunded.
pub async fn find_refundable(work: &mut Work, given: &str) -> Result<Payment, PaymentError> {
    access::require(work, Permission::RefundPayments).await?;
    let found = match given.parse() {
        Ok(id) => crud::payment::find(work.conn(), id).await?,
        Err(_) => crud::payment::find_by_order(work.conn(), given).await?,
    };
    let order = found.ok_or(PaymentError::Unknown)?;
    check_refundable(&order)?;
    Ok(order)
}

fn check_refundable(order: &Payment) -> Result<(), PaymentError> {
    if !matches!(order.status, PaymentStatus::Completed | PaymentStatus::Review) {
        return Err(PaymentError::WrongState(order.status));
    }
    if order.provider.gives_back() && order.charge_id.is_none() {
        return Err(PaymentError::NoCharge);
    }
    Ok(())
}

/// The money went back, by our refund or by Telegram's own: what it bought is taken back, once.
pub async fn refunded(work: &mut Work, id: PaymentId) -> sqlx::Result<bool> {
    let Some(order) = crud::payment::lock(work.conn(), id).await? else { return Ok(false) };
    if !order.status.may_become(PaymentStatus::Refunded) {
        return Ok(false);
    }
    let now = work.now();
    let to = PaymentStatus::Refunded;
    crud::payment::set_status(work.conn(), id, order.status, to, None, now).await?;
    let mut taken = false;
    if order.status == PaymentStatus::Completed {
        let paid = order.paid();
        crud::payment::insert_ledger(work.conn(), &order, LedgerKind::Refund, &paid, now).await?;
        taken = subscription::take_back(work, &order).await?;
    }
    let provider = order.provider;
    work.count(move |metrics| metrics.money(provider, MoneyOutcome::Refunded));
    let details = json!({ "order": order.order_ref, "old": order.status, "new": to });
    work.audit(Action::PaymentRefunded, Some(&format!("payment:{id}")), details).await?;
    if taken && order.paid_by() != order.user_id {
        // The money is somebody else's, but the access was theirs.
        tell_order(work, &order);
    } else {
        show_order(work, &order);
    }
    let too_late = order.status == PaymentStatus::Completed && !taken;
    let notice = Notice::Refunded { payment_id: id, too_late };
    work.notify_once(order.paid_by(), notice, format!("refunded:{id}"));
    Ok(true)
}
