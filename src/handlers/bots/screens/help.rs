//! /help: how it works, and the commands that the person may use.

use super::{Rows, Screen, button, lines, link, paragraphs};
use crate::handlers::bots::callback::Callback;
use crate::handlers::bots::commands::{Command, commands_for};
use crate::i18n::{Html, Texts, args};
use crate::models::outgoing::Button;
use crate::models::role::Role;

pub struct Help {
    pub roles: Vec<Role>,
    /// Username of the support bot, without `@`.
    pub support_bot: Option<String>,
}

pub fn help(t: &Texts, view: &Help) -> Screen {
    let (staff, everybody): (Vec<Command>, Vec<Command>) =
        commands_for(&view.roles).into_iter().partition(|command| command.permission().is_some());
    let html = paragraphs([
        t.text("help-title"),
        t.text("help-steps"),
        t.text("help-trouble"),
        list(t, t.text("help-commands"), &everybody),
        list(t, t.text("help-staff-commands"), &staff),
    ]);
    let rows = Rows::default()
        .row(support_button(t, view.support_bot.as_deref()))
        .row([
            button(t.label("help-button-guides"), Callback::Guides),
            button(t.label("help-button-payments"), Callback::PaySupport),
        ])
        .row([
            button(t.label("help-button-terms"), Callback::Terms),
            button(t.label("help-button-privacy"), Callback::Privacy),
        ])
        .home(t);
    Screen::new(html, rows)
}

fn list(t: &Texts, title: Html, commands: &[Command]) -> Html {
    if commands.is_empty() {
        return Html::default();
    }
    let line = |command: &Command| {
        let what = command.description(t);
        t.with("help-command", args! { "command" => command.as_str(), "what" => what })
    };
    lines(std::iter::once(title).chain(commands.iter().map(line)))
}

/// Opens the chat with the support bot, where there is one.
pub(super) fn support_button(t: &Texts, username: Option<&str>) -> Option<Button> {
    username.map(|name| link(t.label("help-button-support"), format!("https://t.me/{name}")))
}
