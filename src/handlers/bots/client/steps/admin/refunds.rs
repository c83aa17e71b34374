//! /refund: what would be given back, the question, and the order to do it.

use crate::handlers::bots::client::views;
use crate::handlers::bots::commands::Command;
use crate::handlers::bots::screens::admin::{self as screens, RefundResult};
use crate::handlers::bots::step::{Step, StepError};
use crate::handlers::bots::talk::Talk;
use crate::ids::PaymentId;
use crate::services::payment::{self, PaymentError};

/// `/refund <id|ord_…>`
pub async fn refund_command(talk: &mut Talk<'_>, args: &str) -> Step {
    if args.is_empty() || args.contains(char::is_whitespace) {
        talk.show(screens::usage(talk.t, Command::Refund));
        return Ok(());
    }
    ask(talk, args).await
}

pub async fn ask_refund(talk: &mut Talk<'_>, id: PaymentId) -> Step {
    ask(talk, &id.to_string()).await
}

async fn ask(talk: &mut Talk<'_>, given: &str) -> Step {
    match payment::find_refundable(talk.work, given).await {
        Ok(order) => {
            let view = views::refund_preview(talk, &order).await?;
            talk.show(screens::refund_preview(talk.t, &view));
            Ok(())
        }
        Err(error) => show(talk, refused(error)?),
    }
}

pub async fn refund(talk: &mut Talk<'_>, id: PaymentId) -> Step {
    let result = match payment::request_refund(talk.work, id).await {
        Ok(order) => RefundResult::Started { payer: order.paid_by(), order_ref: order.order_ref },
        Err(error) => refused(error)?,
    };
    show(talk, result)
}

pub async fn refunded_by_hand(talk: &mut Talk<'_>, id: PaymentId) -> Step {
    let result = match payment::refunded_by_hand(talk.work, id).await {
        Ok(order) => RefundResult::Noted { payer: order.paid_by(), order_ref: order.order_ref },
        Err(error) => refused(error)?,
    };
    show(talk, result)
}

fn refused(error: PaymentError) -> Result<RefundResult, StepError> {
    match error {
        PaymentError::Unknown => Ok(RefundResult::NoSuchOrder),
        PaymentError::WrongState(status) => Ok(RefundResult::NotPaid { status }),
        PaymentError::NoCharge => Ok(RefundResult::NoMoney),
        PaymentError::RefundByHand(provider) => Ok(RefundResult::ByHand { provider }),
        error => Err(error.into()),
    }
}

fn show(talk: &mut Talk<'_>, result: RefundResult) -> Step {
    talk.show(screens::refund_result(talk.t, &result));
    Ok(())
}
