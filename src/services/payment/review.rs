//! Orders whose money came another way than agreed: somebody who may refund can let it count all the same.

use rust_decimal::Decimal;
use serde_json::json;

use super::PaymentError;
use super::settle::give;
use crate::crud;
use crate::ids::PaymentId;
use crate::models::audit::Action;
use crate::models::payment::{Charge, Payment, PaymentStatus};
use crate::models::role::Permission;
use crate::services::access;
use crate::work::Work;

/// An order that waits for a human, for somebody who may decide.
pub async fn find_in_review(work: &mut Work, id: PaymentId) -> Result<Payment, PaymentError> {
    access::require(work, Permission::RefundPayments).await?;
    let order = crud::payment::lock(work.conn(), id).await?.ok_or(PaymentError::Unknown)?;
    match order.status {
        PaymentStatus::Review => Ok(order),
        status => Err(PaymentError::WrongState(status)),
    }
}

/// What came counts as the price: the order is completed and gives what it sells, once.
pub async fn accept_review(work: &mut Work, id: PaymentId) -> Result<Payment, PaymentError> {
    let order = find_in_review(work, id).await?;
    let charge = charge_of(&order).ok_or(PaymentError::NothingCame)?;
    let details = json!({
        "order": order.order_ref, "price": order.price().to_string(), "paid": order.paid().to_string(),
        "payer": order.payer, "reason": order.note, "old": order.status, "new": PaymentStatus::Completed,
    });
    work.audit(Action::ReviewAccepted, Some(&format!("payment:{id}")), details).await?;
    let admin = work.actor();
    give(work, &order, &charge, None).await?;
    work.act_as(admin);
    Ok(order)
}

/// The money that came for an order in review; None while nobody knows how much it was, which no ledger can hold.
pub fn charge_of(order: &Payment) -> Option<Charge> {
    let amount = order.paid_amount.filter(|amount| *amount > Decimal::ZERO)?;
    let (id, currency) = (order.charge_id.clone()?, order.paid_currency.clone()?);
    Some(Charge { id, amount: Some(amount), currency })
}
