//! /ban and /unban: asks, and says what came of it.

use super::person;
use crate::handlers::bots::callback::Callback;
use crate::handlers::bots::screens::{Rows, Screen, button};
use crate::i18n::{Args, Html, Texts, args};
use crate::ids::UserId;

/// Whom it is about.
pub struct BanTarget {
    pub id: UserId,
    /// First and last name.
    pub name: String,
}

pub fn ban_question(t: &Texts, target: &BanTarget) -> Screen {
    let rows = Rows::default()
        .row([button(t.label("ban-button-yes"), Callback::BanNow(target.id))])
        .row([button(t.label("ban-button-no"), Callback::Whois(target.id))])
        .home(t);
    Screen::new(t.with("ban-question", who(t, target)), rows)
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BanResult {
    Banned,
    Unbanned,
    /// Banned before, or not banned at all.
    Unchanged,
    /// A member of the team: the role goes first.
    Protected,
}

pub fn ban_result(t: &Texts, target: &BanTarget, result: BanResult) -> Screen {
    let text = match result {
        BanResult::Banned => t.with("ban-done", who(t, target)),
        BanResult::Unbanned => t.with("unban-done", who(t, target)),
        BanResult::Unchanged => t.with("ban-unchanged", who(t, target)),
        BanResult::Protected => t.with("ban-protected", who(t, target)),
    };
    Screen::new(text, Rows::default().back(t, Callback::Whois(target.id)))
}

fn who(t: &Texts, target: &BanTarget) -> Args {
    args! { "who" => person(t, target.id, &target.name, None), "id" => Html::code(target.id) }
}
