//! /audit: who changed what, of everybody or of one person.

use crate::clock::Timestamp;
use crate::handlers::bots::callback::Callback;
use crate::handlers::bots::screens::{Rows, Screen, button, lines, page_number, paragraphs};
use crate::i18n::html::shorten;
use crate::i18n::{Html, Texts, args};
use crate::ids::UserId;

/// A page of audit rows, the newest first.
pub struct Audit {
    pub entries: Vec<AuditLine>,
    /// The one whose rows they are; None = everybody's.
    pub of: Option<UserId>,
    /// Counts from 0.
    pub page: u32,
    pub more: bool,
}

pub struct AuditLine {
    pub at: Timestamp,
    /// None = SYSTEM.
    pub actor: Option<UserId>,
    pub action: String,
    pub target: Option<String>,
    /// JSON; `{}` is not shown.
    pub details: String,
}

pub fn audit(t: &Texts, view: &Audit) -> Screen {
    let title = match view.of {
        Some(user) => t.with("audit-title-of", args! { "id" => Html::code(user) }),
        None => t.text("audit-title"),
    };
    let list = match view.entries.is_empty() {
        true => t.text("none"),
        false => paragraphs(view.entries.iter().map(|entry| line(t, entry))),
    };
    let html = paragraphs([title, list, page_number(t, view.page, view.more)]);
    let rows = Rows::default();
    let rows = match view.of {
        Some(user) => rows
            .pages(t, view.page, view.more, |page| Callback::AuditOf(user, page))
            .back(t, Callback::Whois(user)),
        None => rows
            .pages(t, view.page, view.more, Callback::Audit)
            .row([button(t.label("home-button-users"), Callback::Users(0))])
            .home(t),
    };
    Screen::new(html, rows)
}

fn line(t: &Texts, entry: &AuditLine) -> Html {
    let actor = entry.actor.map_or_else(|| t.text("audit-system"), Html::code);
    let action = Html::short(&entry.action, 64);
    let target = Html::short(entry.target.as_deref().unwrap_or("–"), 48);
    let args = args! {
        "moment" => t.moment(entry.at), "actor" => actor, "action" => action, "target" => target,
    };
    let details = match entry.details.as_str() {
        "" | "{}" | "null" => Html::default(),
        details => Html::code(shorten(details, 160)),
    };
    lines([t.with("audit-line", args), details])
}
