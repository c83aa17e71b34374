//! /reviews: money that a human has to look at.

use crate::handlers::bots::client::views;
use crate::handlers::bots::commands::Command;
use crate::handlers::bots::screens::admin::{self as screens, ChargeResult, ReviewResult};
use crate::handlers::bots::step::{Step, StepError};
use crate::handlers::bots::talk::Talk;
use crate::ids::{ChargeId, PaymentId};
use crate::models::payment::UnmatchedCharge;
use crate::services::payment::{self, PaymentError};

pub async fn reviews(talk: &mut Talk<'_>) -> Step {
    let view = views::reviews(talk).await?;
    talk.show(screens::reviews(talk.t, &view));
    Ok(())
}

/// `/reviews` shows all, `/reviews <number> <reason>` closes money without an order.
pub async fn reviews_command(talk: &mut Talk<'_>, args: &str) -> Step {
    if args.is_empty() {
        return reviews(talk).await;
    }
    let Some((id, reason)) = number_and_reason(args) else {
        talk.show(screens::usage(talk.t, Command::Reviews));
        return Ok(());
    };
    let closed = payment::close_charge(talk.work, id, reason).await;
    show(talk, closed, ChargeResult::Closed)
}

fn number_and_reason(args: &str) -> Option<(ChargeId, &str)> {
    let (number, reason) = args.split_once(char::is_whitespace)?;
    let id = number.trim_start_matches('#').parse().ok()?;
    Some((id, reason.trim())).filter(|(_, reason)| !reason.is_empty())
}

/// An order in review: what was agreed on, what came, what it would give.
pub async fn review(talk: &mut Talk<'_>, id: PaymentId) -> Step {
    match payment::find_in_review(talk.work, id).await {
        Ok(order) => {
            let view = views::review(talk, &order).await?;
            talk.show(screens::review(talk.t, &view));
            Ok(())
        }
        Err(error) => decided(talk, refused(error)?),
    }
}

pub async fn accept(talk: &mut Talk<'_>, id: PaymentId) -> Step {
    let result = match payment::accept_review(talk.work, id).await {
        Ok(order) => ReviewResult::Accepted { user: order.user_id, order_ref: order.order_ref },
        Err(error) => refused(error)?,
    };
    decided(talk, result)
}

fn refused(error: PaymentError) -> Result<ReviewResult, StepError> {
    match error {
        PaymentError::Unknown => Ok(ReviewResult::NoSuchOrder),
        PaymentError::WrongState(status) => Ok(ReviewResult::Over { status }),
        PaymentError::NothingCame => Ok(ReviewResult::NothingCame),
        error => Err(error.into()),
    }
}

fn decided(talk: &mut Talk<'_>, result: ReviewResult) -> Step {
    talk.show(screens::review_result(talk.t, &result));
    Ok(())
}

pub async fn charge(talk: &mut Talk<'_>, id: ChargeId) -> Step {
    match payment::find_charge(talk.work, id).await {
        Ok(charge) => {
            talk.show(screens::charge(talk.t, &charge));
            Ok(())
        }
        other => show(talk, other, ChargeResult::Gone),
    }
}

pub async fn send_back(talk: &mut Talk<'_>, id: ChargeId) -> Step {
    let asked = payment::send_charge_back(talk.work, id).await;
    show(talk, asked, ChargeResult::SentBack)
}

fn show(
    talk: &mut Talk<'_>,
    outcome: Result<UnmatchedCharge, PaymentError>,
    done: ChargeResult,
) -> Result<(), StepError> {
    let result = match outcome {
        Ok(_) => done,
        Err(PaymentError::Unknown) => ChargeResult::Gone,
        Err(error) => return Err(error.into()),
    };
    talk.show(screens::charge_result(talk.t, result));
    Ok(())
}
