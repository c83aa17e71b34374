//! /users: everybody, the newest first.

use super::{person, user_status};
use crate::clock::Timestamp;
use crate::handlers::bots::callback::Callback;
use crate::handlers::bots::screens::{Rows, Screen, button, lines, page_number, paragraphs};
use crate::i18n::{Html, Texts, args};
use crate::ids::UserId;
use crate::models::outgoing::Button;
use crate::models::user::UserStatus;

pub struct Users {
    pub users: Vec<UserLine>,
    /// Everybody there is.
    pub total: u64,
    /// Counts from 0.
    pub page: u32,
    pub more: bool,
    pub now: Timestamp,
}

pub struct UserLine {
    pub id: UserId,
    /// First and last name.
    pub name: String,
    /// Without `@`.
    pub username: Option<String>,
    pub status: UserStatus,
    pub last_seen_at: Timestamp,
}

pub fn users(t: &Texts, view: &Users) -> Screen {
    let title = t.with("users-title", args! { "total" => view.total });
    let list = match view.users.is_empty() {
        true => t.text("none"),
        false => lines(view.users.iter().map(|user| line(t, user, view.now))),
    };
    let buttons: Vec<Button> = view.users.iter().map(user_button).collect();
    let rows = buttons.chunks(2).fold(Rows::default(), |rows, pair| rows.row(pair.to_vec()));
    let rows = rows.pages(t, view.page, view.more, Callback::Users).home(t);
    Screen::new(paragraphs([title, list, page_number(t, view.page, view.more)]), rows)
}

fn line(t: &Texts, user: &UserLine, now: Timestamp) -> Html {
    let args = args! {
        "who" => person(t, user.id, &user.name, user.username.as_deref()),
        "id" => Html::code(user.id),
        "ago" => t.ago(user.last_seen_at, now),
        "status" => user_status(t, user.status),
    };
    match user.status {
        UserStatus::Active => t.with("users-line", args),
        UserStatus::Banned | UserStatus::Blocked => t.with("users-line-status", args),
    }
}

fn user_button(user: &UserLine) -> Button {
    let name = Html::name(&user.name).unwrap_or_else(|| Html::from(user.id));
    button(name.to_plain(), Callback::Whois(user.id))
}
