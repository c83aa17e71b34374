//! /start of the support and the admin bot: who they are, and where the work is done today.

use super::{Rows, Screen, link};
use crate::i18n::{Html, Texts};

/// `client_bot` is the username of the client bot, without `@`.
pub fn about_support(t: &Texts, client_bot: Option<&str>) -> Screen {
    about(t, t.text("about-support"), client_bot)
}

/// `client_bot` is the username of the client bot, without `@`.
pub fn about_admin(t: &Texts, client_bot: Option<&str>) -> Screen {
    about(t, t.text("about-admin"), client_bot)
}

fn about(t: &Texts, who: Html, client_bot: Option<&str>) -> Screen {
    let there = client_bot.map(|name| link(t.label("about-button-client"), format!("https://t.me/{name}")));
    Screen::new(who, Rows::default().row(there))
}
