//! Money that fits no order: kept, told to the admins, and settled by them.

use serde_json::json;

use super::{Credit, PaymentError};
use crate::crud;
use crate::ids::{ChargeId, PaymentId, UserId};
use crate::models::audit::Action;
use crate::models::job::Job;
use crate::models::notice::{Alert, Notice, OddMoney};
use crate::models::payment::{Charge, Payment, ProviderId, UnmatchedCharge};
use crate::models::role::Permission;
use crate::services::{access, audit};
use crate::telemetry::metrics::MoneyOutcome;
use crate::work::Work;

/// Longest reason, in characters.
const REASON: usize = 255;

/// Keeps money that fits no order, once, and tells the admins.
pub(super) async fn keep(
    work: &mut Work,
    provider: ProviderId,
    charge: &Charge,
    payer: Option<UserId>,
    payment_id: Option<PaymentId>,
    reason: &str,
) -> sqlx::Result<Credit> {
    let now = work.now();
    let reason: String = reason.chars().take(REASON).collect();
    let new = crud::unmatched::insert(work.conn(), provider, charge, payer, payment_id, &reason, now).await?;
    let Some(charge_id) = new else { return Ok(Credit::Duplicate) };
    work.count(move |metrics| metrics.money(provider, MoneyOutcome::Unmatched));
    let money = OddMoney { provider: Some(provider), amount: charge.money(), person: payer, reason };
    let alert = Alert::PaymentUnmatched { charge_id, money };
    audit::notify_admins(work, Action::PaymentUnmatched, alert).await?;
    Ok(Credit::Review)
}

/// What somebody who may refund has to look at: orders in review and money without an order, the oldest first.
pub async fn reviews(
    work: &mut Work,
    limit: u32,
) -> Result<(Vec<Payment>, Vec<UnmatchedCharge>), PaymentError> {
    access::require(work, Permission::RefundPayments).await?;
    let orders = crud::payment::list_in_review(work.conn(), limit).await?;
    Ok((orders, crud::unmatched::list_open(work.conn(), limit).await?))
}

/// Money that waits for somebody who may refund.
pub async fn find_charge(work: &mut Work, id: ChargeId) -> Result<UnmatchedCharge, PaymentError> {
    access::require(work, Permission::RefundPayments).await?;
    let found = crud::unmatched::find(work.conn(), id).await?;
    found.filter(|charge| charge.resolved_at.is_none()).ok_or(PaymentError::Unknown)
}

/// Sends it back to whoever paid, where its provider can.
pub async fn send_charge_back(work: &mut Work, id: ChargeId) -> Result<UnmatchedCharge, PaymentError> {
    let charge = find_charge(work, id).await?;
    if !charge.can_go_back() {
        return Err(PaymentError::RefundByHand(charge.provider));
    }
    work.enqueue(Job::SendBack { charge_id: id });
    let details = json!({ "amount": charge.amount, "currency": charge.currency });
    work.audit(Action::RefundRequested, Some(&target(id)), details).await?;
    Ok(charge)
}

/// The money went back, by our own doing or by the provider's: it is settled, once.
pub async fn charge_sent_back(work: &mut Work, id: ChargeId) -> sqlx::Result<bool> {
    let now = work.now();
    let Some(charge) = crud::unmatched::find(work.conn(), id).await? else { return Ok(false) };
    if !crud::unmatched::resolve(work.conn(), id, now).await? {
        return Ok(false);
    }
    let details = json!({ "payer": charge.payer, "amount": charge.amount, "currency": charge.currency });
    work.audit(Action::ChargeSentBack, Some(&target(id)), details).await?;
    if let Some(payer) = charge.payer {
        work.notify_once(payer, Notice::ChargeSentBack { charge_id: id }, format!("charge_sent_back:{id}"));
    }
    Ok(true)
}

/// An admin has settled it in some other way; `reason` says how.
pub async fn close_charge(
    work: &mut Work,
    id: ChargeId,
    reason: &str,
) -> Result<UnmatchedCharge, PaymentError> {
    let charge = find_charge(work, id).await?;
    let now = work.now();
    if !crud::unmatched::resolve(work.conn(), id, now).await? {
        return Err(PaymentError::Unknown);
    }
    let reason: String = reason.trim().chars().take(REASON).collect();
    let details = json!({ "reason": reason, "amount": charge.amount, "currency": charge.currency });
    work.audit(Action::ChargeClosed, Some(&target(id)), details).await?;
    Ok(charge)
}

fn target(id: ChargeId) -> String {
    format!("charge:{id}")
}
