//! Notices in words. The rows are read now, at the moment of sending, so that what people read is true when they
//! read it, and what is true no more is not sent.

use chrono::TimeDelta;

use super::{Unsendable, texts_for};
use crate::config::Contact;
use crate::crud;
use crate::handlers::bots::screens::{
    self, Brought, Came, Order, OrderState, Receipt, ReceiptKind, Reminder, Screen, SubscriptionView, Taken,
};
use crate::i18n::Texts;
use crate::ids::{ChatId, ConfigId, PaymentId, PlanId, SubscriptionId};
use crate::models::notice::Notice;
use crate::models::payment::{Payment, PaymentStatus, ProviderId};
use crate::models::subscription::{ReminderKind, Subscription, SubscriptionStatus};
use crate::models::user::UserStatus;
use crate::models::vpn::{ConfigStatus, VpnConfig};
use crate::services::{catalogue, people};
use crate::work::Work;

/// The notice in the language of the chat's person.
pub(super) async fn word(
    work: &mut Work,
    chat: ChatId,
    notice: &Notice,
    support: Option<&Contact>,
) -> Result<Screen, Unsendable> {
    let t = texts_for(work, chat).await?;
    match notice {
        Notice::Order { payment_id } => {
            let order = payment(work, *payment_id).await?;
            Ok(screens::order(t, &order_view(work, t, &order).await?.ok_or_else(no_plan)?))
        }
        Notice::Receipt { payment_id } => receipt(work, t, *payment_id, false).await,
        Notice::Accepted { payment_id } => receipt(work, t, *payment_id, true).await,
        Notice::Refunded { payment_id, too_late } => refund(work, t, chat, *payment_id, *too_late).await,
        Notice::ChargeSentBack { charge_id } => {
            let charge = crud::unmatched::find(work.conn(), *charge_id).await?;
            let charge = charge.ok_or(Unsendable::Moot("there was no such money"))?;
            Ok(screens::charge_sent_back(t, &charge))
        }
        Notice::ConfigDelayed { config_id } => {
            Ok(screens::config_delayed(t, awaited(work, *config_id).await?.protocol))
        }
        Notice::ConfigFailed { config_id } => {
            Ok(screens::config_failed(t, awaited(work, *config_id).await?.protocol, support))
        }
        Notice::Reminder { subscription_id, kind } => reminder(work, t, *subscription_id, *kind).await,
        Notice::RoleGranted { expires_at: Some(end), .. } if *end <= work.now() => {
            Err(Unsendable::Moot("the role is over"))
        }
        Notice::RoleGranted { role, expires_at } => Ok(screens::role_granted(t, *role, *expires_at)),
        Notice::RoleRevoked { role } => Ok(screens::role_revoked(t, *role)),
        Notice::Trouble { reference } => {
            let trouble = screens::Reply::Error { reference: reference.clone() };
            Ok(screens::reply(t, &trouble, support))
        }
        Notice::Alert(alert) => Ok(screens::alert(t, alert)),
    }
}

async fn awaited(work: &mut Work, id: ConfigId) -> Result<VpnConfig, Unsendable> {
    let config = crud::vpn::find(work.conn(), id).await?;
    let awaited = config.filter(|config| config.status == ConfigStatus::Preparing);
    awaited.ok_or(Unsendable::Moot("the config is not waited for any more"))
}

async fn payment(work: &mut Work, id: PaymentId) -> Result<Payment, Unsendable> {
    crud::payment::find(work.conn(), id).await?.ok_or(Unsendable::Moot("there is no such order"))
}

fn no_plan() -> Unsendable {
    Unsendable::Broken("the plan of the order is gone".to_owned())
}

async fn plan_name(work: &mut Work, t: &Texts, plan: PlanId) -> sqlx::Result<Option<String>> {
    Ok(catalogue::offer(work, plan, t.language()).await?.map(|offer| offer.name))
}

/// An order as its screen shows it now; None when its plan is gone.
pub async fn order_view(work: &mut Work, t: &Texts, order: &Payment) -> sqlx::Result<Option<Order>> {
    let Some(plan) = plan_name(work, t, order.plan_id).await? else { return Ok(None) };
    Ok(Some(Order {
        id: order.id,
        order_ref: order.order_ref.clone(),
        plan_id: order.plan_id,
        plan,
        price: order.price(),
        provider: order.provider,
        state: order_state(work, order).await?,
        now: work.now(),
    }))
}

async fn order_state(work: &mut Work, order: &Payment) -> sqlx::Result<OrderState> {
    let expires_at = order.expires_at;
    Ok(match order.status {
        PaymentStatus::Pending if expires_at <= work.now() => OrderState::Expired,
        PaymentStatus::Pending => match (order.provider, &order.invoice_url) {
            (ProviderId::Stars, _) => OrderState::Waiting { url: None, expires_at },
            (_, Some(url)) => OrderState::Waiting { url: Some(url.clone()), expires_at },
            (_, None) => OrderState::Preparing,
        },
        PaymentStatus::Completed => match bought(work, order).await? {
            Some(subscription) => OrderState::Paid { ends_at: subscription.ends_at },
            None => OrderState::Refunded,
        },
        PaymentStatus::Refunded => OrderState::Refunded,
        PaymentStatus::Expired => OrderState::Expired,
        PaymentStatus::Failed => OrderState::Failed,
        PaymentStatus::Cancelled => OrderState::Cancelled,
        PaymentStatus::Review => OrderState::Review,
    })
}

