//! Making orders, their invoices, and closing those that nobody paid.

use chrono::TimeDelta;
use serde_json::json;
use ulid::Ulid;

use super::{PaymentError, currency_of, own_order, providers, show_order, tell_order};
use crate::crud;
use crate::crud::payment::Looks;
use crate::crypto;
use crate::ids::{ChatId, PaymentId, PlanId, UserId};
use crate::integrations::payments::stars::payload_of;
use crate::models::audit::Action;
use crate::models::bot::{Bot, Language};
use crate::models::job::Job;
use crate::models::notice::Alert;
use crate::models::outgoing::{Body, Class, Outgoing};
use crate::models::payment::{NewPayment, Payment, PaymentStatus, ProviderId};
use crate::services::{audit, catalogue};
use crate::work::Work;

/// Orders a person may make in an hour and not pay: each is looked after for days.
pub const MOST_UNPAID: i64 = 10;
/// A person makes us ask a provider at most so often.
const PATIENCE: TimeDelta = TimeDelta::seconds(10);

/// Makes an order at today's price, or gives back the open one: two taps on "pay" make one order, and an order
/// keeps its price while it is open.
pub async fn create_order(
    work: &mut Work,
    user_id: UserId,
    plan_id: PlanId,
    provider: ProviderId,
    shown_in: Option<(ChatId, i64)>,
) -> Result<Payment, PaymentError> {
    if !providers(work).contains(&provider) {
        return Err(PaymentError::ProviderOff(provider));
    }
    let now = work.now();
    let open_key = format!("{user_id}:{plan_id}:{provider}");
    if let Some(open) = crud::payment::find_open(work.conn(), &open_key).await? {
        if open.expires_at > now {
            if let Some((chat, message)) = shown_in {
                crud::payment::set_message(work.conn(), open.id, chat, message).await?;
            }
            return Ok(crud::payment::find(work.conn(), open.id).await?.unwrap_or(open));
        }
        expire(work, &open).await?;
    }
    if crud::payment::count_unpaid(work.conn(), user_id, now - TimeDelta::hours(1)).await? >= MOST_UNPAID {
        return Err(PaymentError::TooMany);
    }
    let new = new_order(work, user_id, plan_id, provider, shown_in, open_key).await?;
    let id = match crud::payment::insert(work.conn(), &new, now).await {
        // Another tap, handled by another process, was first by a moment.
        Err(error) if crate::db::is_duplicate(&error) => return open_order(work, &new).await,
        other => other?,
    };
    if provider != ProviderId::Stars {
        work.enqueue(Job::CreateInvoice { payment_id: id });
    }
    let details = json!({ "order": new.order_ref, "plan": plan_id, "price": new.price.to_string() });
    work.audit(Action::OrderCreated, Some(&format!("payment:{id}")), details).await?;
    crud::payment::find(work.conn(), id).await?.ok_or(PaymentError::Unknown)
}

async fn open_order(work: &mut Work, new: &NewPayment) -> Result<Payment, PaymentError> {
    let open_key = new.open_key.as_deref().unwrap_or_default();
    crud::payment::find_open(work.conn(), open_key).await?.ok_or(PaymentError::Unknown)
}

async fn new_order(
    work: &mut Work,
    user_id: UserId,
    plan_id: PlanId,
    provider: ProviderId,
    shown_in: Option<(ChatId, i64)>,
    open_key: String,
) -> Result<NewPayment, PaymentError> {
    let language = work.config().default_language;
    let offer = catalogue::offer(work, plan_id, language).await?.filter(|offer| offer.plan.active);
    let offer = offer.ok_or(PaymentError::NotSold)?;
    let currency = currency_of(provider);
    let price = offer.prices.into_iter().find(|price| price.currency == currency);
    let price = price.ok_or(PaymentError::NoPrice(currency))?;
    let now = work.now();
    Ok(NewPayment {
        order_ref: format!("ord_{}", Ulid::generate()),
        user_id,
        plan_id,
        parent_id: None,
        provider,
        price,
        duration_days: offer.plan.duration_days,
        traffic_mb: offer.plan.traffic_mb,
        device_limit: offer.plan.device_limit,
        open_key: Some(open_key),
        callback_token: (provider != ProviderId::Stars).then(crypto::random_token::<24>),
        chat_id: shown_in.map(|(chat, _)| chat),
        message_id: shown_in.map(|(_, message)| message),
        expires_at: now + work.config().payments.order_expiry,
    })
}

