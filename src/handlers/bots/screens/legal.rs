//! /terms, /privacy and /paysupport (the last one is asked for by Telegram of every bot that takes Stars).

use super::help::{support_button, support_line};
use super::parts::{self, PaymentView};
use super::{Rows, Screen, button, lines, link, paragraphs};
use crate::config::Contact;
use crate::handlers::bots::callback::Callback;
use crate::i18n::{Html, Texts, args};
use crate::ids::UserId;

/// The operator's own terms, which are at `url`, or plain ones that fit most.
pub fn terms(t: &Texts, url: Option<&str>) -> Screen {
    let text = match url {
        Some(_) => t.text("terms-elsewhere"),
        None => t.text("terms"),
    };
    let own = url.map(|url| link(t.label("help-button-terms"), url));
    let privacy = button(t.label("help-button-privacy"), Callback::Privacy);
    Screen::new(text, Rows::default().row(own).row([privacy]).back(t, Callback::Help))
}

pub fn privacy(t: &Texts) -> Screen {
    let terms = button(t.label("help-button-terms"), Callback::Terms);
    Screen::new(t.text("privacy"), Rows::default().row([terms]).back(t, Callback::Help))
}

pub struct PaySupport {
    /// What the person quotes to support.
    pub id: UserId,
    /// The newest first; three are shown with their order numbers.
    pub payments: Vec<PaymentView>,
    /// Where a human helps.
    pub support: Option<Contact>,
}

pub fn pay_support(t: &Texts, view: &PaySupport) -> Screen {
    let orders = view
        .payments
        .iter()
        .take(3)
        .map(|payment| lines([parts::payment(t, payment), Html::code(&payment.order_ref)]));
    let orders: Vec<Html> = orders.collect();
    let orders = match orders.is_empty() {
        true => Html::default(),
        false => lines(std::iter::once(t.text("profile-payments")).chain(orders)),
    };
    let html = paragraphs([
        t.text("paysupport"),
        support_line(t, view.support.as_ref()),
        t.with("paysupport-id", args! { "id" => Html::code(view.id) }),
        orders,
    ]);
    let rows = Rows::default().row(support_button(t, view.support.as_ref())).back(t, Callback::Help);
    Screen::new(html, rows)
}