/// The subscription that a completed order paid for.
async fn bought(work: &mut Work, order: &Payment) -> sqlx::Result<Option<Subscription>> {
    match order.subscription_id {
        Some(id) => crud::subscription::find(work.conn(), id).await,
        None => Ok(None),
    }
}

/// What the money of a completed order bought; an order that has gone on since has another notice. `reviewed`: a human
/// has looked at the money first.
async fn receipt(work: &mut Work, t: &Texts, id: PaymentId, reviewed: bool) -> Result<Screen, Unsendable> {
    let order = order_in(work, id, PaymentStatus::Completed).await?;
    let subscription = bought(work, &order).await?;
    let subscription = subscription.ok_or(Unsendable::Moot("the subscription is gone"))?;
    let config = brought(work, &order, &subscription).await?;
    let came = match order.completed_at {
        _ if reviewed => Came::Reviewed,
        Some(at) if at > order.expires_at => Came::Late,
        _ => Came::InTime,
    };
    let kind = ReceiptKind::Paid { ends_at: subscription.ends_at, now: work.now(), config, came };
    show_receipt(work, t, order, kind).await
}

/// That money went back, and what that took from the reader.
async fn refund(
    work: &mut Work,
    t: &Texts,
    chat: ChatId,
    id: PaymentId,
    too_late: bool,
) -> Result<Screen, Unsendable> {
    let order = order_in(work, id, PaymentStatus::Refunded).await?;
    // Who paid for somebody else loses nothing by it.
    let took = order.completed_at.is_some() && !too_late && chat == order.user_id.into();
    let now = work.now();
    let access = match bought(work, &order).await?.filter(|_| took) {
        None => Taken::Nothing,
        Some(rest) if rest.status == SubscriptionStatus::Active && rest.ends_at > now => {
            Taken::Until(rest.ends_at)
        }
        Some(_) => Taken::All,
    };
    show_receipt(work, t, order, ReceiptKind::Refunded { access }).await
}

async fn order_in(work: &mut Work, id: PaymentId, status: PaymentStatus) -> Result<Payment, Unsendable> {
    let order = payment(work, id).await?;
    if order.status == status { Ok(order) } else { Err(Unsendable::Moot("the order has gone on since")) }
}

async fn show_receipt(
    work: &mut Work,
    t: &Texts,
    order: Payment,
    kind: ReceiptKind,
) -> Result<Screen, Unsendable> {
    let plan = plan_name(work, t, order.plan_id).await?.ok_or_else(no_plan)?;
    Ok(screens::receipt(t, &Receipt { price: order.paid(), order_ref: order.order_ref, plan, kind }))
}

/// What the payment meant for the person's devices. A config that was ordered together with it bears the same
/// instant, as all rows of a unit of work do.
async fn brought(work: &mut Work, order: &Payment, subscription: &Subscription) -> sqlx::Result<Brought> {
    let configs = crud::vpn::list_of_subscription(work.conn(), subscription.id).await?;
    Ok(match configs.iter().any(|config| Some(config.created_at) == order.completed_at) {
        true => Brought::First,
        false if configs.is_empty() => Brought::None,
        false => Brought::Same,
    })
}

async fn reminder(
    work: &mut Work,
    t: &Texts,
    id: SubscriptionId,
    kind: ReminderKind,
) -> Result<Screen, Unsendable> {
    let now = work.now();
    let row = crud::subscription::find(work.conn(), id).await?;
    let row = row.ok_or(Unsendable::Moot("the subscription is gone"))?;
    if !still_true(kind, &row, row.ends_at.since(now)) {
        return Err(Unsendable::Moot("the subscription was extended or has gone on since"));
    }
    let owner = people::get(work, row.user_id).await?;
    if owner.is_some_and(|owner| owner.status == UserStatus::Banned) {
        return Err(Unsendable::Moot("no bot would answer what the person does about it"));
    }
    let offer = match row.plan_id {
        Some(plan) => catalogue::offer(work, plan, t.language()).await?,
        None => None,
    };
    let grace = work.config().access.grace;
    let kept_until = (grace > TimeDelta::zero()).then(|| row.ends_at + grace);
    let subscription = SubscriptionView::of(&row, offer.map(Into::into));
    Ok(screens::reminder(t, &Reminder { kind, subscription, kept_until, now }))
}

/// Whether a reminder still says what is so; `left` is the time to the end.
fn still_true(kind: ReminderKind, row: &Subscription, left: TimeDelta) -> bool {
    let active = row.status == SubscriptionStatus::Active && left > TimeDelta::zero();
    let is_out = row.allowance.is_some_and(|allowance| row.used >= allowance);
    match kind {
        // One that renews by itself needs nobody to think of it.
        ReminderKind::ThreeDays => active && !row.renews && left <= TimeDelta::days(3),
        ReminderKind::OneDay => active && !row.renews && left <= TimeDelta::days(1),
        ReminderKind::Ended => left <= TimeDelta::zero(),
        ReminderKind::TrafficLow => {
            active && !is_out && row.allowance.is_some_and(|allowance| row.used >= allowance / 5 * 4)
        }
        ReminderKind::TrafficOut => is_out && left > TimeDelta::zero(),
    }
}