/// What an order is called where it is paid: its plan, in the language of the person.
pub async fn title_of(work: &mut Work, order: &Payment) -> sqlx::Result<String> {
    let person = crud::user::find(work.conn(), order.user_id).await?;
    let language = person.map_or(work.config().default_language, |person| person.language);
    let offer = catalogue::offer(work, order.plan_id, language).await?;
    Ok(offer.map_or_else(|| "VPN".to_owned(), |offer| offer.name))
}

/// Sends the invoice of a Stars order; it may be asked for again and again.
pub async fn send_stars_invoice(
    work: &mut Work,
    order: &Payment,
    language: Language,
) -> Result<(), PaymentError> {
    let offer = catalogue::offer(work, order.plan_id, language).await?.ok_or(PaymentError::NotSold)?;
    let amount = i64::try_from(order.amount.normalize().mantissa()).unwrap_or(i64::MAX);
    let body = Body::StarsInvoice {
        title: offer.name,
        description: offer.description,
        payload: payload_of(&order.order_ref),
        amount,
    };
    work.send(Outgoing::new(Bot::Client, order.user_id, Class::Interactive, body));
    Ok(())
}

/// The newest order that a person may still pay.
pub async fn open_order_of(work: &mut Work, user_id: UserId) -> sqlx::Result<Option<Payment>> {
    if work.glance_at(user_id).is_some_and(|person| !person.has_pending_order) {
        return Ok(None);
    }
    let now = work.now();
    crud::payment::find_open_of_user(work.reading(), user_id, now).await
}

/// A message of this person shows something else from now on.
pub async fn left(work: &mut Work, user_id: UserId, shown_in: (ChatId, i64)) -> sqlx::Result<()> {
    if work.glance_at(user_id).is_some_and(|person| !person.shows_order) {
        return Ok(());
    }
    crud::payment::forget_message(work.conn(), user_id, shown_in.0, shown_in.1).await
}

/// An order of this person as it stands, shown in a message that is edited as it proceeds. The provider of one that
/// waits for money is asked once more.
pub async fn look_again(
    work: &mut Work,
    user_id: UserId,
    id: PaymentId,
    shown_in: Option<(ChatId, i64)>,
) -> Result<Payment, PaymentError> {
    let order = own_order(work, user_id, id).await?;
    let open = order.status == PaymentStatus::Pending && order.expires_at > work.now();
    match shown_in {
        Some(shown) if !open => left(work, user_id, shown).await?,
        Some(shown) if order.chat_id.zip(order.message_id) != Some(shown) => {
            crud::payment::set_message(work.conn(), id, shown.0, shown.1).await?;
        }
        _ => {}
    }
    // Before there is an invoice, only Stars can have been paid.
    let payable = order.provider == ProviderId::Stars || order.invoice_id.is_some();
    if payable && PaymentStatus::CREDITABLE.contains(&order.status) {
        ask(work, &order).await?;
    }
    Ok(order)
}

/// Asks the provider now, for a person who waits; but not each time when they press again and again.
async fn ask(work: &mut Work, order: &Payment) -> sqlx::Result<()> {
    let now = work.now();
    let last = crud::payment::last_checked(work.conn(), order.user_id).await?;
    if last.is_some_and(|last| now.since(last) < PATIENCE) {
        return Ok(());
    }
    crud::payment::set_checked(work.conn(), order.id, now).await?;
    work.enqueue_ahead(Job::CheckPayment { payment_id: order.id });
    Ok(())
}

/// A person's newest orders.
pub async fn recent(work: &mut Work, user_id: UserId, limit: u32) -> sqlx::Result<Vec<Payment>> {
    crud::payment::list_of_user(work.conn(), user_id, limit).await
}

/// Whether a provider gives no invoices as it should. Stars have none to wait for.
pub async fn is_invoicing_stuck(work: &mut Work, provider: ProviderId) -> sqlx::Result<bool> {
    if provider == ProviderId::Stars {
        return Ok(false);
    }
    let oldest = crud::payment::oldest_without_invoice(work.conn(), provider).await?;
    Ok(oldest.is_some_and(|since| work.now().since(since) > TimeDelta::minutes(2)))
}

