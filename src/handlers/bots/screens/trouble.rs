//! "Not connecting?": what helps in most cases, then another way of connecting, then a human.

use super::help::support_button;
use super::{Rows, Screen, button, paragraphs};
use crate::config::Contact;
use crate::handlers::bots::callback::Callback;
use crate::i18n::{Html, Texts, args};
use crate::ids::{ConfigId, UserId};

pub struct Trouble {
    /// The config in question; the way back leads to it.
    pub config: Option<ConfigId>,
    /// Outline can be had, and is not what fails to connect.
    pub try_outline: bool,
    /// What the person quotes to support.
    pub id: UserId,
    /// Where a human helps.
    pub support: Option<Contact>,
}

pub fn trouble(t: &Texts, view: &Trouble) -> Screen {
    let outline = if view.try_outline { t.text("trouble-outline") } else { Html::default() };
    let human = match &view.support {
        Some(_) => t.with("trouble-support", args! { "id" => Html::code(view.id) }),
        None => Html::default(),
    };
    let html = paragraphs([t.text("trouble-title"), t.text("trouble-steps"), outline, human]);
    let add = view.try_outline.then(|| button(t.label("vpn-button-add"), Callback::AddConfig));
    let rows = Rows::default()
        .row(add)
        .row(support_button(t, view.support.as_ref()))
        .row([button(t.label("home-button-status"), Callback::Status)])
        .back(t, view.config.map_or(Callback::Help, Callback::Config));
    Screen::new(html, rows)
}
