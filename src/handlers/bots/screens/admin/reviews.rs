//! /reviews: payments that went another way than agreed, and money without an order.

use crate::handlers::bots::callback::Callback;
use crate::handlers::bots::screens::parts::{self, PaymentView, charge_amount};
use crate::handlers::bots::screens::{Rows, Screen, button, lines, paragraphs};
use crate::i18n::html::shorten;
use crate::i18n::{Html, Texts, args};
use crate::models::payment::UnmatchedCharge;

/// Characters of a reason that are shown.
const REASON: usize = 200;

/// What waits, the oldest first.
pub struct Reviews {
    /// Orders, each with the reason why it is in review.
    pub orders: Vec<(PaymentView, String)>,
    pub charges: Vec<UnmatchedCharge>,
}

pub fn reviews(t: &Texts, view: &Reviews) -> Screen {
    let orders = view.orders.iter().map(|(payment, why)| lines([order(t, payment), reason(why)]));
    let charges = view.charges.iter().map(|charge| lines([line(t, charge), reason(&charge.reason)]));
    let list: Vec<Html> = orders.chain(charges).collect();
    let list = if list.is_empty() { t.text("reviews-none") } else { paragraphs(list) };
    let decide = |(payment, _): &(PaymentView, String)| {
        let args = args! { "number" => payment.id.0, "money" => &payment.price };
        button(t.label_with("reviews-button-order", args), Callback::Review(payment.id))
    };
    let look = |charge: &UnmatchedCharge| {
        let args = args! { "number" => charge.id.0, "money" => charge_amount(charge) };
        button(t.label_with("reviews-button-charge", args), Callback::Charge(charge.id))
    };
    let rows = Rows::default().column(view.orders.iter().map(decide)).column(view.charges.iter().map(look));
    Screen::new(paragraphs([t.text("reviews-title"), list]), rows.back(t, Callback::Stats))
}

fn order(t: &Texts, payment: &PaymentView) -> Html {
    let args = args! {
        "number" => payment.id.0,
        "plan" => parts::product_name(t, Some(&payment.plan)),
        "money" => &payment.price,
        "moment" => t.moment(payment.created_at),
    };
    t.with("reviews-order", args)
}

/// All that is known of it, and what can be done.
pub fn charge(t: &Texts, view: &UnmatchedCharge) -> Screen {
    let unknown = || Html::from("–");
    let facts = args! {
        "payer" => view.payer.map_or_else(unknown, Html::code),
        "order" => view.payment_id.map_or_else(unknown, Html::code),
        "charge" => Html::code(shorten(&view.charge_id, REASON)),
    };
    let facts = lines([line(t, view), t.with("charge-facts", facts), reason(&view.reason)]);
    let how = t.with("charge-how", args! { "command" => Html::code(format!("/reviews {} …", view.id)) });
    let send_back = view.can_go_back().then(|| {
        let money = args! { "price" => charge_amount(view) };
        button(t.label_with("refund-button-yes", money), Callback::SendBack(view.id))
    });
    let payer = view.payer.map(|payer| button(t.label("alert-button-person"), Callback::Whois(payer)));
    let rows = Rows::default().row(send_back).row(payer).back(t, Callback::Reviews);
    Screen::new(paragraphs([facts, how]), rows)
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChargeResult {
    /// On its way back through the provider.
    SentBack,
    Closed,
    /// There is none, or it was settled before.
    Gone,
}

pub fn charge_result(t: &Texts, result: ChargeResult) -> Screen {
    let text = match result {
        ChargeResult::SentBack => t.text("charge-sent-back"),
        ChargeResult::Closed => t.text("charge-closed"),
        ChargeResult::Gone => t.text("charge-gone"),
    };
    Screen::new(text, Rows::default().back(t, Callback::Reviews))
}

fn line(t: &Texts, charge: &UnmatchedCharge) -> Html {
    let args = args! {
        "number" => charge.id.0,
        "money" => charge_amount(charge),
        "provider" => parts::provider_name(charge.provider),
        "moment" => t.moment(charge.created_at),
    };
    t.with("charge-line", args)
}

fn reason(text: &str) -> Html {
    Html::code(shorten(text, REASON))
}
