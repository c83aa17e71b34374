//! Money as Telegram tells of it: the last question before a payment, payments, refunds, and Stars subscriptions.
//! Nothing here is ever left out for a ban or for haste.

use rust_decimal::Decimal;

use super::meet;
use super::screens;
use crate::clock::Timestamp;
use crate::i18n::Texts;
use crate::ids::UserId;
use crate::integrations::payments::stars::order_of_payload;
use crate::integrations::telegram::update::{
    Message, Payment, PreCheckoutQuery, SubscriptionChange, SubscriptionState,
};
use crate::models::bot::Bot;
use crate::models::outgoing::{Body, Class, Outgoing};
use crate::models::payment::Charge;
use crate::money::{Currency, MAX_AMOUNT, Money};
use crate::queue::Failure;
use crate::services::payment::{self, CheckoutRefusal, StarsPayment};
use crate::work::Work;

/// Longest id of a charge that is kept; four thousand bytes have been seen.
const MAX_CHARGE_ID: usize = 16 << 10;

/// May this person pay now? Telegram waits ten seconds for the answer.
pub(super) async fn asked(work: &mut Work, bot: Bot, query: &PreCheckoutQuery) -> Result<(), Failure> {
    let user = meet(work, Some(&query.from)).await?;
    let language = user.map_or(work.config().default_language, |user| user.language);
    let order_ref = order_of_payload(&query.invoice_payload);
    let verdict = match query.currency.parse::<Currency>() {
        Ok(currency) => {
            let price = Money::new(Decimal::from(query.total_amount), currency);
            payment::check_checkout(work, query.from.id, &price, order_ref).await?
        }
        Err(_) => Err(CheckoutRefusal::Mismatch),
    };
    let error = verdict.err().map(|why| screens::refusal(Texts::of(language), why));
    let body = Body::PreCheckout { query_id: query.id.clone(), error };
    work.send(Outgoing::new(bot, query.from.id, Class::Urgent, body));
    Ok(())
}

/// Money came. The same charge told twice is credited once.
pub(super) async fn paid(work: &mut Work, message: &Message, paid: &Payment) -> Result<(), Failure> {
    let payer = meet(work, message.from.as_ref()).await?.map(|user| user.id);
    // In a private chat the chat is the payer, whoever the message names.
    let payer = payer.or_else(|| message.chat.is_private().then_some(UserId(message.chat.id.0)));
    let payer = payer.ok_or_else(|| Failure::give_up("a payment that names no payer"))?;
    let until = paid.subscription_expiration_date.map(Timestamp::from_unix);
    let paid = StarsPayment {
        payer,
        order_ref: order_of_payload(&paid.invoice_payload).map(str::to_owned),
        charge: charge_of(paid)?,
        subscribed_until: until,
    };
    payment::stars_paid(work, &paid).await?;
    Ok(())
}

/// Money went back; what it had bought is taken back with it.
pub(super) async fn refunded(work: &mut Work, message: &Message, refund: &Payment) -> Result<(), Failure> {
    let payer = meet(work, message.from.as_ref()).await?.map(|user| user.id);
    payment::stars_refunded(work, payer, &charge_of(refund)?).await?;
    Ok(())
}

fn charge_of(payment: &Payment) -> Result<Charge, Failure> {
    let currency =
        payment.currency.parse().map_err(|error| Failure::give_up(format!("a payment: {error}")))?;
    let id = payment.telegram_payment_charge_id.clone();
    if id.len() > MAX_CHARGE_ID {
        return Err(Failure::give_up(format!("a payment whose id has {} bytes", id.len())));
    }
    let amount = Some(Decimal::from(payment.total_amount)).filter(|amount| *amount <= MAX_AMOUNT);
    Ok(Charge { id, amount, currency })
}

/// A Stars subscription was ended, taken up again, or could not be charged. Access follows money alone.
pub(super) async fn subscription_changed(
    work: &mut Work,
    change: &SubscriptionChange,
) -> Result<(), Failure> {
    meet(work, Some(&change.user)).await?;
    let (renews, state) = match &change.state {
        SubscriptionState::Active => (true, "active"),
        SubscriptionState::Canceled => (false, "canceled"),
        SubscriptionState::Failed => (false, "failed"),
        SubscriptionState::Other(_) => return Ok(()),
    };
    let order_ref = order_of_payload(&change.invoice_payload);
    payment::stars_subscription_changed(work, change.user.id, order_ref, renews, state).await?;
    Ok(())
}
