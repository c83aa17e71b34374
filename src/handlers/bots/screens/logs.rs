//! /mylogs: what happened on the person's own account.

use super::{Rows, Screen, lines, paragraphs};
use crate::clock::Timestamp;
use crate::handlers::bots::callback::Callback;
use crate::i18n::{Html, Texts, args};

/// A page of the person's own audit rows, the newest first.
pub struct MyLogs {
    pub entries: Vec<LogLine>,
    /// Counts from 0.
    pub page: u32,
    pub more: bool,
}

pub struct LogLine {
    pub at: Timestamp,
    /// `audit_logs.action`
    pub action: String,
    /// `audit_logs.target`
    pub target: Option<String>,
}

/// Entries on a page.
pub const LOG_PAGE: u32 = 10;

pub fn my_logs(t: &Texts, view: &MyLogs) -> Screen {
    let list = match view.entries.is_empty() {
        true => t.text("none"),
        false => lines(view.entries.iter().map(|entry| line(t, entry))),
    };
    let number = t.with("page", args! { "page" => view.page + 1 });
    let number = if view.page > 0 || view.more { number } else { Html::default() };
    let rows = Rows::default().pages(t, view.page, view.more, Callback::MyLogs).back(t, Callback::Profile);
    Screen::new(paragraphs([t.text("logs-title"), list, number]), rows)
}

fn line(t: &Texts, entry: &LogLine) -> Html {
    let what = Html::short(&entry.action.replace('_', " "), 48);
    let moment = t.moment(entry.at);
    match &entry.target {
        Some(target) => {
            let target = Html::short(target, 48);
            t.with("logs-line-target", args! { "moment" => moment, "what" => what, "target" => target })
        }
        None => t.with("logs-line", args! { "moment" => moment, "what" => what }),
    }
}
