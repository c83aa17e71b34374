//! Sending money back, and taking back what it bought.

use serde_json::json;

use super::{PaymentError, show_order};
use crate::crud;
use crate::ids::PaymentId;
use crate::models::job::Job;
use crate::models::notice::Notice;
use crate::models::payment::{LedgerKind, Payment, PaymentStatus};
use crate::models::role::Permission;
use crate::services::{access, subscription};
use crate::work::Work;

/// An admin sends the money of an order back.
pub async fn request_refund(work: &mut Work, id: PaymentId) -> Result<Payment, PaymentError> {
    access::require(work, Permission::RefundPayments).await?;
    let order = crud::payment::lock(work.conn(), id).await?.ok_or(PaymentError::Unknown)?;
    if !matches!(order.status, PaymentStatus::Completed | PaymentStatus::Review) {
        return Err(PaymentError::WrongState(order.status));
    }
    if order.charge_id.is_none() {
        return Err(PaymentError::NoCharge);
    }
    work.enqueue(Job::RefundPayment { payment_id: id });
    let details =
        json!({ "order": order.order_ref, "amount": order.paid_amount, "currency": order.paid_currency });
    work.audit("refund_requested", Some(&format!("payment:{id}")), details).await?;
    Ok(order)
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
    if order.status == PaymentStatus::Completed {
        let amount = order.paid_amount.unwrap_or(order.amount);
        let currency = order.paid_currency.clone().unwrap_or_else(|| order.currency.clone());
        crud::payment::insert_ledger(work.conn(), &order, LedgerKind::Refund, amount, &currency, now).await?;
        subscription::take_back(work, &order).await?;
    }
    let details = json!({ "order": order.order_ref });
    work.audit("payment_refunded", Some(&format!("payment:{id}")), details).await?;
    show_order(work, &order);
    let notice = Notice::Refunded { payment_id: id };
    work.notify_once(order.user_id, notice, format!("refunded:{id}"));
    Ok(true)
}
