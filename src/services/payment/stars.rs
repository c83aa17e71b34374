//! What Telegram asks and tells about money in Stars.

use serde_json::json;
use ulid::Ulid;

use super::refund::refunded;
use super::settle::{Credit, give, settle};
use super::unmatched;
use crate::clock::Timestamp;
use crate::crud;
use crate::ids::UserId;
use crate::integrations::payments::{BookEntry, BookPage, Decision, Observation, ObservedState, decide};
use crate::models::audit::Action;
use crate::models::payment::{Charge, NewPayment, Payment, PaymentStatus, ProviderId};
use crate::money::Money;
use crate::work::Work;

/// Why a person may not pay now; told to them by Telegram.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CheckoutRefusal {
    /// There is no such order.
    Unknown,
    /// Ordered by somebody else: a forwarded invoice has a button to pay, too.
    Foreign,
    Paid,
    /// Money came for it that a human is looking at.
    Review,
    Expired,
    /// By the person; or it was refunded since.
    Cancelled,
    /// The amount or the currency is not the order's. A new price of the plan is no reason: the order keeps its own.
    Mismatch,
}

impl CheckoutRefusal {
    pub const ALL: [CheckoutRefusal; 7] = [
        CheckoutRefusal::Unknown,
        CheckoutRefusal::Foreign,
        CheckoutRefusal::Paid,
        CheckoutRefusal::Review,
        CheckoutRefusal::Expired,
        CheckoutRefusal::Cancelled,
        CheckoutRefusal::Mismatch,
    ];
}

/// May this payment go through? Asked by Telegram before it takes the Stars. An open order keeps what was agreed on,
/// whatever has become of its plan.
pub async fn check_checkout(
    work: &mut Work,
    payer: UserId,
    price: &Money,
    order_ref: Option<&str>,
) -> sqlx::Result<Result<(), CheckoutRefusal>> {
    let Some(order_ref) = order_ref else { return Ok(Err(CheckoutRefusal::Unknown)) };
    let order = crud::payment::find_by_order(work.conn(), order_ref).await?;
    let Some(order) = order.filter(|order| order.provider == ProviderId::Stars) else {
        return Ok(Err(CheckoutRefusal::Unknown));
    };
    if order.user_id != payer {
        return Ok(Err(CheckoutRefusal::Foreign));
    }
    Ok(match order.status {
        PaymentStatus::Pending if order.expires_at > work.now() => match order.price() == *price {
            true => Ok(()),
            false => Err(CheckoutRefusal::Mismatch),
        },
        PaymentStatus::Pending | PaymentStatus::Expired | PaymentStatus::Failed => {
            Err(CheckoutRefusal::Expired)
        }
        PaymentStatus::Completed => Err(CheckoutRefusal::Paid),
        PaymentStatus::Review => Err(CheckoutRefusal::Review),
        PaymentStatus::Cancelled | PaymentStatus::Refunded => Err(CheckoutRefusal::Cancelled),
    })
}

/// Money in Stars, as Telegram's `successful_payment` tells it.
#[derive(Clone, Debug)]
pub struct StarsPayment {
    pub payer: UserId,
    pub order_ref: Option<String>,
    pub charge: Charge,
    /// Set for a Stars subscription: the end of the paid time.
    pub subscribed_until: Option<Timestamp>,
}

/// Credits money in Stars; idempotent on its charge id.
pub async fn stars_paid(work: &mut Work, paid: &StarsPayment) -> sqlx::Result<Credit> {
    let charge = &paid.charge;
    let hash = charge.hash();
    let order = match &paid.order_ref {
        Some(order_ref) => crud::payment::lock_by_order(work.conn(), order_ref).await?,
        None => None,
    };
    if crud::payment::find_by_charge(work.conn(), ProviderId::Stars, &hash).await?.is_some()
        || crud::unmatched::find_by_charge(work.conn(), ProviderId::Stars, &hash).await?.is_some()
    {
        return Ok(Credit::Duplicate);
    }
    let Some(order) = order else {
        let reason = "it names no order of ours";
        return unmatched::keep(work, ProviderId::Stars, charge, Some(paid.payer), None, reason).await;
    };
    let seen = Observation {
        state: ObservedState::Paid,
        amount: charge.amount,
        currency: charge.currency.clone(),
        order_ref: paid.order_ref.clone(),
        charge_id: charge.id.clone(),
        payer: Some(paid.payer),
    };
    if order.status == PaymentStatus::Completed && paid.subscribed_until.is_some() {
        return renew(work, &order, &seen, paid).await;
    }
    settle(work, order, &seen, paid.subscribed_until).await
}

