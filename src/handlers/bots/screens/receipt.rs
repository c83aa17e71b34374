//! Receipts: what became of a person's money, told once.

use super::{Rows, Screen, button, paragraphs, parts};
use crate::clock::Timestamp;
use crate::handlers::bots::callback::Callback;
use crate::i18n::{Args, Html, Texts, args};
use crate::money::Money;

pub struct Receipt {
    pub order_ref: String,
    /// Name of the plan in the person's language.
    pub plan: String,
    /// What was paid or returned.
    pub price: Money,
    pub kind: ReceiptKind,
}

pub enum ReceiptKind {
    /// `ends_at`: end of the access now.
    Paid { ends_at: Timestamp, config: Brought },
    /// The money came after the order had expired or was cancelled, and counts all the same.
    Late { ends_at: Timestamp, config: Brought },
    /// Given back, and the access taken off where it had given any.
    Refunded { had_access: bool },
    /// Money came that does not fit the order; a human decides.
    Review,
}

/// What a purchase means for the person's devices.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Brought {
    /// A config is on its way.
    First,
    /// The present ones go on.
    Same,
    /// There is none yet, and none is on its way.
    None,
}

pub fn receipt(t: &Texts, view: &Receipt) -> Screen {
    let vpn = || Rows::default().vpn_and_home(t);
    match view.kind {
        ReceiptKind::Paid { ends_at, config } => {
            let html = paragraphs([t.with("receipt-paid", bought(t, view, ends_at)), next(t, config)]);
            let add = button(t.label("vpn-button-add"), Callback::AddConfig);
            let rows = Rows::default().row((config == Brought::None).then_some(add));
            Screen::new(html, rows.vpn_and_home(t))
        }
        ReceiptKind::Late { ends_at, config } => {
            let args = bought(t, view, ends_at);
            Screen::new(paragraphs([t.with("receipt-late", args), next(t, config)]), vpn())
        }
        ReceiptKind::Refunded { had_access } => {
            let args = args! {
                "plan" => plan(t, view), "price" => &view.price, "reference" => reference(view),
            };
            let access = if had_access { t.text("receipt-refunded-access") } else { Html::default() };
            let html = paragraphs([t.with("receipt-refunded", args), access]);
            let plans = button(t.label("go-plans"), Callback::Plans);
            Screen::new(html, Rows::default().row([plans]).home(t))
        }
        ReceiptKind::Review => {
            let number = t.with("order-number", args! { "reference" => reference(view) });
            let help = button(t.label("order-button-paysupport"), Callback::PaySupport);
            let html = paragraphs([t.text("order-review"), number]);
            Screen::new(html, Rows::default().row([help]).home(t))
        }
    }
}

fn bought(t: &Texts, view: &Receipt, ends_at: Timestamp) -> Args {
    args! {
        "plan" => plan(t, view),
        "price" => &view.price,
        "date" => t.date(ends_at),
        "reference" => reference(view),
    }
}

fn next(t: &Texts, config: Brought) -> Html {
    match config {
        Brought::First => t.text("receipt-next"),
        Brought::Same => t.text("receipt-same"),
        Brought::None => t.text("receipt-add"),
    }
}

fn plan(t: &Texts, view: &Receipt) -> Html {
    parts::product_name(t, Some(&view.plan))
}

fn reference(view: &Receipt) -> Html {
    Html::code(&view.order_ref)
}
