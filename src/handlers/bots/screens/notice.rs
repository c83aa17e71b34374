//! Short notices: what the bot says when there is nothing else to show.

use super::help::support_button;
use super::{Rows, Screen};
use crate::i18n::{Html, Texts, args};

pub enum Notice {
    /// /cancel left a question.
    Cancelled,
    /// /cancel found none.
    NothingToCancel,
    /// The button's data is unknown or no longer true.
    StaleButton,
    /// Too many messages in a short time.
    SlowDown,
    Banned,
    NotAllowed,
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

/// The notice as a message, with the way to the menu and, where it helps, to support.
pub fn notice(t: &Texts, notice: &Notice, support_bot: Option<&str>) -> Screen {
    let needs_support = matches!(notice, Notice::Banned | Notice::Error { .. });
    let support = support_button(t, support_bot.filter(|_| needs_support));
    let rows = Rows::default().row(support);
    // A banned person has no menu to go back to.
    let rows = if matches!(notice, Notice::Banned) { rows } else { rows.home(t) };
    Screen::new(notice_text(t, notice), rows)
}

/// The notice as the alert over a pressed button; at most 200 characters.
pub fn notice_alert(t: &Texts, notice: &Notice) -> String {
    crate::i18n::html::shorten(&notice_text(t, notice).to_plain(), 200)
}

/// The words alone, to stand before another screen.
pub fn notice_text(t: &Texts, notice: &Notice) -> Html {
    match notice {
        Notice::Cancelled => t.text("notice-cancelled"),
        Notice::NothingToCancel => t.text("notice-nothing-to-cancel"),
        Notice::StaleButton => t.text("notice-stale"),
        Notice::SlowDown => t.text("notice-slow-down"),
        Notice::Banned => t.text("notice-banned"),
        Notice::NotAllowed => t.text("notice-not-allowed"),
        Notice::NotFound => t.text("notice-not-found"),
        Notice::UnknownCommand => t.text("notice-unknown-command"),
        Notice::NotUnderstood => t.text("notice-not-understood"),
        Notice::InGroup => t.text("notice-in-group"),
        Notice::Error { reference } => t.with("notice-error", args! { "reference" => Html::code(reference) }),
    }
}