/// A changed mind. Money that comes all the same is still credited.
pub async fn cancel_order(work: &mut Work, user_id: UserId, id: PaymentId) -> Result<Payment, PaymentError> {
    let order = own_order(work, user_id, id).await?;
    if order.status != PaymentStatus::Pending {
        return Err(PaymentError::WrongState(order.status));
    }
    let now = work.now();
    let (from, to) = (PaymentStatus::Pending, PaymentStatus::Cancelled);
    crud::payment::set_status(work.conn(), id, from, to, None, now).await?;
    let change = json!({ "old": from, "new": to });
    work.audit(Action::OrderCancelled, Some(&format!("payment:{id}")), change).await?;
    Ok(Payment { status: to, ..order })
}

pub(super) async fn close(work: &mut Work, order: &Payment, to: PaymentStatus) -> sqlx::Result<()> {
    let now = work.now();
    if order.status == PaymentStatus::Pending
        && crud::payment::set_status(work.conn(), order.id, order.status, to, None, now).await?
    {
        let change = json!({ "old": order.status, "new": to });
        work.audit(Action::OrderClosed, Some(&format!("payment:{}", order.id)), change).await?;
        show_order(work, order);
    }
    Ok(())
}

async fn expire(work: &mut Work, order: &Payment) -> sqlx::Result<()> {
    close(work, order, PaymentStatus::Expired).await
}

/// Orders that are closed in one transaction; the next tick goes on.
const CLOSED_AT_ONCE: u32 = 500;

/// Closes orders whose time is over; money that comes for them still counts.
pub async fn close_overdue(work: &mut Work) -> sqlx::Result<()> {
    let now = work.now();
    for order in crud::payment::list_overdue(work.conn(), now, CLOSED_AT_ONCE).await? {
        expire(work, &order).await?;
    }
    Ok(())
}

/// A callback that was lost is noticed after a quarter of the time that the person took to pay, or a minute. Two days
/// are looked after so, and once more, however long the server was away.
const LOOKS: Looks = Looks {
    least: TimeDelta::minutes(1),
    part: 4,
    until: TimeDelta::hours(48),
    longest_away: TimeDelta::days(30),
};

/// Orders whose provider is to be asked whether they were paid, the most urgent first.
pub async fn due_for_look(work: &mut Work, provider: ProviderId, limit: u32) -> sqlx::Result<Vec<Payment>> {
    let now = work.now();
    crud::payment::list_due(work.conn(), provider, &LOOKS, now, limit).await
}

/// A look at an order brought no answer. There is another one, unless it was the last: then a job of its own asks until
/// there is an answer.
pub fn not_answered(work: &mut Work, order: &Payment) {
    if work.now().since(order.created_at) >= LOOKS.until {
        work.enqueue(Job::CheckPayment { payment_id: order.id });
    }
}

/// Asking the provider about an order was given up: that was a look, too.
pub async fn not_observed(work: &mut Work, id: PaymentId) -> sqlx::Result<()> {
    let now = work.now();
    crud::payment::set_checked(work.conn(), id, now).await
}

/// An invoice was made: the order's message shows where to pay.
pub async fn invoice_made(work: &mut Work, id: PaymentId, invoice_id: &str, url: &str) -> sqlx::Result<()> {
    let now = work.now();
    let Some(order) = crud::payment::lock(work.conn(), id).await? else { return Ok(()) };
    crud::payment::set_invoice(work.conn(), id, invoice_id, url, now).await?;
    show_order(work, &order);
    Ok(())
}

/// No invoice can be made: the order fails, and the person and the admins know.
pub async fn invoice_failed(work: &mut Work, id: PaymentId, reason: &str) -> sqlx::Result<()> {
    let now = work.now();
    let Some(order) = crud::payment::lock(work.conn(), id).await? else { return Ok(()) };
    let (from, to) = (PaymentStatus::Pending, PaymentStatus::Failed);
    if crud::payment::set_status(work.conn(), id, from, to, Some(reason), now).await? {
        tell_order(work, &order);
        let alert = Alert::JobDead { kind: "create_invoice".to_owned(), reason: reason.to_owned() };
        audit::notify_admins(work, Action::InvoiceFailed, alert).await?;
    }
    Ok(())
}
