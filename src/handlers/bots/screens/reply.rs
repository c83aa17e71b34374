//! Short replies: what the bot says when there is nothing else to show.

use super::help::{support_button, support_line};
use super::{Rows, Screen, paragraphs};
use crate::config::Contact;
use crate::i18n::html::shorten;
use crate::i18n::{Html, Texts, args};

pub enum Reply {
    /// /cancel left the question that was open.
    Cancelled,
    /// /cancel found none.
    NothingToCancel,
    /// The button's data is unknown or no longer true.
    StaleButton,
    /// Too many messages in a short time.
    SlowDown,
    Banned,
    NotAllowed,
    /// The plan is no longer sold, or not in that way.
    NotSold,
    /// So many orders were opened within an hour and not paid that there is no other for now.
    TooManyOrders {
        most: u64,
    },
    /// What was asked for does not exist, or belongs to somebody else: both look the same.
    NotFound,
    UnknownCommand,
    NotUnderstood,
    /// The bot was called in a group.
    InGroup,
    /// Something failed; `reference` finds it in the log and says nothing else.
    Error {
        reference: String,
    },
}

/// The reply as a message, with the way to the menu and, where it helps, to support.
pub fn reply(t: &Texts, reply: &Reply, support: Option<&Contact>) -> Screen {
    let needs_support = matches!(reply, Reply::Banned | Reply::Error { .. });
    let support = support.filter(|_| needs_support);
    let rows = Rows::default().row(support_button(t, support));
    // A banned person has no menu to go back to.
    let rows = if matches!(reply, Reply::Banned) { rows } else { rows.home(t) };
    Screen::new(paragraphs([reply_text(t, reply), support_line(t, support)]), rows)
}

/// The reply as the alert over a pressed button; at most 200 characters.
pub fn reply_alert(t: &Texts, reply: &Reply) -> String {
    shorten(&reply_text(t, reply).to_plain(), 200)
}

/// The words alone, to stand before another screen.
pub fn reply_text(t: &Texts, reply: &Reply) -> Html {
    match reply {
        Reply::Cancelled => t.text("reply-cancelled"),
        Reply::NothingToCancel => t.text("reply-nothing-to-cancel"),
        Reply::StaleButton => t.text("reply-stale"),
        Reply::SlowDown => t.text("reply-slow-down"),
        Reply::Banned => t.text("reply-banned"),
        Reply::NotAllowed => t.text("reply-not-allowed"),
        Reply::NotSold => t.text("reply-not-sold"),
        Reply::TooManyOrders { most } => t.with("reply-too-many-orders", args! { "most" => *most }),
        Reply::NotFound => t.text("reply-not-found"),
        Reply::UnknownCommand => t.text("reply-unknown-command"),
        Reply::NotUnderstood => t.text("reply-not-understood"),
        Reply::InGroup => t.text("reply-in-group"),
        Reply::Error { reference } => t.with("reply-error", args! { "reference" => Html::code(reference) }),
    }
}
