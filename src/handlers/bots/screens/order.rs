//! One order, from the tap on "pay" to its end; the message is edited as the order proceeds.

use super::plans::pay_label;
use super::{Rows, Screen, button, lines, link, paragraphs, parts};
use crate::clock::Timestamp;
use crate::handlers::bots::callback::Callback;
use crate::i18n::{Html, Texts, args};
use crate::ids::{PaymentId, PlanId};
use crate::models::payment::ProviderId;
use crate::money::Money;
use crate::services::payment::CheckoutRefusal;

pub struct Order {
    pub id: PaymentId,
    pub order_ref: String,
    pub plan_id: PlanId,
    /// Name of the plan in the person's language.
    pub plan: String,
    pub price: Money,
    pub provider: ProviderId,
    pub state: OrderState,
    pub now: Timestamp,
}

pub enum OrderState {
    /// The provider is being asked for an invoice.
    Preparing,
    /// Waits for money. `url`: where to pay; None for Stars, whose invoice is a message of its own.
    Waiting {
        url: Option<String>,
        expires_at: Timestamp,
    },
    /// `ends_at`: end of the access that was bought.
    Paid {
        ends_at: Timestamp,
    },
    Expired,
    Cancelled,
    /// No invoice could be made.
    Failed,
    /// Money came, but not as agreed.
    Review,
    Refunded,
}

pub fn order(t: &Texts, view: &Order) -> Screen {
    let plan = parts::product_name(t, Some(&view.plan));
    let number = t.with("order-number", args! { "reference" => Html::code(&view.order_ref) });
    let head = lines([t.with("order-title", args! { "plan" => plan, "price" => &view.price }), number]);
    Screen::new(paragraphs([head, state(t, view)]), buttons(t, view))
}

fn state(t: &Texts, view: &Order) -> Html {
    match &view.state {
        OrderState::Preparing => t.text("order-preparing"),
        OrderState::Waiting { url, expires_at } => {
            let how = match url {
                Some(_) => t.text("order-pay-link"),
                None => t.text("order-pay-invoice"),
            };
            let span = t.span(expires_at.since(view.now));
            paragraphs([how, t.with("order-valid-until", args! { "span" => span })])
        }
        OrderState::Paid { ends_at } => {
            let until = t.with("order-paid-until", args! { "date" => t.date(*ends_at) });
            lines([t.text("order-paid"), until])
        }
        OrderState::Expired => t.text("order-expired"),
        OrderState::Cancelled => t.text("order-cancelled"),
        OrderState::Failed => t.text("order-failed"),
        OrderState::Review => t.text("order-review"),
        OrderState::Refunded => t.text("order-refunded"),
    }
}

fn buttons(t: &Texts, view: &Order) -> Rows {
    let cancel = || button(t.label("order-button-cancel"), Callback::CancelOrder(view.id));
    let refresh = |label: String| button(label, Callback::Order(view.id));
    let again = || button(t.label("order-button-again"), Callback::Plan(view.plan_id));
    let help = || button(t.label("order-button-paysupport"), Callback::PaySupport);
    let rows = Rows::default();
    match &view.state {
        OrderState::Preparing => rows.row([refresh(t.label("order-button-refresh"))]).row([cancel()]).home(t),
        OrderState::Waiting { url, .. } => {
            let pay = url.as_ref().map(|url| link(pay_label(t, view.provider, &view.price), url));
            rows.row(pay).row([refresh(t.label("order-button-check"))]).row([cancel()]).home(t)
        }
        OrderState::Paid { .. } => rows.vpn_and_home(t),
        OrderState::Expired | OrderState::Failed => {
            rows.row([again()]).row([help()]).back(t, Callback::Plans)
        }
        OrderState::Cancelled => rows.row([again()]).back(t, Callback::Plans),
        OrderState::Review | OrderState::Refunded => rows.row([help()]).home(t),
    }
}

/// What is being done about an order that was asked for again and looks as before.
pub fn order_note(t: &Texts, view: &Order) -> Option<String> {
    match view.state {
        OrderState::Waiting { .. } => Some(t.label("order-checking")),
        OrderState::Preparing => Some(t.label("order-preparing")),
        _ => None,
    }
}

/// Why a payment is refused at Telegram's last question before it takes the money (pre_checkout_query): the sentence
/// that Telegram shows to the payer; no tags.
pub fn refusal(t: &Texts, why: CheckoutRefusal) -> String {
    match why {
        CheckoutRefusal::Unknown => t.label("refuse-unknown"),
        CheckoutRefusal::Foreign => t.label("refuse-foreign"),
        CheckoutRefusal::Paid => t.label("refuse-paid"),
        CheckoutRefusal::Review => t.label("refuse-review"),
        CheckoutRefusal::Expired => t.label("refuse-expired"),
        CheckoutRefusal::Cancelled => t.label("refuse-cancelled"),
        CheckoutRefusal::Mismatch => t.label("refuse-mismatch"),
    }
}
