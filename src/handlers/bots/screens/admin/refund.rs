//! /refund: shows what would be given back, asks, and says what came of it.

use super::person;
use crate::clock::Timestamp;
use crate::handlers::bots::callback::Callback;
use crate::handlers::bots::screens::parts::{self, PaymentView};
use crate::handlers::bots::screens::{Rows, Screen, button, paragraphs};
use crate::i18n::{Html, Texts, args};
use crate::ids::UserId;
use crate::models::payment::{PaymentStatus, ProviderId};

pub struct RefundPreview {
    pub payment: PaymentView,
    pub payer: UserId,
    /// First and last name.
    pub payer_name: String,
    pub paid_at: Timestamp,
    /// The provider's id of the money; needed where it is sent back by hand.
    pub charge: Option<String>,
    pub access: AccessAfter,
}

/// What a refund would do to the access of whoever ordered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AccessAfter {
    /// The money had given none.
    None,
    /// What it had given is over: there is nothing to take.
    Over,
    EndsAtOnce,
    /// Other purchases go on until then.
    Until(Timestamp),
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
    };
    let html = paragraphs([t.with("refund-question", args), by_hand(t, view), access(t, view.access)]);
    let price = args! { "price" => &payment.price };
    let yes = match payment.provider.gives_back() {
        true => button(t.label_with("refund-button-yes", price), Callback::RefundNow(payment.id)),
        false => button(t.label_with("refund-button-hand", price), Callback::RefundedByHand(payment.id)),
    };
    let no = button(t.label("refund-button-no"), Callback::Whois(view.payer));
    Screen::new(html, Rows::default().row([yes]).row([no]).home(t))
}

fn access(t: &Texts, after: AccessAfter) -> Html {
    match after {
        AccessAfter::None => Html::default(),
        AccessAfter::Over => t.text("refund-too-late"),
        AccessAfter::EndsAtOnce => t.text("refund-ends-now"),
        AccessAfter::Until(end) => t.with("refund-ends", args! { "date" => t.date(end) }),
    }
}

/// What to do first where the provider does not do it.
fn by_hand(t: &Texts, view: &RefundPreview) -> Html {
    if view.payment.provider.gives_back() {
        return Html::default();
    }
    let charge =
        view.charge.as_ref().map(|charge| t.with("refund-charge", args! { "charge" => Html::code(charge) }));
    let first = args! { "provider" => parts::provider_name(view.payment.provider) };
    paragraphs([charge.unwrap_or_default(), t.with("refund-hand-first", first)])
}

pub enum RefundResult {
    /// Taken back and on its way through the provider; the payer is told when it is done.
    Started {
        order_ref: String,
        payer: UserId,
    },
    /// Paid back by hand: what it bought is taken back, and the payer is told.
    Noted {
        order_ref: String,
        payer: UserId,
    },
    /// Only a completed payment can be refunded.
    NotPaid {
        status: PaymentStatus,
    },
    /// The order waits for a human, but no money is known to have come for it.
    NoMoney,
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
        RefundResult::Noted { order_ref, .. } => {
            t.with("refund-noted", args! { "reference" => Html::code(order_ref) })
        }
        RefundResult::NotPaid { status } => {
            t.with("refund-not-paid", args! { "status" => parts::payment_status(t, *status) })
        }
        RefundResult::NoMoney => t.text("refund-no-money"),
        RefundResult::NoSuchOrder => t.text("refund-no-order"),
        RefundResult::ByHand { provider } => {
            t.with("refund-by-hand", args! { "provider" => parts::provider_name(*provider) })
        }
    };
    let rows = match view {
        RefundResult::Started { payer, .. } | RefundResult::Noted { payer, .. } => {
            Rows::default().back(t, Callback::Whois(*payer))
        }
        _ => Rows::default().back(t, Callback::Users(0)),
    };
    Screen::new(text, rows)
}