/// A Stars subscription renewed itself: a payment of its own, with the same order behind it.
async fn renew(
    work: &mut Work,
    first: &Payment,
    seen: &Observation,
    paid: &StarsPayment,
) -> sqlx::Result<Credit> {
    let now = work.now();
    if let Decision::Review(reason) = decide(&first.order_ref, &first.price(), first.user_id, seen) {
        let (charge, payer) = (&paid.charge, Some(paid.payer));
        return unmatched::keep(work, first.provider, charge, payer, Some(first.id), &reason).await;
    }
    let new = NewPayment {
        order_ref: format!("ord_{}", Ulid::generate()),
        user_id: first.user_id,
        plan_id: first.plan_id,
        parent_id: Some(first.id),
        provider: first.provider,
        price: first.price(),
        duration_days: first.duration_days,
        traffic_mb: first.traffic_mb,
        device_limit: first.device_limit,
        open_key: None,
        callback_token: None,
        chat_id: None,
        message_id: None,
        expires_at: now,
    };
    let id = crud::payment::insert(work.conn(), &new, now).await?;
    let Some(renewal) = crud::payment::lock(work.conn(), id).await? else { return Ok(Credit::Nothing) };
    let subscription = give(work, &renewal, &paid.charge, paid.subscribed_until).await?;
    Ok(Credit::Given(subscription.id))
}

/// Telegram says that a charge was refunded; false when that takes nothing back, or is known. One that is told before
/// its payment is kept, so that the payment buys nothing when it comes.
pub async fn stars_refunded(work: &mut Work, payer: Option<UserId>, charge: &Charge) -> sqlx::Result<bool> {
    let (provider, hash) = (ProviderId::Stars, charge.hash());
    if let Some(order) = crud::payment::find_by_charge(work.conn(), provider, &hash).await? {
        return refunded(work, order.id).await;
    }
    if let Some(kept) = crud::unmatched::find_by_charge(work.conn(), provider, &hash).await? {
        return unmatched::charge_sent_back(work, kept.id).await;
    }
    let reason = "it was given back before anything was bought with it";
    unmatched::keep(work, provider, charge, payer, None, reason).await?;
    Ok(false)
}

/// A page of Telegram's book of Stars was read from its `from`-th row on: credits what no update told of, takes back
/// what was refunded elsewhere, and keeps what fits no order. What was told before changes nothing.
pub async fn stars_book_read(work: &mut Work, book: &str, from: u64, page: &BookPage) -> sqlx::Result<()> {
    let now = work.now();
    let to = from + page.rows;
    let Some(opened_at) = crud::book_mark::advance(work.conn(), book, from, to, now).await? else {
        return Ok(());
    };
    let mut foreign = 0;
    for entry in &page.entries {
        let ours = match entry.is_refund {
            true => refund_read(work, entry).await?,
            false => payment_read(work, entry, opened_at).await?,
        };
        foreign += u32::from(!ours);
    }
    if foreign > 0 {
        // The bot sold before this database was made: an order of ours is stored before its invoice is sent.
        tracing::warn!(foreign, "Telegram's book of Stars has money that is none of ours");
    }
    Ok(())
}

/// False for money of before the book was first opened that fits no order: whoever ran the bot then has seen to it.
async fn payment_read(work: &mut Work, entry: &BookEntry, opened_at: Timestamp) -> sqlx::Result<bool> {
    // The book counts in whole seconds.
    let is_news = entry.at.is_some_and(|at| at.unix() >= opened_at.unix());
    if !is_news && !names_order(work, entry).await? {
        return Ok(false);
    }
    let (payer, order_ref) = (entry.payer, entry.order_ref.clone());
    let (charge, subscribed_until) = (charge_of(entry), entry.subscribed_until);
    stars_paid(work, &StarsPayment { payer, order_ref, charge, subscribed_until }).await?;
    Ok(true)
}

/// False when what went back is nothing that we know of.
async fn refund_read(work: &mut Work, entry: &BookEntry) -> sqlx::Result<bool> {
    let charge = charge_of(entry);
    let kept = crud::unmatched::find_by_charge(work.conn(), ProviderId::Stars, &charge.hash()).await?;
    if kept.is_none() && !names_order(work, entry).await? {
        return Ok(false);
    }
    stars_refunded(work, Some(entry.payer), &charge).await?;
    Ok(true)
}

async fn names_order(work: &mut Work, entry: &BookEntry) -> sqlx::Result<bool> {
    match &entry.order_ref {
        Some(named) => Ok(crud::payment::find_by_order(work.conn(), named).await?.is_some()),
        None => Ok(false),
    }
}

fn charge_of(entry: &BookEntry) -> Charge {
    Charge { id: entry.charge_id.clone(), amount: entry.amount, currency: entry.currency.clone() }
}

/// A Stars subscription was cancelled, taken up again, or could not be charged. Telegram tells the state; access
/// itself only ever follows money.
pub async fn stars_subscription_changed(
    work: &mut Work,
    payer: UserId,
    order_ref: Option<&str>,
    renews: bool,
    state: &str,
) -> sqlx::Result<bool> {
    let Some(order_ref) = order_ref else { return Ok(false) };
    let order = crud::payment::find_by_order(work.conn(), order_ref).await?;
    let Some(order) = order.filter(|order| order.user_id == payer) else { return Ok(false) };
    let Some(id) = order.subscription_id else { return Ok(false) };
    let Some(mut subscription) = crud::subscription::lock(work.conn(), id).await? else { return Ok(false) };
    let now = work.now();
    let change = json!({ "state": state, "old": subscription.renews, "new": renews });
    subscription.renews = renews;
    crud::subscription::update(work.conn(), &subscription, now).await?;
    work.audit(Action::RenewalChanged, Some(&format!("subscription:{id}")), change).await?;
    Ok(true)
}
