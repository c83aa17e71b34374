//! /help: how it works, and the commands that the person may use.

use super::{Rows, Screen, button, lines, link, paragraphs};
use crate::config::Contact;
use crate::handlers::bots::callback::Callback;
use crate::handlers::bots::commands::{Command, commands_for};
use crate::i18n::{Html, Texts, args};
use crate::models::outgoing::Button;
use crate::models::role::Role;

pub struct Help {
    pub roles: Vec<Role>,
    /// There is a trial to begin with.
    pub trial_offered: bool,
    /// Where a human helps.
    pub support: Option<Contact>,
}

pub fn help(t: &Texts, view: &Help) -> Screen {
    let (staff, everybody): (Vec<Command>, Vec<Command>) =
        commands_for(&view.roles).into_iter().partition(|command| command.permission().is_some());
    let start = match view.trial_offered {
        true => t.text("help-start-trial"),
        false => t.text("help-start"),
    };
    let html = paragraphs([
        t.text("help-title"),
        lines([start, t.text("help-steps")]),
        support_line(t, view.support.as_ref()),
        list(t, t.text("help-commands"), &everybody),
        list(t, t.text("help-staff-commands"), &staff),
    ]);
    let rows = Rows::default()
        .row([button(t.label("button-trouble"), Callback::Trouble)])
        .row(support_button(t, view.support.as_ref()))
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

/// Opens the way to a human, where a button can: Telegram takes no e-mail addresses in one.
pub(super) fn support_button(t: &Texts, support: Option<&Contact>) -> Option<Button> {
    let url = match support? {
        Contact::Username(name) => format!("https://t.me/{name}"),
        Contact::Link(url) => url.clone(),
        Contact::Email(_) => return None,
    };
    Some(link(t.label("help-button-support"), url))
}

/// Where a human can be written to, when no button leads there.
pub(super) fn support_line(t: &Texts, support: Option<&Contact>) -> Html {
    match support {
        Some(Contact::Email(address)) => {
            t.with("help-support-email", args! { "address" => address.as_str() })
        }
        _ => Html::default(),
    }
}
