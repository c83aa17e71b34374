//! Plans, and orders from the tap on "pay" to their end.

use chrono::TimeDelta;

use crate::handlers::bots::client::views;
use crate::handlers::bots::courier::order_view;
use crate::handlers::bots::screens::{self, Order, Reply};
use crate::handlers::bots::step::{Step, StepError};
use crate::handlers::bots::talk::Talk;
use crate::ids::{PaymentId, PlanId};
use crate::models::payment::{Payment, ProviderId};
use crate::services::payment::{self, PaymentError};

/// A second tap within this time is the same tap.
const DOUBLE_TAP: TimeDelta = TimeDelta::seconds(5);

pub async fn plans(talk: &mut Talk<'_>) -> Step {
    let plans = views::plans(talk).await?;
    talk.show(screens::plans(talk.t, &plans));
    Ok(())
}

/// One plan that is on sale.
pub async fn plan(talk: &mut Talk<'_>, id: PlanId) -> Step {
    let view = views::plan(talk, id).await?.ok_or(StepError::Tell(Reply::NotSold))?;
    talk.show(screens::plan(talk.t, &view));
    Ok(())
}

/// Orders a plan. Stars are paid by an invoice below the order; elsewhere a job fetches the link.
pub async fn buy(talk: &mut Talk<'_>, plan: PlanId, provider: ProviderId) -> Step {
    let shown_in = talk.shown_in();
    let order = payment::create_order(talk.work, talk.user.id, plan, provider, shown_in).await?;
    show(talk, &order).await?;
    let age = talk.work.now().since(order.created_at);
    let tapped_twice = age > TimeDelta::zero() && age < DOUBLE_TAP;
    if provider == ProviderId::Stars && !tapped_twice {
        payment::send_stars_invoice(talk.work, &order, talk.user.language).await?;
    }
    Ok(())
}

/// The order as it stands; its provider is asked when it waits for money. Who presses on the order itself reads that,
/// as nothing else changes for the moment.
pub async fn order(talk: &mut Talk<'_>, id: PaymentId) -> Step {
    let shown_in = talk.shown_in();
    let order = payment::look_again(talk.work, talk.user.id, id, shown_in).await?;
    let view = view(talk, &order).await?;
    let asked_here = shown_in.is_some() && order.chat_id.zip(order.message_id) == shown_in;
    let note = screens::order_note(talk.t, &view).filter(|_| asked_here);
    let screen = screens::order(talk.t, &view);
    match note {
        Some(words) => talk.show_noting(screen, words),
        None => talk.show(screen),
    }
    Ok(())
}

pub async fn cancel(talk: &mut Talk<'_>, id: PaymentId) -> Step {
    match payment::cancel_order(talk.work, talk.user.id, id).await {
        Ok(order) => show(talk, &order).await,
        // Paid, expired or cancelled before: it is shown as it is.
        Err(PaymentError::WrongState(_)) => order(talk, id).await,
        Err(error) => Err(error.into()),
    }
}

async fn show(talk: &mut Talk<'_>, order: &Payment) -> Step {
    let view = view(talk, order).await?;
    talk.show(screens::order(talk.t, &view));
    Ok(())
}

async fn view(talk: &mut Talk<'_>, order: &Payment) -> Result<Order, StepError> {
    order_view(talk.work, talk.t, order).await?.ok_or(StepError::Tell(Reply::NotFound))
}
