//! /mylogs: what happened on the person's own account.

use super::{Rows, Screen, lines, page_number, paragraphs};
use crate::clock::Timestamp;
use crate::handlers::bots::callback::Callback;
use crate::i18n::{Html, Texts, args};

/// A page of the person's own audit rows, the newest first.
pub struct MyLogs {
    pub entries: Vec<LogLine>,
    /// Counts from 0.
    pub page: u32,
    pub more: bool,
    pub now: Timestamp,
}

pub struct LogLine {
    pub at: Timestamp,
    /// `audit_logs.action`; one that the texts do not know is shown as it is.
    pub action: String,
}

pub fn my_logs(t: &Texts, view: &MyLogs) -> Screen {
    let list = match view.entries.is_empty() {
        true => t.text("none"),
        false => lines(view.entries.iter().map(|entry| line(t, entry, view.now))),
    };
    let rows = Rows::default().pages(t, view.page, view.more, Callback::MyLogs).back(t, Callback::Profile);
    let html = paragraphs([t.text("logs-title"), list, page_number(t, view.page, view.more)]);
    Screen::new(html, rows)
}

fn line(t: &Texts, entry: &LogLine, now: Timestamp) -> Html {
    let what = match entry.action.ends_with("_error") {
        true => t.text("logs-error"),
        false => t.with("logs-action", args! { "action" => Html::short(&entry.action, 64) }),
    };
    t.with("logs-line", args! { "when" => t.when(entry.at, now), "what" => what })
}
