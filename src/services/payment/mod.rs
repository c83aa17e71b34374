//! Orders and money: one state machine for all providers. An order is compared with what its provider says before
//! anything is given; money that fits no order is kept for a human and never lost.
//!
//! `order` makes and closes orders, `stars` is what Telegram tells of Stars, `settle` credits money,
//! `review` lets money count that came otherwise than agreed, `refund` sends it back, `unmatched` keeps what fits no
//! order.

mod order;
mod refund;
mod review;
mod settle;
mod stars;
mod unmatched;

use crate::config::Config;
use crate::crud;
use crate::ids::{PaymentId, UserId};
use crate::integrations::payments::OrderHandle;
use crate::models::bot::Bot;
use crate::models::notice::Notice;
use crate::models::outgoing::{Body, Class, Outgoing};
use crate::models::payment::{Payment, PaymentStatus, ProviderId};
use crate::money::Currency;
use crate::work::Work;

pub use order::{
    MOST_UNPAID, cancel_order, close_overdue, create_order, due_for_look, invoice_failed, invoice_made,
    is_invoicing_stuck, left, look_again, not_answered, not_observed, open_order_of, recent,
    send_stars_invoice, title_of,
};
pub use refund::{find_refundable, refunded, refunded_by_hand, request_refund};
pub use review::{accept_review, charge_of, find_in_review};
pub use settle::{Credit, callback_received, observed};
pub use stars::{
    CheckoutRefusal, StarsPayment, check_checkout, stars_book_read, stars_paid, stars_refunded,
    stars_subscription_changed,
};
pub use unmatched::{charge_sent_back, close_charge, find_charge, reviews, send_charge_back};

#[derive(Debug, thiserror::Error)]
pub enum PaymentError {
    #[error("this plan is not sold any more")]
    NotSold,
    #[error("this plan has no price in {0}")]
    NoPrice(Currency),
    #[error("{0} is not switched on")]
    ProviderOff(ProviderId),
    #[error("{MOST_UNPAID} orders were made within an hour and not paid")]
    TooMany,
    #[error("there is no such order")]
    Unknown,
    #[error("an order that is {0} cannot be changed so")]
    WrongState(PaymentStatus),
    #[error("it is not known how much came for the order")]
    NothingCame,
    #[error("the provider gave no id of the money, so it cannot be sent back")]
    NoCharge,
    #[error("{0} gives no money back through its API: it is sent by hand")]
    RefundByHand(ProviderId),
    #[error("{0} gives money back through its API, and not by hand")]
    RefundThroughApi(ProviderId),
    #[error(transparent)]
    Access(#[from] super::access::AccessError),
    // Not transparent: what decides on another try looks for the database's error in the chain of sources.
    #[error("the database failed: {0}")]
    Database(#[from] sqlx::Error),
}

/// The currency a provider is paid in.
pub fn currency_of(provider: ProviderId) -> Currency {
    match provider {
        ProviderId::Stars => Currency::stars(),
        ProviderId::Qvapay => Currency::usd(),
    }
}

/// Providers that are switched on.
pub fn providers(work: &Work) -> Vec<ProviderId> {
    providers_of(&work.config())
}

/// As [`providers`], outside a unit of work.
pub fn providers_of(config: &Config) -> Vec<ProviderId> {
    let stars = config.payments.stars.then_some(ProviderId::Stars);
    let qvapay = config.payments.qvapay.as_ref().map(|_| ProviderId::Qvapay);
    [stars, qvapay].into_iter().flatten().collect()
}

/// The provider's view of an order.
pub fn handle_of(order: &Payment) -> OrderHandle {
    OrderHandle {
        order_ref: order.order_ref.clone(),
        invoice_id: order.invoice_id.clone(),
        charge_id: order.charge_id.clone(),
    }
}

/// An order of this person; somebody else's is as unknown as one that never was.
pub async fn own_order(work: &mut Work, user_id: UserId, id: PaymentId) -> Result<Payment, PaymentError> {
    let order = crud::payment::lock(work.conn(), id).await?;
    order.filter(|order| order.user_id == user_id).ok_or(PaymentError::Unknown)
}

/// Brings the message that shows an order up to date, where there is one.
fn show_order(work: &mut Work, order: &Payment) {
    if order.message_id.is_some() {
        tell_order(work, order);
    }
}

/// As [`show_order`], for what the person has to know wherever they have gone since.
fn tell_order(work: &mut Work, order: &Payment) {
    let shown_in = order.chat_id.zip(order.message_id);
    let chat = shown_in.map_or(order.user_id.into(), |(chat, _)| chat);
    let notice = Notice::Order { payment_id: order.id };
    let body = Body::Notice { notice, replace: shown_in.map(|(_, message)| message) };
    work.send(Outgoing::new(Bot::Client, chat, Class::Interactive, body));
}
