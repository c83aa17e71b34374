//! Receipts: what became of a person's money, told once.

use super::{Rows, Screen, button, paragraphs, parts};
use crate::clock::Timestamp;
use crate::handlers::bots::callback::Callback;
use crate::i18n::{Html, Texts, args};
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
    Paid {
        ends_at: Timestamp,
        now: Timestamp,
        config: Brought,
        came: Came,
    },
    Refunded {
        access: Taken,
    },
}

/// How money that counts has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Came {
    InTime,
    /// After the order had expired.
    Late,
    /// Otherwise than agreed: a human looked at it and let it count.
    Reviewed,
}

/// What a refund took from its reader.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Taken {
    /// It had given no access, or none that was left.
    Nothing,
    /// The access has ended.
    All,
    /// Only what the money had bought; the access goes on until then.
    Until(Timestamp),
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
    let (plan, reference) = (parts::product_name(t, Some(&view.plan)), Html::code(&view.order_ref));
    match view.kind {
        ReceiptKind::Paid { ends_at, now, config, came } => {
            let args = args! {
                "plan" => plan,
                "price" => &view.price,
                "span" => t.span(ends_at.since(now)),
                "date" => t.date(ends_at),
                "reference" => reference,
            };
            let thanks = match came {
                Came::InTime => t.text("order-paid"),
                Came::Late => t.text("receipt-late"),
                Came::Reviewed => t.text("receipt-accepted"),
            };
            let html = paragraphs([thanks, t.with("receipt-paid", args), next(t, config)]);
            let add = button(t.label("vpn-button-add"), Callback::AddConfig);
            let rows = Rows::default().row((config == Brought::None).then_some(add));
            Screen::new(html, rows.vpn_and_home(t))
        }
        ReceiptKind::Refunded { access } => {
            let args = args! { "plan" => plan, "price" => &view.price, "reference" => reference };
            let html = paragraphs([t.with("receipt-refunded", args), taken(t, access)]);
            let plans = button(t.label("go-plans"), Callback::Plans);
            Screen::new(html, Rows::default().row([plans]).home(t))
        }
    }
}

fn taken(t: &Texts, access: Taken) -> Html {
    match access {
        Taken::Nothing => Html::default(),
        Taken::All => t.text("receipt-refunded-access"),
        Taken::Until(end) => t.with("receipt-refunded-until", args! { "date" => t.date(end) }),
    }
}

fn next(t: &Texts, config: Brought) -> Html {
    match config {
        Brought::First => t.text("receipt-next"),
        Brought::Same => t.text("receipt-same"),
        Brought::None => t.text("receipt-add"),
    }
}
