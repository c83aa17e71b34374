//! One order in review: what was agreed on, what came, and what accepting it gives.

use super::person;
use crate::clock::Timestamp;
use crate::handlers::bots::callback::Callback;
use crate::handlers::bots::screens::parts::{self, PaymentView};
use crate::handlers::bots::screens::{Rows, Screen, button, lines, paragraphs};
use crate::i18n::html::shorten;
use crate::i18n::{Html, Texts, args};
use crate::ids::UserId;
use crate::models::payment::PaymentStatus;
use crate::money::Money;

/// Characters of a reason or a charge that are shown.
const FACT: usize = 200;

pub struct Review {
    /// With the price that was agreed on.
    pub payment: PaymentView,
    /// Who ordered, with first and last name.
    pub buyer: (UserId, String),
    /// Who paid, where that is somebody else.
    pub payer: Option<(UserId, String)>,
    /// None while nobody knows how much it was: then it can only be sent back.
    pub came: Option<Money>,
    /// The provider's id of the money.
    pub charge: Option<String>,
    /// Why it is in review.
    pub reason: String,
    pub days: u32,
    /// MiB; None = unlimited.
    pub traffic_mb: Option<u64>,
    pub device_limit: u32,
    /// Where the access would end, with what the buyer has already.
    pub ends_at: Timestamp,
}

pub fn review(t: &Texts, view: &Review) -> Screen {
    let payment = &view.payment;
    let args = args! {
        "number" => payment.id.0,
        "plan" => parts::product_name(t, Some(&payment.plan)),
        "who" => named(t, &view.buyer),
        "id" => Html::code(view.buyer.0),
        "moment" => t.moment(payment.created_at),
        "reference" => Html::code(&payment.order_ref),
    };
    let html = paragraphs([t.with("review-order", args), money(t, view), gives(t, view)]);
    let accept = view.came.as_ref().map(|came| {
        let label = t.label_with("review-button-accept", args! { "money" => came });
        button(label, Callback::AcceptReview(payment.id))
    });
    let refund = button(t.label("review-button-refund"), Callback::Refund(payment.id));
    let person = button(t.label("alert-button-person"), Callback::Whois(view.buyer.0));
    let rows = Rows::default().row(accept).row([refund]).row([person]);
    Screen::new(html, rows.back(t, Callback::Reviews))
}

/// What was agreed on beside what came.
fn money(t: &Texts, view: &Review) -> Html {
    let provider = || parts::provider_name(view.payment.provider);
    let agreed = args! { "price" => &view.payment.price, "provider" => provider() };
    let came = match &view.came {
        Some(came) => t.with("review-came", args! { "money" => came }),
        None => t.with("review-came-unknown", args! { "provider" => provider() }),
    };
    let payer = view
        .payer
        .as_ref()
        .map(|payer| t.with("review-payer", args! { "who" => named(t, payer), "id" => Html::code(payer.0) }));
    let charge = view
        .charge
        .as_deref()
        .map(|charge| t.with("refund-charge", args! { "charge" => Html::code(shorten(charge, FACT)) }));
    let reason = Html::code(shorten(&view.reason, FACT));
    lines([
        t.with("review-agreed", agreed),
        came,
        payer.unwrap_or_default(),
        charge.unwrap_or_default(),
        t.with("review-reason", args! { "reason" => reason }),
    ])
}

fn gives(t: &Texts, view: &Review) -> Html {
    if view.came.is_none() {
        return Html::default();
    }
    let args = args! {
        "days" => t.days(view.days),
        "traffic" => t.traffic(view.traffic_mb),
        "devices" => parts::devices(t, view.device_limit),
        "date" => t.date(view.ends_at),
    };
    t.with("review-gives", args)
}

fn named(t: &Texts, (id, name): &(UserId, String)) -> Html {
    person(t, *id, name, None)
}

pub enum ReviewResult {
    /// It counts: the buyer has what they ordered, and the receipt.
    Accepted {
        order_ref: String,
        user: UserId,
    },
    /// Somebody decided before.
    Over {
        status: PaymentStatus,
    },
    /// Nobody knows how much came.
    NothingCame,
    NoSuchOrder,
}

pub fn review_result(t: &Texts, view: &ReviewResult) -> Screen {
    let text = match view {
        ReviewResult::Accepted { order_ref, .. } => {
            t.with("review-accepted", args! { "reference" => Html::code(order_ref) })
        }
        ReviewResult::Over { status } => {
            t.with("review-over", args! { "status" => parts::payment_status(t, *status) })
        }
        ReviewResult::NothingCame => t.text("review-nothing-came"),
        ReviewResult::NoSuchOrder => t.text("refund-no-order"),
    };
    let person = match view {
        ReviewResult::Accepted { user, .. } => {
            Some(button(t.label("alert-button-person"), Callback::Whois(*user)))
        }
        _ => None,
    };
    Screen::new(text, Rows::default().row(person).back(t, Callback::Reviews))
}
