//! /refund: shows what would be given back, asks, and says what came of it.

use super::person;
use crate::clock::Timestamp;
use crate::handlers::bots::callback::Callback;
use crate::handlers::bots::screens::parts::{self, PaymentView};
use crate::handlers::bots::screens::{Rows, Screen, button};
use crate::i18n::{Html, Texts, args};
use crate::ids::UserId;
use crate::models::payment::{PaymentStatus, ProviderId};

pub struct RefundPreview {
    pub payment: PaymentView,
    pub payer: UserId,
    /// First and last name.
    pub payer_name: String,
    pub paid_at: Timestamp,
    /// Where the access would end after the refund.
    pub ends_at: Timestamp,
}

pub fn refund_preview(t: &Texts, view: &RefundPreview) -> Screen {
    let payment = &view.payment;
    let args = args! {
        "who" => person(t, view.payer, &view.payer_name, None),
        "id" => Html::code(view.payer),
        "plan" => parts::product_name(t, Some(&payment.plan)),
        "price" => &payment.price,
        "provider" => parts::provider_name(payment.provider),
        "moment" => t.moment(view.paid_at),
        "reference" => Html::code(&payment.order_ref),
        "date" => t.date(view.ends_at),
    };
    let price = args! { "price" => &payment.price };
    let rows = Rows::default()
        .row([button(t.label_with("refund-button-yes", price), Callback::RefundNow(payment.id))])
        .row([button(t.label("refund-button-no"), Callback::Whois(view.payer))])
        .home(t);
    Screen::new(t.with("refund-question", args), rows)
}

pub enum RefundResult {
    /// Taken back and on its way through the provider; the payer is told when it is done.
    Started {
        order_ref: String,
        payer: UserId,
    },
    /// Only a completed payment can be refunded.
    NotPaid {
        status: PaymentStatus,
    },
    NoSuchOrder,
    /// The provider has no refunds; the money is returned by hand.
    ByHand {
        provider: ProviderId,
    },
}

pub fn refund_result(t: &Texts, view: &RefundResult) -> Screen {
    let text = match view {
        RefundResult::Started { order_ref, .. } => {
            t.with("refund-started", args! { "reference" => Html::code(order_ref) })
        }
        RefundResult::NotPaid { status } => {
            t.with("refund-not-paid", args! { "status" => parts::payment_status(t, *status) })
        }
        RefundResult::NoSuchOrder => t.text("refund-no-order"),
        RefundResult::ByHand { provider } => {
            t.with("refund-by-hand", args! { "provider" => parts::provider_name(*provider) })
        }
    };
    let rows = match view {
        RefundResult::Started { payer, .. } => Rows::default().back(t, Callback::Whois(*payer)),
        _ => Rows::default().back(t, Callback::Users(0)),
    };
    Screen::new(text, rows)
}
